"""A receiver of PBX events that keeps what it got: ingest's wire without ingest."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FakeIngest:
    """`with FakeIngest() as ingest:` then ingest.url, ingest.events, ingest.status."""

    def __init__(self):
        self.events = []  # (path, Token header, body)
        self.status = 200
        self.answer = None  # instead of the usual words
        self.lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with owner.lock:
                    owner.events.append((self.path, self.headers.get("Token"), body))
                answer = b'{"status":"ok","message":"Event queued for processing"}'
                if owner.status != 200:
                    answer = b'{"detail":"refused"}'
                answer = owner.answer or answer
                self.send_response(owner.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *problem):
        self.server.shutdown()
        self.server.server_close()

    def clear(self):
        with self.lock:
            self.events.clear()
        self.status, self.answer = 200, None
