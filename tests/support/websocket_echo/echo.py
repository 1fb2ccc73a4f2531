"""The program websocket_echo (main.c beside this) for stories: as a server, and as a client."""
import os
import signal
import subprocess

from process import REPORT, binaries

ENVIRONMENT = {**os.environ, "ASAN_OPTIONS": "exitcode=99:detect_stack_use_after_return=1",
               "UBSAN_OPTIONS": "halt_on_error=1"}


def program():
    return str(binaries() / "websocket_echo")


class Server:
    """`with Server("--max-message", "1000") as server:` then server.port; what it told, line by line."""

    def __init__(self, *options):
        self.child = subprocess.Popen([program(), "serve", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      text=True, env=ENVIRONMENT)
        line = self.child.stdout.readline()
        assert line, self.child.stderr.read()
        self.port = int(line)
        self.url = f"ws://127.0.0.1:{self.port}/echo"

    def __enter__(self):
        return self

    def __exit__(self, kind, *reason):
        if kind is None:
            self.stop()
        else:
            self.child.kill()
            self.child.communicate()

    def told(self):
        """The next line: `closed CODE WORDS, N left`."""
        return self.child.stdout.readline().rstrip("\n")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.child.pid}/fd"))

    def stop(self):
        """TERM, also with connections open: it has to free them all."""
        if self.child.returncode is not None:
            return
        self.child.send_signal(signal.SIGTERM)
        _, words = self.child.communicate(timeout=20)
        assert self.child.returncode == 0 and not REPORT.search(words), words


def dial(url, *options, timeout=20):
    """What the client prints: a list of lines."""
    done = subprocess.run([program(), "dial", url, *options], text=True, capture_output=True, env=ENVIRONMENT,
                          timeout=timeout)
    assert done.returncode == 0 and not REPORT.search(done.stderr), done.stderr
    return done.stdout.splitlines()
