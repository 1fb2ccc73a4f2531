"""Outages of a minute: PostgreSQL, Redis and Telegram are away, and nothing is lost or forgotten."""
import itertools
import os
import statistics
import threading
import time

import pytest

import corpus
import load
from test_ledger import UNLIMITED
from waiting import wait_until

OUTAGE_SECONDS = float(os.environ.get("OUTAGE_SECONDS", "60"))
SIMPLE_CALL = corpus.scenarios()["1-8/emulator"]
pytestmark = pytest.mark.long


def outlast(seconds, ledger):
    """Let the load go on for that long; fails at once when a client gives up."""
    deadline = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= deadline or ledger.problems, seconds + 10, "the outage is over")
    assert not ledger.problems, ledger.problems


def check_all(stack, ledger):
    stack.wait_quiet(180)
    assert all(call.finished for call in ledger.calls)
    load.check_log(stack, ledger.calls)
    load.check_calls(stack, ledger.calls)
    return load.check_messages(stack, ledger.calls)


def database_story(stack, seconds):
    """PostgreSQL stops under load; then Redis does."""
    tenants = [stack.enterprise(f"D{index}", chat_id=-810_000 - index) for index in range(4)]
    stack.start_all()
    stack.no_limits()
    with load.Load(stack, tenants, pause=0.05) as ledger:
        wait_until(lambda: ledger.acknowledged > 50, 30, "the load runs")
        stack.stop_pg()
        before = ledger.acknowledged
        outlast(seconds, ledger)
        during = ledger.acknowledged - before
        stack.start_pg()
        wait_until(lambda: stack.services["ingest"].metric("callweave_journal_records") == 0, 60,
                   "the journal is replayed")
    assert (ledger.refused, ledger.broken) == (0, 0), "an event was refused while PostgreSQL was away"
    assert during > 100, "the load went on while PostgreSQL was away"
    check_all(stack, ledger)


def latency(stack, tenant, first):
    """Seconds from a POST to its message in the chat: the median of nine calls."""
    taken = []
    for number in range(first, first + 9):
        shown = len(stack.messages(tenant["chat_id"]))
        event, _delay, body = corpus.Instance("1-8", SIMPLE_CALL, tenant["name2"], number).events[0]
        began = time.monotonic()
        assert stack.post(event, body).status_code == 200
        wait_until(lambda: len(stack.messages(tenant["chat_id"])) > shown, 20, "the message", interval=0.003)
        taken.append(time.monotonic() - began)
    return statistics.median(taken)


def redis_story(stack, seconds):
    """Without Redis nothing is lost; when it is back, so is the latency."""
    watched = stack.enterprise("RW", chat_id=-825_000)
    tenants = [stack.enterprise(f"R{index}", chat_id=-820_000 - index) for index in range(2)]
    stack.start_all()
    stack.no_limits()
    before = latency(stack, watched, 90_000)
    with load.Load(stack, tenants, pause=0.05) as ledger:
        wait_until(lambda: ledger.acknowledged > 50, 30, "the load runs")
        stack.redis.halt()
        outlast(seconds, ledger)
        stack.redis.resume()
    assert (ledger.refused, ledger.broken) == (0, 0)
    check_all(stack, ledger)
    # Looking by itself the dispatcher would need an eighth of a second on average. Both services
    # come back to Redis after at most five seconds of backoff.
    firsts = itertools.count(91_000, 9)
    bound = max(0.1, 3 * before)
    wait_until(lambda: latency(stack, watched, next(firsts)) < bound, 30,
               f"a message within {bound:.3f} s of its event ({before:.3f} s before the outage)")


FAULTS = {
    "429": {"status": 429, "retry_after": 3},
    "500": {"status": 500},
    "silence": {"delay_ms": 60_000, "drop": True},
}


def telegram_story(stack, seconds):
    """Three tenants, three ways for Telegram to be away, at the same time."""
    tenants = {kind: stack.enterprise(f"T{kind}", chat_id=-830_000 - index)
               for index, kind in enumerate(FAULTS)}
    stack.start_all()
    stack.no_limits()
    for kind, tenant in tenants.items():
        stack.sandbox("faults", service="telegram", chat_id=tenant["chat_id"], times=-1, **FAULTS[kind])
    with load.Load(stack, list(tenants.values()), pause=0.1) as ledger:
        outlast(seconds, ledger)
        stack.clear_faults()
    assert (ledger.refused, ledger.broken) == (0, 0)
    unknown = check_all(stack, ledger)
    silent = sum(call.tenant is tenants["silence"] for call in ledger.calls)
    assert unknown <= silent, "only a send that nobody answered has an unknown outcome"


STORIES = {
    "postgresql": (database_story, OUTAGE_SECONDS, {}),
    "redis": (redis_story, OUTAGE_SECONDS / 3, {}),
    "telegram": (telegram_story, OUTAGE_SECONDS, {"CALLWEAVE_DISPATCHER_SEND_TIMEOUT_MS": "3000"}),
}


@pytest.fixture(scope="module")
def outcomes(module_stack):
    """The outages last minutes and do little: all at once, each with a stack of its own."""
    stacks = {name: module_stack(("sandbox", "ingest", "dispatcher"), own_postgres=name == "postgresql",
                                 settings={**UNLIMITED, **settings})
              for name, (_story, _seconds, settings) in STORIES.items()}
    found = {}

    def tell(name):
        story, seconds, _settings = STORIES[name]
        try:
            story(stacks[name], seconds)
            stacks[name].assert_healthy()
        except BaseException as error:  # noqa: BLE001 - raised again by the test of that name
            found[name] = error

    threads = [threading.Thread(target=tell, args=(name,)) for name in STORIES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.parametrize("name", STORIES)
def test_an_outage_loses_nothing(outcomes, name):
    if name in outcomes:
        raise outcomes[name]
