"""scripts/pull-recovery: files fetched over a real SSH, a table of what came of each."""
import os
import subprocess

import pytest

import recovery_files as files
from process import ROOT
from sshd import Sshd

TOKEN, SECRET = "375290000367", "s3cret of 0367 with 'quotes' and \\ in it, longer than one block of the hash: " + "x" * 40


@pytest.fixture(scope="module")
def world(module_stack):
    stack = module_stack(services=("ingest",)).start_all()
    stack.enterprise("0367", name2=TOKEN, secret=SECRET, zone="Europe/Minsk")
    stack.enterprise("0400", name2="token-0400")
    return stack


@pytest.fixture
def host(tmp_path):
    with Sshd(tmp_path / "sshd") as sshd:
        sshd.records = tmp_path / "records of asterisk"
        sshd.records.mkdir()
        yield sshd


def events(day, prefix, count=4):
    return [("dial", f"{day} 12:00:0{index}", {"Token": TOKEN, "UniqueId": f"{prefix}.{index}"}) for index in range(count)]


def pull(world, host, listed, *arguments, folder=None):
    path = host.folder / "hosts"
    path.write_text(listed)
    env = {**os.environ, "DATABASE_URL": world.database_url, "CALLWEAVE_VAR": str(folder or host.folder),
           "CALLWEAVE_INGEST_PORT": str(world.services["ingest"].port), "TZ": "UTC"}
    return subprocess.run([ROOT / "scripts" / "pull-recovery", "--hosts", path, "--identity", host.identity,
                           "--known-hosts", host.known_hosts, *arguments],
                          env=env, capture_output=True, text=True, timeout=120, check=False)


def table(done):
    return [line.split() for line in done.stdout.splitlines()[1:]]


def link(host):
    """A folder's name in the list has no spaces; the real one may."""
    path = host.folder / "asterisk"
    if not path.exists():
        path.symlink_to(host.records)
    return path


def test_days_are_fetched_and_what_is_known_stays_known(world, host):
    files.sqlite(host.records / "Listen_AMI_2026-11-19.db", events("2026-11-19", "one"))
    files.sqlite(host.records / "Listen_AMI_2026-11-20.db", events("2026-11-20", "two", 3))
    listed = f"# the hosts\n\n0367 127.0.0.1:{host.port} {link(host)}\n"
    done = pull(world, host, listed, "--from", "2026-11-19", "--to", "2026-11-20")
    assert done.returncode == 0, done.stdout + done.stderr
    assert table(done) == [["0367", "127.0.0.1", "2026-11-19", "4", "4", "0", "0", "ok"],
                           ["0367", "127.0.0.1", "2026-11-20", "3", "3", "0", "0", "ok"]]
    again = pull(world, host, listed, "--date", "2026-11-20", "127.0.0.1")
    assert table(again) == [["0367", "127.0.0.1", "2026-11-20", "3", "0", "3", "0", "ok"]]
    rows = world.sql("SELECT count(*) FROM call_events WHERE unique_id ~ '^(one|two)' AND data_source = 'recovery'")
    assert rows[0]["count"] == 7


def test_each_failure_has_its_line_and_the_others_go_on(world, host):
    files.sqlite(host.records / "Listen_AMI_2026-11-18.db", events("2026-11-18", "three"))
    (host.records / "Listen_AMI_2026-11-17.db").write_bytes(b"SQLite format 3\x00 and then nothing")
    listed = (f"0400 127.0.0.1:{host.port} {link(host)}\n"
              f"0367 127.0.0.1:{host.port} {link(host)}\n")
    done = pull(world, host, listed, "--from", "2026-11-16", "--to", "2026-11-18")
    assert done.returncode == 1
    lines = done.stdout.splitlines()[1:]
    assert len(lines) == 6
    assert "has no secret" in lines[2]
    assert "no " in lines[3] and "Listen_AMI_2026-11-16.db" in lines[3]
    assert lines[5].split()[-1] == "ok", "the day that is good is taken"
    assert "5 of them did not go well" in done.stderr


def test_a_host_that_is_not_known_is_not_trusted(world, host):
    host.known_hosts.write_text("")
    done = pull(world, host, f"0367 127.0.0.1:{host.port} {link(host)}\n", "--date", "2026-11-19")
    assert done.returncode == 1
    assert "Host key verification failed" in done.stdout


@pytest.mark.parametrize("listed, arguments, words", [
    ("0367\n", (), "not ENTERPRISE HOST"),
    ("0367 -oProxyCommand=touch\n", (), "not a host and a port"),
    ("0367 a:b\n", (), "not a host and a port"),
    ("0367 a.example\n", ("other",), "names none of these hosts"),
    ("", ("--date", "19.11.2026"), "not a day"),
    ("", ("--from", "2026-11-20", "--to", "2026-11-19"), "is after"),
], ids=["no host", "an option", "no port", "not listed", "no day", "backwards"])
def test_mistakes_are_named(world, host, listed, arguments, words):
    done = pull(world, host, listed, *arguments)
    assert done.returncode == 1 and words in done.stderr


def test_no_secret_stands_on_a_command_line(world, host, tmp_path):
    """Every program that the script starts is seen with its arguments."""
    files.sqlite(host.records / "Listen_AMI_2026-11-15.db", events("2026-11-15", "five"))
    watched = tmp_path / "bin"
    watched.mkdir()
    for program in ("curl", "psql", "ssh"):
        path = watched / program
        path.write_text(f'#!/bin/bash\necho "$0 $*" >>{tmp_path}/seen\nPATH=${{PATH#*:}} exec {program} "$@"\n')
        path.chmod(0o755)
    os.environ["PATH"] = f"{watched}:{os.environ['PATH']}"
    try:
        done = pull(world, host, f"0367 127.0.0.1:{host.port} {link(host)}\n", "--date", "2026-11-15")
    finally:
        os.environ["PATH"] = os.environ["PATH"].split(":", 1)[1]
    assert done.returncode == 0, done.stdout + done.stderr
    seen = (tmp_path / "seen").read_text()
    assert "curl" in seen and "psql" in seen and "ssh" in seen
    assert SECRET not in seen and TOKEN not in seen and "v1=" not in seen
