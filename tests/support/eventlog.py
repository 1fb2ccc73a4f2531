"""The event log written by SQL, for stories of the dispatcher alone: every order, every hazard."""
import json

import corpus
from waiting import wait_until

SCENARIOS = corpus.scenarios()

INSERT = """INSERT INTO call_events (shard, enterprise_number, unique_id, event_type, event_timestamp, trace_id, raw_data)
    VALUES (enterprise_shard(%s), %s, %s, %s, now(), 'trace-of-the-story', %s)"""


class Log:
    """Writes a tenant's events as ingest would, and wakes nobody. Its number is a letter or digit and three digits."""

    def __init__(self, stack, enterprise):
        self.stack = stack
        self.number = enterprise["number"]
        self.token = enterprise["name2"]
        self.count = 0

    def row(self, event, body):
        body = {**body, "Token": self.token}
        return [self.number, self.number, body.get("UniqueId", ""), event, json.dumps(body)]

    def add(self, event, body):
        self.stack.sql(INSERT, self.row(event, body))

    def instance(self, name):
        """A fresh call by that scenario; nothing is written yet."""
        self.count += 1
        return corpus.Instance(name, SCENARIOS[name], self.token, int(self.number[1:]) * 100 + self.count)

    def play(self, name):
        """All events of a scenario at once; the instance tells what is expected."""
        instance = self.instance(name)
        for event, _, body in instance.events:
            self.add(event, body)
        return instance


def told(stack, chat, count=1, timeout=40):
    """Wait for `count` messages in a chat that are all final; gives them."""
    def final():
        messages = stack.messages(chat)
        ends = [m for m in messages if m["text"][:1] in "✅❌"]
        return messages if len(messages) == count == len(ends) else None
    return wait_until(final, timeout, lambda: f"{count} final messages: {stack.messages(chat)}\n"
                      + stack.services["dispatcher"].tail(12))


def unknown_sends(stack):
    return stack.sql("SELECT coalesce(sum(unknown_sends), 0)::int AS n FROM telegram_messages")[0]["n"]
