"""callweave-rebuild: the log folded again, seen by who runs it at a terminal."""
import os
import re
import subprocess
import time

import pytest

import pbx_day
from servers import Postgres, migrate

CALLS = 300


@pytest.fixture(scope="module")
def log(postgres):
    """Two tenants' days in a log that a dispatcher has read, and no calls: gives the database's URL."""
    url = postgres.database("rebuild", "migrated")
    for number, seed in (("0367", 41), ("0368", 42)):
        Postgres.sql(url, "INSERT INTO enterprises (number, name, name2) VALUES (%s, %s, %s)", [number] * 3)
        pbx_day.insert(url, number, pbx_day.events(CALLS, seed, "--start", int(time.time() - 9 * 3600) * 1000))
    pbx_day.folded(url)
    return url


@pytest.fixture
def database(log, postgres):
    """A copy of it with its calls, as the first run makes them."""
    name = f"rebuild_{time.monotonic_ns()}"
    url = postgres.database(name, "rebuild")
    assert run(url).returncode == 0
    return url


def run(url, *options):
    return subprocess.run([pbx_day.BIN / "callweave-rebuild", *options], text=True, capture_output=True, timeout=120,
                          env={**os.environ, "DATABASE_URL": url, "ASAN_OPTIONS": "detect_leaks=1"})


def counts(done):
    assert done.returncode == 0, done.stderr
    return [int(count) for count in re.search(r"calls: (\d+) new, (\d+) changed, (\d+) gone", done.stdout).groups()]


def dump(url):
    """All that a rebuild may touch, but what says when."""
    return [Postgres.sql(url, f"SELECT to_jsonb(t) - '{{updated_at,counted_at}}'::text[] AS row FROM {table} t ORDER BY 1")
            for table in ("calls", "call_legs", "call_transfers", "customers")]


def test_a_second_run_finds_nothing(database):
    before = dump(database)
    done = run(database)
    assert counts(done) == [0, 0, 0] and "nothing to change" in done.stdout
    assert dump(database) == before


def test_what_is_wrong_is_shown_and_put_right(database):
    right = dump(database)
    changed, gone = [row["id"] for row in Postgres.sql(database, "SELECT id FROM calls WHERE answered ORDER BY id LIMIT 2")]
    Postgres.sql(database, "UPDATE calls SET state = 'lost', answered = false, talkers = '{}', end_time = NULL WHERE id = %s", [changed])
    Postgres.sql(database, "SELECT calls_merged(ARRAY[%s]::bigint[])", [gone])
    Postgres.sql(database, """INSERT INTO calls (id, shard, enterprise_id, unique_id, unique_ids, direction, state, call_type, start_time)
        SELECT %s + 1, shard, enterprise_id, unique_id, unique_ids[1:1], direction, state, call_type, start_time
        FROM calls WHERE id = %s""", [changed, changed])
    spoilt = dump(database)
    dry = run(database, "--dry-run")
    assert counts(dry) == [1, 1, 1] and "nothing was changed" in dry.stdout
    assert re.search(rf"^{changed} .*changed: .*state lost -> ended", dry.stdout, re.M)
    assert re.search(rf"^{changed + 1} .*gone: part of call {changed}$", dry.stdout, re.M)
    assert re.search(rf"^{gone} .*new: ", dry.stdout, re.M)
    assert dump(database) == spoilt, "a dry run changes nothing"
    done = run(database)
    assert counts(done) == [1, 1, 1] and "3 changes applied" in done.stdout
    assert comparable(dump(database)) == comparable(right)
    why = Postgres.sql(database, "SELECT version, trace->-1->>'why' AS why FROM calls WHERE id = %s", [changed])[0]
    assert why["why"] == "folded again by callweave-rebuild"
    assert why["version"] > next(row["row"]["version"] for row in right[0] if row["row"]["id"] == changed)


def comparable(tables):
    """Without what a rebuild gives anew: versions, tokens of new rows, reasons, ids of customers."""
    return [sorted(repr(sorted((key, value) for key, value in row["row"].items() if key not in
                               ("version", "uuid_token", "created_at", "trace", "id" if "phone_e164" in row["row"] else "")))
                   for row in rows) for rows in tables]


def test_the_row_keeps_its_token_and_its_messages(database):
    call = Postgres.sql(database, "SELECT id, uuid_token FROM calls WHERE answered LIMIT 1")[0]
    Postgres.sql(database, "UPDATE calls SET answered = false WHERE id = %s", [call["id"]])
    Postgres.sql(database, "INSERT INTO telegram_messages (call_id, chat_id, enterprise_number, message_id) VALUES (%s, 1, '0367', 7)",
                 [call["id"]])
    assert counts(run(database)) == [0, 1, 0]
    after = Postgres.sql(database, "SELECT uuid_token, answered FROM calls WHERE id = %s", [call["id"]])[0]
    assert after == {"uuid_token": call["uuid_token"], "answered": True}
    assert Postgres.sql(database, "SELECT count(*) FROM outbox")[0]["count"] == 0, "nothing is sent to anybody"
    assert Postgres.sql(database, "SELECT message_id FROM telegram_messages")[0]["message_id"] == 7


def test_calls_that_the_dispatcher_works_on_are_left_alone(database):
    call = Postgres.sql(database, "SELECT id FROM calls WHERE answered LIMIT 1")[0]["id"]
    Postgres.sql(database, "UPDATE calls SET answered = false WHERE id = %s", [call])
    Postgres.sql(database, "INSERT INTO fold_calls SELECT shard, id, enterprise_id, '{}' FROM calls WHERE id = %s", [call])
    done = run(database)
    assert counts(done) == [0, 0, 0] and "1 calls were left alone: the dispatcher still works on them" in done.stdout
    assert not Postgres.sql(database, "SELECT answered FROM calls WHERE id = %s", [call])[0]["answered"]


def test_events_that_the_dispatcher_has_not_seen_are_not_the_past_yet(database):
    pbx_day.insert(database, "0367", pbx_day.events(20, 43, "--start", int(time.time() - 3600) * 1000))
    assert counts(run(database)) == [0, 0, 0]
    pbx_day.folded(database)
    assert counts(run(database))[0] >= 19


def test_what_the_log_no_longer_has_stays(database):
    """Old days are dropped: the calls of their events remain, whole or cut by the edge."""
    before = dump(database)
    middle = Postgres.sql(database, "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY event_timestamp) AS at FROM call_events")[0]["at"]
    Postgres.sql(database, "DELETE FROM call_events WHERE event_timestamp < %s", [middle])
    done = run(database)
    assert dump(database)[0] == before[0] and counts(done) == [0, 0, 0], done.stdout


def test_one_enterprise_and_a_stretch_of_time(database):
    Postgres.sql(database, "UPDATE calls SET trunk = 'wrong'")
    total = Postgres.sql(database, "SELECT count(*) FROM calls WHERE enterprise_id = '0367'")[0]["count"]
    span = Postgres.sql(database, "SELECT min(start_time) AS first, max(start_time) AS last FROM calls")[0]
    middle = (span["first"] + (span["last"] - span["first"]) / 2).strftime("%Y-%m-%dT%H:%M:%S")
    part = counts(run(database, "--enterprise", "0367", "--to", middle))[1]
    assert total / 3 < part < total * 2 / 3
    rest = counts(run(database, "--enterprise", "0367", "--from", middle))[1]
    assert part + rest == total
    assert Postgres.sql(database, "SELECT count(*) FROM calls WHERE trunk = 'wrong' AND enterprise_id = '0367'")[0]["count"] == 0
    assert Postgres.sql(database, "SELECT count(*) FROM calls WHERE trunk <> 'wrong' AND enterprise_id = '0368'")[0]["count"] == 0


def test_progress_is_shown(database):
    assert re.search(r"\d+ events folded in \d+\.\d s", run(database, "--dry-run").stderr)
    assert run(database, "--dry-run", "--quiet").stderr == ""


@pytest.mark.parametrize("options, words", [
    (("--enterprise",), "usage:"), (("--from", "yesterday"), "usage:"), (("--show", "-1"), "usage:"), (("--nonsense",), "usage:"),
    (("--from", "2026-02-01", "--to", "2026-01-01"), "usage:")])
def test_wrong_usage(options, words):
    done = run("postgresql://nowhere", *options)
    assert done.returncode == 2 and words in done.stderr


def test_failures_have_words(database):
    assert "no enterprise has the number 9999" in run(database, "--enterprise", "9999").stderr
    gone = run("postgresql://callweave@127.0.0.1:1/nothing")
    assert gone.returncode == 1 and "PostgreSQL is not reached" in gone.stderr
    assert "set DATABASE_URL" in run("").stderr
