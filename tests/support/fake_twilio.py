"""Twilio's side of a Media Stream, as a story needs it: frames every 20 ms, a playout clock that echoes marks when they
were played, strictness about what is sent (31951), and a record of what the caller heard.

    with FakeStream(url, call_sid, token=stream_token(secret, call_sid)) as stream:
        stream.wait_quiet()                  # the greeting is over
        stream.speak(voices.flite("opening hours"))
        stream.press("1")
        stream.wait_closed()                 # Twilio would now ask <Connect action>
        assert not stream.warnings and stream.longest_gap() < 60
"""
import asyncio
import base64
import collections
import hashlib
import hmac
import json
import secrets
import threading
import time

import websockets

from waiting import wait_until

FRAME_MS = 20
FRAME = 160
LATE_MS = 60
QUIET = b"\xff"
# What may be sent, and its members, exactly: anything else is Twilio's warning 31951.
SHAPES = {
    "media": {"event": None, "streamSid": None, "media": {"payload": None}},
    "mark": {"event": None, "streamSid": None, "mark": {"name": None}},
    "clear": {"event": None, "streamSid": None},
}


def call_sid():
    return "CA" + secrets.token_hex(16)


def stream_token(secret, call, valid_ms=60_000):
    """As libshared/twilio/stream_token.c makes it."""
    said = f"{call}.{int(time.time() * 1000) + valid_ms}.{secrets.token_hex(16)}"
    return said + "." + hmac.new(secret.encode(), b"stream|" + said.encode(), hashlib.sha256).hexdigest()


def signature(url, token):
    return base64.b64encode(hmac.new(token.encode(), url.encode(), hashlib.sha1).digest()).decode()


def _shape(value):
    return {name: _shape(inner) for name, inner in value.items()} if isinstance(value, dict) else None


class FakeStream:
    """One call's stream, on a thread of its own with its own clock. Times are ms since `start` was sent."""

    def __init__(self, url, call, token=None, parameters=None, headers=None, account="AC" + "2" * 32,
                 subprotocols=None):
        self.url, self.call, self.account = url, call, account
        self.stream = "MZ" + secrets.token_hex(16)
        self.parameters = {"call_sid": call, **({"token": token} if token else {}), **(parameters or {})}
        self.headers = {"User-Agent": "Twilio.TmeWs/1.0", **(headers or {})}
        self.subprotocols = subprotocols
        self.lock = threading.Lock()
        self.heard = bytearray()  # all that the caller heard, silence included: 8 bytes a ms
        self.spoken = bytearray()
        self.warnings = []  # 31951 and its like
        self.events = []  # (ms, what, detail): media clear mark echo flush gap close
        self.gaps = []  # ms of silence inside an utterance: it had begun, and its mark had not come
        self.close_code = None
        self.close_reason = ""
        self.error = None
        self._to_say = collections.deque()  # bytes still to be sent, from the caller's mouth
        self._to_play = collections.deque()  # bytes, or a mark's name as str
        self._gap = 0
        self._playing = False
        self._sequence = 0
        self._chunk = 0
        self._began = None
        self._opened, self._over = threading.Event(), threading.Event()
        self._loop = None
        self._hangup = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    # -- what a story does ------------------------------------------------------------------------

    def __enter__(self):
        self._thread.start()
        assert self._opened.wait(10), "the stream did not open within 10 s"
        if self.error:
            raise self.error
        return self

    def __exit__(self, kind, value, trace):
        self.hang_up()
        self._thread.join(10)

    def speak(self, mulaw, wait=True, timeout=30):
        """Into the call, in real time."""
        with self.lock:
            self._to_say.extend(mulaw[at:at + FRAME].ljust(FRAME, QUIET) for at in range(0, len(mulaw), FRAME))
        if wait:
            wait_until(lambda: self._over.is_set() or not self._to_say, timeout, "all was said")

    def press(self, digit):
        self._send_soon({"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": digit}})

    def hang_up(self):
        """The caller hangs up: stop, then the socket is closed."""
        self._hangup = True
        if self._thread.is_alive():
            self._over.wait(10)

    def send(self, message):
        """Any message, as it is: a str, bytes, or a dict."""
        self._send_soon(message, numbered=False)

    # -- what a story sees ------------------------------------------------------------------------

    def now_ms(self):
        return int((time.monotonic() - self._began) * 1000) if self._began else 0

    def playing(self):
        with self.lock:
            return self._playing or any(isinstance(item, bytes) for item in self._to_play)

    def wait_until_ms(self, ms, timeout=30):
        wait_until(lambda: self.now_ms() >= ms or self._over.is_set(), timeout, f"{ms} ms of the call")

    def wait_speaking(self, timeout=10):
        wait_until(lambda: self.playing() or self._over.is_set(), timeout, lambda: f"speech; so far {self.events}")
        assert self.playing(), f"the stream was closed ({self.close_code}): {self.events}"

    def wait_quiet(self, timeout=30, least_ms=200):
        """Until it has spoken and everything was played, and for a moment nothing new came."""
        quiet_since = []

        def quiet():
            if self._over.is_set():
                return True
            if self.playing() or not any(event[1] == "media" for event in self.events):
                quiet_since.clear()
                return False
            quiet_since.append(self.now_ms())
            return self.now_ms() - quiet_since[0] >= least_ms
        wait_until(quiet, timeout, lambda: f"quiet; so far {self.events[-10:]}")

    def wait_heard(self, mulaw, timeout=20, since=0):
        """Until these very bytes were played; gives the ms at which they were over."""
        found = []

        def there():
            with self.lock:
                at = bytes(self.heard).find(mulaw, since * 8)
            found[:] = [at]
            return at >= 0
        wait_until(there, timeout, lambda: f"{len(mulaw) // 8} ms of audio, heard; so far {self.events[-10:]}")
        return (found[0] + len(mulaw)) // 8

    def heard_since(self, ms):
        """What the caller heard from then on (now_ms() before)."""
        with self.lock:
            return bytes(self.heard[ms * 8:])

    def has_heard(self, mulaw):
        with self.lock:
            return mulaw in bytes(self.heard)

    def wait_closed(self, timeout=20):
        wait_until(self._over.is_set, timeout, lambda: f"the stream closed; so far {self.events[-10:]}")
        return self.close_code

    def longest_gap(self):
        return max(self.gaps, default=0)

    def happened(self, what):
        with self.lock:
            return [event for event in self.events if event[1] == what]

    # -- the thread ---------------------------------------------------------------------------------

    def _note(self, what, detail=""):
        self.events.append((self.now_ms(), what, detail))

    def _run(self):
        try:
            asyncio.run(self._live())
        except Exception as error:  # handed to the story, whatever it is
            self.error = error
        finally:
            self._opened.set()
            self._over.set()

    async def _live(self):
        self._loop = asyncio.get_running_loop()
        async with websockets.connect(self.url, extra_headers=self.headers, compression=None, max_size=2**20,
                                      user_agent_header=None, subprotocols=self.subprotocols,
                                      ping_interval=None) as socket:
            self._socket = socket
            await self._begin()
            self._opened.set()
            reader = asyncio.create_task(self._read())
            try:
                await self._clock(reader)
            except websockets.ConnectionClosed:
                pass
            await asyncio.wait([reader], timeout=5)
            self.close_code, self.close_reason = socket.close_code, socket.close_reason
            self._note("close", self.close_code)

    async def _begin(self):
        await self._socket.send(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
        self._began = time.monotonic()
        await self._send({"event": "start", "start": {
            "accountSid": self.account, "streamSid": self.stream, "callSid": self.call, "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": self.parameters}})

    async def _send(self, message):
        self._sequence += 1
        await self._socket.send(json.dumps({**message, "sequenceNumber": str(self._sequence),
                                            "streamSid": self.stream}))

    def _send_soon(self, message, numbered=True):
        async def send():
            if numbered:
                await self._send(message)
            else:
                await self._socket.send(json.dumps(message) if isinstance(message, dict) else message)
        asyncio.run_coroutine_threadsafe(send(), self._loop).result(5)

    async def _clock(self, reader):
        """20 ms after 20 ms. When this process was kept waiting by others, the clock stands still meanwhile: Twilio's
        would not have stopped, and what was sent in time would count as late."""
        frames = 0
        while not reader.done() and not self._hangup:
            behind = self.now_ms() - frames * FRAME_MS
            if behind > LATE_MS:
                self._began += behind / 1000
            while frames * FRAME_MS <= self.now_ms() and not reader.done():
                await self._hear_frame(frames)
                await self._play_frame()
                frames += 1
            await asyncio.sleep(max(0.001, frames * FRAME_MS / 1000 - (time.monotonic() - self._began)))
        if self._hangup and not reader.done():
            await self._send({"event": "stop", "stop": {"accountSid": self.account, "callSid": self.call}})
            await self._socket.close()

    async def _hear_frame(self, frames):
        with self.lock:
            piece = self._to_say.popleft() if self._to_say else QUIET * FRAME
            self.spoken += piece
        self._chunk += 1
        await self._send({"event": "media", "media": {
            "track": "inbound", "chunk": str(self._chunk), "timestamp": str(frames * FRAME_MS),
            "payload": base64.b64encode(piece).decode()}})

    async def _play_frame(self):
        echoes = []
        with self.lock:
            played = bytearray()
            while self._to_play and (len(played) < FRAME or isinstance(self._to_play[0], str)):
                item = self._to_play.popleft()
                if isinstance(item, str):
                    echoes.append(item)
                    self._playing = False
                    self._end_gap(counts=False)
                    continue
                self._end_gap(counts=True)
                self._playing = True
                room = FRAME - len(played)
                played += item[:room]
                if len(item) > room:
                    self._to_play.appendleft(item[room:])
            if self._playing and len(played) < FRAME:
                self._gap += FRAME_MS * (FRAME - len(played)) // FRAME
            self.heard += played.ljust(FRAME, QUIET)
        for name in echoes:
            self._note("echo", name)
            await self._send({"event": "mark", "mark": {"name": name}})

    def _end_gap(self, counts):
        """A gap counts when the same utterance went on after it; before its mark it was only its end."""
        if self._gap and counts:
            self.gaps.append(self._gap)
            self._note("gap", self._gap)
        self._gap = 0

    async def _read(self):
        async for text in self._socket:
            await self._take(text)

    async def _take(self, text):
        try:
            message = json.loads(text) if isinstance(text, str) else None
        except ValueError:
            message = None
        kind = message.get("event") if isinstance(message, dict) else None
        if kind not in SHAPES or _shape(message) != SHAPES[kind] or message["streamSid"] != self.stream:
            self.warnings.append(("31951", str(text)[:200]))
            return
        await getattr(self, "_take_" + kind)(message)

    async def _take_media(self, message):
        audio = base64.b64decode(message["media"]["payload"], validate=True)
        with self.lock:
            self._to_play.append(audio)
            self._note("media", len(audio))

    async def _take_mark(self, message):
        with self.lock:
            self._to_play.append(message["mark"]["name"])
            self._note("mark", message["mark"]["name"])

    async def _take_clear(self, _message):
        with self.lock:
            flushed = [item for item in self._to_play if isinstance(item, str)]
            lost = sum(len(item) for item in self._to_play if isinstance(item, bytes)) // 8
            self._to_play.clear()
            self._playing = False
            self._gap = 0
            self._note("clear", lost)
        for name in flushed:
            self._note("flush", name)
            await self._send({"event": "mark", "mark": {"name": name}})
