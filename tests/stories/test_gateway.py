"""What CRMs are told of calls: the dispatcher and something in the place of 8020."""
import json
import time

import pytest

import pbx_day
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
    told = Told(two, enterprise).add(1)
    told.rest = [(event, delay, {**body, "CallStatus": "0"}) for event, delay, body in told.rest if event == "hangup"]
    told.add()
    body, = wait_kinds(two, gateway, enterprise, "hangup")
    assert body["call"]["result"] == "no_answer" and "talkers" not in body["call"]


def test_an_answer_that_only_the_hangup_knows(two, gateway):
    """All but the first event was lost: who rang and that it was answered is in the journal, no popup opens."""
    enterprise = with_crm(two, "1014")
    told = Told(two, enterprise).add(1)
    told.rest = [event for event in told.rest if event[0] == "hangup"]
    told.add()
    body, = wait_kinds(two, gateway, enterprise, "hangup")
    assert body["call"]["result"] == "talked" and "answered_at" not in body["call"]


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


def test_a_call_that_came_of_a_click_names_it(two, gateway):
    """pbx-api has noted the click; the call says whose it is from its first event on, also after a kill."""
    enterprise = with_crm(two, "1015")
    log = Log(two, enterprise)
    told = Told(two, enterprise, scenario="1-1/emulator", log=log)
    dial = next(body for event, _delay, body in told.instance.events if event == "dial")
    two.sql("SELECT click_call_note('1015', %s, %s, 'bitrix24', 'externalCall.1')",
            [dial["Extensions"][0], "+" + dial["Phone"].lstrip("+")])
    told.add(next(number for number, (event, _delay, _body) in enumerate(told.instance.events, 1) if event == "dial"))
    wait_kinds(two, gateway, enterprise, "dial")
    two.wait_quiet()
    two.kill9("dispatcher")
    two.start("dispatcher")
    told.add()
    bodies = wait_kinds(two, gateway, enterprise, "dial", "answer", "hangup")
    assert {(body["call"]["origin_crm"], body["call"]["origin_call"]) for body in bodies} == {("bitrix24", "externalCall.1")}
    log.play("1-1/emulator")
    wait_until(lambda: len(gateway.of(enterprise)) == 6, 15, "the next call")
    assert "origin_crm" not in gateway.of(enterprise)[-1]["call"]


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


# -- known only afterwards ----------------------------------------------------------------------------------


def day_ago(instance):
    """The events of a call of yesterday as a host's file has them: (ms, event, body)."""
    start = int(time.time() - 24 * 3600) * 1000
    return [(start + step * 2000, event, body) for step, (event, _delay, body) in enumerate(instance.events)]


def test_a_call_of_yesterday_is_told_as_recovered_alone(two, gateway):
    enterprise = with_crm(two, "1020")
    events = day_ago(Log(two, enterprise).instance("2-3/emulator"))
    for _ms, event, body in events:
        if event == "hangup":  # the host's own times: of yesterday, too
            for name in ("StartTime", "EndTime", "DateReceived"):
                body.pop(name, None)
    pbx_day.recover(two.database_url, enterprise["number"], events)
    body, = wait_kinds(two, gateway, enterprise, "recovered")
    row = two.sql("SELECT * FROM calls WHERE enterprise_id = '1020'")[0]
    call = body["call"]
    assert call["call_id"] == row["id"] and call["result"] == "talked" and call["talkers"] == ["151"]
    assert call["started_at"] == round(row["start_time"].timestamp() * 1000)
    assert abs(call["started_at"] - events[0][0]) < 5000 and call["ended_at"] < events[-1][0] + 5000
    two.wait_quiet()
    assert len(gateway.requests) == 1


def test_an_end_that_comes_out_otherwise_is_told_as_recovered(two, gateway):
    """The bridge was lost: nobody seemed to have answered. Recovery knows better; the same again changes nothing."""
    enterprise = with_crm(two, "1021")
    log = Log(two, enterprise)
    instance = log.instance("2-3/emulator")
    lost = []
    for event, _delay, body in instance.events:
        if event in ("dial", "start"):
            log.add(event, body)
        else:
            lost.append((int(time.time() * 1000) + len(lost), event, body))
    wait_until(lambda: time.time() * 1000 > lost[-1][0] + 5, 5, "the hangup comes after what was lost")
    log.add("hangup", {**lost[-1][2], "CallStatus": "0"})
    first = wait_kinds(two, gateway, enterprise, "dial", "hangup")
    assert first[-1]["call"]["result"] == "no_answer"
    two.sql("UPDATE fold_calls SET forget_at = now()")
    wait_until(lambda: two.sql("SELECT count(*) FROM fold_calls")[0]["count"] == 0, 30, "the fold has forgotten the call")
    pbx_day.recover(two.database_url, enterprise["number"], lost[:-1])
    bodies = wait_until(lambda: len(gateway.of(enterprise)) == 3 and gateway.of(enterprise), 30, lambda: gateway.kinds(enterprise))
    assert kind(bodies[-1]) == "recovered" and bodies[-1]["uniqueId"] == first[0]["uniqueId"]
    assert bodies[-1]["call"]["result"] == "talked" and bodies[-1]["call"]["call_id"] == first[0]["call"]["call_id"]
    two.sql("UPDATE refold_requests SET state = 'queued', next_at = now()")
    wait_until(lambda: two.sql("SELECT bool_and(state = 'done') AS done FROM refold_requests")[0]["done"], 20, "folded again")
    two.wait_quiet()
    assert len(gateway.of(enterprise)) == 3


# -- what goes wrong ------------------------------------------------------------------------------------------


def order_holds(gateway, enterprise):
    """Of each call: the events in their order."""
    ranks = {"dial": 0, "answer": 1, "hangup": 2, "recording": 3}
    calls = {}
    for body in gateway.of(enterprise):
        calls.setdefault(body["uniqueId"], []).append(ranks[body["event_type"]])
    return all(ranks == sorted(ranks) for ranks in calls.values()) and calls


def test_8020_away_and_the_dispatcher_killed(two, gateway):
    enterprise = with_crm(two, "1030")
    log = Log(two, enterprise)
    gateway.stop()
    told = [Told(two, enterprise, log=log).add(RINGS) for _ in range(5)]
    rows = "SELECT count(*) FROM outbox WHERE destination = 'gateway' AND state <> 'sent'"
    wait_until(lambda: two.sql(rows)[0]["count"] == 5, 15, "five wait")
    wait_until(lambda: two.sql("SELECT count(*) FROM outbox WHERE destination = 'gateway' AND last_error IS NOT NULL")[0]["count"],
               15, "a person can see why")
    two.kill9("dispatcher")
    for one in told[:3]:
        one.add(TALKS)
    two.start("dispatcher")
    wait_until(lambda: two.sql(rows)[0]["count"] == 8, 15, lambda: two.sql(rows))
    two.kill9("dispatcher")
    for one in told:
        one.add()
    two.start("dispatcher")
    wait_until(lambda: two.sql(rows)[0]["count"] == 15, 20, lambda: two.sql("SELECT call_id, slot, state, payload->>'event_type' FROM outbox WHERE destination = 'gateway'"))
    gateway.start()
    two.wait_quiet(30)
    calls = order_holds(gateway, enterprise)
    assert calls and len(calls) == 5 and all(len(ranks) == 3 for ranks in calls.values()), gateway.kinds(enterprise)
    log_text = two.services["dispatcher"].text()
    assert "CRMs are told nothing for now" in log_text and "8020 answers again" in log_text


def test_what_was_told_is_known_after_a_kill(two, gateway):
    """Nothing waits, the dispatcher is killed, the call goes on: its next event follows, and no event twice."""
    enterprise = with_crm(two, "1031")
    told = Told(two, enterprise).until(RINGS)
    wait_kinds(two, gateway, enterprise, "dial")
    two.wait_quiet()
    two.kill9("dispatcher")
    two.start("dispatcher")
    told.until(TALKS)
    wait_kinds(two, gateway, enterprise, "dial", "answer")
    two.kill9("dispatcher")
    told.add()
    two.start("dispatcher")
    wait_kinds(two, gateway, enterprise, "dial", "answer", "hangup")
    two.wait_quiet()
    assert len({body["uniqueId"] for body in gateway.requests}) == 1


def test_a_503_is_tried_again_and_nothing_overtakes(two, gateway):
    enterprise = with_crm(two, "1032")
    gateway.answers = [(503, {"detail": "not committed"})] * 3
    Told(two, enterprise).until(RINGS).until(TALKS).until(OVER)
    wait_kinds(two, gateway, enterprise, "dial", "answer", "hangup")
    assert [body["event_type"] for body in gateway.requests] == ["dial"] * 4 + ["answer", "hangup"]
    assert two.services["dispatcher"].metric("callweave_outbox_dead_total") == 0


def test_what_is_refused_is_dead_with_words(two, gateway):
    """Unknown there, also after a while: a person must look. The call's next event goes on."""
    enterprise = with_crm(two, "1033")
    gateway.answers = [(404, {"detail": "enterprise not found by token"})] * 4
    Told(two, enterprise).until(RINGS)
    dead = wait_until(lambda: two.sql("SELECT * FROM outbox WHERE state = 'dead' AND destination = 'gateway'"), 30,
                      lambda: two.services["dispatcher"].tail(10))
    assert dead[0]["last_error"] == "HTTP 404: enterprise not found by token" and dead[0]["http_status"] == 404
    assert len(gateway.requests) == 4
    assert two.services["dispatcher"].metric("callweave_outbox_dead_total") == 1


def test_a_day_later_it_is_given_up(two, gateway):
    enterprise = with_crm(two, "1034")
    gateway.stop()
    Told(two, enterprise).add(RINGS)
    rows = "SELECT * FROM outbox WHERE destination = 'gateway'"
    wait_until(lambda: two.sql(rows) and two.sql(rows)[0]["attempts"] > 0, 15, "it was tried")
    two.kill9("dispatcher")
    two.sql("UPDATE outbox SET created_at = now() - interval '24 hours 1 minute' WHERE destination = 'gateway'")
    two.start("dispatcher")
    wait_until(lambda: two.sql(rows)[0]["state"] == "dead", 15, lambda: two.sql(rows))
    assert two.sql(rows)[0]["last_error"]


def test_more_than_memory_holds_waits_in_the_table(make_stack, gateway):
    """A hundred letters find room. Seven hundred wait when the dispatcher comes, others come meanwhile: all arrive, in order."""
    stack = make_stack(services=("sandbox", "dispatcher"), settings={
        "CALLWEAVE_DISPATCHER_GATEWAY_URL": gateway.url, "CALLWEAVE_DISPATCHER_MAX_DELIVERIES": "100"})
    stack.start("sandbox")
    enterprise = stack.enterprise("1036", integrations_config=CRM, chat_id=None)
    stack.sql("""INSERT INTO outbox (shard, enterprise_number, call_id, destination, slot, version, final, payload)
                 SELECT enterprise_shard('1036'), '1036', 900000 + n % 140, 'gateway', n / 140, 1, true, jsonb_build_object(
                    'uniqueId', 'u' || n % 140, 'event_type', (ARRAY['dial', 'answer', 'hangup', 'recording', 'recording'])[n / 140 + 1],
                    'turn', n / 560, 'call', '{}'::jsonb)
                 FROM generate_series(0, 699) AS n ORDER BY n""")
    gateway.stop()
    stack.start("dispatcher")
    log = Log(stack, enterprise)
    for _ in range(5):
        log.play("2-3/emulator")
    wait_until(lambda: stack.services["dispatcher"].metric("callweave_gateway_waiting") >= 100, 20, "memory is full")
    gateway.start()
    for _ in range(5):
        log.play("2-3/emulator")
    stack.wait_quiet(60)
    calls = order_holds(gateway, enterprise)
    assert len(calls) == 150 and sum(map(len, calls.values())) == 730
    assert len(gateway.requests) < 800, "hardly anything was sent twice"
    wait_until(lambda: stack.services["dispatcher"].metric("callweave_gateway_waiting") == 0, 5, "memory is empty")


def test_a_dead_event_that_somebody_queues_again_is_told(two, gateway):
    enterprise = with_crm(two, "1037")
    gateway.answers = [(400, {"detail": "invalid payload"})]
    Told(two, enterprise).until(RINGS)
    dead = "SELECT count(*) FROM outbox WHERE destination = 'gateway' AND state = 'dead'"
    wait_until(lambda: two.sql(dead)[0]["count"] == 1, 15, "it is dead")
    two.sql("UPDATE outbox SET state = 'queued', created_at = now(), next_at = now() WHERE destination = 'gateway' AND state = 'dead'")
    wait_until(lambda: gateway.kinds(enterprise) == ["dial"], 60, lambda: gateway.kinds(enterprise))


def test_without_a_gateway_nothing_is_written(make_stack):
    stack = make_stack(services=("sandbox", "dispatcher"), settings={"CALLWEAVE_DISPATCHER_GATEWAY_URL": ""}).start_all()
    enterprise = with_crm(stack, "1035")
    Told(stack, enterprise).until(OVER)
    stack.wait_quiet()
    assert stack.sql("SELECT count(*) FROM outbox WHERE destination = 'gateway'")[0]["count"] == 0
