"""A host that floods, sends what cannot be, or puts ten thousand legs into a call: only its own enterprise has to do with it."""
import random
import threading

import pytest

import corpus
from stack import UNLIMITED
from waiting import wait_until

TYPES = ("start", "dial", "bridge", "hangup", "bridge_create", "bridge_leave", "bridge_destroy", "new_callerid")
NUMBERS = ("150", "151", "152", "375290000001", "375290000002", "0001363", "", "<unknown>", "9" * 60, "💥", "0001")


@pytest.fixture
def house(make_stack):
    stack = make_stack(services=("sandbox", "ingest", "dispatcher"), settings=UNLIMITED).start_all()
    stack.no_limits()
    stack.bad = stack.enterprise("0666", name2="token-bad")
    stack.good = stack.enterprise("0367", name2="token-good")
    return stack


def impossible(rng):
    """An event whose fields have nothing to do with each other, nor with anything before."""
    pick = lambda: rng.choice(NUMBERS)  # noqa: E731
    return rng.choice(TYPES), {
        "Token": "token-bad", "UniqueId": rng.choice(("", f"17{rng.randrange(10**8):08}.{rng.randrange(50)}", "x" * 200)),
        "Phone": pick(), "CallType": rng.choice((0, 1, 2, -7, 99)), "Trunk": pick(), "Extensions": [pick() for _ in range(rng.randrange(9))],
        "BridgeUniqueid": f"bridge-{rng.randrange(20)}", "Channel": f"SIP/{pick()}-{rng.randrange(100):08x};{rng.randrange(3)}",
        "Exten": pick(), "CallerIDNum": pick(), "ConnectedLineNum": pick(), "BridgeNumChannels": str(rng.randrange(-3, 9)),
        "CallStatus": rng.choice(("0", "2", "77")), "StartTime": "2026-02-28 25:61:61", "EndTime": "1999-01-01 00:00:00"}


class Flood:
    """Sends as fast as it is answered, until told to stop."""

    def __init__(self, house, make, threads=4):
        self.sent = 0
        self.refused = 0
        self._house, self._make, self._stop = house, make, threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(seed,)) for seed in range(threads)]

    def _run(self, seed):
        rng = random.Random(seed)
        while not self._stop.is_set():
            event, body = self._make(rng)
            answer = self._house.post(event, body)
            self.sent += 1
            self.refused += answer.status_code != 200

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()


def one_good_call(house, number):
    """A recorded call of the good enterprise, sent beside the flood: told as if nothing were."""
    instance = corpus.Instance("2-18/raw", corpus.scenarios()["2-18/raw"], "token-good", number)
    instance.send(house.post, 0.02)
    wanted = instance.expects(corpus.expected()["2-18/raw"])["calls"]
    ids = {body["UniqueId"] for _, _, body in instance.events if body.get("UniqueId")}

    def reports():
        return [call for call in house.calls("0367") if ids & set(call["unique_ids"])]
    wait_until(lambda: [call["state"] for call in reports()] == ["ended"], 60, lambda: str(reports()))
    assert corpus.differences(wanted[0], reports()[0]) == []

    def finals():
        return [message for message in house.messages(house.good["chat_id"]) if message["text"].startswith("✅")]
    wait_until(lambda: len(finals()) == number, 60, lambda: str(house.messages(house.good["chat_id"])))


def test_a_flood_of_nonsense_is_bounded_and_nobody_else_feels_it(house):
    with Flood(house, impossible) as flood:
        one_good_call(house, 1)
        one_good_call(house, 2)
        wait_until(lambda: flood.sent > 4000, 120, lambda: f"{flood.sent} sent")
    house.wait_quiet(120)
    one_good_call(house, 3)
    house.assert_healthy()
    assert house.services["dispatcher"].metric("callweave_open_calls") <= 20_000
    stored = house.sql("SELECT count(*) FROM call_events WHERE enterprise_number = '0666'")[0]["count"]
    assert stored == flood.sent - flood.refused, "what was taken is kept, nonsense or not"


def test_ten_thousand_legs_in_a_call(house):
    """Beyond its bound a call takes no more in; that is said with the reason, and others go on."""
    primary = "1757840000.1"
    house.post("start", {"Token": "token-bad", "UniqueId": primary, "Phone": "375290000001", "CallType": 0, "Trunk": "0001363"})

    def leg(rng):
        number = rng.randrange(10**6)
        return "bridge", {"Token": "token-bad", "UniqueId": f"1757840001.{number}", "BridgeUniqueid": "one bridge for all",
                          "Channel": f"SIP/{number % 900 + 100}-{number:08x}", "CallerIDNum": str(number % 900 + 100),
                          "ConnectedLineNum": "375290000001", "Exten": ""}
    with Flood(house, leg) as flood:
        one_good_call(house, 1)
        wait_until(lambda: flood.sent > 10_000, 300, lambda: f"{flood.sent} sent")
    house.wait_quiet(120)
    one_good_call(house, 2)
    house.assert_healthy()
    row = house.sql("SELECT max(cardinality(unique_ids)) AS ids, max(cardinality(rang)) AS rang, max(cardinality(talkers)) AS talkers,"
                    " max(pg_column_size(trace)) AS trace FROM calls WHERE enterprise_id = '0666'")[0]
    assert row["ids"] <= 64 and row["rang"] <= 64 and row["talkers"] <= 64 and row["trace"] < 65536, row
    state = house.sql("SELECT coalesce(max(length(state)), 0) AS bytes FROM fold_calls WHERE enterprise_id = '0666'")[0]
    assert state["bytes"] < 1 << 20, "the memory of one call is bounded"
    log = house.services["dispatcher"].log.read_text()
    assert '"level":"warn"' in log and "0666" in log, "a warning that names the enterprise"
