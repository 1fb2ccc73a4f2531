"""A customer's own engine at a call: it comes to /audio/<call> or is called, speaks, is interrupted, sends the call on."""
import array
import json
import math
import time

import pytest
import requests
import websockets

from audio_engine import AudioEngine
from fake_lookup import FakeLookup
from media_world import CALLER, OURS, SECRET_HEADER, MediaWorld, token
from raw_stream import call_sid
from stack import INTERNAL_SECRET
from waiting import wait_until

KEY = "the-key-of-a-customers-own-engine"


@pytest.fixture(scope="module")
def house(module_stack):
    with FakeLookup() as cache:
        stack = module_stack(("media-ws",), settings={
            "CALLWEAVE_MEDIA_WS_CACHE_URL": cache.url, "CALLWEAVE_MEDIA_WS_HOOKS_URL": cache.url,
            "CALLWEAVE_MEDIA_WS_ALLOW_PRIVATE": "127.0.0.1"})
        stack.secrets.add("the key of an engine", KEY)
        world = MediaWorld(stack)
        world.cache = cache
        yield world


@pytest.fixture
def world(house):
    house.configure()
    return house


def tone(ms, hz=440, rate=16000):
    samples = (int(8000 * math.sin(2 * math.pi * hz * at / rate)) for at in range(ms * rate // 1000))
    return array.array("h", samples).tobytes()


def pitch(samples, rate):
    return sum(1 for a, b in zip(samples, samples[1:]) if a < 0 <= b) / (len(samples) / rate)


def test_an_engine_comes_and_is_told_whose_call_it_is(world):
    call = world.call("ws-audio")
    with world.stream(call) as stream, world.engine(call) as engine:
        assert engine.wait_told("hello") == {
            "type": "hello", "call_id": call, "codec": "pcm_s16le", "rate": 16000, "channels": 1, "enterprise": "0367",
            "from": "+33600000001", "to": OURS, "language": "fr"}
        stream.press("5")
        assert engine.wait_told("dtmf")["digit"] == "5"
        engine.say(tone(200))
        stream.wait_speaking()
        stream.hang_up()
        engine.wait_told("bye")
        wait_until(lambda: engine.close_code == 1000, 5, "the engine's socket is closed in good order")
    assert world.outcome(call)["end"] == "hangup"


def test_p3_what_it_says_is_heard_and_played_is_told_when_it_was(world):
    call = world.call("ws-audio")
    with world.stream(call) as stream, world.engine(call) as engine:
        engine.wait_told("hello")
        before = time.monotonic()
        pcm = tone(1500)
        for at in range(0, len(pcm), 999):  # pieces that end within samples
            engine.say(pcm[at:at + 999])
        engine.tell("end_of_speech")
        played = engine.wait_told("played")
        took = time.monotonic() - before
        assert played == {"type": "played", "call_id": call, "utterance": 1, "whole": True, "ms": played["ms"]}
        assert abs(played["ms"] - 1500) < 30 and took > 1.4, "when it was heard, not when it was sent"
        assert not stream.warnings and stream.longest_gap() == 0
        heard = bytes(stream.heard)
    voice = [code for code in heard if code != 0xFF]
    assert abs(len(voice) / 8 - 1500) < 60
    rising = sum(1 for a, b in zip(voice, voice[1:]) if a < 0x80 <= b)
    assert abs(rising / 1.5 - 440) < 6


def test_it_hears_the_caller_resampled_until_it_stops_recording(world):
    call = world.call("ws-audio")
    with world.stream(call) as stream, world.engine(call) as engine:
        engine.wait_told("hello")
        engine.say(tone(100))
        stream.speak(bytes(0x80 | (0x10 if at // 9 % 2 else 0x90) for at in range(8000)))
        wait_until(lambda: len(engine.heard) > 40000, 5, "a second of 16 kHz PCM")
        samples = array.array("h", bytes(engine.heard[:len(engine.heard) // 2 * 2]))
        assert max(samples) > 1000
        engine.tell("stop_recording")
        assert engine.wait_told("recording")["on"] is False
        before = len(engine.heard)
        stream.speak(b"\x80" * 1600)
        assert len(engine.heard) == before
        engine.tell("start_recording")
        assert engine.wait_told("recording", 2)["on"] is True
        wait_until(lambda: len(engine.heard) > before, 5, "it hears again")


def test_p4_hush_clears_at_once_and_flushed_is_not_played(world):
    """P4, P5: one clear for one interruption, within 200 ms; what was flushed counts as not whole."""
    call = world.call("ws-audio")
    with world.stream(call) as stream, world.engine(call) as engine:
        engine.wait_told("hello")
        engine.tell("hush")  # nobody speaks: no clear
        engine.say(tone(4000))
        engine.tell("end_of_speech")
        stream.wait_speaking()
        wait_until(lambda: stream.now_ms() > 1000, 10, "it has spoken for a while")
        told = stream.now_ms()
        engine.tell("hush")
        played = engine.wait_told("played")
        wait_until(lambda: stream.happened("clear"), 5, "a clear")
        (clear,) = stream.happened("clear")
        assert clear[0] - told < 200 and clear[2] <= 600, "little was queued at Twilio"
        assert played["whole"] is False and 0 < played["ms"] < 2500
        engine.say(tone(200, hz=880))
        engine.tell("end_of_speech")
        last = engine.wait_told("played", 2)
        assert last["utterance"] == 2 and last["whole"] is True and len(stream.happened("clear")) == 1
        assert not any(name.startswith("g2") for _, _, name in stream.happened("flush"))
        assert not stream.warnings


@pytest.mark.parametrize("message, outcome", [
    ({"type": "transfer", "to": "150", "reason": "asked for a person"},
     {"end": "transfer", "to": "150", "reason": "asked for a person"}),
    ({"type": "hangup", "reason": "goodbye"}, {"end": "hangup", "to": "", "reason": "goodbye"}),
    ({"type": "voicemail"}, {"end": "message", "to": "", "reason": ""}),
    ({"type": "menu"}, {"end": "menu", "to": "", "reason": ""}),
])
def test_its_decision_is_stored_before_the_stream_is_closed(world, message, outcome):
    call = world.call("ws-audio")
    with world.stream(call) as stream, world.engine(call) as engine:
        engine.wait_told("hello")
        engine.say(tone(600))
        engine.tell("end_of_speech")
        engine.tell(message.pop("type"), **message)
        assert stream.wait_closed() == 1000
        assert world.row(call)["outcome"] == outcome, "it lies there when Twilio asks"
        echoes = stream.happened("echo")
        assert echoes and echoes[-1][2] == "g1u1", "the goodbye was played"


def test_turns_are_stored_and_a_transcript_is_given(world):
    call = world.call("ws-audio")
    with world.stream(call) as stream, world.engine(call) as engine:
        engine.wait_told("hello")
        engine.tell("turn", role="assistant", content="Bonjour !")
        engine.tell("turn", role="user", content="Vos horaires ?")
        engine.tell("turn", role="assistant", content="De neuf à dix-huit heures.")
        engine.tell("turn", role="nobody", content="x")
        assert engine.wait_told("error")["message"] == "role: user or assistant"
        engine.tell("get_transcript")
        told = engine.wait_told("transcript")
        assert [(entry["role"], entry["content"]) for entry in told["history"]] == [
            ("assistant", "Bonjour !"), ("user", "Vos horaires ?"), ("assistant", "De neuf à dix-huit heures.")]
        assert all(entry["timestamp"].endswith("Z") for entry in told["history"])
    rows = wait_until(lambda: world.stack.sql(
        "SELECT turn, user_text, reply_text, engine FROM call_turns WHERE call_sid = %s ORDER BY turn", [call]), 5)
    assert [tuple(row.values()) for row in rows] == [
        (1, "", "Bonjour !", "ws-audio"), (2, "Vos horaires ?", "De neuf à dix-huit heures.", "ws-audio")]


def test_p30_what_was_said_is_stored_bounded_and_not_logged(world):
    """P30: words are in call_turns, where they have an age; the log has neither them nor who said them."""
    call = world.call("ws-audio")
    with world.stream(call) as stream, world.engine(call) as engine:
        engine.wait_told("hello")
        engine.tell("turn", role="user", content="my card is a private word " + "x" * 20000)
        engine.tell("turn", role="assistant", content="another private word")
        engine.tell("hangup")
        assert stream.wait_closed() == 1000
    rows = wait_until(lambda: world.stack.sql("SELECT user_text, reply_text FROM call_turns WHERE call_sid = %s", [call]), 5)
    assert rows[0]["user_text"].startswith("my card is") and len(rows[0]["user_text"]) <= 8000
    log = world.media.text()
    assert call in log and "private word" not in log and CALLER not in log and OURS not in log


def test_what_it_cannot_mean_is_answered(world):
    call = world.call("ws-audio")
    with world.stream(call), world.engine(call) as engine:
        engine.wait_told("hello")
        engine.tell("dance")
        assert engine.wait_told("error")["message"] == "unknown type: dance"
        engine._send("no JSON")
        assert engine.wait_told("error", 2)["message"].startswith("invalid JSON")


def test_tools(world):
    call = world.call("ws-audio")
    world.cache.answer = {"name": "Anna Petrova"}
    with world.stream(call), world.engine(call) as engine:
        engine.wait_told("hello")
        engine.tell("tool", name="lookup", id="1", arguments={})
        told = engine.wait_told("tool_result")
        assert told["id"] == "1" and told["ok"] is True and json.loads(told["answer"])["name"] == "Anna Petrova"
        assert world.cache.asked[-1] == ("/lookup", {"enterprise": "0367", "phone": "+33600000001"}, INTERNAL_SECRET)
        engine.tell("tool", name="text", id="2", arguments={"text": "L'adresse : 1, rue X"})
        engine.wait_told("tool_result", 2)
        assert world.cache.asked[-1] == ("/internal/text", {
            "enterprise": "0367", "to": "+33600000001", "text": "L'adresse : 1, rue X"}, INTERNAL_SECRET)
        engine.tell("tool", name="message", id="3", arguments={"text": "Rappelez-moi"})
        assert engine.wait_told("tool_result", 3)["ok"] is True
        engine.tell("tool", name="fly", id="4")
        assert engine.wait_told("tool_result", 4)["answer"] == "no such tool"
        engine.tell("tool", name="message", id="5", arguments={})
        assert engine.wait_told("tool_result", 5)["answer"] == "a message needs words"
    (note,) = world.stack.sql("SELECT * FROM call_events WHERE event_type = 'text' AND unique_id LIKE %s", [call + "%"])
    assert note["enterprise_number"] == "0367" and note["raw_data"]["Text"] == "Rappelez-moi"


def test_an_engine_may_come_again(world):
    call = world.call("ws-audio")
    with world.stream(call) as stream:
        with world.engine(call) as engine:
            engine.wait_told("hello")
            engine.say(tone(100))
            stream.wait_speaking()
        with world.engine(call) as engine:
            engine.wait_told("hello")
            engine.say(tone(100))
            engine.tell("hangup")
            assert stream.wait_closed() == 1000


def test_p7_an_engine_that_never_comes_ends_in_a_message(world):
    call = world.call("ws-audio")
    with world.stream(call) as stream:
        stream.wait_closed(15)
        assert 6000 < stream.now_ms() < 9500
    assert world.outcome(call)["end"] == "message"


def test_who_may_come(world):
    call = world.call("ws-audio")
    wrong = [{}, {"X-Callweave-Secret": "x" * 40}, {"Authorization": "Bearer nonsense"},
             {"Authorization": "Bearer " + token(call_sid())}]
    with world.stream(call):
        for headers in wrong:
            with pytest.raises(websockets.InvalidStatusCode, match="403"):
                with world.engine(call, headers):
                    pass
        once = {"Authorization": "Bearer " + token(call)}
        with world.engine(call, once) as engine:
            engine.wait_told("hello")
        with pytest.raises(websockets.InvalidStatusCode, match="403"):
            with world.engine(call, once):
                pass
    assert requests.get(f"{world.media.url}/audio/{call_sid()}", headers=SECRET_HEADER, timeout=5).status_code == 404


def test_it_is_called_where_its_enterprise_says(world):
    with AudioEngine.served() as engine:
        world.configure(url=engine.url, key=KEY, codec="mulaw")
        call = world.call("ws-audio")
        with world.stream(call) as stream:
            assert engine.wait_told("hello")["codec"] == "mulaw" and engine.told("hello")[0]["rate"] == 8000
            assert engine.asked[0]["authorization"] == "Bearer " + KEY
            said = bytes(range(1, 161)) * 10
            engine.say(said)
            engine.tell("end_of_speech")
            stream.wait_heard(said)
            wait_until(lambda: len(engine.heard) > 1600, 5, "it hears mu-law")
            engine.tell("hangup")
            assert stream.wait_closed() == 1000


def test_an_engine_that_breaks_ends_in_a_message(world):
    with AudioEngine.served() as engine:
        world.configure(url=engine.url)
        call = world.call("ws-audio")
        with world.stream(call) as stream:
            engine.wait_told("hello")
            engine.say(tone(100))
            stream.wait_speaking()
            engine.__exit__()
            assert stream.wait_closed() == 1000
    assert world.outcome(call)["end"] == "message"
    assert "connection ended" in world.outcome(call)["reason"]


@pytest.mark.parametrize("config, words", [
    ({"url": "ws://10.0.0.1/voice"}, ""),
    ({"url": "http://127.0.0.1/voice"}, ""),
    ({"codec": "mp3"}, "codec"),
    ({"rate": 44100}, "rate"),
])
def test_configurations_that_cannot_be(world, config, words):
    world.configure(**config)
    call = world.call("ws-audio")
    with world.stream(call) as stream:
        assert stream.wait_closed() == 1000
    outcome = world.outcome(call)
    assert outcome["end"] == "message" and words in outcome["reason"]
