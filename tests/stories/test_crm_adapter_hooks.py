"""The adapters of CRMs: requests of U-ON and MoySklad to us, and an adapter that has too much to do, or has to end."""
import concurrent.futures
import hashlib
import json
import threading

import pytest
import requests

from crm_adapter import SECRET, ask, deliver, enterprise
from fake_crm import FakeCrm
from waiting import wait_until

PHONE_KEY = "phone-key-4711471147"
UON = {"enabled": True, "api_key": "Uk7ExampleKey0fUon93x", "webhook_secret": "whs-5b1f0e7c2d9a4436", "account_id": "9021",
       "subdomain": "june", "user_extensions": {"16": "150", "17": "151"}}
MS = {"enabled": True, "integration_code": PHONE_KEY, "webhook_uuid": "6f1d2c3b-uuid-of-june",
      "employee_mapping": {"150": {"name": "Anna", "employee_id": "7944ef04"}}}


@pytest.fixture
def crm():
    with FakeCrm() as fake:
        fake.on("/pbx", {"success": True, "message": "ok"})
        yield fake


@pytest.fixture
def stack(make_stack, crm):
    stack = make_stack(("uon", "moysklad"), settings={"CALLWEAVE_CRM_MIRROR_SECONDS": "86400",
                                                      "CALLWEAVE_CRM_CALL_URL": crm.url + "/pbx"}).start_all()
    crm.on("/", {"records": []}, status=404)
    crm.on("/pbx", {"success": True, "message": "ok"})
    enterprise(stack, uon={**UON, "api_url": crm.url}, ms={**MS, "phone_api_url": crm.url, "remap_api_url": crm.url})
    for program, code in (("uon", "uon"), ("moysklad", "ms")):
        wait_until(lambda: ask(stack, program, "POST", f"/internal/{code}/learn", json={"enterprise": "0367", "phone": "1"})
                   .status_code == 202, 5, f"{program} knows the enterprise")
    return stack


def uon(stack, secret=UON["webhook_secret"], **body):
    body = {"uon_id": "9021", "uon_subdomain": "june", "datetime": "2026-11-21 15:00:00", **body}
    return requests.post(f"{stack.url('uon')}/uon/webhook/{secret}", json=body, timeout=10)


def test_uon_tells_of_a_client_and_of_a_click(stack, crm):
    client = {"u_id": "501", "u_surname": "Петров", "u_name": "Иван", "u_phone": "8 029 111-22-33"}
    answer = uon(stack, type_id=4, client_id="501", client=client)
    assert answer.status_code == 200 and answer.json()["ok"], answer.text
    row = stack.sql("SELECT phone_e164, last_name, meta FROM customers")[0]
    assert (row["phone_e164"], row["last_name"], row["meta"]["ids"]) == ("+375291112233", "Петров", {"uon": ["501"]})
    assert uon(stack, type_id=47, method="call", user_id="17", phone="375291112233").json()["ok"]
    assert crm.of("/pbx")[0].query["code"] == "151"


def test_uon_strangers_are_refused(stack, crm):
    for secret, change in (("wrong", {}), ("", {}), (UON["webhook_secret"], {"uon_id": "1"}), ("%00", {}), ("a" * 300, {})):
        answer = uon(stack, secret, type_id=47, method="call", user_id="17", phone="375291112233", **change)
        assert answer.status_code in (400, 401, 403, 404), answer.text
    assert requests.post(stack.url("uon") + "/uon/webhook", json={"uon_id": "9021", "type_id": 47}, timeout=10).status_code == 401
    assert crm.of("/pbx") == [] and stack.sql("SELECT 1 FROM customers") == []
    assert stack.services["uon"].metric("callweave_crm_hooks_refused_total") >= 4


def test_a_change_without_its_client_makes_the_mirror_look(stack, crm):
    wait_until(lambda: stack.sql("SELECT 1 FROM crm_memory WHERE task = 'changes' AND crm = 'uon'"
                                 " AND next_at > now() + interval '10 s'"), 15, "the first turn is over")
    crm.clear()
    assert uon(stack, type_id=4, client_id="501").status_code == 200
    wait_until(lambda: [seen for seen in crm.seen if "/users/" in seen.path or "user" in seen.path], 10, "U-ON is asked")


def ms_click(stack, uuid=MS["webhook_uuid"], key=PHONE_KEY):
    body = {"srcNumber": "150", "destNumber": "+375291112233", "uid": "admin@june"}
    digest = hashlib.md5((key + "".join(body.values())).encode()).hexdigest().upper()
    return requests.post(f"{stack.url('moysklad')}/ms/webhook/{uuid}", json=body, timeout=10,
                         headers={"Lognex-Content-MD5": digest})


def test_moysklad_signs_its_clicks(stack, crm):
    assert ms_click(stack).json()["success"] is True
    assert crm.of("/pbx")[0].query["code"] == "150"
    crm.clear()
    for answer in (ms_click(stack, key="wrong-key-of-nobody"), ms_click(stack, uuid="6f1d%"), ms_click(stack, uuid="nobody")):
        assert answer.status_code in (401, 403), answer.text
    assert crm.of("/pbx") == []


# -- the former addresses -----------------------------------------------------------------------------------


def tell(stack, program, path, **body):
    answer = ask(stack, program, "POST", path, json={"enterprise_number": "0367", **body})
    return answer.status_code, answer.json()


def test_the_former_addresses_of_uon(stack, crm):
    crm.on("/", {"result": 200, "id": "1", "records": []})
    call = {"phone": "8 029 111-22-33", "extension": "150", "start": "2026-11-21 15:00:00", "duration": 95,
            "direction": "in", "call_status": "отвеченный", "record_url": "https://r.example/1"}
    assert tell(stack, "uon", "/internal/uon/log-call", **call) == (200, {"success": True, "status": 200})
    entry = next(seen for seen in crm.seen if "call_history/create" in seen.path).json()
    assert (entry["phone"], entry["duration"], entry["direction"]) == ("375291112233", 95, 2), entry
    assert entry["start"] == "2026-11-21 15:00:00" and str(entry["manager_id"]) == "16"
    status, answer = tell(stack, "uon", "/internal/uon/notify-incoming", phone="+375291112233", extension="150",
                          extensions_all=["150", "151"], direction="in")
    assert status == 200 and answer["success"] is True, answer
    assert tell(stack, "uon", "/internal/uon/log-call", extension="150")[0] == 400
    assert tell(stack, "uon", "/internal/uon/log-call", **call | {"enterprise_number": "9999"})[0] == 404
    crm.on("/", {"error": "oops"}, status=500)
    status, answer = tell(stack, "uon", "/internal/uon/log-call", **call | {"phone": "+375291112299"})
    assert status == 502 and answer["success"] is False and "500" in answer["error"]


def test_the_former_addresses_of_moysklad(stack, crm):
    crm.on("/call", {"id": "c1", "externalId": "0367-1763740800.9", "meta": {"href": crm.url + "/call/c1"}})
    raw = {"CallType": 0, "Phone": "375291112233", "Extensions": ["150"], "CallStatus": "2",
           "StartTime": "2026-11-21 15:00:00", "EndTime": "2026-11-21 15:01:00"}
    for path in ("incoming-call", "hangup-call"):
        status, answer = tell(stack, "moysklad", f"/internal/ms/{path}", unique_id="1763740800.9", raw=raw)
        assert (status, answer) == (200, {"status": "success"}), answer
    made = [seen for seen in crm.of("/call") if seen.method == "POST" and seen.path == "/call"]
    assert [seen.json()["externalId"] for seen in made] == ["0367-1763740800.9"]  # remembered: made once
    crm.on("/call", {"errors": [{"error": "oops", "code": 1000}]}, status=500)
    status, answer = tell(stack, "moysklad", "/internal/ms/recovery-call", unique_id="1763740800.10", raw=raw)
    assert status == 502 and answer["status"] == "error" and answer["message"]
    assert tell(stack, "moysklad", "/internal/ms/hangup-call", raw=raw)[0] == 400


# -- too much, and the end --------------------------------------------------------------------------------


def slow_hook(crm):
    gate, came = threading.Event(), threading.Event()

    def slowly(seen):
        came.set()
        gate.wait(20)
        return 200, {}, {}
    crm.on("/hook", slowly)
    return gate, came


def test_more_than_it_may_do_is_told_to_come_back(make_stack, crm):
    stack = make_stack(("webhook",), settings={"CALLWEAVE_CRM_MAX_JOBS": "1"}).start_all()
    enterprise(stack, webhook={"enabled": True, "url": crm.url + "/hook", "secret": SECRET})
    gate, came = slow_hook(crm)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(deliver, stack)
        assert came.wait(10)
        answer = ask(stack, "webhook", "POST", "/internal/deliver", json={})
        assert answer.status_code == 503 and "too many jobs" in answer.json()["detail"] and answer.headers["Retry-After"]
        gate.set()
        assert first.result()["outcome"] == "done"


def test_a_drain_ends_what_was_begun(make_stack, crm):
    stack = make_stack(("webhook",)).start_all()
    enterprise(stack, webhook={"enabled": True, "url": crm.url + "/hook", "secret": SECRET})
    gate, came = slow_hook(crm)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        told = pool.submit(deliver, stack)
        assert came.wait(10)
        ended = pool.submit(stack.services["webhook"].stop)
        wait_until(lambda: not stack.services["webhook"].ready(), 10, "it is about to end")
        gate.set()
        assert told.result()["outcome"] == "done"
        assert ended.result() == 0


def test_who_asked_is_gone_and_the_job_is_done_all_the_same(make_stack, crm):
    stack = make_stack(("webhook",)).start_all()
    enterprise(stack, webhook={"enabled": True, "url": crm.url + "/hook", "secret": SECRET})
    gate, came = slow_hook(crm)
    with pytest.raises(requests.RequestException):
        ask(stack, "webhook", "POST", "/internal/deliver", timeout=1, data=json.dumps({
            "enterprise": "0367", "kind": "hangup", "call": {"key": "1.1", "phone": "+375291112233", "result": "talked"}}),
            headers={"X-Callweave-Secret": "what-the-processes-of-this-stack-show-each-other",
                     "Content-Type": "application/json"})
    gate.set()
    done = 'callweave_crm_jobs_total{outcome="done"} 1'
    wait_until(lambda: done in requests.get(stack.url("webhook") + "/metrics", timeout=5).text, 10, "it is done")
