"""What ingest has acknowledged is there, once, in order, whatever dies."""
import threading
import time

import psycopg2
import pytest
import requests

from cut_proxy import CutProxy
from waiting import wait_until

TOKEN = "375290000367"


class Load:
    """Clients that post numbered events one after another and note which were acknowledged."""

    def __init__(self, stack, clients=8):
        self.url = stack.url("ingest")
        self.acknowledged = [[] for _ in range(clients)]
        self.refused = []
        self.slowest = 0.0
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(client,)) for client in range(clients)]

    def _run(self, client):
        session = requests.Session()
        serial = 0
        while not self.stopping.is_set():
            serial += 1
            body = {"Token": TOKEN, "UniqueId": f"load.{client}", "Serial": serial}
            began = time.monotonic()
            try:
                answer = session.post(f"{self.url}/bridge", json=body, timeout=20)
            except requests.RequestException:
                session = requests.Session()
                time.sleep(0.01)  # nobody listens: do not spin
                continue
            self.slowest = max(self.slowest, time.monotonic() - began)
            if answer.status_code == 200:
                self.acknowledged[client].append(serial)
            else:
                self.refused.append((answer.status_code, answer.text))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def count(self):
        return sum(map(len, self.acknowledged))

    def goes_on(self, more=100):
        goal = self.count() + more
        wait_until(lambda: self.count() >= goal, 30, lambda: f"{more} more events; refused: {self.refused[-3:]}")


def stored(stack, client):
    return [row["serial"] for row in stack.sql(
        "SELECT (raw_data->>'Serial')::int AS serial FROM call_events WHERE unique_id = %s ORDER BY id",
        [f"load.{client}"])]


def assert_ledger(stack, load):
    """Every acknowledged event is stored, in order, and nothing is stored twice."""
    service = stack.services["ingest"]
    wait_until(lambda: service.metric("callweave_journal_records") == 0, 60, "the journal is replayed")
    for client, acknowledged in enumerate(load.acknowledged):
        found = stored(stack, client)
        assert len(found) == len(set(found)), f"client {client}: events stored twice"
        assert not set(acknowledged) - set(found), f"client {client}: acknowledged events are lost"
        assert found == sorted(found), f"client {client}: out of order"


@pytest.fixture
def world(make_stack):
    stack = make_stack(services=("ingest",), own_postgres=True).start_all()
    stack.enterprise("0367", name2=TOKEN)
    return stack


def test_kill_9_loses_nothing_that_was_acknowledged(world):
    with Load(world) as load:
        for _ in range(5):
            load.goes_on()
            world.kill9("ingest")
            world.start("ingest")
        load.goes_on()
    assert load.refused == []
    assert_ledger(world, load)


def test_postgresql_may_stop_and_come_back_under_load(world):
    service = world.services["ingest"]
    with Load(world) as load:
        load.goes_on()
        world.stop_pg()
        load.goes_on(300)
        assert service.metric("callweave_journal_bytes") > 0
        assert service.ready(), "with its journal it can take events"
        world.start_pg()
        wait_until(lambda: service.metric("callweave_journal_records") == 0, 30, "the journal is replayed")
        direct = service.metric("callweave_events_journaled_total")
        load.goes_on()
        assert service.metric("callweave_events_journaled_total") == direct, "it went on through the journal"
    assert load.refused == []
    assert_ledger(world, load)


def test_postgresql_may_be_killed_under_load(world):
    with Load(world) as load:
        for _ in range(4):
            load.goes_on(40)
            world.kill_pg()
            world.start_pg()
        load.goes_on()
    assert load.refused == []
    assert_ledger(world, load)


@pytest.fixture
def proxied(make_stack):
    """Between ingest and its database is a wire that can lose answers."""
    stack = make_stack(services=("ingest",))
    proxy = CutProxy(stack.database_url)
    stack.services["ingest"].settings["DATABASE_URL"] = proxy.url
    stack.proxy = proxy
    stack.start_all()
    stack.enterprise("0367", name2=TOKEN)
    yield stack
    proxy.close()


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "doubt"}], ids=["plain", "with a key"])
def test_a_commit_whose_answer_was_lost_is_stored_once(proxied, headers):
    count = "SELECT count(*) AS n FROM call_events WHERE unique_id = 'doubt.1'"
    statuses = []

    def post():
        statuses.append(proxied.post("dial", {"Token": TOKEN, "UniqueId": "doubt.1"}, headers=headers).status_code)
    proxied.proxy.swallow_answers()
    thread = threading.Thread(target=post)
    thread.start()
    wait_until(lambda: proxied.sql(count)[0]["n"] == 1, 10, "the commit happens")
    assert statuses == [], "and ingest cannot know it"
    proxied.proxy.cut()
    thread.join()
    assert statuses == [200]
    service = proxied.services["ingest"]
    assert service.metric("callweave_events_journaled_total") == 1
    wait_until(lambda: service.metric("callweave_journal_records") == 0, 20, "the journal is replayed")
    assert proxied.sql(count)[0]["n"] == 1


def test_a_replay_whose_answer_was_lost_is_stored_once_also_after_kill_9(proxied):
    service = proxied.services["ingest"]
    count = "SELECT count(*) AS n FROM call_events WHERE unique_id = 'doubt.2'"
    proxied.sql("ALTER TABLE call_events RENAME TO hidden")
    assert proxied.post("dial", {"Token": TOKEN, "UniqueId": "doubt.2"}).ok
    assert service.metric("callweave_journal_records") == 1
    proxied.proxy.swallow_answers()
    proxied.sql("ALTER TABLE hidden RENAME TO call_events")
    wait_until(lambda: proxied.sql(count)[0]["n"] == 1, 20, "the replay is committed")
    proxied.kill9("ingest")
    proxied.proxy.cut()
    proxied.start("ingest")
    wait_until(lambda: service.metric("callweave_journal_records") == 0, 20, "the journal is replayed")
    assert proxied.sql(count)[0]["n"] == 1


def test_a_backend_that_is_killed_costs_no_event(world):
    with Load(world) as load:
        for _ in range(12):
            load.goes_on(30)
            world.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'callweave ingest'")
        load.goes_on()
    assert load.refused == []
    assert_ledger(world, load)


def test_both_die_at_once_with_events_in_the_journal(world):
    with Load(world) as load:
        load.goes_on()
        world.kill_pg()
        load.goes_on()
        world.kill9("ingest")
        world.start("ingest")
        load.goes_on()
        world.kill9("ingest")
        world.start_pg()
        world.start("ingest")
        load.goes_on()
    assert_ledger(world, load)


def test_a_commit_that_hangs_goes_to_the_journal_before_hosts_give_up(world):
    service = world.services["ingest"]
    with Load(world) as load:
        load.goes_on()
        done = threading.Event()

        def hold():  # a lock on the log holds every commit up
            connection = psycopg2.connect(world.database_url)
            connection.cursor().execute("LOCK TABLE call_events IN ACCESS EXCLUSIVE MODE")
            done.wait(60)
            connection.close()
        thread = threading.Thread(target=hold)
        thread.start()
        try:
            wait_until(lambda: service.metric("callweave_events_journaled_total") > 0, 10, "the journal takes over")
            load.goes_on()
        finally:
            done.set()
            thread.join()
        load.goes_on()
    assert load.slowest < 3, "hosts give up after three seconds"
    assert load.refused == []
    assert_ledger(world, load)


def test_without_a_table_the_events_wait_in_the_journal(world):
    service = world.services["ingest"]
    world.sql("ALTER TABLE call_events RENAME TO hidden")
    assert world.post("dial", {"Token": TOKEN, "UniqueId": "hidden.1"}).ok
    assert service.metric("callweave_journal_records") == 1
    world.sql("ALTER TABLE hidden RENAME TO call_events")
    wait_until(lambda: world.sql("SELECT 1 FROM call_events WHERE unique_id = 'hidden.1'"), 20, "the event is stored")


def test_an_event_that_the_database_refuses_does_not_take_its_neighbours_along(world):
    world.sql("ALTER TABLE call_events ADD CHECK (unique_id NOT LIKE 'evil%')")
    with Load(world) as load:
        load.goes_on()
        for serial in range(20):
            answer = world.post("dial", {"Token": TOKEN, "UniqueId": f"evil.{serial}"})
            assert answer.status_code == 422 and "detail" in answer.json()
        load.goes_on()
    assert load.refused == []
    assert_ledger(world, load)
    kept = "SELECT * FROM event_quarantine WHERE body LIKE '%%evil%%'"
    wait_until(lambda: len(world.sql(kept)) == 20, 10, "refused events are kept")
    assert "call_events" in world.sql(kept)[0]["reason"]


def test_a_refused_event_in_the_journal_does_not_hold_up_the_others(world):
    world.sql("ALTER TABLE call_events ADD CHECK (unique_id NOT LIKE 'evil%')")
    world.stop_pg()
    for serial in range(100):
        assert world.post("dial", {"Token": TOKEN, "UniqueId": "good.1" if serial % 7 else "evil.1", "Serial": serial}).ok
    world.start_pg()
    service = world.services["ingest"]
    wait_until(lambda: service.metric("callweave_journal_records") == 0, 20, "the journal is replayed")
    found = world.sql("SELECT (raw_data->>'Serial')::int AS serial FROM call_events WHERE unique_id = 'good.1' ORDER BY id")
    assert [row["serial"] for row in found] == [serial for serial in range(100) if serial % 7]
    kept = "SELECT body::jsonb->>'Serial' AS serial FROM event_quarantine WHERE body LIKE '%%evil.1%%' ORDER BY id"
    wait_until(lambda: len(world.sql(kept)) == 15, 10, "what was acknowledged and refused is kept")


def test_beyond_the_journals_bound_events_are_refused_until_there_is_room(make_stack):
    stack = make_stack(services=("ingest",), own_postgres=True, settings={"CALLWEAVE_INGEST_JOURNAL_BYTES": "65536"})
    stack.start_all()
    stack.enterprise("0367", name2=TOKEN)
    stack.stop_pg()
    accepted = 0
    for serial in range(500):
        answer = stack.post("dial", {"Token": TOKEN, "UniqueId": "full.1", "Serial": serial, "x": "x" * 300})
        if answer.status_code != 200:
            break
        accepted += 1
    assert accepted > 50 and answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1 and answer.json()["detail"]
    assert not stack.services["ingest"].ready(), "there is no place for another event"
    stack.start_pg()
    stack.services["ingest"].wait_ready()
    count = "SELECT count(*) AS n FROM call_events WHERE unique_id = 'full.1'"
    wait_until(lambda: stack.sql(count)[0]["n"] == accepted, 20, "what was accepted is stored")
    wait_until(lambda: stack.post("dial", {"Token": TOKEN, "UniqueId": "full.2"}).ok, 10, "events are taken again")


def test_a_start_without_postgresql_knows_its_enterprises(world):
    assert world.post("dial", {"Token": TOKEN, "UniqueId": "before.1"}).ok
    world.stop_pg()
    world.kill9("ingest")
    world.start("ingest")
    assert world.post("dial", {"Token": TOKEN, "UniqueId": "cold.1"}).ok
    assert world.post("dial", {"Token": "nobody", "UniqueId": "cold.2"}).status_code == 401
    world.start_pg()
    found = "SELECT enterprise_number FROM call_events WHERE unique_id = 'cold.1'"
    wait_until(lambda: world.sql(found) == [{"enterprise_number": "0367"}], 20, "the event is stored")


def test_a_first_start_without_postgresql_refuses_with_words(make_stack):
    stack = make_stack(services=("ingest",), own_postgres=True)
    stack.stop_pg()
    stack.services["ingest"].start(wait=False)
    wait_until(lambda: alive(stack), 10, "it listens")
    answer = stack.post("dial", {"Token": TOKEN})
    assert answer.status_code == 503 and "Retry-After" in answer.headers
    assert not stack.services["ingest"].ready()
    stack.start_pg()
    stack.services["ingest"].wait_ready()


def alive(stack):
    try:
        return requests.get(stack.url("ingest") + "/livez", timeout=2).ok
    except requests.RequestException:
        return False


def test_the_same_key_is_stored_once(world):
    for _ in range(3):
        assert world.post("dial", {"Token": TOKEN, "UniqueId": "once.1"}, headers={"Idempotency-Key": "k1"}).ok
    assert world.post("dial", {"Token": TOKEN, "UniqueId": "once.1"}, headers={"Idempotency-Key": "k2"}).ok
    assert world.post("dial", {"Token": TOKEN, "UniqueId": "once.1"}).ok
    count = "SELECT count(*) AS n FROM call_events WHERE unique_id = %s"
    assert world.sql(count, ["once.1"])[0]["n"] == 3
    world.enterprise("0400", name2="other")
    assert world.post("dial", {"Token": "other", "UniqueId": "once.1"}, headers={"Idempotency-Key": "k1"}).ok
    assert world.sql(count, ["once.1"])[0]["n"] == 4, "keys are each enterprise's own"


def test_the_same_key_many_times_at_once_and_through_the_journal(world):
    def burst(unique_id, key):
        threads = [threading.Thread(target=lambda: requests.post(
            world.url("ingest") + "/dial", json={"Token": TOKEN, "UniqueId": unique_id},
            headers={"Idempotency-Key": key}, timeout=20).raise_for_status()) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    burst("burst.1", "together")
    count = "SELECT count(*) AS n FROM call_events WHERE unique_id = %s"
    assert world.sql(count, ["burst.1"])[0]["n"] == 1
    world.stop_pg()
    burst("burst.2", "away")
    world.start_pg()
    service = world.services["ingest"]
    wait_until(lambda: service.metric("callweave_journal_records") == 0, 20, "the journal is replayed")
    burst("burst.2", "away")
    assert world.sql(count, ["burst.2"])[0]["n"] == 1


def test_one_request_at_a_time_pays_one_commit_and_no_more(world):
    service = world.services["ingest"]
    before = service.metric("callweave_commits_total")
    for serial in range(50):
        assert world.post("dial", {"Token": TOKEN, "UniqueId": f"single.{serial}"}).ok
    assert service.metric("callweave_commits_total") == before + 50


def test_an_orderly_end_leaves_nothing_behind(world):
    with Load(world) as load:
        load.goes_on()
        assert world.stop("ingest") == 0
        world.start("ingest")
        load.goes_on()
    assert_ledger(world, load)
