"""The adapters of CRMs: whom they know, what they keep current, what CRMs say to us, tokens that expire."""
import concurrent.futures
import json
import threading

import pytest
import requests

from crm_adapter import KEY, OURS, ask, deliver, enterprise, retail
from fake_crm import FakeCrm
from stack import INTERNAL_SECRET
from waiting import wait_until

PERSON = {"type": "customer", "id": 815, "firstName": "Иван", "lastName": "Петров", "patronymic": "Ильич", "managerId": 16,
          "phones": [{"number": "+375 29 111-22-33"}, {"number": "8 029 111-22-44"}]}
CLIENT_ID = "c1ient-8f3a2b7d5e6049c1"
RARELY = {"CALLWEAVE_CRM_MIRROR_SECONDS": "86400"}


@pytest.fixture
def crm():
    with FakeCrm() as fake:
        fake.on("/api/v5/customers", {"success": True, "customers": [], "pagination": {"totalPageCount": 1}})
        fake.on("/api/v5/customers-corporate", {"success": True, "customersCorporate": []})
        fake.on("/api/v5/customers/history", {"success": True, "history": []})
        yield fake


@pytest.fixture
def stack(make_stack, crm):
    stack = make_stack(("retailcrm",), settings={**RARELY, "CALLWEAVE_CRM_CALL_URL": crm.url + "/pbx",
                                                 "CALLWEAVE_CRM_HOOK_URL": "https://hooks.example"}).start_all()
    enterprise(stack, retailcrm=retail(crm))
    return stack


def look(stack, what, phone="+375291112233", number="0367"):
    answer = ask(stack, "retailcrm", "GET", f"/internal/retailcrm/{what}",
                 params={"enterprise_number": number, "phone": phone})
    return answer.status_code, answer.json()


# -- look-ups -----------------------------------------------------------------------------------------


def test_look_ups(stack, crm):
    crm.on("/api/v5/customers", {"success": True, "customers": [PERSON]})
    crm.on("/api/v5/customers/history", {"success": True, "history": []})
    assert look(stack, "customer-name") == (200, {"name": "Петров Иван Ильич"})
    status, profile = look(stack, "customer-profile")
    assert status == 200 and profile["last_name"] == "Петров" and profile["enterprise_name"] is None
    assert profile["source"]["type"] == "retailcrm" and profile["source"]["raw"]["id"] == 815
    assert look(stack, "responsible-extension") == (200, {"extension": "150", "manager_id": 16})
    assert look(stack, "customer-by-phone")[1]["profile"]["display_name"] == "Петров Иван Ильич"


def test_numbers_are_asked_for_in_one_spelling(stack, crm):
    for spelling in ("+375291112233", " 375291112233", "80291112233", "8 (029) 111-22-33"):
        crm.clear()
        look(stack, "customer-name", spelling)
        assert [seen.query["filter[phone]"] for seen in crm.seen if "filter[phone]" in seen.query] == ["375291112233"]


def test_nobody_has_that_number(stack):
    assert look(stack, "customer-name") == (200, {"name": None})
    assert look(stack, "responsible-extension") == (200, {"extension": None, "manager_id": None})
    assert look(stack, "customer-by-phone") == (200, {"phone": "+375291112233", "profile": None})


def test_a_failed_look_up_is_no_success(stack, crm):
    crm.on("/api/v5/customers", {"success": False, "errorMsg": "oops"}, status=500)
    status, answer = look(stack, "customer-name")
    assert status == 502 and answer["name"] is None and "HTTP 500" in answer["error"]
    assert look(stack, "customer-name", number="9999") == (404, {"name": None, "error": "Enterprise not found"})
    assert look(stack, "customer-name", number="")[0] == 400
    assert ask(stack, "retailcrm", "GET", "/internal/retailcrm/customer-name", headers={}).status_code == 403


def test_a_look_up_does_not_wait_for_a_silent_crm(stack, crm):
    crm.on("/api/v5/customers", lambda seen: "silence")
    status, answer = look(stack, "customer-name")
    assert status == 502 and "no answer" in answer["error"]


def test_one_enterprise_never_uses_the_key_of_another(stack, crm):
    other = "o7her0EnterprisesKey000000000"
    enterprise(stack, "0368", retailcrm=retail(crm, api_key=other, client_id="another-client-id-0368"))
    crm.clear()
    look(stack, "customer-name", number="0368")
    assert {seen.headers["X-API-KEY"] for seen in crm.seen} == {other}


# -- customers kept current ----------------------------------------------------------------------------


def customers(stack):
    rows = stack.sql("SELECT phone_e164, last_name, meta FROM customers ORDER BY phone_e164")
    return {row["phone_e164"]: row for row in rows}


def test_a_number_is_learned_in_the_background(stack, crm):
    crm.on("/api/v5/customers", {"success": True, "customers": [PERSON]})
    crm.on("/api/v5/customers/history", {"success": True, "history": []})
    answer = ask(stack, "retailcrm", "POST", "/internal/retailcrm/learn",
                 json={"enterprise": "0367", "phone": "+375291112233"})
    assert answer.status_code == 202, answer.text
    rows = wait_until(lambda: (rows := customers(stack)) and rows["+375291112233"]["last_name"] and rows, 10, "learned")
    assert rows["+375291112233"]["last_name"] == "Петров"
    assert rows["+375291112244"]["meta"]["ids"]["retailcrm"] == ["815"]  # the national spelling, too
    assert rows["+375291112233"]["meta"]["responsible"]["retailcrm"] == "16"


def test_one_look_up_at_a_time_for_one_number(stack, crm):
    gate = threading.Event()

    def slowly(seen):
        gate.wait(10)
        return 200, {"success": True, "customers": [PERSON]}, {}
    crm.on("/api/v5/customers", slowly)
    crm.on("/api/v5/customers/history", {"success": True, "history": []})
    crm.clear()
    words = [ask(stack, "retailcrm", "POST", "/internal/retailcrm/learn",
                 json={"enterprise": "0367", "phone": "+375291112233"}).json()["status"] for _ in range(5)]
    assert words == ["accepted"] + ["already under way"] * 4
    gate.set()
    wait_until(lambda: customers(stack), 10, "learned")
    assert len([seen for seen in crm.seen if "filter[phone]" in seen.query]) == 1


def test_the_mirror_reads_what_changed_and_remembers_how_far(make_stack, crm):
    crm.on("/api/v5/customers/history", {"success": True, "pagination": {"totalPageCount": 1}, "history": [
        {"id": 5001, "createdAt": "2026-11-21 10:00:00", "customer": {"id": 815}}]})
    stack = make_stack(("retailcrm",), settings={"CALLWEAVE_CRM_MIRROR_SECONDS": "1"})
    stack.enterprise("0367", integrations_config=json.dumps({"retailcrm": retail(crm)}),
                     settings=json.dumps({"country": "BY"}))
    stack.start_all()

    def memory():
        rows = stack.sql("SELECT memory, last_error, failures FROM crm_memory WHERE task = 'changes'")
        return rows and rows[0]["memory"] and rows[0]
    first = wait_until(memory, 10, "how far it came is remembered")
    assert first["last_error"] is None and first["failures"] == 0
    wait_until(lambda: len(crm.of("/api/v5/customers/history")) >= 3, 15, "it is read again and again")
    crm.on("/api/v5/customers/history", {"success": False, "errorMsg": "Wrong key"}, status=403)
    wait_until(lambda: "Wrong key" in (memory()["last_error"] or ""), 10, "why it does not go on is said")
    assert memory()["failures"] >= 1 and memory()["memory"] != {}
    assert "Wrong key" in stack.sql("SELECT error_message FROM integration_logs WHERE event_type = 'changes'")[0]["error_message"]
    crm.on("/api/v5/customers/history", {"success": True, "history": []})
    stack.sql("UPDATE enterprises SET integrations_config = jsonb_set(integrations_config, '{retailcrm,site}', '\"s\"')")
    wait_until(lambda: memory()["last_error"] is None, 10, "a changed configuration is tried at once")
    crm.on("/api/v5/customers/history", {"success": False, "errorMsg": "Wrong key"}, status=403)
    wait_until(lambda: memory()["last_error"], 10, "locked again")
    count = len(crm.of("/api/v5/customers/history"))
    stack.services["retailcrm"].kill9()
    stack.start("retailcrm")
    assert len(crm.of("/api/v5/customers/history")) <= count + 1  # a locked door is not knocked at each second


# -- what the CRM says to us ----------------------------------------------------------------------------


def click(stack, headers=None, **parameters):
    return requests.get(stack.url("retailcrm") + "/retailcrm/make-call", params=parameters, headers=headers, timeout=20)


def test_a_click_becomes_a_call(stack, crm):
    crm.on("/pbx", {"success": True, "message": "ok"})
    answer = click(stack, clientId=CLIENT_ID, phone="375291112233", userId="16")
    assert (answer.status_code, answer.text) == (200, "OK")
    (seen,) = crm.of("/pbx/api/makecallexternal")
    assert seen.query == {"code": "150", "phone": "375291112233", "enterprise": "0367", "origin": "retailcrm",
                          "wait": "0"}
    assert seen.headers["X-Callweave-Secret"] == INTERNAL_SECRET


def test_a_click_of_a_stranger_does_nothing(stack, crm):
    for client in ("wrong", "", "0367", "token-0367", CLIENT_ID[:-1], CLIENT_ID + "x", "%"):
        assert click(stack, clientId=client, phone="375291112233", userId="16").status_code == 401
    assert click(stack, clientId=CLIENT_ID, phone="375291112233", userId="99").status_code == 400
    stack.sql("UPDATE enterprises SET integrations_config = jsonb_set(integrations_config, '{retailcrm,enabled}', 'false')")
    wait_until(lambda: look(stack, "customer-name")[0] == 409, 5, "switched off")
    click(stack, clientId=CLIENT_ID, phone="375291112233", userId="16")
    assert crm.of("/pbx") == []


def test_a_click_that_the_pbx_refuses_is_said(stack, crm):
    crm.on("/pbx", {"success": False, "message": "the PBX does not answer"})
    answer = click(stack, clientId=CLIENT_ID, phone="375291112233", userId="16")
    assert answer.status_code == 502 and "the PBX does not answer" in answer.json()["detail"]


def test_a_ringing_phone_does_not_hold_the_click_up(stack, crm):
    crm.on("/pbx", lambda seen: "silence")
    assert click(stack, clientId=CLIENT_ID, phone="375291112233", userId="16").text == "OK"


# -- registration ---------------------------------------------------------------------------------------


def test_registration_makes_a_client_id_that_nobody_guesses(stack, crm):
    config = retail(crm)
    del config["client_id"]
    enterprise(stack, "0368", retailcrm=config)
    crm.clear()
    for _ in range(2):
        answer = ask(stack, "retailcrm", "POST", "/internal/retailcrm/register", json={"enterprise_number": "0368"})
        assert answer.status_code == 200 and answer.json()["success"], answer.text
    made = stack.sql("SELECT integrations_config -> 'retailcrm' ->> 'client_id' AS id FROM enterprises"
                     " WHERE number = '0368'")[0]["id"]
    modules = [seen.form("integrationModule") for seen in crm.of("/api/v5/integration-modules")]
    assert len(made) == 32 and {module["clientId"] for module in modules} == {made}
    assert modules[0]["integrations"]["telephony"]["makeCallUrl"] == "https://hooks.example/retailcrm/make-call"
    crm.on("/pbx", {"success": True})
    wait_until(lambda: click(stack, clientId=made, phone="375291112233", userId="16").text == "OK", 5)
    assert ask(stack, "retailcrm", "POST", "/internal/retailcrm/unregister",
               json={"enterprise_number": "0368"}).json()["success"]


def test_the_credentials_are_tried(stack, crm):
    crm.on("/api/credentials", {"success": False, "errorMsg": 'Wrong "apiKey" value.'}, status=403)
    answer = ask(stack, "retailcrm", "POST", "/internal/retailcrm/test", json={"enterprise_number": "0367"})
    assert answer.status_code == 409
    assert answer.json() == {"success": False, "outcome": "locked", "error": 'HTTP 403: Wrong "apiKey" value.'}
    row = stack.sql("SELECT event_type, status, error_message FROM integration_logs")[0]
    assert (row["event_type"], row["status"]) == ("test", "error") and "apiKey" in row["error_message"]


def test_employees_and_their_extensions(stack, crm):
    crm.on("/api/v5/users", {"success": True, "pagination": {"totalPageCount": 1}, "users": [
        {"id": 16, "firstName": "Анна", "lastName": "Сергеева"}, {"id": 99, "firstName": "Bob"}]})
    answer = ask(stack, "retailcrm", "GET", "/internal/retailcrm/employees", params={"enterprise_number": "0367"}).json()
    assert [(one["id"], one["name"], one["mapped_extension"]) for one in answer["employees"]] == [
        ("16", "Сергеева Анна", "150"), ("99", "Bob", "")]


# -- the former addresses --------------------------------------------------------------------------------


def event(stack, **more):
    body = {"token": "token-0367", "uniqueId": "1763740800.7", "event_type": "hangup", "record_url": "https://r.example/1",
            "raw": {"CallType": 0, "Phone": "375291112233", "Extensions": ["150"], "CallStatus": "2",
                    "StartTime": "2026-11-21 15:00:00", "EndTime": "2026-11-21 15:01:00"}, **more}
    return ask(stack, "retailcrm", "POST", "/internal/retailcrm/call-event", json=body)


def test_the_former_address_of_events(stack, crm):
    answer = event(stack)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    (upload,) = [seen.form("calls")[0] for seen in crm.of("/api/v5/telephony/calls/upload")]
    assert upload["externalId"] == "1763740800.7" and upload["recordUrl"] == "https://r.example/1"
    crm.clear()
    internal = event(stack, raw={"CallType": 2, "CallerIDNum": "151", "Extensions": ["152"], "Phone": "151"})
    assert internal.json() == {"success": True} and crm.seen == []
    assert event(stack, token="nobody").status_code == 404
    assert event(stack, raw=None).status_code == 400
    assert ask(stack, "retailcrm", "POST", "/internal/retailcrm/call-event", headers={}, json={}).status_code == 403
    crm.on("/api/v5/telephony", {"success": False, "errorMsg": "oops"}, status=500)
    failed = event(stack)
    rows = stack.sql("SELECT event_type, call_unique_id, status, http_status, crm_success, request_data FROM integration_logs"
                     " WHERE call_unique_id IS NOT NULL ORDER BY id")
    assert [(row["event_type"], row["status"], row["http_status"]) for row in rows] == [
        ("hangup", "success", 200), ("hangup", "error", 500)]
    assert rows[0]["request_data"][-1]["name"] == "calls/upload" and rows[0]["call_unique_id"] == "1763740800.7"
    assert failed.status_code == 502 and failed.json()["success"] is False and "HTTP 500" in failed.json()["error"]


# -- tokens ----------------------------------------------------------------------------------------------


class Portal:
    """Bitrix24 as an application sees it: access tokens expire, a refresh token is good for one use."""

    def __init__(self, crm):
        self.crm = crm
        self.lock = threading.Lock()
        self.serial = 1
        self.renewals = []
        self.refused = 0
        crm.on("/rest/", self.rest)
        crm.on("/oauth/token/", self.renew)

    def tokens(self):
        return {"access_token": f"access-token-{self.serial:04}", "refresh_token": f"refresh-token-{self.serial:04}",
                "domain": "june.example", "client_endpoint": self.crm.url + "/rest/", "member_id": "a223c6b9",
                "application_token": "app-token-5161084", "expires_at": 4763744400000}

    def rest(self, seen):
        if seen.json().get("auth") != self.tokens()["access_token"]:
            with self.lock:
                self.refused += 1
            return 401, {"error": "expired_token", "error_description": "expired"}, {}
        return 200, {"result": {"CALL_ID": "externalCall.1", "ID": 7}}, {}

    def renew(self, seen):
        with self.lock:
            self.renewals.append(seen.query["refresh_token"])
            if seen.query["refresh_token"] != f"refresh-token-{self.serial:04}":
                return 400, {"error": "invalid_grant"}, {}
            self.serial += 1
            return 200, {**self.tokens(), "expires_in": 3600}, {}


def bitrix(make_stack, crm, adapters=("bitrix24",)):
    stack = make_stack(adapters, settings={**RARELY, "CALLWEAVE_CRM_BITRIX_OAUTH_URL": crm.url}).start_all()
    portal = Portal(crm)
    enterprise(stack, bitrix24={"enabled": True, "portal_domain": crm.url, "client_id": "local.5f5f5f5f5f5f",
                                "client_secret": "cs-90009000900090", "webhook_uuid": "6f1d2c3b-uuid",
                                "user_extensions": {"16": "150", "17": "151"}})
    stack.sql("INSERT INTO crm_oauth (enterprise_number, crm, tokens) VALUES ('0367', 'bitrix24', %s)",
              [json.dumps(portal.tokens())])
    for serial in range(1, 9):
        stack.secrets.add("an access token", f"access-token-{serial:04}")
        stack.secrets.add("a refresh token", f"refresh-token-{serial:04}")
    return stack, portal


def test_many_that_find_the_token_expired_renew_it_once(make_stack, crm):
    stack, portal = bitrix(make_stack, crm)
    assert deliver(stack, "bitrix24", kind="ringing", call={"ringing": ["150"]})["outcome"] == "done"
    assert portal.renewals == []
    portal.serial = 5  # renewed behind our back: neither token is good
    stack.sql("UPDATE crm_oauth SET tokens = tokens || '{\"refresh_token\": \"refresh-token-0005\"}'")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: deliver(stack, "bitrix24", kind="ringing", call={
            "key": f"1.{i}", "ringing": ["150"]}), range(8)))
    assert [answer["outcome"] for answer in answers] == ["done"] * 8, answers
    assert portal.renewals == ["refresh-token-0005"]
    row = stack.sql("SELECT tokens, version, renewing_by FROM crm_oauth")[0]
    assert row["tokens"]["refresh_token"] == "refresh-token-0006" and row["version"] == 2 and row["renewing_by"] is None
    shown = json.dumps(answers)
    assert "access-token" not in shown and "refresh-token" not in shown and "cs-9000" not in shown


def test_two_instances_renew_it_once(make_stack, crm):
    stack, portal = bitrix(make_stack, crm)
    second = make_stack(("bitrix24",), settings={**stack.services["bitrix24"].settings})
    for other in (second,):
        other.services["bitrix24"].settings["DATABASE_URL"] = stack.database_url
        other.start_all()
    portal.serial = 5
    stack.sql("UPDATE crm_oauth SET tokens = tokens || '{\"refresh_token\": \"refresh-token-0005\"}'")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: deliver((stack, second)[i % 2], "bitrix24", kind="ringing", call={
            "key": f"1.{i}", "ringing": ["150"]}), range(8)))
    assert [answer["outcome"] for answer in answers] == ["done"] * 8, answers
    assert portal.renewals == ["refresh-token-0005"]


def test_a_refused_renewal_waits_for_a_person(make_stack, crm):
    stack, portal = bitrix(make_stack, crm)
    portal.serial = 5
    answer = deliver(stack, "bitrix24", kind="ringing", call={"ringing": ["150"]})
    assert answer["outcome"] == "locked" and "invalid_grant" in answer["reason"], answer
    assert stack.sql("SELECT renewing_by FROM crm_oauth")[0]["renewing_by"] is None
    # installed anew, as the install handler stores it
    stack.sql("UPDATE crm_oauth SET tokens = %s, version = version + 1", [json.dumps(portal.tokens())])
    assert deliver(stack, "bitrix24", kind="ringing", call={"ringing": ["150"]})["outcome"] == "done"


def test_tokens_are_stored_before_they_are_used(make_stack, crm):
    """PostgreSQL goes away while the token server answers: what it gave is stored when PostgreSQL is back."""
    portal = Portal(crm)
    stack = make_stack(("bitrix24",), own_postgres=True, settings={**RARELY, "CALLWEAVE_CRM_BITRIX_OAUTH_URL": crm.url})
    stack.start_all()
    enterprise(stack, bitrix24={"enabled": True, "portal_domain": crm.url, "client_id": "local.5f5f5f5f5f5f",
                                "client_secret": "cs-90009000900090", "webhook_uuid": "6f1d2c3b-uuid",
                                "user_extensions": {"16": "150"}})
    stack.sql("INSERT INTO crm_oauth (enterprise_number, crm, tokens) VALUES ('0367', 'bitrix24', %s)",
              [json.dumps(portal.tokens())])
    renew = portal.renew

    def renew_and_stop(seen):
        answer = renew(seen)
        stack.stop_pg()
        return answer
    crm.on("/oauth/token/", renew_and_stop)
    portal.serial = 2
    stack.sql("UPDATE crm_oauth SET tokens = tokens || '{\"refresh_token\": \"refresh-token-0002\"}'")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(deliver, stack, "bitrix24", kind="ringing", call={"ringing": ["150"]})
        wait_until(lambda: portal.renewals, 10, "the token server was asked")
        wait_until(lambda: "not stored yet" in stack.services["bitrix24"].text(), 20, "it is said")
        used = [seen for seen in crm.of("/rest/") if seen.json().get("auth") == "access-token-0003"]
        assert used == []
        stack.start_pg()
        assert waiting.result(40)["outcome"] == "done"
    assert stack.sql("SELECT tokens FROM crm_oauth")[0]["tokens"]["refresh_token"] == "refresh-token-0003"


def test_the_install_handler_and_who_may_not_use_it(make_stack, crm):
    stack, portal = bitrix(make_stack, crm)
    stack.sql("DELETE FROM crm_oauth")
    url = stack.url("bitrix24")
    form = {"event": "ONAPPINSTALL", "auth[access_token]": "access-token-0001", "auth[refresh_token]": "refresh-token-0001",
            "auth[expires_in]": "3600", "auth[domain]": "june.example", "auth[client_endpoint]": crm.url + "/rest/",
            "auth[member_id]": "a223c6b9", "auth[application_token]": "app-token-5161084"}
    for path in ("/24/install/wrong", "/24/install/", "/24/install/%25"):
        assert requests.post(url + path, data=form, timeout=10).status_code in (401, 403, 404)
    assert stack.sql("SELECT 1 FROM crm_oauth") == []
    answer = requests.post(url + "/24/install/6f1d2c3b-uuid", data=form, timeout=10)
    assert answer.status_code == 200, answer.text
    assert stack.sql("SELECT tokens FROM crm_oauth")[0]["tokens"]["member_id"] == "a223c6b9"
    assert deliver(stack, "bitrix24", kind="ringing", call={"ringing": ["150"]})["outcome"] == "done"
