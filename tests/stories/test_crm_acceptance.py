"""The checks of acceptance for CRMs, from the PBX's event to what each CRM shows: ingest or 8020, dispatcher,
integration-cache, four adapters and the sandbox, all real. A story is named by the number of its check.

Where a check is proved elsewhere, too, or in part:

| check | also |
|---|---|
| 1 | test_crm_vectors.py; member by member: tests/unit/crm/test_crm_raw.c |
| 3 | test_crm_day.py: a day of it, with processes killed at random |
| 4 | test_crm_delivery_whole.py: RetailCRM and U-ON, within their limits; here MoySklad and Bitrix24, over them |
| 7 | test_integration_cache.py (a change in SQL), test_integration_cache_layers.py (without a database): not repeated here |
| 8 | test_integration_cache_layers.py: whose adapter is asked |
| 12 | every stack is scanned when it closes; test_secret_scan.py: that the scan can see |
| 13 | test_crm_adapter_hooks.py, test_crm_adapter_knows.py: more ways to be wrong |
"""
import concurrent.futures
import json
import time
from datetime import datetime, timedelta, timezone

import corpus
import pytest
import recovery_files as files
import requests

from crm_firm import CARDS, CODES, Firm, digits, last_id, log_of, mirrored, of, person, plain, popups
from phone_calls import Incoming
from stack import INTERNAL_SECRET, UNLIMITED
from waiting import wait_until

PHONE = "375291112233"
MINSK = timezone(timedelta(hours=3))
SERVICES = ("sandbox", "ingest", "dispatcher", "integration-cache", *CODES, "pbx-api")


@pytest.fixture(scope="module")
def stack(module_stack):
    stack = module_stack(SERVICES, settings={**UNLIMITED, "CALLWEAVE_CRM_MIRROR_SECONDS": "86400",
                                             "CALLWEAVE_CRM_HOOK_URL": "https://hooks.example",
                                             "CALLWEAVE_INTEGRATION_CACHE_LEASE_MS": "1500"}).start_all()
    stack.sandbox("limits", crm="all", enabled=False)
    return stack


@pytest.fixture(scope="module")
def june(stack):
    return Firm(stack, "7001")


# -- two ----------------------------------------------------------------------------------------------------

def test_two_enterprises_with_the_same_unique_id_both_have_their_call(stack, june):
    other = Firm(stack, "7002")
    uid = f"{int(time.time())}.4711"
    for firm, phone, who in ((june, "375291110021", "150"), (other, "375291110022", "151")):
        call = firm.incoming(phone, ("150", "151"), who)
        call.uid = uid
        call.answered()
    for firm, phone, who in ((june, "375291110021", "150"), (other, "375291110022", "151")):
        for program, call in of(firm.told(), uid).items():
            assert (call["entries"], digits(call), person(call)) == (1, phone, who), f"{program}: {call}"


# -- three ----------------------------------------------------------------------------------------------------

STEPS = {  # of a call, in order: what stands in the path, and in the body
    "retailcrm": (("call/event", ""), ("call/event", "hangup"), ("calls/upload", "")),
    "uon": (("notification/create", ""), ("call_history/create", "")),
    "moysklad": (("phone/1.0/call", "startTime"), ("/event", "SHOW"), ("/event", "STARTTIME"), ("/event", "HIDE"),
                 ("/extid/", "endTime")),
    "bitrix24": (("register", ""), ("externalcall.show", ""), ("externalcall.hide", ""), ("externalcall.finish", "")),
}


def order(rows, program, marks):
    """How far each accepted request of the log took a call, in the order of arrival; a call is known by some marks."""
    found = []
    for row in rows:
        path, body = row["path"].lower(), json.dumps(row["request"])
        if row["service"] != program or (row["status"] or 500) >= 300 or not any(mark in plain(path + body) for mark in marks):
            continue
        found += [rank for rank, (place, word) in enumerate(STEPS[program])
                  if place in path and word in body][-1:]
    return found


def test_three_a_crm_that_was_down_gets_all_in_order_and_once_also_over_kills(stack):
    firm = Firm(stack, "7003")
    calls = [firm.incoming(f"3752911130{number:02}", ("150", "151"), "151") for number in range(6)]
    rung, whole, late = calls[:2], calls[2:4], calls[4:]
    since = last_id(stack)
    for call in rung:
        call.start().dial()
    firm.told()
    for program, how in {"retailcrm": {"status": 503}, "uon": {"status": 502}, "moysklad": {"status": 500},
                         "bitrix24": {"drop": "before"}}.items():
        stack.sandbox("faults", service=program, times=-1, **how)
    try:
        for call in rung:
            call.talk()
        for call in whole:
            call.start().dial().talk()
        down(stack, firm)
        stack.kill9("integration-cache")
        for call in rung + whole:
            call.hangup()
        for program in ("retailcrm", "bitrix24"):
            stack.kill9(program)
        stack.start("integration-cache")
        for call in late:
            call.start().dial().talk()
        for program in ("bitrix24", "retailcrm"):
            stack.start(program)
        down(stack, firm, each=False)
    finally:
        stack.clear_faults()
    for call in late:
        call.hangup()
    shown = firm.told(60)
    rows = log_of(stack, since)
    for call in calls:
        for program, entry in of(shown, call.uid).items():
            assert (entry["entries"], digits(entry), person(entry)) == (1, call.phone, "151"), f"{program}: {entry}"
            assert all(popups(entry).values()), f"{program}: a card is still open: {entry}"
            marks = [call.uid, call.phone, plain(entry.get("call_id", call.uid))]
            ranks = order(rows, program, marks)
            assert ranks == sorted(ranks) and ranks[-1] == len(STEPS[program]) - 1, f"{program}: {ranks}"
            if call in rung:
                assert ranks[0] == 0, f"{program}: it rang before the outage: {ranks}"


def down(stack, firm, each=True):
    """Until each CRM has failed once more, or one of them."""
    def failures():
        rows = stack.sql("SELECT integration_type AS crm, count(*) AS n FROM integration_logs WHERE status = 'error'"
                         " AND enterprise_number = %s GROUP BY 1", [firm.number])
        return {row["crm"]: row["n"] for row in rows}
    before = failures()
    wait_until(lambda: (all if each else any)(failures().get(code, 0) > before.get(code, 0) for code in CODES.values()), 30,
               lambda: f"CRMs have failed: {before} {failures()}")


# -- four -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("program, limit", [
    ("moysklad", {"limit": "phone", "per_window": 10, "window_ms": 1000}),
    ("bitrix24", {"limit": "api", "per_second": 12, "burst": 6}),
])
def test_four_a_crm_that_takes_less_than_it_says_loses_nothing(stack, program, limit):
    """429 with the vendor's Retry-After, and 503 QUERY_LIMIT_EXCEEDED: the rate falls, and everything arrives."""
    firm, calls = Firm(stack, {"moysklad": "7004", "bitrix24": "7005"}[program]), []
    since = last_id(stack)
    stack.sandbox("limits", crm=program, enabled=True, **limit)
    try:
        for number in range(8):
            calls.append(firm.incoming(f"3752911140{number:02}", ("150", "151"), "151").answered())
        shown = firm.told(60)
    finally:
        stack.sandbox("limits", crm=program, enabled=False)
    for call in calls:
        entry = of(shown, call.uid)[program]
        assert (entry["entries"], person(entry)) == (1, "151"), entry
    ours = [row["status"] for row in log_of(stack, since) if row["service"] == program]
    refused = [status for status in ours if status in (429, 503)]
    assert 0 < len(refused) <= len(ours) / 3, f"{len(refused)} refusals of {len(ours)} requests"


# -- five, six ------------------------------------------------------------------------------------------------

def test_five_a_duplicate_while_the_first_is_in_flight_is_one_request(stack, june):
    raw = {"CallType": 0, "Phone": PHONE, "Extensions": ["150"], "CallStatus": "2", "StartTime": "2026-11-21 11:00:00"}
    uid, since = "1795650000.1", last_id(stack)
    for program in CODES:
        stack.sandbox("faults", service=program, delay_ms=1500, times=1)
    assert june.dispatch(uid, "hangup", raw).json() == {"success": True, "queued": 4}
    in_flight = wait_until(lambda: [row for row in log_of(stack, since) if row["status"] is None], 10, "it is under way")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [answer.json() for answer in pool.map(lambda _: june.dispatch(uid, "hangup", raw), range(16))]
    assert answers == [{"status": "ignored", "reason": "duplicate"}] * 16
    now = {row["id"]: row["status"] for row in log_of(stack, since)}
    assert any(now[row["id"]] is None for row in in_flight), "nothing was in flight: the story proves nothing"
    of(june.told(), uid)
    for program, calls in june.told().items():
        assert [call["entries"] for call in calls if call["external_id"].endswith(uid)] == [1], program
        tells = [row["path"] for row in log_of(stack, since) if row["service"] == program and row["method"] != "GET"]
        assert len(tells) == len(set(tells)), f"{program}: {tells}"


def test_six_a_live_hangup_without_a_dial_is_an_entry_without_a_popup(june):
    call = june.incoming("375291110061", ("150", "151"), "151")
    call.hangup()
    for program, entry in of(june.told(), call.uid).items():
        assert (entry["entries"], entry["popups"]) == (1, []), f"{program}: {entry}"
        assert (entry["direction"], digits(entry)) == ("in", call.phone), f"{program}: {entry}"
    assert [note for note in june.cards("uon", "notifications") if call.phone in plain(note["text"])] == []


def test_six_what_was_downloaded_is_for_the_journal_only(stack, june):
    raw = {"CallType": 0, "Phone": "375291110062", "Extensions": ["150"], "CallStatus": "0",
           "StartTime": "2026-11-21 09:00:00", "EndTime": "2026-11-21 09:00:30"}
    uid, since = "1795660000.2", last_id(stack)
    assert june.dispatch(uid, "dial", raw, origin="download").json()["success"] is True
    assert june.dispatch(uid, "hangup", raw, origin="download").json() == {"success": True, "queued": 4}
    for program, entry in of(june.told(), uid).items():
        assert (entry["entries"], entry["popups"]) == (1, []), f"{program}: {entry}"
    paths = " ".join(row["path"] for row in log_of(stack, since)).lower()
    assert not [word for word in ("call/event", "notification", "reminder", "lead/create", "user/create", ".show")
                if word in paths], paths


# -- eight, nine, ten -----------------------------------------------------------------------------------------

def known_as(stack, name):
    return [{"id": "815", "first_name": "Known", "last_name": name, "phones": [f"+{PHONE}"], "manager_id": "17"},
            {"id": "816", "first_name": "Only", "last_name": name, "phones": [f"+3752911180{name[0]}0"], "manager_id": "17"}]


def test_eight_a_look_up_never_uses_the_key_of_another(stack):
    one, other = (Firm(stack, number, customers=known_as(stack, name)) for number, name in (("7008", "1one"), ("7009", "2other")))
    stack.enterprise("7010", name2="375290007010", bot_token=None)  # without a CRM: an error, and not somebody else's

    def asked(program, number, phone=PHONE):
        return requests.get(f"{stack.url(program)}/internal/{CODES[program]}/customer-name", timeout=10,
                            headers={"X-Callweave-Secret": INTERNAL_SECRET}, params={"enterprise_number": number, "phone": phone})

    def name_of(number, phone=PHONE):
        return stack.session().get(f"{stack.url('integration-cache')}/customer-name/{number}/{phone}", timeout=5).json()["name"]
    wait_until(lambda: asked("uon", "7010").status_code == 404, 10, "an enterprise without it has no U-ON")
    for firm, stranger, name in ((one, other, "1one"), (other, one, "2other")):
        wait_until(lambda: name_of(firm.number) and name in name_of(firm.number), 10, f"8020 has learned {name}")
        mirrored(stack)
        before = stranger.requests()
        for program in CODES:
            assert name in asked(program, firm.number).json()["name"], program
            nobody = asked(program, firm.number, f"3752911180{'2' if firm is one else '1'}0")
            assert (nobody.status_code, nobody.json()["name"]) == (200, None), f"{program}: only the other one knows him"
            assert asked(program, "7010").status_code == 404, program
        assert stranger.requests() == before, "with the keys of the other nothing was asked"


def test_nine_an_internal_call_is_no_request(stack, june):
    internal = corpus.Instance("3-1/emulator", corpus.scenarios()["3-1/emulator"], june.row["name2"], 700109)
    mirrored(stack)
    since, before = last_id(stack), len(june.calls("moysklad"))
    for event, _delay, body in internal.events:
        june.add(event, body)
    stack.wait_quiet()
    june.told()
    assert stack.sql("SELECT 1 FROM calls WHERE enterprise_id = '7001' AND direction = 'internal'"), "it was a call"
    assert log_of(stack, since) == []
    call = june.incoming("375291110091").answered()  # and what comes after it is told
    of(june.told(), call.uid)
    assert len(june.calls("moysklad")) == before + 1


def test_ten_of_two_phones_the_one_that_answered_is_shown(june):
    call = june.incoming("375291110101", ("150", "151"), "151").start().dial()
    for program in CARDS:
        assert popups(of(june.told(), call.uid, CARDS)[program]) == {"150": False, "151": False}, program
    notices = [note["manager_id"] for note in june.cards("uon", "notifications") if call.phone in plain(note["text"])]
    assert sorted(notices) == ["16", "17"], "U-ON's messages cannot be taken back"
    call.talk()
    for program in CARDS:
        assert popups(of(june.told(), call.uid, CARDS)[program]) == {"150": True, "151": False}, program
    call.hangup()
    for program, entry in of(june.told(), call.uid).items():
        assert (entry["entries"], entry["user"], entry["extension"]) == (1, "17", "151"), f"{program}: {entry}"
        assert all(popups(entry).values()), program


# -- eleven ---------------------------------------------------------------------------------------------------

class Notes:
    """What a host keeps of a call of yesterday, 20 seconds from event to event."""

    def __init__(self, start):
        self.at, self.rows = start, []

    def add(self, event, body):
        moment = self.at + timedelta(seconds=20 * len(self.rows))
        if event == "hangup":
            body = {**body, "StartTime": f"{self.at:%F %T}", "EndTime": f"{moment:%F %T}"}
        self.rows.append((event, f"{moment:%F %T}", body))


def test_eleven_a_recovered_call_of_yesterday_has_its_own_times_and_no_popup(stack):
    firm, rows, calls = Firm(stack, "7011"), [], []
    start = (datetime.now(MINSK) - timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)
    for number, (phone, answered) in enumerate((("375291110111", True), ("375291110112", False))):
        notes = Notes(start + timedelta(minutes=10 * number))
        call = Incoming(notes, phone, rang=("150", "151"))
        call.uid = f"{int(notes.at.timestamp())}.{number}"
        call.answered() if answered else call.missed()
        rows += [(event, when, {**body, "Token": firm.row["name2"]}) for event, when, body in notes.rows]
        calls.append((call, notes.at, 20 if answered else 0))  # from the second channel in the bridge to the hangup
    answer = files.upload(stack, files.packed(files.lines(rows)), firm.row["name2"], firm.secret)
    assert answer.json()["new"] == len(rows), answer.text
    wait_until(lambda: len(firm.calls("moysklad")) == 2, 30, "both are told")
    shown = firm.told()
    for call, at, talk in calls:
        for program, entry in of(shown, call.uid).items():
            assert (entry["entries"], entry["popups"], entry["duration"] or 0) == (1, [], talk), f"{program}: {entry}"
            assert entry["started"].replace("T", " ").startswith(f"{at:%F %T}"), f"{program}: {entry}"
            assert person(entry) == "151" if talk else entry["user"] in ("", "1", "16"), f"{program}: {entry}"
    for kind in ("notifications", "reminders", "leads"):
        assert firm.cards("uon", kind) == [], kind
    assert "event" not in str([told["what"] for call in shown["retailcrm"] for told in call["told"]])


# -- thirteen, twelve -----------------------------------------------------------------------------------------

def test_thirteen_whoever_does_not_prove_himself_is_refused_and_nothing_happens(stack):
    firm = Firm(stack, "7013")
    registered = requests.post(f"{stack.url('retailcrm')}/internal/retailcrm/register", timeout=20, json={"enterprise_number": "7013"},
                               headers={"X-Callweave-Secret": INTERNAL_SECRET})
    assert registered.status_code == 200, registered.text
    hooks = {"retailcrm": "/retailcrm/make-call", "uon": f"/uon/webhook/hook-{firm.uuid}", "moysklad": f"/ms/webhook/ms-{firm.uuid}",
             "bitrix24": f"/api/bitrix24-crm/b24-{firm.uuid}"}
    click = {"phone": f"+{PHONE}", "user": "16"}

    mirrored(stack)

    def done():
        return (firm.requests(),
                stack.sql("SELECT count(*) FROM click_calls"), stack.sql("SELECT * FROM customers WHERE enterprise_number = '7013'"),
                stack.sql("SELECT tokens->>'application_token', tokens->>'refresh_token' FROM crm_oauth WHERE enterprise_number = '7013'"))
    before = done()
    answers = {program: firm.click(program, path, forged=True, **click) for program, path in hooks.items() if program != "uon"}
    answers["uon"] = firm.click("uon", f"/uon/webhook/hook-{firm.uuid[::-1]}", **click)  # its secret is in the address
    answers["a client of U-ON"] = firm.click("uon", "/uon/webhook", event="4", id="815")
    answers["another address of MoySklad"] = firm.click("moysklad", "/ms/webhook/ms-%25", **click)
    answers["an installation"] = firm.click("bitrix24", f"/24/install/b24-{firm.uuid}", event="ONAPPINSTALL", forged=True)
    assert {name: answer["status"] for name, answer in answers.items() if answer["status"] not in (401, 403)} == {}, answers
    assert done() == before
    stack.sql("INSERT INTO user_internal_phones (enterprise_number, phone_number) VALUES ('7013', '150')")
    for number, (program, path) in enumerate(hooks.items()):  # the genuine ones come as far as a PBX would
        wait_until(lambda: "не настроен" in firm.click(program, path, phone=f"+37529111013{number}", user="16")["body"], 10,
                   f"a genuine click in {program} ends at pbx-api, which has no PBX here")


def test_twelve_no_key_is_in_a_log_or_in_the_journal(stack, june):
    """Each stack is scanned when it closes; here: that there was something to scan, and what for."""
    rows = stack.sql("SELECT integration_type AS crm, count(*) AS n FROM integration_logs WHERE request_data IS NOT NULL GROUP BY 1")
    assert {row["crm"] for row in rows if row["n"] > 5} >= set(CODES.values()), rows
    for program in CODES:
        assert stack.services[program].log in stack.logs() and stack.services[program].text(), program
    assert stack.secrets.in_logs(stack.logs()) + stack.secrets.in_tables(stack.sql) + stack.secrets.in_answers() == []
    assert set(stack.secrets.secrets) >= {june.secret, *june.keys.values(), INTERNAL_SECRET}
    jwt = stack.sql("SELECT count(*) AS n FROM integration_logs l WHERE l::text LIKE %s", ["%eyJ%"])
    assert jwt[0]["n"] == 0, "a JWT"
