"""A Media Stream without manners: every message is a test's own, each answer is kept as it came."""
import asyncio
import base64
import json
import secrets

import websockets

AC = "AC" + "2" * 32


def call_sid():
    return "CA" + secrets.token_hex(16)


class RawStream:
    """`async with RawStream(url) as stream:`; numbers count by themselves, unless a message has its own."""

    def __init__(self, url, headers=None, subprotocols=None, call=None):
        self.url, self.headers, self.subprotocols = url, headers or {}, subprotocols
        self.stream, self.call = "MZ" + secrets.token_hex(16), call or call_sid()
        self.sequence = self.chunk = 0

    async def __aenter__(self):
        self.socket = await websockets.connect(self.url, extra_headers=self.headers, compression=None,
                                               subprotocols=self.subprotocols, ping_interval=None, max_size=2**22)
        return self

    async def __aexit__(self, *reason):
        await self.socket.close()

    async def send(self, message):
        if isinstance(message, dict):
            message = json.dumps(message, separators=(",", ":"))
        await self.socket.send(message)

    def numbered(self, event, **members):
        self.sequence += 1
        return {"event": event, "sequenceNumber": str(self.sequence), **members, "streamSid": self.stream}

    def start_message(self, **parameters):
        return self.numbered("start", start={
            "accountSid": AC, "streamSid": self.stream, "callSid": self.call, "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": parameters})

    def media_message(self, audio, timestamp=None):
        self.chunk += 1
        return self.numbered("media", media={
            "track": "inbound", "chunk": str(self.chunk),
            "timestamp": str(self.chunk * 20 if timestamp is None else timestamp),
            "payload": base64.b64encode(audio).decode()})

    async def start(self, **parameters):
        await self.send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        await self.send(self.start_message(**parameters))
        return self

    async def media(self, audio, timestamp=None):
        await self.send(self.media_message(audio, timestamp))

    async def answer(self, timeout=5):
        return await asyncio.wait_for(self.socket.recv(), timeout)

    async def closed(self, timeout=10):
        """(code, reason) of the close, whatever came before it."""
        async def drain():
            try:
                while True:
                    await self.socket.recv()
            except websockets.ConnectionClosed:
                return self.socket.close_code, self.socket.close_reason
        return await asyncio.wait_for(drain(), timeout)
