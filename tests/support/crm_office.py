"""integration-cache with fake adapters behind it, and the requests of a dispatcher."""
import json

import requests

from process import Process
from stack import INTERNAL_SECRET
from waiting import wait_until

CONFIG = {"retailcrm": {"enabled": True, "api_url": "https://crm.example", "api_key": "of no use here"},
          "webhook": {"enabled": True, "url": "https://hook.example/", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}
ONE = {"retailcrm": CONFIG["retailcrm"]}


class Office:
    """A stack with 8020 alone, fake adapters behind it, and the requests of a dispatcher."""

    def __init__(self, make_stack, adapters, settings=None, own_postgres=False, services=("integration-cache",)):
        urls = " ".join(f"{name}={adapter.url}" for name, adapter in adapters.items())
        self.stack = make_stack(services=services, own_postgres=own_postgres, settings={
            **({"CALLWEAVE_INTEGRATION_CACHE_ADAPTERS": urls} if adapters else {}),
            "CALLWEAVE_INTEGRATION_CACHE_LEASE_MS": "1500",
            **(settings or {})})
        self.service = self.stack.services["integration-cache"]

    def start(self):
        self.stack.start_all()
        return self

    def second(self):
        """Another instance on the same database; the stack looks after it."""
        other = Process("integration-cache", self.stack.folder / "second", self.service.settings)
        other.folder.mkdir()
        self.stack.services["integration-cache, the second"] = other
        other.start()
        return other

    def enterprise(self, number="0367", config=None):
        row = self.stack.enterprise(number, integrations_config=json.dumps(CONFIG if config is None else config))

        def known():
            answer = self.post({"token": row["name2"], "uniqueId": f"probe-{number}", "event_type": "recording",
                                "call": {"key": "x", "outgoing": False}, "origin": "probe", "turn": 99})
            return answer.status_code == 200
        wait_until(known, 5, "8020 knows the enterprise")
        wait_until(lambda: not self.rows("state IN ('queued', 'sending', 'failed')"), 10, "the probe is told")
        self.stack.sql("DELETE FROM crm_deliveries")
        self.stack.sql("DELETE FROM integration_logs")
        self.stack.sql("DELETE FROM crm_calls")
        return row

    def post(self, body, timeout=20, url=None):
        return self.stack.session().post((url or self.service.url) + "/dispatch/call-event", json=body, timeout=timeout)

    def dispatch(self, enterprise, key, event, **more):
        """As the dispatcher sends it; the answer's body."""
        answer = self.post(self.body(enterprise, key, event, **more))
        assert answer.status_code == 200, answer.text
        return answer.json()

    @staticmethod
    def body(enterprise, key, event, turn=0, origin=None, call=None):
        body = {"token": enterprise["name2"], "uniqueId": key, "event_type": event, "turn": turn, "trace": f"t-{key}",
                "call": {"key": key, "call_id": 7, "outgoing": False, "phone": "+375291112233", "rang": ["150"],
                         "result": "talked" if event == "hangup" else "open", "started_at": 1763740800000,
                         **(call or {})}}
        return {**body, "origin": origin} if origin else body

    def rows(self, where="true", columns="*"):
        return self.stack.sql(f"SELECT {columns} FROM crm_deliveries WHERE {where} ORDER BY id")

    def wait_told(self, timeout=15):
        def open_rows():
            return self.rows("state IN ('queued', 'sending', 'failed')",
                             "enterprise_number, crm, call_key, kind, state, attempts, last_error")
        wait_until(lambda: not open_rows(), timeout,
                   lambda: f"everything told, but {open_rows()[:5]}\n{self.service.tail(8)}")

    def channels(self, url=None):
        answer = requests.get((url or self.service.url) + "/dispatch/channels",
                              headers={"X-Callweave-Secret": INTERNAL_SECRET}, timeout=5)
        assert answer.status_code == 200, answer.text
        return {(c["enterprise"], c["crm"]): c for c in answer.json()["channels"]}

    def logs(self):
        return self.stack.sql("SELECT * FROM integration_logs ORDER BY id")


def in_order(adapter, key, expected):
    """Each kind of a call was told to its end before the next began."""
    attempts = [d for d in adapter.told if d["call"]["key"] == key]
    names = []
    for one, after in zip(attempts, attempts[1:]):
        assert one["ended"] <= after["began"], (one, after)
    for attempt in attempts:
        name = attempt["kind"] + (f":{attempt['turn']}" if attempt["turn"] else "")
        if not names or names[-1] != name:
            names.append(name)
    assert names == expected
