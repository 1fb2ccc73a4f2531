"""A media-ws with an enterprise, its number, and calls as hooks stores them before it answers <Connect><Stream>."""
import json
import re

import requests

from audio_engine import AudioEngine
from fake_twilio import FakeStream, stream_token
from raw_stream import AC, RawStream, call_sid
from stack import INTERNAL_SECRET
from waiting import wait_until

OURS, CALLER = "+33100000001", "+33600000001"
SECRET_HEADER = {"X-Callweave-Secret": INTERNAL_SECRET}
TWILIO_TOKEN = "auth-token-of-enterprise-0367-at-twilio"
PATH = "/ws/twilio-media"


def token(call, **options):
    return stream_token(INTERNAL_SECRET, call, **options)


class MediaWorld:
    def __init__(self, stack):
        self.stack = stack
        self.media = stack.services["media-ws"]
        self.url = self.media.url.replace("http", "ws")
        stack.secrets.add("Twilio's auth token", TWILIO_TOKEN)
        stack.enterprise("0367", integrations_config=json.dumps({"twilio": {
            "enabled": True, "account_sid": AC, "auth_tokens": ["the-next-auth-token-of-0367", TWILIO_TOKEN]}}))
        stack.sql("INSERT INTO hook_numbers (number, enterprise_number, voice, engine)"
                  " VALUES (%s, '0367', 'agent', 'echo')", [OURS])
        stack.start_all()

    # -- the database -----------------------------------------------------------------------------

    def call(self, engine="echo", **columns):
        row = {"call_sid": call_sid(), "enterprise_number": "0367", "account_sid": AC, "our_number": OURS,
               "peer": CALLER, "engine": engine, "state": "stream", **columns}
        marks = ", ".join(["%s"] * len(row))
        self.stack.sql(f"INSERT INTO voice_calls ({', '.join(row)}) VALUES ({marks})", list(row.values()))
        return row["call_sid"]

    def row(self, call):
        return self.stack.sql("SELECT * FROM voice_calls WHERE call_sid = %s", [call])[0]

    def outcome(self, call):
        return wait_until(lambda: self.row(call)["outcome"], 5, "an outcome")

    def configure(self, **config):
        """integrations_config.voice["ws-audio"]."""
        self.stack.sql("UPDATE enterprises SET integrations_config = integrations_config || %s WHERE number = '0367'",
                       [json.dumps({"voice": {"ws-audio": config}})])

    # -- streams ----------------------------------------------------------------------------------

    def raw(self, path=PATH, **options):
        return RawStream(self.url + path, **options)

    def stream(self, call, **options):
        """As Twilio plays it, with the right token."""
        return FakeStream(self.url + PATH, call, token=token(call), **options)

    def engine(self, call, headers=None):
        """The engine of a call comes as soon as the call waits for it."""
        def waits():
            return requests.get(f"{self.media.url}/audio/{call}", headers=SECRET_HEADER, timeout=5).status_code != 404
        wait_until(waits, 5, "the call waits for its engine")
        return AudioEngine.comes(f"{self.url}/audio/{call}", SECRET_HEADER if headers is None else headers)

    # -- what it counts ---------------------------------------------------------------------------

    def metric(self, name):
        return self.media.metric(name)

    def refused(self, reason):
        text = requests.get(self.media.url + "/metrics", timeout=5).text
        return float(re.search(rf'callweave_media_refused_total{{reason="{reason}"}} (\S+)', text).group(1))

    def idle(self):
        wait_until(lambda: self.metric("callweave_media_streams") == 0, 10, "no stream is left")
