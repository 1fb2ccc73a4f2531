"""The sandbox's CRMs, each spoken to by hand: what the real ones take, what they refuse, and what is left to see."""
import contextlib
import gzip
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox_process import Sandbox

KEY = "key-of-the-office-1"
PHONE = "+375291112233"
USERS = [{"id": 16, "name": "Анна Ковалёва", "code": "150"}, {"id": "17", "name": "Игорь Савицкий", "code": "151"}]
CUSTOMER = {"id": "815", "first_name": "Пётр", "last_name": "Ильин", "phones": ["8 (029) 111-22-33"], "manager_id": "17"}


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"))
    sandbox.start()
    yield sandbox
    code = sandbox.stop()
    assert sandbox.report() is None, sandbox.report()
    assert code == 0, sandbox.tail()


@pytest.fixture
def sandbox(process):
    process.tell("reset")
    process.tell("limits", crm="all", enabled=False)  # but where they are what it is about
    return process


def declare(sandbox, crm, key=KEY, **more):
    sandbox.tell("crm/accounts", crm=crm, key=key, **{"name": "june", "users": USERS, "customers": [CUSTOMER], **more})


def calls(sandbox, crm, key=KEY, **more):
    return sandbox.ask("crm/calls", crm=crm, key=key, **more)


def cards(sandbox, crm, kind, key=KEY):
    return sandbox.ask("crm/cards", crm=crm, key=key, kind=kind)


def popups(call):
    return [(one["user"], one["extension"], one["hidden_at"] is not None, one["times"]) for one in call["popups"]]


# -- RetailCRM ---------------------------------------------------------------------------------------

def retail(sandbox, path, key=KEY, method="POST", **form):
    data = {name: value if isinstance(value, str) else json.dumps(value) for name, value in form.items()}
    place = {"params": data} if method == "GET" else {"data": data}
    return requests.request(method, f"{sandbox.url}/api/{path}", headers={"X-API-KEY": key} if key else {},
                            timeout=10, **place)


EVENT = {"phone": PHONE, "type": "in", "codes": ["150", "151"], "userIds": [16], "callExternalId": "1.1"}
UPLOAD = {"date": "2026-11-21 12:00:00", "type": "in", "phone": "375291112233", "userId": 17, "result": "answered",
          "duration": 61, "durationWaiting": 9, "externalId": "1.1", "recordUrl": "https://pbx.example/1.mp3"}


def test_retailcrm_shows_a_call_from_popup_to_journal(sandbox):
    declare(sandbox, "retailcrm")
    told = retail(sandbox, "v5/telephony/call/event", event={**EVENT, "codes": ["150", "151", "999"]})
    assert told.status_code == 200 and told.json() == {"success": True, "notExistCodes": ["999"], "notExistUsers": []}
    [call] = calls(sandbox, "retailcrm")
    assert popups(call) == [("16", "150", False, 1), ("17", "151", False, 1)] and call["entries"] == 0
    hangup = {**EVENT, "type": "hangup", "hangupStatus": "answered"}
    assert retail(sandbox, "v5/telephony/call/event", event=hangup).json()["success"] is True
    assert retail(sandbox, "v5/telephony/calls/upload", calls=[UPLOAD]).json() == {
        "success": True, "duplicateCalls": [], "processedCallsCount": 1}
    again = retail(sandbox, "v5/telephony/calls/upload", calls=[{**UPLOAD, "duration": 99}]).json()
    assert again["duplicateCalls"] == ["1.1"] and again["processedCallsCount"] == 0
    [call] = calls(sandbox, "retailcrm")
    assert {name: call[name] for name in ("external_id", "direction", "phone", "user", "user_name", "extension", "result",
                                          "started", "duration", "waiting", "record_url", "entries", "updates")} == {
        "external_id": "1.1", "direction": "in", "phone": "375291112233", "user": "17", "user_name": "Игорь Савицкий",
        "extension": "151", "result": "answered", "started": "2026-11-21 12:00:00", "duration": 61, "waiting": 9,
        "record_url": "https://pbx.example/1.mp3", "entries": 2, "updates": 0}
    assert [one["what"] for one in call["told"]] == ["in", "hangup answered", "upload", "upload"]
    assert popups(call) == [("16", "150", True, 1), ("17", "151", True, 1)]
    assert call["popups"][0]["hidden_at"] >= call["popups"][0]["shown_at"]


@pytest.mark.parametrize("change, where", [
    ({"phone": None}, "phone"), ({"type": "incoming"}, "type"), ({"codes": "150"}, "codes"), ({"codes": [150]}, "codes"),
    ({"userIds": ["16"]}, "userIds"), ({"hangupStatus": "no answer"}, "hangupStatus"), ({"callExternalID": "1"}, "callExternalID"),
    ({"phone": "anonymous"}, "phone"), ({"codes": [], "userIds": []}, "codes"),
])
def test_retailcrm_refuses_a_wrong_event(sandbox, change, where):
    event = {name: value for name, value in {**EVENT, **change}.items() if value is not None}
    answer = retail(sandbox, "v5/telephony/call/event", event=event)
    assert answer.status_code == 400 and answer.json()["success"] is False and where in answer.json()["errors"], answer.text
    assert calls(sandbox, "retailcrm") == []


@pytest.mark.parametrize("change, where", [
    ({"result": "no answered"}, "calls[0].result"), ({"date": "2026-11-21T12:00:00"}, "calls[0].date"),
    ({"duration": "61"}, "calls[0].duration"), ({"type": "hangup"}, "calls[0].type"), ({"recordURL": "x"}, "calls[0].recordURL"),
    ({"date": "2026-13-41 12:00:00"}, "calls[0].date"), ({"recordUrl": "1.mp3"}, "calls[0].recordUrl"),
])
def test_retailcrm_refuses_a_wrong_upload(sandbox, change, where):
    answer = retail(sandbox, "v5/telephony/calls/upload", calls=[{**UPLOAD, **change}])
    assert answer.status_code == 400 and where in answer.json()["errors"], answer.text


def test_retailcrm_knows_its_keys_paths_and_forms(sandbox):
    declare(sandbox, "retailcrm", "revoked-key-1", revoked=True)
    assert retail(sandbox, "credentials", key=None, method="GET").json()["errorMsg"] == '"apiKey" is missing.'
    assert retail(sandbox, "credentials", key="revoked-key-1", method="GET").status_code == 403
    assert retail(sandbox, "credentials", method="GET").status_code == 200
    assert requests.get(f"{sandbox.url}/api/credentials", params={"apiKey": KEY}, timeout=10).status_code == 200
    assert KEY not in json.dumps(sandbox.ask("requests"))
    assert retail(sandbox, "v5/telephony/call-event", event=EVENT).status_code == 404
    assert retail(sandbox, "v5/telephony/call/event", method="GET").status_code == 405
    assert "'event' is missing" in retail(sandbox, "v5/telephony/call/event").json()["errorMsg"]
    as_json = requests.post(f"{sandbox.url}/api/v5/telephony/call/event", json={"event": json.dumps(EVENT)},
                            headers={"X-API-KEY": KEY}, timeout=10)
    assert as_json.status_code == 400
    assert retail(sandbox, "v5/telephony/calls/upload", calls=[UPLOAD] * 51).status_code == 400
    assert retail(sandbox, "v5/customers", method="GET", limit="10").status_code == 400


def test_retailcrm_finds_customers_and_tells_what_changed(sandbox):
    declare(sandbox, "retailcrm", customers=[CUSTOMER, {"id": "900", "company": True, "company_name": "ООО Ромашка",
                                                        "phones": [], "contacts": ["815"]}])
    found = retail(sandbox, "v5/customers", method="GET", **{"filter[phone]": "291112233"}).json()
    assert [one["id"] for one in found["customers"]] == [815] and found["pagination"]["totalCount"] == 1
    assert found["customers"][0]["phones"] == [{"number": "8 (029) 111-22-33"}]
    assert retail(sandbox, "v5/customers/815", method="GET").status_code == 404  # by=externalId
    assert retail(sandbox, "v5/customers/815", method="GET", by="id").json()["customer"]["lastName"] == "Ильин"
    firm = retail(sandbox, "v5/customers-corporate", method="GET", **{"filter[contactIds][]": "815"}).json()
    assert [one["nickName"] for one in firm["customersCorporate"]] == ["ООО Ромашка"]
    manager = retail(sandbox, "v5/telephony/manager", method="GET", phone=PHONE, details="1").json()
    assert manager["manager"]["code"] == "151" and manager["customer"]["id"] == 815
    made = retail(sandbox, "v5/customers/create", customer={"firstName": "Новый", "phones": [{"number": "+375447000000"}]})
    assert made.status_code == 201 and made.json()["id"] > 0
    assert retail(sandbox, "v5/customers/create", customer={"phones": ["+375447000000"]}).status_code == 400
    history = retail(sandbox, "v5/customers/history", method="GET", **{"filter[sinceId]": "2"}).json()
    assert [(one["id"], one["customer"]["firstName"], one["created"]) for one in history["history"]] == [(3, "Новый", True)]
    users = retail(sandbox, "v5/users", method="GET").json()
    assert [(one["id"], one["active"]) for one in users["users"]] == [(16, True), (17, True)]


def test_retailcrm_takes_a_module_and_clicks_on_it(sandbox, receiver):
    declare(sandbox, "retailcrm")
    module = {"code": "vochi-telephony", "integrationCode": "vochi-telephony", "active": True, "name": "callweave",
              "logo": "https://hooks.example/logo.svg", "baseUrl": "https://hooks.example", "clientId": "random-1",
              "integrations": {"telephony": {"makeCallUrl": receiver.url + "/retailcrm/make-call", "hangupEventSupported": True,
                                             "additionalCodes": [{"userId": "16", "code": "150"}]}}}
    path = "v5/integration-modules/vochi-telephony"
    assert retail(sandbox, path, method="GET").status_code == 404
    for wrong, words in (({"logo": "https://hooks.example/logo.png"}, "svg"), ({"baseUrl": None}, "blank"),
                         ({"actions": {}}, "actions"), ({"code": "other"}, "code")):
        refused = retail(sandbox, path + "/edit", integrationModule={k: v for k, v in {**module, **wrong}.items() if v is not None})
        assert refused.status_code == 400 and words in refused.text, refused.text
    assert retail(sandbox, path + "/edit", integrationModule=module).json() == {"success": True, "info": {}}
    assert retail(sandbox, path, method="GET").json()["integrationModule"]["clientId"] == "random-1"
    clicked = sandbox.tell("crm/click", crm="retailcrm", key=KEY, phone=PHONE, user="16")
    assert clicked == {"status": 200, "body": "OK"}
    [(method, path, values, _)] = receiver.got
    assert (method, path) == ("GET", "/retailcrm/make-call")
    assert values == {"clientId": "random-1", "code": "150", "phone": PHONE, "userId": "16"}


# -- U-ON --------------------------------------------------------------------------------------------

def uon(sandbox, path, key=KEY, verb="POST", **body):
    more = {} if verb == "GET" else {"json": body}
    return requests.request(verb, f"{sandbox.url}/{key}/{path}.json", timeout=10, **more)


HISTORY = {"phone": "375291112233", "start": "2026-11-21 12:00:00", "duration": 61, "direction": 2, "manager_id": 17,
           "note": "Статус: отвеченный [0367-1.1]", "record_link": "https://pbx.example/1.mp3"}


def test_uon_keeps_calls_and_shows_the_same_told_twice(sandbox):
    declare(sandbox, "uon")
    told = uon(sandbox, "call_history/create", **HISTORY)
    assert told.status_code == 200 and told.json()["result"] == 200 and isinstance(told.json()["id"], str)
    assert requests.post(f"{sandbox.url}/{KEY}/call_history/create.json", data=HISTORY, timeout=10).status_code == 200
    [call] = calls(sandbox, "uon")
    assert (call["direction"], call["user"], call["extension"], call["duration"], call["result"], call["entries"]) == (
        "in", "17", "151", 61, HISTORY["note"], 2)
    assert call["external_id"] == "0367-1.1"  # only by what we write into the note
    assert [one["phone"] for one in uon(sandbox, "call_history/1", verb="GET").json()["call_history"]] == ["375291112233"]
    assert uon(sandbox, "call_history_by_user/815/1", verb="GET").status_code == 200
    assert uon(sandbox, "call_history_by_user/816/1", verb="GET").status_code == 404
    assert KEY not in json.dumps(sandbox.ask("requests")) and sandbox.ask("requests")[0]["path"] == "/***/call_history/create.json"


@pytest.mark.parametrize("path, body, words", [
    ("call_history/create", {**HISTORY, "start": "2026-11-21T12:00:00"}, "start"),
    ("call_history/create", {**HISTORY, "direction": 0}, "direction"),
    ("call_history/create", {"start": HISTORY["start"]}, "phone"),
    ("call_history/create", {**HISTORY, "manager_id": 999}, "manager_id"),
    ("notification/create", {"text": "x"}, "manager_id"),
    ("notification/create", {"text": " ", "manager_id": 16}, "text"),
    ("reminder/create", {"type_id": 1, "datetime": "2026-11-21 12:00:00", "text": "x"}, "datetime_to"),
    ("lead/create", {"note": "x"}, "u_phone"),
    ("webhook/create", {"type_id": 47}, "url"),
])
def test_uon_refuses_wrong_fields(sandbox, path, body, words):
    declare(sandbox, "uon")
    answer = uon(sandbox, path, **body)
    assert answer.status_code == 400 and words in answer.json()["error"], answer.text


def test_uon_people_leads_reminders_and_webhooks(sandbox):
    declare(sandbox, "uon")
    assert uon(sandbox, "user/phone/375290000000", verb="GET").status_code == 404
    [user] = uon(sandbox, "user/phone/375291112233", verb="GET").json()["users"]
    assert (user["u_id"], user["u_surname"], user["u_manager_id"]) == ("815", "Ильин", "17")
    made = uon(sandbox, "user/create", u_name="Новый", u_phone_mobile="+375447000000").json()["id"]
    assert uon(sandbox, f"user/update/{made}", u_manager_id=16).status_code == 200
    assert [one["u_id"] for one in uon(sandbox, "users/1", verb="GET").json()["users"]] == ["815", made]
    assert uon(sandbox, "users/2", verb="GET").status_code == 404
    lead = uon(sandbox, "lead/create", u_phone="+375291112233", source="call").json()["id"]
    assert uon(sandbox, f"request/update/{lead}", lead_status_id=2, manager_id=16).status_code == 200
    [found] = uon(sandbox, "lead-by-client/815", verb="GET").json()["leads"]
    assert (found["id"], found["status_id"], found["manager_id"]) == (lead, "2", "16")
    uon(sandbox, "reminder/create", type_id=1, datetime="2026-11-21 12:00:00", datetime_to="2026-11-21 13:00:00",
        text="перезвонить", manager_id=16)
    uon(sandbox, "notification/create", text="<b>звонок</b>", manager_id=16)
    assert [one["text"] for one in cards(sandbox, "uon", "reminders")] == ["перезвонить"]
    assert [(one["manager_id"], one["text"]) for one in cards(sandbox, "uon", "notifications")] == [("16", "<b>звонок</b>")]
    assert [one["u_id"] for one in uon(sandbox, "manager", verb="GET").json()["users"]] == ["16", "17"]
    assert uon(sandbox, "webhook/1", verb="GET").status_code == 404
    hook = uon(sandbox, "webhook/create", type_id=47, url="https://hooks.example/uon", method="POST")
    [shown] = uon(sandbox, "webhook/1", verb="GET").json()["webhooks"]
    assert (shown["id"], shown["type_id"], shown["method"]) == (hook.json()["id"], "47", "POST")
    assert uon(sandbox, f"webhook/delete/{shown['id']}").status_code == 200
    assert uon(sandbox, "webhook/1", verb="GET").status_code == 404
    assert uon(sandbox, "call_history/delete").status_code in (404, 405)
    assert requests.get(f"{sandbox.url}/{KEY}/manager.xml", timeout=10).status_code == 400


# -- MoySklad ----------------------------------------------------------------------------------------

def phone_api(sandbox, path, body=None, method="POST", key=KEY):
    headers = {"Lognex-Phone-Auth-Token": key} if key else {}
    return requests.request(method, f"{sandbox.url}/api/phone/1.0/{path}", json=body, headers=headers, timeout=10)


def remap(sandbox, path, token=KEY, **more):
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip", **more.pop("headers", {})}
    return requests.request(more.pop("method", "GET"), f"{sandbox.url}/api/remap/1.2/{path}", headers=headers, timeout=10, **more)


CALL = {"externalId": "0367-1.1", "number": PHONE, "isIncoming": True, "startTime": "2026-11-21 12:00:00.000"}


def test_moysklad_shows_a_call_from_popup_to_journal(sandbox):
    declare(sandbox, "moysklad")
    made = phone_api(sandbox, "call", CALL)
    assert made.status_code == 200 and made.json()["externalId"] == "0367-1.1"
    event = f"call/{made.json()['id']}/event"
    for sequence, (kind, extension) in enumerate((("SHOW", "150"), ("SHOW", "151"), ("STARTTIME", "151"), ("HIDE", "150"))):
        shown = phone_api(sandbox, event, {"eventType": kind, "extension": extension, "sequence": sequence})
        assert shown.status_code == 204 and shown.text == "", shown.text
    stale = phone_api(sandbox, event, {"eventType": "HIDE_ALL", "sequence": 3})
    assert stale.status_code == 412 and "sequence" in stale.json()["errors"][0]["error"]
    assert phone_api(sandbox, "call/extid/0367-1.1/event", {"eventType": "HIDE_ALL", "sequence": 9}).status_code == 204
    change = {"endTime": "2026-11-21 12:01:10.000", "duration": 61000, "extension": "151", "comment": "Разговор 61 с",
              "recordUrl": ["https://pbx.example/1.mp3"]}
    assert phone_api(sandbox, "call/extid/0367-1.1", change, "PUT").status_code == 200
    phone_api(sandbox, "call/extid/0367-1.1", {"extension": "150", "comment": "другое", "recordUrl": ["https://pbx.example/2.mp3"]}, "PUT")
    again = phone_api(sandbox, "call", CALL)
    assert again.status_code == 412 and again.json()["errors"][0]["code"] == 3006
    [call] = calls(sandbox, "moysklad")
    assert (call["extension"], call["user"], call["duration"], call["result"], call["entries"], call["updates"] >= 2) == (
        "151", "17", 61, "другое", 1, True)
    assert call["records"] == ["https://pbx.example/1.mp3", "https://pbx.example/2.mp3"]
    assert popups(call) == [("16", "150", True, 1), ("17", "151", True, 1)] and call["talk_extension"] == "151"


@pytest.mark.parametrize("body, words", [
    ({**CALL, "startTime": "2026-11-21 12:00:00"}, "startTime"), ({**CALL, "isIncoming": "true"}, "isIncoming"),
    ({"externalId": "1"}, "number"), ({**CALL, "employee": {"href": "http://x", "type": "employee"}}, "employee.meta"),
    ({**CALL, "recordUrl": "https://pbx.example/1.mp3"}, "recordUrl"), ({**CALL, "comment": "x" * 5000}, "comment"),
    ({**CALL, "events": [{"eventType": "START", "extension": "1", "sequence": 1}]}, "eventType"), ([1], "JSON object"),
])
def test_moysklad_refuses_wrong_fields(sandbox, body, words):
    answer = phone_api(sandbox, "call", body)
    assert answer.status_code == 400 and words in answer.json()["errors"][0]["error"], answer.text
    assert calls(sandbox, "moysklad") == []


def test_moysklad_has_two_apis_with_a_key_each(sandbox):
    declare(sandbox, "moysklad", api_token="token-of-remap")
    assert phone_api(sandbox, "employee", method="GET", key=None).status_code == 401
    refused = remap(sandbox, "entity/employee", headers={"Authorization": "Basic eDp5"})
    assert refused.status_code == 401 and refused.json()["errors"][0]["code"] == 1056
    assert remap(sandbox, "entity/employee", headers={"Accept-Encoding": "identity"}).status_code == 415
    raw = remap(sandbox, "entity/employee", token="token-of-remap", stream=True)
    assert raw.headers["Content-Encoding"] == "gzip"
    assert [one["id"] for one in json.loads(gzip.decompress(raw.raw.read()))["rows"]] == ["16", "17"]
    employees = phone_api(sandbox, "employee?filter=extention=151", method="GET").json()["employees"]
    assert [(one["extention"], one["meta"]["href"].rsplit("/", 1)[1]) for one in employees] == [("151", "17")]


def test_moysklad_filters_counterparties(sandbox):
    declare(sandbox, "moysklad", customers=[{**CUSTOMER, "phones": [PHONE], "people": [{"id": "c1", "name": "Ольга", "phone": "1"}]}])
    for phone_filter, found in (("phone~291112233", 1), ("phone=+375291112233", 1), ("phone~=+375", 1), ("phone=~2233", 1),
                                ("phone=2233", 0), ("phone!=2233", 1), ("updated>2026-01-01 00:00:00", 1), ("updated>2100-01-01 00:00:00", 0)):
        rows = remap(sandbox, "entity/counterparty", params={"filter": phone_filter, "order": "updated,asc"}).json()["rows"]
        assert len(rows) == found, phone_filter
    assert rows == [] and remap(sandbox, "entity/counterparty", params={"filter": "colour=red"}).status_code == 412
    assert remap(sandbox, "entity/counterparty", params={"limit": 5000}).status_code == 412
    assert remap(sandbox, "entity/counterparty/815/contactpersons").json()["rows"][0]["name"] == "Ольга"
    made = remap(sandbox, "entity/counterparty", method="POST", json={"name": "Новый", "phone": "+375447000000"}).json()
    assert remap(sandbox, f"entity/counterparty/{made['id']}").json()["phone"] == "+375447000000"
    assert remap(sandbox, "entity/counterparty", method="POST", json={"phone": "1"}).status_code == 400


def test_moysklad_signs_its_clicks(sandbox, receiver):
    declare(sandbox, "moysklad", hook_url=receiver.url + "/ms/webhook/uuid")
    assert sandbox.tell("crm/click", crm="moysklad", key=KEY, phone=PHONE, user="17")["status"] == 200
    [(method, path, values, headers)] = receiver.got
    assert (method, path, values["srcNumber"], values["destNumber"]) == ("POST", "/ms/webhook/uuid", "151", PHONE)
    signed = (KEY + values["srcNumber"] + values["destNumber"] + values["uid"]).encode()
    assert headers["Lognex-Content-MD5"] == hashlib.md5(signed).hexdigest().upper()


# -- Bitrix24 ----------------------------------------------------------------------------------------

def bitrix(sandbox, method, auth=KEY, **body):
    return requests.post(f"{sandbox.url}/rest/{method}", json={**body, "auth": auth}, timeout=10)


REGISTER = {"USER_ID": 16, "PHONE_NUMBER": PHONE, "TYPE": 2, "CALL_START_DATE": "2026-11-21T12:00:00+03:00", "SHOW": 0,
            "LINE_NUMBER": "0001363", "EXTERNAL_CALL_ID": "0367-1.1"}


def test_bitrix24_shows_a_call_from_popup_to_journal(sandbox):
    made = bitrix(sandbox, "telephony.externalCall.register.json", **REGISTER).json()["result"]
    again = bitrix(sandbox, "telephony.externalcall.register", **REGISTER).json()["result"]
    assert again["CALL_ID"] == made["CALL_ID"] and made["CALL_ID"].startswith("externalCall.")
    assert bitrix(sandbox, "telephony.externalCall.show", CALL_ID=made["CALL_ID"], USER_ID=[16, 17]).json()["result"] is True
    assert bitrix(sandbox, "telephony.externalCall.hide", CALL_ID=made["CALL_ID"], USER_ID=16).json()["result"] is True
    assert bitrix(sandbox, "telephony.externalCall.attachRecord", CALL_ID=made["CALL_ID"],
                  RECORD_URL="https://pbx.example/1.mp3").status_code == 400  # not finished yet
    finish = {"CALL_ID": made["CALL_ID"], "USER_ID": 17, "DURATION": 61, "STATUS_CODE": "200"}
    assert bitrix(sandbox, "telephony.externalCall.finish", **finish).json()["result"]["CALL_DURATION"] == 61
    twice = bitrix(sandbox, "telephony.externalCall.finish", **finish)
    assert twice.status_code == 400 and twice.json()["error"] == "ERROR_CORE"
    bitrix(sandbox, "telephony.externalCall.attachRecord", CALL_ID=made["CALL_ID"], RECORD_URL="https://pbx.example/1.mp3")
    [call] = calls(sandbox, "bitrix24")
    assert (call["external_id"], call["direction"], call["user"], call["duration"], call["result"], call["record_url"],
            call["entries"], call["updates"]) == ("0367-1.1", "in", "17", 61, "200", "https://pbx.example/1.mp3", 1, 1)
    assert popups(call) == [("16", "", True, 1), ("17", "", True, 1)]
    assert [one["what"] for one in call["told"]] == ["register", "register", "show", "hide", "finish", "finish", "attachRecord"]
    bitrix(sandbox, "telephony.externalCall.register", **{**REGISTER, "USER_ID": 17})
    assert len(calls(sandbox, "bitrix24")) == 2  # another user: another call


@pytest.mark.parametrize("method, body, words", [
    ("telephony.externalCall.register", {**REGISTER, "TYPE": 9}, "TYPE"),
    ("telephony.externalCall.register", {**REGISTER, "CALL_START_DATE": "2026-11-21 12:00:00"}, "CALL_START_DATE"),
    ("telephony.externalCall.register", {**REGISTER, "PHONE_NUMBER": "anonymous"}, "PHONE_NUMBER"),
    ("telephony.externalCall.register", {k: v for k, v in REGISTER.items() if k != "USER_ID"}, "USER_ID"),
    ("telephony.externalCall.finish", {"CALL_ID": "externalCall.x", "USER_ID": 16}, "not found"),
    ("telephony.externalCall.finish", {"USER_ID": 16}, "CALL_ID"),
    ("telephony.externalCall.show", {"CALL_ID": "externalCall.x", "USER_ID": 16}, "not found"),
    ("telephony.externalLine.add", {"NAME": "x"}, "NUMBER"), ("event.bind", {"EVENT": "X"}, "HANDLER"),
])
def test_bitrix24_refuses_wrong_arguments(sandbox, method, body, words):
    answer = bitrix(sandbox, method, **body)
    assert answer.status_code == 400 and words in answer.json()["error_description"], answer.text
    assert calls(sandbox, "bitrix24") == []


def test_bitrix24_closes_to_webhooks_what_is_for_applications(sandbox):
    base = f"{sandbox.url}/rest/1/code-of-the-webhook"
    refused = requests.post(f"{base}/telephony.externalCall.register.json", json=REGISTER, timeout=10)
    assert refused.status_code == 403 and refused.json()["error"] == "WRONG_AUTH_TYPE"
    assert requests.post(f"{base}/user.get", timeout=10).status_code == 200
    assert bitrix(sandbox, "no.such.method").status_code == 404
    assert requests.post(f"{sandbox.url}/rest/user.get", timeout=10).json()["error"] == "NO_AUTH_FOUND"
    assert "code-of-the-webhook" not in json.dumps(sandbox.ask("requests"))


PORTAL = {"client_id": "app.1", "client_secret": "secret-of-the-app", "refresh_token": "refresh-token-1", "application_token": "app-token-1"}


def renew(sandbox, refresh, **change):
    query = {"grant_type": "refresh_token", "client_id": "app.1", "client_secret": "secret-of-the-app", "refresh_token": refresh, **change}
    return requests.get(f"{sandbox.url}/oauth/token/", params=query, timeout=10)


def test_bitrix24_tokens_expire_and_rotate(sandbox):
    declare(sandbox, "bitrix24", access_token_seconds=0, **PORTAL)
    assert bitrix(sandbox, "user.get", auth="whatever").json()["error"] == "NO_AUTH_FOUND"
    assert renew(sandbox, "refresh-token-1", client_secret="wrong").json()["error"] == "invalid_client"
    first = renew(sandbox, "refresh-token-1").json()
    assert renew(sandbox, "refresh-token-1").json()["error"] == "invalid_grant"  # it was used
    expired = bitrix(sandbox, "user.get", auth=first["access_token"])
    assert expired.status_code == 401 and expired.json()["error"] == "expired_token"
    declare(sandbox, "bitrix24", access_token_seconds=3600)
    second = renew(sandbox, first["refresh_token"]).json()
    users = bitrix(sandbox, "user.get", auth=second["access_token"], filter={"ACTIVE": "true"}).json()
    assert [(one["ID"], one["UF_PHONE_INNER"]) for one in users["result"]] == [("16", "150"), ("17", "151")]
    assert bitrix(sandbox, "telephony.externalCall.register", auth=second["access_token"],
                  **{**REGISTER, "USER_ID": 99}).json()["error"] == "ERROR_CORE"
    notes = json.dumps(sandbox.ask("requests"))
    for secret in ("secret-of-the-app", "refresh-token-1", *(one[name] for one in (first, second) for name in ("access_token", "refresh_token"))):
        assert secret not in notes


def test_bitrix24_finds_people_and_keeps_lines_and_handlers(sandbox, receiver):
    declare(sandbox, "bitrix24", access_token="access-token-1", **PORTAL)
    token = {"auth": "access-token-1"}
    [found] = bitrix(sandbox, "telephony.externalCall.searchCrmEntities", PHONE_NUMBER=PHONE, **token).json()["result"]
    assert (found["CRM_ENTITY_ID"], found["ASSIGNED_BY"]["USER_PHONE_INNER"]) == (815, "151")
    contacts = bitrix(sandbox, "crm.contact.list", filter={">DATE_MODIFY": "2026-01-01T00:00:00+00:00"}, start=0, **token).json()
    assert contacts["total"] == 1 and contacts["result"][0]["PHONE"][0]["VALUE"] == "8 (029) 111-22-33"
    bitrix(sandbox, "telephony.externalLine.add", NUMBER="0001363", NAME="МТС", **token)
    assert bitrix(sandbox, "telephony.externalLine.get", **token).json()["result"] == [
        {"NUMBER": "0001363", "NAME": "МТС", "CRM_AUTO_CREATE": "Y"}]
    bind = {"event": "ONEXTERNALCALLSTART", "handler": receiver.url + "/api/bitrix24-crm/uuid"}
    assert bitrix(sandbox, "event.bind", **bind, **token).json()["result"] is True
    assert bitrix(sandbox, "event.bind", **bind, **token).json()["error"] == "ERROR_EVENT_BINDING_EXISTS"
    assert sandbox.tell("crm/click", crm="bitrix24", key=KEY, phone=PHONE, user="17")["status"] == 200
    [(_, path, values, _)] = receiver.got
    assert (path, values["event"], values["data[USER_ID]"], values["auth[application_token]"]) == (
        "/api/bitrix24-crm/uuid", "ONEXTERNALCALLSTART", "17", "app-token-1")
    [call] = calls(sandbox, "bitrix24")
    assert call["call_id"] == values["data[CALL_ID]"] and popups(call) == [("17", "151", False, 1)]
    assert bitrix(sandbox, "telephony.externalCall.finish", CALL_ID=call["call_id"], USER_ID=17, DURATION=5, **token).status_code == 200
    assert renew(sandbox, "refresh-token-1").status_code == 200  # an event renews no token


# -- the receiver of webhooks ------------------------------------------------------------------------

def hook(sandbox, body, secret="MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", **headers):
    import base64
    import hmac
    import time
    text = json.dumps(body)
    headers = {"webhook-id": "msg-1", "webhook-timestamp": str(int(time.time())), **headers}
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{text}".encode()
    mac = base64.b64encode(hmac.new(base64.b64decode(secret), signed, hashlib.sha256).digest()).decode()
    return requests.post(f"{sandbox.url}/hook/june", data=text, timeout=10,
                         headers={"Content-Type": "application/json", "webhook-signature": f"v1,AAAA v1,{mac}", **headers})


def test_webhooks_are_verified_and_counted(sandbox):
    sandbox.tell("crm/accounts", crm="webhook", key="june", secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = {"type": "call.hangup", "data": {"key": "1.1", "outgoing": False, "phone": PHONE, "extension": "151",
                                            "result": "talked", "talk_seconds": 61, "wait_seconds": 9}}
    assert hook(sandbox, body).status_code == 204 and hook(sandbox, body).status_code == 204
    assert hook(sandbox, body, secret="AAAA").status_code == 401
    assert hook(sandbox, body, **{"webhook-timestamp": "1"}).status_code == 401
    assert hook(sandbox, [1]).status_code == 400
    assert requests.get(f"{sandbox.url}/hook/june", timeout=10).status_code == 405
    [message] = cards(sandbox, "webhook", "notifications", key="june")
    assert message["entries"] == 2 and message["verified"] is True and message["body"] == body
    [call] = calls(sandbox, "webhook", key="june")
    assert (call["external_id"], call["result"], call["duration"], call["waiting"], call["entries"]) == ("1.1", "talked", 61, 9, 1)
    assert [one["what"] for one in call["told"]] == ["call.hangup", "again call.hangup"]


# -- limits and faults -------------------------------------------------------------------------------

def test_each_crm_has_its_limits(sandbox):
    sandbox.tell("limits", crm="all", enabled=True)
    answers = [retail(sandbox, "credentials", method="GET").status_code for _ in range(30)]
    assert 503 in answers and answers[:10] == [200] * 10
    answers = [uon(sandbox, "manager", verb="GET") for _ in range(30)]
    over = [one for one in answers if one.status_code == 429]
    assert over and "Retry-After" not in over[0].headers and answers[9].status_code == 404
    answers = [remap(sandbox, "entity/employee") for _ in range(13)]
    assert [one.status_code for one in answers] == [200] * 11 + [429] * 2
    assert 0 < int(answers[-1].headers["X-Lognex-Retry-After"]) <= 3000 and answers[-1].json()["errors"][0]["code"] == 1049
    answers = [bitrix(sandbox, "scope").status_code for _ in range(60)]
    assert answers[:50] == [200] * 50 and 503 in answers
    assert {one["crm"]: one["violations"] > 0 for one in sandbox.ask("crm/accounts")} == dict.fromkeys(
        ("retailcrm", "uon", "moysklad", "bitrix24"), True)
    sandbox.tell("limits", crm="uon", limit="api", per_second=1, burst=1)
    assert [uon(sandbox, "manager", key="another-key", verb="GET").status_code for _ in range(2)] == [404, 429]
    sandbox.tell("limits", crm="all", enabled=False)
    assert uon(sandbox, "manager", key="another-key", verb="GET").status_code == 404


def test_moysklad_takes_five_requests_at_once(sandbox):
    sandbox.tell("limits", crm="moysklad", enabled=True)
    sandbox.tell("faults", service="moysklad", path="employee", delay_ms=60000, times=5)
    def hang():
        with contextlib.suppress(requests.ConnectionError):  # the reset drops it
            phone_api(sandbox, "employee", method="GET")

    held = [threading.Thread(target=hang) for _ in range(5)]
    try:
        for one in held:
            one.start()
        while sum(note["status"] is None for note in sandbox.ask("requests")) < 5:
            pass
        crowded = phone_api(sandbox, "employee", method="GET")
        assert crowded.status_code == 429 and crowded.json()["errors"][0]["code"] == 1073
    finally:
        sandbox.tell("reset")
        for one in held:
            one.join()


def test_faults_are_answered_in_the_crms_own_shape(sandbox):
    for service in ("retailcrm", "uon", "moysklad", "bitrix24", "webhook"):
        sandbox.tell("faults", service=service, status=503, description="down for a while")
        sandbox.tell("faults", service=service, status=429, retry_after=7)
    ask = {"retailcrm": lambda: retail(sandbox, "v5/users", method="GET"), "uon": lambda: uon(sandbox, "manager", verb="GET"),
           "moysklad": lambda: phone_api(sandbox, "employee", method="GET"), "bitrix24": lambda: bitrix(sandbox, "user.get"),
           "webhook": lambda: hook(sandbox, {})}
    shape = {"retailcrm": lambda body: body["errorMsg"], "uon": lambda body: body["error"], "webhook": lambda body: body["error"],
             "moysklad": lambda body: body["errors"][0]["error"], "bitrix24": lambda body: body["error_description"]}
    for service in ask:
        answer = ask[service]()
        assert answer.status_code == 503 and shape[service](answer.json()) == "down for a while"
        slow = ask[service]()
        assert slow.status_code == 429
        assert slow.headers.get("X-Lognex-Retry-After" if service == "moysklad" else "Retry-After") == ("7000" if service == "moysklad" else "7")
        assert ask[service]().status_code < 500
    sandbox.tell("faults", service="retailcrm", path="calls/upload", drop="after")
    with pytest.raises(requests.ConnectionError):
        retail(sandbox, "v5/telephony/calls/upload", calls=[UPLOAD])
    assert [one["entries"] for one in calls(sandbox, "retailcrm")] == [1]


def test_nonsense_is_refused_and_hurts_nobody(sandbox):
    for body in ({"crm": "retailcrm"}, {"crm": "salesforce", "key": KEY}, {"crm": "uon", "key": "x"},
                 {"crm": "uon", "key": KEY, "users": {}}, {"crm": "uon", "key": KEY, "users": [{"name": "x"}]}):
        assert requests.post(f"{sandbox.url}/_sandbox/crm/accounts", json=body, timeout=10).status_code == 422, body
    for path in ("/rest/", "/rest/1", "/rest/1/2", "/hook/", "/api/v5/", "/api/phone/1.0/", "/x/y.json", "/oauth/token/",
                 "/api/remap/1.2/entity/counterparty/%00", "/rest/a.json?auth=" + "x" * 3000):
        for method in ("GET", "POST", "PUT", "DELETE"):
            for text in (b"", b"{", b"[" * 300, b"\xff\xfe", b"event=%zz", b'{"event":' * 50):
                answer = requests.request(method, sandbox.url + path, data=text, timeout=10,
                                          headers={"Content-Type": "application/json", "X-API-KEY": KEY})
                assert answer.status_code < 500, (method, path, answer.text)
    assert requests.get(f"{sandbox.url}/readyz", timeout=10).status_code == 200
    assert requests.post(f"{sandbox.url}/_sandbox/crm/click", json={"crm": "uon", "key": "nobody"}, timeout=10).status_code == 404


def test_many_calls_are_listed_whole(sandbox):
    many = [{**UPLOAD, "externalId": f"{number}.1"} for number in range(3000)]
    for at in range(0, len(many), 50):
        assert retail(sandbox, "v5/telephony/calls/upload", calls=many[at:at + 50]).status_code == 200
    listed = calls(sandbox, "retailcrm")
    assert [one["external_id"] for one in listed] == [one["externalId"] for one in many]
    assert [one["external_id"] for one in calls(sandbox, "retailcrm", external_id="17.1")] == ["17.1"]


# -- a process that a CRM calls ----------------------------------------------------------------------

class Receiver:
    def __init__(self):
        self.got = got = []

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                url = urlsplit(self.path)
                text = self.rfile.read(length).decode() if length else url.query
                got.append((self.command, url.path, {k: v[0] for k, v in parse_qs(text, keep_blank_values=True).items()}, self.headers))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"OK")
            do_GET = do_POST = answer

            def log_message(self, *_):
                pass
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()
