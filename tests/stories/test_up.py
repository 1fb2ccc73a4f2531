"""scripts/up, status, down and scripts/<service>, in a copy of the tree, beside whatever else runs."""
import os
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import psycopg2
import pytest
import requests

from ports import free_port
from waiting import wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
CRMS = ("retailcrm", "uon", "moysklad", "bitrix24", "webhook")
SERVICES = ("sandbox", "ingest", "dispatcher", "integration-cache", *CRMS, "pbx-api", "speech", "hooks", "media-ws", "bot", "emulator",
            "console")
OWNER_CHAT = 367000001
pytestmark = pytest.mark.long


class House:
    """A copy of the tree under /tmp with ports of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.var = folder / "var"
        self.ports = {service: free_port() for service in SERVICES}
        self.environment = {
            **{name: value for name, value in os.environ.items()
               if not name.startswith("CALLWEAVE_") and name not in ("DATABASE_URL", "REDIS_URL")},
            **{f"CALLWEAVE_{service.upper().replace('-', '_')}_PORT": str(port) for service, port in self.ports.items()},
            "CALLWEAVE_PBX_API_ROUTING_PORT": str(free_port()),
        }

    def script(self, name, *arguments, **environment):
        return subprocess.run([str(self.folder / "scripts" / name), *arguments], text=True, capture_output=True,
                              env={**self.environment, **environment}, stdin=subprocess.DEVNULL, timeout=600)

    def pid(self, service):
        return int((self.var / "run" / f"{service}.pid").read_text())

    def url(self, service):
        return f"http://127.0.0.1:{self.ports[service]}"

    def settings(self):
        lines = (self.var / "run" / "env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


def one_sentence(done):
    """What a refusal must be: a failure that says one thing."""
    assert done.returncode != 0, done.stdout
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def copy_tree(to):
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


@pytest.fixture(scope="module")
def house():
    folder = Path(tempfile.mkdtemp(prefix="callweave-up."))
    folder.chmod(0o755)
    copy_tree(folder)
    house = House(folder)
    house.first = house.script("up")
    yield house
    house.script("down", "--purge", "--yes")
    shutil.rmtree(folder)


def test_up_ends_with_every_process_ready(house):
    assert house.first.returncode == 0, house.first.stdout + house.first.stderr
    for service in SERVICES:
        assert requests.get(house.url(service) + "/readyz", timeout=5).status_code == 200
    assert f"{house.url('emulator')}/test-interface" in house.first.stdout
    status = house.script("status")
    assert status.returncode == 0, status.stdout
    assert len(re.findall(r" yes ", status.stdout)) == len(SERVICES) + 2, status.stdout


def test_secrets_are_made_up_and_nobody_else_can_read_them(house):
    assert (house.var / "run" / "env").stat().st_mode & 0o777 == 0o600
    settings = house.settings()
    assert re.search(r":[0-9a-f]{48}@", settings["DATABASE_URL"])
    assert re.search(r":[0-9a-f]{48}@", settings["REDIS_URL"])
    output = house.first.stdout + house.first.stderr
    for secret in re.findall(r":([0-9a-f]{48})@", settings["DATABASE_URL"] + settings["REDIS_URL"]):
        assert secret not in output


def test_a_second_run_changes_nothing(house):
    before = {service: house.pid(service) for service in SERVICES}
    settings = (house.var / "run" / "env").read_text()
    again = house.script("up")
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stdout.count("already running") == len(SERVICES) + 2, again.stdout
    assert {service: house.pid(service) for service in SERVICES} == before
    assert (house.var / "run" / "env").read_text() == settings


def test_the_demo_enterprise_shows_its_first_call(house):
    call = {"Token": "375293332255", "UniqueId": "1757840723.6", "Phone": "375290000001", "Trunk": "0001363",
            "CallType": 0, "Extensions": ["150", "151"], "ExtTrunk": "", "ExtPhone": ""}
    assert requests.post(house.url("ingest") + "/dial", json=call, timeout=10).status_code == 200
    place = house.url("sandbox") + "/_sandbox/telegram/messages"
    message = wait_until(lambda: requests.get(place, params={"chat_id": OWNER_CHAT}, timeout=5).json(), 20,
                         "the call in the owner's chat")[0]
    assert "МТС-1" in message["text"], message
    log = house.folder / "logs" / "0367.log"
    wait_until(lambda: log.exists() and "🧪 TEST EVENT: dial" in log.read_text(), 5, f"the event in {log}")


def test_a_call_from_the_emulator_shows_up_in_every_crm(house):
    emulator, crm = house.url("emulator"), house.url("sandbox") + "/_sandbox/crm"
    order = {"enterprise": "0367", "call_type": 12, "external_phone": "375447654321", "internal_phone": "151",
             "line_id": "0001363", "speed": 50}
    assert requests.post(f"{emulator}/api/test-call", json=order, timeout=60).json()["success"] is True

    def journals():
        calls = requests.get(f"{crm}/calls", params={"phone": "375447654321"}, timeout=5).json()
        return {call["crm"]: call for call in calls if call["entries"] > 0}
    wait_until(lambda: set(journals()) == set(CRMS), 40, lambda: f"the call in every CRM: {sorted(journals())}")
    for name, call in journals().items():
        assert (call["entries"], call["account"], call["direction"], call["extension"]) == (1, "june", "in", "151"), (name, call)
        assert all(popup["hidden_at"] for popup in call["popups"]), (name, call)
    accounts = requests.get(f"{crm}/accounts", timeout=5).json()
    assert sorted(one["crm"] for one in accounts) == sorted(CRMS) and not any(one["violations"] for one in accounts)


def test_a_text_and_calls_at_twilio_are_of_the_same_world(house):
    """A menu that connects, an agent that speaks: one live message each, as of any call; a text is a message of its own."""
    twilio, telegram = house.url("sandbox") + "/_sandbox/twilio", house.url("sandbox") + "/_sandbox/telegram/messages"
    orders = [("messages", {"to": "+33184800367", "from": "+33612000001", "body": "Bonjour <b>"}),
              ("calls", {"to": "+33184800367", "from": "+33612000002", "speed": 10, "script": [
                  {"until": "verb", "name": "Gather"}, {"dtmf": "0"}, {"until": "verb", "name": "Dial"},
                  {"wait_ms": 8000}, {"hangup": True}]}),
              ("calls", {"to": "+33184800368", "from": "+33612000003", "script": [
                  {"until": "heard_voice"}, {"until": "heard_silence"}, {"hangup": True}]})]
    for what, order in orders:
        assert requests.post(f"{twilio}/{what}", json=order, timeout=20).status_code == 200

    def told():
        chat = requests.get(telegram, params={"chat_id": OWNER_CHAT}, timeout=5).json()
        return [message["text"] for message in chat if not message["deleted"]]

    def is_told(*words):
        return any(all(word in text for word in words) for text in told())
    for words in (("💬 <b>SMS</b>", "Bonjour &lt;b&gt;", "+33184800367"), ("✅", "+33 (6) 12 00 00 02", "+33 (7) 00 00 03 67"),
                  ("✅", "+33 (6) 12 00 00 03", "Голосовой помощник")):
        wait_until(lambda: is_told(*words), 40, lambda: f"{words} in {told()}")
    assert requests.get(f"{twilio}/alerts", timeout=5).json() == []
    assert requests.get(house.url("hooks") + "/selfcheck", timeout=5).status_code == 200


def test_a_service_has_its_script(house):
    again = house.script("ingest", "start")
    assert again.returncode == 1 and "already running" in again.stdout
    pid = house.pid("ingest")
    restarted = house.script("ingest", "restart")
    assert restarted.returncode == 0, restarted.stdout + restarted.stderr
    assert house.pid("ingest") != pid
    assert house.script("ingest", "status").returncode == 0
    assert house.script("ingest", "stop").returncode == 0
    assert house.script("ingest", "stop").returncode == 1
    assert house.script("ingest", "status").returncode == 1
    unknown = house.script("ingest", "polish")
    assert unknown.returncode == 1 and "usage" in unknown.stderr


def test_a_stale_pid_file_is_no_obstacle(house):
    (house.var / "run" / "ingest.pid").write_text(f"{os.getpid()}\n")
    started = house.script("ingest", "start")
    assert started.returncode == 0, started.stdout + started.stderr
    # Detached: it belongs to no terminal and to no session of ours.
    assert os.getsid(house.pid("ingest")) == house.pid("ingest")


def test_a_busy_port_is_named_in_one_sentence(house):
    assert house.script("ingest", "stop").returncode == 0
    with socket.create_server(("127.0.0.1", house.ports["ingest"])):
        sentence = one_sentence(house.script("up"))
    assert f"port {house.ports['ingest']}" in sentence and f"(pid {os.getpid()})" in sentence
    assert house.script("up").returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without rights")
def test_a_missing_right_is_named_in_one_sentence(house):
    done = subprocess.run(["runuser", "-u", "nobody", "--", str(house.folder / "scripts" / "up")], text=True,
                          capture_output=True, cwd="/", stdin=subprocess.DEVNULL, timeout=60,
                          env={**house.environment, "CALLWEAVE_VAR": str(house.folder / "var2")})
    assert "cannot make" in one_sentence(done)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")
def test_postgres_finds_a_place_when_it_may_not_enter_var(house):
    private = House(house.folder)
    private.var = house.folder / "private" / "var"
    private.var.parent.mkdir(mode=0o700)
    private.environment["CALLWEAVE_VAR"] = str(private.var)
    private.environment["CALLWEAVE_BIN"] = str(house.folder / "build" / "release" / "bin")
    up = private.script("up")
    assert up.returncode == 0, up.stdout + up.stderr
    place = Path(private.settings()["CALLWEAVE_POSTGRES_DIR"])
    assert place.parent == Path("/var/lib/callweave") and str(place) in up.stdout
    assert private.script("down", "--purge", "--yes").returncode == 0
    assert not place.exists() and not private.var.exists()


def test_down_stops_what_up_started_and_keeps_the_data(house):
    url = house.settings()["DATABASE_URL"]
    assert house.script("down").returncode == 0
    for service in SERVICES:
        with pytest.raises(requests.ConnectionError):
            requests.get(house.url(service) + "/livez", timeout=5)
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(url)
    assert house.script("status").returncode == 1
    up = house.script("up")
    assert up.returncode == 0, up.stdout + up.stderr
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM call_events")
        assert cursor.fetchone()[0] > 0
