"""The emulator plays captured calls over the public wire, for scripts and for pages."""
import json
import re
import subprocess
import threading
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
import requests

from fake_ingest import FakeIngest
from process import ROOT, Process
from waiting import wait_until

PATTERNS = {one["id"]: one for one in (json.loads(path.read_text()) for path in
            (ROOT / "services" / "emulator" / "patterns").glob("[0-9]*.json"))}
CATALOGUE = json.loads((ROOT / "services" / "emulator" / "patterns" / "catalogue.json").read_text())["patterns"]
CALL = {"call_type": 12, "external_phone": "375290000042", "internal_phone": "151", "line_id": "0001363",
        "enterprise": "0367", "speed": 1000}
EVENTS = {"start", "dial", "bridge", "hangup", "bridge_create", "bridge_leave", "bridge_destroy", "new_callerid"}


@pytest.fixture(scope="module")
def ingest():
    with FakeIngest() as fake:
        yield fake


@pytest.fixture(scope="module")
def stack(module_stack, ingest):
    stack = module_stack(services=("sandbox", "emulator"), settings={"CALLWEAVE_EMULATOR_TARGET": ingest.url})
    stack.enterprise("0367", name="june", name2="375293332255", zone="Europe/Minsk")
    stack.enterprise("0999", name="no token", name2=None)
    for line, name in (("0001363", "Main"), ("0001366", "Backup")):
        stack.sql("INSERT INTO gsm_lines (enterprise_number, line_id, line_name, phone_number) VALUES (%s, %s, %s, %s)",
                  ["0367", line, name, "+375291112233"])
    stack.sql("INSERT INTO sip_unit (enterprise_number, line_name, info) VALUES ('0367', '3880004', 'SIP')")
    for extension, name, mobile in (("150", "Анна", "+375290000951"), ("151", "Борис", None), ("152", "Вера", None)):
        user = stack.sql("INSERT INTO users (enterprise_number, first_name, last_name, personal_phone, follow_me_number,"
                         " follow_me_enabled) VALUES ('0367', %s, 'Тест', %s, 300, true) RETURNING id", [name, mobile])
        stack.sql("INSERT INTO user_internal_phones (enterprise_number, phone_number, user_id) VALUES ('0367', %s, %s)",
                  [extension, user[0]["id"]])
    stack.start_all()
    wait_until(lambda: get(stack, "/health").json()["total_managers"] == 3, 10)
    return stack


@pytest.fixture
def emulator(stack, ingest):
    ingest.clear()
    return stack


def get(stack, path, **options):
    return requests.get(stack.url("emulator") + path, timeout=20, **options)


def call(stack, **changes):
    order = {key: value for key, value in {**CALL, **changes}.items() if value is not None}
    return requests.post(stack.url("emulator") + "/api/test-call", data=order, timeout=60)


def bodies(ingest):
    return [(path.lstrip("/"), body) for path, _, body in ingest.events]


# -- what the form asks for --------------------------------------------------------------------------

def test_what_is_known_of_enterprises(emulator):
    assert get(emulator, "/api/enterprises").json() == [
        {"number": "0367", "name": "june", "has_token": True}, {"number": "0999", "name": "no token", "has_token": False}]
    assert get(emulator, "/api/lines?enterprise=0367").json()["0001363"] == {
        "name": "Main", "phone": "+375291112233", "operator": "GSM"}
    assert get(emulator, "/api/managers?enterprise=0367").json()["150"] == {
        "name": "Тест Анна (150)", "clean_name": "Тест Анна", "personal_phone": "+375290000951",
        "follow_me_number": "300", "follow_me_enabled": True}
    answer = get(emulator, "/api/lines?enterprise=777")
    assert answer.status_code == 404 and answer.json() == {"detail": "Предприятие 777 не найдено"}
    assert get(emulator, "/?enterprise=777").status_code == 404
    assert get(emulator, "/health").json() == {"status": "healthy", "enterprises_loaded": 2, "total_managers": 3,
                                               "total_lines": 3, "database_connected": True}


def test_without_its_database_nothing_is_called_missing(tmp_path):
    lone = Process("emulator", tmp_path, {"DATABASE_URL": "postgresql://127.0.0.1:1/none"})
    lone.start(wait=False)
    try:
        wait_until(lambda: lone.log.exists() and alive(lone), 20)
        for path in ("/api/lines?enterprise=0367", "/?enterprise=0367"):
            answer = requests.get(lone.url + path, timeout=10)
            assert answer.status_code == 503 and answer.json() == {"detail": "База данных недоступна"}
        answer = requests.post(lone.url + "/api/test-call", data=CALL, timeout=10)
        assert answer.status_code == 503
        assert not lone.ready()
    finally:
        assert lone.stop() == 0, lone.tail()
    assert lone.report() is None, lone.report()


def alive(process):
    try:
        return requests.get(process.url + "/livez", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def test_a_change_in_the_database_is_followed(emulator):
    emulator.sql("UPDATE enterprises SET name = 'july' WHERE number = '0367'")
    wait_until(lambda: get(emulator, "/api/enterprises").json()[0]["name"] == "july", 2)
    emulator.sql("UPDATE enterprises SET name = 'june' WHERE number = '0367'")
    wait_until(lambda: get(emulator, "/api/enterprises").json()[0]["name"] == "june", 2)


@pytest.mark.parametrize("path", ["/", "/test-interface", "/call-tester/", "/?enterprise=0367", "/call-tester/?enterprise=0367"])
def test_pages_and_their_languages(emulator, path):
    answer = get(emulator, path, headers={"Accept-Language": "ru-RU,ru;q=0.9,en;q=0.8"})
    assert answer.status_code == 200 and '<html lang="ru">' in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert '<html lang="en">' in get(emulator, path + ("&" if "?" in path else "?") + "lang=en").text


def test_the_catalogue_names_all_45(emulator):
    patterns = get(emulator, "/api/patterns").json()["patterns"]
    assert [one["id"] for one in patterns] == list(range(1, 46))
    by_id = {one["id"]: one for one in patterns}
    assert by_id[12]["key"] == "2-1" and by_id[12]["captured"] and by_id[12]["events"][0] == "start"
    assert [field["name"] for field in by_id[9]["fields"]] == ["external_phone", "internal_phone", "line_id", "backup_line_id"]
    assert not by_id[11]["captured"] and "fields" not in by_id[11]


# -- POST /api/test-call -----------------------------------------------------------------------------

def test_an_incoming_call_is_played_to_its_end(emulator, ingest):
    answer = call(emulator)
    assert answer.status_code == 200
    details = answer.json()["details"]
    assert answer.json()["success"] is True and answer.json()["message"] == "Тестовый звонок завершен"
    assert details["events_sent"] == 10 and details["events_failed"] == 0 and details["errors"] == []
    events = bodies(ingest)
    assert [event for event, _ in events] == [step["event"] for step in PATTERNS[12]["steps"]]
    assert {token for _, token, _ in ingest.events} == {"375293332255"}
    first = events[0][1]
    assert first == {"Token": "375293332255", "UniqueId": details["unique_id"], "CallType": 0,
                     "Phone": "375290000042", "Trunk": "0001363"}
    hangup = events[-1][1]
    assert hangup["Extensions"] == ["151"] and hangup["CallStatus"] == "2" and hangup["UniqueId"] == details["unique_id"]


def test_times_are_the_enterprises_and_last_as_long_as_the_call(emulator, ingest):
    call(emulator, duration_minutes=3)
    hangup = bodies(ingest)[-1][1]
    start, end = (datetime.fromisoformat(hangup[name]) for name in ("StartTime", "EndTime"))
    assert (end - start).total_seconds() >= 180
    minsk = datetime.utcfromtimestamp(time.time() + 3 * 3600)
    assert abs((minsk - end).total_seconds()) < 60, (end, minsk)


@pytest.mark.parametrize("number", sorted(PATTERNS))
def test_every_captured_pattern_plays(emulator, ingest, number):
    pattern = PATTERNS[number]
    answer = call(emulator, call_type=number)
    assert answer.status_code == 200, answer.text
    assert answer.json()["details"]["events_sent"] == len(pattern["steps"]), answer.text
    text = json.dumps(bodies(ingest))
    assert not re.search(r"\{[a-z_0-9]+\}", text), "a placeholder was left"
    assert all(event in EVENTS for event, _ in bodies(ingest))
    # As many channels and bridges as were captured.
    made = {body["UniqueId"] for _, body in bodies(ingest) if body["UniqueId"]}
    captured = {step["body"]["UniqueId"] for step in pattern["steps"] if step["body"]["UniqueId"]}
    assert len(made) == len(captured)
    assert all(re.fullmatch(r"\d{10}\.\d+", uid) for uid in made)


def test_unique_ids_never_come_twice(emulator, ingest):
    callers = [threading.Thread(target=call, args=(emulator,), kwargs={"call_type": 21}) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    starts = [body["UniqueId"] for event, body in bodies(ingest) if event == "start"]
    assert len(starts) == 8 and len(set(starts)) == 8
    bridges = Counter(body["BridgeUniqueid"] for event, body in bodies(ingest) if event == "bridge_create")
    assert set(bridges.values()) == {1}


def test_events_of_one_call_keep_order_and_distance(emulator, ingest):
    begin = time.monotonic()
    call(emulator, call_type=8, speed=10)  # three events, two seconds apart
    assert 0.4 <= time.monotonic() - begin < 3


@pytest.mark.parametrize("changes, status, detail", [
    ({"external_phone": ""}, 400, "Внешний номер обязателен"),
    ({"external_phone": "abc"}, 400, "Внешний номер: только цифры, до 15"),
    ({"internal_phone": ""}, 400, "Внутренний номер обязателен"),
    ({"line_id": ""}, 400, "Линия обязательна"),
    ({"enterprise": "777"}, 404, "Предприятие 777 не найдено"),
    ({"enterprise": "0999"}, 400, "У предприятия 0999 нет токена"),
    ({"call_type": 27}, 400, "no captured sequence for pattern 2-16"),
    ({"call_type": 11}, 400, "no captured sequence for pattern 1-11"),
    ({"call_type": 46}, 422, "call_type: takes 1 to 45"),
    ({"call_type": None}, 422, "call_type: takes 1 to 45"),
    ({"speed": 0}, 422, "speed: takes 1 to 1000"),
    ({"line_id": "../x"}, 400, "line_id: недопустимое значение"),
])
def test_orders_that_are_refused(emulator, ingest, changes, status, detail):
    answer = call(emulator, **changes)
    assert (answer.status_code, answer.json()) == (status, {"detail": detail})
    assert ingest.events == []


def test_refusals_of_ingest_are_told(emulator, ingest):
    ingest.status = 401
    answer = call(emulator, call_type=8).json()
    assert answer["success"] is False
    assert answer["details"]["events_failed"] == 3 and answer["details"]["errors"][0] == "dial: HTTP 401"


def test_the_order_may_be_json(emulator, ingest):
    answer = requests.post(emulator.url("emulator") + "/api/test-call", json=CALL, timeout=30)
    assert answer.status_code == 200 and len(ingest.events) == 10


# -- runs --------------------------------------------------------------------------------------------

def start_run(stack, **changes):
    answer = requests.post(stack.url("emulator") + "/api/runs", json={**CALL, **changes}, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def follow(stack, run):
    """Every state of the run, as the page gets them."""
    with requests.get(f"{stack.url('emulator')}/api/runs/{run['run_id']}/events", stream=True, timeout=20) as stream:
        stream.encoding = "utf-8"
        for line in stream.iter_lines(decode_unicode=True):
            if line.startswith("data: "):
                yield json.loads(line[6:])


def press(stack, run, action):
    return requests.post(f"{stack.url('emulator')}/api/runs/{run['run_id']}/{action}", timeout=10)


def test_a_page_sees_each_step_with_its_answer(emulator, ingest):
    states = list(follow(emulator, start_run(emulator, speed=100)))
    steps = [step for state in states for step in state["steps"]]
    assert [step["step"] for step in steps] == list(range(1, 11))
    assert all(step["status"] == 200 and "Event queued" in step["answer"] for step in steps)
    assert states[-1]["state"] == "done" and states[-1]["done"] == states[-1]["total"] == 10


def test_the_token_reaches_ingest_and_nobody_else(emulator, ingest):
    log = Path(emulator.folder) / "logs" / "call_tester_events.log"
    log.write_text("")
    states = list(follow(emulator, start_run(emulator)))
    assert {body["Token"] for _, body in bodies(ingest)} == {"375293332255"}
    assert {step["body"]["Token"] for state in states for step in state["steps"]} == {"***"}
    assert '"Token": "***"' in log.read_text() and "375293332255" not in log.read_text()


def test_an_endless_answer_fails_the_event_and_nothing_else(emulator, ingest):
    ingest.answer = b'"' + b"x" * 200_000 + b'"'
    details = call(emulator).json()["details"]
    assert details["events_failed"] == 10 and details["errors"][0].startswith("start: ")
    ingest.clear()
    assert call(emulator).json()["success"] is True


def test_a_manual_run_goes_by_presses_and_stops(emulator, ingest):
    run = start_run(emulator, mode="manual")
    for count in (1, 2, 3):
        wait_until(lambda: len(ingest.events) == count, 5)
        assert press(emulator, run, "next").status_code == 200
    wait_until(lambda: len(ingest.events) == 4, 5)
    press(emulator, run, "stop")
    last = list(follow(emulator, run))[-1]
    assert last["state"] == "stopped" and last["done"] == 4 and len(ingest.events) == 4


def test_a_stop_ends_a_long_wait(emulator, ingest):
    run = start_run(emulator, speed=1)
    wait_until(lambda: ingest.events, 5)
    press(emulator, run, "stop")
    begin = time.monotonic()
    assert list(follow(emulator, run))[-1]["state"] == "stopped"
    assert time.monotonic() - begin < 1.5
    assert press(emulator, {"run_id": 999999}, "stop").status_code == 404


def test_the_result_is_what_the_sandbox_shows(emulator):
    chat = emulator.enterprises[0]["chat_id"]
    since = int(time.time() * 1000)
    answer = requests.post(f"{emulator.url('sandbox')}/bot1:AAA/sendMessage", json={"chat_id": chat, "text": "✅"}, timeout=10)
    assert answer.status_code == 200
    result = get(emulator, f"/api/result?enterprise=0367&since_ms={since - 5}").json()
    assert result["available"] is True and [one["plain"] for one in result["messages"]] == ["✅"]
    assert get(emulator, f"/api/result?enterprise=0367&since_ms={since + 60000}").json()["messages"] == []


# -- the log -----------------------------------------------------------------------------------------

def grep(log, *arguments):
    return subprocess.run(["grep", *arguments, str(log)], text=True, stdout=subprocess.PIPE, check=False).stdout


def test_the_log_answers_the_known_recipes(emulator, ingest):
    log = Path(emulator.folder) / "logs" / "call_tester_events.log"
    log.write_text("")  # people truncate it while it is written
    call(emulator, call_type=8)
    ingest.status = 401
    call(emulator, call_type=43)
    assert grep(log, "-c", "📥 EMULATION RESPONSE").strip() == "4"
    assert len(grep(log, "🚀 EMULATION").splitlines()) == 4
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \[INFO\] call_tester: 🚀 EMULATION REQUEST to http",
                    grep(log, "🚀 EMULATION"))
    after = grep(log, "-A", "10", "🚀 EMULATION")
    assert "📤 Event Type: dial" in after and '📊 Event Data: {\n' in after and '  "Phone": "375290000042"' in after
    assert "📊 Response Status: 200" in log.read_text()
    assert "✅ Event dial sent successfully" in log.read_text()
    assert "❌ Event hangup failed: HTTP 401" in grep(log, "ERROR")


def test_pages_may_mirror_their_steps_into_the_log(emulator):
    log = Path(emulator.folder) / "logs" / "call_tester_events.log"
    url = emulator.url("emulator") + "/api/log-event"
    for body in ({"type": "emulation_request", "event_type": "dial", "url": "http://x/\nforged", "data": {"a": "ё"}},
                 {"type": "emulation_response", "event_type": "dial", "status": 200, "response_data": {"status": "ok"}},
                 {"type": "emulation_error", "event_type": "dial", "error": "timeout\nforged"}):
        answer = requests.post(url, json=body, timeout=10)
        assert answer.status_code == 200 and answer.json() == {"status": "logged"}
    text = log.read_text()
    assert "🚀 EMULATION REQUEST to http://x/ forged" in text and '"a": "ё"' in text and "\nforged" not in text
    assert "❌ Error: timeout forged" in text
    assert requests.post(url, json={"type": "pigeon"}, timeout=10).status_code == 422
    echo = requests.post(emulator.url("emulator") + "/api/webhook-event", json={"a": 1}, timeout=10).json()
    assert echo["success"] is True and echo["message"] == "Событие успешно обработано" and echo["event_id"] and echo["timestamp"]
