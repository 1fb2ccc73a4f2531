"""scripts/migrate: forward only, once, checked, and safe to run twice at once."""
import os
import shutil
import subprocess

import pytest

from process import ROOT

EMPTY = iter(range(1000))


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "migrations"
    place.mkdir()
    (place / "0001_first.sql").write_text("CREATE TABLE first (id integer);\n")
    return place


@pytest.fixture
def database(postgres):
    return postgres.database(f"migrate_{next(EMPTY)}")


def environment(url, folder):
    return {**os.environ, "DATABASE_URL": url, "CALLWEAVE_MIGRATIONS": str(folder)}


def migrate(url, folder, *arguments, code=0):
    done = subprocess.run([ROOT / "scripts" / "migrate", *arguments], text=True, capture_output=True, timeout=60,
                          env=environment(url, folder))
    assert (done.returncode == 0) == (code == 0), done.stdout + done.stderr
    return done.stdout + done.stderr


def versions(postgres, url):
    return [row["version"] for row in postgres.sql(url, "SELECT version FROM schema_migrations ORDER BY version")]


def test_it_applies_what_is_new_and_says_so(postgres, database, folder):
    assert "applying 0001_first.sql" in migrate(database, folder)
    assert "up to date" in migrate(database, folder)
    (folder / "0002_second.sql").write_text("CREATE TABLE second (id integer);\n")
    said = migrate(database, folder)
    assert "0002_second.sql" in said and "0001_first.sql" not in said
    assert versions(postgres, database) == [1, 2]


def test_status_tells_and_changes_nothing(postgres, database, folder):
    assert "not applied" in migrate(database, folder, "--status")
    assert postgres.sql(database, "SELECT to_regclass('first') AS t")[0]["t"] is None
    migrate(database, folder)
    assert "applied 20" in migrate(database, folder, "--status")


def test_a_migration_that_fails_leaves_nothing(postgres, database, folder):
    (folder / "0002_bad.sql").write_text("CREATE TABLE half (id integer);\nSELECT nonsense;\n")
    said = migrate(database, folder, code=1)
    assert "0002_bad.sql:2" in said and "nonsense" in said
    assert versions(postgres, database) == [1], "the one before it stays"
    assert postgres.sql(database, "SELECT to_regclass('half') AS t")[0]["t"] is None


def test_a_file_that_was_changed_after_it_was_applied_is_named(database, folder):
    migrate(database, folder)
    (folder / "0001_first.sql").write_text("CREATE TABLE first (id bigint);\n")
    said = migrate(database, folder, code=1)
    assert "0001_first.sql was changed" in said
    assert "changed" in migrate(database, folder, "--status")


def test_a_database_that_is_newer_is_left_alone(database, folder):
    (folder / "0002_second.sql").write_text("CREATE TABLE second (id integer);\n")
    migrate(database, folder)
    (folder / "0002_second.sql").unlink()
    said = migrate(database, folder, code=1)
    assert "0002_second.sql" in said and "newer" in said


def test_a_gap_in_the_numbers_is_named(database, folder):
    (folder / "0003_third.sql").write_text("SELECT 1;\n")
    assert "0003_third.sql" in migrate(database, folder, code=1)


def test_two_runs_at_once_both_succeed(postgres, database, folder):
    (folder / "0002_slow.sql").write_text("SELECT pg_sleep(0.3); CREATE TABLE slow (id integer);\n")
    runs = [subprocess.Popen([ROOT / "scripts" / "migrate"], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             env=environment(database, folder)) for _ in range(3)]
    said = [run.communicate(timeout=60)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], said
    assert sum("applying 0002_slow.sql" in text for text in said) == 1
    assert versions(postgres, database) == [1, 2]


def test_a_server_that_is_not_there_is_named_and_its_password_is_not(folder):
    said = migrate("postgresql://user:s3cr%40t@127.0.0.1:1/none", folder, code=1)
    assert "127.0.0.1" in said and "s3cr" not in said


def test_the_real_migrations_apply_to_an_empty_database(postgres, database, tmp_path):
    copy = tmp_path / "real"
    shutil.copytree(ROOT / "migrations", copy)
    migrate(database, copy)
    columns = {row["column_name"] for row in postgres.sql(
        database, "SELECT column_name FROM information_schema.columns WHERE table_name = 'call_report'")}
    assert columns == {"enterprise", "call_id", "direction", "answered", "external", "caller", "callee", "talkers", "rang",
                       "line", "transfers", "state", "started_at", "answered_at", "ended_at", "ring_seconds",
                       "talk_seconds", "unique_ids", "source"}


def test_psql_finds_the_same_database(database, folder):
    migrate(database, folder)
    done = subprocess.run([ROOT / "scripts" / "psql", "-Atc", "SELECT max(version) FROM schema_migrations"], text=True,
                          capture_output=True, timeout=60, env=environment(database, folder), check=True)
    assert done.stdout == "1\n"
