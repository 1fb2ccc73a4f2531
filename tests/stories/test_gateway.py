"""What CRMs are told of calls: the dispatcher and something in the place of 8020."""
import json

import pytest

from eventlog import Log
from fake_gateway import FakeGateway, kind
from telling import OVER, RINGS, TALKS, Told, followed
from waiting import wait_until

CRM = json.dumps({"retailcrm": {"enabled": True, "api_key": "not for the dispatcher"}, "smart": {"primary": "retailcrm"}})
OFF = json.dumps({"retailcrm": {"enabled": False}, "uon": {"note": "never switched on"}})


@pytest.fixture
def gateway():
    with FakeGateway() as it:
        yield it


@pytest.fixture
def two(make_stack, gateway):
    """Sandbox and a dispatcher that tells our gateway."""
    stack = make_stack(services=("sandbox", "dispatcher"), settings={
        "CALLWEAVE_DISPATCHER_GATEWAY_URL": gateway.url, "CALLWEAVE_DISPATCHER_LINGER_SECONDS": "10"}).start_all()
    stack.no_limits()
    return stack


def with_crm(stack, number, config=CRM, **columns):
    enterprise = stack.enterprise(number, integrations_config=config, **columns)
    followed(stack, enterprise)
    return enterprise


def wait_kinds(stack, gateway, enterprise, *kinds):
    wait_until(lambda: gateway.kinds(enterprise) == list(kinds), 15,
               lambda: f"{kinds}: {gateway.kinds(enterprise)}\n{stack.services['dispatcher'].tail(8)}")
    return gateway.of(enterprise)


def test_a_call_is_told_once_and_not_once_a_chat(two, gateway):
    """A group of three rings, the second takes it, it ends: three events, two chats or not."""
    enterprise = with_crm(two, "1001", subscribers=[9001])
    told = Told(two, enterprise)
    told.until(RINGS)
    rings, = wait_kinds(two, gateway, enterprise, "dial")
    told.until(TALKS)
    _, answer = wait_kinds(two, gateway, enterprise, "dial", "answer")
    told.until(OVER)
    _, _, over = wait_kinds(two, gateway, enterprise, "dial", "answer", "hangup")
    two.wait_quiet()
    assert len(gateway.requests) == 3 and len(two.messages(9001)) == 1
    row = told.row()
    call = rings["call"]
    assert call["ringing"] == call["rang"] == ["150", "151", "152"] and call["result"] == "open"
    assert call["phone"] == row["phone_number"] and not call["outgoing"] and call["call_id"] == row["id"]
    assert not {"answered_at", "ended_at", "extension"} & set(call)
    assert answer["call"]["extension"] == "151" and answer["call"]["result"] == "open" and "ended_at" not in answer["call"]
    call = over["call"]
    assert (call["result"], call["extension"], call["talkers"]) == ("talked", "151", ["151"])
    assert call["talk_seconds"] == row["duration"] and call["wait_seconds"] == row["ring_seconds"]
    assert call["ended_at"] == round(row["end_time"].timestamp() * 1000)
    assert {body["uniqueId"] for body in gateway.requests} == {call["key"]} == {row["unique_id"]}
    assert {body["trace"] for body in gateway.requests} == {"trace-of-the-story"}
    assert "not for the dispatcher" not in two.services["dispatcher"].text()


def test_all_at_once_is_told_in_the_same_steps(two, gateway):
    """The events come faster than they are folded: nobody can see a difference."""
    enterprise = with_crm(two, "1002")
    Log(two, enterprise).play("2-3/emulator")
    bodies = wait_kinds(two, gateway, enterprise, "dial", "answer", "hangup")
    assert [body["call"]["result"] for body in bodies] == ["open", "open", "talked"]
    assert [body["turn"] for body in bodies] == [0, 0, 0]


@pytest.mark.parametrize("number, scenario, kinds", [
    ("1011", "1-1/emulator", ["dial", "answer", "hangup"]),       # outgoing
    ("1012", "2-4/emulator", ["dial", "hangup"]),                 # nobody answered
    ("1013", "2-2/emulator", ["dial", "hangup"]),
])
def test_other_calls(two, gateway, number, scenario, kinds):
    enterprise = with_crm(two, number)
    Log(two, enterprise).play(scenario)
    bodies = wait_kinds(two, gateway, enterprise, *kinds)
    row = two.sql("SELECT * FROM calls WHERE enterprise_id = %s", [number])[0]
    assert bodies[-1]["call"]["result"] == ("talked" if row["answered"] else "no_answer")
    assert bodies[0]["call"]["outgoing"] == (row["direction"] == "outgoing")
    if row["direction"] == "outgoing":
        assert {body["call"]["extension"] for body in bodies} == {row["caller"]}


def test_internal_calls_are_nobodys_business(two, gateway):
    enterprise = with_crm(two, "1003")
    log = Log(two, enterprise)
    for scenario in ("3-1/emulator", "3-2/emulator"):
        log.play(scenario)
    log.play("2-4/emulator")
    wait_kinds(two, gateway, enterprise, "dial", "hangup")
    two.wait_quiet()
    assert len(gateway.requests) == 2


def test_a_transfer_is_told_as_another_answer(two, gateway):
    enterprise = with_crm(two, "1004")
    Log(two, enterprise).play("2-10/emulator")
    wait_until(lambda: "hangup" in gateway.kinds(enterprise), 15, lambda: gateway.kinds(enterprise))
    two.wait_quiet()
    bodies = gateway.of(enterprise)
    assert bodies[-1]["call"]["talkers"] == ["151", "152"] and bodies[-1]["call"]["extension"] == "152"
    assert [kind(body) for body in bodies].count("hangup") == 1


def test_who_begins_to_ring_later_is_told_alone(two, gateway):
    """A transfer, event by event: the first group, who took it, the target, who took it then."""
    enterprise = with_crm(two, "1005")
    told = Told(two, enterprise, scenario="2-10/emulator")
    for count in range(1, len(told.instance.events) + 1):
        told.add(count)
        two.wait_quiet()
    kinds = gateway.kinds(enterprise)
    assert kinds[0] == "dial" and kinds[-1] == "hangup" and kinds.count("hangup") == 1
    assert [name for name in kinds if name.startswith("answer")] == ["answer", "answer:1"]
    dials = [body["call"] for body in gateway.of(enterprise) if body["event_type"] == "dial"]
    rung = [extension for call in dials for extension in call["ringing"]]
    assert len(rung) == len(set(rung)), "an extension was told twice"
    answers = [body["call"]["extension"] for body in gateway.of(enterprise) if body["event_type"] == "answer"]
    assert answers == ["151", "152"]


def test_a_hangup_without_a_dial(two, gateway):
    """The caller gave up in the greeting."""
    enterprise = with_crm(two, "1006")
    told = Told(two, enterprise)
    told.add(1)
    events = [event for event in told.rest if event[0] == "hangup"]
    told.rest = events
    told.add()
    body, = wait_kinds(two, gateway, enterprise, "hangup")
    assert body["call"]["rang"] == [] if "rang" in body["call"] else True
    assert body["call"]["result"] in ("no_answer", "talked")


def test_without_an_integration_nobody_is_told(two, gateway):
    enterprise = with_crm(two, "1007", config=OFF)
    Told(two, enterprise).until(RINGS).until(TALKS).until(OVER)
    two.wait_quiet()
    assert gateway.requests == []
    assert two.sql("SELECT count(*) FROM outbox WHERE destination = 'gateway'")[0]["count"] == 0


def test_switched_on_while_a_call_goes_on(two, gateway):
    enterprise = with_crm(two, "1008", config=OFF)
    told = Told(two, enterprise).until(RINGS)
    two.sql("UPDATE enterprises SET integrations_config = %s WHERE number = '1008'", [CRM])
    followed(two, enterprise)
    told.until(TALKS).until(OVER)
    wait_until(lambda: "hangup" in gateway.kinds(enterprise), 15, lambda: gateway.kinds(enterprise))
    two.wait_quiet()
    assert gateway.kinds(enterprise)[-2:] == ["answer", "hangup"]


def test_a_name_that_comes_later_is_an_edit(two, gateway):
    """8020 learns it from a CRM and writes it down: the live message follows, and the next event has it."""
    enterprise = with_crm(two, "1009")
    told = Told(two, enterprise).until(RINGS)
    message, = told.standing()
    assert "Пётр" not in message["text"]
    phone = told.row()["phone_number"]
    two.sql("""INSERT INTO customers (enterprise_number, phone_e164, first_name, last_name) VALUES ('1009', %s, 'Пётр', 'Сергеев')
               ON CONFLICT (enterprise_number, phone_e164) DO UPDATE SET first_name = 'Пётр', last_name = 'Сергеев'""", [phone])
    wait_until(lambda: "Сергеев" in told.standing()[0]["text"], 10, "the message is edited")
    assert told.standing()[0]["message_id"] == message["message_id"]
    told.until(OVER)
    bodies = wait_kinds(two, gateway, enterprise, "dial", "answer", "hangup")
    assert "Сергеев" in bodies[-1]["call"]["customer_name"]


def test_a_recording_that_comes_later_is_told(two, gateway):
    enterprise = with_crm(two, "1010")
    told = Told(two, enterprise).until(OVER)
    wait_kinds(two, gateway, enterprise, "dial", "answer", "hangup")
    link = "UPDATE calls SET call_url = 'https://records.example/1.mp3', recorded_at = now() WHERE id = %s"
    two.sql(link, [told.row()["id"]])
    bodies = wait_kinds(two, gateway, enterprise, "dial", "answer", "hangup", "recording")
    assert bodies[-1]["record_url"] == bodies[-1]["call"]["record_url"] == "https://records.example/1.mp3"
    assert bodies[-1]["call"]["result"] == "talked" and bodies[-1]["call"]["talkers"] == ["151"]
    two.sql(link, [told.row()["id"]])
    two.wait_quiet()
    assert gateway.kinds(enterprise)[-1] == "recording"
