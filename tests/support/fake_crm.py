"""An outside service with a script: answers by path, and misbehaves on demand. For adapters' stories."""
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Seen:
    """A request as it came."""

    def __init__(self, handler):
        url = urlsplit(handler.path)
        self.at = time.monotonic()
        self.method, self.path = handler.command, url.path
        self.query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        self.headers = handler.headers
        self.body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))

    def json(self):
        return json.loads(self.body)

    def form(self, name):
        """A JSON value in a form."""
        return json.loads(parse_qs(self.body.decode())[name][0])


class FakeCrm:
    """`with FakeCrm() as crm:`; crm.on("/path", body, status=200, headers={}) or crm.on("/path", function(seen))."""

    def __init__(self):
        self.seen = []
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.rules = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                seen = Seen(self)
                with owner.lock:
                    owner.seen.append(seen)
                owner.answer(self, seen)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *problem):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()

    # -- the script ---------------------------------------------------------------------------

    def on(self, path, answer=None, status=200, headers=None):
        """The newest rule whose path the request's path begins with holds."""
        rule = answer if callable(answer) else lambda seen: (status, answer if answer is not None else {}, headers or {})
        with self.lock:
            self.rules.insert(0, (path, rule))

    def answer(self, handler, seen):
        with self.lock:
            rule = next((rule for path, rule in self.rules if seen.path.startswith(path)), None)
        answer = rule(seen) if rule else (200, {"success": True}, {})
        if answer == "silence":  # accepted, and never a word
            self.ended.wait(60)
            handler.close_connection = True
        elif answer == "close":
            handler.close_connection = True
        else:
            self.send(handler, *answer)

    @staticmethod
    def send(handler, status, body, headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        try:
            handler.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it did not want all of it

    # -- what came ----------------------------------------------------------------------------

    def of(self, path):
        with self.lock:
            return [seen for seen in self.seen if seen.path.startswith(path)]

    def clear(self):
        with self.lock:
            self.seen.clear()
