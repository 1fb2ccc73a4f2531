"""Enterprises come and go within a second; refused events can be had back; the debug log is as it always was."""
import json
import os
import re
import subprocess
import time

import pytest

import raw_http
from process import ROOT
from waiting import wait_until

TOKEN = "375290000367"


@pytest.fixture
def world(make_stack):
    stack = make_stack(services=("ingest",), settings={"CALLWEAVE_INGEST_QUARANTINE_ROWS": "50"}).start_all()
    stack.enterprise("0367", name2=TOKEN)
    return stack


def status(world, token, unique_id="1.1", event="dial"):
    return world.post(event, {"Token": token, "UniqueId": unique_id}).status_code


def within_a_second(world, token, wanted):
    began = time.monotonic()
    wait_until(lambda: status(world, token) == wanted, 5, f"token {token} gives {wanted}")
    assert time.monotonic() - began < 1


def test_a_new_enterprise_is_known_within_a_second(world):
    assert status(world, "fresh") == 401
    world.sql("INSERT INTO enterprises (number, name, name2) VALUES ('0500', 'fresh', 'fresh')")
    within_a_second(world, "fresh", 200)


def test_a_changed_token_and_a_removed_enterprise_are_known_within_a_second(world):
    world.sql("UPDATE enterprises SET name2 = 'changed' WHERE number = '0367'")
    within_a_second(world, "changed", 200)
    assert status(world, TOKEN) == 401
    world.sql("DELETE FROM enterprises WHERE number = '0367'")
    within_a_second(world, "changed", 401)


def test_an_inactive_enterprise_is_as_unknown(world):
    world.sql("UPDATE enterprises SET active = false WHERE number = '0367'")
    within_a_second(world, TOKEN, 401)
    reasons = "SELECT DISTINCT reason FROM event_quarantine WHERE token = %s"
    wait_until(lambda: world.sql(reasons, [TOKEN]) == [{"reason": "not active"}], 5, "the reason is kept")


def test_changes_arrive_again_after_the_listening_connection_was_lost(world):
    world.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
              "WHERE application_name = 'callweave ingest aux' AND datname = current_database()")
    world.sql("INSERT INTO enterprises (number, name, name2) VALUES ('0501', 'late', 'late')")
    wait_until(lambda: status(world, "late") == 200, 15, "the change arrives")


# -- quarantine ---------------------------------------------------------------------------------------


def quarantine(world, *arguments, code=0):
    ingest = world.services["ingest"]
    done = subprocess.run([ROOT / "scripts" / "quarantine", *arguments], text=True, capture_output=True, timeout=60,
                          env={**os.environ, "DATABASE_URL": world.database_url,
                               "CALLWEAVE_INGEST_PORT": str(ingest.port), "CALLWEAVE_INGEST_HOST": "127.0.0.1"})
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def kept(world, token):
    return world.sql("SELECT * FROM event_quarantine WHERE token = %s ORDER BY id", [token])


def test_a_refused_event_is_kept_and_can_be_replayed_once_its_token_is_known(world):
    body = {"Token": "tomorrow", "UniqueId": "q.1", "Phone": "Ёлка \"x\" \\ 'y'"}
    text = json.dumps(body, ensure_ascii=False).encode()
    assert world.session().post(world.url("ingest") + "/hangup", data=text, timeout=5).status_code == 401
    assert world.post("start", {"UniqueId": "q.2"}, headers={"Token": "tomorrow"}).status_code == 401
    first, second = wait_until(lambda: len(kept(world, "tomorrow")) == 2 and kept(world, "tomorrow"), 10)
    assert first["event_type"] == "hangup" and json.loads(first["body"]) == body
    assert first["peer"] == "127.0.0.1" and first["reason"] == "unknown token" and first["trace_id"]
    listed = quarantine(world, "list")
    assert "tomorrow" in listed and str(first["id"]) in listed
    assert "Ёлка" in quarantine(world, "show", str(first["id"]))
    assert "401" in quarantine(world, "replay", "--token", "tomorrow", code=1)
    world.sql("INSERT INTO enterprises (number, name, name2) VALUES ('0700', 'tomorrow', 'tomorrow')")
    wait_until(lambda: world.services["ingest"].metric("callweave_enterprises") == 2, 5, "the token is known")
    assert "2 stored" in quarantine(world, "replay", "--token", "tomorrow")
    row, = world.sql("SELECT * FROM call_events WHERE unique_id = 'q.1'")
    assert row["raw_data"] == body and row["event_type"] == "hangup" and row["enterprise_number"] == "0700"
    assert world.sql("SELECT 1 FROM call_events WHERE unique_id = 'q.2'")
    assert "0 stored" in quarantine(world, "replay")
    world.sql("UPDATE event_quarantine SET replayed_at = NULL")
    assert "1 stored" in quarantine(world, "replay", "--id", str(second["id"]))
    assert len(world.sql("SELECT 1 FROM call_events WHERE unique_id = 'q.2'")) == 1, "its key makes it stored once"
    assert "1 forgotten" in quarantine(world, "purge")
    assert "1 forgotten" in quarantine(world, "purge", "--all")


def test_quarantine_has_a_bound_and_the_oldest_go(world):
    for number in range(120):
        assert status(world, f"t{number}", f"bound.{number}") == 401
        if number % 30 == 29:
            wait_until(lambda: f"bound.{number}" in json.dumps([row["body"] for row in world.sql(
                "SELECT body FROM event_quarantine")]), 10, "written")
    rows = world.sql("SELECT token FROM event_quarantine ORDER BY id")
    assert [row["token"] for row in rows] == [f"t{number}" for number in range(70, 120)]


def test_one_token_cannot_fill_the_quarantine(make_stack):
    stack = make_stack(services=("ingest",)).start_all()
    stack.enterprise("0367", name2=TOKEN)
    assert status(stack, "quiet", "quiet.1") == 401
    for number in range(1500):
        assert status(stack, "loud", f"loud.{number}") == 401
        if number % 150 == 149:
            wait_until(lambda: stack.sql("SELECT 1 FROM event_quarantine WHERE body LIKE %s", [f"%loud.{number}\"%"]),
                       10, "written")
    assert len(kept(stack, "loud")) <= 1000
    assert len(kept(stack, "quiet")) == 1


def test_a_flood_of_unknown_tokens_is_counted_and_not_written(world):
    service = world.services["ingest"]
    one = raw_http.request("/dial", json.dumps({"Token": "flood", "UniqueId": "1.1"}).encode(),
                           headers=("Content-Type: application/json",))
    with raw_http.connect(service.port) as line, line.makefile("rb") as answers:  # all at once: it is a flood
        line.sendall(one * 600)
        assert {raw_http.read_answer(answers).status for _ in range(600)} == {401}
    wait_until(lambda: service.metric("callweave_quarantine_dropped_total") > 0, 30, "what is too much is counted")
    kept_or_dropped = ("callweave_quarantine_total", "callweave_quarantine_dropped_total")
    wait_until(lambda: sum(map(service.metric, kept_or_dropped)) == 600, 10, "each is kept or counted")


# -- debug log ----------------------------------------------------------------------------------------

STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \[INFO\] "


def test_the_debug_log_is_in_the_documented_format(world):
    log = world.folder / "logs" / "0367.log"
    world.sql("UPDATE enterprises SET debug_log = true, zone = 'Asia/Tokyo' WHERE number = '0367'")

    def written():
        world.post("start", {"Token": TOKEN, "UniqueId": "probe.1"})
        return log.exists() and log.stat().st_size > 0
    wait_until(written, 5, "the log is there")
    log.write_bytes(b"")  # cat /dev/null > logs/0367.log, while the server runs
    body = {"Token": TOKEN, "UniqueId": "1759230684.16", "Phone": "Иван", "Extensions": ["151"], "CallType": 0}
    assert world.post("hangup", body).ok
    assert world.post("dial", {"Token": TOKEN, "UniqueId": "1759230684.17"}).ok

    def both():
        text = log.read_text()
        return text if "1759230684.17\n" in text and text.endswith("}\n") else None
    text = wait_until(both, 10, "both events are in the log")
    # A probe that was answered before the file was emptied may be written after it.
    text = text[text.rfind("\n", 0, text.index("🧪 TEST EVENT: hangup")) + 1:]
    match = re.fullmatch(rf"""{STAMP}🧪 TEST EVENT: hangup
{STAMP}📋 Token: {TOKEN}, UniqueId: 1759230684.16
{STAMP}📦 Full Body: (\{{.*?
\}})
{STAMP}🧪 TEST EVENT: dial
{STAMP}📋 Token: {TOKEN}, UniqueId: 1759230684.17
{STAMP}📦 Full Body: \{{.*?
\}}
""", text, re.S)
    assert match, text
    assert json.loads(match.group(1)) == body and '\n  "Phone": "Иван"' in match.group(1)
    minutes = abs(time.mktime(time.strptime(text[:19], "%Y-%m-%d %H:%M:%S")) - time.mktime(time.gmtime()) - 9 * 3600) / 60
    assert minutes < 2, "the time is the enterprise's"


def test_nothing_is_written_for_others_or_for_refused_events(world):
    world.enterprise("0900", name2="loud", debug_log=True)
    world.post("dial", {"Token": TOKEN, "UniqueId": "silent.1"})
    world.post("dial", {"Token": "loud", "UniqueId": "refused.1", "Extensions": 5})
    world.post("dial", {"Token": "loud", "UniqueId": "last.1"})
    log = world.folder / "logs" / "0900.log"
    text = wait_until(lambda: log.exists() and "last.1" in log.read_text() and log.read_text(), 5)
    assert "refused.1" not in text and "silent.1" not in text
    assert not (world.folder / "logs" / "0367.log").exists()


def test_the_debug_log_keeps_5_mb_and_three_older_files(world):
    world.enterprise("0900", name2="loud", debug_log=True)
    filler = "x" * 60000
    for _ in range(440):
        assert world.post("dial", {"Token": "loud", "UniqueId": "1.1", "x": filler}).ok
    folder = world.folder / "logs"
    wait_until(lambda: (folder / "0900.log.3").exists(), 10, "three older files")
    assert {path.name for path in folder.iterdir()} <= {"0900.log", "0900.log.1", "0900.log.2", "0900.log.3"}
    for age in (1, 2, 3):
        assert 5_000_000 <= (folder / f"0900.log.{age}").stat().st_size < 6_200_000
