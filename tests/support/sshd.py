"""A real sshd of our own on a free port, for scripts that fetch from hosts."""
import getpass
import os
import subprocess
from pathlib import Path

from process import free_port
from waiting import wait_until


class Sshd:
    """`with Sshd(folder) as host:` then host.port, host.identity, host.known_hosts."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(mode=0o700)
        self.port = free_port()
        self.identity = self._key("user")
        self._host_key = self._key("host")
        self.known_hosts = self.folder / "known_hosts"
        kind, key = self._host_key.with_suffix(".pub").read_text().split()[:2]
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {kind} {key}\n")
        self._authorized = self.folder / "authorized"
        self._authorized.write_text(self.identity.with_suffix(".pub").read_text())

    def _key(self, name):
        path = self.folder / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
        return path

    def _config(self):
        path = self.folder / "config"
        path.write_text(f"""
            Port {self.port}
            ListenAddress 127.0.0.1
            HostKey {self._host_key}
            AuthorizedKeysFile {self._authorized}
            PidFile {self.folder}/pid
            AllowUsers {getpass.getuser()}
            PermitRootLogin prohibit-password
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            UsePAM no
            StrictModes no
            """)
        return path

    def _listens(self):
        probe = subprocess.run(["ssh-keyscan", "-T", "1", "-p", str(self.port), "127.0.0.1"], capture_output=True, check=False)
        return probe.stdout != b""

    def __enter__(self):
        if os.geteuid() == 0:  # where its unprivileged part lives
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        log = open(self.folder / "log", "wb")
        self._process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", self._config()], stderr=log)
        wait_until(self._listens, 20, lambda: (self.folder / "log").read_text())
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(10)
