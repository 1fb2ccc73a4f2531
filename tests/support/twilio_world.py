"""The sandbox plays Twilio against hooks, media-ws and speech as they are: who calls, and what became of it."""
import json

import requests

from sandbox_twilio import ACCOUNT, CALLER, OPERATOR, TOKEN
from waiting import wait_until

PROBE = "+33600000098"  # nobody of a story


class TwilioWorld:
    """An enterprise 0367 with an account at Twilio; `columns` are more of its row."""

    def __init__(self, stack, **columns):
        self.stack = stack
        self.place = stack.url("sandbox") + "/_sandbox/twilio"
        stack.secrets.add("Twilio's token", TOKEN)
        self.enterprise = stack.enterprise("0367", country="FR", **columns, integrations_config=json.dumps(
            {"twilio": {"enabled": True, "account_sid": ACCOUNT, "auth_tokens": [TOKEN]}}))

    def number(self, number, voice, engine, language):
        """One of ours, here and at Twilio."""
        self.stack.sql("INSERT INTO hook_numbers (number, enterprise_number, voice, engine, language, operator) "
                       "VALUES (%s, '0367', %s, %s, %s, %s)", [number, voice, engine, language, OPERATOR])
        hooks = self.stack.url("hooks")
        self.tell("numbers", number=number, account_sid=ACCOUNT, auth_token=TOKEN, voice_url=hooks + "/webhook/incoming_call",
                  status_callback=hooks + "/webhook/call_status", sms_url=hooks + "/webhook")

    def wait_known(self, number):
        """Until hooks has read that the number, the last one of them, is ours."""
        def known():
            sid = self.call(number, {"wait_ms": 400}, {"hangup": True}, caller=PROBE)
            self.over(sid)
            return self.happened(sid, "verb")[:1] in (["Gather"], ["Connect"])
        wait_until(known, 20, "hooks knows its numbers")

    # -- what people do ---------------------------------------------------------------------------

    def tell(self, what, **body):
        answer = requests.post(f"{self.place}/{what}", json=body, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def file(self, name, audio):
        answer = requests.post(f"{self.place}/files/{name}", data=audio, headers={"Content-Type": "audio/basic"}, timeout=10)
        assert answer.status_code == 200, answer.text

    def call(self, to, *script, speed=1, caller=CALLER):
        """A menu may run faster than the clock; what paces audio itself may not."""
        return self.tell("calls", to=to, **{"from": caller}, script=[*script], speed=speed)["call_sid"]

    # -- what became of it ------------------------------------------------------------------------

    def look(self, sid):
        return requests.get(f"{self.place}/calls/{sid}", timeout=10).json()

    def over(self, sid, timeout=60):
        wait_until(lambda: self.look(sid)["settled"], timeout, lambda: json.dumps(self.look(sid), indent=1))
        return self.look(sid)

    def happened(self, sid, what):
        return [event["detail"] for event in self.look(sid)["events"] if event["what"] == what]

    def heard(self, sid, which="heard"):
        wav = requests.get(f"{self.place}/calls/{sid}/{which}.wav", timeout=10).content
        return wav[wav.index(b"data") + 8:]

    def alerts(self, sid=""):
        return [(alert["code"], alert["text"]) for alert in requests.get(f"{self.place}/alerts", params={"sid": sid}, timeout=10).json()]

    def row(self, sid):
        return self.stack.sql("SELECT * FROM voice_calls WHERE call_sid = %s", [sid])[0]
