"""Free TCP ports that stay free: outside the range from which the system hands out its own, and claimed among the
processes of tests that run beside each other: between choosing a port and listening on it minutes may pass."""
import atexit
import os
import random
import socket
import tempfile
from pathlib import Path

CLAIMS = Path(tempfile.gettempdir()) / f"callweave-ports-{os.getuid()}"
_taken = set()


def _is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _claim(port):
    """True when no living process of tests has it."""
    path = CLAIMS / str(port)
    try:
        owner = path.read_text()
        if owner.isdigit() and not _is_running(int(owner)):
            path.unlink()
    except FileNotFoundError:
        pass
    try:
        with open(path, "x") as claim:
            claim.write(str(os.getpid()))
    except FileExistsError:
        return False
    return True


@atexit.register
def _release():
    for port in _taken:
        (CLAIMS / str(port)).unlink(missing_ok=True)


def free_port():
    """A port of 127.0.0.1 that nobody listens on, never given twice by this process."""
    CLAIMS.mkdir(exist_ok=True)
    for _ in range(500):
        port = random.SystemRandom().randrange(10000, 30000)
        if port in _taken or not _claim(port):
            continue
        _taken.add(port)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError("no free port between 10000 and 30000")
