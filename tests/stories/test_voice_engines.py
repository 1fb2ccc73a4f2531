"""Engines that live elsewhere, pipeline and openai-realtime, each asked through whole calls: a turn, an interruption in
mid-answer, tools, silence; and servers that refuse, stall, break off, lie or die: the caller is asked to leave a message."""
import json
import re

import pytest
import requests

import voices
from fake_twilio import FakeStream, call_sid, stream_token
from stack import INTERNAL_SECRET
from waiting import wait_until

OURS, CALLER = "+33100000001", "+33600000001"
AC = "AC" + "2" * 32
KEY = "sk-key-of-enterprise-0367-at-its-engine"
ENGINES = ("pipeline", "openai-realtime")
QUESTION = voices.flite("what are your opening hours")
WORD = voices.flite("operator")


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def tone(text):
    """Hz and ms of what the sandbox makes of a text: see services/sandbox/engine.c."""
    data = text.encode()
    return 400 + 60 * (crc32c(data) % 24), max(300, 60 * len(data))


def tones(mulaw):
    """[Hz, ms] of each tone in it, one after the other; silence and shorter ones are left out."""
    found, window = [], 40
    for at in range(0, len(mulaw) - window * 8 + 1, window * 8):
        piece = mulaw[at:at + window * 8]
        signs = [code >= 0x80 for code in piece]
        hz = sum(a != b for a, b in zip(signs, signs[1:])) / (2 * window / 1000) if voices.rms(piece) > 3000 else 0
        if found and abs(found[-1][0] / found[-1][1] - hz) < 30:
            found[-1] = (found[-1][0] + hz, found[-1][1] + 1)
        else:
            found.append((hz, 1))
    return [(total / count, count * window) for total, count in found if total and count > 2]


class World:
    def __init__(self, stack):
        self.stack = stack
        self.media = stack.services["media-ws"]
        self.sandbox = stack.services["sandbox"]

    def configure(self, url=None, **options):
        told = {"url": url or self.sandbox.url, "key": KEY, "greeting": "", "patience_ms": 1200, **options}
        self.stack.sql("UPDATE enterprises SET integrations_config = %s WHERE number = '0367'",
                       [json.dumps({"voice": {"openai": told}})])

    def script(self, **script):
        self.stack.sandbox("engine/script", key=KEY, **script)

    def fault(self, path, **fault):
        self.stack.sandbox("faults", service="engine", path=path, **fault)

    def asked(self, path, method=None):
        """What the engine was asked, oldest first."""
        rows = requests.get(f"{self.sandbox.url}/_sandbox/requests?service=engine", timeout=10).json()
        return [row["request"] for row in rows if row["path"] == path and method in (None, row["method"])]

    def open(self, engine):
        call = call_sid()
        row = {"call_sid": call, "enterprise_number": "0367", "account_sid": AC, "our_number": OURS, "peer": CALLER,
               "engine": engine, "state": "stream", "language": "en"}
        self.stack.sql(f"INSERT INTO voice_calls ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})",
                       list(row.values()))
        return FakeStream(self.media.url.replace("http", "ws") + "/ws/twilio-media", call,
                          token=stream_token(INTERNAL_SECRET, call), account=AC)

    def outcome(self, stream, timeout=10):
        def told():
            return self.stack.sql("SELECT outcome FROM voice_calls WHERE call_sid = %s", [stream.call])[0]["outcome"]
        return wait_until(told, timeout, lambda: f"an outcome; so far {stream.events[-5:]}\n{self.media.tail(5)}")

    def turns(self, stream):
        return self.stack.sql("SELECT * FROM call_turns WHERE call_sid = %s ORDER BY turn", [stream.call])

    def turn(self, stream, condition=lambda turn: turn["played_ms"] is not None):
        """The last one, when it is what is waited for."""
        return wait_until(lambda: [turn for turn in self.turns(stream)[-1:] if condition(turn)], 5,
                          lambda: f"a turn; there are {self.turns(stream)}")[0]


@pytest.fixture(scope="module")
def whole(module_stack):
    stack = module_stack(("sandbox", "media-ws"), settings={
        "CALLWEAVE_MEDIA_WS_ALLOW_PRIVATE": "127.0.0.1", "CALLWEAVE_MEDIA_WS_CACHE_URL": "",
        "CALLWEAVE_MEDIA_WS_HOOKS_URL": ""})
    stack.enterprise("0367")
    stack.sql("INSERT INTO hook_numbers (number, enterprise_number, voice) VALUES (%s, '0367', 'agent')", [OURS])
    stack.secrets.add("the engine's key", KEY)
    stack.start_all()
    return World(stack)


@pytest.fixture
def world(whole):
    whole.stack.sandbox("reset")
    whole.configure()
    whole.script()
    yield whole


def assert_heard(stream, *texts, since=0):
    """These, in this order, each to its end, and nothing between them."""
    heard = tones(bytes(stream.heard)[since:])
    expected = [tone(text) for text in texts]
    assert len(heard) == len(expected) and all(
        abs(hz - want_hz) < 25 and abs(ms - want_ms) <= 120 for (hz, ms), (want_hz, want_ms) in zip(heard, expected)), \
        f"heard {heard}, expected {expected}"


# -- what both can do ------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_a_greeting_and_a_turn(world, engine):
    """P6, P25: pure tones, no clicks, no gaps; a row of call_turns with what was said and how long it took."""
    world.configure(greeting="Good day.")
    world.script(transcripts=["What are your opening hours?"], answers=[{"text": "From nine to five."}])
    with world.open(engine) as stream:
        stream.wait_quiet()
        assert_heard(stream, "Good day.")
        since = len(stream.heard)
        stream.speak(QUESTION)
        stream.wait_speaking()
        stream.wait_quiet()
        assert_heard(stream, "From nine to five.", since=since)
        turn = world.turn(stream)
        assert (turn["user_text"], turn["reply_text"]) == ("What are your opening hours?", "From nine to five.")
        assert turn["engine"] == engine and not turn["interrupted"] and not turn["error"]
        assert 0 <= turn["total_ms"] < 3000 and abs(turn["played_ms"] - tone("From nine to five.")[1]) < 60
        assert abs(turn["heard_ms"] - len(QUESTION) // 8) < 900
        assert not stream.warnings and stream.longest_gap() < 60 and not stream.happened("clear")


@pytest.mark.parametrize("engine", ENGINES)
def test_an_interruption_in_mid_answer(world, engine):
    """P3, P4, P5: silence within 200 ms of what counts as an interruption, and the model is told what was heard."""
    answer = "One two three four five six seven eight nine ten eleven twelve."
    world.script(transcripts=["Tell me.", "Stop."], answers=[{"text": answer}, {"text": "Yes?"}])
    with world.open(engine) as stream:
        stream.speak(QUESTION)
        stream.wait_speaking()
        begun = stream.now_ms()
        wait_until(lambda: stream.now_ms() - begun > 1000, 5, "a second of the answer")
        said = stream.now_ms()
        stream.speak(WORD, wait=False)
        wait_until(lambda: stream.happened("clear"), 3, "a clear")
        assert stream.happened("clear")[0][0] - said < 700  # with the word's own beginning, which is soft
        wait_until(lambda: len(tones(bytes(stream.heard))) >= 2, 8, lambda: f"{tones(bytes(stream.heard))}")
        stream.wait_quiet()
        heard = tones(bytes(stream.heard))
        assert abs(heard[0][0] - tone(answer)[0]) < 25 and 800 < heard[0][1] < 2500
        assert abs(heard[1][0] - tone("Yes?")[0]) < 25
        first = world.turns(stream)[0]
        assert first["interrupted"] and abs(first["played_ms"] - heard[0][1]) < 400
        assert len(stream.happened("clear")) == 1 and not stream.warnings
        check_told_heard(world, engine, answer, heard[0][1])


def check_told_heard(world, engine, answer, heard_ms):
    if engine == "openai-realtime":
        [cut] = [one for one in world.asked("/v1/realtime") if one and one.get("type") == "conversation.item.truncate"]
        assert cut["content_index"] == 0 and abs(cut["audio_end_ms"] - heard_ms) < 400 and cut["item_id"]
        return
    messages = world.asked("/v1/chat/completions")[-1]["messages"]
    assert [one["role"] for one in messages] == ["system", "user", "assistant", "user"]
    words = messages[2]["content"]
    assert answer.startswith(words) and 0 < len(words) < len(answer) * 0.6 and answer[len(words)] == " ", words


@pytest.mark.parametrize("engine", ENGINES)
def test_a_transfer_says_so_first(world, engine):
    world.script(answers=[{"text": "One moment.", "tool": "transfer",
                           "arguments": {"to": "+33155555555", "reason": "wants a person"}}])
    with world.open(engine) as stream:
        stream.speak(WORD)
        stream.wait_closed()
        assert_heard(stream, "One moment.")
        assert world.outcome(stream) == {"end": "transfer", "to": "+33155555555", "reason": "wants a person"}


@pytest.mark.parametrize("engine", ENGINES)
def test_goodbye_is_played_before_the_call_ends(world, engine):
    world.script(answers=[{"text": "Thank you and goodbye.", "tool": "hang_up"}])
    with world.open(engine) as stream:
        stream.speak(WORD)
        stream.wait_closed()
        assert_heard(stream, "Thank you and goodbye.")
        assert world.outcome(stream)["end"] == "hangup"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_tool_that_takes_time_and_fails_is_told_to_the_model(world, engine):
    world.script(answers=[{"text": "", "tool": "lookup_customer"}, {"text": "I do not know you."}])
    with world.open(engine) as stream:
        stream.speak(WORD)
        stream.wait_speaking()
        stream.wait_quiet()
        assert_heard(stream, "I do not know you.")
    if engine == "pipeline":
        messages = world.asked("/v1/chat/completions")[-1]["messages"]
        assert [one["role"] for one in messages] == ["system", "user", "assistant", "tool"]
    else:
        made = [one for one in world.asked("/v1/realtime") if one and one.get("type") == "conversation.item.create"]
        assert made[0]["item"]["type"] == "function_call_output" and made[0]["item"]["call_id"]


@pytest.mark.parametrize("engine", ENGINES)
def test_0_is_a_person(world, engine):
    world.configure(greeting="A greeting that nobody listens to until its end.")
    with world.open(engine) as stream:
        stream.wait_speaking()
        stream.press("0")
        stream.wait_closed()
        assert world.outcome(stream)["end"] == "transfer"
        assert stream.happened("clear")


@pytest.mark.parametrize("engine", ENGINES)
def test_an_address_inside_is_not_reached(world, engine):
    """A tenant's URL leads to public addresses and to what the operator allowed: 127.0.0.1, not 127.0.0.2."""
    world.configure(url=world.sandbox.url.replace("127.0.0.1", "127.0.0.2"), greeting="Hello.")
    with world.open(engine) as stream:
        outcome = world.outcome(stream)
        assert outcome["end"] == "message" and re.search("not (allowed|public)", outcome["reason"]), outcome
        assert stream.wait_closed()


@pytest.mark.parametrize("engine", ENGINES)
def test_kill_9_of_the_engine_ends_in_a_recording(world, engine):
    world.script(answers=[{"text": "A long answer, so that there is time to die in the middle of it, or after."}])
    with world.open(engine) as stream:
        stream.speak(WORD)
        stream.wait_speaking()
        world.stack.kill9("sandbox")
        died = stream.now_ms()
        try:
            stream.wait_quiet()
            if engine == "pipeline":  # it has no connection that could break: the next question finds nobody
                died = stream.now_ms()
                stream.speak(WORD)
            outcome = world.outcome(stream)
            stream.wait_closed()
            assert outcome["end"] == "message", outcome
            assert stream.happened("close")[0][0] - died < 6000 + len(WORD) // 8 + tone("x" * 80)[1]
        finally:
            world.stack.start("sandbox")


def test_two_callers_at_once_do_not_hear_each_other(world):
    """P25"""
    with world.open("pipeline") as one, world.open("pipeline") as two:
        one.speak(WORD, wait=False)
        two.speak(QUESTION)
        for stream in (one, two):
            stream.wait_speaking()
            stream.wait_quiet()
        replies = {world.turns(stream)[0]["reply_text"] for stream in (one, two)}
        assert len(replies) == 2 and all(reply.startswith("You said:") for reply in replies)


# -- pipeline ---------------------------------------------------------------------------------------------


def test_sentences_are_spoken_while_the_answer_is_still_written(world):
    world.script(transcripts=["Hours?"], answers=[{"text": "From nine to five. On Sunday we are closed. Anything else?"}],
                 pace_ms=25)
    with world.open("pipeline") as stream:
        stream.speak(QUESTION)
        stream.wait_speaking()
        stream.wait_quiet()
        assert_heard(stream, "From nine to five.", "On Sunday we are closed.", "Anything else?")
        assert stream.longest_gap() < 60
        turn = world.turn(stream)
        assert turn["reply_text"] == "From nine to five. On Sunday we are closed. Anything else?"
        for part in ("recognise_ms", "think_ms", "speak_ms", "total_ms"):
            assert turn[part] is not None and turn[part] >= 0
        assert turn["total_ms"] < 3000
    [form] = world.asked("/v1/audio/transcriptions")
    # P9: the whole question, with what was before it was noticed.
    assert form["language"] == "en" and form["ms"] >= len(QUESTION) // 8 - 100 and form["rms"] > 300


def test_a_server_that_cannot_stream_and_sends_wave_files(world):
    world.script(answers=[{"text": "All at once. And more."}], whole=True)
    with world.open("pipeline") as stream:
        stream.speak(WORD)
        stream.wait_speaking()
        stream.wait_quiet()
        assert_heard(stream, "All at once.", "And more.")


def test_what_nobody_said_is_not_answered(world):
    """P29: noise is not sent; a recogniser's dreams about soft sounds are not answered; the next question is."""
    world.script(transcripts=["Thank you.", "Hours?"], answers=[{"text": "From nine to five."}])
    with world.open("pipeline") as stream:
        stream.speak(voices.silence(600) + voices.noise(250, rms=300) + voices.silence(1200))
        stream.speak(QUESTION)
        stream.wait_speaking()
        stream.wait_quiet()
        texts = [turn["user_text"] for turn in world.turns(stream)]
        assert "Thank you." not in texts and len(world.asked("/v1/chat/completions")) == 1


def test_a_filler_when_thinking_takes_long(world):
    world.configure(filler="Just a second.", filler_ms=500)
    world.script(answers=[{"text": "Here it is.", "think_ms": 1800}])
    with world.open("pipeline") as stream:
        stream.speak(WORD)
        stream.wait_speaking()
        wait_until(lambda: len(tones(bytes(stream.heard))) >= 2, 8, lambda: f"{tones(bytes(stream.heard))}")
        stream.wait_quiet()
        assert_heard(stream, "Just a second.", "Here it is.")


def test_who_says_nothing_is_asked_twice_and_then_taken_leave_of(world):
    world.configure(silence_ms=600, reprompt="Hello?", goodbye="Bye.")
    with world.open("pipeline") as stream:
        stream.wait_closed()
        assert_heard(stream, "Hello?", "Hello?", "Bye.")
        assert world.outcome(stream)["end"] == "hangup"


def test_one_failure_of_the_transcription_is_not_heard(world):
    world.fault("/v1/audio/transcriptions", status=500)
    world.script(answers=[{"text": "I am here."}])
    with world.open("pipeline") as stream:
        stream.speak(WORD)
        stream.wait_speaking()
        stream.wait_quiet()
        assert_heard(stream, "I am here.")
        assert len(world.asked("/v1/audio/transcriptions")) == 2


@pytest.mark.parametrize("path, fault, words", [
    ("/v1/audio/transcriptions", {"status": 401}, "refuses the key"),
    ("/v1/audio/transcriptions", {"status": 429, "times": 2}, "429"),
    ("/v1/audio/transcriptions", {"status": 200, "body": "<html>welcome</html>"}, "does not answer with JSON"),
    ("/v1/chat/completions", {"status": 500, "times": 2}, "500"),
    ("/v1/chat/completions", {"status": 200, "body": "<html>welcome</html>", "times": 2}, "text/html"),
    ("/v1/chat/completions", {"drop": "middle", "times": 2}, "chat"),
    ("/v1/chat/completions", {"drop": "stall"}, "nothing came"),
    ("/v1/audio/speech", {"status": 200, "body": "{}", "times": 2}, "instead of samples"),
    ("/v1/audio/speech", {"drop": "stall"}, "nothing came"),
])
def test_a_pipeline_that_fails_ends_in_a_recording(world, path, fault, words):
    """Within 6 s of the failure, in words, and never with the key."""
    world.configure(filler="")
    world.fault(path, **fault)
    with world.open("pipeline") as stream:
        stream.speak(WORD)
        asked = stream.now_ms()
        outcome = world.outcome(stream)
        assert outcome["end"] == "message" and words in outcome["reason"], outcome
        stream.wait_closed()
        assert stream.happened("close")[0][0] - asked < 8000
        assert not re.search(re.escape(KEY), json.dumps(outcome))


# -- openai-realtime ---------------------------------------------------------------------------------------


def test_the_beta_names_are_understood(world):
    world.configure(greeting="Good day.")
    world.script(answers=[{"text": "As ever."}], beta=True)
    with world.open("openai-realtime") as stream:
        stream.wait_quiet()
        stream.speak(WORD)
        stream.wait_speaking()
        stream.wait_quiet()
        assert_heard(stream, "Good day.", "As ever.")


@pytest.mark.parametrize("path, fault, words", [
    ("/v1/realtime", {"status": 429}, "429"),
    ("/v1/realtime", {"drop": "before"}, "ended"),
    ("/v1/realtime", {"drop": "stall"}, "no session"),
    ("/v1/realtime/response", {"status": 500}, "failed"),
    ("/v1/realtime/response", {"drop": "middle"}, "1011"),
    ("/v1/realtime/response", {"drop": "stall"}, "stalls"),
])
def test_a_realtime_server_that_fails_ends_in_a_recording(world, path, fault, words):
    world.script(answers=[{"text": "An answer that takes some time to say."}])
    world.fault(path, **fault)
    with world.open("openai-realtime") as stream:
        if path.endswith("response"):
            stream.speak(WORD)
        outcome = world.outcome(stream)
        assert outcome["end"] == "message" and words in outcome["reason"], outcome
        stream.wait_closed()


def test_a_wrong_key_ends_in_a_recording_and_stays_secret(world):
    world.stack.sandbox("engine/script", key="sk-another-key-than-that")
    with world.open("openai-realtime") as stream:
        outcome = world.outcome(stream)
        assert outcome["end"] == "message" and KEY not in json.dumps(outcome)
        stream.wait_closed()
