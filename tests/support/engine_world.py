"""Calls that engines elsewhere answer: their configuration, the sandbox's script, and what a caller heard of it."""
import json

import requests

import voices
from fake_twilio import FakeStream, call_sid, stream_token
from stack import INTERNAL_SECRET
from waiting import wait_until

OURS, CALLER = "+33100000001", "+33600000001"
AC = "AC" + "2" * 32
KEY = "sk-key-of-enterprise-0367-at-its-engine"
QUESTION = voices.flite("what are your opening hours")
WORD = voices.flite("operator")


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def tone(text):
    """Hz and ms of what the sandbox makes of a text: see services/sandbox/engine.c."""
    data = text.encode()
    return 400 + 60 * (crc32c(data) % 24), max(300, 60 * len(data))


def tones(mulaw):
    """[Hz, ms] of each tone in it, one after the other; silence and shorter ones are left out."""
    found, window = [], 40
    for at in range(0, len(mulaw) - window * 8 + 1, window * 8):
        piece = mulaw[at:at + window * 8]
        signs = [code >= 0x80 for code in piece]
        hz = sum(a != b for a, b in zip(signs, signs[1:])) / (2 * window / 1000) if voices.rms(piece) > 3000 else 0
        if found and abs(found[-1][0] / found[-1][1] - hz) < 30:
            found[-1] = (found[-1][0] + hz, found[-1][1] + 1)
        else:
            found.append((hz, 1))
    return [(total / count, count * window) for total, count in found if total and count > 2]


class World:
    def __init__(self, stack):
        self.stack = stack
        self.media = stack.services["media-ws"]
        self.sandbox = stack.services["sandbox"]

    def configure(self, url=None, **options):
        told = {"url": url or self.sandbox.url, "key": KEY, "greeting": "", "patience_ms": 1200, **options}
        self.stack.sql("UPDATE enterprises SET integrations_config = %s WHERE number = '0367'",
                       [json.dumps({"voice": {"openai": told}})])

    def fresh(self):
        """Nothing is left of the story before."""
        self.stack.sandbox("reset")
        self.configure()
        self.script()
        return self

    def script(self, **script):
        self.stack.sandbox("engine/script", key=KEY, **script)

    def fault(self, path, **fault):
        self.stack.sandbox("faults", service="engine", path=path, **fault)

    def asked(self, path, method=None):
        """What the engine was asked, oldest first."""
        return [row["request"] for row in self.rows(path) if method in (None, row["method"])]

    def rows(self, path):
        rows = requests.get(f"{self.sandbox.url}/_sandbox/requests?service=engine", timeout=10).json()
        return [row for row in rows if row["path"] == path]

    def open(self, engine):
        call = call_sid()
        row = {"call_sid": call, "enterprise_number": "0367", "account_sid": AC, "our_number": OURS, "peer": CALLER,
               "engine": engine, "state": "stream", "language": "en"}
        self.stack.sql(f"INSERT INTO voice_calls ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})",
                       list(row.values()))
        return FakeStream(self.media.url.replace("http", "ws") + "/ws/twilio-media", call,
                          token=stream_token(INTERNAL_SECRET, call), account=AC)

    def outcome(self, stream, timeout=10):
        def told():
            return self.stack.sql("SELECT outcome FROM voice_calls WHERE call_sid = %s", [stream.call])[0]["outcome"]
        return wait_until(told, timeout, lambda: f"an outcome; so far {stream.events[-5:]}\n{self.media.tail(5)}")

    def turns(self, stream):
        return self.stack.sql("SELECT * FROM call_turns WHERE call_sid = %s ORDER BY turn", [stream.call])

    def turn(self, stream, condition=lambda turn: turn["played_ms"] is not None):
        """The last one, when it is what is waited for."""
        return wait_until(lambda: [turn for turn in self.turns(stream)[-1:] if condition(turn)], 5,
                          lambda: f"a turn; there are {self.turns(stream)}")[0]


def assert_heard(stream, *texts, since=0):
    """These, in this order, each to its end, and nothing between them."""
    heard = tones(bytes(stream.heard)[since:])
    expected = [tone(text) for text in texts]
    assert len(heard) == len(expected) and all(
        abs(hz - want_hz) < 25 and abs(ms - want_ms) <= 120 for (hz, ms), (want_hz, want_ms) in zip(heard, expected)), \
        f"heard {heard}, expected {expected}"


def engine_world(module_stack):
    """A stack of media-ws and the sandbox with one enterprise, whose engine is at the sandbox."""
    stack = module_stack(("sandbox", "media-ws"), settings={
        "CALLWEAVE_MEDIA_WS_ALLOW_PRIVATE": "127.0.0.1", "CALLWEAVE_MEDIA_WS_CACHE_URL": "",
        "CALLWEAVE_MEDIA_WS_HOOKS_URL": ""})
    stack.enterprise("0367")
    stack.sql("INSERT INTO hook_numbers (number, enterprise_number, voice) VALUES (%s, '0367', 'agent')", [OURS])
    stack.secrets.add("the engine's key", KEY)
    stack.start_all()
    return World(stack)
