"""How deliveries end: recorded, given up with words, cleaned up; and what the dispatcher does not begin."""
import os
import shutil
import subprocess
import time

import pytest
import requests

from eventlog import Log, told
from process import ROOT
from servers import Postgres
from telling import OVER, RINGS, TALKS, Told, followed, settings
from waiting import wait_until

QUICK = {"CALLWEAVE_DISPATCHER_SEND_TIMEOUT_MS": "700"}


@pytest.fixture
def two(make_stack):
    stack = make_stack(services=("sandbox", "dispatcher"), settings=QUICK).start_all()
    stack.no_limits()
    return stack


def rows(stack, enterprise, columns="*"):
    return stack.sql(f"SELECT {columns} FROM outbox WHERE enterprise_number = %s ORDER BY id", [enterprise["number"]])


def restarted(stack):
    stack.start("dispatcher")
    wait_until(lambda: stack.services["dispatcher"].metric("callweave_shards_owned") == 64, 20, "taken over")


# -- the record of what was told --------------------------------------------------------------------------


def test_each_request_is_recorded_with_what_came_of_it(two):
    enterprise = two.enterprise("1001")
    call = Told(two, enterprise).until(RINGS)
    two.wait_quiet()
    two.sandbox("faults", service="telegram", path="editMessageText", status=500, times=1)
    call.until(TALKS).until(OVER)
    two.wait_quiet()
    log = two.sql("SELECT * FROM delivery_log ORDER BY at")
    assert [(row["what"], row["outcome"], row["http_status"]) for row in log] == [
        ("send", "done", 200), ("edit", "try_again", 500), ("edit", "done", 200), ("edit", "done", 200)]
    assert {row["destination"] for row in log} == {f"telegram:{enterprise['chat_id']}"}
    assert {row["call_id"] for row in log} == {call.row()["id"]}
    assert {row["enterprise_number"] for row in log} == {"1001"}
    assert {row["trace_id"] for row in log} == {"trace-of-the-story"}
    assert "Internal Server Error" in log[1]["words"] and log[0]["took_ms"] >= 0
    versions = [row["version"] for row in log]
    assert versions == sorted(versions)


def test_replaced_and_unanswered_messages_are_in_the_record(two):
    enterprise = two.enterprise("1002", settings=settings(mode="replace"))
    call = Told(two, enterprise).until(RINGS)
    two.wait_quiet()
    two.sandbox("faults", service="telegram", path="sendMessage", drop="after", times=1)
    call.add()
    wait_until(lambda: any(m["text"].startswith("✅") for m in call.standing()), 20, "the end is told")
    two.wait_quiet()
    log = [(row["what"], row["outcome"]) for row in two.sql("SELECT what, outcome FROM delivery_log ORDER BY at")]
    assert log[0] == ("send", "done") and ("send", "unknown") in log and log[-1] == ("edit", "done")


# -- nobody to tell ---------------------------------------------------------------------------------------


def test_deliveries_of_an_enterprise_without_a_bot_end_with_words(two):
    enterprise = two.enterprise("1010")
    two.sandbox("faults", service="telegram", status=500, times=-1)
    Told(two, enterprise).add()
    wait_until(lambda: [row["state"] for row in rows(two, enterprise)] == ["failed"], 10, "it has failed")
    two.stop("dispatcher")
    two.sql("UPDATE enterprises SET bot_token = NULL WHERE number = '1010'")
    restarted(two)
    row = wait_until(lambda: [r for r in rows(two, enterprise) if r["state"] == "dead"], 20, "it is dead")[0]
    assert row["last_error"] == "the enterprise has no bot any more"
    two.wait_quiet()


def test_a_bot_that_is_taken_away_meanwhile(two):
    enterprise = two.enterprise("1011")
    two.sandbox("faults", service="telegram", status=500, times=-1)
    Told(two, enterprise).add()
    wait_until(lambda: [row["state"] for row in rows(two, enterprise)] == ["failed"], 10, "it has failed")
    two.sql("UPDATE enterprises SET bot_token = NULL WHERE number = '1011'")
    two.clear_faults()
    row = wait_until(lambda: [r for r in rows(two, enterprise) if r["state"] == "dead"], 20, "it is dead")[0]
    assert "no bot any more" in row["last_error"]
    assert two.messages(enterprise["chat_id"], deleted=True) == []


def test_who_unsubscribes_gets_no_new_message(two):
    enterprise = two.enterprise("1012", subscribers=[5012, 5013])
    two.sandbox("faults", service="telegram", chat_id=5012, status=500, times=-1)
    call = Told(two, enterprise).until(RINGS, 5013)
    two.sql("DELETE FROM telegram_users")
    followed(two, enterprise)
    two.clear_faults()
    call.until(OVER).until(OVER, 5013)
    two.wait_quiet()
    assert call.all(5012) == []
    dead = [r for r in rows(two, enterprise) if r["state"] == "dead"]
    assert [(r["destination"], r["last_error"]) for r in dead] == [
        ("telegram:5012", "the chat is not subscribed any more")]


# -- time -------------------------------------------------------------------------------------------------


def test_after_a_day_of_failures_it_is_given_up(two):
    """The day goes on over restarts: what has failed for 23 hours is tried on, for 25 it is dead."""
    young, old = two.enterprise("1020"), two.enterprise("1021")
    two.sandbox("faults", service="telegram", status=500, times=-1)
    Told(two, young).add()
    Told(two, old).add()
    wait_until(lambda: all(row["failing_since"] for row in rows(two, young) + rows(two, old))
               and rows(two, young) and rows(two, old), 10, "both have failed")
    two.stop("dispatcher")
    for enterprise, hours in ((young, 23), (old, 25)):
        two.sql("UPDATE outbox SET failing_since = now() - make_interval(hours => %s), next_at = now()"
                " WHERE enterprise_number = %s", [hours, enterprise["number"]])
    restarted(two)
    dead = wait_until(lambda: [r for r in rows(two, old) if r["state"] == "dead"], 20, "given up")[0]
    assert "Internal Server Error" in dead["last_error"]
    assert two.services["dispatcher"].metric("callweave_outbox_dead_total") == 1
    two.clear_faults()
    told(two, young["chat_id"], timeout=90)
    assert two.messages(old["chat_id"]) == []


def test_a_success_ends_the_row_of_failures(two):
    enterprise = two.enterprise("1022")
    two.sandbox("faults", service="telegram", status=500, times=1)
    call = Told(two, enterprise).until(RINGS)
    two.wait_quiet()
    assert [row["failing_since"] for row in rows(two, enterprise)] == [None]
    call.until(OVER)


def test_finished_deliveries_are_deleted_after_their_week(two):
    enterprises = [two.enterprise(f"103{index}") for index in range(3)]
    for enterprise in enterprises:
        Told(two, enterprise).until(OVER)
    two.wait_quiet()
    two.stop("dispatcher")
    week, young, dead = enterprises
    for enterprise, days, state in ((week, 8, "sent"), (young, 6, "sent"), (dead, 91, "dead")):
        number = enterprise["number"]
        two.sql("UPDATE outbox SET updated_at = now() - make_interval(days => %s), state = %s"
                " WHERE enterprise_number = %s", [days, state, number])
        two.sql("UPDATE delivery_log SET at = at - make_interval(days => %s) WHERE enterprise_number = %s", [days, number])
    restarted(two)

    def left(table):
        return {row["enterprise_number"] for row in two.sql(f"SELECT DISTINCT enterprise_number FROM {table}")}
    for table in ("outbox", "telegram_messages", "delivery_log"):
        wait_until(lambda: left(table) == {"1031"}, 20, lambda: f"{table}: {left(table)}")
    assert len(two.sql("SELECT 1 FROM calls")) == 3, "calls themselves stay"


def test_many_old_rows_go_in_pieces(two):
    two.stop("dispatcher")
    two.sql("INSERT INTO delivery_log (call_id, at, destination, what, enterprise_number, version, outcome)"
            " SELECT n, now() - interval '8 days', 'telegram:1', 'send', '1', 1, 'done' FROM generate_series(1, 3500) n")
    two.sql("INSERT INTO outbox (shard, enterprise_number, call_id, destination, version, final, payload, state, updated_at)"
            " SELECT 0, '1', n, 'telegram:1', 1, true, '{}', 'sent', now() - interval '8 days'"
            " FROM generate_series(1, 2500) n")
    restarted(two)
    for table in ("outbox", "delivery_log"):
        wait_until(lambda: two.sql(f"SELECT count(*) AS n FROM {table}")[0]["n"] == 0, 30, f"{table} is empty")


def test_days_of_raw_events_are_dropped_when_they_are_too_old(two):
    two.stop("dispatcher")
    for days in (91, 100, 89):
        two.sql("DO $$ DECLARE day date := (now() AT TIME ZONE 'UTC')::date - %d; BEGIN EXECUTE format('CREATE TABLE %%I"
                " PARTITION OF call_events FOR VALUES FROM (%%L) TO (%%L)', 'call_events_' || to_char(day, 'YYYYMMDD'),"
                " day::text || ' 00:00+00', (day + 1)::text || ' 00:00+00'); END $$" % days)
    restarted(two)
    kept = ("SELECT right(relname, 8) AS day FROM pg_class WHERE relkind = 'r' AND relname ~ '^call_events_[0-9]{8}$'"
            " AND to_date(right(relname, 8), 'YYYYMMDD') < (now() AT TIME ZONE 'UTC')::date - 7")
    newest = two.sql("SELECT to_char((now() AT TIME ZONE 'UTC')::date - 89, 'YYYYMMDD') AS day")
    wait_until(lambda: two.sql(kept) == newest, 20, lambda: two.sql(kept))


# -- counting ---------------------------------------------------------------------------------------------


def test_a_state_that_is_held_back_counts_once(make_stack):
    """Twenty looks at one edit that has to wait are one edit that had to wait."""
    stack = make_stack(services=("sandbox", "dispatcher"),
                       settings={"CALLWEAVE_DISPATCHER_CHAT_BURST": "3"}).start_all()
    enterprise = stack.enterprise("1040")
    log = Log(stack, enterprise)
    calls = [Told(stack, enterprise, log=log) for _ in range(2)]
    for call in calls:
        call.add(1)
    wait_until(lambda: len(calls[0].standing()) == 2, 10, "both are shown")
    for count in (RINGS, TALKS):
        for call in calls:
            call.add(count)
            time.sleep(0.15)  # each wakes the chat's courier, which looks again
    for call in calls:
        call.add()
    told(stack, enterprise["chat_id"], 2)
    held = stack.services["dispatcher"].metric("callweave_telegram_degraded_total")
    assert 1 <= held <= 4, "at most two states of two calls can have been held back"


# -- what nobody knows ------------------------------------------------------------------------------------


def test_a_call_without_an_extension_goes_to_the_one_that_was_chosen(two):
    enterprise = two.enterprise("1050", settings=settings(fallback_extension="150"))
    log = Log(two, enterprise)
    instance = log.instance("2-4/emulator")
    for event, _, body in instance.events:
        if event in ("start", "hangup"):
            log.add(event, {**body, **({"Extensions": []} if event == "hangup" else {})})
    two.wait_quiet()
    wait_until(lambda: two.sql("SELECT main_extension FROM calls")[0]["main_extension"] == "150", 10,
               lambda: two.sql("SELECT * FROM calls"))


# -- an older database ------------------------------------------------------------------------------------


def test_with_an_older_schema_it_waits_and_touches_nothing(make_stack, tmp_path):
    stack = make_stack(services=("sandbox", "dispatcher"))
    folder = tmp_path / "old"
    folder.mkdir()
    shutil.copy(sorted((ROOT / "migrations").glob("0001_*.sql"))[0], folder)
    url = stack.postgres.database("older")
    migrate = [str(ROOT / "scripts" / "migrate")]
    subprocess.run(migrate, env={**os.environ, "DATABASE_URL": url, "CALLWEAVE_MIGRATIONS": str(folder)}, check=True,
                   capture_output=True)
    dispatcher = stack.services["dispatcher"]
    dispatcher.settings["DATABASE_URL"] = url
    stack.start("sandbox")
    stack.start("dispatcher", wait=False)

    def answer():
        try:
            return requests.get(dispatcher.url + "/readyz?verbose", timeout=2).text
        except requests.RequestException:
            return ""
    wait_until(lambda: "schema is 1, needs " in answer(), 20, answer)
    assert Postgres.sql(url, "SELECT count(*) AS n FROM fold_cursors WHERE owner IS NOT NULL")[0]["n"] == 0
    assert Postgres.sql(url, "SELECT count(*) AS n FROM dispatchers")[0]["n"] == 0
    subprocess.run(migrate, env={**os.environ, "DATABASE_URL": url}, check=True, capture_output=True)
    dispatcher.wait_ready()
    assert dispatcher.stop() == 0


def test_it_ends_at_once_while_it_waits_for_a_schema(make_stack):
    stack = make_stack(services=("sandbox", "dispatcher"))
    dispatcher = stack.services["dispatcher"]
    dispatcher.settings["DATABASE_URL"] = stack.postgres.database("empty")
    stack.start("dispatcher", wait=False)
    wait_until(lambda: "schema is 0" in dispatcher.text(), 20, dispatcher.tail)
    began = time.monotonic()
    assert dispatcher.stop() == 0
    assert time.monotonic() - began < 5
