"""Twilio's side of a voice call, as far as webhooks go: it posts, signs, reads TwiML and goes where that says.

    caller = Caller(stack.url("hooks"), ACCOUNT, TOKEN)
    call = caller.call("+33100000011")
    call.incoming()
    call.press("2")                       # follows the Gather of the last answer
    assert call.verbs() == ["Say", "Record", "Say", "Hangup"]
"""
import secrets
import xml.etree.ElementTree as tree
from urllib.parse import urlencode

import requests

from fake_texts import sign


def call_sid():
    return "CA" + secrets.token_hex(16)


class Caller:
    def __init__(self, base, account, token):
        self.base, self.account, self.token = base, account, token
        self.session = requests.Session()

    def post(self, url, fields, token=None, headers=None):
        url = url if url.startswith("http") else self.base + url
        signature = sign(url, token or self.token, fields)
        # A prepared request, so that the path goes out as it is, double slashes and all.
        request = requests.Request("POST", url, data=fields, headers={"X-Twilio-Signature": signature, **(headers or {})})
        prepared = self.session.prepare_request(request)
        prepared.url = url
        return self.session.send(prepared, timeout=20)

    def get(self, path, fields, token=None):
        url = f"{self.base}{path}?{urlencode(fields)}"
        return self.session.get(url, timeout=20, headers={"X-Twilio-Signature": sign(url, token or self.token)})

    def call(self, to, peer="+33600000001", sid=None):
        return Call(self, to, peer, sid or call_sid())


class Call:
    """One call; `answer` is the last answer, `root` its document."""

    def __init__(self, caller, to, peer, sid):
        self.caller, self.to, self.peer, self.sid = caller, to, peer, sid
        self.answer = self.root = None

    def fields(self, **more):
        return {"CallSid": self.sid, "AccountSid": self.caller.account, "From": self.peer, "To": self.to,
                "Caller": self.peer, "Called": self.to, "CallStatus": "in-progress", "Direction": "inbound",
                "ApiVersion": "2010-04-01", **more}

    def post(self, url, **more):
        self.answer = self.caller.post(url, self.fields(**more))
        self.root = None
        if self.answer.status_code == 200:
            assert self.answer.headers["Content-Type"] == "text/xml; charset=utf-8"
            self.root = tree.fromstring(self.answer.content)
            assert self.root.tag == "Response"
        return self

    def incoming(self, path="/webhook/incoming_call", **more):
        return self.post(path, CallStatus="ringing", **more)

    def status(self, path, **more):
        """A callback that asks nothing."""
        answer = self.caller.post(path, self.fields(**more))
        assert answer.status_code == 204 and answer.content == b"", f"{answer.status_code} {answer.text}"
        return self

    def over(self, status="completed", sequence=3):
        return self.status("/webhook/call_status", CallStatus=status, SequenceNumber=str(sequence), CallDuration="12")

    # -- the document -------------------------------------------------------------------------------------------

    def verbs(self):
        return [verb.tag for verb in self.root]

    def find(self, path):
        found = self.root.find(path)
        assert found is not None, f"no {path} in {self.answer.text}"
        return found

    def said(self):
        return " ".join(node.text for node in self.root.iter("Say"))

    # -- where it goes -------------------------------------------------------------------------------------------

    def press(self, digit):
        return self.post(self.find("Gather").get("action"), Digits=digit)

    def wait(self):
        """No key in time."""
        return self.post(self.find("Redirect").text)

    def record(self, sid=None):
        """A message, to its end; gives the recording's URL."""
        verb = self.find("Record")
        url = f"https://api.twilio.com/2010-04-01/Accounts/{self.caller.account}/Recordings/{sid or 'RE' + secrets.token_hex(16)}"
        callback = verb.get("recordingStatusCallback")
        self.post(verb.get("action"), RecordingUrl=url, RecordingDuration="4", Digits="hangup")
        self.status(callback, RecordingUrl=url, RecordingSid=url.rsplit("/", 1)[1], RecordingStatus="completed",
                    RecordingDuration="4", RecordingChannels="1", RecordingSource="RecordVerb")
        return url
