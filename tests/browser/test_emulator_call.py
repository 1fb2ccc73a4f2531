"""From the web form to the message: a call is played in a real Chromium and shows in the sandbox's chat.

CALLWEAVE_PICTURES=docs/pictures keeps the pictures that the README shows.
"""
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from browser import PICTURES, chromium, overflow, picture, resize
from waiting import wait_until

PEOPLE = (("150", "Анна", "Смирнова"), ("151", "Борис", "Ковалёв"), ("152", "Вера", "Новик"), ("153", "Глеб", "Лис"))


@pytest.fixture
def house(stack):
    """An enterprise with two lines and four people."""
    row = stack.enterprise("0367", name="june", zone="Europe/Minsk", locale="ru")
    for line, name in (("0001363", "Минск, главный"), ("0001366", "Минск, резерв")):
        stack.sql("INSERT INTO gsm_lines (enterprise_number, line_id, line_name) VALUES ('0367', %s, %s)", [line, name])
    for extension, first, last in PEOPLE:
        user = stack.sql("INSERT INTO users (enterprise_number, first_name, last_name) VALUES ('0367', %s, %s) RETURNING id",
                         [first, last])
        stack.sql("INSERT INTO user_internal_phones (enterprise_number, phone_number, user_id) VALUES ('0367', %s, %s)",
                  [extension, user[0]["id"]])
    stack.chat = row["chat_id"]
    return stack


@pytest.fixture
def page(house, tmp_path):
    with chromium(tmp_path / "browser", 1400, 900) as driver:
        open_form(driver, house, "/call-tester/?enterprise=0367")
        wait_until(lambda: len(Select(driver.find_element(By.ID, "answered_manager")).options) == 5, 10)
        yield driver


def open_form(driver, house, path):
    driver.get(house.url("emulator") + path)
    wait_until(lambda: driver.execute_script("return document.body.dataset.ready"), 10)


def choose(driver, name, value):
    Select(driver.find_element(By.ID, name)).select_by_value(value)


def text(driver, name):
    return driver.find_element(By.ID, name).text


def state(driver):
    return driver.find_element(By.ID, "progress").get_attribute("data-state")


def bubbles(driver):
    """Read in one step: the page draws the chat anew with each state, so an element found may be gone when asked."""
    return driver.execute_script(
        "return [...document.querySelectorAll('#chat .bubble .body')].map(one => one.innerText.trim())")


def press(driver, selector):
    """Click what the page shows now; whether it is there yet is the answer."""
    return driver.execute_script(
        "const one = document.querySelector(arguments[0]); if (one) one.click(); return Boolean(one)", selector)


def test_a_call_from_the_form_becomes_one_message_that_ends_final(house, page):
    choose(page, "pattern", "12")
    number = page.find_element(By.NAME, "external_phone")
    number.clear()
    number.send_keys("+375290000001")
    choose(page, "line_id", "0001363")
    choose(page, "internal_group_1", "150")
    choose(page, "internal_group_2", "151")
    choose(page, "answered_manager", "151")
    choose(page, "speed", "5")
    page.find_element(By.ID, "send").click()
    wait_until(lambda: text(page, "progress").startswith("Шаг "), 5)
    # The first text, seen in the page while the call goes on.
    wait_until(lambda: bubbles(page), 10)
    assert len(bubbles(page)) == 1
    wait_until(lambda: state(page) == "done", 30)
    assert text(page, "progress") == "Шаг 10/10 · Завершено"
    wait_until(lambda: bubbles(page) and bubbles(page)[0].startswith("✅Успешный входящий звонок"), 15,
               lambda: f"the final text; the chat shows {bubbles(page)}")
    [message] = house.messages(house.chat)
    assert len(message["history"]) >= 2, "it changed while the call went on"
    assert "+375 (29) 000-00-01" in message["plain"] and "(151)" in message["plain"]
    [call] = house.calls("0367")
    assert call["direction"] == "incoming" and call["answered"] and call["talkers"] == ["151"]
    picture(page, PICTURES / "emulator.png")
    page.get(f"{house.url('sandbox')}/?lang=ru#{house.chat}")
    wait_until(lambda: press(page, ".bubble .versions"), 10)
    wait_until(lambda: page.find_elements(By.CSS_SELECTOR, ".history li"), 10)
    picture(page, PICTURES / "sandbox.png")


def test_a_manual_call_goes_by_the_keyboard(house, page):
    choose(page, "pattern", "8")
    page.find_element(By.CSS_SELECTOR, "label[for=mode-manual]").click()
    page.find_element(By.ID, "external_phone").send_keys(Keys.ENTER)
    wait_until(lambda: text(page, "progress") == "Шаг 1/3", 5)
    for step in (2, 3):
        wait_until(lambda: page.switch_to.active_element.get_attribute("id") == "next", 5)
        page.switch_to.active_element.send_keys(Keys.SPACE)
        wait_until(lambda step=step: text(page, "progress").startswith(f"Шаг {step}/3"), 5)
    wait_until(lambda: state(page) == "done", 5)


def test_a_stopped_call_says_so(house, page):
    choose(page, "speed", "1")
    page.find_element(By.ID, "send").click()
    wait_until(lambda: text(page, "progress").startswith("Шаг 1/10"), 5)
    page.find_element(By.ID, "stop").click()
    wait_until(lambda: "Остановлено" in text(page, "progress"), 5)
    assert page.find_element(By.ID, "send").is_enabled()


def test_fields_follow_the_pattern_and_exclude_each_other(house, page):
    choose(page, "pattern", "9")
    names = [one.get_attribute("name") for one in page.find_elements(By.CSS_SELECTOR, "#fields [name]")]
    assert names == ["external_phone", "internal_phone", "line_id", "backup_line_id"]
    assert page.find_element(By.ID, "line_id").get_attribute("value") == "0001363"
    backup = Select(page.find_element(By.ID, "backup_line_id"))
    assert [one.get_attribute("value") for one in backup.options if one.is_enabled()] == ["", "0001366"]
    choose(page, "pattern", "42")
    names = [one.get_attribute("name") for one in page.find_elements(By.CSS_SELECTOR, "#fields [name]")]
    assert names == ["internal_caller", "internal_callee"]
    absent = page.find_element(By.CSS_SELECTOR, "#pattern option[value='27']")
    assert not absent.is_enabled() and "нет записи" in absent.get_attribute("textContent")


def test_flags_give_numbers_and_errors_are_shown(house, page):
    field = page.find_element(By.ID, "external_phone")
    for button in page.find_elements(By.CSS_SELECTOR, ".flags button"):
        button.click()
        assert field.get_attribute("value")[0] == "+" and 10 < len(field.get_attribute("value")) <= 15
    field.clear()
    page.find_element(By.ID, "send").click()
    wait_until(lambda: text(page, "problem") == "Внешний номер обязателен", 5)
    # The refusal of an order is a 400: the browser notes it, and that is expected here.
    page.get_log("browser")


@pytest.mark.parametrize("path", ["/?lang=en", "/test-interface?lang=en"])
def test_it_fits_a_phone(house, page, path):
    resize(page, 360, 640)
    open_form(page, house, path)
    assert text(page, "send") == "Call" and overflow(page) <= 0
    for pattern in ("24", "34", "42"):
        choose(page, "pattern", pattern)
        assert overflow(page) <= 0
