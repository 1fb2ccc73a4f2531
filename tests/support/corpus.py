"""The corpus: real call sequences, made into fresh calls of any tenant and sent as a host would."""
import json
import re
import time
import uuid
from datetime import datetime, timedelta
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "corpus"
DEFAULT_DELAY_MS = 2000  # where the capture does not know the delay

UNIQUE_ID = re.compile(r"\b(1[67]\d{8})\.(\d+)\b")
BRIDGE_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
CHANNEL_END = re.compile(r"(?<=-)([0-9a-f]{8})(?=[;\"])")
MOMENT = re.compile(r"\b20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\b")
MOMENT_FORMAT = "%Y-%m-%d %H:%M:%S"
OUTSIDE = re.compile(r"375(29000[01])(\d{3})\b(?!\.)")


def _lines(name):
    with open(FOLDER / name, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def scenarios():
    """{name: [event...]} in the order of the file."""
    found = {}
    for row in _lines("calls.jsonl"):
        found.setdefault(row["scenario"], []).append(row)
    return found


def expected():
    """{name: {"calls": [...], "final_messages_per_chat": n}}"""
    return {row["scenario"]: row for row in _lines("expected.jsonl")}


class Instance:
    """One scenario as a call that never was: own ids, own bridges, own outside numbers, own token.

    Equal things stay equal and the order of ids is kept; only the names change. `number` tells
    instances apart and is below 100,000.
    """

    def __init__(self, name, events, token, number):
        self.name = name
        self.token = token
        self.number = number
        self._bridges = uuid.uuid4()
        self._phones = {}
        first = min((int(found[0]) for row in events
                     for found in UNIQUE_ID.findall(json.dumps(row["body"]))), default=0)
        self._shift = int(time.time()) - first
        self.events = [(row["event"], row["delay_ms"], self._fresh(row["body"])) for row in events]

    def _fresh(self, body):
        text = self.rename(json.dumps({**body, "Token": "TOKEN"}, ensure_ascii=False))
        return {**json.loads(text), "Token": self.token}

    def rename(self, text):
        """Give every name in a text its new form; also for what is expected of the call."""
        text = BRIDGE_ID.sub(lambda found: str(uuid.uuid5(self._bridges, found[0])), text)
        text = UNIQUE_ID.sub(lambda found: self.unique_id(int(found[1]), found[2]), text)
        text = MOMENT.sub(lambda found: self.moment(found[0]), text)
        text = CHANNEL_END.sub(lambda found: f"{(int(found[1], 16) + self.number * 4096) % 2**32:08x}", text)
        return OUTSIDE.sub(lambda found: self.outside(found[0]), text)

    def unique_id(self, seconds, channel):
        return f"{seconds + self._shift}.{self.number * 10_000 + int(channel)}"

    def moment(self, text):
        """Times of hangups move along with the ids, so that the call is of today."""
        then = datetime.strptime(text, MOMENT_FORMAT) + timedelta(seconds=self._shift)
        return then.strftime(MOMENT_FORMAT)

    def outside(self, phone):
        """Each outside number of the scenario becomes 37529 + the instance + its own two digits."""
        index = self._phones.setdefault(phone, len(self._phones) + 1)
        return f"37529{self.number:05d}{index:02d}"

    def expects(self, row):
        """A row of expected.jsonl with this instance's numbers."""
        return json.loads(self.rename(json.dumps(row, ensure_ascii=False)))

    def send(self, post, scale=0.01):
        """Send all events in order through `post(event, body)`, with scaled delays."""
        for index, (event, delay_ms, body) in enumerate(self.events):
            delay = DEFAULT_DELAY_MS if delay_ms is None else delay_ms
            if index:
                time.sleep(delay / 1000 * scale)
            answer = post(event, body)
            assert answer.status_code == 200, f"{self.name} {event}: {answer.status_code} {answer.text}"


def differences(expected_call, report):
    """What a row of call_report has other than expected.jsonl says; [] when nothing."""
    found = []
    for field, value in expected_call.items():
        if report[field] != value:
            found.append(f"{field}: expected {value!r}, is {report[field]!r}")
    return found
