"""Adapters of CRMs that do what a story says: 8020's wire /internal/deliver without any CRM."""
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from stack import INTERNAL_SECRET

DONE = {"outcome": "done", "reason": "", "wait_ms": -1, "http_status": 200, "crm_success": True, "took_ms": 3,
        "memory": {}, "requests": [{"name": "tell", "method": "POST", "url": "https://crm.example/", "body": {"a": 1}}],
        "replies": [{"status": 200, "body": {"success": True}}]}
AGAIN = {**DONE, "outcome": "again", "reason": "HTTP 500: failed", "http_status": 500, "crm_success": None}


class FakeAdapter:
    """`with FakeAdapter() as adapter:` then adapter.url, adapter.told; `adapter.plan = lambda delivery: {...}`.

    `told` has every attempt in the order of arrival, as it came, with "crm" (the path's name is not
    known to an adapter, so one FakeAdapter is one CRM), "began" and "ended" (monotonic seconds).
    A plan may raise ConnectionAbortedError: then the connection breaks without an answer. It may
    wait for an event: the adapter is slow, and says so in `busy`.
    """

    def __init__(self):
        self.told = []
        self.learned = []  # bodies of POST /internal/<code>/learn
        self.busy = 0
        self.most_busy = 0
        self.wrong = []  # requests that a true adapter would have refused
        self.plan = lambda delivery: DONE
        self.lock = threading.Lock()
        self.connections = []
        self.server = None
        self.port = 0
        self._listen()

    def _listen(self):
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                owner._serve(self)

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def process_request(self, request, client_address):
                with owner.lock:
                    owner.connections.append(request)
                super().process_request(request, client_address)

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def _serve(self, handler):
        delivery = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        if handler.path.endswith("/learn"):  # who is behind a number: 8020 asks when it rings
            self.learned.append(delivery)
            self._reply(handler, 202, {"accepted": True})
            return
        if handler.path != "/internal/deliver" or handler.headers.get("X-Callweave-Secret") != INTERNAL_SECRET:
            self.wrong.append((handler.path, dict(handler.headers)))
        delivery["began"] = time.monotonic()
        with self.lock:
            self.told.append(delivery)
            self.busy += 1
            self.most_busy = max(self.most_busy, self.busy)
        try:
            answer = self.plan(delivery)
        except ConnectionAbortedError:
            handler.close_connection = True
            return
        finally:
            with self.lock:
                self.busy -= 1
            delivery["ended"] = time.monotonic()
        status = answer.pop("status", 200) if "outcome" not in answer else 200
        delivery["answer"] = answer
        self._reply(handler, status, answer)

    @staticmethod
    def _reply(handler, status, answer):
        body = json.dumps(answer).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *problem):
        if self.server is not None:
            self.stop()
        assert not self.wrong, self.wrong

    def start(self):
        if self.server is None:
            self._listen()
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        """Nobody listens any more; start() listens on the same port."""
        self.server.shutdown()
        self.server.server_close()
        self.server = None
        with self.lock:
            for connection in self.connections:  # kept alive, they would go on answering
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self.connections.clear()

    def kinds(self, key=None, ent=None):
        """(call key, kind with its turn) of every attempt, in the order of arrival."""
        with self.lock:
            return [(d["call"]["key"], d["kind"] + (f":{d['turn']}" if d["turn"] else "")) for d in self.told
                    if (key is None or d["call"]["key"] == key) and (ent is None or d["enterprise"] == ent)]

    def successes(self):
        with self.lock:
            return [(d["enterprise"], d["call"]["key"], d["kind"] + (f":{d['turn']}" if d["turn"] else ""))
                    for d in self.told if d.get("answer", {}).get("outcome") == "done"]
