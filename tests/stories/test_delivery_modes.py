"""How an enterprise wants its calls told: in place or replaced, aloud or silently, all of them or some, to whom."""

import pytest

from eventlog import Log, told
from telling import LINKS, OVER, RINGS, TALKS, Told, buttons, followed, killed_at_any_moment, person, settings
from waiting import wait_until

QUICK = {"CALLWEAVE_DISPATCHER_SEND_TIMEOUT_MS": "700", **LINKS}


@pytest.fixture
def two(make_stack):
    """Sandbox and a dispatcher with links, ready; Telegram does not count."""
    stack = make_stack(services=("sandbox", "dispatcher"), settings=QUICK).start_all()
    stack.no_limits()
    return stack


def requests_of(stack, method):
    answer = stack.session().get(f"{stack.url('sandbox')}/_sandbox/requests", params={"service": "telegram"}, timeout=10)
    return [row for row in answer.json() if row["path"].endswith("/" + method)]


def unknown(stack, enterprise):
    return stack.sql("SELECT coalesce(sum(unknown_sends), 0)::int AS n FROM telegram_messages WHERE enterprise_number = %s",
                     [enterprise["number"]])[0]["n"]


def times_of(message):
    """When a message came and (None: it stands) went."""
    gone = [entry["at_ms"] for entry in message["history"] if entry["op"] == "delete"]
    return message["sent_at_ms"], gone[0] if gone else None


# -- replace --------------------------------------------------------------------------------------------


def test_replace_puts_each_state_at_the_bottom_and_takes_the_old_one_away(two):
    enterprise = two.enterprise("1001", settings=settings(mode="replace"))
    call = Told(two, enterprise).until(1).until(RINGS).until(TALKS).until(OVER)
    two.wait_quiet()
    assert [message["text"][0] for message in call.standing()] == ["✅"]
    everything = call.all()
    assert [message["text"][0] for message in everything] == ["💰", "📞", "🔗", "✅"]
    for old, new in zip(everything, everything[1:]):
        assert times_of(old)[1] >= times_of(new)[0], "the chat was without the call for a moment"
    assert all(entry["op"] != "edit" for message in everything for entry in message["history"])
    row = two.sql("SELECT * FROM telegram_messages WHERE enterprise_number = '1001'")[0]
    assert row["message_id"] == everything[-1]["message_id"] and row["old_message_ids"] == []


def test_live_edits_one_message(two):
    enterprise = two.enterprise("1002", settings=settings(mode="live"))
    call = Told(two, enterprise).until(1).until(RINGS).until(TALKS).until(OVER)
    two.wait_quiet()
    assert len(call.all()) == 1


def test_a_deletion_is_tried_again(two):
    enterprise = two.enterprise("1003", settings=settings(mode="replace"))
    call = Told(two, enterprise).until(RINGS)
    two.sandbox("faults", service="telegram", path="deleteMessage", status=500, times=2)
    call.until(TALKS)
    wait_until(lambda: len(call.standing()) == 1, 20, lambda: f"one message: {call.standing()}")
    assert len(requests_of(two, "deleteMessage")) == 3


def test_what_cannot_be_deleted_is_not_asked_for_again(two):
    enterprise = two.enterprise("1004", settings=settings(mode="replace"))
    call = Told(two, enterprise).until(RINGS)
    two.sandbox("faults", service="telegram", path="deleteMessage", status=400, times=1,
                description="Bad Request: message can't be deleted")
    call.until(TALKS)
    two.wait_quiet()
    assert len(requests_of(two, "deleteMessage")) == 1
    assert len(call.standing()) == 2
    row = two.sql("SELECT old_message_ids FROM telegram_messages WHERE enterprise_number = '1004'")[0]
    assert row["old_message_ids"] == []


def test_new_states_do_not_wait_for_deletions(two):
    enterprise = two.enterprise("1005", settings=settings(mode="replace"))
    call = Told(two, enterprise).until(1)
    two.sandbox("faults", service="telegram", path="deleteMessage", status=500, times=-1)
    call.until(RINGS).until(TALKS).until(OVER)
    two.clear_faults()
    two.wait_quiet(60)
    assert [message["text"][0] for message in call.standing()] == ["✅"]


def test_what_is_too_old_to_be_deleted_is_edited(two):
    enterprise = two.enterprise("1009", settings=settings(mode="replace"))
    call = Told(two, enterprise).until(TALKS)
    two.wait_quiet()
    messages = len(call.all())
    two.stop("dispatcher")
    two.sql("UPDATE telegram_messages SET sent_at = now() - interval '48 hours'")
    two.start("dispatcher")
    call.until(OVER)
    two.wait_quiet()
    assert len(call.all()) == messages and len(call.standing()) == 1


def test_killed_while_the_replacing_message_is_under_way(two):
    """It had arrived, nobody knows: the message that is known goes on by edits, and the other is counted."""
    enterprise = two.enterprise("1006", settings=settings(mode="replace"))
    call = Told(two, enterprise).until(RINGS)
    two.wait_quiet()
    two.sandbox("faults", service="telegram", path="sendMessage", delay_ms=60_000, act_first=True, times=1)
    call.add(TALKS)
    wait_until(lambda: len(call.standing()) == 2, 10, "the new message stands beside the old one")
    two.kill9("dispatcher")
    two.clear_faults()
    two.start("dispatcher")
    call.add()
    wait_until(lambda: any(m["text"].startswith("✅") for m in call.standing()), 30, "the end is told")
    two.wait_quiet()
    assert unknown(two, enterprise) == 1
    first, doubted = call.standing()
    assert first["text"].startswith("✅") and doubted["text"].startswith("🔗")
    log = two.sql("SELECT what, outcome FROM delivery_log ORDER BY at")
    assert {"what": "send", "outcome": "unknown"} in log


def test_killed_before_the_replacing_message_has_left(two):
    enterprise = two.enterprise("1007", settings=settings(mode="replace"))
    call = Told(two, enterprise).until(RINGS)
    two.wait_quiet()
    two.sandbox("faults", service="telegram", path="sendMessage", delay_ms=60_000, times=1)
    call.add(TALKS)
    wait_until(lambda: two.sql("SELECT 1 FROM outbox WHERE state = 'sending'"), 10, "it is on its way")
    two.kill9("dispatcher")
    two.clear_faults()
    two.start("dispatcher")
    call.until(OVER)
    two.wait_quiet()
    assert [message["text"][0] for message in call.standing()] == ["✅"]
    assert unknown(two, enterprise) == 1


def test_killed_between_the_new_message_and_the_old_ones_deletion(two):
    enterprise = two.enterprise("1008", settings=settings(mode="replace"))
    call = Told(two, enterprise).until(RINGS)
    two.wait_quiet()
    two.sandbox("faults", service="telegram", path="deleteMessage", delay_ms=60_000, times=1)
    call.until(TALKS)
    old = call.standing()[0]["message_id"]
    wait_until(lambda: two.sql("SELECT 1 FROM telegram_messages WHERE old_message_ids = %s::bigint[]", [[old]]), 10, "noted")
    two.kill9("dispatcher")
    two.clear_faults()
    two.start("dispatcher")
    wait_until(lambda: len(call.standing()) == 1, 20, "the old message is gone")
    call.until(OVER)
    two.wait_quiet()
    assert [message["text"][0] for message in call.standing()] == ["✅"]
    assert unknown(two, enterprise) == 0


def test_replaced_messages_survive_kills_at_any_moment(two):
    """Of each call one message stands for good, but for those that are counted as unknown."""
    tenants = [two.enterprise(f"13{number:02d}", settings=settings(mode="replace")) for number in range(12)]

    def traffic():
        for tenant in tenants:
            for name in ("1-1/emulator", "2-3/emulator"):
                Told(two, tenant, name, logs[tenant["number"]]).add()

    logs = {tenant["number"]: Log(two, tenant) for tenant in tenants}
    killed_at_any_moment(two, traffic, (0.2, 0.37, 0.54, 0.71), least=5)
    for tenant in tenants:
        messages = two.messages(tenant["chat_id"])
        finals = [m for m in messages if m["text"][:1] in "✅❌"]
        assert len(finals) >= 2, messages
        assert len(messages) <= 2 + unknown(two, tenant), (messages, unknown(two, tenant))


# -- aloud or not -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number, mode, silent, expected", [
    ("1010", "replace", True, [True, True, True, False]),
    ("1011", "replace", False, [False, False, False, False]),
    ("1012", "live", True, [True]),
    ("1013", "live", False, [False]),
])
def test_states_before_the_last_are_silent_where_that_is_chosen(two, number, mode, silent, expected):
    enterprise = two.enterprise(number, settings=settings(mode=mode, silent=silent))
    call = Told(two, enterprise).until(1).until(RINGS).until(TALKS).until(OVER)
    assert [message["silent"] for message in call.all()] == expected


# -- which calls --------------------------------------------------------------------------------------------

SEEN = {"incoming": "2-3/emulator", "outgoing": "1-1/emulator", "internal": "3-1/emulator", "missed": "2-4/emulator"}


@pytest.mark.parametrize("number, quiet, told_of", [
    ("1020", ["incoming"], {"outgoing", "internal"}),
    ("1021", ["outgoing", "internal"], {"incoming", "missed"}),
    ("1022", ["answered"], {"missed"}),
    ("1023", ["internal", "answered"], {"missed"}),
])
def test_quiet_kinds_are_not_told(two, number, quiet, told_of):
    enterprise = two.enterprise(number, settings=settings(quiet=quiet))
    log = Log(two, enterprise)
    for name in SEEN.values():
        log.play(name)
    wait_until(lambda: len(two.calls(number)) == len(SEEN), 20, "all calls are folded")
    wait_until(lambda: all(row["state"] == "ended" for row in two.calls(number)), 20, "all calls are over")
    two.wait_quiet()
    kinds = {"incoming": "✅Успешный входящий", "outgoing": "✅Успешный исходящий",
             "internal": "✅Успешный внутренний", "missed": "❌ Мы не подняли"}
    texts = [message["text"] for message in two.messages(enterprise["chat_id"])]
    assert {kind for kind, words in kinds.items() if any(words in text for text in texts)} == told_of
    assert len(texts) == len(told_of)


def test_without_progress_only_the_end_is_told(two):
    enterprise = two.enterprise("1024", settings=settings(quiet=["progress"]))
    call = Told(two, enterprise).add(TALKS)
    wait_until(lambda: (call.row() or {}).get("state") == "talking", 10, "the call talks")
    assert call.all() == []
    call.until(OVER)
    assert [entry["op"] for entry in call.all()[0]["history"]] == ["send"]


def test_a_call_that_is_told_already_is_told_to_its_end(two):
    """The setting changes in the middle: what stands in the chat does not stay "ringing" for good."""
    enterprise = two.enterprise("1025")
    call = Told(two, enterprise).until(RINGS)
    two.sql("UPDATE enterprises SET settings = %s WHERE number = '1025'", [settings(quiet=["incoming"])])
    followed(two, enterprise)
    call.until(OVER)
    Told(two, enterprise, log=call.log).add()
    wait_until(lambda: [row["state"] for row in two.calls("1025")] == ["ended"] * 2, 20, "the second call is over")
    two.wait_quiet()
    assert len(call.all()) == 1


def test_settings_that_cannot_be_read_are_named_and_the_defaults_serve(two):
    enterprise = two.enterprise("1026", settings='{"telegram": {"mode": "shout"}}')
    call = Told(two, enterprise).until(OVER)
    assert len(call.all()) == 1
    warning = [line for line in two.services["dispatcher"].text().splitlines() if "settings of enterprise 1026" in line]
    assert warning and "mode" in warning[0]


# -- to whom ------------------------------------------------------------------------------------------------


def test_only_my_calls(two):
    enterprise = two.enterprise("1030")
    by_phone = {5031: ("151",), 5032: ("199",), 5033: ("150",)}
    for chat, extensions in by_phone.items():
        person(two, enterprise, chat, extensions)
    log = Log(two, enterprise)
    on_a_mobile = Told(two, enterprise, "2-5/emulator", log)
    mobile = on_a_mobile.instance.outside("375290000900")
    person(two, enterprise, 5034, mobile=f"8 (0{mobile[3:5]}) {mobile[5:]}")
    two.sql("INSERT INTO telegram_users (tg_id, bot_token) VALUES (5035, %s)", [enterprise["bot_token"]])
    two.sql("UPDATE telegram_users SET only_mine = true")
    followed(two, enterprise)
    call = Told(two, enterprise, log=log).until(1)
    assert call.all(5031) == [] and call.all(5033) == [], "nobody's phone has rung yet"
    call.until(RINGS, 5031).until(TALKS, 5031).until(OVER, 5033)
    two.wait_quiet()
    assert [len(call.all(chat)) for chat in (5031, 5032, 5033, 5034, 5035)] == [1, 0, 1, 0, 0]
    on_a_mobile.add()
    told(two, 5034)
    told(two, enterprise["chat_id"], 2)


def test_two_owner_chats_each_switched_off_by_itself(two):
    enterprise = two.enterprise("1040", chat_id2=5040)
    call = Told(two, enterprise).until(OVER).until(OVER, 5040)
    two.sandbox("telegram/chats", chat_id=5040, state="blocked")
    Told(two, enterprise, log=call.log).add()
    told(two, enterprise["chat_id"], 2)
    off = "SELECT chat_disabled_at, chat2_disabled_at, chat2_disabled_reason FROM enterprises WHERE number = '1040'"
    row = wait_until(lambda: [r for r in two.sql(off) if r["chat2_disabled_at"]], 10, "the second chat is off")[0]
    assert "blocked" in row["chat2_disabled_reason"] and row["chat_disabled_at"] is None
    two.sql("UPDATE enterprises SET chat_id2 = 5041 WHERE number = '1040'")
    assert two.sql(off)[0]["chat2_disabled_at"] is None
    followed(two, enterprise)
    Told(two, enterprise, log=call.log).until(OVER, 5041)


def test_the_same_chat_twice_is_told_once(two):
    enterprise = two.enterprise("1041", chat_id=5042, chat_id2=5042, subscribers=[5042])
    call = Told(two, enterprise).until(OVER)
    two.wait_quiet()
    assert len(call.all()) == 1


# -- buttons --------------------------------------------------------------------------------------------------


def test_buttons_are_those_of_the_reader(two):
    enterprise = two.enterprise("1050", settings=settings(control_url="https://pbx.example.org/control"))
    person(two, enterprise, 5051, ("151",))
    person(two, enterprise, 5052, ("152",), mobile="+375 29 111-22-33")
    two.sql("INSERT INTO telegram_users (tg_id, bot_token) VALUES (5053, %s)", [enterprise["bot_token"]])
    followed(two, enterprise)
    chats = (enterprise["chat_id"], 5051, 5052, 5053)
    call = Told(two, enterprise).until(TALKS)
    for chat in chats:
        call.until(TALKS, chat)
    shown = {chat: buttons(call.standing(chat)[-1]) for chat in chats}
    assert shown[enterprise["chat_id"]] == [] and shown[5053] == []
    assert shown[5051] == [], "who talks does not listen to himself"
    assert [len(row) for row in shown[5052]] == [3, 3]
    assert "152" in shown[5052][0][0] and "375291112233" in shown[5052][1][0]
    for chat in chats:
        call.until(OVER, chat)
    two.wait_quiet()
    shown = {chat: buttons(call.standing(chat)[-1]) for chat in chats}
    assert [len(shown[chat]) for chat in chats] == [1, 2, 3, 1]
    link = call.standing()[-1]["reply_markup"]
    assert f"https://calls.example.org/call/1050/{call.row()['id']}?until=" in str(link)
    assert all(len(call.all(chat)) == 1 for chat in chats)


def test_other_buttons_alone_are_an_edit(two):
    """A person's phone is entered while the call talks: the next event brings him his buttons."""
    enterprise = two.enterprise("1051", settings=settings(control_url="https://pbx.example.org/control"),
                                subscribers=[5054])
    call = Told(two, enterprise).until(TALKS, 5054)
    two.wait_quiet()
    person(two, enterprise, 5054, ("152",))
    followed(two, enterprise)
    edits = len(requests_of(two, "editMessageText"))
    talking = [entry for entry in call.instance.events[TALKS - 2:TALKS] if entry[0] == "bridge"][0]
    call.log.add(talking[0], talking[2])
    wait_until(lambda: buttons(call.standing(5054)[-1]), 10, "there are buttons")
    two.wait_quiet()
    assert len(requests_of(two, "editMessageText")) == edits + 1, "nobody else's message changes"


def test_without_a_key_there_are_no_links_and_no_orders(make_stack):
    stack = make_stack(services=("sandbox", "dispatcher")).start_all()
    enterprise = stack.enterprise("1052", settings=settings(control_url="https://pbx.example.org/control"))
    person(stack, enterprise, 5055, ("152",))
    followed(stack, enterprise)
    call = Told(stack, enterprise).until(OVER, 5055)
    assert buttons(call.standing(5055)[-1]) == []


# -- messages that people delete ------------------------------------------------------------------------------


@pytest.mark.parametrize("number, mode", [("1060", "live"), ("1061", "replace")])
def test_a_message_that_somebody_deleted_comes_back_once(two, number, mode):
    enterprise = two.enterprise(number, settings=settings(mode=mode))
    call = Told(two, enterprise).until(TALKS)
    two.wait_quiet()
    shown = call.standing()[-1]
    body = {"chat_id": shown["chat_id"], "message_id": shown["message_id"]}
    two.session().post(f"{two.url('sandbox')}/bot{enterprise['bot_token']}/deleteMessage", json=body, timeout=10)
    assert call.standing() == []
    call.until(OVER)
    two.wait_quiet()
    assert [message["text"][0] for message in call.standing()] == ["✅"]
    assert unknown(two, enterprise) == 0
