"""Those with whom hooks exchanges texts: Twilio's Messages.json, baileys-bridge, and Twilio as it posts webhooks."""
import base64
import email.utils
import hashlib
import hmac
import json
import secrets
import time
import urllib.parse

import requests

from fake_server import FakeServer


def sid(prefix="SM"):
    return prefix + secrets.token_hex(16)


def sign(url, token, fields=None):
    """X-Twilio-Signature of a form POST (fields) or a GET (None)."""
    text = url + "".join(name + value for name, value in sorted((fields or {}).items()))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


class Poster:
    """Twilio, as it posts to hooks for one account and number."""

    def __init__(self, base, account, token, number):
        self.base, self.account, self.token, self.number = base, account, token, number

    def post(self, path, fields, token=None):
        url = self.base + path
        fields = {"AccountSid": self.account, "ApiVersion": "2010-04-01", **fields}
        return requests.post(url, data=fields, timeout=20,
                             headers={"X-Twilio-Signature": sign(url, token or self.token, fields)})

    def text(self, peer, body, message=None, path="/webhook/sms", **more):
        chat = "whatsapp:" if "whatsapp" in path else ""
        message = message or sid()
        return self.post(path, {"MessageSid": message, "SmsSid": message, "SmsMessageSid": message, "NumMedia": "0",
                                "From": chat + peer, "To": chat + self.number, "Body": body, **more})

    def status(self, url, message, status, peer, code=None, chat=""):
        """To the URL that was given as StatusCallback."""
        path = url.replace(self.base, "")
        more = {"ErrorCode": code} if code else {}
        return self.post(path, {"MessageSid": message, "SmsSid": message, "MessageStatus": status,
                                "SmsStatus": status, "From": chat + self.number, "To": chat + peer, **more})


class FakeTwilioTexts(FakeServer):
    """POST and GET /2010-04-01/Accounts/<AC>/Messages.json.

    `refuse[to]` = (HTTP status, code) for that number; `mute` = how many of the next sends are accepted without an
    answer; `headers` go with refusals.
    """

    METHODS = ("POST", "GET")

    def __init__(self, account, token):
        self.account, self.token = account, token
        self.accepted = []  # {"sid", "To", "From", "Body", ...} in order
        self.asked = []  # every send, accepted or not
        self.looked = 0
        self.refuse = {}
        self.headers = {}
        self.mute = 0
        self.before_answer = None  # called with what was accepted
        super().__init__()

    def _row(self, item):
        return {"sid": item["sid"], "account_sid": self.account, "body": item.get("Body", ""), "to": item["To"],
                "from": item["From"], "status": "queued", "direction": "outbound-api", "num_media": "0",
                "num_segments": "1", "price": None, "error_code": None, "error_message": None,
                "date_created": email.utils.formatdate(item["at"]), "date_sent": None,
                "uri": f"/2010-04-01/Accounts/{self.account}/Messages/{item['sid']}.json"}

    def serve(self, handler):
        body = self.body(handler)
        expected = "Basic " + base64.b64encode(f"{self.account}:{self.token}".encode()).decode()
        path = urllib.parse.urlsplit(handler.path)
        if handler.headers.get("Authorization") != expected:
            return self.reply(handler, 401, {"code": 20003, "message": "Authenticate", "status": 401})
        assert path.path == f"/2010-04-01/Accounts/{self.account}/Messages.json", path.path
        if handler.command == "GET":
            return self._list(handler, dict(urllib.parse.parse_qsl(path.query)))
        return self._send(handler, dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True)))

    def _list(self, handler, query):
        with self.lock:
            self.looked += 1
            rows = [self._row(item) for item in reversed(self.accepted)
                    if item["To"] == query.get("To", item["To"]) and item["From"] == query.get("From", item["From"])]
        self.reply(handler, 200, {"messages": rows[:int(query.get("PageSize", 50))], "page": 0})

    def _send(self, handler, fields):
        with self.lock:
            self.asked.append(fields)
            refused = self.refuse.get(fields["To"])
            if refused is None:
                item = {**fields, "sid": sid(), "at": time.time()}
                self.accepted.append(item)
                mute = self.mute > 0
                self.mute -= mute
        if refused is not None:
            status, code = refused
            return self.reply(handler, status, {"code": code, "message": f"error {code}", "status": status},
                              self.headers)
        if self.before_answer:
            self.before_answer(item)
        if mute:
            handler.close_connection = True
            return handler.connection.close()
        return self.reply(handler, 201, self._row(item))

    def bodies(self, to=None):
        with self.lock:
            return [item.get("Body") for item in self.accepted if to is None or item["To"] == to]


class FakeBridge(FakeServer):
    """baileys-bridge: POST /sendMessage, GET /health."""

    METHODS = ("POST", "GET")

    def __init__(self, secret):
        self.secret = secret
        self.sent = []
        self.connected = True
        self.mute = 0  # so many of the next sends are done without an answer
        super().__init__()

    def serve(self, handler):
        body = self.body(handler)
        if handler.headers.get("X-BAILEYS-SECRET") != self.secret:
            return self.reply(handler, 403, {"ok": False, "error": "Forbidden"})
        if handler.path == "/health":
            return self.reply(handler, 200, {"ok": True, "connected": self.connected})
        if not self.connected:
            return self.reply(handler, 500, {"ok": False, "error": "Socket not connected"})
        with self.lock:
            self.sent.append(json.loads(body))
            number = len(self.sent)
            mute = self.mute > 0
            self.mute -= mute
        if mute:
            handler.close_connection = True
            return handler.connection.close()
        return self.reply(handler, 200, {"ok": True, "message_id": f"BAE5{number:012d}"})
