"""Free TCP ports that stay free: outside the range from which the system hands out its own."""
import random
import socket

_taken = set()


def free_port():
    """A port of 127.0.0.1 that nobody listens on, never given twice by this process."""
    for _ in range(500):
        port = random.SystemRandom().randrange(10000, 30000)
        if port in _taken:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _taken.add(port)
        return port
    raise RuntimeError("no free port between 10000 and 30000")
