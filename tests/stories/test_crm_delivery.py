"""Calls on their way to the CRMs: taken durably, told in order and once, whatever fails."""
import threading

import pytest

from crm_office import ONE, Office, in_order
from fake_adapter import AGAIN, DONE, FakeAdapter
from waiting import wait_until


@pytest.fixture
def crm():
    with FakeAdapter() as adapter:
        yield adapter


@pytest.fixture
def hook():
    with FakeAdapter() as adapter:
        yield adapter


@pytest.fixture
def office(make_stack, crm, hook):
    return Office(make_stack, {"retailcrm": crm, "webhook": hook}).start()


# -- what is taken, and what is said about it -----------------------------------------------------------


def test_a_call_reaches_each_crm_of_its_enterprise_once_and_in_order(office, crm, hook):
    enterprise = office.enterprise()
    for event in ("dial", "answer", "hangup"):
        assert office.dispatch(enterprise, "1763740800.1", event) == {"success": True, "queued": 2}
        office.wait_told()
    for adapter in (crm, hook):
        in_order(adapter, "1763740800.1", ["ringing", "answered", "hangup"])
        told = [d for d in adapter.told if d["call"]["key"] == "1763740800.1"]
        assert len(told) == 3
        assert {d["enterprise"] for d in told} == {"0367"} and {d["trace"] for d in told} == {"t-1763740800.1"}
        assert [d["late"] for d in told] == [False] * 3 and {d["attempt"] for d in told} == {1}
        assert told[2]["call"]["phone"] == "+375291112233" and told[2]["call"]["result"] == "talked"


def test_every_attempt_is_in_the_journal(office, crm):
    enterprise = office.enterprise(config=ONE)
    crm.plan = lambda d: AGAIN if d["attempt"] == 1 else DONE
    office.dispatch(enterprise, "k1", "hangup")
    office.wait_told()
    first, second = office.logs()
    assert (first["status"], first["attempt"], first["http_status"], first["crm_success"]) == ("error", 1, 500, None)
    assert first["error_message"] == "HTTP 500: failed"
    assert (second["status"], second["attempt"], second["http_status"], second["crm_success"]) == ("success", 2, 200, True)
    for row in (first, second):
        assert (row["enterprise_number"], row["integration_type"], row["event_type"]) == ("0367", "retailcrm", "hangup")
        assert (row["call_unique_id"], row["call_id"], row["trace_id"], row["latency_ms"]) == ("k1", 7, "t-k1", 3)
        assert row["request_data"] == DONE["requests"] and row["response_data"] == DONE["replies"]
        assert row["delivery_id"] == office.rows()[0]["id"]
    done = office.rows()[0]
    assert (done["state"], done["attempts"], done["http_status"]) == ("done", 2, 200)


def test_the_same_call_of_two_enterprises_is_told_for_both(office, crm):
    one, other = office.enterprise("0367", ONE), office.enterprise("0368", ONE)
    for enterprise in (one, other):
        assert office.dispatch(enterprise, "same", "hangup")["queued"] == 1
    office.wait_told()
    assert sorted(d["enterprise"] for d in crm.told if d["call"]["key"] == "same") == ["0367", "0368"]


def test_a_duplicate_is_ignored_also_while_the_first_is_under_way(office, crm):
    enterprise = office.enterprise(config=ONE)
    go_on = threading.Event()
    crm.plan = lambda d: go_on.wait(20) and DONE
    assert office.dispatch(enterprise, "k", "dial") == {"success": True, "queued": 1}
    wait_until(lambda: crm.kinds("k"), 5, "the attempt is under way")
    ignored = {"status": "ignored", "reason": "duplicate"}
    assert office.dispatch(enterprise, "k", "dial") == ignored
    go_on.set()
    office.wait_told()
    assert office.dispatch(enterprise, "k", "dial") == ignored
    assert office.dispatch(enterprise, "k", "dial", turn=1)["queued"] == 1
    office.wait_told()
    assert crm.kinds("k") == [("k", "ringing"), ("k", "ringing:1")]


def test_duplicates_in_one_moment_are_stored_once(office, crm):
    enterprise = office.enterprise(config=ONE)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(office.dispatch(enterprise, "k", "hangup")))
               for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted("success" in answer for answer in answers) == [False] * 15 + [True]
    office.wait_told()
    assert crm.kinds("k") == [("k", "hangup")]


def test_raw_events_of_old_callers_are_taken_and_internal_calls_are_nobodys(office, crm):
    enterprise = office.enterprise(config=ONE)
    raw = {"CallType": 0, "Phone": "375291112233", "Extensions": ["150", "151"], "Trunk": "0001363"}
    body = {"token": enterprise["name2"], "uniqueId": "raw.1", "event_type": "dial", "raw": raw}
    assert office.post(body).json() == {"success": True, "queued": 1}
    assert office.stack.session().post(office.service.url + "/dispatch/call-event/", json={
        **body, "event_type": "hangup", "raw": {**raw, "CallStatus": "2"}}, timeout=5).json()["queued"] == 1
    internal = {"CallType": 2, "CallerIDNum": "151", "Extensions": ["152"]}
    for event in ("dial", "hangup"):
        assert office.post({**body, "uniqueId": "raw.2", "event_type": event, "raw": internal}).json() == {
            "success": True, "queued": 0}
    office.wait_told()
    assert crm.kinds()[-2:] == [("raw.1", "ringing"), ("raw.1", "hangup")]
    told = [d for d in crm.told if d["call"]["key"] == "raw.1"][0]["call"]
    assert told["phone"] == "+375291112233" and told["rang"] == ["150", "151"] and not told["outgoing"]


def test_a_recovered_call_is_journal_only_and_a_live_one_may_have_been_told_before(office, crm):
    enterprise = office.enterprise(config=ONE)
    assert office.dispatch(enterprise, "k", "hangup")["queued"] == 1
    assert office.dispatch(enterprise, "k", "hangup", origin="download")["queued"] == 1
    assert office.dispatch(enterprise, "late", "dial", origin="download")["queued"] == 0
    assert office.dispatch(enterprise, "late", "hangup", origin="download")["queued"] == 1
    office.wait_told()
    assert [kind for _, kind in crm.kinds("k")] == ["hangup", "recovered"]
    assert [kind for _, kind in crm.kinds("late")] == ["recovered"]


@pytest.mark.parametrize("change, status, words", [
    ({"token": None}, 400, "invalid payload"),
    ({"uniqueId": ""}, 400, "invalid payload"),
    ({"uniqueId": "x" * 300}, 400, "invalid payload"),
    ({"event_type": "bridge"}, 400, "invalid payload"),
    ({"turn": 100}, 400, "invalid payload"),
    ({"turn": "one"}, 400, "invalid payload"),
    ({"call": {"phone": "+375291112233"}}, 400, "invalid payload"),
    ({"call": None, "raw": []}, 400, "invalid payload"),
    ({"token": "nobody's"}, 404, "enterprise not found by token"),
])
def test_what_is_wrong_is_refused_in_the_old_words(module_office, change, status, words):
    office, enterprise = module_office
    answer = office.post({**office.body(enterprise, "k", "hangup"), **change})
    assert (answer.status_code, answer.json()) == (status, {"detail": words})


@pytest.fixture(scope="module")
def module_office(module_stack):
    with FakeAdapter() as adapter:
        office = Office(module_stack, {"retailcrm": adapter}).start()
        yield office, office.enterprise(config=ONE)


def test_when_it_rings_the_crm_is_asked_who_it_is(office, crm):
    enterprise = office.enterprise(config=ONE)
    office.dispatch(enterprise, "k", "hangup")
    office.dispatch(enterprise, "k", "dial")
    wait_until(lambda: crm.learned, 5, "the CRM is asked")
    assert [(body["enterprise"], body["phone"]) for body in crm.learned] == [("0367", "+375291112233")]


def test_an_enterprise_without_a_crm_has_nothing_queued(office, crm):
    nothing = office.enterprise("0400", {})
    assert office.dispatch(nothing, "k", "hangup") == {"success": True, "queued": 0}
    off = office.enterprise("0401", {"retailcrm": {**ONE["retailcrm"], "enabled": False}})
    assert office.dispatch(off, "k", "hangup") == {"success": True, "queued": 0}
    assert office.rows() == []
