"""The sandbox's Twilio in a story: calls that people make, and what became of them."""
import requests

from waiting import wait_until

ACCOUNT = "AC" + "1" * 32
TOKEN = "a-token-of-the-account-of-the-story"
OURS, CALLER, OPERATOR = "+33100000000", "+33600000001", "+33600000099"
BEEP = b"\x10\x90" * 4000  # a second, loud


def call(sandbox, *script, speed=20, **more):
    """A whole call: its sid."""
    script = [*script] or [{"wait_ms": 100}]
    sid = sandbox.tell("twilio/calls", to=OURS, **{"from": CALLER}, script=script, speed=speed, **more)["call_sid"]
    wait_until(lambda: look(sandbox, sid)["settled"], 20, lambda: look(sandbox, sid))
    return sid


def look(sandbox, sid):
    return sandbox.ask(f"twilio/calls/{sid}")


def events(sandbox, sid, what):
    return [event["detail"] for event in look(sandbox, sid)["events"] if event["what"] == what]


def codes(sandbox, sid):
    return [alert["code"] for alert in sandbox.ask("twilio/alerts", sid=sid)]


def put_file(sandbox, name, data=BEEP, type="audio/basic"):
    answer = requests.post(f"{sandbox.url}/_sandbox/twilio/files/{name}", data=data, headers={"Content-Type": type}, timeout=10)
    assert answer.status_code == 200, answer.text


def heard(sandbox, sid, which="heard"):
    return requests.get(f"{sandbox.url}/_sandbox/twilio/calls/{sid}/{which}.wav", timeout=10).content


def mulaw_of(wav):
    """Samples behind the header of a mu-law file."""
    at = wav.index(b"data") + 8
    return wav[at:]
