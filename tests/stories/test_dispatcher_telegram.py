"""What the dispatcher makes of everything that Telegram can answer, and of no answer."""
import time

import pytest

from eventlog import Log, told, unknown_sends
from telling import killed_at_any_moment
from waiting import wait_until

QUICK = {"CALLWEAVE_DISPATCHER_SEND_TIMEOUT_MS": "700"}


@pytest.fixture
def two(make_stack):
    """Sandbox and a dispatcher that waits 0.7 s for an answer of Telegram."""
    return make_stack(services=("sandbox", "dispatcher"), settings=QUICK).start_all()


def requests_of(stack, method):
    answer = stack.session().get(f"{stack.url('sandbox')}/_sandbox/requests", params={"service": "telegram"}, timeout=10)
    return [row for row in answer.json() if method in row["path"]]


def begin(stack, number, **columns):
    """A tenant with a call that is shown as going on; gives tenant, log and the events that are left."""
    enterprise = stack.enterprise(number, **columns)
    log = Log(stack, enterprise)
    instance = log.instance("2-3/emulator")
    for event, _, body in instance.events[:-1]:
        log.add(event, body)
    wait_until(lambda: stack.messages(enterprise["chat_id"]), 10, "the call is shown")
    stack.wait_quiet()
    return enterprise, log, instance.events[-1:]


def finish(log, events):
    for event, _, body in events:
        log.add(event, body)


def outbox(stack, enterprise):
    rows = stack.sql("SELECT * FROM outbox WHERE enterprise_number = %s", [enterprise["number"]])
    assert len(rows) <= 1, rows
    return rows[0] if rows else {"state": None, "final": None}


# -- answers --------------------------------------------------------------------------------------------


def test_a_429_pauses_its_chat_and_no_other(two):
    slow, other = two.enterprise("1001"), two.enterprise("1002")
    two.sandbox("faults", service="telegram", chat_id=slow["chat_id"], status=429, retry_after=3, times=1)
    began = time.monotonic()
    Log(two, slow).play("1-1/emulator")
    Log(two, other).play("1-1/emulator")
    told(two, other["chat_id"])
    assert time.monotonic() - began < 2.5
    told(two, slow["chat_id"])
    assert time.monotonic() - began > 3
    assert len([row for row in requests_of(two, "sendMessage") if row["status"] == 429]) == 1


def test_an_edit_that_changes_nothing_is_a_success(two):
    enterprise, log, rest = begin(two, "1003")
    two.sandbox("faults", service="telegram", path="editMessageText", status=400, times=1, description=(
        "Bad Request: message is not modified: specified new message content and reply markup are exactly "
        "the same as a current content and reply markup of the message"))
    finish(log, rest)
    wait_until(lambda: outbox(two, enterprise)["final"], 10, "the end is to be told")
    wait_until(lambda: outbox(two, enterprise)["state"] == "sent", 10, "it counts as sent")


@pytest.mark.parametrize("number, state, words", [
    ("1004", "blocked", "bot was blocked by the user"),
    ("1005", "missing", "chat not found"),
])
def test_a_closed_chat_is_not_asked_again(two, number, state, words):
    """Owner and subscriber are switched off, each by itself; the other goes on."""
    enterprise = two.enterprise(number, subscribers=[-77_000_000 - int(number)])
    two.sandbox("telegram/chats", chat_id=enterprise["chat_id"], state=state)
    log = Log(two, enterprise)
    log.play("1-1/emulator")
    told(two, -77_000_000 - int(number))
    owner = "SELECT chat_disabled_at, chat_disabled_reason FROM enterprises WHERE number = %s"
    wait_until(lambda: two.sql(owner, [number])[0]["chat_disabled_at"], 10, "the owner's chat is off")
    assert words in two.sql(owner, [number])[0]["chat_disabled_reason"]
    dead = wait_until(lambda: two.sql("SELECT last_error FROM outbox WHERE state = 'dead'"), 5, "a dead delivery")
    # The row is the call's: its next state may have found the chat switched off already, and says that.
    assert len(dead) == 1
    refused = two.sql("SELECT words FROM delivery_log WHERE enterprise_number = %s AND outcome = 'chat_closed'", [number])
    assert any(words in row["words"] for row in refused), refused
    time.sleep(0.5)  # the directory follows within a second: not waited for, but given a chance
    asked = len(requests_of(two, "sendMessage"))
    log.play("1-8/emulator")
    told(two, -77_000_000 - int(number), 2)
    assert len(requests_of(two, "sendMessage")) == asked + 1


def test_a_blocked_subscriber_is_marked(two):
    enterprise = two.enterprise("1006", subscribers=[5006])
    two.sandbox("telegram/chats", chat_id=5006, state="blocked")
    Log(two, enterprise).play("1-1/emulator")
    told(two, enterprise["chat_id"])
    user = "SELECT disabled_at, disabled_reason FROM telegram_users WHERE tg_id = 5006"
    wait_until(lambda: two.sql(user)[0]["disabled_at"], 10, "the subscriber is off")
    assert "blocked" in two.sql(user)[0]["disabled_reason"]


def test_a_group_that_moved_is_followed(two):
    enterprise, log, rest = begin(two, "1007", chat_id=-4007)
    two.sandbox("telegram/chats", chat_id=-4007, state="migrated", migrate_to=-1004007)
    finish(log, rest)
    told(two, -1004007)
    assert two.sql("SELECT chat_id FROM enterprises WHERE number = '1007'")[0]["chat_id"] == -1004007
    log.play("1-1/emulator")
    told(two, -1004007, 2)


def test_a_message_that_was_deleted_is_sent_anew(two):
    enterprise, log, rest = begin(two, "1008")
    two.sandbox("faults", service="telegram", path="editMessageText", status=400, times=1,
                description="Bad Request: message to edit not found")
    finish(log, rest)
    wait_until(lambda: len(two.messages(enterprise["chat_id"])) == 2, 10, "there is a new message")
    assert two.messages(enterprise["chat_id"])[-1]["text"].startswith("✅")
    assert unknown_sends(two) == 0


def test_a_refused_token_stops_its_bot_only(two):
    bad, good = two.enterprise("1009"), two.enterprise("1010")
    two.sandbox("telegram/bots", token=bad["bot_token"], state="revoked")
    Log(two, bad).play("1-1/emulator")
    Log(two, good).play("1-1/emulator")
    told(two, good["chat_id"])
    wait_until(lambda: outbox(two, bad)["state"] == "dead", 10, "dead, with words")
    assert outbox(two, bad)["last_error"]
    assert bad["bot_token"] not in two.services["dispatcher"].text()


def test_a_rejected_message_is_dead_and_the_next_state_is_tried(two):
    two.sandbox("faults", service="telegram", path="sendMessage", status=400, times=1,
                description="Bad Request: can't parse entities: unsupported start tag")
    enterprise = two.enterprise("1011")
    log = Log(two, enterprise)
    instance = log.instance("2-3/emulator")
    log.add(*instance.events[0][::2])
    log.add(*instance.events[1][::2])
    wait_until(lambda: outbox(two, enterprise)["state"] == "dead", 10, "dead")
    assert "can't parse" in outbox(two, enterprise)["last_error"]
    finish(log, instance.events[2:])
    told(two, enterprise["chat_id"])


# -- trouble --------------------------------------------------------------------------------------------


def test_500_costs_no_message(two):
    two.sandbox("faults", service="telegram", status=500, times=4)
    enterprise = two.enterprise("1012")
    Log(two, enterprise).play("1-1/emulator")
    told(two, enterprise["chat_id"], timeout=60)
    assert unknown_sends(two) == 0


def test_an_unknown_first_message_is_followed_by_the_next_state(two):
    """It arrived, only the answer was lost: the person sees it twice at most, and that is counted."""
    two.sandbox("faults", service="telegram", path="sendMessage", drop="after", times=1)
    enterprise = two.enterprise("1013")
    log = Log(two, enterprise)
    instance = log.instance("2-3/emulator")
    finish(log, instance.events[:2])
    wait_until(lambda: unknown_sends(two) == 1, 10, "counted")
    wait_until(lambda: outbox(two, enterprise)["state"] == "unknown", 5, "marked")
    sent = len(requests_of(two, "sendMessage"))
    time.sleep(1)  # the point is that nothing happens
    assert len(requests_of(two, "sendMessage")) == sent, "it was repeated blindly"
    finish(log, instance.events[2:])
    final = wait_until(lambda: [m for m in two.messages(enterprise["chat_id"]) if m["text"].startswith("✅")], 30, "final")
    assert len(final) == 1 and len(two.messages(enterprise["chat_id"])) == 2
    assert two.services["dispatcher"].metric("callweave_telegram_unknown_total") == 1


def test_an_unknown_final_message_waits_for_getme(two):
    """The bot is silent: the call's end is sent again only after it has answered a question."""
    enterprise = two.enterprise("1014")
    two.sandbox("faults", service="telegram", drop="before", times=4)
    Log(two, enterprise).play("1-1/emulator")
    told(two, enterprise["chat_id"], timeout=60)
    rows = requests_of(two, "")
    methods = [row["path"].rsplit("/", 1)[-1] for row in rows]
    sends = [index for index, method in enumerate(methods) if method == "sendMessage"]
    asked = [row for row in rows[sends[0]:sends[1]] if "getMe" in row["path"] and row["status"] == 200]
    assert asked, methods
    assert unknown_sends(two) == 1


@pytest.mark.long
def test_nothing_at_all_for_a_minute_and_then_every_final_state(make_stack):
    stack = make_stack(services=("sandbox", "dispatcher")).start_all()
    tenants = [stack.enterprise(f"11{number:02d}") for number in range(8)]
    stack.sandbox("faults", service="telegram", delay_ms=15_000, drop="before", times=-1)
    logs = [Log(stack, tenant) for tenant in tenants]
    ends = time.monotonic() + 60
    instances = [log.instance("2-3/emulator") for log in logs]
    for index in range(len(instances[0].events)):
        for log, instance in zip(logs, instances):
            log.add(*instance.events[index][::2])
        time.sleep(50 / len(instances[0].events))
    time.sleep(max(0, ends - time.monotonic()))
    stack.clear_faults()
    for tenant in tenants:
        told(stack, tenant["chat_id"], timeout=120)
    assert stack.services["dispatcher"].metric("callweave_telegram_unknown_total") <= 3 * len(tenants)


def test_states_that_come_while_one_is_under_way_melt_into_one_edit(two):
    two.sandbox("faults", service="telegram", path="sendMessage", delay_ms=600, times=1)
    enterprise = two.enterprise("1015")
    Log(two, enterprise).play("2-12/emulator")
    told(two, enterprise["chat_id"])
    history = two.messages(enterprise["chat_id"])[0]["history"]
    assert len(history) <= 3, history


def test_final_states_come_first_when_the_limits_are_near(two):
    """Many calls in one private chat at once: within Telegram's limits, and no 429."""
    enterprise = two.enterprise("1016")
    log = Log(two, enterprise)
    for _ in range(6):
        log.play("1-8/emulator")
    told(two, enterprise["chat_id"], 6, timeout=60)
    assert two.services["dispatcher"].metric("callweave_telegram_throttled_total") == 0


@pytest.mark.long
def test_a_busy_group_stays_within_twenty_a_minute(two):
    enterprise = two.enterprise("1017", chat_id=-4017)
    log = Log(two, enterprise)
    for _ in range(25):
        log.play("1-8/emulator")
    told(two, -4017, 25, timeout=150)
    assert two.services["dispatcher"].metric("callweave_telegram_throttled_total") == 0


def test_one_silent_chat_delays_nobody(two):
    silent, other = two.enterprise("1018"), two.enterprise("1019")
    two.sandbox("faults", service="telegram", chat_id=silent["chat_id"], delay_ms=5000, drop="before", times=-1)
    Log(two, silent).play("1-1/emulator")
    began = time.monotonic()
    Log(two, other).play("1-1/emulator")
    told(two, other["chat_id"])
    assert time.monotonic() - began < 3


# -- kill -9 ------------------------------------------------------------------------------------------------


def test_kills_at_any_moment_cost_at_most_what_is_counted(two):
    two.no_limits()
    tenants = [two.enterprise(f"12{number:02d}") for number in range(20)]

    def play(tenant):
        log = Log(two, tenant)
        for name in ("1-1/emulator", "2-3/emulator", "1-8/emulator"):
            for event, _, body in log.instance(name).events:
                log.add(event, body)

    def traffic():
        for tenant in tenants:
            play(tenant)

    killed_at_any_moment(two, traffic, (0.15, 0.28, 0.41, 0.54, 0.67), least=6)
    for tenant in tenants:
        assert len(two.calls(tenant["number"])) == 3
        messages = two.messages(tenant["chat_id"])
        finals = [m for m in messages if m["text"][:1] in "✅❌"]
        counted = two.sql("SELECT sum(unknown_sends)::int AS n FROM telegram_messages WHERE enterprise_number = %s",
                          [tenant["number"]])[0]["n"]
        assert len(finals) >= 3, messages
        assert len(messages) <= 3 + counted, (messages, counted)
