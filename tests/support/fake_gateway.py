"""A receiver of POST /dispatch/call-event as 8020 is one: it knows what it has taken, and can be away."""
import json

from fake_server import FakeServer


class FakeGateway(FakeServer):
    """`with FakeGateway() as gateway:` then gateway.url, gateway.events (each once), gateway.requests (all)."""

    def __init__(self):
        super().__init__()
        self.events = []
        self.requests = []
        self.seen = set()
        self.answers = []  # (status, body) for the next requests, in place of the usual

    def serve(self, handler):
        self.reply(handler, *self.take(handler.path, json.loads(self.body(handler))))

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
