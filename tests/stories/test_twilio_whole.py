"""Calls and texts from the caller's telephone to the database and back: the sandbox plays Twilio against hooks, media-ws
and speech as they are. Whatever happens, Twilio's debugger stays empty."""
from pathlib import Path

import pytest

import voices
from sandbox_twilio import CALLER, OPERATOR
from twilio_world import TwilioWorld
from waiting import wait_until

MENU, AGENT, ECHO = "+33100000021", "+33100000022", "+33100000023"
DIALOGUE = (Path(__file__).resolve().parents[2] / "scripts" / "demo_dialogue.json").read_text()
SILENT_FALL = 6000  # ms: a caller whose agent dies hears the recording's beep before that


@pytest.fixture(scope="module")
def world(module_stack):
    stack = module_stack(services=("sandbox", "dispatcher", "speech", "hooks", "media-ws")).start_all()
    world = TwilioWorld(stack)
    stack.sql("INSERT INTO voice_dialogues VALUES ('0367', 'main', %s)", [DIALOGUE])
    for number, voice, engine in ((AGENT, "agent", "builtin"), (ECHO, "agent", "echo"), (MENU, "menu", "builtin")):
        world.number(number, voice, engine, "fr" if voice == "menu" else "en")
    world.tell("people", number=OPERATOR, answers="answer", ring_ms=500, talk_ms=1500)
    world.file("bye", voices.flite("goodbye"))
    world.file("long", voices.flite("this is a message for the office please call me back tomorrow"))
    world.wait_known(MENU)
    return world


def test_the_menu_by_keys_to_the_operator_and_to_a_message(world):
    operator = world.call(MENU, {"until": "heard_voice"}, {"wait_ms": 300}, {"dtmf": "1"},
                          {"until": "verb", "name": "Say"}, {"until": "verb", "name": "Gather"}, {"dtmf": "0"}, {"wait_ms": 60000}, speed=5)
    message = world.call(MENU, {"until": "heard_voice"}, {"dtmf": "2"}, {"until": "verb", "name": "Record"}, {"wait_ms": 700},
                         {"say_file": "long"}, {"wait_ms": 300}, {"hangup": True}, speed=5)
    ended = world.over(operator)
    assert world.happened(operator, "dial") == [f"{OPERATOR} (answer)"] and world.happened(operator, "dialled") == ["completed"]
    assert ended["state"] == "completed" and world.alerts(operator) == []
    world.over(message)
    [recorded] = world.happened(message, "recorded")
    assert recorded.startswith("RE") and world.alerts(message) == []
    wait_until(lambda: world.row(message)["recording_url"], 10)
    for sid in (operator, message):
        wait_until(lambda: world.row(sid)["ended_at"] is not None, 10)


def test_an_agent_greets_answers_a_key_and_hangs_up_after_its_goodbye(world):
    sid = world.call(AGENT, {"until": "stream"}, {"until": "heard_silence", "ms": 1200}, {"dtmf": "1"},
                     {"until": "heard_voice"}, {"wait_ms": 500}, {"hangup": True})
    ended = world.over(sid)
    assert world.alerts(sid) == [] and world.happened(sid, "violation") == [] and world.happened(sid, "gap") == []
    assert ended["state"] == "completed" and world.happened(sid, "marked"), ended
    assert sum(one not in (0xFF, 0x7F) for one in world.heard(sid)) > 8000
    rows = wait_until(lambda: world.stack.sql("SELECT * FROM call_turns WHERE call_sid = %s", [sid]), 10)
    assert rows, "what was said is kept"


def test_an_agent_that_dies_leaves_a_recording_within_six_seconds(world):
    sid = world.call(ECHO, {"until": "stream"}, {"say_file": "bye"}, {"until": "verb", "name": "Record", "most_ms": 20000},
                     {"wait_ms": 700}, {"say_file": "long"}, {"wait_ms": 200}, {"hangup": True})
    wait_until(lambda: "stream" in [event["what"] for event in world.look(sid)["events"]], 10)
    wait_until(lambda: any(one not in (0xFF, 0x7F) for one in world.heard(sid)), 10, "the echo")
    at = world.look(sid)["clock_ms"]
    world.stack.kill9("media-ws")
    world.over(sid)
    world.stack.start("media-ws")
    record = [event["at_ms"] for event in world.look(sid)["events"] if (event["what"], event["detail"]) == ("verb", "Record")]
    assert record and record[0] - at < SILENT_FALL, world.look(sid)["events"]
    assert world.happened(sid, "recorded")
    assert {code for code, _ in world.alerts(sid)} <= {31921, 31924}, world.alerts(sid)


def test_a_text_is_answered_and_kept(world):
    said = world.tell("messages", to=MENU, body="Horaires ", **{"from": CALLER})
    assert said["code"] == 0 and len(said["replies"]) == 1, said
    assert world.alerts(said["message_sid"]) == []
    wait_until(lambda: world.stack.sql("SELECT * FROM messages WHERE body LIKE 'Horaires%%'"), 10)
