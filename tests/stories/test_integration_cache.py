"""integration-cache: what it answers, from where, and that it follows the database within a second."""
import json
import subprocess
import time

import pytest
import requests

from stack import INTERNAL_SECRET
from waiting import wait_until

SECRET = {"X-Callweave-Secret": INTERNAL_SECRET}
COLD = {"CALLWEAVE_INTEGRATION_CACHE_WARM_CUSTOMERS": "0"}  # nobody is in memory before he is asked for
ANNA, BORIS = "+375291110001", "+375291110002"
KEY = "retailcrm-key-0123456789abcdef"
CONFIG = {
    "smart": {"primary": "retailcrm", "mode": "name-only"},
    "retailcrm": {"enabled": True, "domain": "https://june.retailcrm.ru", "api_key": KEY,
                  "user_extensions": {"16": "150", "17": "199", "18": None}},
    "uon": {"enabled": False, "api_key": "uon-key-0123456789"},
}


@pytest.fixture
def stack(make_stack):
    return make_stack(("integration-cache",), settings=COLD).start_all()


def june(stack, number="0367", config=None, **columns):
    """An enterprise with two people, two lines and a CRM."""
    row = stack.enterprise(number, **{"name": "june", "secret": "secret-" + number * 6, **columns},
                           integrations_config=json.dumps(CONFIG if config is None else config))
    stack.sql("""INSERT INTO users (enterprise_number, first_name, last_name, patronymic, personal_phone,
                     follow_me_number, follow_me_enabled) VALUES
                 (%s, 'Анна', 'Ковалёва', 'Петровна', '+375291234567', 300, true), (%s, 'Игорь', 'Савицкий', '', NULL, NULL,
                     false)""", [number, number])
    stack.sql("""INSERT INTO user_internal_phones (enterprise_number, user_id, phone_number, password)
                 SELECT %s, id, CASE WHEN first_name = 'Анна' THEN '150' ELSE '151' END, 'sip-password-of-a-phone'
                 FROM users WHERE enterprise_number = %s""", [number, number])
    stack.sql("""INSERT INTO gsm_lines (enterprise_number, line_id, internal_id, phone_number, line_name, shop)
                 VALUES (%s, '0001363', '363', '+375293332201', 'МТС-1', 'Минск')""", [number])
    stack.sql("""INSERT INTO sip_unit (enterprise_number, line_name, password, info, incoming_transform)
                 VALUES (%s, '3880004', 'sip-password-of-a-line', 'Офис', '+375{9}')""", [number])
    wait_until(lambda: get(stack, f"metadata/{number}/lines").json().get("lines_count") == 2, 5, "all of it is known")
    return row


def get(stack, path, **options):
    options.setdefault("timeout", 10)
    return stack.session().get(f"{stack.url('integration-cache')}/{path}", **options)


def post(stack, path, body=None, **options):
    options.setdefault("timeout", 10)
    return stack.session().post(f"{stack.url('integration-cache')}/{path}", json=body, **options)


def put(stack, path, body, **options):
    return stack.session().put(f"{stack.url('integration-cache')}/{path}", json=body, timeout=10, **options)


def customer(stack, phone=ANNA, enterprise="0367", **columns):
    row = {"enterprise_number": enterprise, "phone_e164": phone, **columns}
    stack.sql(f"INSERT INTO customers ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})", list(row.values()))


def name(stack, phone=ANNA, enterprise="0367"):
    answer = get(stack, f"customer-name/{enterprise}/{phone}")
    assert answer.status_code == 200
    return answer.json()["name"]


def layers(stack):
    return get(stack, "stats").json()["layers"]


# -- enterprises ------------------------------------------------------------------------------------

def test_an_enterprise_is_found_by_number_name_token_or_secret(stack):
    row = june(stack)
    for key in ("0367", "june", row["name2"], row["secret"]):
        answer = get(stack, f"integrations/{key}")
        assert answer.status_code == 200, key
        body = answer.json()
        assert body["integrations"] == {"smart": False, "retailcrm": True, "uon": False}
        assert body["created_at"] <= time.time() < body["expires_at"] and 0 <= body["age_seconds"] < 60
        assert get(stack, f"config/{key}").json()["enterprise_number"] == "0367"
    answer = get(stack, "integrations/9999")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Enterprise not found"})


def test_an_inactive_enterprise_is_not_found_and_one_without_integrations_is_empty(stack):
    june(stack, "0400", config={}, name="empty")
    assert get(stack, "integrations/0400").json()["integrations"] == {}
    assert get(stack, "config/0400").status_code == 404
    stack.sql("UPDATE enterprises SET active = false WHERE number = '0400'")
    wait_until(lambda: get(stack, "integrations/0400").status_code == 404, 1, "it is gone within a second")


def test_of_two_with_one_name_the_lower_number_is_found(stack):
    june(stack, "0368")
    june(stack, "0366")
    assert get(stack, "config/june").json()["enterprise_number"] == "0366"
    stack.sql("DELETE FROM enterprises WHERE number = '0366'")
    wait_until(lambda: get(stack, "config/june").json().get("enterprise_number") == "0368", 1, "the other one is")


def test_a_change_in_sql_is_visible_within_a_second(stack):
    """Check 7 of the acceptance list, for each table that is followed."""
    june(stack)
    stack.sql("""UPDATE enterprises SET integrations_config = jsonb_set(integrations_config, '{uon,enabled}', 'true')""")
    wait_until(lambda: get(stack, "integrations/0367").json()["integrations"]["uon"], 1, "uon is enabled")
    stack.sql("UPDATE users SET last_name = 'Лис' WHERE first_name = 'Анна'")
    wait_until(lambda: get(stack, "metadata/0367/manager/150").json()["full_name"] == "Лис Анна Петровна", 1, "renamed")
    stack.sql("UPDATE gsm_lines SET line_name = 'life 5'")
    wait_until(lambda: get(stack, "metadata/0367/line/0001363").json()["operator"] == "life:)", 1, "the line, too")
    stack.sql("DELETE FROM sip_unit")
    wait_until(lambda: get(stack, "incoming-transform/0367").json() == {"map": {}}, 1, "and the rule is gone")
    stack.sql("UPDATE user_internal_phones SET phone_number = '157' WHERE phone_number = '151'")
    wait_until(lambda: get(stack, "metadata/0367/manager/157").status_code == 200, 1, "a phone has another number")


def test_many_changes_in_one_statement(stack):
    stack.sql("""INSERT INTO enterprises (number, name, integrations_config)
                 SELECT to_char(n, 'FM0000'), 'many ' || n, '{"uon": {"enabled": true}}' FROM generate_series(1, 300) AS n""")
    wait_until(lambda: get(stack, "integrations/0300").status_code == 200
               and len(get(stack, "cache/entries").json()) == 300, 5, "all of them are there")
    stack.sql("DELETE FROM enterprises WHERE number > '0010'")
    wait_until(lambda: len(get(stack, "cache/entries").json()) == 10, 5, "most of them are gone")


def test_a_configuration_that_was_stored_as_a_text(stack):
    june(stack)
    stack.sql("UPDATE enterprises SET integrations_config = to_jsonb(%s::text)",
              [json.dumps({"retailcrm": json.dumps({"enabled": True, "api_key": KEY}), "smart": {}})])
    wait_until(lambda: get(stack, "integrations/0367").json()["integrations"] == {"retailcrm": True, "smart": False}, 1,
               "both levels are read")
    answer = put(stack, "config/0367/uon", {"enabled": False}, headers=SECRET)
    assert answer.status_code == 200, answer.text
    stored = stack.sql("SELECT integrations_config AS c FROM enterprises")[0]["c"]
    assert isinstance(stored, dict) and stored["uon"] == {"enabled": False}


# -- configurations ---------------------------------------------------------------------------------

def test_keys_are_shown_to_our_own_processes_only(stack):
    june(stack)
    shown = get(stack, "config/0367/retailcrm").json()
    assert shown["config"]["api_key"] == "***" and shown["config"]["domain"] == "https://june.retailcrm.ru"
    assert (shown["enterprise_number"], shown["integration_type"], shown["source"]) == ("0367", "retailcrm", "cache")
    assert KEY not in get(stack, "config/june").text
    assert KEY not in get(stack, "config/june", headers={"X-Callweave-Secret": "wrong"}).text
    whole = get(stack, "config/0367", headers=SECRET).json()
    assert whole["integrations"]["retailcrm"] == CONFIG["retailcrm"], "as it is stored, in one wrap"
    answer = get(stack, "config/0367/ms")
    assert (answer.status_code, answer.json()["detail"]) == (404, "Integration 'ms' not configured for enterprise 0367")
    answer = get(stack, "config/9999")
    assert answer.json()["detail"] == "No integration configurations found for enterprise 9999"


def test_a_configuration_is_put_in_the_place_of_the_old_one(stack):
    june(stack)
    answer = put(stack, "config/june/retailcrm", {"enabled": False, "domain": "new.retailcrm.ru", "api_key": "***"},
                 headers=SECRET)
    assert (answer.status_code, answer.json()) == (200, {
        "status": "success", "message": "retailcrm configuration updated", "enterprise_number": "0367"})
    now = get(stack, "config/0367/retailcrm", headers=SECRET).json()["config"]
    assert now == {"enabled": False, "domain": "new.retailcrm.ru", "api_key": KEY,
                   "user_extensions": CONFIG["retailcrm"]["user_extensions"]}, "the map and the masked key stay"
    assert get(stack, "integrations/0367").json()["integrations"]["retailcrm"] is False
    put(stack, "config/0367/retailcrm", {"enabled": True, "user_extensions": {}}, headers=SECRET)
    assert get(stack, "config/0367/retailcrm", headers=SECRET).json()["config"] == {"enabled": True, "user_extensions": {}}


def test_what_is_not_put(stack):
    june(stack)
    before = stack.sql("SELECT integrations_config AS c FROM enterprises")
    assert put(stack, "config/0367/retailcrm", {"enabled": False}).status_code == 401
    assert put(stack, "config/0367/retailcrm", {}, headers={"X-Callweave-Secret": "x" * 48}).status_code == 401
    answer = put(stack, "config/9999/retailcrm", {}, headers=SECRET)
    assert answer.status_code == 404 and answer.json()["detail"].startswith("Configuration update failed: ")
    for path, body in (("config/0367/retailcrm", [1]), ("config/0367/retailcrm", None), ("config/0367/Retail-CRM", {})):
        answer = put(stack, path, body, headers=SECRET)
        assert answer.status_code == 422 and answer.json()["detail"][0]["msg"], (path, body)
    broken = stack.session().put(f"{stack.url('integration-cache')}/config/0367/uon", data="{", headers=SECRET, timeout=5)
    assert broken.status_code == 422
    assert stack.sql("SELECT integrations_config AS c FROM enterprises") == before


def test_levers(stack):
    june(stack)
    answer = post(stack, "cache/invalidate/0367")
    assert (answer.status_code, answer.json()) == (200, {"message": "Cache invalidated for enterprise 0367"})
    assert post(stack, "cache/invalidate/9999").status_code == 200
    assert post(stack, "cache/refresh").json() == {"message": "Cache refreshed successfully"}
    entries = get(stack, "cache/entries").json()
    assert entries["0367"]["integrations"]["retailcrm"] is True
    assert get(stack, "incoming-transform/june").json() == {"map": {"sip:3880004": "+375{9}"}}
    assert get(stack, "incoming-transform/9999").json() == {"map": {}}
    assert post(stack, "reload-incoming-transform/0367").json() == {"size": 1}


# -- people and lines -------------------------------------------------------------------------------

def test_metadata(stack):
    june(stack)
    managers = get(stack, "metadata/june/managers").json()
    assert managers["managers_count"] == 2 and managers["managers"]["150"]["full_name"] == "Ковалёва Анна Петровна"
    assert managers["managers"]["150"]["short_name"] == "Ковалёва А.П."
    assert "sip-password" not in json.dumps(managers) and "internal_password" not in managers["managers"]["150"]
    manager = get(stack, "metadata/0367/manager/150").json()
    assert {key: manager[key] for key in ("enterprise_number", "internal_phone", "personal_phone", "follow_me_number",
                                          "follow_me_enabled", "exists")} == {
        "enterprise_number": "0367", "internal_phone": "150", "personal_phone": "+375291234567",
        "follow_me_number": 300, "follow_me_enabled": True, "exists": True}
    lines = get(stack, "metadata/0367/lines")
    assert lines.json()["lines_count"] == 2 and "sip-password" not in lines.text
    assert lines.json()["lines"]["0001363"]["shop_name"] == "Минск" and lines.json()["lines"]["3880004"]["type"] == "SIP"
    assert get(stack, "metadata/0367/line/0001363").json() == {
        "enterprise_number": "0367", "line_id": "0001363", "name": "МТС-1", "operator": "МТС", "exists": True}
    assert get(stack, "metadata/0367/line/3880004").json()["operator"] == "SIP"


def test_metadata_that_is_not_there(stack):
    june(stack)
    stack.enterprise("0500", name="bare")
    wait_until(lambda: get(stack, "integrations/0500").status_code == 200, 5, "it is known")
    for path, words in (("0367/line/1", "Line 1 not found for enterprise 0367"),
                        ("0367/manager/999", "Manager 999 not found for enterprise 0367"),
                        ("9999/manager/150", "Manager 150 not found for enterprise 9999"),
                        ("0500/lines", "No lines found for enterprise 0500"),
                        ("9999/managers", "No managers found for enterprise 9999")):
        answer = get(stack, f"metadata/{path}")
        assert (answer.status_code, answer.json()["detail"]) == (404, words)
    assert get(stack, "metadata/0367/nonsense").status_code == 404
    stats = get(stack, "metadata/stats").json()
    assert (stats["enterprises"], stats["total_lines"], stats["total_managers"]) == (2, 2, 2)
    assert set(stats["last_updates"]) == set(stats["memory_enterprises"]) == {"0367", "0500"}
    assert post(stack, "metadata/0367/refresh").json()["enterprise_number"] == "0367"
    assert post(stack, "metadata/refresh-all").json()["loaded_enterprises"] == 2
    assert post(stack, "metadata/9999/refresh").status_code == 404


# -- customers --------------------------------------------------------------------------------------

def test_names_are_there_and_counted_by_layer(stack):
    june(stack)
    customer(stack, last_name="Иванов", first_name="Пётр", middle_name="")
    before = layers(stack)
    assert name(stack) == "Иванов Пётр"
    assert name(stack, "80291110001") == "Иванов Пётр", "the national way of writing"
    assert name(stack, "375291110001", "june") == "Иванов Пётр"
    assert name(stack, BORIS) is None and name(stack, BORIS) is None, "and that is remembered"
    after = layers(stack)
    grown = {layer: after[layer]["hits"] - before[layer]["hits"] for layer in ("memory", "database")}
    assert grown == {"memory": 3, "database": 1}
    assert after["memory"]["misses"] - before["memory"]["misses"] == 2
    assert after["database"]["misses"] - before["database"]["misses"] == 1
    for nobody in ("150", "anonymous", "+000", "x" * 300):
        assert name(stack, nobody) is None
    assert name(stack, ANNA, "9999") is None
    for path in ("0367", "0367/%00", "0367/+1/2"):
        assert get(stack, f"customer-name/{path}").status_code == 404


def test_a_profile_says_where_it_is_from(stack):
    june(stack)
    customer(stack, last_name="Иванов", first_name="Пётр",
             meta=json.dumps({"primary_source": "retailcrm", "ids": {"retailcrm": ["815"]}, "person_uid": "retailcrm:815"}))
    customer(stack, BORIS, enterprise_name="Ромашка", meta=json.dumps(
        {"primary_source": "retailcrm", "ids": {"retailcrm": ["7"]}, "person_uid": "retailcrm_corp:7"}))
    assert get(stack, f"customer-profile/0367/{ANNA}").json() == {
        "last_name": "Иванов", "first_name": "Пётр", "middle_name": None, "enterprise_name": None,
        "source": {"raw": {"id": "815"}, "type": "retailcrm"}}
    company = get(stack, f"customer-profile/0367/{BORIS}").json()
    assert company["source"]["type"] == "retailcrm_corporate" and company["enterprise_name"] == "Ромашка"
    assert get(stack, "customer-profile/0367/+375297777777").json() == {
        "last_name": None, "first_name": None, "middle_name": None, "enterprise_name": None}


def responsible(stack, phone=ANNA, **options):
    answer = get(stack, f"responsible-extension/0367/{phone}", **options)
    assert answer.status_code == 200
    return answer.json()["extension"]


def test_who_is_responsible(stack):
    """By the map of the enterprise, as text, and only an extension that there is."""
    june(stack)
    for phone, manager in (("+375291110001", "16"), ("+375291110002", "17"), ("+375291110003", "18"),
                           ("+375291110004", "99")):
        customer(stack, phone, meta=json.dumps({"responsible": {"retailcrm": manager, "uon": "16"}}))
    assert responsible(stack, "+375291110001") == "150"
    assert responsible(stack, "+375291110002") is None, "extension 199 is nobody's"
    assert responsible(stack, "+375291110003") is None and responsible(stack, "+375291110004") is None
    assert responsible(stack, "+375291110009") is None
    stack.sql("UPDATE enterprises SET integrations_config = jsonb_set(integrations_config, '{smart,primary}', '\"uon\"')")
    wait_until(lambda: responsible(stack) is None, 1, "the primary CRM is another, and it is off")


def test_another_name_is_seen_within_a_second(stack):
    june(stack)
    assert name(stack) is None
    customer(stack, last_name="Иванов")
    wait_until(lambda: name(stack) == "Иванов", 1, "the name")
    stack.sql("UPDATE customers SET last_name = 'Петров'")
    wait_until(lambda: name(stack) == "Петров", 1, "the other name")
    stack.sql("UPDATE customers SET meta = '{\"responsible\": {\"retailcrm\": \"16\"}}'")
    wait_until(lambda: responsible(stack) == "150", 1, "and who is responsible")
    stack.sql("DELETE FROM customers")
    post(stack, "cache/invalidate/june")
    assert name(stack) is None


def test_nocache_asks_the_database(stack):
    june(stack)
    customer(stack, meta=json.dumps({"responsible": {"retailcrm": "16"}}))
    assert responsible(stack) == "150"
    before = layers(stack)["database"]
    assert responsible(stack, params={"nocache": "true"}) == "150"
    after = layers(stack)["database"]
    assert after["hits"] - before["hits"] == 1


def test_everything_for_a_call_in_one_request(stack):
    june(stack)
    customer(stack, last_name="Иванов", black_list=True, meta=json.dumps({"responsible": {"retailcrm": "16"}}))
    answer = post(stack, "lookup", {"enterprise": "june", "phone": ANNA, "extensions": ["150", "777"], "line": "0001363"})
    assert answer.status_code == 200
    body = answer.json()
    assert body["enterprise_number"] == "0367" and body["name"] == "Иванов" and body["black_list"] is True
    assert body["profile"]["last_name"] == "Иванов" and body["responsible"] == {"extension": "150"}
    assert list(body["managers"]) == ["150"] and body["managers"]["150"]["short_name"] == "Ковалёва А.П."
    assert body["line"] == {"line_id": "0001363", "name": "МТС-1", "operator": "МТС"}
    many = post(stack, "lookup", {"items": [{"enterprise": "0367", "phone": f"+37529222{n:04}"} for n in range(98)]
                                  + [{"enterprise": "9999"}, {"enterprise": "0367", "phone": ANNA}]}).json()["items"]
    assert len(many) == 100 and many[0]["name"] is None and many[0]["line"] is None
    assert many[98] == {"detail": "Enterprise not found"} and many[99]["name"] == "Иванов"


def test_wrong_requests_for_many(stack):
    june(stack)
    for body in ({}, {"enterprise": []}, {"items": {}}, {"items": [{}]}, {"items": [{"enterprise": "0367"}] * 101},
                 {"enterprise": "0367", "extensions": "150"}, [], {"items": [7]},
                 {"enterprise": "0367", "extensions": ["1"] * 51}):
        answer = post(stack, "lookup", body)
        assert answer.status_code == 422 and answer.json()["detail"][0]["msg"], body
    assert post(stack, "lookup", {"enterprise": "9999"}).status_code == 404
    assert post(stack, "lookup", {"items": []}).json() == {"items": []}
    deep = stack.session().post(f"{stack.url('integration-cache')}/lookup", data="[" * 5000, timeout=5)
    assert deep.status_code == 422


# -- Telegram's messages ----------------------------------------------------------------------------

def redis_cli(stack, *words):
    port = stack.redis.url.rsplit(":", 1)[1].split("/")[0]
    return subprocess.run(["redis-cli", "-p", port, *words], check=True, text=True, capture_output=True).stdout.strip()


def message(stack, event, number, phone="375291110001", chat=-100123):
    return post(stack, "telegram/message", {"phone": phone, "chat_id": chat, "event_type": event, "message_id": number})


def test_ids_of_messages(stack):
    path = "telegram/messages/375291110001/-100123"
    nothing = {"error": "No messages found", "cache_key": "375291110001:-100123"}
    assert (get(stack, path).status_code, get(stack, path).json()) == (404, nothing)
    assert message(stack, "start", 5).json() == {
        "status": "ok", "cache_key": "375291110001:-100123", "event_type": "start", "message_id": 5}
    for number in (12, 11, 12):
        message(stack, "dial", number)
    message(stack, "start", 6)
    message(stack, "bridge", 13)
    assert get(stack, path).json() == {"cache_key": "375291110001:-100123",
                                       "messages": {"start": 6, "dial": [12, 11], "bridge": 13}}
    url = f"{stack.url('integration-cache')}/{path}"
    answer = requests.delete(url, params={"event_types": ["dial", "start"]}, timeout=5)
    assert answer.json() == {"status": "deleted", "cache_key": "375291110001:-100123", "deleted_types": ["start", "dial"],
                             "deleted_messages": {"start": [6], "dial": [12, 11]}}
    answer = requests.delete(url, timeout=5)
    assert answer.json()["status"] == "deleted_all" and answer.json()["deleted_messages"] == {"bridge": [13]}
    assert requests.delete(url, timeout=5).json() == nothing and get(stack, path).status_code == 404


def test_wrong_ids_of_messages(stack):
    good = {"phone": "1", "chat_id": 1, "event_type": "dial", "message_id": 1}
    for wrong in ({"phone": 7}, {"phone": ""}, {"chat_id": "x"}, {"event_type": "hangup"}, {"message_id": None},
                  {"message_id": -1}, {"phone": "x" * 500}):
        assert post(stack, "telegram/message", {**good, **wrong}).status_code == 422, wrong
    assert get(stack, "telegram/messages/1/x").status_code == 422
    assert get(stack, "telegram/messages/1").status_code == 404
    message(stack, "start", 1, phone="1", chat=1)
    assert requests.delete(f"{stack.url('integration-cache')}/telegram/messages/1/1", params={"event_types": "x"},
                           timeout=5).status_code == 422


def test_messages_are_bounded_and_end(stack):
    for number in range(1, 71):
        message(stack, "dial", number)
    kept = get(stack, "telegram/messages/375291110001/-100123").json()["messages"]["dial"]
    assert kept == list(range(21, 71)), "the newest fifty"
    ttl = redis_cli(stack, "TTL", "callweave:messages:375291110001:-100123")
    assert 3500 < int(ttl) <= 3600


# -- how it stands ----------------------------------------------------------------------------------

def test_health_and_openapi(stack):
    june(stack)
    wait_until(lambda: get(stack, "health").json()["status"] == "healthy", 5, "healthy")
    body = get(stack, "health").json()
    assert body["cache_size"] == 1 and body["database_connected"] and body["redis_connected"] and body["uptime_seconds"] > 0
    paths = get(stack, "openapi.json").json()["paths"]
    for path in ("/lookup", "/customer-name/{ent}/{phone}", "/config/{ent}/{type}", "/dispatch/call-event"):
        assert path in paths
    stats = get(stack, "stats").json()
    assert stats["total_requests"] == stats["hits"] + stats["misses"]
