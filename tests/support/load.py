"""Load that keeps a ledger: clients that send calls and note each event that was acknowledged."""
import itertools
import random
import re
import threading
import time

import requests

import corpus


class Call:
    """One call on its way: its events are sent in order, each until it is acknowledged."""

    def __init__(self, number, scenario, events, tenant):
        self.instance = corpus.Instance(scenario, events, tenant["name2"], number)
        self.scenario = scenario
        self.tenant = tenant
        self.number = number
        self.acknowledged = 0
        self.events = [(event, {**body, "LedgerCall": str(number), "LedgerSeq": str(index)})
                       for index, (event, _delay, body) in enumerate(self.instance.events)]

    @property
    def finished(self):
        return self.acknowledged == len(self.events)


class Load:
    """Clients that play simple calls, one after another, until stop().

    Each client has tenants of its own and takes them in turn, so that a tenant has one call at a time.

    `refused` counts answers other than 200, `broken` lost connections; an event is repeated under
    its Idempotency-Key after either, as a careful host would. An answer 4xx ends the thread: it
    would be our mistake, or theirs.
    """

    SCENARIOS = ("1-1/emulator", "1-8/emulator", "1-9/emulator", "2-1/emulator", "2-2/emulator",
                 "2-12/emulator")
    PATIENCE = 90  # seconds for one event

    def __init__(self, stack, tenants, pause=0.03, seed=0, clients=None):
        self.stack = stack
        self.url = stack.url("ingest")
        self.tenants = tenants
        self.pause = pause
        self.seed = seed
        self.scenarios = corpus.scenarios()
        self.calls = []
        self.refused = self.broken = self.acknowledged = 0
        self.slowest = 0.0
        self.problems = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._clients = clients or len(tenants)
        self._threads = [threading.Thread(target=self._client, args=(index,), daemon=True)
                         for index in range(self._clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind, value, trace):
        self.stop()

    def stop(self):
        """Let every client finish its call."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(self.PATIENCE + 30)
        assert not self.problems, self.problems

    def _new_call(self, rng, tenant):
        with self._lock:
            number = next(self._numbers)
        name = rng.choice(self.SCENARIOS)
        call = Call(number, name, self.scenarios[name], tenant)
        with self._lock:
            self.calls.append(call)
        return call

    def _client(self, index):
        rng = random.Random(f"{self.seed}/{index}")
        session = requests.Session()
        tenants = itertools.cycle(self.tenants[index::self._clients])
        try:
            while not self._stopping.is_set():
                call = self._new_call(rng, next(tenants))
                for step in range(len(call.events)):
                    self._deliver(session, call, step)
                    time.sleep(rng.uniform(0, 2 * self.pause))  # the pace of the load, not a wait
        except Exception as error:  # noqa: BLE001 - shown by stop()
            self.problems.append(repr(error))

    def _deliver(self, session, call, step):
        event, body = call.events[step]
        deadline = time.monotonic() + self.PATIENCE
        while not self._try(session, f"{self.url}/{event}", body, f"{call.number}-{step}"):
            if time.monotonic() > deadline:
                raise AssertionError(f"call {call.number}, event {step}: not taken for {self.PATIENCE} s")
            time.sleep(0.05)
        call.acknowledged += 1
        with self._lock:
            self.acknowledged += 1

    def _try(self, session, url, body, key):
        began = time.monotonic()
        try:
            answer = session.post(url, json=body, headers={"Idempotency-Key": key}, timeout=20)
        except requests.RequestException:
            with self._lock:
                self.broken += 1
            return False
        self.slowest = max(self.slowest, time.monotonic() - began)
        if answer.status_code == 200:
            return True
        if answer.status_code < 500:
            raise AssertionError(f"{url}: {answer.status_code} {answer.text}")
        with self._lock:
            self.refused += 1
        return False


# -- the ledger against what was kept ----------------------------------------------------------------

def check_log(stack, calls):
    """Every acknowledged event stands in the log once, in the order in which its tenant sent them."""
    rows = stack.sql("""
        SELECT enterprise_number AS tenant, array_agg(raw_data->>'LedgerCall' || '-' || (raw_data->>'LedgerSeq')
            ORDER BY tx, id) AS steps
        FROM call_events WHERE raw_data ? 'LedgerCall' GROUP BY 1""")
    stored = {row["tenant"]: row["steps"] for row in rows}
    sent = {}
    for call in calls:
        sent.setdefault(call.tenant["number"], []).extend(
            f"{call.number}-{step}" for step in range(call.acknowledged))
    for tenant, steps in sent.items():
        found = stored.get(tenant, [])
        assert not set(steps) - set(found), f"{tenant}: acknowledged, but not stored: {set(steps) - set(found)}"
        twice = {step for step in found if found.count(step) > 1} if len(found) > len(set(found)) else None
        assert not twice, f"{tenant}: stored twice: {twice}"
        first = next((pair for pair in zip(steps, found) if pair[0] != pair[1]), None)
        assert found == steps, f"{tenant}: sent and stored in another order, first {first}"


def check_calls(stack, calls):
    """Each finished call is one row with exactly the expected values: so it was folded in order."""
    expected = corpus.expected()
    reports = {}
    for report in stack.sql("SELECT * FROM call_report"):
        for unique_id in report["unique_ids"]:
            reports.setdefault((report["enterprise"], unique_id), []).append(report)
    wrong = []
    for call in calls:
        wanted = call.instance.expects(expected[call.scenario])["calls"][0]
        ids = {body["UniqueId"] for _event, body in call.events if body["UniqueId"]}
        found = {report["call_id"]: report for one in ids
                 for report in reports.get((call.tenant["number"], one), [])}
        if len(found) != 1:
            wrong.append((call.number, call.scenario, f"{len(found)} rows"))
            continue
        report = next(iter(found.values()))
        differences = corpus.differences(wanted, report)
        if differences or report["state"] != "ended":
            wrong.append((call.number, call.scenario, report["state"], differences, why(stack, report)))
    assert not wrong, f"{wrong[:10]} ({len(wrong)} in all)"


def why(stack, report):
    """The fold's own words on a call."""
    return stack.sql("SELECT trace FROM calls WHERE id = %s", [report["call_id"]])[0]["trace"]


def check_messages(stack, calls):
    """One message a call and chat, final; one more only for each send that is counted as unknown.

    After three unknown sends a person has to look (ADR 0005): only then may the final state be missing.
    """
    expected = corpus.expected()
    texts = {}
    for tenant in {call.tenant["number"]: call.tenant for call in calls}.values():
        for message in stack.messages(tenant["chat_id"]):
            for phone in phones(message["text"]):
                texts.setdefault(phone, []).append(message["text"])
    unknown = {row["phone"]: row["unknown_sends"] for row in stack.sql("""
        SELECT c.phone_number AS phone, sum(m.unknown_sends)::int AS unknown_sends
        FROM telegram_messages m JOIN calls c ON c.id = m.call_id GROUP BY 1""")}
    wrong = []
    for call in calls:
        wanted = call.instance.expects(expected[call.scenario])["calls"][0]
        phone = wanted["external"]
        icon = "✅" if wanted["answered"] else "❌"
        shown = texts.get(phone, [])
        final = sum(text.startswith(icon) for text in shown)
        lost = unknown.get(phone, 0)
        if lost < 3 and not final or len(shown) > 1 + lost:
            wrong.append((call.number, call.scenario, phone, shown, unknown.get(phone)))
    assert not wrong, f"{wrong[:10]} ({len(wrong)} in all)"
    return sum(unknown.values())


def phones(text):
    """The Belarusian mobile numbers that a message shows, as +375..."""
    return {"+" + re.sub(r"\D", "", found) for found in re.findall(r"\+375 ?\(?29\)?[ \d-]{7,12}", text)}
