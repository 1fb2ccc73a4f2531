"""A service that ends TLS itself: its certificate as a setting, renewed by SIGHUP, and its own health check over it."""
import shutil
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from process import Process, binaries
from waiting import wait_until

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support" / "websocket_echo"))
from echo import dial  # noqa: E402


def make(folder, name):
    """A certificate of its own for localhost."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out",
                    f"{name}.pem", "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost"],
                   cwd=folder, check=True, capture_output=True)


@pytest.fixture
def service(make_stack, tmp_path):
    make(tmp_path, "first")
    make(tmp_path, "second")
    shutil.copy(tmp_path / "first.pem", tmp_path / "now.pem")
    shutil.copy(tmp_path / "first.key", tmp_path / "now.key")
    stack = make_stack(services=("media-ws",), settings={
        "CALLWEAVE_MEDIA_WS_TLS_CERT": str(tmp_path / "now.pem"), "CALLWEAVE_MEDIA_WS_TLS_KEY": str(tmp_path / "now.key")})
    running = stack.services["media-ws"]
    running.start(wait=False)
    url = f"https://localhost:{running.port}"

    def ready():
        try:
            return requests.get(f"{url}/readyz", verify=str(tmp_path / "first.pem"), timeout=2).status_code == 200
        except requests.RequestException:
            assert running.running(), running.tail()
            return False
    wait_until(ready, 20, running.tail)
    return running


def shown(service):
    """The certificate that a new connection is shown."""
    return ssl.get_server_certificate(("localhost", service.port)).strip()


def certificate(tmp_path, name):
    return (tmp_path / f"{name}.pem").read_text().strip()


def healthcheck(service):
    return subprocess.run([binaries() / "media-ws", "--healthcheck"], env=service.environment(), text=True,
                          capture_output=True, timeout=20)


def test_a_certificate_is_renewed_without_a_restart(service, tmp_path):
    authority = str(tmp_path / "first.pem")
    assert shown(service) == certificate(tmp_path, "first")
    assert healthcheck(service).returncode == 0
    refused = dial(f"wss://localhost:{service.port}/ws/nowhere", "--ca", authority)
    assert refused == ["closed 1006 WebSocket handshake: it answered 404 instead of 101"]

    session = requests.Session()
    session.trust_env = False  # REQUESTS_CA_BUNDLE would win over this one
    session.verify = authority
    assert session.get(f"https://localhost:{service.port}/livez", timeout=5).status_code == 200

    (tmp_path / "now.pem").write_text("no certificate at all")
    service.child.send_signal(signal.SIGHUP)
    wait_until(lambda: "the certificate is not read again" in service.text(), 10, service.tail)
    assert shown(service) == certificate(tmp_path, "first")

    shutil.copy(tmp_path / "second.pem", tmp_path / "now.pem")
    shutil.copy(tmp_path / "second.key", tmp_path / "now.key")
    service.child.send_signal(signal.SIGHUP)
    wait_until(lambda: shown(service) == certificate(tmp_path, "second"), 10, service.tail)
    assert session.get(f"https://localhost:{service.port}/livez", timeout=5).status_code == 200, "old connections live on"
    assert healthcheck(service).returncode == 0

    shutil.copy(tmp_path / "first.pem", tmp_path / "now.pem")  # another's: not who we listen as
    assert healthcheck(service).returncode == 1


@pytest.mark.parametrize("settings, words", [
    ({"CALLWEAVE_MEDIA_WS_TLS_CERT": "/nowhere"}, "CALLWEAVE_MEDIA_WS_TLS_CERT and CALLWEAVE_MEDIA_WS_TLS_KEY: only both together"),
    ({"CALLWEAVE_MEDIA_WS_TLS_CERT": "/nowhere", "CALLWEAVE_MEDIA_WS_TLS_KEY": "/nowhere"}, "certificate /nowhere: "),
])
def test_wrong_settings_stop_the_start(tmp_path, settings, words):
    process = Process("media-ws", tmp_path, {"DATABASE_URL": "postgresql://localhost:1/none",
                                             "REDIS_URL": "redis://localhost:1", "CALLWEAVE_INTERNAL_SECRET": "x" * 40, **settings})
    done = subprocess.run([binaries() / "media-ws"], env=process.environment(), cwd=tmp_path, text=True, capture_output=True,
                          timeout=20)
    assert done.returncode in (1, 2) and words in done.stderr
