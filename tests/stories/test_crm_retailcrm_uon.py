"""RetailCRM and U-ON: whole calls through their adapters, as the CRMs' own users would see them."""
import json

import pytest
import requests

from crm_adapter import ask, deliver, enterprise
from waiting import wait_until

RETAIL, UON = "k9DfW3eXampleKeyOfRetailCrm77", "Uk7ExampleKey0fUon93x"
CLIENT_ID, HOOK_SECRET = "c1ient-8f3a2b7d5e6049c1", "whs-5b1f0e7c2d9a4436"
USERS = [{"id": "16", "name": "Анна Ковалёва", "code": "150"}, {"id": "17", "name": "Игорь Савицкий", "code": "151"}]
CUSTOMER = {"id": "815", "first_name": "Пётр", "last_name": "Ильин <b>", "phones": ["+375291112233"], "manager_id": "17"}
RING = {"rang": ["150", "151", "152"], "ringing": ["150", "151", "152"], "talkers": [], "extension": "", "result": "open",
        "answered_at": 0, "ended_at": 0, "wait_seconds": -1, "talk_seconds": -1}
ANSWERED = {"result": "open", "ended_at": 0, "talk_seconds": -1}
MISSED = {"result": "no_answer", "talkers": [], "extension": "", "answered_at": 0, "talk_seconds": 0, "wait_seconds": 30}
KEYS = {"retailcrm": RETAIL, "uon": UON}


class Office:
    def __init__(self, stack, **uon):
        self.stack = stack
        self.memory = {}
        self.base = stack.url("sandbox")
        for crm, key in KEYS.items():
            stack.sandbox("limits", crm=crm, enabled=False)
            stack.sandbox("crm/accounts", crm=crm, key=key, name="june", users=USERS, customers=[CUSTOMER])
        people = {"16": "150", "17": "151"}
        enterprise(stack,
                   retailcrm={"enabled": True, "domain": self.base, "api_key": RETAIL, "client_id": CLIENT_ID,
                              "user_extensions": people},
                   uon={"enabled": True, "api_url": self.base, "api_key": UON, "webhook_secret": HOOK_SECRET,
                        "subdomain": "june", "user_extensions": people,
                        "incoming_call_actions": {"create_client_on_call": True, "create_request": "if_no_open",
                                                  "create_task": "on_missed", "missed_call_status": 2}, **uon})

    def tell(self, program, kind, call=None, **more):
        memory = self.memory.setdefault(program, {})
        told = deliver(self.stack, program, kind, call=call, memory=memory, **more)
        self.memory[program] = told.get("memory", memory)
        assert KEYS[program] not in json.dumps(told)
        return told

    def ask(self, what, crm, **more):
        return requests.get(f"{self.base}/_sandbox/crm/{what}", timeout=10,
                            params={"crm": crm, "key": KEYS[crm], **more}).json()

    def calls(self, crm):
        return self.ask("calls", crm)

    def cards(self, kind):
        return self.ask("cards", "uon", kind=kind)


@pytest.fixture
def office(make_stack):
    settings = {"CALLWEAVE_CRM_MIRROR_SECONDS": "86400", "CALLWEAVE_CRM_HOOK_URL": "https://hooks.example"}
    return Office(make_stack(("sandbox", "retailcrm", "uon"), settings=settings).start_all())


def test_a_call_as_retailcrm_shows_it(office):
    outcomes = [office.tell("retailcrm", "ringing", RING), office.tell("retailcrm", "answered", ANSWERED)]
    [call] = office.calls("retailcrm")
    # 151 took it: the popup of 150 has closed, his own is still there; 152 is nobody's and got none.
    assert {one["user"]: one["hidden_at"] is not None for one in call["popups"]} == {"16": True, "17": False}
    outcomes.append(office.tell("retailcrm", "hangup"))
    assert [told["outcome"] for told in outcomes] == ["done"] * 3
    [call] = office.calls("retailcrm")
    assert (call["external_id"], call["direction"], call["entries"]) == ("1763740800.1", "in", 1)
    assert (call["user"], call["result"], call["duration"], call["waiting"]) == ("17", "answered", 95, 12)
    assert all(one["hidden_at"] is not None for one in call["popups"])


def test_a_call_as_uon_shows_it(office):
    assert office.tell("uon", "ringing", RING)["outcome"] == "done"
    notices = office.cards("notifications")
    assert sorted(one["manager_id"] for one in notices) == ["16", "17"]
    assert all('client_id=815">Ильин &lt;b&gt; Пётр</a>' in one["text"] for one in notices)
    [lead] = office.cards("leads")
    assert (lead["r_cl_id"], lead["r_u_id"]) == ("815", "17")
    assert office.tell("uon", "hangup")["outcome"] == "done"
    [call] = office.calls("uon")
    assert (call["external_id"], call["direction"], call["entries"]) == ("0367-1763740800.1", "in", 1)
    assert (call["user"], call["duration"]) == ("17", 95)
    assert office.cards("reminders") == []


def test_a_missed_call_at_uon(office):
    office.tell("uon", "ringing", RING)
    assert office.tell("uon", "hangup", MISSED)["outcome"] == "done"
    [call] = office.calls("uon")
    assert call["result"].startswith("Статус: неотвеченный") or call["result"].startswith("Status: not answered")
    assert call["user"] in ("", None)
    [reminder] = office.cards("reminders")
    assert (reminder["manager_id"], reminder["tr_id"]) == ("17", "815")
    [lead] = office.cards("leads")
    assert lead["status_id"] == "2"


@pytest.mark.parametrize("program, path, kind", [
    ("retailcrm", "call/event", "ringing"),
    ("retailcrm", "call/event", "hangup"),
    ("retailcrm", "calls/upload", "hangup"),
    ("uon", "lead/create", "ringing"),
    ("uon", "call_history/create", "hangup"),
])
def test_what_fails_is_done_later_and_once(office, program, path, kind):
    """The CRM acted, or did not, and the connection broke: the attempt after that does what lacks."""
    office.stack.sandbox("faults", service=program, path=path, times=1, drop="before" if "lead" in path else "after")
    first = office.tell(program, kind, RING if kind == "ringing" else None)
    assert (first["outcome"], office.tell(program, kind, RING if kind == "ringing" else None, attempt=2)["outcome"]) == (
        "again", "done")
    if kind == "ringing":
        assert office.tell(program, "hangup")["outcome"] == "done"
    [call] = office.calls(program)
    assert call["entries"] == (2 if path == "calls/upload" else 1)  # RetailCRM knows the second by its id
    assert call["user"] == "17"
    if program == "uon" and kind == "ringing":
        assert len(office.cards("leads")) == 1
        assert sorted(one["manager_id"] for one in office.cards("notifications")) == ["16", "17"]


def test_a_recovered_call_is_an_entry_and_nothing_else(office):
    past = {"started_at": 1763654400000, "answered_at": 0, "ended_at": 1763654430000, **MISSED}
    for program in KEYS:
        assert office.tell(program, "recovered", past)["outcome"] == "done"
        [call] = office.calls(program)
        assert call["popups"] == [] and call["entries"] == 1
        assert call["started"].startswith("2025-11-20")
    assert office.cards("notifications") == office.cards("leads") == office.cards("reminders") == []


def test_a_manager_who_is_gone_costs_no_call(office):
    office.stack.sql("UPDATE enterprises SET integrations_config = "
                     "jsonb_set(integrations_config, '{uon,user_extensions}', '{\"99\":\"151\"}')")
    numbers = iter(range(1000, 2000))
    told = wait_until(lambda: (got := tell_anew(office, next(numbers))) and got["reason"] and got, 5)
    assert told["outcome"] == "done" and "manager_id" in told["reason"]
    assert [call["user"] for call in office.calls("uon")].count("") == 1


def tell_anew(office, number):
    """U-ON's calls have no id: another call is one with another number."""
    office.memory.clear()
    return office.tell("uon", "hangup", {"key": f"9.{number}", "phone": f"+37529222{number}"})


def test_webhooks_of_uon_are_registered_once(office):
    for _ in range(2):
        answer = ask(office.stack, "uon", "POST", "/internal/uon/register", json={"enterprise_number": "0367", "enterprise": "0367"})
        assert answer.status_code == 200, answer.text
        hooks = office.cards("webhooks")
        assert sorted(one["type_id"] for one in hooks) == ["3", "4", "47", "5"]
        assert {one["method"] for one in hooks} == {"POST"}
        assert HOOK_SECRET not in answer.text


def test_who_may_send_hooks(office):
    click = {"type_id": 47, "user_id": "16", "phone": "+375291112233"}
    for path in ("/uon/webhook", "/uon/webhook/0367", "/uon/webhook/june"):
        assert requests.post(office.stack.url("uon") + path, json=click, timeout=10).status_code == 401
    for client in ("0367", "june", ""):
        answer = requests.get(office.stack.url("retailcrm") + "/retailcrm/make-call", timeout=10,
                              params={"clientId": client, "phone": "+375291112233", "userId": "16"})
        assert (answer.status_code, answer.text) == (401, "Unauthorized: Invalid clientId")
    assert requests.get(office.stack.url("retailcrm") + "/retailcrm/status", timeout=10,
                        params={"clientId": CLIENT_ID, "userId": "16", "status": "free"}).text == "OK"
