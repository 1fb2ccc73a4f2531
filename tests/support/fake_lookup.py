"""integration-cache's look-up without integration-cache: answers what the story says, or does not answer."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FakeLookup:
    """`with FakeLookup() as cache:` then cache.url, cache.asked; set cache.answer, cache.status, cache.hangs."""

    def __init__(self):
        self.answer = {"name": None, "responsible": {"extension": None}}
        self.status = 200
        self.hangs = False
        self.asked = []  # (body, internal secret)
        self.over = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.asked.append((self.path, body, self.headers.get("X-Callweave-Secret")))
                if owner.hangs:
                    owner.over.wait(60)
                    return
                answer = owner.answer if isinstance(owner.answer, bytes) else json.dumps(owner.answer).encode()
                self.send_response(owner.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                pass  # who asked did not wait for the answer

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *problem):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
