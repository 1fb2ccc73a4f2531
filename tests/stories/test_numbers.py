"""Numbers: what an enterprise says of its lines and extensions is what people see, within a second."""
import psycopg2
import pytest

from eventlog import Log, told
from phone_calls import Incoming, outgoing
from waiting import wait_until


@pytest.fixture
def office(make_stack):
    stack = make_stack(services=("sandbox", "dispatcher")).start_all()
    stack.no_limits()
    enterprise = stack.enterprise("4101")
    wait_until(lambda: directory_loads(stack) > 0, 5, "the dispatcher knows the enterprise")
    return stack, enterprise, Log(stack, enterprise)


def directory_loads(stack):
    """How often the directory was read with the enterprise in it, by the dispatcher's own words."""
    return stack.services["dispatcher"].text().count("directory: 1 enterprises")


def change(stack, query, parameters=None):
    """Change what an enterprise says of itself; the dispatcher has read it within a second, and a bit for the machine."""
    loads = directory_loads(stack)
    stack.sql(query, parameters)
    wait_until(lambda: directory_loads(stack) > loads, 2, "the dispatcher has read the change")


def sip_line(stack, name, rule):
    change(stack, "INSERT INTO sip_unit (enterprise_number, line_name, incoming_transform) VALUES ('4101', %s, %s)"
           " ON CONFLICT (enterprise_number, line_name) DO UPDATE SET incoming_transform = excluded.incoming_transform",
           [name, rule])


def numbers(stack):
    return [row["phone_number"] for row in stack.sql("SELECT phone_number FROM calls ORDER BY id")]


def test_a_lines_rule_spells_its_callers(office):
    """Start, dial, bridge and hangup with the line's own spelling: one call, one message, one customer."""
    stack, enterprise, log = office
    sip_line(stack, "3880003", "+375{9}")
    Incoming(log, "9290001122", line="3880003").answered()
    message = told(stack, enterprise["chat_id"])[0]
    assert "+375 (29) 000-11-22" in message["text"] and "Успешный входящий" in message["text"]
    assert numbers(stack) == ["+375290001122"]
    assert [row["phone_e164"] for row in stack.sql("SELECT * FROM customers")] == ["+375290001122"]
    for spelled in ("+0290001122", "80290001122", "290001122"):
        Incoming(log, spelled, line="3880003").missed()
    told(stack, enterprise["chat_id"], 4)
    assert numbers(stack) == ["+375290001122"] * 4


def test_a_gsm_line_may_have_a_rule_too(office):
    stack, enterprise, log = office
    change(stack, "INSERT INTO gsm_lines (enterprise_number, line_id, incoming_transform)"
           " VALUES ('4101', '0001363', '+7{10}')")
    Incoming(log, "0119261234567").answered()
    assert "+7 (926) 123-45-67" in told(stack, enterprise["chat_id"])[0]["text"]


def test_outgoing_numbers_are_left_alone(office):
    stack, enterprise, log = office
    sip_line(stack, "3880003", "+375{9}")
    outgoing(log, "+48601234567", line="3880003")
    told(stack, enterprise["chat_id"])
    assert numbers(stack) == ["+48601234567"]


def test_a_rule_changes_within_a_second_and_open_calls_go_on(office):
    stack, enterprise, log = office
    sip_line(stack, "3880003", "+375{9}")
    call = Incoming(log, "9290001122", line="3880003").start().dial()
    wait_until(lambda: numbers(stack) == ["+375290001122"], 5, "the call is there")
    sip_line(stack, "3880003", "+7{10}")
    call.talk().hangup()
    told(stack, enterprise["chat_id"])
    assert numbers(stack) == ["+375290001122"]
    Incoming(log, "89261234567", line="3880003").missed()
    told(stack, enterprise["chat_id"], 2)
    assert numbers(stack)[1] == "+79261234567"


@pytest.mark.parametrize("rule", ["+375", "+375{0}", "{16}", "+375{13}", "375{9}x", "{9", "+{9}", "abc{9}", "{99999999999}"])
def test_a_bad_rule_is_refused_when_it_is_saved(office, rule):
    stack, _, _ = office
    for table, column in (("sip_unit", "line_name"), ("gsm_lines", "line_id")):
        with pytest.raises(psycopg2.errors.CheckViolation):
            stack.sql(f"INSERT INTO {table} (enterprise_number, {column}, incoming_transform) VALUES ('4101', 'x', %s)", [rule])


def test_a_bad_rule_of_old_is_said_and_passed_over(office):
    stack, enterprise, log = office
    stack.sql("ALTER TABLE sip_unit DROP CONSTRAINT sip_unit_incoming_transform")
    sip_line(stack, "3880009", "last nine digits")
    dispatcher = stack.services["dispatcher"]
    wait_until(lambda: "incoming_transform is not used" in dispatcher.text(), 5, "a warning")
    Incoming(log, "80290001122", line="3880009").answered()
    told(stack, enterprise["chat_id"])
    assert numbers(stack) == ["+375290001122"]  # by the country's rule


def test_own_extensions_may_have_any_length(office):
    stack, enterprise, log = office
    change(stack, "INSERT INTO user_internal_phones (enterprise_number, phone_number) VALUES ('4101', '20015')")
    change(stack, """UPDATE enterprises SET settings = '{"extensions": ["9001234"]}' WHERE number = '4101'""")
    for number, caller in enumerate(("20015", "9001234", "20016")):
        log.add("dial", {"UniqueId": f"1760000000.{number}", "Phone": caller, "CallType": 0, "Trunk": "",
                         "Extensions": ["152"], "ExternalInitiated": True})
        log.add("hangup", {"UniqueId": f"1760000000.{number}", "Phone": caller, "CallType": 0, "Trunk": "",
                           "Extensions": ["152"], "CallStatus": "2"})
    told(stack, enterprise["chat_id"], 3)
    directions = [(row["direction"], row["caller"], row["external"]) for row in stack.calls("4101")]
    assert directions == [("internal", "20015", None), ("internal", "9001234", None), ("incoming", None, "20016")]


def test_a_line_where_the_caller_should_be_is_nobody(office):
    stack, enterprise, log = office
    sip_line(stack, "375296667788", None)
    call = Incoming(log, "375296667788", line="375296667788").start()
    call.phone = "375290001122"
    call.dial().hangup()
    told(stack, enterprise["chat_id"])
    assert numbers(stack) == ["+375290001122"]
    assert [row["phone_e164"] for row in stack.sql("SELECT * FROM customers")] == ["+375290001122"]
