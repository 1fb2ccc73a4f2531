"""The adapters of CRMs: one attempt to tell one CRM of one call, whatever the CRM does."""
import concurrent.futures
import gzip
import json
import subprocess
import threading

import pytest
import requests

from crm_adapter import KEY, OURS, SECRET, ask, deliver, enterprise, order, retail
from fake_crm import FakeCrm
from process import binaries
from stack import INTERNAL_SECRET
from waiting import wait_until

@pytest.fixture
def crm():
    with FakeCrm() as fake:
        yield fake


@pytest.fixture
def stack(make_stack):
    return make_stack(("retailcrm", "webhook"), settings={"CALLWEAVE_CRM_MIRROR_SECONDS": "86400"}).start_all()


@pytest.fixture(scope="module")
def bad(module_stack):
    stack = module_stack(("retailcrm",), settings={"CALLWEAVE_CRM_MIRROR_SECONDS": "86400"}).start_all()
    with FakeCrm() as crm:
        enterprise(stack, retailcrm=retail(crm))
        yield stack, crm


def hooked(stack, crm, **more):
    enterprise(stack, webhook={"enabled": True, "url": crm.url + "/hook/x", "secret": SECRET, **more})
    crm.clear()


# -- who may ask, and for what --------------------------------------------------------------------


def test_the_name_chooses_the_crm(tmp_path):
    done = subprocess.run([binaries() / "crm"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "start it as one of:" in done.stderr and " webhook" in done.stderr
    help_of = subprocess.run([binaries() / "webhook", "--help"], capture_output=True, text=True).stdout
    assert "CALLWEAVE_WEBHOOK_PORT=8026" in help_of


def test_no_secret_no_adapter(make_stack):
    stack = make_stack(("webhook",))
    service = stack.services["webhook"]
    service.settings = {name: value for name, value in service.settings.items() if name != "CALLWEAVE_INTERNAL_SECRET"}
    service.start(wait=False)
    assert service.child.wait(10) == 1
    assert "CALLWEAVE_INTERNAL_SECRET: missing" in service.text()
    service.child = None


def test_only_ours_may_ask(stack, crm):
    hooked(stack, crm)
    for path in ("/internal/deliver", "/internal/webhook/register", "/internal/webhook/learn"):
        for headers in ({}, {"X-Callweave-Secret": ""}, {"X-Callweave-Secret": INTERNAL_SECRET[:-1]}):
            answer = ask(stack, "webhook", "POST", path, headers=headers, json={"enterprise": "0367"})
            assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
    assert crm.seen == []


@pytest.mark.parametrize("body, words", [
    ("{", "parse JSON"), ("[]", ""), ("{}", "enterprise: missing"),
    ('{"enterprise":"0367","kind":"dance","call":{}}', "kind: not known"),
    ('{"enterprise":"0367","kind":"hangup","turn":-1,"call":{}}', "turn: out of range"),
    ('{"enterprise":"0367","kind":"hangup","call":7}', ""),
    ('{"enterprise":7,"kind":"hangup","call":{}}', "enterprise: not a string"),
])
def test_what_cannot_be_read_is_said(bad, body, words):
    answer = ask(bad[0], "retailcrm", "POST", "/internal/deliver", data=body,
                 headers={**OURS, "Content-Type": "application/json"})
    assert answer.status_code == 400
    assert words in answer.json()["detail"]


def test_who_is_not_there_or_switched_off_comes_again(stack, crm):
    """8020 may hear of a new enterprise a moment before the adapter: that is no reason to wait for a person."""
    hooked(stack, crm)
    answer = deliver(stack, number="9999")
    assert (answer["outcome"], answer["reason"]) == ("again", "Enterprise not found")
    stack.sql("UPDATE enterprises SET integrations_config = jsonb_set(integrations_config, '{webhook,enabled}', 'false')")
    answer = wait_until(lambda: (got := deliver(stack))["outcome"] == "again" and got, 5)
    assert "is switched off for enterprise 0367" in answer["reason"]
    stack.sql("UPDATE enterprises SET integrations_config = '{}'")
    wait_until(lambda: "is not configured" in deliver(stack)["reason"], 5)


# -- one attempt ------------------------------------------------------------------------------------


def test_a_call_is_told_and_what_was_said_is_shown_without_secrets(stack, crm):
    hooked(stack, crm)
    crm.on("/hook", {"ok": True, "echo": SECRET, "access_token": "abcdefghijkl"})
    answer = deliver(stack)
    assert (answer["outcome"], answer["http_status"], answer["crm_success"]) == ("done", 200, True)
    (seen,) = crm.of("/hook")
    assert seen.json()["data"]["phone"] == "+375291112233"
    assert seen.headers["webhook-signature"].startswith("v1,")
    (request,), (reply,) = answer["requests"], answer["replies"]
    assert request["body"]["data"]["key"] == "1763740800.1" and request["method"] == "POST"
    assert reply == {"status": 200, "body": {"ok": True, "echo": "***", "access_token": "***"}}
    assert stack.services["webhook"].metric("callweave_crm_requests_total") >= 1


def test_two_requests_and_a_form(stack, crm):
    enterprise(stack, retailcrm=retail(crm))
    crm.clear()
    crm.on("/api/v5/telephony/calls/upload", {"success": True, "processedCallsCount": 1, "note": f"key {KEY}"})
    answer = deliver(stack, "retailcrm")
    assert answer["outcome"] == "done", answer
    upload = crm.of("/api/v5/telephony/calls/upload")[0]
    assert upload.headers["X-API-KEY"] == KEY
    assert upload.form("calls")[0]["externalId"] == "1763740800.1"
    shown = next(request for request in answer["requests"] if request["name"] == "calls/upload")
    assert shown["body"]["calls"][0]["userId"] == 17
    assert KEY not in json.dumps(answer)


def test_a_packed_answer(stack, crm):
    hooked(stack, crm)
    crm.on("/hook", lambda seen: (200, gzip.compress(b'{"fine":true}'), {"Content-Encoding": "gzip"}))
    answer = deliver(stack)
    assert answer["outcome"] == "done" and answer["replies"][0]["body"] == {"fine": True}
    assert crm.of("/hook")[0].headers["Accept-Encoding"] == "gzip"


# -- CRMs that misbehave ------------------------------------------------------------------------------

BAD = {
    "html": (lambda seen: (200, b"<html><body>Welcome</body></html>", {"Content-Type": "text/html"}), "refused", "no JSON"),
    "redirect": (lambda seen: (302, {}, {"Location": "http://169.254.169.254/latest"}), "refused", "redirects are not followed"),
    "huge": (lambda seen: (200, b'{"a":"' + b"x" * 1_200_000 + b'"}', {}), "again", "longer than 1048576 bytes"),
    "bomb": (lambda seen: (200, gzip.compress(b"[" * 30_000_000), {"Content-Encoding": "gzip"}), "again",
             "longer than 1048576 bytes"),
    "deep": (lambda seen: (200, b"[" * 40 + b"]" * 40, {}), "refused", "no JSON"),
    "cut": (lambda seen: (200, b'{"success": tr', {}), "refused", "no JSON"),
    "close": (lambda seen: "close", "again", "no answer of the CRM: "),
    "failing": (lambda seen: (500, {"errorMsg": "oops"}, {}), "again", "HTTP 500"),
    "key": (lambda seen: (403, {"success": False, "errorMsg": 'Wrong "apiKey" value.'}, {}), "locked", "apiKey"),
    "gone": (lambda seen: (410, {}, {}), None, "HTTP 410"),
    "empty": (lambda seen: (200, b"", {}), None, ""),
    "bytes": (lambda seen: (200, bytes(range(256)), {}), "refused", "no JSON"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_has_an_outcome_and_words(bad, name):
    stack, crm = bad
    how, outcome, words = BAD[name]
    crm.on("/api", how)
    answer = deliver(stack, "retailcrm")
    assert outcome in (None, answer["outcome"]), answer
    assert answer["outcome"] in ("again", "refused", "locked", "gone", "slower"), answer
    assert words in answer["reason"], answer["reason"]
    assert len(json.dumps(answer)) < 40_000
    assert answer["requests"] and answer["replies"]
    stack.assert_healthy()


def test_a_crm_that_never_answers(stack, crm):
    """Ten seconds, then it is said, and others were not held up by it."""
    hooked(stack, crm)
    crm.on("/hook/x", lambda seen: "silence")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        slow = pool.submit(deliver, stack)
        wait_until(lambda: crm.of("/hook/x"), 5)
        enterprise(stack, "0368", webhook={"enabled": True, "url": crm.url + "/good", "secret": SECRET})
        assert deliver(stack, number="0368")["outcome"] == "done"
        assert not slow.done()
        answer = slow.result(30)
    assert answer["outcome"] == "again" and "no answer of the CRM" in answer["reason"]
    assert answer["replies"] == [{"status": 0, "error": "Timeout was reached"}]
    assert answer["http_status"] is None and answer["crm_success"] is None
    assert 9000 <= answer["took_ms"] < 25000


def test_a_delivery_that_is_sent_again_while_it_is_under_way_is_told_once(stack, crm):
    """8020 died in the middle: the delivery goes on, the next 8020 waits for it and hears of it."""
    hooked(stack, crm)
    may_answer = threading.Event()
    crm.on("/hook/x", lambda seen: may_answer.wait(20) and (200, "{}", {}))
    with pytest.raises(requests.Timeout):
        ask(stack, "webhook", "POST", "/internal/deliver", json=order(4711), timeout=0.5)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        again = pool.submit(deliver, stack, delivery=4711)
        other = pool.submit(deliver, stack, call={"key": "another.1"}, delivery=4712)
        wait_until(lambda: len(crm.of("/hook/x")) == 2, 5, "another call does not wait")
        assert not again.done()
        may_answer.set()
        assert other.result(20)["outcome"] == "done"
        answer = again.result(20)
    assert (answer["outcome"], answer["requests"]) == ("done", []) and "told before" in answer["reason"]
    assert len(crm.of("/hook/x")) == 2


def test_nobody_listens(stack, crm):
    hooked(stack, crm, url="http://127.0.0.1:1/hook")
    answer = deliver(stack)
    assert answer["outcome"] == "again" and "cannot be reached: Couldn't connect to server" in answer["reason"]


@pytest.mark.parametrize("url, address", [
    ("http://169.254.169.254/latest/meta-data", "169.254.169.254"), ("http://10.0.0.1/x", "10.0.0.1"),
    ("http://[::ffff:192.168.0.1]/x", "192.168.0.1"), ("http://2130706434/x", "127.0.0.2"),
])
def test_private_addresses_are_not_reached(stack, crm, url, address):
    hooked(stack, crm, url=url)
    answer = deliver(stack)
    assert answer["outcome"] == "locked", answer
    assert f"address {address} is not allowed" in answer["reason"]


def test_loopback_is_not_allowed_by_itself(make_stack, crm):
    stack = make_stack(("webhook",), settings={"CALLWEAVE_CRM_ALLOW_PRIVATE": "10.0.0.0/8"}).start_all()
    for host in ("127.0.0.1", "localhost"):
        number = f"036{len(stack.enterprises)}"
        enterprise(stack, number, webhook={"enabled": True, "url": crm.url.replace("127.0.0.1", host), "secret": SECRET})
        answer = deliver(stack, number=number)
        assert answer["outcome"] == "locked" and "is not allowed" in answer["reason"], answer
    assert crm.seen == []


# -- rates --------------------------------------------------------------------------------------------


def test_over_the_limit_of_the_crm_nothing_is_sent_until_it_said(stack, crm):
    hooked(stack, crm)
    crm.on("/hook", {}, status=429, headers={"Retry-After": "7"})
    answer = deliver(stack)
    assert (answer["outcome"], answer["wait_ms"]) == ("slower", 7000), answer
    crm.on("/hook", {})
    answer = deliver(stack, call={"key": "1763740800.2"})
    assert answer["outcome"] == "slower" and 1000 < answer["wait_ms"] <= 7000
    assert answer["requests"] == [] and len(crm.of("/hook")) == 1
    assert "limit of the CRM is used up" in answer["reason"]


def test_the_rate_of_the_crm_is_kept(stack, crm):
    """The driver of webhooks has a burst of 18 and 9 a second: of 60 at once some are told to come later."""
    hooked(stack, crm)
    with concurrent.futures.ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(lambda i: deliver(stack, call={"key": f"1.{i}"}), range(60)))
    outcomes = [answer["outcome"] for answer in answers]
    assert set(outcomes) <= {"done", "slower"}
    times = sorted(seen.at for seen in crm.of("/hook"))
    assert len(times) == outcomes.count("done")
    for first in range(len(times)):
        for last in range(first, len(times)):
            assert last - first + 1 <= 18 + 10 * (times[last] - times[first]) + 1
    later = [answer["wait_ms"] for answer in answers if answer["outcome"] == "slower"]
    assert all(wait > 0 for wait in later)


def test_an_enterprise_does_not_use_up_anothers_rate(stack, crm):
    hooked(stack, crm)
    enterprise(stack, "0368", webhook={"enabled": True, "url": crm.url + "/other", "secret": SECRET})
    crm.on("/hook", {}, status=429, headers={"Retry-After": "100"})
    assert deliver(stack)["outcome"] == "slower"
    assert deliver(stack, number="0368")["outcome"] == "done"
