"""A receiver of POST /dispatch/call-event as 8020 is one: it knows what it has taken, and can be away."""
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ports import free_port


class FakeGateway:
    """`with FakeGateway() as gateway:` then gateway.url, gateway.events (each once), gateway.requests (all)."""

    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.events = []
        self.requests = []
        self.seen = set()
        self.answers = []  # (status, body) for the next requests, in place of the usual
        self.lock = threading.Lock()
        self.server = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *problem):
        self.stop()

    def start(self):
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = owner.take(self.path, body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                data = json.dumps(answer).encode()
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 128
            connections = []

            def get_request(self):
                connection, peer = super().get_request()
                self.connections.append(connection)
                return connection, peer

        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        """As a process that ended: nobody listens, open connections are closed."""
        if self.server is None:
            return
        self.server.shutdown()
        self.server.server_close()
        for connection in self.server.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.server = None

    def take(self, path, body):
        assert path == "/dispatch/call-event", path
        with self.lock:
            self.requests.append(body)
            if self.answers:
                status, answer = self.answers.pop(0)
                if status != 200:
                    return status, answer
            key = (body["token"], body["uniqueId"], body["event_type"], body.get("origin"), body["turn"])
            if key in self.seen:
                return 200, {"status": "ignored", "reason": "duplicate"}
            self.seen.add(key)
            self.events.append(body)
            return 200, {"success": True, "queued": 1}

    def of(self, enterprise):
        with self.lock:
            return [body for body in self.events if body["token"] == enterprise["number"]]

    def kinds(self, enterprise):
        """["dial", "answer", "hangup"...]; "recovered" for one that is known only afterwards; "dial:1" for a later turn."""
        return [kind(body) for body in self.of(enterprise)]


def kind(body):
    name = "recovered" if body.get("origin") == "download" else body["event_type"]
    return name + (f":{body['turn']}" if body["turn"] else "")
