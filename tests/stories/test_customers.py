"""Customers: each call counts once, people see names and history, and several numbers may be one person."""
import contextlib
import os
import subprocess
import time
from pathlib import Path

import psycopg2
import pytest

from eventlog import Log, told
from phone_calls import Incoming, outgoing
from waiting import wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
ANNA, BORIS = "+375291110001", "+375291110002"


@pytest.fixture
def two(make_stack):
    stack = make_stack(services=("sandbox", "dispatcher")).start_all()
    stack.no_limits()
    return stack


@pytest.fixture
def office(two):
    enterprise = two.enterprise("4001")
    return two, enterprise, Log(two, enterprise)


def customer(stack, phone=ANNA, enterprise="4001"):
    rows = stack.sql("SELECT * FROM customers WHERE enterprise_number = %s AND phone_e164 = %s", [enterprise, phone])
    return rows[0] if rows else None


def counters(stack, phone=ANNA):
    """in, out, answered in and out, missed in and out."""
    row = customer(stack, phone)
    return row and tuple(row[f"calls_{name}"] for name in (
        "total_in", "total_out", "answered_in", "answered_out", "missed_in", "missed_out"))


def tool(stack, *arguments, fails=False):
    done = subprocess.run([str(ROOT / "scripts/customers"), *arguments], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=30,
                          env={**os.environ, "DATABASE_URL": stack.database_url})
    assert (done.returncode != 0) == fails, done.stdout
    return done.stdout


def shown(stack, enterprise, *words, without=()):
    """Wait until the newest message of the owner's chat has all of these words; gives its text."""
    def text():
        messages = stack.messages(enterprise["chat_id"])
        return messages[-1]["plain"] if messages else ""

    def fits():
        now = text()
        return now if all(word in now for word in words) and not any(word in now for word in without) else None
    return wait_until(fits, 10, lambda: f"{words} without {without}: {text()!r}\n"
                      + stack.services["dispatcher"].tail(8))


# -- counting -------------------------------------------------------------------------------------------


def test_each_call_counts_once_with_what_came_of_it(office):
    stack, enterprise, log = office
    Incoming(log, "375291110001", extension="151").answered()
    Incoming(log, "80291110001", extension="150").missed()
    outgoing(log, "+375291110001", extension="152")
    outgoing(log, "375291110001", extension="153", answered=False)
    told(stack, enterprise["chat_id"], 4)
    assert counters(stack) == (2, 2, 1, 1, 1, 1)
    row = customer(stack)
    assert (row["last_call_direction"], row["last_call_status"]) == ("out", "missed")
    assert (row["last_agent_internal"], row["last_line"]) == ("153", "0001363")
    assert row["first_seen_at"] <= row["last_success_at"] <= row["last_call_at"] <= row["last_seen_at"]
    calls = stack.sql("SELECT start_time, counted_at FROM calls ORDER BY start_time")
    assert row["first_seen_at"] == calls[0]["start_time"] and row["last_call_at"] == calls[-1]["start_time"]
    assert all(call["counted_at"] for call in calls)


def test_repeated_and_late_events_count_nothing_more(office):
    stack, enterprise, log = office
    call = Incoming(log, ANNA).answered()
    told(stack, enterprise["chat_id"])
    for _ in range(3):
        call.hangup()
        call.dial()
        call.hangup(answered=False)
    log.add("hangup", {"UniqueId": f"{call.uid}1", "Phone": ANNA, "CallType": 2, "Extensions": ["151"], "CallStatus": "2"})
    stack.wait_quiet()
    assert counters(stack) == (1, 0, 1, 0, 0, 0)


def test_kill9_between_any_two_events_counts_once(office):
    """Also right after the hangup, whether or not its commit had come through."""
    stack, enterprise, log = office
    call = Incoming(log, ANNA)
    steps = (call.start, call.dial, call.talk, call.hangup, lambda: None)
    for step in steps:
        step()
        time.sleep(0.05)  # somewhere in the middle of whatever it does with that: no synchronisation
        stack.kill9("dispatcher")
        stack.start("dispatcher")
    told(stack, enterprise["chat_id"])
    assert counters(stack) == (1, 0, 1, 0, 0, 0)


def test_internal_calls_and_hidden_numbers_are_nobodys(office):
    stack, enterprise, log = office
    log.play("3-1/emulator")
    for number in ("anonymous", "<unknown>", "+000123456789", ""):
        Incoming(log, number).answered()
    told(stack, enterprise["chat_id"], 5)
    assert stack.sql("SELECT * FROM customers") == []
    hidden = stack.sql("SELECT phone_number FROM calls WHERE direction = 'incoming'")
    assert [row["phone_number"] for row in hidden] == [None] * 4
    texts = [message["text"] for message in stack.messages(enterprise["chat_id"])]
    assert sum("Номер не определен" in text for text in texts) == 4


def test_a_call_that_turns_out_otherwise_counts_otherwise(office):
    """What a refold does: the call's row changes, and customer_count_call() is told of it."""
    stack, enterprise, log = office
    Incoming(log, ANNA).answered()
    told(stack, enterprise["chat_id"])
    Incoming(log, ANNA).missed()
    told(stack, enterprise["chat_id"], 2)
    assert counters(stack) == (2, 0, 1, 0, 1, 0)
    last = stack.sql("UPDATE calls SET answered = true, talkers = '{155}' WHERE NOT answered RETURNING id")[0]["id"]
    assert [stack.sql("SELECT customer_count_call(%s) AS n", [last])[0]["n"] for _ in range(2)] == [1, 0]
    assert counters(stack) == (2, 0, 2, 0, 0, 0)
    assert (customer(stack)["last_call_status"], customer(stack)["last_agent_internal"]) == ("answered", "155")
    stack.sql("UPDATE calls SET phone_number = %s WHERE id = %s RETURNING id", [BORIS, last])
    stack.sql("SELECT customer_count_call(%s)", [last])
    assert (counters(stack), counters(stack, BORIS)) == ((1, 0, 1, 0, 0, 0), (1, 0, 1, 0, 0, 0))
    assert customer(stack)["last_agent_internal"] == "151"
    stack.sql("SELECT calls_merged(ARRAY[%s]::bigint[])", [last])
    assert counters(stack, BORIS) == (0, 0, 0, 0, 0, 0) and customer(stack, BORIS)["last_call_at"] is None
    assert len(stack.sql("SELECT id FROM calls")) == 1


def test_whoever_holds_a_customer_holds_up_no_call(office):
    """Somebody's open transaction on the row: calls are told all the same, and counted when it is over."""
    stack, enterprise, log = office
    Incoming(log, ANNA).answered()
    told(stack, enterprise["chat_id"])
    stack.stop("dispatcher")
    Incoming(log, ANNA).answered()  # below the mark that the holder's transaction sets for the fold
    with contextlib.closing(psycopg2.connect(stack.database_url)) as holder:
        with holder.cursor() as cursor:
            cursor.execute("SELECT 1 FROM customers WHERE phone_e164 = %s FOR UPDATE", [ANNA])
        stack.start("dispatcher")
        told(stack, enterprise["chat_id"], 2)
        assert counters(stack) == (1, 0, 1, 0, 0, 0)
    wait_until(lambda: counters(stack) == (2, 0, 2, 0, 0, 0), 20, "the call is counted late")


# -- history ----------------------------------------------------------------------------------------------


def test_the_history_is_the_one_before_this_call(office):
    stack, enterprise, log = office
    first = Incoming(log, ANNA, extension="151").start()
    shown(stack, enterprise, "Приветствие", without=["Звонил"])
    first.dial().talk().hangup()
    told(stack, enterprise["chat_id"])
    second = Incoming(log, ANNA).start()
    shown(stack, enterprise, "Приветствие", "Звонил: 1 раз", "Последний раз:", "✅ Разговаривал: ☎️151")
    second.dial().hangup(answered=False)
    told(stack, enterprise["chat_id"], 2)
    assert counters(stack) == (2, 0, 1, 0, 1, 0)
    Incoming(log, ANNA).start()
    shown(stack, enterprise, "Звонил: 2 раза", "❌ Мы не подняли трубку")


def test_the_history_stays_what_it_was_over_a_restart(office):
    """The call counts while it is remembered, and its history must not begin to count it."""
    stack, enterprise, log = office
    Incoming(log, ANNA).answered()
    told(stack, enterprise["chat_id"])
    call = Incoming(log, ANNA).start()
    shown(stack, enterprise, "Звонил: 1 раз")
    stack.kill9("dispatcher")
    Incoming(log, ANNA, extension="155").answered()
    stack.start("dispatcher")
    stack.wait_quiet()
    tool(stack, "name", "4001", ANNA, "--last", "Анна")
    def of_the_call():
        found = [m["text"] for m in stack.messages(enterprise["chat_id"]) if "Приветствие" in m["text"]]
        return found and "Анна" in found[0] and found[0]
    text = wait_until(of_the_call, 10, lambda: f"{stack.messages(enterprise['chat_id'])}")
    assert "Звонил: 1 раз" in text and "☎️151" in text and "155" not in text
    call.dial().talk().hangup()
    stack.wait_quiet()
    assert counters(stack) == (3, 0, 3, 0, 0, 0)


# -- names ------------------------------------------------------------------------------------------------


def test_a_name_by_hand_comes_into_an_open_call_within_a_second(office):
    stack, enterprise, log = office
    call = Incoming(log, ANNA).start().dial()
    shown(stack, enterprise, "+375 (29) 111-00-01", without=["Каренина"])
    began = time.monotonic()
    tool(stack, "name", "4001", "+375 (29) 111-00-01", "--last", "Каренина", "--first", "Анна", "--middle", "Аркадьевна")
    shown(stack, enterprise, "Каренина Анна Аркадьевна")
    assert time.monotonic() - began < 3  # with the tool's own start
    tool(stack, "name", "4001", ANNA, "--company", "ООО <Поезд> & Ко")
    shown(stack, enterprise, "ООО <Поезд> & Ко", without=["Каренина"])
    tool(stack, "black-list", "4001", ANNA, "on")
    shown(stack, enterprise, "Чёрный список")
    tool(stack, "black-list", "4001", ANNA, "off")
    shown(stack, enterprise, "ООО <Поезд> & Ко", without=["Чёрный список"])
    call.hangup(answered=False)
    told(stack, enterprise["chat_id"])
    assert len(stack.messages(enterprise["chat_id"], deleted=True)) == 1  # all of it were edits


def test_another_enterprises_customer_is_another_person(office):
    stack, enterprise, log = office
    other = stack.enterprise("4002")
    tool(stack, "name", "4002", ANNA, "--last", "Чужая")
    Incoming(log, ANNA).start()
    Incoming(Log(stack, other), ANNA).start()
    shown(stack, other, "Чужая")
    shown(stack, enterprise, "Приветствие", without=["Чужая"])


def set_name(stack, source, last, external=None, phone=ANNA):
    return stack.sql("SELECT customer_set_name('4001', %s, %s, %s, '', '', '', %s) AS taken",
                     [phone, source, last, external])[0]["taken"]


def test_no_crm_writes_over_a_hand(office):
    stack, _, _ = office
    assert set_name(stack, "retailcrm", "Из CRM", "815")
    assert not set_name(stack, "uon", "Из другой", "9")
    assert customer(stack)["last_name"] == "Из CRM"
    stack.sql("""UPDATE enterprises SET integrations_config = '{"smart": {"primary": "uon"}}' WHERE number = '4001'""")
    assert set_name(stack, "uon", "Из главной", "9")
    tool(stack, "name", "4001", ANNA, "--last", "Рукой")
    assert not set_name(stack, "uon", "Из главной", "10")
    row = customer(stack)
    assert row["last_name"] == "Рукой" and row["meta"]["ids"] == {"retailcrm": ["815"], "uon": ["9", "10"]}
    tool(stack, "name", "4001", ANNA, "--clear")
    assert set_name(stack, "retailcrm", "Снова CRM") and customer(stack)["last_name"] == "Снова CRM"


def test_two_numbers_of_one_person_have_one_name_and_one_history(office):
    stack, enterprise, log = office
    Incoming(log, ANNA, extension="151").answered()
    Incoming(log, BORIS, extension="150").answered()
    told(stack, enterprise["chat_id"], 2)
    tool(stack, "name", "4001", ANNA, "--last", "Облонский", "--first", "Стива")
    call = Incoming(log, BORIS).start()
    shown(stack, enterprise, "Звонил: 1 раз", "☎️150", without=["Облонский"])
    assert "one person: hand:" in tool(stack, "merge", "4001", ANNA, BORIS)
    shown(stack, enterprise, "Облонский Стива", "Звонил: 2 раза")
    assert "numbers_of_the_person|+375291110001 +375291110002" in tool(stack, "show", "4001", BORIS)
    tool(stack, "unmerge", "4001", BORIS)
    shown(stack, enterprise, "Звонил: 1 раз", "☎️150", without=["Облонский"])
    assert "not merged" in tool(stack, "unmerge", "4001", BORIS, fails=True)
    call.hangup(answered=False)


def test_a_crm_may_say_which_numbers_a_customer_has(office):
    """The whole list: what is not in it any more is let go. An unmerged number goes back to whom it belonged."""
    stack, _, _ = office
    third = "+375291110003"
    def merge(phones, uid, whole=True):
        stack.sql("SELECT customer_merge('4001', %s, %s, %s)", [phones, uid, whole])
    def persons():
        return {row["phone_e164"]: row["meta"].get("person_uid") for row in stack.sql("SELECT * FROM customers")}
    merge([ANNA, BORIS], "retailcrm:815")
    merge([BORIS, third], "retailcrm:815")
    assert persons() == {ANNA: None, BORIS: "retailcrm:815", third: "retailcrm:815"}
    merge([ANNA, BORIS], None, whole=False)
    assert len(set(persons().values())) == 1  # the third came along
    tool(stack, "unmerge", "4001", BORIS)
    assert persons()[BORIS] == "retailcrm:815"


# -- the tool ---------------------------------------------------------------------------------------------


def test_the_tool_says_what_is_wrong(office):
    stack, _, _ = office
    assert "not a number with +" in tool(stack, "name", "4001", "80291110001", "--last", "x", fails=True)
    assert "no enterprise 9999" in tool(stack, "list", "9999", fails=True)
    assert "has no customer" in tool(stack, "show", "4001", ANNA, fails=True)
    assert "no name" in tool(stack, "name", "4001", ANNA, fails=True)
    assert "say on or off" in tool(stack, "black-list", "4001", ANNA, "maybe", fails=True)
    assert "at least two numbers" in tool(stack, "merge", "4001", ANNA, fails=True)
    assert stack.sql("SELECT * FROM customers") == []
    hostile = "'; DROP TABLE customers; --"
    assert hostile in tool(stack, "name", "4001", ANNA, "--last", hostile)
    assert ANNA in tool(stack, "list", "4001", hostile) and BORIS not in tool(stack, "list", "4001")
    assert "usage: scripts/customers" in tool(stack, "--help")
