"""An outside service with a script: answers by path, and misbehaves on demand. For adapters' stories."""
import json
import threading
import time
from urllib.parse import parse_qs, urlsplit

from fake_server import FakeServer


class Seen:
    """A request as it came."""

    def __init__(self, handler):
        url = urlsplit(handler.path)
        self.at = time.monotonic()
        self.method, self.path = handler.command, url.path
        self.query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        self.headers = handler.headers
        self.body = FakeServer.body(handler)

    def json(self):
        return json.loads(self.body)

    def form(self, name):
        """A JSON value in a form."""
        return json.loads(parse_qs(self.body.decode())[name][0])


class FakeCrm(FakeServer):
    """`with FakeCrm() as crm:`; crm.on("/path", body, status=200, headers={}) or crm.on("/path", function(seen))."""

    METHODS = ("GET", "POST", "PUT", "DELETE")

    def __init__(self):
        super().__init__()
        self.seen = []
        self.ended = threading.Event()
        self.rules = []

    def serve(self, handler):
        seen = Seen(handler)
        with self.lock:
            self.seen.append(seen)
        self.answer(handler, seen)

    def stop(self):
        self.ended.set()
        super().stop()

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
            self.reply(handler, *answer)

    # -- what came ----------------------------------------------------------------------------

    def of(self, path):
        with self.lock:
            return [seen for seen in self.seen if seen.path.startswith(path)]

    def clear(self):
        with self.lock:
            self.seen.clear()
