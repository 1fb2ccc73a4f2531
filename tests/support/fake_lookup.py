"""integration-cache's look-up without integration-cache: answers what the story says, or does not answer."""
import json
import threading

from fake_server import FakeServer


class FakeLookup(FakeServer):
    """`with FakeLookup() as cache:` then cache.url, cache.asked; set cache.answer, cache.status, cache.hangs."""

    def __init__(self):
        super().__init__()
        self.answer = {"name": None, "responsible": {"extension": None}}
        self.status = 200
        self.hangs = False
        self.asked = []  # (path, body, internal secret)
        self.over = threading.Event()

    def serve(self, handler):
        body = json.loads(self.body(handler))
        self.asked.append((handler.path, body, handler.headers.get("X-Callweave-Secret")))
        if self.hangs:
            self.over.wait(60)
        else:
            self.reply(handler, self.status, self.answer)

    def stop(self):
        self.over.set()
        super().stop()
