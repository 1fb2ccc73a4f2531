"""Media Streams at media-ws: the wire in echo mode byte for byte, who may have a stream, what is not taken, what is left."""
import asyncio
import base64
import json
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest
import requests
import websockets

from fake_twilio import FakeStream, signature, stream_token
from media_world import PATH, TWILIO_TOKEN, MediaWorld, token
from npm_folder import npm_folder
from raw_stream import AC, RawStream, call_sid
from waiting import wait_until
from websocket_frames import CLOSE, CONTINUATION, PING, TEXT, Raw, frame
from websocket_frames import handshake as handshake_of

HOST = "wss://voice.example.com"
PATHS = (PATH, PATH + "/", "//ws//twilio-media", "//ws/twilio-media//")


@pytest.fixture(scope="module")
def world(module_stack):
    return MediaWorld(module_stack(("media-ws",), settings={
        "CALLWEAVE_MEDIA_WS_TEST_STREAMS": "true", "CALLWEAVE_MEDIA_WS_PUBLIC_URL": HOST}))


# -- the handshake ---------------------------------------------------------------------------------------


def handshake(world, path, extra=""):
    """The raw answer, as a strict client sees it."""
    with socket.create_connection(("127.0.0.1", world.media.port), timeout=5) as peer:
        peer.sendall((f"GET {path} HTTP/1.1\r\nHost: voice.example.com\r\nUser-Agent: Twilio.TmeWs/1.0\r\n"
                      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                      f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extra}\r\n").encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += peer.recv(4096)
        return answer.decode()


@pytest.mark.parametrize("path", PATHS)
def test_p2_both_slash_forms_are_101_on_the_port_of_http(world, path):
    answer = handshake(world, path)
    assert answer.startswith("HTTP/1.1 101 ")
    assert "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer
    assert "Sec-WebSocket-Protocol" not in answer
    assert requests.get(world.media.url + "/livez", timeout=5).status_code == 200


@pytest.mark.parametrize("offered, chosen", [
    ("audio.twilio.com", "audio.twilio.com"), ("x, audio.twilio.com", "audio.twilio.com"),
    ("Audio.Twilio.com", "Audio.Twilio.com"), ("x, y", None)])
def test_the_sub_protocol_is_echoed_only_if_it_was_offered(world, offered, chosen):
    answer = handshake(world, "/ws/twilio-media", f"Sec-WebSocket-Protocol: {offered}\r\n")
    found = re.search(r"Sec-WebSocket-Protocol: (\S+)", answer)
    assert answer.startswith("HTTP/1.1 101 ") and (found.group(1) if found else None) == chosen


def test_a_get_that_is_no_handshake_and_other_paths(world):
    assert requests.get(world.media.url + "/ws/twilio-media", timeout=5).status_code in (400, 426)
    assert requests.get(world.media.url + "/ws/other", timeout=5).status_code == 404
    assert requests.post(world.media.url + "/ws/twilio-media", timeout=5).status_code == 405


def test_p1_every_handshake_is_in_the_log(world):
    """P1: also those that came to nothing; under the id that was answered, and without the query."""
    def logged(identity):
        return [line["msg"] for line in map(json.loads, world.media.text().splitlines())
                if line.get("trace") == identity and " of 127.0.0.1: " in line["msg"]]

    def refused(method, path, status):
        answer = requests.request(method, world.media.url + path, timeout=5)
        assert answer.status_code == status, path
        return logged(answer.headers["X-Request-Id"])
    for method, path, status in (("GET", "/ws/twilio-media?key=a-secret-of-theirs", 426), ("GET", "/twilio-media", 404),
                                 ("POST", "/ws/twilio-media", 405), ("GET", "/audio/" + call_sid(), 403)):
        # Once more when others said the same too often in this second.
        lines = wait_until(lambda: refused(method, path, status), 5, f"{path} is in the log")
        assert lines == [f"{method} {path.split('?')[0]} of 127.0.0.1: {status}"]
    opened = wait_until(lambda: handshake(world, "//ws/twilio-media/", "X-Request-Id: the-one-that-opens\r\n")
                        and logged("the-one-that-opens"), 5, "the stream that opens is in the log")
    assert opened == ["GET //ws/twilio-media/ of 127.0.0.1: 101"]
    assert "a-secret-of-theirs" not in world.media.text()


# -- echo, byte for byte ---------------------------------------------------------------------------------


async def echo(world, frames, path="/ws/twilio-media", **options):
    """Frames of all sizes there and back; gives how many came."""
    async with world.raw(path, **options) as stream:
        await stream.start(mode="echo")
        said = [os.urandom(1 + frame * 31 % 400) for frame in range(frames)]
        for audio in said:
            await stream.media(audio)
        for place, audio in enumerate(said, 1):
            assert await stream.answer() == json.dumps(
                {"event": "media", "streamSid": stream.stream, "media": {"payload": base64.b64encode(audio).decode()}},
                separators=(",", ":"))
            if place % 50 == 0:
                assert json.loads(await stream.answer()) == {
                    "event": "mark", "streamSid": stream.stream, "mark": {"name": f"f{place}"}}
        await stream.send(stream.numbered("stop", stop={"accountSid": AC, "callSid": stream.call}))
        assert await stream.closed() == (1000, "the caller hung up")
        return frames


def test_p27_python3_websockets_gets_every_byte_back(world):
    for path in PATHS:
        assert asyncio.run(echo(world, 130, path, subprotocols=["audio.twilio.com"])) == 130


@pytest.mark.parametrize("offered", ["", "audio.twilio.com"])
def test_p27_npm_ws_gets_every_byte_back(world, offered):
    folder = npm_folder(Path(__file__).parent.parent / "support" / "websocket_npm", "media_echo.mjs")
    done = subprocess.run(["node", "media_echo.mjs", world.url + "/ws/twilio-media/", "220", offered], cwd=folder,
                          text=True, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout) == {
        "code": 1000, "reason": "the caller hung up", "protocol": offered, "extensions": "", "same": True,
        "echoed": 220, "marks": ["f50", "f100", "f150", "f200"], "exact": True,
        "keys": ["event,streamSid,media", "event,streamSid,mark"]}


def test_p27_sink_gives_nothing_back(world):
    async def story():
        async with world.raw() as stream:
            await stream.start(mode="sink")
            for _ in range(60):
                await stream.media(b"\x80" * 160)
            with pytest.raises(asyncio.TimeoutError):
                await stream.answer(0.3)
    asyncio.run(story())
    world.idle()
    assert "sink: 60 frames, 9600 bytes" in world.media.text()


def test_p27_tone_is_440_hz_in_real_time_without_a_gap(world):
    with FakeStream(world.url + PATH, call_sid(), parameters={"mode": "tone"}) as stream:
        wait_until(lambda: stream.now_ms() > 2500, 10, "two and a half seconds")
        heard = bytes(stream.heard)[1600:17600]
        assert not stream.warnings and stream.longest_gap() == 0
        ahead = sum(detail for _, what, detail in stream.happened("media")) // 8 - stream.now_ms()
    rising = sum(1 for a, b in zip(heard, heard[1:]) if a < 0x80 <= b)  # mu-law: the upper half is positive
    assert abs(rising / (len(heard) / 8000) - 440) < 5, "the tone of a telephone"
    assert ahead < 900, "it is not sent long before it is due"


# -- P13: who may have a stream ---------------------------------------------------------------------------


async def attempt(world, call, headers=None, path="/ws/twilio-media", wait=0.4, **parameters):
    """None when the echo answers, else the close (code, words)."""
    async with world.raw(path, headers=headers, call=call) as stream:
        await stream.start(**parameters)
        await stream.media(b"\x55" * 160)
        try:
            assert json.loads(await stream.answer())["event"] == "media"
            return None
        except websockets.ConnectionClosed:
            return stream.socket.close_code, stream.socket.close_reason


def test_p13_a_token_opens_its_call_once(world):
    call = world.call()
    once = token(call)
    assert asyncio.run(attempt(world, call, token=once)) is None
    assert asyncio.run(attempt(world, call, token=once)) == (1008, "the token was used before")


@pytest.mark.parametrize("made, words", [
    (lambda call: None, "no token"),
    (lambda call: "nonsense", "the token is not one of ours"),
    (lambda call: stream_token("x" * 40, call), "the token is not one of ours"),
    (lambda call: token(call_sid()), "the token is another call's"),
    (lambda call: token(call, valid_ms=-1), "the token is too old"),
])
def test_p13_without_a_right_token_it_stays_closed(world, made, words):
    call = world.call()
    before = world.refused("token")
    given = made(call)
    assert asyncio.run(attempt(world, call, **({"token": given} if given else {}))) == (1008, words)
    assert world.refused("token") == before + 1
    assert world.row(call)["outcome"] is None and world.row(call)["stream_sid"] == ""


def test_p13_a_token_is_used_once_for_all_instances(world):
    """The other instance is played by Redis."""
    call = world.call()
    once = token(call)
    key = "callweave:stream:" + once.split(".")[2]
    subprocess.run(["redis-cli", "-u", world.stack.redis.url, "SET", key, "1"], check=True, capture_output=True)
    assert asyncio.run(attempt(world, call, token=once)) == (1008, "the token was used elsewhere")


@pytest.mark.parametrize("path", PATHS[:2])
@pytest.mark.parametrize("signed", PATHS[:2])
def test_p13_twilios_signature_over_either_slash_form_is_enough(world, path, signed):
    call = world.call()
    headers = {"x-twilio-signature": signature(HOST + signed, TWILIO_TOKEN)}
    assert asyncio.run(attempt(world, call, headers, path)) is None


def test_p13_a_wrong_signature_helps_nobody_and_harms_no_token(world):
    call = world.call()
    wrong = {"x-twilio-signature": signature(HOST + "/ws/twilio-media", "another token")}
    code, words = asyncio.run(attempt(world, call, wrong))
    assert code == 1008 and TWILIO_TOKEN not in words
    assert asyncio.run(attempt(world, call, wrong, token=token(call))) is None


def test_what_a_stranger_says_of_the_host_is_not_believed(world):
    """A signature over another host, and headers that say that it was asked for: refused."""
    call = world.call()
    spoofed = {"x-twilio-signature": signature("wss://evil.example.net" + PATH, TWILIO_TOKEN),
               "X-Forwarded-Host": "evil.example.net", "X-Forwarded-Proto": "wss", "X-Original-Host": "evil.example.net"}
    assert asyncio.run(attempt(world, call, spoofed))[0] == 1008


def test_p13_calls_that_are_unknown_over_or_of_another_account(world):
    unknown = call_sid()
    assert asyncio.run(attempt(world, unknown, token=token(unknown))) == (1008, "no such call")
    over = world.call(state="over")
    assert asyncio.run(attempt(world, over, token=token(over))) == (1008, "the call is over")
    other = world.call(account_sid="AC" + "9" * 32)
    assert asyncio.run(attempt(world, other, token=token(other))) == (1008, "a call of another account")


# -- what is not taken ------------------------------------------------------------------------------------

STARTED = object()
BAD = [
    ("binary", b"\x00\x01", 1003, "binary"),
    ("no JSON", "hello", 1007, "json"),
    ("a list", "[]", 1007, "json"),
    ("no event", "{}", 1007, "json"),
    ("deep", "[" * 100 + "]" * 100, 1007, "json"),
    ("media before start", lambda stream: stream.media_message(b"\xff"), 1002, "order"),
    ("stop before start", lambda stream: stream.numbered("stop"), 1002, "order"),
    ("start without a call", lambda stream: stream.numbered("start", start={}), 1007, "json"),
    ("start of other audio", lambda stream: (message := stream.start_message(mode="echo"))["start"].update(
        mediaFormat={"encoding": "audio/l16", "sampleRate": 16000, "channels": 1}) or message, 1003, "json"),
    ("start with a sid that needs escapes",
     lambda stream: {**stream.start_message(), "streamSid": 'a"b'}, 1007, "json"),
]
BAD_LATER = [
    ("a second start", lambda stream: stream.start_message(mode="echo"), 1002, "order"),
    ("another stream", lambda stream: {**stream.media_message(b"\xff"), "streamSid": "MZ" + "f" * 32}, 1008, "stream"),
    ("a number again", lambda stream: {**stream.media_message(b"\xff"), "sequenceNumber": "1"}, 1002, "order"),
    ("no base64", lambda stream: stream.numbered("media", media={"payload": "!"}), 1007, "json"),
    ("no payload", lambda stream: stream.numbered("media", media={}), 1007, "json"),
    ("a key that no telephone has", lambda stream: stream.numbered("dtmf", dtmf={"digit": "x"}), 1007, "json"),
    ("binary", b"\xff" * 160, 1003, "binary"),
]


@pytest.mark.parametrize("started, bad, code, reason", [
    pytest.param(False, bad, code, reason, id=name) for name, bad, code, reason in BAD] + [
    pytest.param(True, bad, code, reason, id="later: " + name) for name, bad, code, reason in BAD_LATER])
def test_bad_messages_close_with_the_right_code_and_are_counted(world, started, bad, code, reason):
    async def story():
        async with world.raw() as stream:
            if started:
                await stream.start(mode="echo")
                await stream.media(b"\x80" * 160)
                await stream.answer()
            await stream.send(bad(stream) if callable(bad) else bad)
            return (await stream.closed())[0]
    before = world.refused(reason)
    assert asyncio.run(story()) == code
    assert world.refused(reason) == before + 1


def test_oversized_messages_are_1009(world):
    async def story():
        async with world.raw() as stream:
            await stream.start(mode="echo")
            await stream.send("x" * 70_000)
            return (await stream.closed())[0]
    assert asyncio.run(story()) == 1009
    world.idle()


def test_unknown_events_and_holes_in_the_numbers_are_taken(world):
    async def story():
        async with world.raw() as stream:
            await stream.start(mode="echo")
            await stream.send(stream.numbered("weather", sun=True))
            stream.sequence += 7
            await stream.media(b"\x01\x02")
            assert json.loads(await stream.answer())["media"]["payload"] == "AQI="
    asyncio.run(story())


@pytest.mark.parametrize("sent, code", [
    (frame(TEXT, b"{}", masked=False), 1002), (frame(TEXT, b"{}", rsv=4), 1002), (frame(3), 1002),
    (frame(PING, b"x" * 126), 1002), (frame(PING, fin=False), 1002), (frame(CONTINUATION, b"x"), 1002),
    (frame(TEXT, b"\xff\xfe"), 1007), (frame(CLOSE, b"\x03"), 1002),
    (frame(TEXT, b"x", length=[127, 0, 0, 1, 0, 0, 0, 0, 0]), 1009)],
    ids=["unmasked", "RSV", "opcode 3", "a long ping", "a ping in pieces", "a piece of nothing", "no UTF-8",
         "half a code", "a terabyte"])
def test_violations_of_rfc_6455_in_a_call_close_with_their_code(world, sent, code):
    """The caller is not left: no outcome but a recording."""
    call = world.call("tone")
    with Raw(world.media.port, handshake_of(PATH)) as raw:
        start = RawStream("", call=call).start_message(token=token(call))
        raw.send(frame(TEXT, json.dumps(start).encode()))
        opcode, payload = raw.receive()
        assert opcode == TEXT and json.loads(payload)["event"] == "media"
        raw.send(sent)
        while opcode != CLOSE:
            opcode, payload = raw.receive()
        assert int.from_bytes(payload[:2], "big") == code
    world.idle()
    assert (world.row(call)["outcome"] or {"end": "message"})["end"] == "message"


def test_no_start_no_stream(world):
    async def story():
        async with world.raw() as stream:
            return await stream.closed()
    assert asyncio.run(story()) == (1008, "no start came")
    world.idle()


# -- the end ----------------------------------------------------------------------------------------------


def test_a_caller_who_hangs_up_is_written_down(world):
    call = world.call("tone")
    with world.stream(call) as stream:
        stream.wait_speaking()
        assert world.row(call)["talker"] == "agent" and world.row(call)["stream_sid"] == stream.stream
    assert world.outcome(call) == {"end": "hangup", "to": "", "reason": "the caller hung up"}


def test_p22_a_socket_that_breaks_leaves_nothing_and_no_outcome(world):
    """No outcome means: hooks asks the caller to leave a message."""
    call = world.call("tone")
    before = world.metric("callweave_media_lost_total")

    async def story():
        stream = await world.raw(call=call).__aenter__()
        await stream.start(token=token(call))
        await stream.answer()
        stream.socket.transport.abort()
    asyncio.run(story())
    world.idle()
    assert world.metric("callweave_media_lost_total") == before + 1
    assert world.row(call)["outcome"] is None


def test_p22_frames_are_counted_and_not_logged(world):
    taken, lines = world.metric("callweave_media_frames_in_total"), world.media.text().count("\n")
    asyncio.run(echo(world, 500))
    world.idle()
    assert world.metric("callweave_media_frames_in_total") == taken + 500
    assert world.media.text().count("\n") - lines < 10


async def half_a_handshake(world, call):
    reader, writer = await asyncio.open_connection("127.0.0.1", world.media.port)
    writer.write(b"GET /ws/twilio-media HTTP/1.1\r\nHost: x\r\n")
    await writer.drain()
    writer.close()


async def stopped_at(world, call, step):
    """A call that goes on to `step`; then its socket is gone, without a word."""
    async with world.raw(call=call) as stream:
        if step == "connected":
            await stream.send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        elif step != "101":
            await stream.start(token=token(call))
        if step not in ("101", "connected", "start"):
            await stream.answer()
            await stream.media(b"\x80" * 160)
        if step == "mark":
            await stream.send(stream.numbered("mark", mark={"name": "g1u1"}))
        if step == "half a message":
            stream.socket.transport.write(b"\x81\xfe\x01\x00abcd" + b"x" * 20)
        if step == "stop":
            await stream.send(stream.numbered("stop", stop={"accountSid": AC, "callSid": call}))
        stream.socket.transport.abort()


STEPS = ("101", "connected", "start", "greeting", "mark", "half a message", "stop")


def test_who_hangs_up_at_any_step_leaves_nothing(world):
    """Neither descriptors nor streams, and the next call of the same number is taken."""
    asyncio.run(stopped_at(world, world.call("tone"), "greeting"))
    world.idle()
    before = descriptors(world.media)

    async def story():
        calls = {step: world.call("tone") for step in STEPS for _ in range(3)}
        await asyncio.gather(*(half_a_handshake(world, "") for _ in range(5)),
                             *(stopped_at(world, call, step) for step, call in calls.items()))
        return calls
    calls = asyncio.run(story())
    world.idle()
    wait_until(lambda: descriptors(world.media) <= before, 10, "descriptors are given back")
    for step, call in calls.items():
        outcome = world.row(call)["outcome"]
        assert outcome is None or (step == "stop" and outcome["end"] == "hangup"), f"{step}: {outcome}"
    with world.stream(world.call("tone")) as stream:
        stream.wait_speaking()


def test_a_caller_who_never_stops_is_bounded(world):
    """As many frames as the line takes, and nothing of what comes back is read: ended, and no memory is kept."""
    before = world.media.resident_kib()

    async def story():
        async with world.raw() as stream:
            await stream.start(mode="echo")
            stream.socket.transport.pause_reading()
            message = json.dumps(stream.media_message(b"\x55" * 160))
            for number in range(60_000):
                try:
                    await asyncio.wait_for(stream.send(message.replace('"sequenceNumber": "2"', f'"sequenceNumber": "{number + 2}"')), 2)
                except (websockets.ConnectionClosed, asyncio.TimeoutError):
                    break
            stream.socket.transport.abort()
    asyncio.run(story())
    world.idle()
    assert world.media.resident_kib() - before < 40_000  # AddressSanitizer keeps some of what was freed


# -- P25: many ------------------------------------------------------------------------------------------------


def descriptors(process):
    return len(os.listdir(f"/proc/{process.child.pid}/fd"))


async def many_in_a_row(world, count):
    for _ in range(count):
        await echo(world, 3)


async def many_at_once(world, count):
    """Each has its own frames; none gets another's."""
    assert sum(await asyncio.gather(*(echo(world, 25) for _ in range(count)))) == 25 * count


def check_nothing_is_left(world, story, *arguments):
    asyncio.run(story(world, 10))
    world.idle()
    before = descriptors(world.media), world.media.resident_kib()
    asyncio.run(story(world, *arguments))
    world.idle()
    wait_until(lambda: descriptors(world.media) <= before[0] + 1, 10, "descriptors are given back")
    return world.media.resident_kib() - before[1]


def test_p25_calls_in_a_row_and_at_once_leave_nothing(world):
    grown = check_nothing_is_left(world, many_in_a_row, 200) + check_nothing_is_left(world, many_at_once, 100)
    # AddressSanitizer keeps freed memory (its quarantine), so this says only that nothing runs away.
    assert grown < 80_000


@pytest.mark.long
def test_p25_a_thousand_calls_in_a_row(world):
    assert check_nothing_is_left(world, many_in_a_row, 1000) < 80_000
