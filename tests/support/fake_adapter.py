"""Adapters of CRMs that do what a story says: 8020's wire /internal/deliver without any CRM."""
import json
import time

from fake_server import FakeServer
from stack import INTERNAL_SECRET

DONE = {"outcome": "done", "reason": "", "wait_ms": -1, "http_status": 200, "crm_success": True, "took_ms": 3,
        "memory": {}, "requests": [{"name": "tell", "method": "POST", "url": "https://crm.example/", "body": {"a": 1}}],
        "replies": [{"status": 200, "body": {"success": True}}]}
AGAIN = {**DONE, "outcome": "again", "reason": "HTTP 500: failed", "http_status": 500, "crm_success": None}


class FakeAdapter(FakeServer):
    """`with FakeAdapter() as adapter:` then adapter.url, adapter.told; `adapter.plan = lambda delivery: {...}`.

    `told` has every attempt in the order of arrival, as it came, with "crm" (the path's name is not
    known to an adapter, so one FakeAdapter is one CRM), "began" and "ended" (monotonic seconds).
    A plan may raise ConnectionAbortedError: then the connection breaks without an answer. It may
    wait for an event: the adapter is slow, and says so in `busy`.
    """

    def __init__(self):
        super().__init__()
        self.told = []
        self.learned = []  # bodies of POST /internal/<code>/learn
        self.busy = 0
        self.most_busy = 0
        self.wrong = []  # requests that a true adapter would have refused
        self.plan = lambda delivery: DONE

    def serve(self, handler):
        delivery = json.loads(self.body(handler))
        if handler.path.endswith("/learn"):  # who is behind a number: 8020 asks when it rings
            self.learned.append(delivery)
            self.reply(handler, 202, {"accepted": True})
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
        self.reply(handler, status, answer)

    def __exit__(self, *problem):
        super().__exit__(*problem)
        assert not self.wrong, self.wrong

    def kinds(self, key=None, ent=None):
        """(call key, kind with its turn) of every attempt, in the order of arrival."""
        with self.lock:
            return [(d["call"]["key"], d["kind"] + (f":{d['turn']}" if d["turn"] else "")) for d in self.told
                    if (key is None or d["call"]["key"] == key) and (ent is None or d["enterprise"] == ent)]

    def successes(self):
        with self.lock:
            return [(d["enterprise"], d["call"]["key"], d["kind"] + (f":{d['turn']}" if d["turn"] else ""))
                    for d in self.told if d.get("answer", {}).get("outcome") == "done"]
