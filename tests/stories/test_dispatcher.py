"""The dispatcher alone: the log is written by SQL, so that every order and every hazard can be told."""
import re
import time

import psycopg2
import pytest

import corpus
from eventlog import INSERT, SCENARIOS, Log, told, unknown_sends
from process import Process
from waiting import wait_until

EXPECTED = corpus.expected()
SIMPLE_KINDS = re.compile(r"^(1-1|1-2|1-8|1-9|1-10|2-1|2-2|2-3|2-4|2-12|3-1|3-2)/")  # no transfers, no mobiles
SIMPLE = [name for name in SCENARIOS if name in EXPECTED and SIMPLE_KINDS.match(name)]


@pytest.fixture
def two(make_stack):
    """Sandbox and dispatcher, ready."""
    return make_stack(services=("sandbox", "dispatcher")).start_all()


# -- fold ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folded(module_stack):
    """Each simple scenario of the corpus, a tenant each, written to the log and told."""
    stack = module_stack(services=("sandbox", "dispatcher"))
    stack.start("sandbox")
    stack.no_limits()
    played = {}
    for number, name in enumerate(SIMPLE):
        enterprise = stack.enterprise(f"1{number:03d}", subscribers=[-8000 - number])
        played[name] = (enterprise, Log(stack, enterprise).play(name))
    stack.start("dispatcher")
    stack.wait_quiet(30)
    return stack, played


@pytest.mark.parametrize("name", SIMPLE)
def test_a_scenario_gives_exactly_its_calls(folded, name):
    stack, played = folded
    enterprise, instance = played[name]
    wanted = instance.expects(EXPECTED[name])["calls"]
    reports = stack.calls(enterprise["number"])
    assert len(reports) == len(wanted), reports
    assert [corpus.differences(*pair) for pair in zip(wanted, reports)] == [[]] * len(wanted)


@pytest.mark.parametrize("name", SIMPLE)
def test_owner_and_subscriber_have_one_final_message(folded, name):
    stack, played = folded
    enterprise, _ = played[name]
    for chat in (enterprise["chat_id"], -8000 - SIMPLE.index(name)):
        told(stack, chat, EXPECTED[name]["final_messages_per_chat"])


def test_the_log_of_a_call_says_why(folded):
    stack, played = folded
    number = played["2-3/emulator"][0]["number"]
    row = stack.sql("SELECT trace, trace_id, uuid_token FROM calls WHERE enterprise_id = %s", [number])[0]
    assert row["trace_id"] == "trace-of-the-story"
    assert all(reason["why"] for reason in row["trace"]) and len(row["trace"]) > 1


# -- the order of the log -------------------------------------------------------------------------


def test_an_event_that_commits_late_is_neither_lost_nor_overtaken(two):
    """A transaction takes its ids first and commits last: nothing newer is folded before it."""
    enterprise = two.enterprise("2001")
    other = two.enterprise("2002")
    log, late = Log(two, enterprise), Log(two, other)
    instance = late.instance("2-3/emulator")
    holder = psycopg2.connect(two.database_url)
    with holder.cursor() as cursor:
        for event, _, body in instance.events[:2]:
            cursor.execute(INSERT, late.row(event, body))
    log.play("1-1/emulator")
    dispatcher = two.services["dispatcher"]
    wait_until(lambda: dispatcher.metric("callweave_fold_horizon_held_seconds") > 0.5, 10, "the horizon is held back")
    assert two.calls("2001") == [], "an event above the horizon was folded"
    holder.commit()
    holder.close()
    for event, _, body in instance.events[2:]:
        late.add(event, body)
    told(two, enterprise["chat_id"])
    told(two, other["chat_id"])
    wanted = instance.expects(EXPECTED["2-3/emulator"])["calls"]
    assert corpus.differences(wanted[0], two.calls("2002")[0]) == []


def test_transactions_are_numbers_and_not_texts(make_stack):
    """Transaction 100 comes after 99: also a planner that would rather sort must not sort letters."""
    stack = make_stack(services=("sandbox", "dispatcher"))
    enterprise = stack.enterprise("2007")
    log = Log(stack, enterprise)
    instance = log.instance("2-3/emulator")
    for index, (event, _, body) in enumerate(instance.events):
        stack.sql(INSERT.replace("(shard,", "(tx, shard,").replace("VALUES (", "VALUES (%s::xid8, "),
                  [str(95 + index), *log.row(event, body)])
    stack.start_all()
    told(stack, enterprise["chat_id"])
    wanted = instance.expects(EXPECTED["2-3/emulator"])["calls"]
    assert corpus.differences(wanted[0], stack.calls("2007")[0]) == []


def test_who_holds_the_log_back_is_named(two):
    enterprise = two.enterprise("2003")
    holder = psycopg2.connect(two.database_url, application_name="a-forgotten-console")
    with holder.cursor() as cursor:
        cursor.execute("CREATE TABLE forgotten ()")
    Log(two, enterprise).play("1-1/emulator")
    dispatcher = two.services["dispatcher"]
    wait_until(lambda: "a-forgotten-console" in dispatcher.text(), 15, dispatcher.tail)
    holder.rollback()
    holder.close()
    told(two, enterprise["chat_id"])


def test_what_cannot_be_read_is_skipped_and_said(two):
    enterprise = two.enterprise("2004")
    log = Log(two, enterprise)
    log.add("dial", {"UniqueId": "1.1", "Extensions": 7})
    log.add("no_such_event", {"UniqueId": "1.2"})
    log.play("1-1/emulator")
    told(two, enterprise["chat_id"])
    dispatcher = two.services["dispatcher"]
    assert dispatcher.metric("callweave_events_skipped_total") == 2
    assert "is skipped: Extensions" in dispatcher.text()


def test_what_cannot_be_stored_does_not_stop_the_others(two):
    """PostgreSQL refuses one tenant's calls: they are passed over, the next tenant's are told."""
    two.sql("ALTER TABLE calls ADD CONSTRAINT never CHECK (enterprise_id <> '2005')")
    bad, good = two.enterprise("2005"), two.enterprise("2006")
    Log(two, bad).add("start", {"UniqueId": "1.1", "Phone": "375290000001", "CallType": 0, "Trunk": "0001363"})
    Log(two, good).play("1-1/emulator")
    told(two, good["chat_id"])
    assert two.calls("2005") == []
    assert "cannot be stored" in two.services["dispatcher"].text()


@pytest.mark.parametrize("number, name", [("2101", "1-3/emulator"), ("2102", "2-18/raw"), ("2103", "2-30/emulator")])
def test_a_consultation_that_turns_out_to_be_part_of_a_call_leaves_one_message(two, number, name):
    """Each state is told before the next event comes, so nothing can hide by melting into the next."""
    two.no_limits()
    enterprise = two.enterprise(number)
    log = Log(two, enterprise)
    for event, _, body in log.instance(name).events:
        log.add(event, body)
        two.wait_quiet()
    told(two, enterprise["chat_id"], 1)
    assert len(two.calls(number)) == 1


def test_a_call_that_was_merged_into_another_takes_its_message_back(two):
    """An incoming talk and an internal one, both shown, meet in one bridge: they were one call."""
    enterprise = two.enterprise("2104")
    log = Log(two, enterprise)
    incoming, internal = log.instance("2-3/emulator"), log.instance("3-1/emulator")
    for event, _, body in incoming.events[:6] + internal.events[:3]:
        log.add(event, body)
    wait_until(lambda: len(two.messages(enterprise["chat_id"])) == 2, 10, "both talks are shown")
    bridges = [[body for event, _, body in call.events if event == "bridge"][0] for call in (incoming, internal)]
    log.add("bridge", {**bridges[0], "BridgeUniqueid": bridges[1]["BridgeUniqueid"]})
    wait_until(lambda: len(two.messages(enterprise["chat_id"])) == 1, 10, "one message is left")
    assert "входящий" in two.messages(enterprise["chat_id"])[0]["text"]
    assert len(two.calls("2104")) == 1
    two.wait_quiet()


def test_more_live_messages_than_fit_into_memory(make_stack):
    """Telegram is slow, memory is full: the rest waits in the table and is told, too."""
    stack = make_stack(services=("sandbox", "dispatcher"), settings={"CALLWEAVE_DISPATCHER_MAX_DELIVERIES": "100"})
    stack.start_all()
    stack.no_limits()
    tenants = [stack.enterprise(f"7{number:03d}") for number in range(160)]
    stack.sandbox("faults", service="telegram", delay_ms=1500, times=120)
    for tenant in tenants:
        Log(stack, tenant).play("1-8/emulator")
    for tenant in tenants:
        told(stack, tenant["chat_id"])
    dispatcher = stack.services["dispatcher"]
    wait_until(lambda: dispatcher.metric("callweave_outbox_depth") == 0, 15, "nothing is left")
    assert unknown_sends(stack) == 0


# -- several instances ------------------------------------------------------------------------------


@pytest.fixture
def second(two):
    """One more dispatcher beside the stack's own."""
    folder = two.folder / "second"
    folder.mkdir()
    process = Process("dispatcher", folder, two.services["dispatcher"].settings)
    process.start()
    yield process
    assert process.stop() in (0, -9)
    assert process.report() is None


def owners(stack):
    rows = stack.sql("SELECT owner, count(*) AS shards FROM fold_cursors WHERE owner IS NOT NULL GROUP BY owner")
    return sorted(row["shards"] for row in rows)


def test_two_instances_share_and_one_goes_on_alone_after_a_kill(two, second):
    wait_until(lambda: owners(two) == [32, 32], 10, lambda: f"half each: {owners(two)}")
    tenants = [two.enterprise(f"3{number:03d}") for number in range(12)]
    logs = [Log(two, tenant) for tenant in tenants]
    instances = [log.instance("2-3/emulator") for log in logs]
    for log, instance in zip(logs, instances):
        for event, _, body in instance.events[:-2]:
            log.add(event, body)
    wait_until(lambda: len(two.sql("SELECT id FROM calls")) == 12, 10, "every call has begun")
    wait_until(lambda: len(two.sql("SELECT id FROM outbox WHERE state <> 'sent'")) == 0, 20, "all told so far")
    second.kill9()
    for log, instance in zip(logs, instances):
        for event, _, body in instance.events[-2:]:
            log.add(event, body)
    for tenant in tenants:
        told(two, tenant["chat_id"])
    assert owners(two) == [64]
    for tenant, instance in zip(tenants, instances):
        wanted = instance.expects(EXPECTED["2-3/emulator"])["calls"]
        assert corpus.differences(wanted[0], two.calls(tenant["number"])[0]) == []


def test_a_drain_gives_all_shards_back_at_once(two):
    assert owners(two) == [64]
    assert two.stop("dispatcher") == 0
    assert owners(two) == []
    assert two.sql("SELECT * FROM dispatchers") == []


def test_a_sleeper_that_lost_its_lease_writes_nothing(two, second):
    """SIGSTOP for longer than the lease: the other takes over; the sleeper's shards are not touched twice."""
    wait_until(lambda: owners(two) == [32, 32], 10, "half each")
    tenants = [two.enterprise(f"4{number:03d}") for number in range(8)]
    second.child.send_signal(19)
    wait_until(lambda: owners(two) == [64], 20, lambda: f"all shards are taken: {owners(two)}")
    for tenant in tenants:
        Log(two, tenant).play("1-1/emulator")
    for tenant in tenants:
        told(two, tenant["chat_id"])
    second.child.send_signal(18)
    wait_until(lambda: owners(two) == [32, 32], 20, lambda: f"half each again: {owners(two)}")
    for tenant in tenants:
        Log(two, tenant).play("1-8/emulator")
    for tenant in tenants:
        told(two, tenant["chat_id"], 2)
        assert len(two.calls(tenant["number"])) == 2


# -- without its neighbours -------------------------------------------------------------------------


def test_without_redis_an_event_takes_about_a_second(two):
    enterprise = two.enterprise("5001")
    two.redis.halt()
    began = time.monotonic()
    Log(two, enterprise).play("1-1/emulator")
    told(two, enterprise["chat_id"])
    assert time.monotonic() - began < 5


def test_a_restart_of_postgresql_in_the_middle_of_a_call(make_stack):
    stack = make_stack(services=("sandbox", "dispatcher"), own_postgres=True).start_all()
    enterprise = stack.enterprise("5002")
    log = Log(stack, enterprise)
    instance = log.instance("2-3/emulator")
    for event, _, body in instance.events[:3]:
        log.add(event, body)
    wait_until(lambda: stack.messages(enterprise["chat_id"]), 10, "the call is shown")
    stack.kill_pg()
    stack.start_pg()
    for event, _, body in instance.events[3:]:
        log.add(event, body)
    told(stack, enterprise["chat_id"])
    stack.services["dispatcher"].wait_ready()


def test_a_call_on_hold_for_minutes_goes_on_with_the_next_owner(make_stack):
    """All leave for longer than any grace, the call is told as over, its owner dies; then they are back and hang up."""
    stack = make_stack(services=("sandbox", "dispatcher")).start_all()
    enterprise = stack.enterprise("5004")
    log, uid, phone = Log(stack, enterprise), "1795297244.5472", "375332511622"
    ours, theirs = ({"UniqueId": "1795297249.5481", "Channel": "SIP/203-000000ad", "CallerIDNum": "203", "ConnectedLineNum": phone},
                    {"UniqueId": uid, "Channel": "SIP/0001803-000000ac", "CallerIDNum": phone, "ConnectedLineNum": "203"})
    side = {"Phone": phone, "Trunk": "0001803", "CallType": 0, "UniqueId": uid}

    def bridged(name, what="bridge"):
        return [(what, {**leg, "BridgeUniqueid": name}) for leg in (theirs, ours)]
    events = [("start", side), ("dial", {**side, "Extensions": ["203"]}), *bridged("one"), *bridged("one", "bridge_leave")]
    for number, (event, body) in enumerate(events):
        stack.sql(INSERT.replace("now()", f"now() - interval '{400 - number} seconds'"), log.row(event, body))
    told(stack, enterprise["chat_id"])
    stack.sql("UPDATE fold_calls SET forget_at = now() - interval '1 second'")
    stack.sql("SELECT fold_forget(1000)")
    assert stack.sql("SELECT (SELECT count(*) FROM fold_calls) AS live, (SELECT count(*) FROM fold_kept) AS kept") == [
        {"live": 0, "kept": 1}]
    stack.kill9("dispatcher")
    stack.start("dispatcher")
    for event, body in bridged("two"):
        log.add(event, body)
    wait_until(lambda: stack.sql("SELECT state FROM calls") == [{"state": "talking"}], 10,
               lambda: stack.sql("SELECT id, state, unique_ids FROM calls"))
    log.add("hangup", {**side, "CallStatus": 2, "Extensions": ["203"]})
    wait_until(lambda: stack.sql("SELECT state, talkers, call_status FROM calls") == [
        {"state": "ended", "talkers": ["203"], "call_status": "2"}], 10, lambda: stack.sql("SELECT * FROM calls"))
    told(stack, enterprise["chat_id"])


def test_a_directory_change_takes_effect_within_a_second(two):
    enterprise = two.enterprise("5003")
    log = Log(two, enterprise)
    log.play("1-1/emulator")
    told(two, enterprise["chat_id"])
    loads = two.services["dispatcher"].text().count("directory: ")
    two.sql("UPDATE enterprises SET locale = 'en', chat_id = 4242 WHERE number = '5003'")
    wait_until(lambda: two.services["dispatcher"].text().count("directory: ") > loads, 1.5, "the directory is read again")
    log.play("1-1/emulator")
    told(two, 4242)


def test_the_memory_of_ended_calls_goes(make_stack):
    stack = make_stack(services=("sandbox", "dispatcher"), settings={"CALLWEAVE_DISPATCHER_LINGER_SECONDS": "10"})
    stack.start_all()
    enterprise = stack.enterprise("5004")
    Log(stack, enterprise).play("1-1/emulator")
    told(stack, enterprise["chat_id"])
    assert stack.sql("SELECT count(*) FROM fold_calls")[0]["count"] == 1
    wait_until(lambda: stack.sql("SELECT count(*) FROM fold_calls")[0]["count"] == 0, 40, "it is forgotten")
    dispatcher = stack.services["dispatcher"]
    wait_until(lambda: dispatcher.metric("callweave_calls_remembered") == 0, 20, "also in memory")
    assert dispatcher.metric("callweave_live_messages") == 0
