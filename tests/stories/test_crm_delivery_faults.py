"""CRMs that fail, refuse, are slow or away: what waits, what goes on, what a person sees, and what it takes to go on."""
import os
import random
import subprocess
import threading
import time

import pytest

from crm_office import ONE, Office, in_order
from fake_adapter import AGAIN, DONE, FakeAdapter
from process import ROOT
from waiting import wait_until

LIVE = ("dial", "answer", "hangup")
LIVE_KINDS = ["ringing", "answered", "hangup"]


@pytest.fixture
def crm():
    with FakeAdapter() as adapter:
        yield adapter


@pytest.fixture
def office(make_stack, crm):
    return Office(make_stack, {"retailcrm": crm}).start()


def tell_all(office, enterprise, keys):
    for event in LIVE:
        for key in keys:
            assert office.dispatch(enterprise, key, event)["queued"] == 1


def channel(office):
    return office.channels()[("0367", "retailcrm")]


def done_once(crm, keys):
    """Each kind of each call was told well, once, in order."""
    told = [(key, kind) for _, key, kind in crm.successes() if key in keys]
    for key in keys:
        assert [kind for one, kind in told if one == key] == LIVE_KINDS, key
        in_order(crm, key, LIVE_KINDS)


def test_a_crm_that_was_down_gets_everything_in_order_and_once_also_over_a_kill(office, crm):
    enterprise = office.enterprise(config=ONE)
    crm.plan = lambda d: AGAIN
    keys = [f"call.{n}" for n in range(40)]  # more than memory holds of one channel
    tell_all(office, enterprise, keys)
    wait_until(lambda: channel(office)["state"] == "open", 15, "the breaker opens")
    office.service.kill9()
    assert len(office.rows("state IN ('queued', 'sending', 'failed')")) == 120
    crm.plan = lambda d: DONE
    office.service.start()
    office.wait_told(40)
    done_once(crm, keys)
    assert channel(office)["state"] == "closed" and channel(office)["waiting"] == 0


def test_order_in_each_call_holds_under_random_failures(office, crm):
    chance = random.Random(4)
    enterprise = office.enterprise(config=ONE)
    crm.plan = lambda d: DONE if chance.random() < 0.8 else {**AGAIN, "wait_ms": -1}
    keys = [f"call.{n}" for n in range(25)]
    tell_all(office, enterprise, keys)
    office.wait_told(60)
    done_once(crm, keys)
    assert crm.most_busy <= 4


def test_an_answer_that_never_came_means_the_same_delivery_again(office, crm):
    enterprise = office.enterprise(config=ONE)

    def breaks_first(delivery):
        if delivery["attempt"] == 1:
            raise ConnectionAbortedError
        return DONE
    crm.plan = breaks_first
    office.dispatch(enterprise, "k", "hangup")
    office.wait_told()
    first, second = [d for d in crm.told if d["call"]["key"] == "k"]
    assert first["delivery"] == second["delivery"] and (first["attempt"], second["attempt"]) == (1, 2)
    assert "did not answer" in office.logs()[0]["error_message"]


def test_an_adapter_that_is_away_costs_no_attempt(office, crm):
    enterprise = office.enterprise(config=ONE)
    crm.stop()
    for event in LIVE:
        office.dispatch(enterprise, "k", event)
    wait_until(lambda: channel(office)["reason"], 5, "a reason is visible")
    assert "adapter" in channel(office)["reason"] and channel(office)["waiting"] == 3
    crm.start()
    office.wait_told()
    done_once(crm, ["k"])
    assert {d["attempt"] for d in crm.told if d["call"]["key"] == "k"} == {1}
    assert [row["status"] for row in office.logs()] == ["success"] * 3
    wait_until(lambda: channel(office)["reason"] == "", 5, "the reason is gone")


def test_too_fast_is_no_failure_and_holds_the_whole_channel_back(office, crm):
    enterprise = office.enterprise(config=ONE)
    slower = {**AGAIN, "outcome": "slower", "reason": "over the rate", "wait_ms": 400, "http_status": 429}
    seen = []

    def now_and_then(delivery):
        seen.append(delivery["delivery"])
        return slower if len(seen) % 5 == 0 else DONE
    keys = [f"call.{n}" for n in range(12)]
    crm.plan = now_and_then
    for key in keys:
        office.dispatch(enterprise, key, "hangup")
    office.wait_told(30)
    told = [d for d in crm.told if d["call"]["key"] in keys]
    for held in (d for d in told if d["answer"]["outcome"] == "slower"):
        soon = [d for d in told if held["ended"] + 0.05 < d["began"] < held["ended"] + 0.3]
        assert not soon, "nothing goes while the CRM asks for a pause"
    assert sorted(key for _, key, _ in crm.successes() if key in keys) == sorted(keys)
    assert channel(office)["failures"] == 0


def test_the_breaker_opens_after_failures_lets_one_try_and_closes(office, crm):
    enterprise = office.enterprise(config=ONE)
    crm.plan = lambda d: AGAIN
    for n in range(8):
        office.dispatch(enterprise, f"call.{n}", "hangup")
    wait_until(lambda: channel(office)["state"] == "open", 10, "open")
    wait_until(lambda: crm.busy == 0, 5, "what was under way is over")
    attempts = len(crm.told)
    assert channel(office)["reason"] == "HTTP 500: failed"
    assert office.service.metric('callweave_crm_attempts_total') >= 5
    crm.plan = lambda d: DONE
    office.wait_told(30)
    trial = crm.told[attempts]
    assert trial["began"] - crm.told[attempts - 1]["ended"] > 3, "nobody was asked while it was open"
    assert crm.told[attempts + 1]["began"] >= trial["ended"], "one goes alone to try"
    assert (channel(office)["state"], channel(office)["reason"], channel(office)["failures"]) == ("closed", "", 0)


def test_refused_credentials_lock_the_channel_until_its_configuration_changes(office, crm):
    enterprise = office.enterprise(config=ONE)
    locked = {**AGAIN, "outcome": "locked", "reason": "HTTP 401: credentials are refused", "http_status": 401}
    crm.plan = lambda d: locked
    for n in range(6):
        office.dispatch(enterprise, f"call.{n}", "hangup")
    wait_until(lambda: channel(office)["state"] == "locked", 5, "locked")
    wait_until(lambda: crm.busy == 0, 5, "what was under way is over")
    assert "401" in channel(office)["reason"] and channel(office)["waiting"] == 6
    attempts = len(crm.told)
    assert attempts <= 6
    office.dispatch(enterprise, "call.6", "hangup")
    crm.plan = lambda d: DONE
    office.stack.sql("""UPDATE enterprises SET name = 'another name' WHERE number = '0367'""")
    wait_until(lambda: office.post({"token": "another name", "uniqueId": "x", "event_type": "hangup", "raw": {}}
                                   ).status_code != 404, 5, "8020 has read the enterprise anew")
    assert len(crm.told) == attempts, "another name mends no key"
    office.stack.sql("""UPDATE enterprises SET integrations_config =
        jsonb_set(integrations_config, '{retailcrm,api_key}', '"the right one"') WHERE number = '0367'""")
    office.wait_told(15)
    assert len([key for _, key, _ in crm.successes() if key.startswith("call.")]) == 7
    assert (channel(office)["state"], channel(office)["reason"]) == ("closed", "")


def deliveries(office, *arguments):
    done = subprocess.run([str(ROOT / "scripts" / "deliveries"), *arguments], text=True, capture_output=True,
                          env={**os.environ, "DATABASE_URL": office.stack.database_url})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_person_may_unlock_and_send_dead_ones_again(office, crm):
    enterprise = office.enterprise(config=ONE)
    crm.plan = lambda d: {**AGAIN, "outcome": "gone", "reason": "HTTP 410: wants nothing any more", "http_status": 410}
    office.dispatch(enterprise, "k", "hangup")
    wait_until(lambda: channel(office)["state"] == "locked", 5, "locked")
    office.dispatch(enterprise, "behind", "hangup")
    [dead] = office.rows("state = 'dead'")
    assert dead["last_error"] == "HTTP 410: wants nothing any more"
    listed = deliveries(office, "list")
    assert str(dead["id"]) in listed and "410" in listed
    assert "locked" in deliveries(office, "channels")
    crm.plan = lambda d: DONE
    deliveries(office, "unlock", "0367", "retailcrm")
    office.wait_told()
    assert "1 " in deliveries(office, "retry", str(dead["id"]))
    office.wait_told()
    assert sorted(key for _, key, _ in crm.successes() if key in ("k", "behind")) == ["behind", "k"]
    assert not office.rows("state = 'dead'")


def test_what_is_older_than_a_day_is_given_up_with_a_reason(office, crm):
    enterprise = office.enterprise(config=ONE)
    crm.plan = lambda d: {**AGAIN, "wait_ms": 60000}
    office.dispatch(enterprise, "k", "hangup")
    wait_until(lambda: office.rows("state = 'failed'"), 5, "it has failed")
    office.stack.sql("UPDATE crm_deliveries SET created_at = now() - interval '25 hours'")
    wait_until(lambda: office.rows("state = 'dead'"), 25, "given up")
    assert office.rows()[0]["last_error"] == "given up after 24 hours: HTTP 500: failed"
    crm.plan = lambda d: DONE
    deliveries(office, "retry", "all")
    office.wait_told()
    assert office.rows()[0]["state"] == "done"


def test_a_slow_crm_delays_nobody_else(make_stack, crm):
    go_on = threading.Event()
    with FakeAdapter() as fast:
        office = Office(make_stack, {"retailcrm": crm, "webhook": fast}, {
            "CALLWEAVE_INTEGRATION_CACHE_AT_ONCE": "2"}).start()
        enterprises = [office.enterprise(f"05{n:02}") for n in range(6)]
        crm.plan = lambda d: go_on.wait(25) and DONE
        for enterprise in enterprises:
            for n in range(5):
                office.dispatch(enterprise, f"{enterprise['number']}.{n}", "hangup")
        wait_until(lambda: len(fast.successes()) >= 30, 15, lambda: f"the fast one has all: {len(fast.successes())}")
        busy = {d["enterprise"] for d in crm.told if "ended" not in d}
        assert busy == {e["number"] for e in enterprises}, "each channel has a place of its own"
        assert crm.most_busy <= 6 + 2
        go_on.set()
        office.wait_told(30)
        assert len([1 for _, key, _ in crm.successes() if not key.startswith("probe")]) == 30


def test_what_waits_for_long_gives_its_place_to_others_and_keeps_its_order(office, crm):
    enterprise = office.enterprise(config=ONE)
    poison = [f"bad.{n}" for n in range(40)]
    failing = {"now": True}
    # Each fails by itself, and a good one between: the CRM works.
    crm.plan = lambda d: ({**AGAIN, "wait_ms": -1} if failing["now"] and d["call"]["key"].startswith("bad") else DONE)
    for key in poison:
        office.dispatch(enterprise, key, "dial")
        office.dispatch(enterprise, key, "hangup")
        office.dispatch(enterprise, "good" + key[3:], "hangup")
    office.stack.sql("UPDATE crm_deliveries SET next_at = now() + interval '1 hour', state = 'failed'"
                     " WHERE call_key LIKE 'bad%%' AND kind = 'ringing' AND state IN ('queued', 'failed')")
    office.service.kill9()
    office.service.start()
    # One that was told when the instance was killed is told again: a set.
    wait_until(lambda: len({key for _, key, _ in crm.successes() if key.startswith("good")}) == 40, 30,
               lambda: f"the good ones: {channel(office)} {office.rows('true', 'id, call_key, kind, state, next_at')[:12]}")
    office.dispatch(enterprise, "one more", "hangup")
    wait_until(lambda: crm.kinds("one more"), 5, "what comes later is not held up")
    assert not [kind for key, kind in crm.kinds() if key.startswith("bad") and kind == "hangup"]
    failing["now"] = False
    office.stack.sql("UPDATE crm_deliveries SET next_at = now() WHERE state = 'failed'")
    office.stack.sql("SELECT pg_notify('callweave_crm', '0367 retailcrm')")
    office.wait_told(40)
    for key in poison:
        assert [kind for _, one, kind in crm.successes() if one == key] == ["ringing", "hangup"]
        in_order(crm, key, ["ringing", "hangup"])


def test_a_driver_is_given_what_it_remembered_of_the_call(office, crm):
    enterprise = office.enterprise(config=ONE)
    crm.plan = lambda d: {**DONE, "memory": {"id": 5, "seen": [*d["memory"].get("seen", []), d["kind"]]}}
    for event in LIVE:
        office.dispatch(enterprise, "k", event)
        office.dispatch(enterprise, "other", event)
    office.wait_told()
    told = [d for d in crm.told if d["call"]["key"] == "k"]
    assert [d["memory"] for d in told] == [
        {}, {"id": 5, "seen": ["ringing"]}, {"id": 5, "seen": ["ringing", "answered"]}]


def test_what_is_history_by_now_is_told_as_such(office, crm):
    enterprise = office.enterprise(config=ONE)
    crm.stop()
    for event in ("dial", "hangup"):
        office.dispatch(enterprise, "over", event)
    office.dispatch(enterprise, "old", "dial")
    office.dispatch(enterprise, "new", "dial")
    office.stack.sql("UPDATE crm_deliveries SET created_at = now() - interval '2 minutes' WHERE call_key = 'old'")
    crm.start()
    office.wait_told()
    late = {(d["call"]["key"], d["kind"]): d["late"] for d in crm.told}
    assert late[("over", "ringing")] and late[("old", "ringing")]
    assert not late[("over", "hangup")] and not late[("new", "ringing")]


def test_what_was_switched_off_meanwhile_is_not_told(office, crm):
    enterprise = office.enterprise(config=ONE)
    crm.stop()
    office.dispatch(enterprise, "k", "hangup")
    office.stack.sql("""UPDATE enterprises SET integrations_config =
        jsonb_set(integrations_config, '{retailcrm,enabled}', 'false') WHERE number = '0367'""")
    wait_until(lambda: office.dispatch(enterprise, f"later.{time.monotonic()}", "hangup")["queued"] == 0, 5, "8020 knows")
    crm.start()
    office.wait_told()
    assert not crm.kinds("k")
    assert [(row["state"], row["last_error"]) for row in office.rows("call_key = 'k'")] == [
        ("skipped", "the integration is switched off")]
    assert {row["status"] for row in office.logs()} == {"skipped"}


@pytest.mark.parametrize("answer, outcome", [
    ({"outcome": "perhaps"}, "outcome: unknown"),
    ({"status": 500}, "answered 500"),
    ({"outcome": "done", "memory": [1], "requests": "x", "replies": 5, "crm_success": "yes"}, None),
])
def test_an_adapter_that_answers_nonsense_is_tried_again_with_words(office, crm, answer, outcome):
    enterprise = office.enterprise(config=ONE)
    crm.plan = lambda d: dict(answer) if d["attempt"] == 1 else DONE
    office.dispatch(enterprise, "k", "hangup")
    office.wait_told()
    log = office.logs()
    if outcome is None:
        assert [row["status"] for row in log] == ["success"] and log[0]["crm_success"] is None
        assert log[0]["request_data"] is None
    else:
        assert [row["status"] for row in log] == ["error", "success"] and outcome in log[0]["error_message"]


def test_skipped_and_refused_ones_end_at_once(office, crm):
    enterprise = office.enterprise(config=ONE)
    crm.plan = lambda d: {**DONE, "outcome": "skipped" if d["kind"] == "ringing" else "refused", "reason": "because"}
    for event in LIVE:
        office.dispatch(enterprise, "k", event)
    office.wait_told()
    assert [(row["state"], row["last_error"]) for row in office.rows()] == [
        ("skipped", "because"), ("dead", "because"), ("dead", "because")]
    assert len(crm.kinds("k")) == 3 and channel(office)["state"] == "closed" and channel(office)["dead"] == 2


def test_old_rows_go_and_partitions_are_made(office, crm):
    enterprise = office.enterprise(config=ONE)
    crm.plan = lambda d: {**DONE, "memory": {"id": 1}}
    for n in range(3):
        office.dispatch(enterprise, f"k{n}", "hangup")
    office.wait_told()
    office.stack.sql("UPDATE crm_deliveries SET updated_at = now() - interval '8 days' WHERE call_key = 'k0'")
    office.stack.sql("UPDATE crm_deliveries SET updated_at = now() - interval '8 days', state = 'dead'"
                     " WHERE call_key = 'k1'")
    office.stack.sql("UPDATE crm_calls SET updated_at = now() - interval '31 days' WHERE call_key = 'k2'")
    office.stack.sql("CREATE TABLE integration_logs_202001 PARTITION OF integration_logs"
                     " FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')")
    office.service.kill9()
    office.service.start()
    wait_until(lambda: [row["call_key"] for row in office.rows()] == ["k1", "k2"]
               and len(office.stack.sql("SELECT 1 FROM crm_calls")) == 2
               and not office.stack.sql("SELECT to_regclass('integration_logs_202001') AS t")[0]["t"], 20,
               lambda: f"housekeeping: {office.rows(columns='call_key, state')}\n{office.service.tail(5)}")
    months = office.stack.sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'integration_logs'::regclass")
    assert months[0]["count"] >= 3 and time.gmtime().tm_year > 2020
