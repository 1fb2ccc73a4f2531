"""What only one of the engines elsewhere does: pipeline's sentences, fillers, silences and failures, openai-realtime's
dialects and failures. Every failure ends with the caller being asked to leave a message."""
import json
import subprocess
from pathlib import Path

import pytest
import requests

import voices
from engine_world import KEY, QUESTION, WORD, assert_heard, engine_world, tones
from npm_folder import npm_folder
from waiting import wait_until

CLIENT = Path(__file__).resolve().parents[1] / "support" / "openai_npm"


@pytest.fixture(scope="module")
def whole(module_stack):
    return engine_world(module_stack)


@pytest.fixture
def world(whole):
    return whole.fresh()


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


def test_an_interruption_ends_the_transfers(world):
    """The model still writes when the caller interrupts: nobody waits for the rest, and none of it is said or remembered."""
    answer = " ".join(f"This is sentence number {number}." for number in range(1, 25))
    world.configure(filler="")
    world.script(transcripts=["Tell me all.", "Stop."], answers=[{"text": answer}, {"text": "Yes?"}], pace_ms=30)
    with world.open("pipeline") as stream:
        stream.speak(QUESTION)
        stream.wait_speaking()
        begun = stream.now_ms()
        wait_until(lambda: stream.now_ms() - begun > 2300, 5, "some of the answer")
        stream.speak(WORD)
        wait_until(lambda: len(world.asked("/v1/chat/completions")) == 2, 10, "the next question")
        stream.wait_quiet()
        first, second = world.rows("/v1/chat/completions")
        assert first["status"] == 0, "the model went on writing"
        roles = [one["role"] for one in second["request"]["messages"]]
        assert roles == ["system", "user", "assistant", "user"]
        told = second["request"]["messages"][2]["content"]
        assert answer.startswith(told) and "number 1." in told and "number 4" not in told, told
        assert world.turns(stream)[0]["interrupted"] and world.turns(stream)[0]["reply_text"] == told


def test_who_goes_on_speaking_is_heard_as_a_whole(world):
    """P7, P9: a pause that was taken for the end: both parts are one question, answered once."""
    world.fault("/v1/audio/transcriptions", delay_ms=4000)
    world.script(transcripts=["never read", "Both parts."], answers=[{"text": "Well."}])
    with world.open("pipeline") as stream:
        stream.speak(QUESTION + voices.silence(700) + WORD)
        stream.wait_speaking()
        stream.wait_quiet()
        assert_heard(stream, "Well.")
        part, whole = world.asked("/v1/audio/transcriptions")
        assert whole["ms"] > part["ms"] + len(WORD) // 8 - 200
        assert len(world.asked("/v1/chat/completions")) == 1


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
        assert KEY not in json.dumps(outcome)


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


# -- the stand-in ------------------------------------------------------------------------------------------


def test_openais_own_client_understands_the_stand_in(world, tmp_path):
    """What the engines are tested against is what npm `openai` speaks, too: form, streams in small pieces, errors."""
    world.script(transcripts=["Hello?"], answers=[{"text": "Здравствуйте. One moment.", "tool": "transfer",
                                                   "arguments": {"to": "101"}}])
    voices.wav(WORD, tmp_path / "call.wav")
    done = subprocess.run(["node", "talk.mjs", world.sandbox.url, KEY, tmp_path / "call.wav"], timeout=60, text=True,
                          cwd=npm_folder(CLIENT, "talk.mjs"), capture_output=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "text": "Hello?", "chat": "Здравствуйте. One moment.", "tool": 'transfer{"to":"101"}', "finish": "tool_calls",
        "bytes": 660 * 24 * 2, "wrong_key": ["AuthenticationError", "invalid_api_key"],
        "wrong_member": ["BadRequestError", None]}


def wav(samples=1600, head=b"RIFF"):
    data = b"\x10\x00" * samples
    return (head + (36 + len(data)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
            + b"\x01\x00\x01\x00" + (8000).to_bytes(4, "little") + (16000).to_bytes(4, "little") + b"\x02\x00\x10\x00"
            + b"data" + len(data).to_bytes(4, "little") + data)


@pytest.mark.parametrize("files, form, words", [
    ({"file": ("a.wav", wav(), "audio/wav")}, {}, "model"),
    ({"file": ("a.raw", wav(), "audio/wav")}, {"model": "m"}, "format"),
    ({"file": ("a.wav", wav(), "audio/mpeg")}, {"model": "m"}, "format"),
    ({"file": ("a.wav", wav(head=b"JUNK"), "audio/wav")}, {"model": "m"}, "corrupted"),
    ({"file": ("a.wav", wav(samples=80), "audio/wav")}, {"model": "m"}, "too short"),
    ({"file": ("a.wav", wav(), "audio/wav")}, {"model": "m", "lang": "en"}, "lang"),
])
def test_the_stand_in_refuses_wrong_forms(world, files, form, words):
    answer = requests.post(world.sandbox.url + "/v1/audio/transcriptions", files=files, data=form, timeout=10,
                           headers={"Authorization": f"Bearer {KEY}"})
    assert answer.status_code == 400 and words in answer.json()["error"]["message"], answer.text


@pytest.mark.parametrize("messages, words", [
    ([], "messages"), ([{"role": "robot", "content": "x"}], "role"), ([{"role": "user"}], "content"),
    ([{"role": "tool", "tool_call_id": "a", "content": "{}"}], "tool_calls"),
    ([{"role": "assistant", "content": None, "tool_calls": [{"id": "a"}]}], "result"),
    ([{"role": "assistant", "content": None, "tool_calls": [{"id": "a"}]}, {"role": "user", "content": "x"}], "tool"),
])
def test_the_stand_in_refuses_wrong_chats(world, messages, words):
    answer = requests.post(world.sandbox.url + "/v1/chat/completions", json={"model": "m", "messages": messages}, timeout=10,
                           headers={"Authorization": f"Bearer {KEY}"})
    assert answer.status_code == 400 and words in answer.json()["error"]["message"], answer.text
