"""Engines that live elsewhere, pipeline and openai-realtime, each asked through whole calls: a turn, an interruption in
mid-answer, tools, keys, addresses inside, an engine that dies."""
import re

import pytest

from engine_world import QUESTION, WORD, assert_heard, engine_world, tone, tones
from waiting import wait_until

ENGINES = ("pipeline", "openai-realtime")


@pytest.fixture(scope="module")
def whole(module_stack):
    return engine_world(module_stack)


@pytest.fixture
def world(whole):
    return whole.fresh()


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
