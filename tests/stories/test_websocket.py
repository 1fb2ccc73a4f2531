"""The server's side of WebSockets, against raw sockets, Debian's python3-websockets and npm's ws: RFC 6455, word by word."""
import asyncio
import json
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import websockets

from npm_folder import npm_folder
from raw_http import closed_within
from waiting import wait_until
from websocket_frames import BINARY, CLOSE, CONTINUATION, KEY, PING, PONG, TEXT, Raw, accept_of, close, frame, handshake

SUPPORT = Path(__file__).resolve().parent.parent / "support"
sys.path.insert(0, str(SUPPORT / "websocket_echo"))
from echo import Server  # noqa: E402

MAX = 65536


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running


# -- the handshake ------------------------------------------------------------------------------------

def test_the_answer_of_the_rfc(server):
    with Raw(server.port) as raw:
        assert raw.status == 101
        assert raw.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" == accept_of(KEY)
        assert raw.headers["upgrade"].lower() == "websocket" and raw.headers["connection"].lower() == "upgrade"
        assert "sec-websocket-protocol" not in raw.headers and "sec-websocket-extensions" not in raw.headers


@pytest.mark.parametrize("sent", [
    handshake(connection="keep-alive, UPGRADE", upgrade="WebSocket"),
    handshake(connection="keep-alive", headers=["connection: upgrade"]),
    handshake(headers=["Origin: https://somewhere.example"]),
    handshake(headers=["Sec-WebSocket-Extensions: permessage-deflate"]),
    handshake(headers=["accept-encoding: gzip", "user-agent: Twilio.TmeWs/1.0"]),
], ids=["any case, in a list", "two headers", "an Origin", "an extension is not chosen", "as Twilio asks"])
def test_handshakes_that_are_good(server, sent):
    with Raw(server.port, sent) as raw:
        assert raw.status == 101 and "sec-websocket-extensions" not in raw.headers
        raw.send(frame(TEXT, b"here"))
        assert raw.receive() == (TEXT, b"here")


@pytest.mark.parametrize("sent, status, header", [
    (handshake(version="8"), 426, ("sec-websocket-version", "13")),
    (handshake(version=None), 426, ("sec-websocket-version", "13")),
    (handshake(upgrade=None), 426, ("upgrade", "websocket")),
    (handshake(upgrade="h2c"), 426, ("upgrade", "websocket")),
    (handshake(connection="close"), 426, ("upgrade", "websocket")),
    (handshake(key=None), 400, None),
    (handshake(key="short"), 400, None),
    (handshake(key="dGhlIHNhbXBsZSBub25jZQ=!"), 400, None),
    (handshake().replace(b"GET ", b"HEAD "), 400, None),
    (handshake().replace(b"GET ", b"POST "), 405, None),
    (handshake().replace(b"HTTP/1.1", b"HTTP/1.0"), 422, None),
    (handshake("/nowhere"), 404, None),
], ids=["version 8", "no version", "no Upgrade", "another Upgrade", "no Connection", "no key", "a short key", "no base64",
        "HEAD", "POST", "HTTP/1.0", "an unknown path"])
def test_handshakes_that_are_none(server, sent, status, header):
    with Raw(server.port, sent) as raw:
        assert raw.status == status
        if header:
            assert raw.headers[header[0]] == header[1]


@pytest.mark.parametrize("offer, chosen", [
    ([], None),
    (["audio.twilio.com"], "audio.twilio.com"),
    (["Audio.Twilio.COM"], "Audio.Twilio.COM"),
    (["chat, audio.twilio.com , other"], "audio.twilio.com"),
    (["chat", "audio.twilio.com"], "audio.twilio.com"),
    (["chat"], None),
    (["audio.twilio.com.evil"], None),
], ids=["none", "it", "in another case", "in a list", "in two headers", "another", "a longer one"])
def test_p1_a_protocol_is_chosen_only_if_it_was_offered(offer, chosen):
    """P1: the chosen sub-protocol is one of the offer, spelled as there; else there is no such header."""
    with Server("--protocol", "audio.twilio.com") as speaker:
        with Raw(speaker.port, handshake(headers=[f"Sec-WebSocket-Protocol: {line}" for line in offer])) as raw:
            assert raw.status == 101 and raw.headers.get("sec-websocket-protocol") == chosen


def test_a_slow_handshake_is_cut():
    with Server("--timeout-ms", "300") as hasty:
        before = hasty.descriptors()
        with socket.create_connection(("127.0.0.1", hasty.port), timeout=10) as half:
            half.sendall(handshake()[:-10])
            assert closed_within(half, 5)
        wait_until(lambda: hasty.descriptors() == before, 5, hasty.descriptors)


def test_first_frames_may_come_with_the_handshake(server):
    with Raw(server.port, behind=frame(TEXT, b"one") + frame(TEXT, b"two")) as raw:
        assert [raw.receive(), raw.receive()] == [(TEXT, b"one"), (TEXT, b"two")]
    with Raw(server.port, handshake("/slow"), behind=frame(BINARY, b"x" * 9000) + frame(TEXT, b"two")) as raw:
        assert [raw.receive(), raw.receive()] == [(BINARY, b"x" * 9000), (TEXT, b"two")]


# -- messages ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 280, 4081, 4082, 4083, 4095, 4096, 4097, 8192, 65535, MAX])
def test_any_length_comes_back_byte_for_byte(server, size):
    payload = os.urandom(size)
    with Raw(server.port) as raw:
        raw.send(frame(BINARY, payload), frame(TEXT, b"a" * size))
        assert raw.receive() == (BINARY, payload)
        assert raw.receive() == (TEXT, b"a" * size)


def test_a_message_in_pieces(server):
    with Raw(server.port) as raw:
        raw.send(frame(TEXT, b"h\xc3", fin=False), frame(PING, b"now"), frame(CONTINUATION, b"", fin=False),
                 frame(CONTINUATION, b"\xa9llo"))
        assert raw.receive() == (PONG, b"now")
        assert raw.receive() == (TEXT, "héllo".encode())
        raw.send(frame(BINARY, b"", fin=False), frame(CONTINUATION))
        assert raw.receive() == (BINARY, b"")


def test_frames_byte_by_byte_and_many_in_one_packet(server):
    with Raw(server.port) as raw:
        for byte in frame(TEXT, "é".encode() * 100) + frame(PING, b"p") + frame(BINARY, b"z"):
            raw.send(bytes([byte]))
        assert [raw.receive() for _ in range(3)] == [(TEXT, "é".encode() * 100), (PONG, b"p"), (BINARY, b"z")]
        raw.send(*[frame(TEXT, b"%d" % i) for i in range(2000)])
        assert [raw.receive()[1] for _ in range(2000)] == [b"%d" % i for i in range(2000)]


def test_pings_are_answered_with_their_payload(server):
    with Raw(server.port) as raw:
        raw.send(frame(PING), frame(PING, b"x" * 125), frame(PONG, b"nobody asked"), frame(TEXT, b"."))
        assert [raw.receive() for _ in range(3)] == [(PONG, b""), (PONG, b"x" * 125), (TEXT, b".")]


# -- violations ----------------------------------------------------------------------------------------

VIOLATIONS = {
    "not masked": (1002, [frame(TEXT, b"x", masked=False)]),
    "reserved bit 1": (1002, [frame(TEXT, b"x", rsv=4)]),
    "reserved bit 2": (1002, [frame(TEXT, b"x", rsv=2)]),
    "reserved bit 3": (1002, [frame(PING, b"x", rsv=1)]),
    "opcode 3": (1002, [frame(3, b"x")]),
    "opcode 7": (1002, [frame(7, b"x")]),
    "opcode 11": (1002, [frame(11, b"x")]),
    "opcode 15": (1002, [frame(15, b"x")]),
    "a ping in pieces": (1002, [frame(PING, b"x", fin=False)]),
    "a ping of 126 bytes": (1002, [frame(PING, b"x" * 126)]),
    "a close of 126 bytes": (1002, [frame(CLOSE, b"\x03\xe8" + b"x" * 124)]),
    "a continuation of nothing": (1002, [frame(CONTINUATION, b"x")]),
    "a continuation behind a whole message": (1002, [frame(PONG), frame(CONTINUATION, b"z")]),
    "a text within a text": (1002, [frame(TEXT, b"x", fin=False), frame(TEXT, b"y")]),
    "a length that is longer than it need be": (1002, [frame(TEXT, b"x", length=[126, 0, 1])]),
    "a long length that is longer than it need be": (1002, [frame(TEXT, b"x", length=[127, 0, 0, 0, 0, 0, 0, 0, 1])]),
    "a length of 2^63": (1002, [frame(TEXT, b"x", length=[127, 0x80, 0, 0, 0, 0, 0, 0, 0])]),
    "a text that is not UTF-8": (1007, [frame(TEXT, b"\xff")]),
    "half a character": (1007, [frame(TEXT, b"ok \xc3")]),
    "a surrogate": (1007, [frame(TEXT, b"\xed\xa0\x80")]),
    "an overlong slash": (1007, [frame(TEXT, b"\xc0\xaf")]),
    "not UTF-8 over two frames": (1007, [frame(TEXT, b"\xe2\x82", fin=False), frame(CONTINUATION, b"\x28")]),
    "too long": (1009, [frame(BINARY, b"x" * (MAX + 1))]),
    "too long by its word alone": (1009, [frame(BINARY, b"x", length=[127, 0, 0, 1, 0, 0, 0, 0, 0])]),
    "too long in pieces": (1009, [frame(BINARY, b"x" * MAX, fin=False), frame(CONTINUATION, b"x")]),
    "a close of one byte": (1002, [frame(CLOSE, b"\x03")]),
    "a close reason that is not UTF-8": (1007, [close(1000, b"\xff")]),
    **{f"close code {code}": (1002, [close(code)]) for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)},
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_ends_with_its_code(server, name):
    code, frames = VIOLATIONS[name]
    with Raw(server.port) as raw:
        raw.send(frame(TEXT, b"before"), *frames)
        assert raw.receive() == (TEXT, b"before")
        assert raw.closed()[0] == code


def test_what_is_good_stays_good(server):
    with Raw(server.port) as raw:
        raw.send(frame(TEXT, "\U0010ffff￾߿".encode()), frame(BINARY, b"\xff\xfe"))
        assert raw.receive()[0] == TEXT and raw.receive() == (BINARY, b"\xff\xfe")


# -- the end -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999])
def test_a_close_is_answered_with_its_code(server, code):
    with Raw(server.port) as raw:
        raw.send(close(code, "adiós".encode()))
        assert raw.closed() == (code, "")


def test_closes_are_told_to_the_owner():
    with Server() as own:
        with Raw(own.port) as raw:
            raw.send(close(4001, b"why"))
            assert raw.closed()[0] == 4001
        assert own.told() == "closed 4001 why, 0 left"
        with Raw(own.port) as raw:
            raw.send(frame(CLOSE))
            assert raw.closed()[0] == 1005
        assert own.told() == "closed 1005 , 0 left"
        with Raw(own.port) as raw:
            raw.send(frame(3, b"x"))
            assert raw.closed()[0] == 1002
        assert own.told() == "closed 1006 the peer sent an unknown kind of frame (1002), 0 left"
        with Raw(own.port):
            pass
        assert own.told() == "closed 1006 the peer went without a close, 0 left"
        with Raw(own.port) as raw:
            raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raw.send(frame(TEXT, b"x")[:4])
            raw.stream.close()
        assert own.told() == "closed 1006 Connection reset by peer, 0 left"


def test_we_close_and_wait_for_the_answer():
    with Server() as own:
        with Raw(own.port) as raw:
            raw.send(frame(TEXT, b"close"))
            assert raw.receive() == (CLOSE, struct.pack(">H", 4000) + b"as you wish")
            raw.send(frame(TEXT, b"too late to be answered"), frame(PING, b"so is this"), close(4000))
            assert raw.receive() is None
        assert own.told() == "closed 4000 , 0 left"


def test_the_owner_may_free_it_while_it_is_told_of_a_message():
    with Server() as own:
        with Raw(own.port) as raw:
            raw.send(frame(TEXT, b"free"), frame(TEXT, b"nobody reads this"))
            assert closed_within(raw.socket, 5)


def test_the_peer_that_never_answers_a_close_is_left():
    """5 s at most; an answer that does not come must not keep a call's resources."""
    with Server() as own, Raw(own.port) as raw:
        raw.send(frame(TEXT, b"close"))
        assert raw.receive()[0] == CLOSE
        assert own.told() == "closed 1006 the peer did not answer our close, 0 left"


def test_silence_is_pinged_and_then_left():
    with Server("--ping-ms", "100", "--idle-ms", "400") as own:
        with Raw(own.port) as raw:
            for _ in range(6):  # longer than idle-ms: a peer that answers is not left
                assert raw.receive() == (PING, b"")
                raw.send(frame(PONG))
            assert raw.receive() == (PING, b"")
            assert raw.receive() is None
        assert own.told().startswith("closed 1006 nothing was heard for 4")


def test_who_does_not_read_is_left_and_costs_no_memory():
    """Sends fail once the bound is reached; a peer that takes nothing at all is left after the idle time."""
    with Server("--max-output", "20000", "--idle-ms", "700") as own:
        with Raw(own.port) as raw:
            raw.socket.settimeout(0.2)
            try:
                while True:
                    raw.send(frame(BINARY, b"x" * 10000))
            except OSError:
                pass
            assert own.told().startswith("closed 1006 ")


def test_hundreds_at_once_leave_nothing_behind():
    with Server() as own:
        before = own.descriptors()
        raws = [Raw(own.port) for _ in range(300)]
        for raw in raws:
            raw.send(frame(TEXT, b"x" * 280))
        assert all(raw.receive() == (TEXT, b"x" * 280) for raw in raws)
        for raw in raws:
            raw.__exit__()
        wait_until(lambda: own.descriptors() == before, 10, own.descriptors)


def test_a_connection_counts_until_it_is_over():
    with Server("--max-connections", "1") as own:
        with Raw(own.port):
            with Raw(own.port) as second:
                assert second.status == 503
        assert own.told().endswith("0 left")
        with Raw(own.port) as third:
            assert third.status == 101


def test_the_end_of_the_server_frees_open_connections():
    with Server() as own:
        raws = [Raw(own.port) for _ in range(5)]
        own.stop()
        assert all(closed_within(raw.socket, 5) for raw in raws)
        for raw in raws:
            raw.__exit__()


# -- other people's clients --------------------------------------------------------------------------

def test_python3_websockets(server):
    async def talk():
        async with websockets.connect(server.url, max_size=None) as client:
            assert client.extensions == [] and client.subprotocol is None
            for message in ("", "héllo", b"\0\xff", "x" * MAX, os.urandom(5000)):
                await client.send(message)
                assert await client.recv() == message
            await client.send(["in ", "three ", "pieces"])
            assert await client.recv() == "in three pieces"
            await asyncio.wait_for(await client.ping(), 5)
            await client.close(4242, "done")
            assert client.close_code == 4242
    asyncio.run(talk())


@pytest.mark.parametrize("offered, protocol, error", [
    ([], "", None),
    (["audio.twilio.com"], "audio.twilio.com", None),
    (["chat", "audio.twilio.com"], "audio.twilio.com", None),
    (["chat"], None, "Server sent no subprotocol"),
])
def test_npm_ws(offered, protocol, error):
    """P1 with the client that is strictest about it; what it says, ours said first."""
    with Server("--protocol", "audio.twilio.com") as speaker:
        out = subprocess.run(["node", "client.mjs", speaker.url, *offered],
                             cwd=npm_folder(SUPPORT / "websocket_npm", "client.mjs"), text=True, capture_output=True,
                             timeout=30, check=True).stdout
    told = json.loads(out)
    if error:
        assert told["error"] == error
        return
    assert told["protocol"] == protocol and told["extensions"] == ""
    assert told["messages"] == ["héllo", [0, 255, 7]] and told["pong"] == "are you there"
    assert told["closed"] == [4321, ""]
