"""The ledger: processes die at random under load, and nothing that was acknowledged is lost."""
import random
import time

import pytest

import load
from stack import UNLIMITED
from storm import kill, revive
from waiting import wait_until

TARGETS = ("ingest", "dispatcher", "postgresql", "redis")


def storm(stack, ledger, kills, rng):
    """Kill, revive, and most times see the load go on before the next kill; how often each died."""
    counts = dict.fromkeys(TARGETS, 0)
    for _ in range(kills):
        target = rng.choice(TARGETS)
        kill(stack, target)
        counts[target] += 1
        time.sleep(rng.uniform(0, 0.3))  # how long it stays dead: part of the storm, not a wait
        revive(stack, target)
        if rng.random() < 0.7:
            goal = ledger.acknowledged + rng.randrange(1, 40)
            wait_until(lambda: ledger.acknowledged >= goal or ledger.problems, 60,
                       lambda: f"events are taken again after the death of {target}:\n"
                       + stack.services["ingest"].tail())
    return counts


@pytest.mark.long
def test_no_acknowledged_event_is_lost_and_no_call_is_told_twice(make_stack, request):
    seed = request.config.getoption("--seed") or random.SystemRandom().randrange(10**6)
    kills = request.config.getoption("--kills")
    print(f"seed {seed}, {kills} kills")
    stack = make_stack(("sandbox", "ingest", "dispatcher"), own_postgres=True, settings={**UNLIMITED, "CALLWEAVE_DISPATCHER_LEASE_MS": "1000"})
    # A chat takes one message a second in the long run: enough chats for a thousand kills.
    tenants = [stack.enterprise(f"L{index}", chat_id=-800_000 - index) for index in range(64)]
    stack.start_all()
    stack.no_limits()
    with load.Load(stack, tenants, pause=0.05, seed=seed, clients=8) as ledger:
        counts = storm(stack, ledger, kills, random.Random(seed))
    for name in ("ingest", "dispatcher"):
        stack.services[name].wait_ready(60)
    # What was acknowledged by the journal is in the table once ingest has PostgreSQL again.
    ingest = stack.services["ingest"]
    wait_until(lambda: ingest.metric("callweave_journal_records") == 0, 60, "the journal is replayed")
    stack.wait_quiet(120)

    assert all(call.finished for call in ledger.calls)
    load.check_log(stack, ledger.calls)
    load.check_calls(stack, ledger.calls)
    unknown = load.check_messages(stack, ledger.calls)
    print(f"{len(ledger.calls)} calls, {ledger.acknowledged} events acknowledged, {ledger.broken} connections lost, "
          f"{ledger.refused} refused; killed {counts}; {unknown} sends of unknown outcome")
    stack.assert_healthy()
