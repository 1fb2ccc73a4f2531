"""The pages of the sandbox's CRMs in a real Chromium: popups open and close live, the journal fills, nothing runs."""
import json

import pytest
import requests
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser import PICTURES, chromium, overflow, picture, resize
from sandbox_process import Sandbox
from waiting import wait_until

KEY = "key-of-the-office-1"
EVIL = "<img src=x onerror=\"document.title='pwned'\">"


@pytest.fixture
def sandbox(tmp_path):
    process = Sandbox(tmp_path)
    process.start()
    process.tell("crm/accounts", crm="retailcrm", key=KEY, name="june", users=[{"id": 16, "name": "Анна Ковалёва", "code": "150"}],
                 customers=[{"id": "815", "first_name": EVIL, "last_name": "Ильин", "phones": ["+375 29 111-22-33"]}])
    yield process
    assert process.stop() == 0, process.tail()
    assert process.report() is None, process.report()


@pytest.fixture
def page(sandbox, tmp_path):
    with chromium(tmp_path) as driver:
        driver.get(sandbox.url + "/")
        driver.find_element(By.LINK_TEXT, "CRM").click()
        wait_until(lambda: "на связи" in driver.find_element(By.ID, "status").text, 10)
        yield driver


def texts(page, selector):
    return page.execute_script("return [...document.querySelectorAll(arguments[0])].map(one => one.innerText)", selector)


def tell(sandbox, what, key=KEY, **form):
    answer = requests.post(f"{sandbox.url}/api/v5/telephony/{what}", headers={"X-API-KEY": key}, timeout=10,
                           data={name: json.dumps(value) for name, value in form.items()})
    assert answer.status_code == 200, answer.text


EVENT = {"phone": "+375291112233", "type": "in", "userIds": [16], "callExternalId": "1.1"}
UPLOAD = {"date": "2026-11-21 12:00:00", "type": "in", "phone": "375291112233", "userId": 16, "result": "answered",
          "duration": 61, "durationWaiting": 9, "externalId": "1.1", "recordUrl": "https://pbx.example/1.mp3"}


def test_a_call_is_seen_from_popup_to_journal(sandbox, page):
    assert "Пока пусто" in page.find_element(By.ID, "calls-none").text
    tell(sandbox, "call/event", event=EVENT)
    [popup] = wait_until(lambda: texts(page, ".popup"), 5)
    assert "+375291112233" in popup and "Анна Ковалёва, доб. 150" in popup and EVIL in popup
    assert "идёт" in texts(page, "#calls td")[3]
    tell(sandbox, "call/event", event={**EVENT, "type": "hangup", "hangupStatus": "answered"})
    tell(sandbox, "calls/upload", calls=[UPLOAD])
    wait_until(lambda: texts(page, "#calls .good") == ["answered"] and not texts(page, ".popup"), 5)
    assert texts(page, "#calls td") == ["2026-11-21 12:00:00", f"↙375291112233\nИльин {EVIL}", "Анна Ковалёва, доб. 150",
                                        "answered", "61 с", "9 с", "Слушать"]
    assert page.find_element(By.CSS_SELECTOR, "#calls a").get_attribute("href") == "https://pbx.example/1.mp3"
    tell(sandbox, "calls/upload", calls=[UPLOAD])
    wait_until(lambda: texts(page, "#calls .twice") == ["записей: 2"], 5)
    assert texts(page, "[data-kind=customers] b") == [f"Ильин {EVIL}"]
    assert page.find_elements(By.CSS_SELECTOR, "main img") == [] and page.title != "pwned"


def test_crms_are_chosen_by_keyboard_and_fit_a_phone(sandbox, page):
    requests.post(f"{sandbox.url}/key-of-uon-1/call_history/create.json", timeout=10,
                  json={"phone": "375291112233", "start": "2026-11-21 12:00:00", "direction": 1, "note": "длинное" * 100})
    requests.post(f"{sandbox.url}/key-of-uon-1/notification/create.json", timeout=10,
                  json={"text": f"<b>Звонок</b><br>{EVIL}<script>document.title='pwned'</script>", "manager_id": 16})
    page.find_element(By.ID, "tab-retailcrm").send_keys(Keys.ARROW_RIGHT)
    wait_until(lambda: texts(page, "#calls td"), 5)
    assert texts(page, "[data-kind=notifications] b")[0].startswith("Звонок\n") and page.title != "pwned"
    assert page.find_elements(By.CSS_SELECTOR, "main img, main script") == []
    assert page.switch_to.active_element.get_attribute("id") == "tab-uon" and page.current_url.endswith("#uon")
    resize(page, 360, 640)
    assert overflow(page) <= 0
    page.get(sandbox.url + "/_sandbox/crm/?lang=en#uon")
    page.refresh()
    wait_until(lambda: texts(page, "#calls td"), 5)
    assert overflow(page) <= 0 and page.find_element(By.ID, "calls-title").text.startswith("Call journal")
    sandbox.tell("reset")
    wait_until(lambda: not texts(page, "#calls td"), 5)


def test_a_morning_at_retailcrm(sandbox, page):
    """An open popup above calls that ended differently: the picture of the documentation."""
    key = "key-of-the-office-2"
    sandbox.tell("reset")
    sandbox.tell("crm/accounts", crm="retailcrm", key=key, name="june",
                 users=[{"id": 16, "name": "Анна Ковалёва", "code": "150"}, {"id": 17, "name": "Игорь Савицкий", "code": "151"}],
                 customers=[{"id": "815", "first_name": "Пётр", "last_name": "Ильин", "phones": ["+375291112233"]}])
    for number, result in enumerate(("answered", "no answer", "answered"), 1):
        answered = result == "answered"
        tell(sandbox, "calls/upload", key, calls=[{
            **{name: value for name, value in UPLOAD.items() if answered or name != "recordUrl"},
            "externalId": f"2.{number}", "date": f"2026-11-21 09:{number * 7:02}:11", "result": result,
            "type": "out" if number == 3 else "in", "phone": f"37529111223{number}", "userId": 15 + number % 2 + 1,
            "duration": 61 * number if answered else 0}])
    tell(sandbox, "call/event", key, event={**EVENT, "userIds": [16, 17], "callExternalId": "2.9"})
    wait_until(lambda: len(texts(page, ".popup")) == 2 and texts(page, "#calls tr"), 5)
    resize(page, 1280, 800)
    picture(page, PICTURES / "crm.png")
