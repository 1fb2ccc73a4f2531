"""One callweave process under test: start, readiness, kill -9, stop, and what its log confesses."""
import os
import re
import signal
import subprocess
from pathlib import Path

import requests

from ports import free_port
from waiting import wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
# A report of a sanitizer is a failure of the story, whatever else it shows.
REPORT = re.compile(r"(ERROR|SUMMARY): (Address|Leak|UndefinedBehavior)Sanitizer|: runtime error: ")


def binaries():
    """The folder of the programs under test."""
    return Path(os.environ.get("CALLWEAVE_BIN", ROOT / "build" / "asan" / "bin")).resolve()


ASAN_OPTIONS = "abort_on_error=0:exitcode=99:detect_stack_use_after_return=1"


class Process:
    """A service with its settings; it keeps its port and its log over restarts."""

    def __init__(self, name, folder, settings):
        self.name = name
        self.folder = Path(folder)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = self.folder / f"{name}.log"
        self.settings = settings
        self.child = None

    def environment(self):
        upper = self.name.upper().replace("-", "_")
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TZ") if key in os.environ}
        return {
            **kept,
            "ASAN_OPTIONS": ASAN_OPTIONS,
            "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
            f"CALLWEAVE_{upper}_HOST": "127.0.0.1",
            f"CALLWEAVE_{upper}_PORT": str(self.port),
            **self.settings,
        }

    def start(self, wait=True):
        assert not self.running(), f"{self.name} runs already"
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen([str(binaries() / self.name)], cwd=self.folder, env=self.environment(),
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          start_new_session=True)
        if wait:
            self.wait_ready()

    def running(self):
        return self.child is not None and self.child.poll() is None

    def ready(self):
        try:
            return requests.get(self.url + "/readyz", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def wait_ready(self, timeout=20):
        def ready():
            assert self.running(), f"{self.name} ended with {self.child.returncode}:\n{self.tail()}"
            return self.ready()
        wait_until(ready, timeout, lambda: f"{self.name} ready; its log ends:\n{self.tail()}")

    def kill9(self):
        if self.running():
            self.child.send_signal(signal.SIGKILL)
            self.child.wait(10)

    def stop(self, timeout=30):
        """TERM and wait; the exit code."""
        if not self.running():
            return None if self.child is None else self.child.returncode
        self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.child.send_signal(signal.SIGABRT)
            self.child.wait(10)
            raise AssertionError(f"{self.name} did not drain within {timeout} s:\n{self.tail()}") from None

    def resident_kib(self):
        for line in Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError(f"{self.name} does not run")

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def tail(self, lines=25):
        return "\n".join(self.text().splitlines()[-lines:])

    def report(self):
        """The sanitizer's report in the log, or None."""
        text = self.text()
        found = REPORT.search(text)
        return text[max(0, found.start() - 200):found.start() + 6000] if found else None

    def metric(self, name):
        """Sum of the samples of one metric, over its labels; 0 when there is none."""
        text = requests.get(self.url + "/metrics", timeout=5).text
        values = re.findall(rf"^{re.escape(name)}(?:\{{[^}}]*\}})? ([0-9.eE+-]+)$", text, re.M)
        return sum(map(float, values))
