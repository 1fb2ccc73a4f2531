"""People telephone with the builtin engine, from the receiver to the operator: what espeak-ng says for them goes through the
sandbox's Twilio, hooks, media-ws and speech, and what counts is what they heard, and what is kept of it."""
import json
from pathlib import Path

import pytest
import requests

import voices
from fake_lookup import FakeLookup
from listener import Listener
from sandbox_twilio import CALLER, OPERATOR
from twilio_world import TwilioWorld
from waiting import wait_until

AGENT, OTHER = "+33100000031", "+33600000002"
DIALOGUE = json.loads((Path(__file__).resolve().parents[2] / "scripts" / "demo_dialogue.json").read_text())
STATES = DIALOGUE["states"]
STATES["more"]["expect"] += [{"digit": "3", "phrases": {"en": ["opening hours"]}, "next": "hours"},
                             {"digit": "0", "phrases": {"en": ["operator"]}, "next": "operator"}]


def text(state, part="say"):
    return STATES[state][part]["en"].replace("{name}", "Anna").replace("{number}", "9 4 0 7")


FILLER = DIALOGUE["filler"]["en"]
GREETING, NAMELESS = (text("welcome", "say_known"), text("menu")), (text("welcome"), text("menu"))
NUMBER, ORDER, HOURS = (text("order"),), (text("order_text"), text("more")), (text("hours"), text("more"))
THROUGH, GOODBYE = (text("operator"),), (text("goodbye"),)
ALL = (GREETING, NAMELESS, NUMBER, ORDER, HOURS, THROUGH, GOODBYE, (FILLER,))
PERSON = voices.flite("hello this is the office", "awb")
HEARD_OUT = {"until": "heard_silence", "ms": 800}
INTO = 1500  # ms of an answer that are heard before it is interrupted
TO_A_PERSON = [{"until": "stream"}, HEARD_OUT, {"dtmf": "2"}, HEARD_OUT, {"dtmf": "9407"}, HEARD_OUT, {"say_file": "opening-hours"},
               {"until": "heard_voice"}, {"wait_ms": INTO}, {"say_file": "operator"}, {"wait_ms": 60000}]
TO_GOODBYE = [{"until": "stream"}, HEARD_OUT, {"say_file": "goodbye"}, {"wait_ms": 60000}]


class Told:
    """A call that is over: what was heard in it, by the events of its clock."""

    def __init__(self, world, sid):
        self.world, self.sid, self.state = world, sid, world.over(sid)["state"]
        self.events = [(event["what"], event["at_ms"], event["detail"]) for event in world.look(sid)["events"]]
        self.answered_ms = self.at("answered")
        self.heard, self.said = world.heard(sid), world.heard(sid, "said")

    def at(self, what, since=0, detail=""):
        return next(at for kind, at, about in self.events if kind == what and at >= since and detail in about)

    def of(self, what):
        return [detail for kind, _, detail in self.events if kind == what]

    def heard_between(self, begin_ms, end_ms):
        return self.heard[max(0, begin_ms - self.answered_ms) * 8:max(0, end_ms - self.answered_ms) * 8]

    def said_at(self, words):
        """When the caller's first sound of them came."""
        audio = voices.espeak(words)
        at = self.said.find(audio)
        assert at >= 0, f"the caller never said {words!r}"
        return self.answered_ms + at // 8 + voices.onset_ms(audio)

    def utterances(self):
        """(when, audio) of all that the agent said, those that were cut short too."""
        begin, found = None, []
        for what, at, _ in self.events:
            if what == "talks" and begin is None:
                begin = at
            elif what in ("marked", "clear") and begin is not None:
                found.append((begin, self.heard_between(begin, at + 40)))
                begin = None
        return found

    def row(self):
        return self.world.row(self.sid)

    def turns(self):
        return self.world.stack.sql("SELECT * FROM call_turns WHERE call_sid = %s ORDER BY turn", [self.sid])

    def call(self):
        (row,) = [row for row in self.world.stack.calls("0367") if self.sid in row["unique_ids"]]
        return row


@pytest.fixture(scope="module")
def world(module_stack):
    with FakeLookup() as cache:
        cache.answer["name"] = "Anna"
        stack = module_stack(services=("sandbox", "dispatcher", "speech", "hooks", "media-ws"),
                             settings={"CALLWEAVE_MEDIA_WS_CACHE_URL": cache.url}).start_all()
        world = TwilioWorld(stack)
        stack.sql("INSERT INTO voice_dialogues VALUES ('0367', 'main', %s)", [json.dumps(DIALOGUE)])
        world.number(AGENT, "agent", "builtin", "en")
        world.file("person", PERSON)
        world.tell("people", number=OPERATOR, answers="answer", ring_ms=700, talk_ms=len(PERSON) // 8 + 200, file="person")
        for words in ("opening hours", "operator", "goodbye"):
            world.file(words.replace(" ", "-"), voices.espeak(words))
        world.listener = Listener(stack.url("speech"), ALL, FILLER)
        world.wait_known(AGENT)
        yield world


@pytest.fixture(scope="module")
def calls(world):
    """Both call at once."""
    return [world.call(AGENT, *TO_A_PERSON), world.call(AGENT, *TO_GOODBYE, caller=OTHER)]


@pytest.fixture(scope="module")
def talk(world, calls):
    return Told(world, calls[0])


@pytest.fixture(scope="module")
def goodbye(world, calls):
    return Told(world, calls[1])


def understood(told):
    """All that a listener understands, one after the other; fillers may come on a busy machine."""
    return [words for words in (told.world.listener.words(audio) for _, audio in told.utterances()) if words != (FILLER,)]


def test_the_right_words_are_heard(talk, goodbye):
    heard = understood(talk)
    assert heard[:3] == [GREETING, NUMBER, ORDER] and heard[4:] == [THROUGH], heard
    assert understood(goodbye) == [GREETING, GOODBYE]
    assert not talk.of("gave_up") + goodbye.of("gave_up")


def test_an_interrupted_answer_stops(world, talk):
    """The caller hears the beginning of the answer, and after the clear nothing of it."""
    interrupted, cleared = talk.said_at("operator"), talk.at("clear")
    assert 0 < cleared - interrupted <= 500 and int(talk.of("clear")[0]) > 0, talk.events
    audio = talk.utterances()[-2][1]
    whole = b"".join(map(world.listener.spoken, HOURS))
    assert INTO <= len(audio) // 8 < INTO + 1500 and voices.alike(audio, whole[:len(audio)]) > 0.75
    silence = talk.heard_between(cleared + 40, talk.at("talks", cleared))
    assert len(silence) > 100 * 8 and set(silence) <= {0xFF, 0x7F}, "something is played after the clear"


def test_no_gap_and_no_clipping(talk, goodbye):
    for told in (talk, goodbye):
        assert max(map(int, told.of("gap")), default=0) <= 60, told.events
        assert voices.clipped(told.heard) < 0.001


def test_the_operator_is_heard_after_the_agent(talk):
    assert talk.of("dial") == [f"{OPERATOR} (answer)"] and talk.of("dialled") == ["completed"]
    assert talk.of("marked")[-1:] and talk.at("stream_closed") < talk.at("dial") < talk.at("bridged")
    assert PERSON in talk.heard_between(talk.at("bridged") - 40, talk.at("dialled") + 40)
    assert talk.state == "completed" and talk.row()["outcome"]["end"] == "transfer"


def test_a_goodbye_is_heard_before_the_end(goodbye):
    """All of it was played, and then the call is over at once."""
    assert goodbye.at("verb", detail="Hangup") >= goodbye.at("stream_closed") >= goodbye.at("marked", goodbye.utterances()[-1][0])
    assert not goodbye.of("clear") and not goodbye.of("dial")
    assert goodbye.state == "completed" and goodbye.row()["outcome"] == {"end": "hangup", "to": "", "reason": "goodbye"}


def test_nothing_for_twilios_debugger(world, talk, goodbye):
    assert world.alerts() == []
    assert not talk.of("violation") + goodbye.of("violation") + talk.of("error") + goodbye.of("error")


def test_turns_are_kept_with_their_times(talk, goodbye):
    turns = talk.turns()
    assert [turn["user_text"] for turn in turns] == ["", "2", "9407", "opening hours", "operator"]
    assert [turn["reply_text"] for turn in turns] == [" ".join(texts) for texts in (GREETING, NUMBER, ORDER, HOURS, THROUGH)]
    assert [turn["interrupted"] for turn in turns] == [False, False, False, True, False]
    by_voice = turns[3:] + goodbye.turns()[1:]
    assert len(by_voice) == 3 and all(200 <= turn["heard_ms"] < 1500 for turn in by_voice), by_voice
    assert all(0 < turn["recognise_ms"] <= turn["total_ms"] and turn["speak_ms"] is not None for turn in by_voice), by_voice
    assert INTO - 100 <= turns[3]["played_ms"] < INTO + 1000 and all(turn["played_ms"] > 800 for turn in turns)


def test_the_order_comes_as_a_text(world, talk):
    def texts():
        return requests.get(f"{world.place}/messages", params={"number": CALLER}, timeout=10).json()
    wait_until(lambda: [one["status"] for one in texts()] == ["delivered"], 10, texts)
    assert [(one["from"], one["body"]) for one in texts()] == [(AGENT, "June: your order 9407 is on its way.")]


def test_one_call_and_one_message_with_all_who_talked(world, talk, goodbye):
    world.stack.wait_quiet()
    assert talk.call()["talkers"] == ["agent", OPERATOR[1:]] and goodbye.call()["talkers"] == ["agent"]
    chat = world.stack.messages(world.enterprise["chat_id"])
    for told, number, who in ((talk, "00 00 01", "00 00 99 [переведен от голосового помощника]"),
                              (goodbye, "00 00 02", "Голосовой помощник")):
        call = told.call()
        assert (call["answered"], call["direction"], call["state"], call["line"]) == (True, "incoming", "ended", AGENT), call
        (message,) = [message for message in chat if f"💰+33 (6) 00 {number}" in message["text"]]
        assert message["text"].startswith("✅") and who in message["text"], message["text"]
        assert any("🔗" in past["text"] for past in message["history"]), "it was shown while they talked"
