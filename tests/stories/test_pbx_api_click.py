"""Somebody clicks on a number in a CRM: the PBX calls that person's phone, and the answer says what came of it."""
import json
import re
import threading
import time

import pytest
import requests
from ami import FakeAmi, SECRET
from fake_lookup import FakeLookup
from stack import INTERNAL_SECRET
from waiting import wait_until

CLIENT = "client-id-of-enterprise-0367"
PHONE = "+375290000001"
OURS = {"X-Callweave-Secret": INTERNAL_SECRET}


class World:
    """One enterprise, its PBX, and a way to click."""

    def __init__(self, stack, pbx, cache):
        self.stack, self.pbx, self.cache = stack, pbx, cache
        self.url = stack.url("pbx-api") + "/api/makecallexternal"

    def click(self, headers=None, method="GET", **params):
        params = {"code": "150", "phone": PHONE, "clientId": CLIENT, **params}
        params = {name: value for name, value in params.items() if value is not None}
        return requests.request(method, self.url, params=params, headers=headers, timeout=60)

    def ours(self, **params):
        return self.click(headers=OURS, **{"clientId": None, "enterprise": "0367", **params})

    def set_ami(self, settings):
        """As an operator would, and until pbx-api has it: a click that is told of the change."""
        self.stack.sql("UPDATE enterprises SET settings = %s WHERE number = '0367'", [json.dumps(settings)])
        before = self.stack.services["pbx-api"].text().count("fence-")
        mark = f"fence-{before}"
        self.stack.sql("UPDATE enterprises SET name = %s WHERE number = '0367'", [mark])
        wait_until(lambda: self.click(code="999").status_code == 422 and self.name() == mark, 10,
                   "pbx-api has the new settings")

    def name(self):
        phone = f"+37529{time.monotonic_ns() % 10**7:07d}"
        return self.ours(phone=phone, wait=0).json().get("enterprise")


@pytest.fixture
def world(make_stack):
    with FakeAmi() as pbx, FakeLookup() as cache:
        stack = make_stack(("pbx-api",), settings={
            "CALLWEAVE_PBX_API_CACHE_URL": cache.url, "CALLWEAVE_PBX_API_RING_SECONDS": "5",
            "CALLWEAVE_PBX_API_WAIT_SECONDS": "10", "CALLWEAVE_PBX_API_CLICKS_PER_MINUTE": "600"})
        stack.secrets.add("the AMI secret", SECRET)
        stack.secrets.add("the clientId", CLIENT)
        stack.enterprise("0367", secret=CLIENT, name="june", ip="127.0.0.1", locale="en",
                         settings=json.dumps(pbx.settings()))
        stack.sql("INSERT INTO user_internal_phones (enterprise_number, phone_number) VALUES ('0367', '150')")
        stack.enterprise("0368", secret="client-id-of-enterprise-0368", locale="ru")
        stack.start_all()
        yield World(stack, pbx, cache)


def test_the_phone_is_called_and_then_the_number(world):
    world.cache.answer = {"name": "Anna \"Nyuta\" Petrova", "responsible": {"extension": "151"}}
    answer = world.click()
    body = answer.json()
    assert answer.status_code == 200 and body["success"] is True, body
    assert body["message"] == "150: has answered, the number is being called"
    assert body["outcome"] == "answered"
    assert (body["enterprise"], body["enterprise_number"]) == ("june", "0367")
    assert (body["from_ext"], body["to_phone"], body["host_ip"]) == ("150", PHONE, "127.0.0.1")
    assert body["customer"] == body["display_name"] == "Anna  Nyuta  Petrova"
    assert isinstance(body["response_time_ms"], int)
    (call,) = world.pbx.calls
    assert call["Channel"] == "SIP/150" and call["Exten"] == "375290000001" and call["Context"] == "inoffice"
    assert call["CallerID"] == f'"Anna  Nyuta  Petrova" <{PHONE}>'
    assert world.cache.asked == [("/lookup", {"enterprise": "0367", "phone": PHONE}, INTERNAL_SECRET)]
    assert world.stack.services["pbx-api"].metric("callweave_clicks_total") == 1


def test_the_secret_does_not_cross_the_wire_and_nothing_of_it_is_logged(world):
    world.click()
    assert all(SECRET not in str(action) for action in world.pbx.actions)
    log = world.stack.services["pbx-api"].text()
    assert "click: 150 calls" in log
    assert SECRET not in log and CLIENT not in log and PHONE not in log


@pytest.mark.parametrize("behaviour, outcome, message", [
    ("no_answer", "no_answer", "150: does not answer"),
    ("declined", "no_answer", "150: does not answer"),
    ("busy", "busy", "150: is busy"),
    ("unavailable", "unavailable", "150: the phone is not connected to the PBX"),
    ("congestion", "unavailable", "150: the phone is not connected to the PBX"),
    ("refuses", "refused", "150: the PBX refused the call"),
    ("drops", "unknown", "150: the PBX has not said what became of the call"),
    ("silent", "unreachable", "150: the PBX cannot be reached"),
    ("mute", "unreachable", "150: the PBX cannot be reached"),
    ("ssh", "unreachable", "150: the PBX cannot be reached"),
    ("floods", "unreachable", "150: the PBX cannot be reached"),
])
def test_what_went_wrong_is_said(world, behaviour, outcome, message):
    world.pbx.behaviour = behaviour
    answer = world.click()
    assert answer.status_code == 200
    body = answer.json()
    assert (body["success"], body["outcome"], body["message"]) == (False, outcome, message)


def test_a_wrong_secret_of_the_pbx(world):
    world.pbx.secret = "another one"
    body = world.click().json()
    assert (body["success"], body["outcome"]) == (False, "denied")
    assert world.pbx.calls == []
    assert "Authentication failed" in world.stack.services["pbx-api"].text()


def test_no_pbx_there(world):
    world.pbx.__exit__()
    body = world.click().json()
    assert (body["success"], body["outcome"]) == (False, "unreachable")
    assert "Connection refused" in world.stack.services["pbx-api"].text()


def test_who_does_not_want_to_wait_is_told_that_it_rings(world):
    world.pbx.behaviour = "holds"
    body = world.click(wait=0).json()
    assert (body["success"], body["outcome"], body["message"]) == (True, "ringing", "150: is ringing")
    assert len(world.pbx.calls) == 1


def test_a_double_click_is_one_call(world):
    world.pbx.behaviour = "holds"
    answers = []
    clicks = [threading.Thread(target=lambda: answers.append(world.click().json())) for _ in range(3)]
    for click in clicks:
        click.start()
    wait_until(lambda: world.pbx.calls, 10, "the PBX is asked")
    again = threading.Thread(target=lambda: answers.append(world.click().json()))
    again.start()
    world.pbx.release()
    for click in [*clicks, again]:
        click.join(30)
    assert [answer["outcome"] for answer in answers] == ["answered"] * 4
    assert len(world.pbx.calls) == 1
    assert world.click(phone="+375290000002").json()["outcome"] == "answered"
    assert len(world.pbx.calls) == 2, "another number is another call"


def test_a_lost_client_does_not_undo_the_call(world):
    world.pbx.behaviour = "holds"
    with pytest.raises(requests.RequestException):
        requests.get(world.url, params={"code": "150", "phone": PHONE, "clientId": CLIENT}, timeout=0.5)
    wait_until(lambda: world.pbx.calls, 10, "the PBX is asked")
    world.pbx.release()
    assert world.click().json()["outcome"] == "answered"
    assert len(world.pbx.calls) == 1


@pytest.mark.parametrize("params, status, words", [
    ({"code": None}, 400, "code: missing"),
    ({"phone": None}, 400, "phone: missing"),
    ({"clientId": None}, 400, "clientId: missing"),
    ({"clientId": "client-id-of-nobody-at-all"}, 401, "Invalid clientId"),
    ({"clientId": "0367"}, 401, "Invalid clientId"),  # its number
    ({"clientId": "june"}, 401, "Invalid clientId"),  # its name
    ({"clientId": "token-0367"}, 401, "Invalid clientId"),  # its PBX's token
    ({"clientId": "client-id-of-enterprise-0368"}, 422, "code: not an extension of this enterprise"),
    ({"code": "151"}, 422, "code: not an extension of this enterprise"),
    ({"code": "150\r\nAction: Command"}, 422, "code: not an extension of this enterprise"),
    ({"phone": "anonymous"}, 422, "phone: not a telephone number"),
    ({"phone": "150"}, 422, "phone: not a telephone number"),
    ({"phone": "+375290000001\r\nAction: Command\r\nCommand: core stop now"}, 422, "phone: not a telephone number"),
    ({"phone": "1" * 5000}, 422, "phone: not a telephone number"),
])
def test_wrong_questions_are_refused_with_words(world, params, status, words):
    answer = world.click(**params)
    assert (answer.status_code, answer.json()["message"]) == (status, words)
    assert answer.json()["success"] is False and answer.json()["detail"] == words
    assert world.pbx.actions == []


def test_an_enterprise_that_is_switched_off(world):
    world.stack.sql("UPDATE enterprises SET active = false WHERE number = '0367'")
    wait_until(lambda: world.click().status_code == 401, 5, "it is not known any more")


def test_form_and_json_bodies(world):
    params = {"code": "150", "phone": "8 (029) 000-00-01", "clientId": CLIENT}
    assert requests.post(world.url, data=params, timeout=30).json()["to_phone"] == PHONE
    assert requests.post(world.url, json={**params, "phone": "+375290000003"},
                         timeout=30).json()["to_phone"] == "+375290000003"
    assert requests.post(world.url, data="{", headers={"Content-Type": "application/json"},
                         timeout=30).status_code == 400


def test_our_own_adapters_name_the_enterprise(world):
    assert world.ours().json()["outcome"] == "answered"
    wrong = world.click(headers={"X-Callweave-Secret": "x" * 40}, clientId=None, enterprise="0367")
    assert wrong.status_code == 401
    assert world.ours(enterprise="0399").status_code == 401
    assert world.ours(enterprise=None).json()["message"] == "enterprise: missing"
    both = world.click(headers={"X-Callweave-Secret": "x" * 40}, enterprise="0367")
    assert both.status_code == 401, "a wrong secret is not mended by a clientId"


def test_the_call_of_a_click_is_found_once(world):
    world.ours(origin="bitrix24", origin_call="externalCall.9b3b")
    find = "SELECT * FROM click_call_of(%s, '0367', %s, %s, now() + %s::interval)"
    assert world.stack.sql(find, [1, "151", PHONE, "3 seconds"]) == []
    assert world.stack.sql(find, [2, "150", "+375290000009", "3 seconds"]) == []
    assert world.stack.sql(find, [3, "150", PHONE, "10 minutes"]) == []
    for _ in range(2):  # who asks again is told the same
        (found,) = world.stack.sql(find, [4, "150", PHONE, "3 seconds"])
        assert (found["crm"], found["origin_call"]) == ("bitrix24", "externalCall.9b3b")
    assert world.stack.sql(find, [5, "150", PHONE, "3 seconds"]) == [], "another call did not come of it"


def test_only_our_adapters_say_where_a_click_came_from(world):
    world.click(origin="bitrix24", origin_call="1")
    assert world.stack.sql("SELECT * FROM click_calls") == []


def test_settings_of_the_pbx(world):
    world.set_ami(world.pbx.settings(channel="Local/%s@web-originate", context="dialexecute", number="e164", plain=True))
    world.pbx.actions.clear()
    assert world.click().json()["outcome"] == "answered"
    (call,) = world.pbx.calls
    assert (call["Channel"], call["Context"], call["Exten"]) == ("Local/150@web-originate", "dialexecute", PHONE)
    # The goodbye of an earlier story's connection may come as late as now.
    asked = [action["Action"] for action in world.pbx.actions if action["Action"] != "Logoff"]
    assert asked == ["Login", "Originate"]


@pytest.mark.parametrize("settings, words", [
    ({}, "no ami in the enterprise's settings"),
    ({"ami": {"secret": "x"}}, "ami.user: missing"),
    ({"ami": {"user": "x"}}, "ami.secret: missing"),
    ({"ami": {"user": "x", "secret": "x", "channel": "SIP/150"}}, "ami.channel: must have one %s"),
    ({"ami": {"user": "x", "secret": "x", "channel": "SIP/%s%n"}}, "ami.channel: must have one %s"),
    ({"ami": {"user": "x", "secret": "x", "port": 99999}}, "ami.port: not a port"),
    ({"ami": {"user": "x", "secret": "x", "number": "roman"}}, "ami.number: none of"),
    ({"ami": {"user": "x", "secret_file": "../../etc/passwd"}}, "ami.secret_file: CALLWEAVE_PBX_API_SECRETS_FOLDER"),
])
def test_a_pbx_that_is_not_set_up(world, settings, words):
    world.set_ami(settings)
    body = world.click().json()
    assert (body["success"], body["outcome"]) == (False, "not_set_up")
    assert body["message"] == "click to call is not set up for this enterprise"
    assert words in world.stack.services["pbx-api"].text()


def test_in_russian(world):
    world.stack.sql("INSERT INTO user_internal_phones (enterprise_number, phone_number) VALUES ('0368', '2001')")
    wait_until(lambda: world.click(clientId="client-id-of-enterprise-0368", code="2001").status_code == 200, 5,
               "the phone is known")
    body = world.click(clientId="client-id-of-enterprise-0368", code="2001").json()
    assert body["message"] == "звонок по клику для предприятия не настроен"


def test_the_database_may_be_away(make_stack):
    with FakeAmi() as pbx:
        stack = make_stack(("pbx-api",), own_postgres=True, settings={"CALLWEAVE_PBX_API_CACHE_URL": ""})
        stack.enterprise("0367", secret=CLIENT, locale="en", settings=json.dumps(pbx.settings()))
        stack.sql("INSERT INTO user_internal_phones (enterprise_number, phone_number) VALUES ('0367', '150')")
        stack.start_all()
        world = World(stack, pbx, None)
        stack.kill_pg()
        assert world.ours(origin="uon").json()["outcome"] == "answered"
        assert len(pbx.calls) == 1
        stack.start_pg()


def test_too_many_clicks(make_stack):
    with FakeAmi("holds") as pbx:
        stack = make_stack(("pbx-api",), settings={
            "CALLWEAVE_PBX_API_CACHE_URL": "", "CALLWEAVE_PBX_API_CLICKS_PER_MINUTE": "24",
            "CALLWEAVE_PBX_API_CLICKS_AT_ONCE": "2"})
        for number in ("0367", "0368"):
            stack.enterprise(number, secret=f"client-id-of-{number}", locale="en", settings=json.dumps(pbx.settings()))
            stack.sql("INSERT INTO user_internal_phones (enterprise_number, phone_number) VALUES (%s, '150')", [number])
        stack.start_all()
        world = World(stack, pbx, None)
        threads = [threading.Thread(target=world.click, kwargs={"phone": f"+37529000001{i}", "clientId": "client-id-of-0367"})
                   for i in range(2)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(pbx.calls) == 2, 10, "two calls are being made")
        third = world.click(phone="+375290000020", clientId="client-id-of-0367")
        assert (third.status_code, third.json()["message"]) == (429, "too many calls of this enterprise are being made")
        other = world.click(phone="+375290000020", clientId="client-id-of-0368", wait=0)
        assert other.json()["outcome"] == "ringing", "another enterprise has a rate of its own"
        pbx.release()
        for thread in threads:
            thread.join(30)
        answers = [world.click(phone=f"+37529000003{i}", clientId="client-id-of-0367") for i in range(8)]
        refused = [answer.json()["message"] for answer in answers if answer.status_code == 429]
        assert "too many clicks of this enterprise in a minute" in refused
        assert pbx.most_at_once <= 3


def test_the_description_is_served_and_true(world):
    description = requests.get(world.stack.url("pbx-api") + "/openapi.json", timeout=10).json()
    click = description["components"]["schemas"]["Click"]
    body = world.click().json()
    assert set(click["required"]) <= set(body) <= set(click["properties"])
    assert re.fullmatch(r"3\.1\.\d", description["openapi"])


def test_from_a_click_in_retailcrm_to_the_phone(make_stack):
    """The whole way: RetailCRM's request at its adapter, pbx-api, the PBX, and the note for the call that comes of it."""
    with FakeAmi("holds") as pbx:
        stack = make_stack(("retailcrm", "pbx-api"), settings={"CALLWEAVE_PBX_API_CACHE_URL": ""})
        stack.enterprise("0367", secret=CLIENT, locale="en", settings=json.dumps(pbx.settings()),
                         integrations_config=json.dumps({"retailcrm": {
                             "enabled": True, "domain": "http://127.0.0.1:9", "api_key": "k" * 32,
                             "client_id": "the-client-id-that-retailcrm-shows", "user_extensions": {"16": "150"}}}))
        stack.sql("INSERT INTO user_internal_phones (enterprise_number, phone_number) VALUES ('0367', '150')")
        stack.start_all()
        wrong = requests.get(stack.url("retailcrm") + "/retailcrm/make-call", timeout=30, params={
            "clientId": "the-client-id-of-somebody-else", "userId": "16", "phone": PHONE})
        assert wrong.status_code in (401, 403) and pbx.calls == []
        answer = requests.get(stack.url("retailcrm") + "/retailcrm/make-call", timeout=30, params={
            "clientId": "the-client-id-that-retailcrm-shows", "userId": "16", "phone": PHONE})
        assert answer.status_code == 200, answer.text
        (call,) = wait_until(lambda: pbx.calls, 10, "the PBX is asked")
        assert (call["Channel"], call["Exten"]) == ("SIP/150", "375290000001")
        (noted,) = stack.sql("SELECT extension, phone, crm FROM click_calls")
        assert tuple(noted.values()) == ("150", PHONE, "retailcrm")
