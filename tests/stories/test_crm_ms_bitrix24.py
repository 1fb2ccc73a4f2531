"""MoySklad and Bitrix24: whole calls through their adapters, as the CRMs' own users would see them."""
import json

import pytest

from crm_adapter import CALL, ask, deliver, enterprise
from waiting import wait_until

USERS = [{"id": "16", "name": "Анна Ковалёва", "code": "150"}, {"id": "17", "name": "Игорь Савицкий", "code": "151"}]
CUSTOMER = {"id": "815", "first_name": "Пётр", "last_name": "Ильин", "phones": ["+375291112233"], "manager_id": "17"}
RING = {"rang": ["150", "151", "152"], "ringing": ["150", "151", "152"], "talkers": [], "extension": "", "result": "open",
        "answered_at": 0, "ended_at": 0, "wait_seconds": -1, "talk_seconds": -1}
ANSWERED = {"result": "open", "ended_at": 0, "talk_seconds": -1}
PHONE_KEY, REMAP_KEY = "moysklad-key-0123456789", "moysklad-key-0123456789"
APP = {"client_id": "app.1", "client_secret": "secret-of-the-application", "refresh_token": "first-refresh-token-00001",
       "application_token": "token-of-the-application"}


class Office:
    def __init__(self, stack):
        self.stack = stack
        self.memory = {}
        base = stack.url("sandbox")
        for crm in ("moysklad", "bitrix24"):
            stack.sandbox("limits", crm=crm, enabled=False)
        stack.sandbox("crm/accounts", crm="moysklad", key=PHONE_KEY, name="june", users=USERS, customers=[CUSTOMER])
        stack.sandbox("crm/accounts", crm="bitrix24", key="portal-of-june", name="june", users=USERS, customers=[CUSTOMER],
                      member_id="a223c6b9", domain="june.bitrix24.by", access_token_seconds=3600, **APP)
        enterprise(stack, ms={"enabled": True, "phone_api_url": f"{base}/api/phone/1.0", "remap_api_url": f"{base}/api/remap/1.2",
                              "integration_code": PHONE_KEY, "api_token": REMAP_KEY, "webhook_uuid": "uuid-of-june-moysklad",
                              "employee_mapping": {"150": {"employee_id": "16"}, "151": {"employee_id": "17"}}},
                   bitrix24={"enabled": True, "client_id": APP["client_id"], "client_secret": APP["client_secret"],
                             "webhook_uuid": "uuid-of-june-bitrix24", "portal_domain": base,
                             "user_extensions": {"16": "150", "17": "151"}})
        # An hour-old access token that nobody knows any more: the first request has to renew it.
        stack.sql("INSERT INTO crm_oauth (enterprise_number, crm, tokens) VALUES ('0367', 'bitrix24', %s)",
                  [json.dumps({"access_token": "expired-access-token-0001", "member_id": "a223c6b9",
                               **{name: APP[name] for name in ("refresh_token", "application_token")}})])

    def tell(self, program, kind, call=None, **more):
        memory = self.memory.setdefault(program, {})
        told = deliver(self.stack, program, kind, call=call, memory=memory, **more)
        self.memory[program] = told.get("memory", memory)
        return told

    def calls(self, crm, key):
        return self.stack.session().get(f"{self.stack.url('sandbox')}/_sandbox/crm/calls", timeout=10,
                                        params={"crm": crm, "key": key}).json()

    def fault(self, crm, path, **how):
        self.stack.sandbox("faults", service=crm, path=path, times=1, **how)


@pytest.fixture
def office(make_stack):
    settings = {"CALLWEAVE_CRM_MIRROR_SECONDS": "86400"}
    return Office(make_stack(("sandbox", "moysklad", "bitrix24"), settings=settings).start_all())


def whole_call(office, program):
    record = {"record_url": "https://pbx.example/r/1.mp3"}
    outcomes = [office.tell(program, "ringing", RING), office.tell(program, "answered", ANSWERED),
                office.tell(program, "hangup"), office.tell(program, "recording", record)]
    assert [(told["outcome"], told["reason"]) for told in outcomes] == [("done", "")] * 4


def popups(call):
    return {one["user"]: one["hidden_at"] is not None for one in call["popups"]}


def test_a_call_as_moysklad_shows_it(office):
    whole_call(office, "moysklad")
    [call] = office.calls("moysklad", PHONE_KEY)
    assert (call["external_id"], call["direction"], call["entries"]) == ("0367-1763740800.1", "in", 1)
    assert (call["user"], call["extension"], call["talk_extension"]) == ("17", "151", "151")
    assert (call["duration"], call["result"]) == (95, "Разговор 95 с, ожидание 12 с")
    assert call["records"] == ["https://pbx.example/r/1.mp3"]
    assert popups(call) == {"16": True, "17": True}


def test_a_call_as_bitrix24_shows_it_and_its_token_is_renewed_first(office):
    whole_call(office, "bitrix24")
    [call] = office.calls("bitrix24", "portal-of-june")
    assert (call["external_id"], call["direction"], call["entries"]) == ("0367-1763740800.1", "in", 1)
    assert (call["user"], call["duration"], call["result"]) == ("17", 95, "200")
    assert call["record_url"] == "https://pbx.example/r/1.mp3"
    assert popups(call) == {"16": True, "17": True}
    assert [one["what"] for one in call["told"]] == ["register", "show", "hide", "finish", "attachRecord"]
    tokens = office.stack.sql("SELECT tokens, version FROM crm_oauth")[0]
    assert tokens["version"] == 2 and tokens["tokens"]["refresh_token"] != APP["refresh_token"]
    assert tokens["tokens"]["application_token"] == APP["application_token"]


@pytest.mark.parametrize("program, key, path, kind", [
    ("moysklad", PHONE_KEY, "call", "ringing"),
    ("moysklad", PHONE_KEY, "call", "hangup"),
    ("bitrix24", "portal-of-june", "externalcall.register", "ringing"),
    ("bitrix24", "portal-of-june", "externalcall.register", "hangup"),
    ("bitrix24", "portal-of-june", "externalcall.finish", "hangup"),
])
def test_an_answer_that_is_lost_makes_no_second_call(office, program, key, path, kind):
    """The CRM acted and the connection broke: the attempt after that goes on from what is there."""
    call = RING if kind == "ringing" else None
    office.tell(program, "recovered", {"key": "another"})  # tokens are renewed, nothing else is in the way
    office.memory.clear()
    office.fault(program, path, drop="after")
    assert office.tell(program, kind, call)["outcome"] == "again"
    assert office.tell(program, kind, call, attempt=2)["outcome"] == "done"
    if kind == "ringing":
        assert office.tell(program, "hangup")["outcome"] == "done"
    shown = [one for one in office.calls(program, key) if one["external_id"] == "0367-1763740800.1"]
    assert len(shown) == 1 and shown[0]["entries"] == 1
    assert (shown[0]["user"], shown[0]["duration"]) == ("17", 95)


def test_a_ringing_of_which_nothing_is_remembered_is_the_same_call(office):
    """The adapter was killed between the CRM's answer and our note of it."""
    for program, key in (("moysklad", PHONE_KEY), ("bitrix24", "portal-of-june")):
        office.tell(program, "ringing", RING)
        office.memory.clear()
        assert office.tell(program, "hangup")["outcome"] == "done"
        [call] = office.calls(program, key)
        assert (call["entries"], call["user"], call["duration"]) == (1, "17", 95)


@pytest.mark.parametrize("program, code", [("moysklad", "ms"), ("bitrix24", "bitrix24")])
def test_who_rings_is_found(office, program, code):
    answer = ask(office.stack, program, "GET", f"/internal/{code}/customer-name",
                 params={"enterprise_number": "0367", "phone": CALL["phone"]})
    assert answer.status_code == 200 and "Ильин" in answer.json()["name"], answer.text


def test_a_revoked_application_is_locked_with_words(office):
    office.stack.sql("UPDATE crm_oauth SET tokens = tokens || '{\"refresh_token\": \"used-long-ago-000000001\"}'")
    wait_until(lambda: office.tell("bitrix24", "hangup")["outcome"] == "locked", 10, "the refusal is understood")
    told = office.tell("bitrix24", "hangup")
    assert "invalid_grant" in told["reason"] and office.calls("bitrix24", "portal-of-june") == []
