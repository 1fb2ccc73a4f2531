"""What hosts could not deliver, brought afterwards: all of it or nothing, and nothing twice."""
import concurrent.futures
import json
import sqlite3
import time
from datetime import datetime, timedelta

import pytest
import requests

import recovery_files as files
from waiting import wait_until

TOKEN, SECRET = "375290000367", "s3cret-of-0367"
DAY = "2026-11-20"


@pytest.fixture(scope="module")
def world(module_stack):
    stack = module_stack(services=("ingest",)).start_all()
    stack.enterprise("0367", name2=TOKEN, secret=SECRET, zone="Europe/Minsk")
    stack.enterprise("0400", name2="token-0400", secret="s3cret-of-0400")
    stack.enterprise("0401", name2="token-0401")
    return stack


def events(prefix, count=3, day=DAY):
    """Some of each kind, one a second from 23:59:50 on: they go past midnight."""
    kinds = ("start", "dial", "bridge_create", "bridge", "hangup")
    found = []
    for index in range(count):
        when = str(datetime.fromisoformat(f"{day} 23:59:50") + timedelta(seconds=index / 100 if count > 1000 else index))
        kind = kinds[index % len(kinds)]
        unique_id = "" if kind == "bridge_create" else f"{prefix}.{index // 5}"
        body = {"Token": TOKEN, "UniqueId": unique_id, "Phone": "375290000001", "CallType": 0, "Note": f"№{prefix}{index}"}
        found.append((kind, when, body))
    return found


def stored(world, prefix):
    return world.sql("SELECT *, event_timestamp AT TIME ZONE 'UTC' AS at FROM call_events "
                     "WHERE raw_data->>'Note' LIKE %s ORDER BY id", [f"№{prefix}%"])


def requests_of(world):
    return world.sql("SELECT * FROM refold_requests ORDER BY id")


def test_lines_go_into_the_log_with_their_own_times(world):
    answer = files.upload(world, files.lines(events("line", 12)), TOKEN, SECRET)
    assert answer.status_code == 200, answer.text
    result = answer.json()
    assert (result["found"], result["new"], result["known"], result["bad"]) == (12, 12, 0, 0)
    rows = stored(world, "line")
    assert len(rows) == 12 and {row["data_source"] for row in rows} == {"recovery"}
    assert str(rows[0]["at"]) == "2026-11-20 20:59:50", "Minsk is three hours ahead"
    assert str(rows[10]["at"]) == "2026-11-20 21:00:00", "the other day of the host"
    assert rows[0]["raw_data"] == events("line", 1)[0][2]
    assert {row["trace_id"] for row in rows} == {answer.headers["X-Request-Id"]} if "X-Request-Id" in answer.headers else True
    request = requests_of(world)[-1]
    assert request["enterprise_number"] == "0367" and request["reason"] == f"recovery upload {result['upload']}"
    assert (request["from_at"], request["to_at"]) == (rows[0]["event_timestamp"], rows[-1]["event_timestamp"])


def test_the_same_again_is_known_and_nothing_is_folded_again(world):
    body = files.lines(events("again", 10))
    assert files.upload(world, body, TOKEN, SECRET).json()["new"] == 10
    before = len(requests_of(world))
    result = files.upload(world, body, TOKEN, SECRET).json()
    assert (result["found"], result["new"], result["known"]) == (10, 0, 10)
    assert len(stored(world, "again")) == 10 and len(requests_of(world)) == before


def test_what_was_posted_is_known_and_copies_count(world):
    """Posted once, in the file three times: twice new. Key order and spaces do not matter."""
    body = {"Token": TOKEN, "UniqueId": "live.1", "Phone": "1", "Note": "№live0"}
    assert world.post("dial", body).ok
    other = json.dumps(dict(reversed(body.items())), indent=1)
    text = ("".join(json.dumps({"event": "dial", "time": f"{DAY} 12:00:0{n}", "body": json.loads(other)}) + "\n"
                    for n in range(3))).encode()
    result = files.upload(world, text, TOKEN, SECRET).json()
    assert (result["new"], result["known"]) == (2, 1)
    assert [row["data_source"] for row in stored(world, "live")] == ["live", "recovery", "recovery"]


def test_a_hosts_sqlite_file(world, tmp_path):
    answer = files.upload(world, files.sqlite(tmp_path / "a.db", events("lite", 10)), TOKEN, SECRET)
    assert answer.status_code == 200, answer.text
    assert answer.json()["new"] == 10
    assert str(stored(world, "lite")[0]["at"]) == "2026-11-20 20:59:50"


def test_gzip_of_both(world, tmp_path):
    assert files.upload(world, files.packed(files.lines(events("gzl", 5))), TOKEN, SECRET).json()["new"] == 5
    body = files.sqlite(tmp_path / "b.db", events("gzs", 5))
    assert files.upload(world, files.packed(body), TOKEN, SECRET).json()["new"] == 5


def test_progress_is_shown_line_by_line(world):
    body = files.lines(events("progress", 5000))
    answer = files.upload(world, body, TOKEN, SECRET, progress=True)
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert len(told) >= 3 and {line["state"] for line in told[:-1]} == {"reading"}
    assert [line["found"] for line in told] == sorted(line["found"] for line in told)
    assert told[-1]["state"] == "done" and told[-1]["new"] == 5000


def test_bad_lines_are_counted_and_named(world):
    body = files.lines(events("some", 2)) + b'{"event": "dial"\n\n' + \
        files.lines([("dial", "yesterday", {"Token": TOKEN}), ("dance", f"{DAY} 10:00:00", {"Token": TOKEN}),
                     ("dial", f"{DAY} 10:00:00", {"Token": TOKEN, "Extensions": 7})]) + b'{"event": "dial", "time": "x"}'
    result = files.upload(world, body, TOKEN, SECRET).json()
    assert (result["new"], result["bad"]) == (2, 5)
    assert [line["line"] for line in result["bad_lines"]] == [3, 5, 6, 7, 8]
    words = " ".join(line["why"] for line in result["bad_lines"])
    for part in ("invalid JSON", "time: not a time", '"dance" is not known', "Extensions: not a list", "body: not an object"):
        assert part in words


REFUSED = {
    "another tenant's token": (lambda: files.lines(events("no", 2) + [("dial", f"{DAY} 10:00:00", {"Token": "token-0400", "Note": "№no"})]),
                               "line 3: Token: of another enterprise"),
    "an empty file": (lambda: b"", "the file is empty"),
    "zip": (lambda: b"PK\x03\x04" + b"x" * 100, "zip archives are not taken"),
    "nonsense": (lambda: b"no events here\n" * 5, "no event in it; line 1"),
    "mostly nonsense": (lambda: files.lines(events("no", 50)) + b"x\n" * 101, "more bad lines than events"),
    "gzip cut short": (lambda: files.packed(files.lines(events("no", 100)))[:-20], "ends too early"),
    "damaged gzip": (lambda: b"\x1f\x8b" + b"\x08" + b"\xff" * 100, "not a good gzip file"),
    "gzip in gzip": (lambda: files.packed(files.packed(files.lines(events("no", 3)))), "compressed more than once"),
    "a bomb": (lambda: files.packed(b"\n" * (300 << 20)), "unpacked it is larger than 256 MiB"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_a_whole_with_the_reason(world, name):
    make, words = REFUSED[name]
    answer = files.upload(world, make(), TOKEN, SECRET)
    assert answer.status_code in (401, 422), answer.text
    assert words in answer.json()["detail"]
    assert stored(world, "no") == [] and world.sql("SELECT count(*) FROM recovery_rows")[0]["count"] == 0


def damaged(path):
    body = bytearray(files.sqlite(path, events("no", 3000)))
    for at in range(8192, len(body), 512):
        body[at:at + 64] = b"\xff" * 64
    return bytes(body)


def with_view(path):
    """A view in the place of the table that never ends."""
    with sqlite3.connect(path) as base:
        base.execute("CREATE VIEW AlternativeAPIlogs AS WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) "
                     "SELECT id, '' AS DateTime, '' AS event, '' AS request FROM n")
    base.close()
    return path.read_bytes()


@pytest.mark.parametrize("make, words", [
    (damaged, "cannot be read"),
    (with_view, "has no table AlternativeAPIlogs"),
    (lambda path: files.sqlite(path, events("no", 3), table="Other"), "has no table AlternativeAPIlogs"),
    (lambda path: b"SQLite format 3\x00" + b"\x00" * 4000, "cannot be read"),
], ids=["damaged", "a view", "another table", "only the beginning"])
def test_sqlite_files_that_are_none(world, tmp_path, make, words):
    answer = files.upload(world, make(tmp_path / "bad.db"), TOKEN, SECRET)
    assert answer.status_code == 422, answer.text
    assert words in answer.json()["detail"]
    assert stored(world, "no") == []


@pytest.mark.parametrize("change, words", [
    (lambda found: found.update({"X-Callweave-Signature": "v1=" + "0" * 64}), "X-Callweave-Signature"),
    (lambda found: found.pop("X-Callweave-Signature"), "X-Callweave-Signature"),
    (lambda found: found.pop("X-Callweave-Timestamp"), "X-Callweave-Timestamp"),
    (lambda found: found.update({"Token": "nobody"}), "Token: unknown"),
    (lambda found: found.update({"Token": "token-0400"}), "X-Callweave-Signature"),
    (lambda found: found.update({"Token": "token-0401"}), "no secret"),
], ids=["forged", "unsigned", "no time", "unknown", "of another", "no secret"])
def test_who_proves_nothing_brings_nothing(world, change, words):
    body = files.lines(events("no", 3))
    found = files.headers(body, TOKEN, SECRET)
    change(found)
    answer = requests.post(world.url("ingest") + "/recovery/events", data=body, headers=found, timeout=20)
    assert answer.status_code == 401 and words in answer.json()["detail"]
    assert stored(world, "no") == []


@pytest.mark.parametrize("shift", [-400, 400])
def test_an_old_signature_is_not_taken_again(world, shift):
    answer = files.upload(world, files.lines(events("no", 3)), TOKEN, SECRET, stamp=int(time.time()) + shift)
    assert answer.status_code == 401 and "X-Callweave-Timestamp" in answer.json()["detail"]


def test_a_body_that_is_too_long_is_refused_before_it_comes(world):
    found = {**files.headers(b"", TOKEN, SECRET), "Content-Length": str(300 << 20)}
    answer = requests.post(world.url("ingest") + "/recovery/events", headers=found, timeout=20)
    assert answer.status_code == 413


def test_two_uploads_of_one_file_at_once_bring_it_once(world):
    body = files.lines(events("twice", 2000))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = [one.json() for one in pool.map(lambda _: files.upload(world, body, TOKEN, SECRET), range(2))]
    assert sorted(result["new"] for result in results) == [0, 2000]
    assert len(stored(world, "twice")) == 2000


def test_live_events_go_on_while_a_large_file_is_read(world):
    """A hundred thousand events come in; each live event beside them is answered, and stored once."""
    body = files.packed(files.lines(events("large", 100_000)))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(files.upload, world, body, TOKEN, SECRET, timeout=600)
        posted, slowest = 0, 0
        while not under_way.done():
            began = time.monotonic()
            assert world.post("dial", {"Token": TOKEN, "UniqueId": f"beside.{posted}"}, timeout=5).status_code == 200
            slowest = max(slowest, time.monotonic() - began)
            posted += 1
        result = under_way.result().json()
    assert (result["found"], result["new"]) == (100_000, 100_000)
    assert posted > 20, "the live client was served all the while"
    rows = world.sql("SELECT count(*), count(DISTINCT unique_id) AS ids FROM call_events WHERE unique_id LIKE 'beside.%%'")
    assert rows[0]["count"] == rows[0]["ids"] == posted
    print(f"{posted} live events beside it, the slowest took {slowest * 1000:.0f} ms")


def test_killed_in_the_middle_all_or_nothing(make_stack):
    stack = make_stack(services=("ingest",)).start_all()
    stack.enterprise("0367", name2=TOKEN, secret=SECRET)
    body = files.lines(events("kill", 20_000))
    for rows_before_the_kill in (1, 8000):
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            under_way = pool.submit(files.upload, stack, body, TOKEN, SECRET)
            wait_until(lambda: stack.sql("SELECT count(*) FROM recovery_rows")[0]["count"] >= rows_before_the_kill, 60,
                       interval=0.002)
            stack.kill9("ingest")
            assert isinstance(under_way.exception(), requests.RequestException)
        # Either the last statement had begun, or nothing of it is in the log.
        assert len(stored(stack, "kill")) in (0, 20_000)
        stack.start("ingest")
    stack.sql("UPDATE recovery_uploads SET created_at = now() - interval '2 hours'")
    stack.sql("SELECT recovery_tidy()")
    assert stack.sql("SELECT count(*) FROM recovery_rows")[0]["count"] == 0
    assert {row["state"] for row in stack.sql("SELECT state FROM recovery_uploads")} <= {"failed", "done"}
    result = files.upload(stack, body, TOKEN, SECRET).json()
    assert result["new"] + result["known"] == 20_000 and len(stored(stack, "kill")) == 20_000
