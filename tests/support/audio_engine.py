"""A customer's own voice engine, as ws-audio meets it: it comes to a call, or is called; PCM and texts, kept as they came."""
import asyncio
import json
import threading

import websockets

from waiting import wait_until


class AudioEngine:
    """`with AudioEngine.comes(url, headers) as engine:` or `with AudioEngine.served() as engine:` (then engine.url)."""

    def __init__(self, url=None, headers=None):
        self.url, self.headers = url, headers or {}
        self.texts, self.heard, self.asked = [], bytearray(), []
        self.close_code, self.error = None, None
        self._socket = self._loop = None
        self._serves = url is None
        self._ready, self._stop = threading.Event(), None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), daemon=True)

    @classmethod
    def comes(cls, url, headers=None):
        return cls(url, headers)

    @classmethod
    def served(cls):
        return cls()

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(10)
        if self.error:
            raise self.error
        return self

    def __exit__(self, *reason):
        if self._thread.is_alive():
            try:
                self._loop.call_soon_threadsafe(self._stop.set)
            except RuntimeError:  # it ended by itself just now
                pass
        self._thread.join(10)

    async def _live(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            if self._serves:
                async with websockets.serve(self._take, "127.0.0.1", 0, ping_interval=None) as server:
                    self.url = "ws://127.0.0.1:%d/voice" % server.sockets[0].getsockname()[1]
                    self._ready.set()
                    await self._stop.wait()
            else:
                async with websockets.connect(self.url, extra_headers=self.headers, ping_interval=None) as socket:
                    self._ready.set()
                    await self._take(socket)
        except Exception as error:  # handed to the story
            self.error = error
        self._ready.set()

    async def _take(self, socket, *_):
        self._socket = socket
        if self._serves:
            self.asked.append(dict(socket.request_headers))
        stopped = asyncio.create_task(self._stop.wait())
        reading = asyncio.create_task(self._read(socket))
        await asyncio.wait([stopped, reading], return_when=asyncio.FIRST_COMPLETED)
        await socket.close()
        await reading
        self.close_code = socket.close_code

    async def _read(self, socket):
        try:
            async for message in socket:
                if isinstance(message, bytes):
                    self.heard += message
                else:
                    self.texts.append(json.loads(message))
        except websockets.ConnectionClosed:
            pass

    def _send(self, message):
        asyncio.run_coroutine_threadsafe(self._socket.send(message), self._loop).result(5)

    def tell(self, kind, **members):
        self._send(json.dumps({"type": kind, **members}))

    def say(self, pcm):
        self._send(bytes(pcm))

    def told(self, kind):
        return [text for text in list(self.texts) if text["type"] == kind]

    def wait_told(self, kind, count=1, timeout=10):
        wait_until(lambda: len(self.told(kind)) >= count, timeout, lambda: f"{kind}; so far {self.texts}")
        return self.told(kind)[count - 1]
