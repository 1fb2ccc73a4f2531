"""A receiver of PBX events that keeps what it got: ingest's wire without ingest."""
import json

from fake_server import FakeServer

TAKEN = b'{"status":"ok","message":"Event queued for processing"}'
REFUSED = b'{"detail":"refused"}'


class FakeIngest(FakeServer):
    """`with FakeIngest() as ingest:` then ingest.url, ingest.events, ingest.status."""

    def __init__(self):
        super().__init__()
        self.events = []  # (path, Token header, body)
        self.status = 200
        self.answer = None  # instead of the usual words

    def serve(self, handler):
        body = json.loads(self.body(handler))
        with self.lock:
            self.events.append((handler.path, handler.headers.get("Token"), body))
        self.reply(handler, self.status, self.answer or (TAKEN if self.status == 200 else REFUSED))

    def clear(self):
        with self.lock:
            self.events.clear()
        self.status, self.answer = 200, None
