"""A PBX asks who calls and where the call should go: it is answered within 300 ms, whatever is away."""
import json
import subprocess
import time

import psycopg2
import pytest
import requests
from fake_lookup import FakeLookup
from process import binaries
from waiting import wait_until

PHONE = "+375290000001"
TOKEN = {"Token": "token-0367"}
NOTHING = {"Name": "", "DialPlan": None}
BOUND = 5  # generous: only that it did not wait for somebody who hangs for a minute


class World:
    def __init__(self, stack, cache):
        self.stack, self.cache = stack, cache
        self.url = f"http://127.0.0.1:{stack.routing_port}"
        self.phones = {}
        self.secrets = 0

    def ask(self, phone=PHONE, trunk="0001363", headers=None, **more):
        begun = time.monotonic()
        answer = requests.post(self.url + "/api/callevent/getcustomerdata", timeout=30,
                               headers=TOKEN if headers is None else headers,
                               json={"UniqueId": "1763740800.1", "Phone": phone, "TrunkId": trunk,
                                     "LoadDialPlan": True, **more})
        assert time.monotonic() - begun < BOUND
        return answer

    def told(self, **more):
        answer = self.ask(**more)
        assert answer.status_code == 200, answer.text
        assert set(answer.json()) == {"Name", "DialPlan"}
        return answer.json()

    def plan(self, extension, trunk="0001363"):
        return f"mngr{self.phones[extension]}_{trunk}_1"

    def setting(self, smart=None, **integrations):
        """integrations_config anew, and until pbx-api has it: it knows the secret that came with it."""
        self.secrets += 1
        secret = f"secret-number-{self.secrets}-of-0367"
        self.stack.sql("UPDATE enterprises SET integrations_config = %s, secret = %s WHERE number = '0367'",
                       [json.dumps({"smart": smart or {}, **integrations}), secret])
        click = {"code": "999", "phone": PHONE, "clientId": secret}
        wait_until(lambda: requests.get(self.stack.url("pbx-api") + "/api/makecallexternal", params=click,
                                        timeout=10).status_code == 422, 10, "pbx-api has the new configuration")

    def called(self, extension, direction="incoming", answered=True, ago="1 hour", phone=PHONE):
        self.stack.sql("""INSERT INTO calls (id, shard, enterprise_id, unique_id, direction, state, answered, phone_number,
                caller, talkers, call_type, start_time)
            SELECT coalesce(max(id), 0) + 1, 0, '0367', 'u' || coalesce(max(id), 0), %s, 'ended', %s, %s, %s, %s, '0',
                now() - %s::interval FROM calls""",
                       [direction, answered, phone, extension if direction == "outgoing" else phone,
                        [extension] if answered else [], ago])


def crm(**users):
    return {"enabled": True, "user_extensions": users}


@pytest.fixture
def world(make_stack):
    with FakeLookup() as cache:
        stack = make_stack(("pbx-api",), settings={"CALLWEAVE_PBX_API_CACHE_URL": cache.url})
        stack.enterprise("0367", name="june", integrations_config=json.dumps(
            {"smart": {"primary": "retailcrm"}, "retailcrm": crm(**{"16": "150", "17": "151"})}))
        world = World(stack, cache)
        for extension in ("150", "151", "152"):
            (row,) = stack.sql("""INSERT INTO user_internal_phones (enterprise_number, phone_number)
                VALUES ('0367', %s) RETURNING id""", [extension])
            world.phones[extension] = row["id"]
        stack.sql("""INSERT INTO gsm_lines (enterprise_number, line_id, line_name, shop)
            VALUES ('0367', '0001363', 'МТС', 'Shop 1')""")
        stack.sql("""INSERT INTO sip_unit (enterprise_number, line_name, incoming_transform)
            VALUES ('0367', '3880003', '+375{9}')""")
        stack.start_all()
        yield world


def known(world, name="Petrova Anna", extension="150"):
    world.cache.answer = {"name": name, "profile": {}, "responsible": {"extension": extension}, "black_list": False}


# -- who asks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"Token": ""}, {"Token": "nobody"}, {"Token": "0367"}, {"Token": "june"}])
def test_only_a_token_opens(world, headers):
    answer = world.ask(headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid token"})
    assert world.cache.asked == []


@pytest.mark.parametrize("body", ["", "{", "[]", '"x"', '{"Phone": {}}', '{"Phone": []}'])
def test_bodies_that_are_none(world, body):
    answer = requests.post(world.url + "/api/callevent/getcustomerdata", data=body, headers=TOKEN, timeout=10)
    assert answer.status_code == 422 and answer.json()["detail"]


@pytest.mark.parametrize("body", ["{}", '{"Phone": null}', '{"Phone": "anonymous"}', '{"Phone": "150", "TrunkId": 1}',
                                  '{"Phone": "%s", "TrunkId": "../../x"}' % ("9" * 5000)])
def test_nobody_to_ask_for(world, body):
    known(world)
    answer = requests.post(world.url + "/api/callevent/getcustomerdata", data=body, headers=TOKEN, timeout=10)
    assert (answer.status_code, answer.json()) == (200, NOTHING)
    assert world.cache.asked == []


# -- the name and the route ------------------------------------------------------------------------


def test_name_and_responsible(world):
    known(world)
    assert world.told() == {"Name": "Petrova Anna", "DialPlan": world.plan("150")}
    assert world.told(phone="80290000002")["DialPlan"] == world.plan("150")
    assert [body["phone"] for _, body, _ in world.cache.asked] == [PHONE, "+375290000002"]


def test_without_a_plan_when_none_is_wanted(world):
    known(world)
    assert world.told(LoadDialPlan=False) == {"Name": "Petrova Anna", "DialPlan": None}
    assert world.told()["DialPlan"] == world.plan("150"), "another question, not the answer of before"


def test_the_line_spells_its_callers(world):
    known(world)
    assert world.told(phone="290000005", trunk="3880003")["DialPlan"] == world.plan("150", "3880003")
    assert world.cache.asked[0][1]["phone"] == "+375290000005"


def test_nobody_is_responsible(world):
    for extension in (None, "", "199"):  # the last is no phone of the enterprise
        known(world, extension=extension)
        requests.post(world.url + "/cache/clear", timeout=10)
        assert world.told() == {"Name": "Petrova Anna", "DialPlan": None}


def test_the_name_is_one_line(world):
    known(world, name='Anna "Nyuta"\r\nPetrova <x>')
    assert world.told()["Name"] == "Anna  Nyuta   Petrova  x"


@pytest.mark.parametrize("mode, name, routed", [
    ("off", "", False), ("name-only", "Petrova Anna", False), ("routing+name", "Petrova Anna", True)])
def test_modes(world, mode, name, routed):
    known(world)
    world.setting({"primary": "retailcrm", "mode": mode}, retailcrm=crm(**{"16": "150"}))
    known(world)
    assert world.told() == {"Name": name, "DialPlan": world.plan("150") if routed else None}


def test_another_crm_is_responsible(world):
    """By its id of the person in the customer's row, through its own map, not the primary one's."""
    world.setting({"primary": "retailcrm", "lines": {"gsm:0001363": {
        "enabled": True, "do_routing": True, "algorithm": "ms", "send_customer_name": True}}},
        retailcrm=crm(**{"16": "150"}), ms={"enabled": True, "employee_mapping": {"152": {"employee_id": "e-9"}}})
    world.stack.sql("""INSERT INTO customers (enterprise_number, phone_e164, first_name, meta)
        VALUES ('0367', %s, 'Anna', '{"responsible": {"ms": "e-9", "retailcrm": "16"}}')""", [PHONE])
    known(world, extension="150")
    assert world.told() == {"Name": "Petrova Anna", "DialPlan": world.plan("152")}


@pytest.mark.parametrize("algorithm, expected", [("last_call", "151"), ("first_call", "150")])
def test_by_history(world, algorithm, expected):
    world.setting({"lines": {"gsm:0001363": {"enabled": True, "do_routing": True, "algorithm": algorithm}}})
    known(world, extension="152")
    world.called("150", ago="3 days")
    world.called("152", ago="2 days", answered=False)  # rang, nobody answered
    world.called("151", ago="1 day")
    world.called("152", ago="1 hour", phone="+375290000009")  # of another customer
    assert world.told() == {"Name": "Petrova Anna", "DialPlan": world.plan(expected)}
    assert world.told(phone="+375290000077")["DialPlan"] is None, "a customer without history"


def test_who_called_in_vain_is_called_back(world):
    world.setting({"lines": {"gsm:0001363": {"enabled": True, "do_routing": True, "algorithm": "last_call"}}})
    world.called("150", ago="3 days")
    world.called("152", direction="outgoing", answered=False, ago="5 minutes")
    assert world.told()["DialPlan"] == world.plan("152")


LINE = {"enabled": True, "do_routing": True, "send_line_name": True, "send_shop_name": True, "send_customer_name": True,
        "line_name_order": 1, "shop_name_order": 2, "customer_name_order": 3}


@pytest.mark.parametrize("change, name, routed", [
    ({}, "МТС Shop 1 Petrova Anna", True),
    ({"customer_name_order": 1, "line_name_order": 3}, "Petrova Anna Shop 1 МТС", True),
    ({"send_shop_name": False}, "МТС Petrova Anna", True),
    ({"send_customer_name": False, "send_line_name": False}, "Shop 1", True),
    ({"do_routing": False}, "МТС Shop 1 Petrova Anna", False),
    ({"enabled": False}, "", False),
    ({"line_name_order": 99, "enabled": "yes"}, "", False),  # not a switch: as good as off
])
def test_switches_of_a_line(world, change, name, routed):
    world.setting({"primary": "retailcrm", "lines": {"gsm:0001363": {**LINE, **change}}}, retailcrm=crm(**{"16": "150"}))
    known(world)
    assert world.told() == {"Name": name, "DialPlan": world.plan("150") if routed else None}
    assert world.told(trunk="3880003")["Name"] == "Petrova Anna", "the other line is as ever"


# -- whatever is away ------------------------------------------------------------------------------


def test_from_the_database_while_8020_hangs(world):
    world.cache.hangs = True
    world.stack.sql("""INSERT INTO customers (enterprise_number, phone_e164, last_name, first_name, meta)
        VALUES ('0367', %s, 'Petrova', 'Anna', '{"responsible": {"retailcrm": "17"}}')""", [PHONE])
    assert world.told() == {"Name": "Petrova Anna", "DialPlan": world.plan("151")}
    assert world.cache.asked, "it was asked"


@pytest.mark.parametrize("answer, status", [
    (b"<html>502</html>", 200), (b"{}", 503), (b'{"name": 5, "responsible": []}', 200), (b"x" * 200_000, 200)],
                         ids=["html", "503", "types", "huge"])
def test_8020_answers_nonsense(world, answer, status):
    world.cache.answer, world.cache.status = answer, status
    assert world.told() == NOTHING
    figures = requests.get(world.url + "/metrics", timeout=10).json()
    assert (figures["errors_total"], figures["error_rate"]) == (1, 1.0)


def test_8020_is_down(world):
    world.cache.__exit__()
    assert world.told() == NOTHING


def test_the_database_hangs(world):
    """A lock that is held: the name of 8020 comes all the same."""
    known(world)
    connection = psycopg2.connect(world.stack.database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLE customers IN ACCESS EXCLUSIVE MODE")
        assert world.told() == {"Name": "Petrova Anna", "DialPlan": world.plan("150")}
    connection.close()


def test_everything_is_away(make_stack):
    with FakeLookup() as cache:
        stack = make_stack(("pbx-api",), own_postgres=True, settings={"CALLWEAVE_PBX_API_CACHE_URL": cache.url})
        stack.enterprise("0367")
        stack.start_all()
        world = World(stack, cache)
        cache.hangs = True
        stack.kill_pg()
        for number in range(3):
            assert world.told(phone=f"+37529000000{number}") == NOTHING
        assert world.ask(headers={}).status_code == 401
        stack.start_pg()


# -- the cache and the figures ---------------------------------------------------------------------


def test_the_same_question_is_not_asked_again(world):
    known(world)
    first = world.told()
    known(world, name="Somebody else")
    assert world.told() == first
    assert len(world.cache.asked) == 1
    assert world.told(trunk="3880003")["Name"] == "Somebody else"
    answer = requests.post(world.url + "/cache/clear", timeout=10)
    assert answer.json() == {"status": "ok", "cleared": 2}
    assert world.told()["Name"] == "Somebody else"


def test_a_change_of_the_enterprise_forgets_its_answers(world):
    known(world)
    assert world.told()["Name"] == "Petrova Anna"
    world.setting({"primary": "retailcrm", "mode": "off"}, retailcrm=crm(**{"16": "150"}))
    assert world.told() == NOTHING


def test_figures(world):
    known(world)
    for _ in range(4):
        world.told()
    world.ask(headers={})
    figures = requests.get(world.url + "/metrics", timeout=10).json()
    assert figures["requests_total"] == 4 and figures["cache_hits"] == 3 and figures["dialplan_computed"] == 1
    assert figures["errors_total"] == 0 and figures["error_rate"] == 0 and figures["samples"] == 4
    assert 0 < figures["latency_p50_ms"] <= figures["latency_p95_ms"] < 1000
    assert world.stack.services["pbx-api"].metric("callweave_routing_seconds_count") == 4


def test_both_ports_are_ready(world):
    assert requests.get(world.url + "/readyz", timeout=10).json() == {"status": "ready"}
    assert requests.get(world.stack.url("pbx-api") + "/readyz", timeout=10).status_code == 200


def test_a_taken_port_is_said(world):
    """The second process does not start, and says which setting is to blame."""
    service = world.stack.services["pbx-api"]
    ended = subprocess.run([binaries() / "pbx-api"], env={**service.environment(), "CALLWEAVE_PBX_API_PORT": "0"},
                           capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert f"CALLWEAVE_PBX_API_ROUTING_PORT: port {world.stack.routing_port} is already in use" in ended.stderr


# -- with integration-cache itself -----------------------------------------------------------------


def test_with_integration_cache(make_stack):
    """The real one: its names and responsible people, its answer in time, its cache told of a change."""
    stack = make_stack(("integration-cache", "pbx-api"))
    stack.enterprise("0367", name="june", integrations_config=json.dumps(
        {"smart": {"primary": "retailcrm"}, "retailcrm": crm(**{"16": "150"})}))
    world = World(stack, None)
    (row,) = stack.sql("""INSERT INTO user_internal_phones (enterprise_number, phone_number)
        VALUES ('0367', '150') RETURNING id""")
    world.phones["150"] = row["id"]
    stack.sql("""INSERT INTO customers (enterprise_number, phone_e164, last_name, first_name, meta)
        VALUES ('0367', %s, 'Petrova', 'Anna', '{"responsible": {"retailcrm": "16"}}')""", [PHONE])
    stack.start_all()
    assert world.told() == {"Name": "Petrova Anna", "DialPlan": world.plan("150")}
    figures = requests.get(world.url + "/metrics", timeout=10).json()
    assert (figures["requests_total"], figures["errors_total"]) == (1, 0), "both were asked, and answered"
    assert "no names from there" not in stack.services["pbx-api"].text()
