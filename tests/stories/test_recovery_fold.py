"""Events that come afterwards: what was lost on the way is folded again at its own time, and told once."""
import os
import random
import re
import subprocess
import time
from collections import Counter

import psycopg2
import pytest

import corpus
import pbx_day
from waiting import wait_until

CALLS = 400
LOST = 0.03
LINGER = {"CALLWEAVE_DISPATCHER_LINGER_SECONDS": "10", "CALLWEAVE_DISPATCHER_MAX_LINGERING": "100000",
          "CALLWEAVE_DISPATCHER_CHAT_BURST": "1000", "CALLWEAVE_DISPATCHER_BOT_PER_SECOND": "10000"}
REPORT = ("direction", "answered", "external", "caller", "callee", "talkers", "rang", "line", "transfers", "state",
          "started_at", "answered_at", "ended_at", "ring_seconds", "talk_seconds", "unique_ids")


def report(stack, tenant):
    """The tenant's calls as people see them, without where they come from."""
    rows = stack.sql("SELECT * FROM call_report WHERE enterprise = %s", [tenant])
    return sorted(repr({field: row[field] for field in REPORT}) for row in rows)


def rebuild(stack, *options):
    return subprocess.run([pbx_day.BIN / "callweave-rebuild", "--linger", "10", "--quiet", *options], check=True, text=True,
                          stdout=subprocess.PIPE, env={**os.environ, "DATABASE_URL": stack.database_url}).stdout


def wait_forgotten(stack, timeout=60):
    """Until no call of the past is open; what lingers is forgotten at once, not after the linger."""
    stack.wait_quiet(timeout)

    def open_calls():
        return stack.sql("SELECT * FROM fold_calls WHERE forget_at IS NULL LIMIT 3")
    wait_until(lambda: not open_calls(), timeout, lambda: f"no call is open: {open_calls()}")
    stack.sql("DELETE FROM fold_calls")


def wait_refolded(stack, timeout=60):
    def requests():
        return stack.sql("SELECT id, state, attempts, last_error, result FROM refold_requests ORDER BY id")
    wait_until(lambda: all(row["state"] in ("done", "failed") for row in requests()), timeout,
               lambda: f"every request has ended: {requests()}\n" + stack.services["dispatcher"].tail(10))
    return requests()


def lose(rows, seed):
    """Three events of a hundred, and all calls of some people: (what came, what was lost)."""
    dice = random.Random(seed)
    phones = sorted({body["Phone"] for _t, event, body in rows if event == "start"})
    whole = set(dice.sample(phones, max(2, len(phones) // 50)))
    came, lost = [], []
    for row in rows:
        gone = dice.random() < LOST or whole & {row[2].get(name) for name in ("Phone", "CallerIDNum", "ConnectedLineNum")}
        (lost if gone else came).append(row)
    assert {"start", "dial", "bridge", "hangup"} <= {event for _t, event, _body in lost}
    return came, lost


def generated():
    return pbx_day.events(CALLS, 11, "--start", int(time.time() - 8 * 3600) * 1000, "--rate", 10)


def captured():
    """The whole corpus, one call after another."""
    rows, at_ms = [], int(time.time() - 8 * 3600) * 1000
    for number, (name, events) in enumerate(sorted(corpus.scenarios().items()), 1):
        instance = corpus.Instance(name, events, "token", number)
        for event, delay, body in instance.events:
            at_ms += 1 + (corpus.DEFAULT_DELAY_MS if delay is None else delay)
            rows.append((at_ms, event, body))
        at_ms += 120_000
    return rows


@pytest.fixture(scope="module", params=[generated, captured])
def day(request, module_stack):
    """One day twice: of one tenant all of it came, of the other 3 % were lost and came afterwards."""
    stack = module_stack(services=("sandbox", "dispatcher"), settings=LINGER).start_all()
    stack.no_limits()
    whole = stack.enterprise("0367", chat_id=None)
    torn = stack.enterprise("0368")
    rows = request.param()
    came, lost = lose(rows, 12)
    pbx_day.insert(stack.database_url, whole["number"], rows)
    pbx_day.insert(stack.database_url, torn["number"], came)
    wait_forgotten(stack)
    stack.before = report(stack, torn["number"])
    stack.told_before = stack.messages(torn["chat_id"])
    pbx_day.recover(stack.database_url, torn["number"], lost)
    stack.request = wait_refolded(stack)[0]
    stack.wait_quiet()
    stack.torn = torn
    return stack


def test_the_report_is_that_of_the_whole_day(day):
    expected, found = report(day, "0367"), report(day, "0368")
    assert day.before != expected, "the lost events would not have been missed: the story proves nothing"
    differing = list((Counter(expected) - Counter(found)).elements()), list((Counter(found) - Counter(expected)).elements())
    assert found == expected, f"missing:\n{differing[0][:3]}\ntoo much:\n{differing[1][:3]}"
    assert day.request["state"] == "done" and day.request["result"]["new"] > 0


def test_folding_again_is_folding_live(day):
    """The live fold and the refold agree on every call of both tenants."""
    out = rebuild(day, "--dry-run")
    assert re.search(r" 0 new, 0 changed, 0 gone", out), out


def test_only_calls_that_nobody_knew_come_from_recovery(day):
    sources = {row["source"]: row["count"] for row in day.sql(
        "SELECT source, count(*) FROM call_report WHERE enterprise = '0368' GROUP BY 1")}
    assert sources["recovery"] > 0 and sources["live"] > sources["recovery"]
    assert set(sources) == {"live", "recovery"}
    assert day.sql("SELECT count(*) FROM call_report WHERE enterprise = '0367' AND source <> 'live'")[0]["count"] == 0


def test_a_recovered_call_is_told_once_and_marked(day):
    messages = day.messages(day.torn["chat_id"])
    marked = [message for message in messages if "🔄" in message["text"]]
    shown = day.sql("""SELECT c.id, c.data_source, m.message_id FROM calls c JOIN telegram_messages m ON m.call_id = c.id
                       WHERE c.enterprise_id = '0368' AND m.message_id IS NOT NULL""")
    recovered = {row["message_id"] for row in shown if row["data_source"] == "recovery"}
    assert recovered and {message["message_id"] for message in marked} == recovered
    assert len({row["id"] for row in shown}) == len(shown), "a call has two messages"
    assert len(messages) == len(shown), "a message stands that belongs to no call"


def test_a_message_that_stood_is_mended_in_its_place(day):
    before = {message["message_id"]: message["text"] for message in day.told_before}
    now = {message["message_id"]: message["text"] for message in day.messages(day.torn["chat_id"])}
    changed = day.sql("""SELECT m.message_id FROM calls c JOIN telegram_messages m ON m.call_id = c.id
                         WHERE c.enterprise_id = '0368' AND c.data_source = 'live' AND c.trace::text LIKE '%%recovery upload 1%%'
                         """.replace("%%", "%"))
    mended = [row["message_id"] for row in changed if before.get(row["message_id"]) != now.get(row["message_id"])]
    assert mended, "no message was mended"
    assert not any("🔄" in now[one] for one in mended if one in now)


def test_customers_count_what_the_report_says(day):
    wrong = day.sql("""
        SELECT k.enterprise_number, k.phone_e164, k.calls_total_in, k.calls_answered_in, k.calls_total_out, c.*
        FROM customers k JOIN (SELECT enterprise, external, count(*) FILTER (WHERE direction = 'incoming') AS total_in,
                count(*) FILTER (WHERE direction = 'incoming' AND answered) AS answered_in,
                count(*) FILTER (WHERE direction = 'outgoing') AS total_out
            FROM call_report WHERE direction IN ('incoming', 'outgoing') GROUP BY 1, 2) AS c
            ON c.enterprise = k.enterprise_number AND c.external = k.phone_e164
        WHERE (k.calls_total_in, k.calls_answered_in, k.calls_total_out) IS DISTINCT FROM
            (c.total_in, c.answered_in, c.total_out)""")
    assert not wrong, wrong[:5]


def test_the_same_request_again_changes_nothing(day):
    before = day.sql("SELECT * FROM calls ORDER BY id")
    told = day.messages(day.torn["chat_id"], deleted=True)
    day.sql("""INSERT INTO refold_requests (enterprise_number, shard, from_at, to_at, reason)
               SELECT enterprise_number, shard, from_at, to_at, 'again' FROM refold_requests WHERE id = 1""")
    again = wait_refolded(day)[-1]
    assert (again["state"], again["result"]["new"], again["result"]["changed"], again["result"]["gone"]) == ("done", 0, 0, 0)
    assert day.sql("SELECT * FROM calls ORDER BY id") == before
    assert day.messages(day.torn["chat_id"], deleted=True) == told


# -- one call at a time -------------------------------------------------------------------------------------


def play(stack, tenant, name, number=1, without=()):
    """Post a call of the corpus, but some of its events: gives those."""
    instance = corpus.Instance(name, corpus.scenarios()[name], tenant["name2"], number)
    missing = []
    for event, _delay, body in instance.events:
        if event in without:
            missing.append((int(time.time() * 1000), event, body))
        else:
            assert stack.post(event, body).status_code == 200
    return missing


def test_an_open_call_ends_when_its_hangup_comes(make_stack):
    """The hangup was lost: the call seems to go on, until the recovery brings it."""
    stack = make_stack(services=("sandbox", "ingest", "dispatcher"), settings=LINGER).start_all()
    tenant = stack.enterprise()
    missing = play(stack, tenant, "2-1/emulator", without=("hangup", "bridge_leave", "bridge_destroy"))
    stack.wait_quiet()
    assert [call["state"] for call in stack.calls(tenant["number"])] == ["talking"]
    pbx_day.recover(stack.database_url, tenant["number"], missing)
    wait_until(lambda: stack.calls(tenant["number"])[0]["state"] == "ended", 10, "the call has ended")
    stack.wait_quiet()
    message, = stack.messages(tenant["chat_id"])
    assert message["text"].startswith("✅") and "🔄" not in message["text"]
    assert wait_refolded(stack)[0]["result"]["new"] == 0
    assert [call["source"] for call in stack.calls(tenant["number"])] == ["live"]
    assert len(stack.messages(tenant["chat_id"])) == 1


def test_a_call_that_goes_on_is_folded_again_when_it_is_over(make_stack):
    """Its dial was lost. While it goes on the live fold alone may touch it."""
    stack = make_stack(services=("sandbox", "ingest", "dispatcher"), settings=LINGER).start_all()
    tenant = stack.enterprise()
    lost = play(stack, tenant, "2-1/emulator", without=("dial", "hangup"))
    stack.wait_quiet()
    dials = [row for row in lost if row[1] == "dial"]
    first = stack.sql("SELECT min(event_timestamp) AS at FROM call_events")[0]["at"].timestamp() * 1000
    pbx_day.recover(stack.database_url, tenant["number"], [(int(first) + 1, event, body) for _t, event, body in dials])
    wait_until(lambda: stack.sql("SELECT result->>'waiting' AS waiting FROM refold_requests")[0]["waiting"] == "1", 20,
               "the request waits for the call")
    assert stack.calls(tenant["number"])[0]["rang"] == []
    for _t, event, body in lost:
        if event == "hangup":
            assert stack.post(event, body).status_code == 200
    wait_refolded(stack)
    stack.wait_quiet()
    call, = stack.calls(tenant["number"])
    assert call["state"] == "ended" and call["rang"] != [] and call["source"] == "live"
    assert len(stack.messages(tenant["chat_id"])) == 1


def test_an_end_that_is_noticed_late_is_stored(make_stack):
    """Nobody hung up, as far as the log knows, and the next event came long after: the call is over all the same."""
    stack = make_stack(services=("sandbox", "dispatcher"), settings=LINGER).start_all()
    tenant = stack.enterprise()
    instances = [corpus.Instance("2-1/emulator", corpus.scenarios()["2-1/emulator"], tenant["name2"], number) for number in (1, 2)]
    start_ms = int(time.time() - 3 * 3600) * 1000
    rows = [(start_ms + index * 3_600_000 + step * 100, event, body) for index, instance in enumerate(instances)
            for step, (event, _delay, body) in enumerate(instance.events) if index or event != "hangup"]
    pbx_day.insert(stack.database_url, tenant["number"], rows)
    wait_forgotten(stack)
    assert [call["state"] for call in stack.calls(tenant["number"])] == ["ended", "ended"]
    assert re.search(r" 0 new, 0 changed, 0 gone", rebuild(stack, "--dry-run"))


# -- what goes wrong ------------------------------------------------------------------------------------------


def torn_day(stack, calls=40):
    tenant = stack.enterprise("0368")
    rows = pbx_day.events(calls, 21, "--start", int(time.time() - 6 * 3600) * 1000)
    came, lost = lose(rows, 22)
    pbx_day.insert(stack.database_url, tenant["number"], came)
    wait_forgotten(stack)
    return tenant, lost


def test_a_dispatcher_that_dies_over_it_is_replaced(make_stack):
    """kill -9 while the changes are being stored: afterwards all is there, and nothing is told twice."""
    stack = make_stack(services=("sandbox", "dispatcher"), settings=LINGER).start_all()
    stack.no_limits()
    tenant, lost = torn_day(stack)
    block = psycopg2.connect(stack.database_url)
    with block.cursor() as cursor:
        cursor.execute("LOCK call_legs IN SHARE MODE")
        pbx_day.recover(stack.database_url, tenant["number"], lost)
        wait_until(lambda: stack.sql("""SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'call_legs'::regclass
            """)[0]["count"] > 0, 20, "the changes are being stored")
        stack.kill9("dispatcher")
    block.rollback()
    block.close()
    stack.start("dispatcher")
    wait_refolded(stack)
    stack.wait_quiet()
    assert re.search(r" 0 new, 0 changed, 0 gone", rebuild(stack, "--dry-run"))
    twice = [text for text, count in Counter(
        message["text"] for message in stack.messages(tenant["chat_id"])).items() if count > 1]
    unknown = stack.sql("SELECT sum(unknown_sends) AS sends FROM telegram_messages")[0]["sends"]
    assert not twice or unknown, twice


def test_a_request_that_cannot_be_done_ends_with_words(make_stack):
    stack = make_stack(services=("sandbox", "dispatcher"), settings=LINGER).start_all()
    tenant, lost = torn_day(stack, 20)
    stack.sql("ALTER FUNCTION refold_begin() RENAME TO refold_begin_gone")
    pbx_day.recover(stack.database_url, tenant["number"], lost)

    def request():
        return stack.sql("SELECT state, attempts, last_error FROM refold_requests")[0]
    wait_until(lambda: request()["last_error"] and request()["state"] == "queued", 20, "it is tried again later")
    stack.sql("UPDATE refold_requests SET attempts = 7, next_at = now()")
    wait_until(lambda: request()["state"] == "failed", 20, lambda: f"it is given up: {request()}")
    assert "refold_begin" in request()["last_error"]
    assert stack.services["dispatcher"].metric('callweave_refold_requests_total{result="failed"}') == 1
    stack.sql("ALTER FUNCTION refold_begin_gone() RENAME TO refold_begin")
    stack.sql("UPDATE refold_requests SET state = 'queued', attempts = 0, next_at = now()")
    assert wait_refolded(stack)[0]["state"] == "done"


def test_live_calls_are_told_while_a_long_day_is_folded(make_stack):
    """Twenty thousand events are folded again; meanwhile a live call gets its messages at once."""
    stack = make_stack(services=("sandbox", "ingest", "dispatcher"), settings=LINGER).start_all()
    stack.no_limits()
    busy, live = stack.enterprise("0368", chat_id=None), stack.enterprise("0367")
    rows = pbx_day.events(2500, 31, "--start", int(time.time() - 20 * 3600) * 1000)
    pbx_day.insert(stack.database_url, busy["number"], rows)
    wait_forgotten(stack, 120)
    pbx_day.recover(stack.database_url, busy["number"], rows[1000:1001] + rows[-1:])
    wait_until(lambda: stack.sql("SELECT count(*) FROM refold_requests WHERE state = 'running'")[0]["count"] == 1, 20,
               "the refold runs")
    for number in range(1, 6):
        began = time.monotonic()
        play(stack, live, "2-1/emulator", number)
        wait_until(lambda: len(stack.messages(live["chat_id"])) == number, 5, "the live call is told")  # noqa: B023
        assert time.monotonic() - began < 5
    assert wait_refolded(stack, 120)[0]["state"] == "done"
