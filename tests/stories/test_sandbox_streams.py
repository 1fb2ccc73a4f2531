"""The sandbox's Media Streams: a strict Twilio that plays what it is sent by the clock and echoes marks when they were
played (P3, P4, P27). The peers here are python's: they keep the rules, or break one each."""
import asyncio
import base64
import hashlib
import hmac
import json

import pytest
import requests
import websockets

from sandbox_process import Sandbox
from sandbox_twilio import ACCOUNT, BEEP, CALLER, OURS, TOKEN, codes, events, heard, look, mulaw_of, put_file
from twilio_app import App, StreamApp
from waiting import wait_until

SECOND = 8000


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    process = Sandbox(tmp_path_factory.mktemp("sandbox"))
    process.start()
    yield process
    assert process.stop() == 0, process.tail()
    assert process.report() is None, process.report()


@pytest.fixture
def app():
    with App() as app:
        yield app


@pytest.fixture
def sandbox(process, app):
    process.tell("reset")
    process.tell("twilio/numbers", number=OURS, account_sid=ACCOUNT, auth_token=TOKEN, voice_url=app.url + "/voice")
    app.twiml("/over", "<Hangup/>")
    app.answer("/stream", status=204)
    put_file(process, "beep")
    return process


def connect(app, url, extra="", parameters=""):
    app.twiml("/voice", f'<Connect action="/over"><Stream url="{url}" statusCallback="/stream" {extra}>{parameters}</Stream></Connect>'
                        "<Say>Never reached</Say>")


def start(sandbox, *script, speed=1):
    return sandbox.tell("twilio/calls", to=OURS, **{"from": CALLER}, script=[*script], speed=speed)["call_sid"]


def settle(sandbox, sid, timeout=20):
    wait_until(lambda: look(sandbox, sid)["settled"], timeout, lambda: look(sandbox, sid))
    return sid


def media(start_message, audio):
    return json.dumps({"event": "media", "streamSid": start_message["streamSid"],
                       "media": {"payload": base64.b64encode(audio).decode()}})


def mark(start_message, name):
    return json.dumps({"event": "mark", "streamSid": start_message["streamSid"], "mark": {"name": name}})


def clear(start_message):
    return json.dumps({"event": "clear", "streamSid": start_message["streamSid"]})


async def hold(peer, socket, begun):
    while True:
        await peer.next(socket)


def test_the_handshake_and_the_first_messages_are_twilios(sandbox, app):
    async def once(peer, socket, start_message):
        for _ in range(5):
            await peer.next(socket, "media")
        await peer.next(socket, "dtmf")
        await socket.close()
    with StreamApp(once) as peer:
        connect(app, peer.url + "?mode=echo", 'name="first" track="inbound_track"',
                '<Parameter name="token" value="a&quot;b"/><Parameter name="call" value="1"/>')
        sid = settle(sandbox, start(sandbox, {"until": "stream"}, {"say_file": "beep"}, {"dtmf": "5"}, {"wait_ms": 9000}))
    headers = {name.lower(): value for name, value in peer.headers[0].items()}
    signed = base64.b64encode(hmac.new(TOKEN.encode(), peer.url.encode(), hashlib.sha1).digest()).decode()
    assert headers["x-twilio-signature"] == signed and headers["user-agent"] == "Twilio.TmeWs/1.0"
    assert not {"sec-websocket-protocol", "origin", "sec-websocket-extensions"} & set(headers)
    connected, begun, first = peer.messages[:3]
    stream = begun["streamSid"]
    assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert begun == {"event": "start", "sequenceNumber": "1", "streamSid": stream, "start": {
        "accountSid": ACCOUNT, "streamSid": stream, "callSid": sid, "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"token": 'a"b', "call": "1"}}}
    assert first["media"]["track"] == "inbound" and first["media"]["chunk"] == "1" and first["sequenceNumber"] == "2"
    sounds = peer.events("media")
    assert [int(one["media"]["chunk"]) for one in sounds] == list(range(1, len(sounds) + 1))
    assert {int(b["media"]["timestamp"]) - int(a["media"]["timestamp"]) for a, b in zip(sounds, sounds[1:])} == {20}
    assert all(len(base64.b64decode(one["media"]["payload"])) == 160 for one in sounds)
    assert BEEP[:160] in [base64.b64decode(one["media"]["payload"]) for one in sounds]
    [digit] = peer.events("dtmf")
    assert digit["dtmf"] == {"track": "inbound_track", "digit": "5"} and digit["streamSid"] == stream
    assert codes(sandbox, sid) == [] and events(sandbox, sid, "stripped") == ["?mode=echo"]
    assert [form["StreamEvent"] for form in app.forms("/stream")] == ["stream-started", "stream-stopped"]
    assert app.forms("/stream")[0]["StreamSid"] == stream and app.forms("/stream")[0]["StreamName"] == "first"
    [over] = app.forms("/over")
    assert over["CallStatus"] == "in-progress" and over["StreamSid"] == stream and "say" not in str(look(sandbox, sid)["events"])


def test_audio_is_played_by_the_clock_and_a_mark_means_played_P3(sandbox, app):
    seen = {}

    async def speak(peer, socket, begun):
        loop = asyncio.get_running_loop()
        await socket.send(mark(begun, "at once"))
        seen["first"] = (await peer.next(socket, "mark"))["mark"]["name"]
        at = loop.time()
        await socket.send(media(begun, BEEP[:4000]))  # half a second, in one piece
        await socket.send(mark(begun, "half"))
        await socket.send(media(begun, BEEP[:4001]))
        await socket.send(mark(begun, "whole"))
        for name in ("half", "whole"):
            assert (await peer.next(socket, "mark"))["mark"]["name"] == name
            seen[name] = loop.time() - at
        await socket.close()
    with StreamApp(speak) as peer:
        connect(app, peer.url)
        sid = settle(sandbox, start(sandbox))
    assert seen["first"] == "at once"
    assert 0.45 <= seen["half"] <= 0.75 and 0.95 <= seen["whole"] <= 1.3, seen
    samples = mulaw_of(heard(sandbox, sid))
    assert BEEP[:4000] + BEEP[:4001] in samples and set(samples.replace(BEEP[:4000] + BEEP[:4001], b"")) == {0xFF}
    assert events(sandbox, sid, "marked") == ["at once", "half", "whole"] and events(sandbox, sid, "gap") == []
    assert codes(sandbox, sid) == []


def test_clear_drops_what_was_not_played_and_echoes_its_marks_P4(sandbox, app):
    seen = {}

    async def interrupted(peer, socket, begun):
        await socket.send(media(begun, BEEP * 20))
        await socket.send(mark(begun, "a"))
        await socket.send(media(begun, BEEP))
        await socket.send(mark(begun, "b"))
        for _ in range(25):
            await peer.next(socket, "media")
        at = asyncio.get_running_loop().time()
        await socket.send(clear(begun))
        seen["names"] = [(await peer.next(socket, "mark"))["mark"]["name"] for _ in "ab"]
        seen["took"] = asyncio.get_running_loop().time() - at
        for _ in range(10):
            await peer.next(socket, "media")
        await socket.close()
    with StreamApp(interrupted) as peer:
        connect(app, peer.url)
        sid = settle(sandbox, start(sandbox))
    assert seen["names"] == ["a", "b"] and seen["took"] < 0.2
    assert events(sandbox, sid, "flushed") == ["a", "b"] and events(sandbox, sid, "marked") == []
    [dropped] = events(sandbox, sid, "clear")
    loud = sum(one != 0xFF for one in mulaw_of(heard(sandbox, sid)))
    assert 0.4 * SECOND <= loud <= 0.8 * SECOND and abs(int(dropped) - (21000 - loud / 8)) < 30


def test_a_hole_in_an_utterance_is_seen(sandbox, app):
    async def choppy(peer, socket, begun):
        await socket.send(media(begun, BEEP[:1600]))
        for _ in range(25):
            await peer.next(socket, "media")
        await socket.send(media(begun, BEEP[:1600]))
        await socket.send(mark(begun, "end"))
        await peer.next(socket, "mark")
        await socket.send(media(begun, BEEP[:160]))
        await socket.send(mark(begun, "another"))
        await peer.next(socket, "mark")
        await socket.close()
    with StreamApp(choppy) as peer:
        connect(app, peer.url)
        sid = settle(sandbox, start(sandbox))
    [gap] = events(sandbox, sid, "gap")
    assert 200 <= int(gap) <= 400 and len(events(sandbox, sid, "talks")) == 2


SID = "MZ" + "0" * 32
BROKEN = {
    "not JSON": (31951, lambda begun: "hello"),
    "a list": (31951, lambda begun: "[1]"),
    "no event": (31951, lambda begun: json.dumps({"streamSid": begun["streamSid"]})),
    "another event": (31951, lambda begun: json.dumps({"event": "stop", "streamSid": begun["streamSid"]})),
    "another stream": (31951, lambda begun: media({"streamSid": SID}, BEEP[:160])),
    "no streamSid": (31951, lambda begun: json.dumps({"event": "clear"})),
    "one too many": (31951, lambda begun: media(begun, BEEP[:160])[:-1] + ', "sequenceNumber": "1"}'),
    "one too many inside": (31951, lambda begun: json.dumps({"event": "media", "streamSid": begun["streamSid"], "media": {
        "track": "outbound", "payload": "////"}})),
    "a mark without a name": (31951, lambda begun: json.dumps({"event": "mark", "streamSid": begun["streamSid"], "mark": {}})),
    "a name that is a number": (31951, lambda begun: mark(begun, 1)),
    "a payload that is no base64": (31951, lambda begun: media(begun, b"").replace('""', '"*"')),
    "no payload": (31951, lambda begun: media(begun, b"")),
    "binary": (31950, lambda begun: b"\xff" * 160),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_message_against_the_rules_is_one_warning_a_stream(sandbox, app, kind):
    code, make = BROKEN[kind]

    async def breaking(peer, socket, begun):
        for _ in range(3):
            await socket.send(make(begun))
        await socket.send(media(begun, BEEP[:160]))
        await socket.send(mark(begun, "end"))
        await peer.next(socket, "mark")
        await socket.close()
    with StreamApp(breaking) as peer:
        connect(app, peer.url)
        sid = settle(sandbox, start(sandbox))
    assert codes(sandbox, sid) == [code] and len(events(sandbox, sid, "violation")) == 3
    assert BEEP[:160] in mulaw_of(heard(sandbox, sid))  # and it goes on


def test_more_than_ten_minutes_are_discarded_31931(sandbox, app):
    async def flood(peer, socket, begun):
        for _ in range(21):
            await socket.send(media(begun, b"\x20" * (30 * SECOND)))
        await socket.send(clear(begun))
        await socket.send(mark(begun, "end"))
        await peer.next(socket, "mark")
        await socket.close()
    with StreamApp(flood, max_size=None) as peer:
        connect(app, peer.url)
        sid = settle(sandbox, start(sandbox))
    assert codes(sandbox, sid) == [31931] and len(events(sandbox, sid, "discarded")) == 1


def test_the_end_of_the_call_says_stop_and_asks_the_action_once_more(sandbox, app):
    with StreamApp(hold) as peer:
        async def listen(peer, socket, begun):
            await peer.next(socket, "stop")
            await socket.wait_closed()
        peer.behave = listen
        connect(app, peer.url)
        sid = settle(sandbox, start(sandbox, {"until": "stream"}, {"wait_ms": 200}, {"hangup": True}))
        wait_until(lambda: peer.events("stop"), 5)
    assert peer.messages[-1]["stop"] == {"accountSid": ACCOUNT, "callSid": sid}
    assert [form["CallStatus"] for form in app.forms("/over")] == ["completed"] and codes(sandbox, sid) == []
    wait_until(lambda: [form["StreamEvent"] for form in app.forms("/stream")] == ["stream-started", "stream-stopped"], 5)


@pytest.mark.parametrize("url, extra, code", [
    ("https://127.0.0.1:1/ws", "", 31922), ("ws://example.com/ws", "", 31922), ("ftp://x/", "", 31923),
    ("ws://127.0.0.1:1/ws", "", 31902), ("ws://127.0.0.1:1/ws", 'track="both_tracks"', 31941),
])
def test_a_stream_that_cannot_be_opened_is_its_code_and_the_action_follows(sandbox, app, url, extra, code):
    connect(app, url, extra)
    sid = settle(sandbox, start(sandbox))
    assert codes(sandbox, sid) == [code] and len(app.forms("/over")) == 1
    if code == 31902:
        [form] = wait_until(lambda: app.forms("/stream"), 5)
        assert form["StreamEvent"] == "stream-error" and form["StreamErrorCode"] == "31902"


def test_an_answer_that_is_no_101_is_31920(sandbox, app):
    async def refuse(path, headers):
        return 302, {"Location": "/ws/twilio-media/"}, b""
    with StreamApp(hold, process_request=refuse) as peer:
        connect(app, peer.url)
        sid = settle(sandbox, start(sandbox))
    assert codes(sandbox, sid) == [31920]
    with StreamApp(hold, subprotocols=["audio.twilio.com"]) as peer:
        peer.behave = lambda peer, socket, begun: socket.close()
        connect(app, peer.url)
        sid = settle(sandbox, start(sandbox))
    assert codes(sandbox, sid) in ([], [31921])


def test_two_calls_at_once_and_many_one_after_the_other_do_not_meet_P25(sandbox, app):
    async def echo(peer, socket, begun):
        for _ in range(40):
            one = await peer.next(socket, "media")
            await socket.send(json.dumps({"event": "media", "streamSid": begun["streamSid"],
                                          "media": {"payload": one["media"]["payload"]}}))
        await socket.send(mark(begun, begun["callSid"]))
        await peer.next(socket, "mark")
        await socket.close()
    put_file(sandbox, "low", b"\x20\xa0" * 800)
    put_file(sandbox, "high", b"\x30\xb0" * 800)
    with StreamApp(echo) as peer:
        connect(app, peer.url)
        sids = {name: [start(sandbox, {"until": "stream"}, {"say_file": name}) for _ in range(10)] for name in ("low", "high")}
        for sid in sids["low"] + sids["high"]:
            settle(sandbox, sid)
    for name, byte, other in (("low", 0x20, 0x30), ("high", 0x30, 0x20)):
        for sid in sids[name]:
            samples = mulaw_of(heard(sandbox, sid))
            assert byte in samples and other not in samples and codes(sandbox, sid) == []
            assert events(sandbox, sid, "marked") == [sid]


def test_a_person_takes_the_receiver(sandbox, app):
    async def echo(peer, socket, begun):
        await socket.send(media(begun, BEEP))
        await peer.next(socket, "dtmf")
        await socket.close()

    async def person(sid):
        heard_audio = b""
        url = sandbox.url.replace("http", "ws") + f"/_sandbox/twilio/phone?call={sid}"
        async with websockets.connect(url) as socket:
            while len(heard_audio) < 12000:
                message = await asyncio.wait_for(socket.recv(), 10)
                if isinstance(message, bytes):
                    heard_audio += message
                    await socket.send(b"\x22" * 160)
            await socket.send(json.dumps({"key": "7"}))
            states = []
            try:
                while True:
                    message = await asyncio.wait_for(socket.recv(), 10)
                    if isinstance(message, str):
                        states.append(json.loads(message)["state"])
            except websockets.ConnectionClosed:
                return heard_audio, states
    async def late(sid):
        async with websockets.connect(sandbox.url.replace("http", "ws") + f"/_sandbox/twilio/phone?call={sid}") as socket:
            return [json.loads(message) async for message in socket]
    with StreamApp(echo) as peer:
        connect(app, peer.url)
        sid = start(sandbox)
        heard_audio, states = asyncio.run(person(sid))
        settle(sandbox, sid)
    assert BEEP[:4000] in heard_audio and states[-1] == "completed"
    assert [one["dtmf"]["digit"] for one in peer.events("dtmf")] == ["7"]
    assert b"\x22" * 160 in mulaw_of(heard(sandbox, sid, "said"))
    assert requests.get(f"{sandbox.url}/_sandbox/twilio/phone?call=CA1", timeout=5).status_code == 404
    assert asyncio.run(late(sid)) == [{"state": "completed"}]
    both = heard(sandbox, sid, "both")
    assert both[:4] == b"RIFF" and both[22:24] == b"\x02\x00" and len(both) > 40000


def test_a_reset_ends_every_call_and_nothing_of_it_comes_later(sandbox, app):
    app.answer("/status", status=204)
    with StreamApp(hold) as peer:
        connect(app, peer.url)
        sids = [start(sandbox, {"say_file": "beep"}) for _ in range(3)]
        app.twiml("/voice", "<Record action='/recorded'/>")
        sids += [start(sandbox, {"say_file": "beep"})]
        wait_until(lambda: len(peer.events("media")) > 10 and look(sandbox, sids[-1])["verb"] == "Record", 10)
        sandbox.tell("reset")
        assert sandbox.ask("twilio/calls") == [] and sandbox.ask("twilio/numbers") == []
        asked = len(app.came)
        sandbox.tell("twilio/numbers", number=OURS, account_sid=ACCOUNT, auth_token=TOKEN, voice_url=app.url + "/voice")
        app.twiml("/voice", "<Hangup/>")
        settle(sandbox, start(sandbox))
        assert [one["path"] for one in app.came[asked:]] == ["/voice"]


def test_it_stops_cleanly_in_the_middle_of_calls(tmp_path, app):
    process = Sandbox(tmp_path)
    process.start()
    process.tell("twilio/numbers", number=OURS, account_sid=ACCOUNT, auth_token=TOKEN, voice_url=app.url + "/voice", sms_url=app.url + "/sms")
    app.answer("/stream", status=204)
    put_file(process, "beep")
    with StreamApp(hold) as peer:
        connect(app, peer.url)
        start(process, {"say_file": "beep"})
        wait_until(lambda: len(peer.events("media")) > 5, 10)
        app.twiml("/voice", '<Dial timeout="30">+33600000098</Dial>')
        start(process)
        assert process.stop() == 0, process.tail()
    assert process.report() is None, process.report()
