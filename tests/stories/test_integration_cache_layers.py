"""integration-cache when something is away, in several instances, and towards the CRMs' adapters."""
import json
import subprocess
import time

import pytest
import requests

from fake_lookup import FakeLookup
from process import Process
from stack import INTERNAL_SECRET
from test_integration_cache import ANNA, BORIS, COLD, CONFIG, customer, get, june, layers, name, post
from waiting import wait_until

CACHE = "integration-cache"


@pytest.fixture
def adapter():
    """The CRMs' adapters: they take what they are told and answer nothing of use."""
    with FakeLookup() as fake:
        fake.status, fake.answer = 202, {"status": "accepted"}
        yield fake


@pytest.fixture
def asking(make_stack, adapter):
    adapters = " ".join(f"{name}={adapter.url}" for name in ("retailcrm", "uon", "moysklad", "bitrix24"))
    return make_stack((CACHE,), settings={**COLD, "CALLWEAVE_INTEGRATION_CACHE_ADAPTERS": adapters}).start_all()


@pytest.fixture
def two(make_stack):
    """A stack, and a second instance on the same PostgreSQL and Redis."""
    stack = make_stack((CACHE,), settings=COLD).start_all()
    folder = stack.folder / "second"
    folder.mkdir()
    second = Process(CACHE, folder, stack.services[CACHE].settings)
    second.start()
    yield stack, second
    assert second.stop() == 0 and second.report() is None, second.tail()


def second_name(stack, second, phone=ANNA):
    return stack.session().get(f"{second.url}/customer-name/0367/{phone}", timeout=5).json()["name"]


def redis_cli(stack, *words):
    port = stack.redis.url.rsplit(":", 1)[1].split("/")[0]
    return subprocess.run(["redis-cli", "-p", port, *words], check=True, text=True, capture_output=True).stdout.strip()


def health(stack):
    return get(stack, "health").json()["status"]


# -- something is away ------------------------------------------------------------------------------

def test_without_a_database_the_last_good_copy_serves(make_stack):
    """Check 7 of the acceptance list."""
    stack = make_stack((CACHE,), own_postgres=True, settings=COLD).start_all()
    june(stack)
    customer(stack, last_name="Иванов")
    assert name(stack) == "Иванов"
    wait_until(lambda: health(stack) == "healthy", 5, "healthy")
    stack.stop_pg()
    wait_until(lambda: health(stack) == "degraded", 10, "it says that something is wrong")
    assert get(stack, "integrations/june").json()["integrations"]["retailcrm"] is True
    assert get(stack, "metadata/0367/manager/150").status_code == 200
    assert name(stack) == "Иванов" and name(stack, BORIS) is None
    assert get(stack, "readyz").status_code in (200, 503)
    answer = post(stack, "enrich-customer/0367/" + ANNA)
    assert answer.json() == {"success": False, "error": "Database connection failed"}
    assert post(stack, "cache/refresh", timeout=60).status_code == 503
    assert name(stack) == "Иванов", "also what was to be read anew"
    assert get(stack, "integrations/0367").status_code == 200
    stack.start_pg()
    stack.sql("UPDATE enterprises SET integrations_config = '{\"uon\": {\"enabled\": true}}'")
    stack.sql("UPDATE customers SET last_name = 'Петров'")
    wait_until(lambda: get(stack, "integrations/0367").json()["integrations"] == {"uon": True}, 10, "it follows again")
    wait_until(lambda: name(stack) == "Петров", 10, "customers, too")
    wait_until(lambda: health(stack) == "healthy", 10, "healthy again")


def test_it_starts_without_a_database_and_says_so(make_stack):
    stack = make_stack((CACHE,), own_postgres=True, settings=COLD)
    stack.stop_pg()
    service = stack.services[CACHE]
    service.start(wait=False)
    wait_until(lambda: answers(service), 20, "it listens")
    answer = get(stack, "health")
    assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")
    assert get(stack, "metadata/0367/lines").status_code == 503
    assert get(stack, "customer-name/0367/" + ANNA).json() == {"name": None}
    stack.start_pg()
    service.wait_ready()


def answers(service):
    try:
        return requests.get(service.url + "/livez", timeout=2).status_code == 200
    except requests.ConnectionError:
        return False


def test_without_redis_it_is_only_slower(make_stack):
    stack = make_stack((CACHE,), settings=COLD).start_all()
    june(stack)
    customer(stack, last_name="Иванов")
    stack.redis.halt()
    wait_until(lambda: health(stack) == "degraded", 10, "it says so")
    assert name(stack) == "Иванов"
    message = {"phone": "1", "chat_id": 1, "event_type": "dial", "message_id": 7}
    assert post(stack, "telegram/message", message).status_code == 200
    assert get(stack, "telegram/messages/1/1").json()["messages"]["dial"] == [7]
    stack.redis.resume()
    wait_until(lambda: health(stack) == "healthy", 10, "and that it is back")
    assert name(stack) == "Иванов"
    assert post(stack, "telegram/message", {**message, "message_id": 8}).status_code == 200
    assert 8 in get(stack, "telegram/messages/1/1").json()["messages"]["dial"]


# -- several instances ------------------------------------------------------------------------------

def test_a_change_reaches_every_instance_within_a_second(two):
    stack, second = two
    june(stack)
    customer(stack, last_name="Иванов")
    assert name(stack) == second_name(stack, second) == "Иванов"
    for surname in ("Петров", "Сидоров"):
        stack.sql("UPDATE customers SET last_name = %s", [surname])
        wait_until(lambda: name(stack) == second_name(stack, second) == surname, 1, "both have it")
    stack.sql("UPDATE enterprises SET name = 'july'")
    wait_until(lambda: get(stack, "config/july").status_code == 200
               and stack.session().get(f"{second.url}/config/july", timeout=5).status_code == 200, 1, "both have that, too")


def test_what_one_has_read_the_other_has_from_redis(two):
    """Of names that did not change just now: for two seconds after that each instance looks for itself."""
    stack, second = two
    june(stack)
    strangers = ["+375291110011", "+375291110012"]
    assert second_name(stack, second, "+375291110009") is None, "it has found Redis"
    before = stack.session().get(f"{second.url}/stats", timeout=5).json()["layers"]["database"]
    assert [name(stack, phone) for phone in strangers] == [None, None]
    wait_until(lambda: redis_cli(stack, "EXISTS", *(f"callweave:customer:0367 {phone}" for phone in strangers)) == "2", 5,
               "they are in Redis")
    assert [second_name(stack, second, phone) for phone in strangers] == [None, None]
    seen = stack.session().get(f"{second.url}/stats", timeout=5).json()["layers"]
    assert seen["redis"]["hits"] == 2 and seen["database"] == before


def plant(stack, phone, surname):
    """A copy in Redis that is not what the database has."""
    generation = redis_cli(stack, "GET", "callweave:customers:generation")
    redis_cli(stack, "SET", f"callweave:customer:0367 {phone}",
              f"{generation} {json.dumps({'name': surname, 'last_name': surname}, ensure_ascii=False)}")


def test_copies_are_void_after_a_lost_connection(make_stack):
    """Who did not hear announcements, or could not pass them on, trusts no copy."""
    stack = make_stack((CACHE,), settings=COLD).start_all()
    june(stack)
    assert name(stack, "+375291110009") is None, "which makes the generation known"
    plant(stack, "+375291110003", "Копия")
    assert name(stack, "+375291110003") == "Копия", "the copy is trusted"
    plant(stack, "+375291110004", "Старая")
    redis_cli(stack, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    wait_until(lambda: health(stack) == "healthy", 5, "Redis again")
    assert name(stack, "+375291110004") is None, "a DEL may have been lost with that connection"
    plant(stack, "+375291110005", "Старая")
    gaps = get(stack, "stats").json()["layers"]["memory"]["misses"]
    stack.sql("""SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND query LIKE 'LISTEN%%customers%%'""")
    wait_until(lambda: name(stack, "+375291110003") is None, 5, "memory is read anew after the gap")
    assert name(stack, "+375291110005") is None
    assert get(stack, "stats").json()["layers"]["memory"]["misses"] > gaps


def test_rubbish_in_redis_is_passed_over(make_stack):
    stack = make_stack((CACHE,), settings=COLD).start_all()
    june(stack)
    customer(stack, last_name="Иванов")
    name(stack, "+375291110009")
    generation = redis_cli(stack, "GET", "callweave:customers:generation")
    for rubbish in ("", "x", generation, generation + " ", generation + " {", generation + " [1]",
                    generation + " " + "[" * 1000, generation + ' {"name": 7}', "other " + '{"name": "x"}'):
        redis_cli(stack, "SET", f"callweave:customer:0367 {ANNA}", rubbish)
        post(stack, "cache/invalidate/0367")
        assert name(stack) == "Иванов", rubbish
    redis_cli(stack, "DEL", f"callweave:customer:0367 {BORIS}")
    redis_cli(stack, "LPUSH", f"callweave:customer:0367 {BORIS}", "a list")
    assert name(stack, BORIS) is None
    redis_cli(stack, "SET", "callweave:messages:1:1", "no hash")
    assert get(stack, "telegram/messages/1/1").status_code == 404


# -- before anybody asks ----------------------------------------------------------------------------

def warm(stack):
    """Until the customers of 0367 are in memory: a stranger is nobody without a look into the database."""
    numbers = iter(range(10000))

    def known():
        before = layers(stack)["memory"]["misses"]
        assert name(stack, f"+37533{next(numbers):07}") is None
        return layers(stack)["memory"]["misses"] == before
    wait_until(known, 10, "all customers are in memory")


def test_customers_are_there_before_anybody_asks(make_stack):
    stack = make_stack((CACHE,))
    stack.enterprise("0367", name="june", integrations_config=json.dumps(CONFIG))
    for number in range(50):
        customer(stack, f"+37529111{number:04}", last_name=f"Иванов {number}", meta='{"responsible": {"retailcrm": "16"}}')
    stack.start_all()
    warm(stack)
    before = layers(stack)
    assert [name(stack, f"+37529111{number:04}") for number in range(50)] == [f"Иванов {n}" for n in range(50)]
    assert name(stack, "+375440000001") is None
    after = layers(stack)
    assert after["memory"]["hits"] - before["memory"]["hits"] == 51
    assert (after["memory"]["misses"], after["database"]) == (before["memory"]["misses"], before["database"])
    customer(stack, "+375440000001", last_name="Новый")
    customer(stack, "+375440000002", last_name="Другой")
    wait_until(lambda: name(stack, "+375440000001") == "Новый", 1, "who was nobody is somebody")
    wait_until(lambda: name(stack, "+375440000002") == "Другой", 1, "also one that nobody asked for before")
    stack.sql("""SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND query LIKE 'LISTEN%%customers%%'""")
    customer(stack, "+375440000003", last_name="Тайный")
    wait_until(lambda: name(stack, "+375440000003") == "Тайный", 5, "what was not announced is found after the gap")


def test_only_as_many_as_there_is_room_for(make_stack):
    stack = make_stack((CACHE,), settings={"CALLWEAVE_INTEGRATION_CACHE_MAX_CUSTOMERS": "100"})
    stack.enterprise("0367", name="june", integrations_config=json.dumps(CONFIG))
    stack.sql("""INSERT INTO customers (enterprise_number, phone_e164, last_name)
                 SELECT '0367', '+37529' || to_char(n, 'FM0000000'), 'Иванов ' || n FROM generate_series(1, 500) AS n""")
    stack.start_all()
    for number in (1, 250, 500, 1, 77):
        assert name(stack, f"+37529{number:07}") == f"Иванов {number}"
    for number in range(1, 300):
        assert name(stack, f"+37529{number:07}") == f"Иванов {number}"
    assert get(stack, "stats").json()["customers"] <= 110


# -- the CRMs ---------------------------------------------------------------------------------------

def asked(adapter):
    return [body for path, body, _ in adapter.asked if path.endswith("/learn")]


def test_a_stranger_is_asked_for_in_the_background_and_once(asking, adapter):
    june(asking)
    assert [name(asking) for _ in range(5)] == [None] * 5
    wait_until(lambda: asked(adapter) == [{"enterprise": "0367", "phone": ANNA}], 5, "its own CRM is asked")
    assert adapter.asked[0][0] == "/internal/retailcrm/learn" and adapter.asked[0][2] == INTERNAL_SECRET
    asking.sql("SELECT customer_learn('0367', 'retailcrm', %s)", [json.dumps(
        [{"id": "815", "last_name": "Иванов", "phones": [ANNA, BORIS], "manager_id": "16"}])])
    wait_until(lambda: name(asking) == "Иванов", 1, "the name that the CRM told")
    assert get(asking, f"responsible-extension/0367/{BORIS}").json() == {"extension": "150"}
    assert len(asked(adapter)) == 1, "who is known is not asked for"
    assert layers(asking)["crm"] == {"asked": 1, "failed": 0, "dropped": 0}


def test_each_enterprise_asks_its_own_crm_and_nobody_elses(asking, adapter):
    """Check 8 of the acceptance list: which enterprise, which CRM."""
    june(asking)
    june(asking, "0400", name="july", config={"smart": {"primary": "ms"}, "ms": {"enabled": True}, "uon": {"enabled": True}})
    june(asking, "0401", name="may", config={"uon": {"enabled": True}})
    june(asking, "0402", name="nobody", config={"smart": {"primary": "retailcrm"}, "retailcrm": {"enabled": False}})
    june(asking, "0403", name="both", config={"uon": {"enabled": True}, "ms": {"enabled": True}})
    for number in ("0367", "0400", "0401", "0402", "0403"):
        assert name(asking, ANNA, number) is None
    expected = {("/internal/retailcrm/learn", "0367"), ("/internal/ms/learn", "0400"), ("/internal/uon/learn", "0401")}
    wait_until(lambda: {(path, body["enterprise"]) for path, body, _ in adapter.asked} == expected, 5,
               lambda: f"exactly these: {adapter.asked}")


def test_a_crm_that_hangs_delays_nobody(asking, adapter):
    june(asking)
    adapter.hangs = True
    for number in range(40):
        assert name(asking, f"+37529333{number:04}") is None
    assert asking.services[CACHE].running()
    adapter.hangs = False


def test_enrichment_waits_for_the_crm(asking, adapter):
    june(asking)
    june(asking, "0403", name="none", config={})
    assert post(asking, f"enrich-customer/0403/{ANNA}").json() == {"success": False, "error": "No integrations configured"}
    assert post(asking, f"enrich-customer/9999/{ANNA}").json()["success"] is False
    assert post(asking, "enrich-customer/0367/150").json() == {"success": False, "error": "No customer profile found"}
    began = time.monotonic()
    assert post(asking, f"enrich-customer/0367/{ANNA}").json() == {"success": False, "error": "No customer profile found"}
    assert time.monotonic() - began < 8, "it does not wait for ever"
    customer(asking, BORIS, last_name="По руке", meta='{"primary_source": "hand"}')
    assert post(asking, f"enrich-customer/0367/{BORIS}").json()["error"] == "No external_id found for retailcrm"
    asking.sql("SELECT customer_learn('0367', 'retailcrm', %s)", [json.dumps(
        [{"id": "815", "last_name": "Иванов", "first_name": "Пётр", "phones": [ANNA, "+375291110007"]}])])
    assert post(asking, f"enrich-customer/june/{ANNA}").json() == {
        "success": True, "full_name": "Иванов Пётр", "source": "retailcrm", "external_id": "815",
        "person_uid": "retailcrm:815", "linked_phones": [ANNA, "+375291110007"], "updated_count": 2,
        "is_primary_source": True}


def test_popups_of_old_go_to_uon(asking, adapter):
    june(asking)
    june(asking, "0401", name="may", config={"uon": {"enabled": True}})
    adapter.status, adapter.answer = 200, {"success": True}
    body = {"enterprise_number": "0401", "phone": "80291110001", "extension": "150", "extensions_all": ["150", "151"]}
    assert post(asking, "notify/incoming", body).json() == {"success": True, "provider": "uon", "status": 200}
    assert adapter.asked[-1] == ("/internal/uon/notify-incoming", {
        "enterprise_number": "0401", "phone": ANNA, "extension": "150", "extensions_all": ["150", "151"],
        "direction": "in"}, INTERNAL_SECRET)
    adapter.answer = {"success": False}
    assert post(asking, "notify/incoming", body).json()["success"] is False, "what failed is no success"
    assert post(asking, "notify/incoming", {**body, "enterprise_number": "0367"}).json() == {
        "success": False, "provider": "retailcrm", "error": "provider_not_implemented"}
    answer = post(asking, "notify/incoming", {"phone": ANNA})
    assert (answer.status_code, answer.json()) == (400, {"detail": "enterprise_number required"})
    assert post(asking, "notify/incoming", [1]).status_code == 422


# -- what CRMs know, in SQL -------------------------------------------------------------------------

@pytest.fixture
def learning(make_stack):
    stack = make_stack((CACHE,))
    stack.enterprise("0367", name="june", integrations_config=json.dumps(CONFIG))
    return stack


def learn(stack, *items, source="retailcrm"):
    return stack.sql("SELECT customer_learn('0367', %s, %s) AS n", [source, json.dumps(items)])[0]["n"]


def shown(stack, phone=ANNA):
    return stack.sql("SELECT customer_shown('0367', %s) AS c", [phone])[0]["c"]


def test_a_customer_is_learned_with_all_numbers(learning):
    item = {"id": "815", "last_name": "Иванов", "first_name": "Пётр", "phones": [ANNA, BORIS, "12", "80291110003", None],
            "manager_id": "16"}
    assert learn(learning, item) == 2
    assert learn(learning, item) == 0, "nothing is new"
    for phone in (ANNA, BORIS):
        row = shown(learning, phone)
        assert row["name"] == "Иванов Пётр" and row["source"] == "retailcrm" and row["person_uid"] == "retailcrm:815"
        assert row["ids"] == {"retailcrm": ["815"]} and row["responsible"] == {"retailcrm": "16"}
        assert sorted(row["phones"]) == [ANNA, BORIS]
    assert learning.sql("SELECT count(*) AS n FROM customers")[0]["n"] == 2
    learn(learning, {**item, "phones": [ANNA], "manager_id": "17"})
    assert shown(learning)["responsible"] == {"retailcrm": "17"}
    gone = shown(learning, BORIS)
    assert "name" not in gone and "person_uid" not in gone and not gone.get("ids") and not gone.get("responsible")
    assert learn(learning, {"id": "815", "deleted": True}) == 1
    assert "name" not in shown(learning)


def test_what_a_person_wrote_stays_and_the_primary_crm_goes_first(learning):
    learning.sql("SELECT customer_set_name('0367', %s, 'hand', 'По', 'Руке', '', '')", [ANNA])
    learn(learning, {"id": "1", "last_name": "Иванов", "phones": [ANNA]})
    assert shown(learning)["name"] == "По Руке" and shown(learning)["ids"] == {"retailcrm": ["1"]}
    learn(learning, {"id": "1", "deleted": True})
    assert shown(learning)["name"] == "По Руке"
    learn(learning, {"id": "u9", "last_name": "Из", "first_name": "Юона", "phones": [BORIS]}, source="uon")
    assert shown(learning, BORIS)["name"] == "Из Юона"
    learn(learning, {"id": "2", "last_name": "Главный", "phones": [BORIS]})
    assert shown(learning, BORIS)["name"] == "Главный"
    learn(learning, {"id": "u9", "last_name": "Снова", "phones": [BORIS]}, source="uon")
    row = shown(learning, BORIS)
    assert row["name"] == "Главный" and row["ids"] == {"retailcrm": ["2"], "uon": ["u9"]}


def test_a_company_goes_before_its_people(learning):
    person = {"id": "1", "last_name": "Иванов", "phones": [ANNA]}
    company = {"id": "7", "company": True, "enterprise_name": "Ромашка", "phones": [ANNA, BORIS]}
    learn(learning, person, company)
    assert shown(learning)["name"] == "Ромашка" and shown(learning)["person_uid"] == "retailcrm_corp:7"
    learn(learning, person)
    assert shown(learning)["name"] == "Ромашка", "also when the person comes later"


def test_a_number_that_moved_to_somebody_else(learning):
    learn(learning, {"id": "1", "last_name": "Первый", "phones": [ANNA, BORIS]})
    learn(learning, {"id": "2", "last_name": "Второй", "phones": [BORIS]}, {"id": "1", "last_name": "Первый", "phones": [ANNA]})
    assert shown(learning)["name"] == "Первый" and shown(learning, BORIS)["name"] == "Второй"
    assert shown(learning)["phones"] == [ANNA] and shown(learning, BORIS)["phones"] == [BORIS]


def test_wrong_things_are_not_learned(learning):
    for items in ([], {}, 7, None, [{"id": ""}], [{"phones": [ANNA]}], [{"id": "1", "phones": "x"}], [7], ["x"], [None]):
        assert learning.sql("SELECT customer_learn('0367', 'retailcrm', %s) AS n", [json.dumps(items)])[0]["n"] == 0, items
    assert learning.sql("SELECT customer_learn('9999', 'retailcrm', %s) AS n",
                        [json.dumps([{"id": "1", "phones": [ANNA]}])])[0]["n"] == 0
    assert learning.sql("SELECT count(*) AS n FROM customers")[0]["n"] == 0
    assert shown(learning) is None
