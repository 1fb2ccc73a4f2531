"""HTTP by hand: requests that no client library would send, and answers as they are on the wire."""
import json
import socket
import time


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def detail(self):
        return json.loads(self.body)["detail"]


def connect(port, timeout=10):
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def request(path, body=b"", method="POST", headers=()):
    """The bytes of one request, with a Content-Length that is true."""
    lines = [f"{method} {path} HTTP/1.1", "Host: test", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def read_answer(stream):
    """One answer from a file of a socket; None when the other side has closed."""
    line = stream.readline()
    if not line:
        return None
    headers = {}
    while True:
        field = stream.readline().rstrip(b"\r\n").decode("latin-1")
        if not field:
            break
        name, _, value = field.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Answer(int(line.split()[1]), headers, body)


def exchange(port, data):
    """Send bytes on a connection of their own; the first answer."""
    with connect(port) as sock:
        sock.sendall(data)
        with sock.makefile("rb") as stream:
            return read_answer(stream)


def closed_within(sock, seconds):
    """Does the server end this connection in that time? What it says before does not matter."""
    sock.settimeout(seconds)
    try:
        while sock.recv(65536):
            pass
    except socket.timeout:
        return False
    except OSError:
        pass
    return True


def drip(sock, head, seconds):
    """A byte now and then, for as long as the server takes it."""
    until = time.monotonic() + seconds
    for byte in head + b"y" * 10000:
        if time.monotonic() > until:
            return "still open"
        try:
            sock.sendall(bytes([byte]))
        except OSError:
            return "cut"
        time.sleep(0.1)  # this is the attack, not a wait for something
    return "still open"
