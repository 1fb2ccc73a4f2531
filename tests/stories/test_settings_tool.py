"""callweave-settings: what a person at a terminal sees when settings are shown, checked and saved."""
import json
import os
import subprocess

import pytest

from process import ROOT, binaries

NUMBERS = iter(range(1000))


@pytest.fixture
def database(postgres):
    url = postgres.database(f"settings_{next(NUMBERS)}", "migrated")
    postgres.sql(url, "INSERT INTO enterprises (number, name, name2, settings)"
                      " VALUES ('0367', 'june', '375290000367', '{\"sources\": [\"10.0.0.0/8\"]}')")
    return url


def settings(url, *arguments, stdin="", program=None):
    environment = {**os.environ, "DATABASE_URL": url}
    return subprocess.run([program or binaries() / "callweave-settings", *arguments], input=stdin, text=True,
                          capture_output=True, timeout=60, env=environment)


def stored(postgres, url):
    return postgres.sql(url, "SELECT settings FROM enterprises")[0]["settings"]


def test_what_is_saved_is_shown(postgres, database, tmp_path):
    wanted = {"sources": ["10.0.0.0/8"], "telegram": {"mode": "replace", "templates": {"greeting": "<b>{phone}</b>"}}}
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(wanted))
    done = settings(database, "0367", "--save", str(file))
    assert (done.returncode, done.stdout) == (0, "saved: in force for 0367 within a second\n"), done.stderr
    shown = settings(database, "0367", "--show")
    assert json.loads(shown.stdout) == wanted
    assert stored(postgres, database) == wanted


def test_a_slip_is_told_and_nothing_is_saved(postgres, database):
    before = stored(postgres, database)
    slip = '{"telegram": {"templates": {"greeting": "hello\\n<h1>{phone}</h1>"}}}'
    done = settings(database, "0367", "--save", "-", stdin=slip)
    assert done.returncode == 1
    assert "telegram.templates.greeting: line 2: " in done.stderr and '"h1"' in done.stderr
    assert stored(postgres, database) == before


def test_a_check_needs_no_database():
    good = settings("postgresql://nobody@127.0.0.1:1/nowhere", "0367", "--check", "-", stdin='{"telegram": {}}')
    assert (good.returncode, good.stdout) == (0, "-: can be saved\n")
    bad = settings("", "0367", "--check", "-", stdin='{"telegram": {"mod": "live"}}')
    assert bad.returncode == 1
    assert "telegram.mod: there is no such setting" in bad.stderr


@pytest.mark.parametrize("stdin, words", [
    ("", "is empty"),
    ("{", "invalid JSON"),
    ("[]", "not an object"),
    (" {}" * 70_000, "longer than"),
], ids=["empty", "torn", "list", "long"])
def test_what_is_no_document_is_refused(stdin, words):
    done = settings("", "0367", "--check", "-", stdin=stdin)
    assert done.returncode == 1
    assert words in done.stderr


def test_errors_say_what_to_do(database, tmp_path):
    unknown = settings(database, "9999", "--show")
    assert unknown.returncode == 1
    assert "no enterprise has the number 9999" in unknown.stderr and "scripts/psql" in unknown.stderr
    unset = settings("", "0367")
    assert unset.returncode == 1 and "set DATABASE_URL" in unset.stderr
    missing = settings("", "0367", "--check", str(tmp_path / "none.json"))
    assert missing.returncode == 1 and "No such file" in missing.stderr
    for usage in ([], ["--show"], ["0367", "--what"], ["0367", "--save"], ["0367", "--save", "a", "b"]):
        done = settings(database, *usage)
        assert done.returncode == 2 and "usage:" in done.stderr


def test_a_database_that_is_away_is_named_without_its_password():
    done = settings("postgresql://somebody:hush@127.0.0.1:1/nowhere", "0367")
    assert done.returncode == 1
    assert "PostgreSQL is not reached" in done.stderr and "refused" in done.stderr
    assert "hush" not in done.stderr


def test_the_script_finds_program_and_database(database):
    environment_bin = str(binaries())
    done = subprocess.run([ROOT / "scripts" / "settings", "0367"], text=True, capture_output=True, timeout=60,
                          env={**os.environ, "DATABASE_URL": database, "CALLWEAVE_BIN": environment_bin})
    assert json.loads(done.stdout) == {"sources": ["10.0.0.0/8"]}, done.stderr
