"""An application behind Twilio, for stories about the sandbox: it answers webhooks as a test says and keeps what came.

    with App() as app:
        app.answer("/voice", "<Response><Hangup/></Response>")
        app.forms("/status")    # what was posted there
"""
import asyncio
import json
import subprocess
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import websockets

from npm_folder import npm_folder

XML = "text/xml; charset=utf-8"


class App:
    def __init__(self):
        self.plans, self.came = {}, []
        self._lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                owner.serve(self)

            do_GET = do_POST

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *reason):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path, body="", status=200, type=XML, wait=None, **headers):
        """What `path` answers from now on; a list of bodies: one after the other, the last for ever."""
        bodies = body if isinstance(body, list) else [body]
        self.plans[path] = {"bodies": list(bodies), "status": status, "type": type, "wait": wait, "headers": headers}

    def twiml(self, path, inner, **more):
        self.answer(path, f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>', **more)

    def serve(self, request):
        path, _, query = request.path.partition("?")
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0)).decode()
        with self._lock:
            self.came.append({"method": request.command, "path": path, "url": self.url + request.path,
                              "form": dict(urllib.parse.parse_qsl(body, keep_blank_values=True)),
                              "query": dict(urllib.parse.parse_qsl(query, keep_blank_values=True)),
                              "signature": request.headers.get("X-Twilio-Signature")})
            plan = self.plans.get(path, {"bodies": [""], "status": 404, "type": "text/plain", "wait": None, "headers": {}})
            answer = plan["bodies"].pop(0) if len(plan["bodies"]) > 1 else plan["bodies"][0]
        if plan["wait"] is not None:
            plan["wait"].wait(20)
        data = answer if isinstance(answer, bytes) else answer.encode()
        try:
            request.send_response(plan["status"])
            if plan["type"]:
                request.send_header("Content-Type", plan["type"])
            for name, value in plan["headers"].items():
                request.send_header(name, value)
            request.send_header("Content-Length", str(len(data)))
            request.end_headers()
            request.wfile.write(data)
        except OSError:
            pass  # who asked has gone: the story knows why

    def requests(self, path):
        with self._lock:
            return [one for one in self.came if one["path"] == path]

    def forms(self, path):
        return [one["form"] for one in self.requests(path)]


class StreamApp:
    """A WebSocket server for Media Streams: `behave(socket, start)` is a coroutine that a test gives; all that came is
    in `messages`, the handshake's headers in `headers`."""

    def __init__(self, behave, **options):
        self.behave, self.options = behave, options
        self.messages, self.headers, self.problem = [], [], None

    def __enter__(self):
        ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run(ready)), daemon=True)
        self.thread.start()
        assert ready.wait(10)
        return self

    def __exit__(self, *reason):
        self.loop.call_soon_threadsafe(self.over.set)
        self.thread.join(10)
        assert self.problem is None, self.problem

    async def _run(self, ready):
        self.loop, self.over = asyncio.get_running_loop(), asyncio.Event()
        async with websockets.serve(self._serve, "127.0.0.1", 0, **self.options) as server:
            self.port = server.sockets[0].getsockname()[1]
            self.url = f"ws://127.0.0.1:{self.port}/ws/twilio-media"
            ready.set()
            await self.over.wait()

    async def _serve(self, socket, *rest):
        self.headers.append(dict(socket.request_headers.raw_items()))
        try:
            while True:
                message = await self.next(socket)
                if message["event"] == "start":
                    break
            await self.behave(self, socket, message["start"])
        except websockets.ConnectionClosed:
            pass
        except Exception as error:  # shown by __exit__
            self.problem = repr(error)

    async def next(self, socket, event=None):
        """The next message, or the next of that event."""
        while True:
            message = json.loads(await socket.recv())
            self.messages.append(message)
            if event in (None, message["event"]):
                return message

    def events(self, kind):
        return [message for message in self.messages if message["event"] == kind]


def genuine(questions):
    """For each {"token", "signature", "url", "form"}: does Twilio's library for Node take it?"""
    folder = npm_folder(Path(__file__).parent / "twilio_npm", "validate.mjs")
    done = subprocess.run(["node", "validate.mjs"], cwd=folder, text=True, capture_output=True, timeout=60,
                          input="".join(json.dumps(one) + "\n" for one in questions))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
