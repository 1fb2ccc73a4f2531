"""baileys-bridge over its wire, with a stand-in of npm baileys: no phone is needed. docs/protocol/baileys-bridge.md."""
import json
import os
import signal
import stat
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from ports import free_port
from waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "services" / "baileys-bridge" / "baileys-bridge"
SECRET = "what-hooks-and-the-bridge-know"
HEADER = {"X-BAILEYS-SECRET": SECRET}
PEER = "972501234567@s.whatsapp.net"


class Hooks:
    """Keeps what the bridge posts; answers `status`."""

    def __init__(self):
        self.came, self.status, owner = [], 204, self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.came.append((self.headers.get("X-BAILEYS-SECRET"), body))
                self.send_response(owner.status(body) if callable(owner.status) else owner.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def texts(self):
        return [body["text"] for _, body in self.came]


class Bridge:
    def __init__(self, folder, hooks, **settings):
        self.port, self.fake_port, self.folder, self.log = free_port(), free_port(), folder, folder / "bridge.log"
        self.env = {**os.environ, "CALLWEAVE_BAILEYS_BRIDGE_PORT": str(self.port), "FAKE_BAILEYS_PORT": str(self.fake_port),
                    "CALLWEAVE_BAILEYS_BRIDGE_MODULE": str(ROOT / "tests" / "support" / "fake_baileys.mjs"),
                    "CALLWEAVE_BAILEYS_BRIDGE_FOLDER": str(folder / "data"), "CALLWEAVE_HOOKS_BAILEYS_SECRET": SECRET,
                    "CALLWEAVE_BAILEYS_BRIDGE_WEBHOOK": f"http://127.0.0.1:{hooks.server.server_port}/webhook",
                    "CALLWEAVE_LOG_FILE": str(self.log), **settings}
        self.process = None

    def start(self):
        self.process = subprocess.Popen([PROGRAM], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        wait_until(lambda: self.get("/readyz") and self.state().get("sockets"), 15, lambda: self.process.poll())
        return self

    def get(self, path, **options):
        try:
            return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=5, **options)
        except requests.ConnectionError:
            return None

    def post(self, path, body, **options):
        return requests.post(f"http://127.0.0.1:{self.port}{path}", json=body, timeout=10, **options)

    def fake(self, path, **body):
        return requests.post(f"http://127.0.0.1:{self.fake_port}{path}", json=body, timeout=5).json()

    def state(self):
        try:
            return self.fake("/state")
        except requests.ConnectionError:
            return {}

    def event(self, name, data):
        self.fake("/event", name=name, data=data)

    def opened(self):
        self.event("connection.update", {"connection": "open"})
        wait_until(lambda: self.get("/health").json()["connected"], 5, "open")
        return self

    def comes(self, *messages):
        self.event("messages.upsert", {"type": "notify", "messages": list(messages)})

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(10)
        return self.process.returncode if self.process else None


def message(text, ident, jid=PEER, **key):
    return {"key": {"remoteJid": jid, "id": ident, "fromMe": False, **key}, "pushName": "Dana",
            "messageTimestamp": 4102444800, "message": {"conversation": text}}


@pytest.fixture
def hooks():
    made = Hooks()
    yield made
    made.server.shutdown()


@pytest.fixture
def bridge(tmp_path, hooks):
    made = Bridge(tmp_path, hooks)
    yield made
    made.stop()


@pytest.mark.parametrize("setting, words", [
    ({"CALLWEAVE_HOOKS_BAILEYS_SECRET": ""}, "no default"),
    ({"CALLWEAVE_HOOKS_BAILEYS_SECRET": "short"}, "at least 16"),
    ({"CALLWEAVE_BAILEYS_BRIDGE_HOST": "0.0.0.0"}, "loopback only"),
    ({"CALLWEAVE_BAILEYS_BRIDGE_PORT": "http"}, "no TCP port"),
])
def test_p28_it_does_not_start_open(tmp_path, hooks, setting, words):
    done = subprocess.run([PROGRAM], env={**Bridge(tmp_path, hooks).env, **setting}, capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and words in done.stderr


def test_messages_go_out_by_who_knows_the_secret(bridge):
    bridge.start()
    for headers in ({}, {"X-BAILEYS-SECRET": "another-secret-altogether"}):
        assert bridge.post("/sendMessage", {"to": "+972 50-1", "text": "x"}, headers=headers).status_code == 403
    closed = bridge.post("/sendMessage", {"to": PEER, "text": "x"}, headers=HEADER)
    assert (closed.status_code, closed.json()) == (500, {"ok": False, "error": "Socket not connected"})
    assert bridge.get("/health").json()["connected"] is False, "a socket is no session"
    bridge.opened()
    sent = bridge.post("/sendMessage", {"to": "whatsapp:+972 50-123 4567", "text": "שלום"}, headers=HEADER)
    assert sent.status_code == 200 and sent.json()["ok"] and sent.json()["message_id"] == "3EB01"
    assert bridge.state()["sent"] == [{"jid": PEER, "text": "שלום", "id": ""}]
    named = bridge.post("/sendMessage", {"to": PEER, "text": "x", "message_id": "ABCDEF0123"}, headers=HEADER)
    assert named.json()["message_id"] == "ABCDEF0123", "the same id again is the same message"
    for bad in ({}, {"to": PEER}, {"text": "x"}, {"to": "123", "text": "x"}, {"to": "x@g.us", "text": "x"}, {"to": PEER, "text": 5}):
        answer = bridge.post("/sendMessage", bad, headers=HEADER)
        assert (answer.status_code, answer.json()) == (400, {"ok": False, "error": "Missing to/text"}), bad
    failed = bridge.post("/sendMessage", {"to": PEER, "text": "fail"}, headers=HEADER)
    assert failed.status_code == 500 and failed.json()["ok"] is False
    broken = requests.post(f"http://127.0.0.1:{bridge.port}/sendMessage", data="{", headers=HEADER, timeout=5)
    assert broken.status_code == 400
    large = requests.post(f"http://127.0.0.1:{bridge.port}/sendMessage", data="x" * (2 << 20), headers=HEADER, timeout=5)
    assert large.status_code == 413
    assert bridge.get("/nothing").status_code == 404


def test_each_message_of_a_batch_reaches_hooks(bridge, hooks):
    bridge.start().opened()
    bridge.comes(message("one", "A1"), message("mine", "A2", fromMe=True), message("group", "A3", jid="1-2@g.us"),
                 message("status", "A4", jid="status@broadcast"), message("", "A5"),
                 {**message("", "A6"), "message": {"ephemeralMessage": {"message": {"extendedTextMessage": {"text": "two"}}}}},
                 {**message("", "A7"), "message": {"imageMessage": {"caption": "three"}}},
                 {**message("", "A8"), "message": {"audioMessage": {}}},
                 message("five", "A9", jid="12345678901234@lid", remoteJidAlt="972509999999:3@s.whatsapp.net"),
                 {**message("old", "B1"), "messageTimestamp": 1000000000})
    wait_until(lambda: len(hooks.came) == 5, 10, lambda: hooks.came)
    assert hooks.texts() == ["one", "two", "three", "[audio]", "five"]
    secret, first = hooks.came[0]
    assert secret == SECRET
    assert first == {"from": PEER, "from_pn": "", "to": "972500000000@s.whatsapp.net", "text": "one", "name": "Dana",
                     "provider": "baileys", "message_id": "A1", "timestamp": 4102444800}
    assert hooks.came[4][1]["from_pn"] == "972509999999@s.whatsapp.net"


def test_p20_nothing_is_lost_while_hooks_is_away_or_we_are_killed(bridge, hooks):
    hooks.status = 503
    bridge.start().opened()
    bridge.comes(*[message(f"number {n}", f"C{n}") for n in range(5)])
    wait_until(lambda: hooks.came, 10, "tried")
    bridge.stop(signal.SIGKILL)
    assert bridge.start().get("/health").json()["waiting"] == 5
    hooks.came.clear()
    hooks.status = lambda body: 422 if body["text"] == "number 2" else 204
    wait_until(lambda: bridge.get("/health").json()["waiting"] == 0, 20, lambda: bridge.get("/health").json())
    assert [text for n, text in enumerate(hooks.texts()) if text not in hooks.texts()[:n]] == [f"number {n}" for n in range(5)]
    assert len(list((bridge.folder / "data" / "refused").iterdir())) == 1, "what hooks can never take stands aside"


def test_a_full_spool_says_so(tmp_path, hooks):
    hooks.status = 503
    bridge = Bridge(tmp_path, hooks, CALLWEAVE_BAILEYS_BRIDGE_SPOOL="3").start().opened()
    bridge.comes(*[message(f"number {n}", f"D{n}") for n in range(5)])
    wait_until(lambda: "spool: full" in bridge.log.read_text(), 10, "said")
    assert bridge.get("/health").json()["waiting"] == 3
    bridge.stop()


def test_p28_it_reconnects_and_never_logs_out(bridge):
    bridge.start().opened()
    bridge.event("connection.update", {"connection": "close", "lastDisconnect": 515})
    wait_until(lambda: bridge.state()["sockets"] == 2, 5, "at once: it is part of a pairing")
    bridge.opened()
    bridge.event("connection.update", {"connection": "close", "lastDisconnect": 428})
    assert bridge.get("/health").json()["connected"] is False
    wait_until(lambda: bridge.state()["sockets"] == 3, 10, "again after a while")
    bridge.opened()
    state = bridge.state()
    assert bridge.stop() == 0 and state["loggedOut"] == 0
    bridge.start()
    assert bridge.state()["loggedOut"] == 0
    assert bridge.stop(signal.SIGINT) == 0
    assert "logout" not in (ROOT / "services" / "baileys-bridge" / "session.mjs").read_text().replace("loggedOut", "")


def test_pairing_on_a_page(bridge):
    bridge.start()
    bridge.event("connection.update", {"qr": "2@a-code-of-the-phone"})
    assert bridge.get("/qr").status_code == 401 and "Basic" in bridge.get("/qr").headers["WWW-Authenticate"]
    page = bridge.get("/qr", auth=("anybody", SECRET))
    assert page.status_code == 200 and "Linked devices" in page.text and "2@a-code" not in page.text
    assert "<svg" in page.text or "apt-get install qrencode" in page.text
    bridge.opened()
    assert "Paired" in bridge.get("/qr", headers=HEADER).text
    bridge.event("connection.update", {"connection": "close", "lastDisconnect": 401})
    assert bridge.get("/health").json()["state"] == "logged_out"
    assert bridge.state()["sockets"] == 1, "the phone wished it so"
    assert requests.post(f"http://127.0.0.1:{bridge.port}/pair", timeout=5).status_code == 403
    bridge.post("/pair", None, headers=HEADER, allow_redirects=False)
    wait_until(lambda: bridge.state()["sockets"] == 2, 5, "paired anew, since somebody asked")


def test_p30_files_are_private_and_logs_say_nothing_of_people(bridge, hooks):
    bridge.start().opened()
    bridge.comes(message("a private word", "E1"))
    bridge.post("/sendMessage", {"to": PEER, "text": "another private word"}, headers=HEADER)
    wait_until(lambda: hooks.came, 10, "told")
    for path in [bridge.folder / "data", *(bridge.folder / "data").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    said = bridge.log.read_text()
    assert "listening" in said and all(word not in said for word in ("private", "9725012", "s.whatsapp.net", SECRET))
    bridge.stop()
    assert bridge.process.stdout.read() == ""
