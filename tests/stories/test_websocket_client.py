"""The client's side of WebSockets: what it asks, whom it believes, and that it never waits for ever."""
import asyncio
import base64
import http.client
import socket
import ssl
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import websockets

from websocket_frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, accept_of, frame

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support" / "websocket_echo"))
from echo import Server, dial  # noqa: E402


class Liar:
    """A server by hand: `answer(key)` gives the bytes behind the request; then `and_then(socket)`."""

    def __init__(self, answer, and_then=None, timeout=10):
        self.answer, self.and_then = answer, and_then
        self.request = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(timeout)
        self.url = f"ws://127.0.0.1:{self.listener.getsockname()[1]}/path?a=1"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        self.thread.join(15)
        self.listener.close()

    def _serve(self):
        peer, _ = self.listener.accept()
        with peer:
            peer.settimeout(10)
            while b"\r\n\r\n" not in self.request:
                self.request += peer.recv(4096)
            answer = self.answer(self.header("Sec-WebSocket-Key"))
            if answer is not None:
                peer.sendall(answer)
            if self.and_then:
                self.and_then(peer)

    def header(self, name):
        for line in self.request.decode().split("\r\n"):
            if line.lower().startswith(name.lower() + ":"):
                return line.split(":", 1)[1].strip()
        return None


def well(key, *more, accept=None, drop=(), status="101 Switching Protocols"):
    lines = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept or accept_of(key)}
    head = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in lines.items() if name not in drop), *more]
    return "\r\n".join(head).encode() + b"\r\n\r\n"


def read_all(peer):
    """What the client says until it closes; empty when it resets."""
    data = b""
    try:
        while piece := peer.recv(4096):
            data += piece
    except OSError:
        pass
    return data


def close_soon(peer):
    """A close in answer to whatever the client says first."""
    peer.recv(4096)
    peer.sendall(frame(CLOSE, masked=False))
    read_all(peer)


def unmask(data):
    """[(opcode, payload)] of a client's short frames, each masked by a key of its own."""
    frames, keys = [], set()
    while data:
        size = data[1] & 0x7f
        assert data[0] & 0xf0 == 0x80 and data[1] & 0x80 and size < 126
        key = data[2:6]
        keys.add(key)
        frames.append((data[0] & 0x0f, bytes(byte ^ key[i % 4] for i, byte in enumerate(data[6:6 + size]))))
        data = data[6 + size:]
    assert len(keys) == len(frames), "a key was used twice"
    return frames


# -- what is said -----------------------------------------------------------------------------------

def test_both_of_our_sides():
    with Server() as server:
        assert dial(server.url, "--send", "héllo", "--send", "x" * 60000) == \
            ["open", "drained", "text héllo", "text " + "x" * 60000, "closed 1000 "]
        assert server.told() == "closed 1000 bye, 0 left"
        assert dial(server.url, "--send", "close")[-1] == "closed 4000 as you wish"


def test_the_request_is_what_the_rfc_asks():
    with Liar(well, lambda peer: peer.sendall(frame(CLOSE, masked=False)) or read_all(peer)) as liar:
        assert dial(liar.url, "--protocol", "openai-realtime")[0] == "open"
    assert liar.request.startswith(b"GET /path?a=1 HTTP/1.1\r\n")
    assert liar.header("Host") == liar.url.split("/")[2]
    assert liar.header("Upgrade") == "websocket" and liar.header("Connection") == "Upgrade"
    assert liar.header("Sec-WebSocket-Version") == "13" and liar.header("Sec-WebSocket-Protocol") == "openai-realtime"
    assert len(base64.b64decode(liar.header("Sec-WebSocket-Key"))) == 16
    assert liar.header("Origin") is None and liar.header("Sec-WebSocket-Extensions") is None


def test_frames_of_a_client_are_masked_each_by_its_own_key():
    said = []

    def listen(peer):
        data = b""
        while data.count(b"\x81") < 2 or len(data) < 2 * (6 + 5):
            data += peer.recv(4096)
        peer.sendall(frame(PING, b"p", masked=False))
        while len(data) < 2 * (6 + 5) + 7:
            data += peer.recv(4096)
        said.extend(unmask(data))
        peer.sendall(frame(CLOSE, struct.pack(">H", 1001) + b"bye", masked=False))
        read_all(peer)

    with Liar(well, listen) as liar:
        assert dial(liar.url, "--send", "hello", "--send", "there")[-1] == "closed 1001 bye"
    assert said == [(TEXT, b"hello"), (TEXT, b"there"), (PONG, b"p")]


def test_first_frames_may_come_with_the_answer():
    behind = frame(TEXT, b"early", masked=False) + frame(BINARY, b"bird", masked=False)
    with Liar(lambda key: well(key) + behind, close_soon) as liar:
        lines = dial(liar.url, "--send", "1", "--send", "2")
    assert lines[0] == "open" and [line for line in lines if line[:2] in ("te", "bi")] == ["text early", "binary bird"]


def test_an_answer_in_pieces():
    def trickle(peer):
        for byte in well(trickle.key) + frame(TEXT, b"slow", masked=False):
            peer.sendall(bytes([byte]))
        close_soon(peer)

    with Liar(lambda key: setattr(trickle, "key", key), trickle) as liar:
        assert "text slow" in dial(liar.url, "--send", "x")


# -- whom it believes ---------------------------------------------------------------------------------

LIES = {
    "another key's accept": (lambda key: well(key, accept=accept_of("x" * 22 + "==")), "its Sec-WebSocket-Accept is wrong"),
    "no accept": (lambda key: well(key, drop=["Sec-WebSocket-Accept"]), "its Sec-WebSocket-Accept is wrong"),
    "two accepts": (lambda key: well(key, f"Sec-WebSocket-Accept: {accept_of(key)}"), "its Sec-WebSocket-Accept is wrong"),
    "no upgrade": (lambda key: well(key, drop=["Upgrade"]), "its 101 does not upgrade to websocket"),
    "no connection": (lambda key: well(key, drop=["Connection"]), "its 101 does not upgrade to websocket"),
    "a protocol nobody offered": (lambda key: well(key, "Sec-WebSocket-Protocol: chat"),
                                  "it chose a protocol, it was not offered"),
    "an extension": (lambda key: well(key, "Sec-WebSocket-Extensions: permessage-deflate"),
                     "it chose an extension, none was offered"),
    "a page": (lambda key: well(key, status="200 OK"), "it answered 200 instead of 101"),
    "a redirect": (lambda key: b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\n\r\n", "it answered 302 instead of 101"),
    "not HTTP": (lambda key: b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "its answer is not HTTP"),
    "a folded header": (lambda key: well(key, "X: 1", " more: 2"), "its answer is not HTTP"),
    "a head without end": (lambda key: b"HTTP/1.1 101 S\r\n" + b"X: y\r\n" * 3000, "its answer is too long"),
    "nothing and the end": (lambda key: b"", "the connection was closed"),
    "half an answer": (lambda key: well(key)[:-3], "the connection was closed"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_server_that_lies_is_no_peer(name):
    answer, words = LIES[name]
    with Liar(answer, lambda peer: peer.shutdown(socket.SHUT_WR) or read_all(peer)) as liar:
        assert dial(liar.url) == [f"closed 1006 WebSocket handshake: {words}"]


def test_an_offered_protocol_may_be_chosen_or_not():
    for more in ([], ["sec-websocket-protocol:  chat "]):
        with Liar(lambda key: well(key, *more), lambda peer: peer.sendall(frame(CLOSE, masked=False)) or read_all(peer)) as liar:
            assert dial(liar.url, "--protocol", "chat")[0] == "open"


@pytest.mark.parametrize("frames, code, words", [
    (frame(TEXT, b"x", masked=True), 1002, "a masked frame"),
    (frame(TEXT, b"x", masked=False, rsv=4), 1002, "a reserved bit is set"),
    (frame(TEXT, b"\xff", masked=False), 1007, "a text that is not UTF-8"),
    (frame(BINARY, b"x" * 2000, masked=False), 1009, "a message that is too long"),
    (frame(CONTINUATION, b"x", masked=False), 1002, "a continuation of nothing"),
])
def test_a_violation_of_the_server_is_answered_with_its_code(frames, code, words):
    said = []
    with Liar(lambda key: well(key) + frames, lambda peer: said.extend(unmask(read_all(peer)))) as liar:
        lines = dial(liar.url, "--send", "hi", "--max-message", "1000")
    assert lines[-1] == f"closed 1006 the peer sent {words} ({code})"
    assert said[-1] == (CLOSE, struct.pack(">H", code) + words.encode())


# -- waits that end -----------------------------------------------------------------------------------

def test_who_never_answers_is_left():
    with Liar(lambda key: None, read_all) as liar:
        assert dial(liar.url, "--timeout-ms", "300") == ["closed 1006 WebSocket handshake: took too long"]


def test_who_accepts_nobody_is_left():
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    port = full.getsockname()[1]
    waiting = [socket.socket() for _ in range(4)]
    for one in waiting:
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
    assert dial(f"ws://127.0.0.1:{port}/", "--timeout-ms", "300") == ["closed 1006 connecting: took too long"]
    for one in (*waiting, full):
        one.close()


def test_nobody_there():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        assert dial(f"ws://localhost:{port}/") == ["closed 1006 connecting: Connection refused"]


def test_silence_of_a_server_is_left():
    with Liar(well, read_all) as liar:
        lines = dial(liar.url, "--send", "x", "--ping-ms", "100", "--idle-ms", "300")
    assert lines[-1].startswith("closed 1006 nothing was heard for 3")


def test_a_tenants_address_must_be_public():
    """As with CRMs: what a tenant configured must not lead inside, by whatever name."""
    for host in ("127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "0.0.0.0", "[::ffff:127.0.0.1]"):
        assert dial(f"ws://{host}:9/", "--deny-private") == ["closed 1006 connecting: its address is not public"]


@pytest.mark.parametrize("url", ["http://localhost/", "ws://", "ws:///x", "ws://host:0/", "ws://host:65536/", "ws://host:x/",
                                 "ws://user:password@host/", "ws://host/#part", "ws://ho st/", "ws://[::1/", "wss://host:/"])
def test_urls_that_are_none(url):
    lines = dial(url)
    assert len(lines) == 1 and lines[0].startswith("refused url: ")
    assert "password" not in lines[0]


# -- TLS ----------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A CA, and certificates of it: for localhost, for another host, and one that nobody signed."""
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=test CA")
    for name, names in (("right", "DNS:localhost,IP:127.0.0.1"), ("other", "DNS:other.example")):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", "/CN=x")
        (folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", f"{name}.ext", "-out", f"{name}.pem")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "own.key", "-out", "own.pem", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    return folder


def tls_server(certificates, name):
    return Server("--cert", str(certificates / f"{name}.pem"), "--key", str(certificates / f"{name}.key"))


def test_tls_both_of_our_sides(certificates):
    with tls_server(certificates, "right") as server:
        for host in ("localhost", "127.0.0.1"):
            assert dial(f"wss://{host}:{server.port}/echo", "--ca", str(certificates / "ca.pem"), "--send", "x" * 60000,
                        "--send", "close")[2:] == ["text " + "x" * 60000, "closed 4000 as you wish"]


@pytest.mark.parametrize("name, ca, words", [
    ("other", "ca.pem", "hostname mismatch"),
    ("own", "ca.pem", "self-signed certificate"),
    ("right", "own.pem", "unable to get local issuer certificate"),
    ("right", None, "unable to get local issuer certificate"),
])
def test_tls_is_always_checked(certificates, name, ca, words):
    with tls_server(certificates, name) as server:
        options = ["--ca", str(certificates / ca)] if ca else []
        assert dial(f"wss://localhost:{server.port}/echo", "--send", "secret", *options) == \
            [f"closed 1006 TLS handshake: TLS: certificate: {words}"]


def test_tls_that_is_none(certificates):
    with Liar(lambda key: b"", None) as plain, Server() as server:
        lines = dial(f"wss://localhost:{server.port}/echo", "--ca", str(certificates / "ca.pem"))
        assert len(lines) == 1 and lines[0].startswith("closed 1006 TLS handshake: ")
        socket.create_connection(("127.0.0.1", plain.listener.getsockname()[1])).sendall(b"\r\n\r\n")
    assert dial("wss://localhost:1/", "--ca", "/nowhere")[0].startswith("refused certificates /nowhere: ")


def test_tls_and_a_server_that_never_shakes_hands(certificates):
    silent = socket.create_server(("127.0.0.1", 0))
    assert dial(f"wss://127.0.0.1:{silent.getsockname()[1]}/", "--ca", str(certificates / "ca.pem"), "--timeout-ms", "300") == \
        ["closed 1006 TLS handshake: took too long"]
    silent.close()


def test_tls_with_pythons_client_and_server(certificates):
    """SNI, and messages longer than a TLS record, with OpenSSL through another program's hands."""
    names = []

    async def both():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "right.pem", certificates / "right.key")
        context.sni_callback = lambda sock, name, ctx: names.append(name)

        async def echo(socket, path=None):
            async for message in socket:
                await socket.send(message)

        async with websockets.serve(echo, "localhost", 0, ssl=context, family=socket.AF_INET) as server:
            port = server.sockets[0].getsockname()[1]
            lines = await asyncio.to_thread(dial, f"wss://localhost:{port}/", "--ca", str(certificates / "ca.pem"), "--send",
                                            "y" * 50000, "--send", "é")
            assert [line[:6] for line in lines if line.startswith("text")] == ["text y", "text é"]
        trust = ssl.create_default_context(cafile=certificates / "ca.pem")
        with tls_server(certificates, "right") as ours:
            async with websockets.connect(f"wss://localhost:{ours.port}/echo", ssl=trust, max_size=None) as client:
                for message in ("z" * 65536, "é", b"\0" * 40000):
                    await client.send(message)
                    assert await client.recv() == message

    asyncio.run(both())
    assert names == ["localhost"]


def test_tls_server_and_clients_that_speak_no_tls(certificates):
    """A handshake that does not come or is none ends; HTTP over TLS is served as any."""
    with Server("--cert", str(certificates / "right.pem"), "--key", str(certificates / "right.key"),
                "--timeout-ms", "400") as server:
        before = server.descriptors()
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as silent:
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
                plain.sendall(b"GET /echo HTTP/1.1\r\nHost: a\r\n\r\n")
                assert b"HTTP/1.1" not in read_all(plain)
            assert silent.recv(100) == b""
        trust = ssl.create_default_context(cafile=certificates / "ca.pem")
        client = http.client.HTTPSConnection("localhost", server.port, context=trust, timeout=5)
        for _ in range(3):  # on one connection
            client.request("POST", "/echo", body=b"x" * 50000)
            answer = client.getresponse()
            assert answer.status == 405 and b"Method Not Allowed" in answer.read()
        client.close()
        assert server.descriptors() <= before + 1
