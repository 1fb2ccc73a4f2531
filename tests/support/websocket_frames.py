"""WebSockets by hand: handshakes and frames that no library would send, and what comes back, frame by frame."""
import base64
import hashlib
import os
import socket
import struct

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def accept_of(key):
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def frame(opcode, payload=b"", fin=True, masked=True, rsv=0, length=None):
    """One frame; `length`: a lie about it, in bytes as they are on the wire."""
    head = bytes([fin << 7 | rsv << 4 | opcode])
    flag = 0x80 if masked else 0
    if length is not None:
        head += bytes([flag | length[0]]) + bytes(length[1:])
    elif len(payload) < 126:
        head += bytes([flag | len(payload)])
    elif len(payload) < 65536:
        head += bytes([flag | 126]) + struct.pack(">H", len(payload))
    else:
        head += bytes([flag | 127]) + struct.pack(">Q", len(payload))
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


def close(code, reason=b""):
    return frame(CLOSE, struct.pack(">H", code) + reason)


def handshake(path="/echo", headers=(), key=KEY, version="13", connection="Upgrade", upgrade="websocket"):
    lines = [f"GET {path} HTTP/1.1", "Host: test"]
    for name, value in (("Connection", connection), ("Upgrade", upgrade), ("Sec-WebSocket-Version", version),
                        ("Sec-WebSocket-Key", key)):
        if value is not None:
            lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, *headers]).encode() + b"\r\n\r\n"


class Raw:
    """A connection behind its handshake; every frame that comes is looked at as the RFC has it."""

    def __init__(self, port, sent=None, behind=b"", timeout=10):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall((sent or handshake()) + behind)
        self.stream = self.socket.makefile("rb")
        self.status, self.headers = self._answer()

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        self.stream.close()
        self.socket.close()

    def _answer(self):
        line = self.stream.readline().decode()
        headers = {}
        for field in iter(lambda: self.stream.readline().decode().rstrip("\r\n"), ""):
            name, _, value = field.partition(":")
            headers[name.lower()] = value.strip()
        return int(line.split()[1]) if line else 0, headers

    def send(self, *frames):
        self.socket.sendall(b"".join(frames))

    def receive(self):
        """(opcode, payload); None at the end of the connection."""
        head = self.stream.read(2)
        if len(head) < 2:
            return None
        assert head[0] & 0x80, "servers of ours do not cut messages"
        assert head[0] & 0x70 == 0 and head[1] & 0x80 == 0, "reserved bits, or a masked frame of a server"
        size = head[1] & 0x7f
        if size == 126:
            size = struct.unpack(">H", self.stream.read(2))[0]
            assert size >= 126
        elif size == 127:
            size = struct.unpack(">Q", self.stream.read(8))[0]
            assert size >= 65536
        payload = self.stream.read(size)
        assert len(payload) == size
        return head[0] & 0x0f, payload

    def closed(self):
        """(code, reason) of the close frame that comes next; the connection ends behind it."""
        got = self.receive()
        assert got is not None and got[0] == CLOSE, got
        assert self.receive() is None
        payload = got[1]
        return (struct.unpack(">H", payload[:2])[0], payload[2:].decode()) if payload else (1005, "")
