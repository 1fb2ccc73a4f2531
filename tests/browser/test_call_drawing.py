"""The page of a call in a real Chromium: the drawing has its lanes, bars and arrows, and fits any width.

CALLWEAVE_PICTURES=docs/pictures keeps the pictures that the documentation shows.
"""
import os
import subprocess

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser import PICTURES, chromium, overflow, picture, resize
from corpus import Instance, scenarios
from process import binaries
from waiting import wait_until

PEOPLE = (("150", "Анна", "Ковалёва"), ("151", "Игорь", "Савицкий"), ("152", "Мария", "Лис"))
# scenario: (its number among the calls, arrows, lanes)
PLAYED = {"2-18/raw": (1, 2, 4), "2-23/raw": (2, 1, 6)}
# Pictures that are kept show real moments; a test need not wait for them.
SPEED = 1 if "CALLWEAVE_PICTURES" in os.environ else 0.1


@pytest.fixture(scope="module")
def house(module_stack):
    """An enterprise with people and lines, and two calls as they were recorded, or faster."""
    stack = module_stack(services=("sandbox", "ingest", "dispatcher", "console")).start_all()
    stack.enterprise("0367", name="june", zone="Europe/Minsk", locale="ru")
    stack.no_limits()
    for line, name in (("0001363", "МТС-1"), ("0001366", "А1-2")):
        stack.sql("INSERT INTO gsm_lines (enterprise_number, line_id, line_name) VALUES ('0367', %s, %s)", [line, name])
    for extension, first, last in PEOPLE:
        user = stack.sql("INSERT INTO users (enterprise_number, first_name, last_name) VALUES ('0367', %s, %s) RETURNING id",
                         [first, last])
        stack.sql("INSERT INTO user_internal_phones (enterprise_number, phone_number, user_id) VALUES ('0367', %s, %s)",
                  [extension, user[0]["id"]])
    recorded = scenarios()
    stack.calls_of = {}
    for name, (number, _, _) in PLAYED.items():
        Instance(name, recorded[name], "token-0367", number).send(stack.post, scale=SPEED)
        stack.wait_quiet()
        stack.calls_of[name] = stack.calls("0367")[-1]["call_id"]
    stretch(stack)
    return stack


def stretch(stack):
    """The calls were played fast: give their moments the distances that they really had."""
    span = """(SELECT c.id, min(e.event_timestamp) AS first, max(e.event_timestamp) AS last FROM calls c
               JOIN call_events e ON e.unique_id = ANY (c.unique_ids || c.unique_id) GROUP BY c.id)"""
    stack.sql(f"""UPDATE call_transfers t SET started_at = s.first + (t.started_at - s.first) / %s
                  FROM {span} s WHERE s.id = t.call_id""", [SPEED])
    stack.sql(f"""UPDATE call_events e SET event_timestamp = s.first + (e.event_timestamp - s.first) / %s
                  FROM {span} s WHERE e.event_timestamp BETWEEN s.first AND s.last""", [SPEED])


@pytest.fixture
def driver(tmp_path):
    with chromium(tmp_path / "browser", 1280, 900) as driver:
        yield driver


def open_page(driver, house, name, more=""):
    done = subprocess.run([str(binaries() / "console"), "--link", "0367", str(house.calls_of[name])], text=True,
                          capture_output=True, env=house.services["console"].environment(), timeout=20)
    driver.get(done.stdout.strip() + more)
    wait_until(lambda: driver.find_elements(By.CSS_SELECTOR, "footer"), 10)


def whole_page(driver, width, path):
    """A picture of all of it, however long."""
    height = driver.execute_script("return document.documentElement.scrollHeight")
    resize(driver, width, min(height, 1150))
    picture(driver, path)


def dark(driver, on):
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                           {"features": [{"name": "prefers-color-scheme", "value": "dark" if on else "light"}]})


def count(driver, selector):
    return len(driver.find_elements(By.CSS_SELECTOR, selector))


def boxes(driver, selector):
    return driver.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map(one => {const box = one.getBoundingClientRect();"
        "return [box.left, box.top, box.right, box.bottom]})", selector)


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", PLAYED)
def test_the_drawing_has_its_parts_and_fits(house, driver, name, width):
    _, arrows, lanes = PLAYED[name]
    resize(driver, width, 900)
    open_page(driver, house, name)
    assert overflow(driver) <= 0
    assert count(driver, ".plot .lane") == lanes == count(driver, ".names li")
    assert count(driver, ".part.arrow") == arrows
    for kind in ("waiting", "ringing", "talking", "consulting", "hold"):
        assert count(driver, f".part.{kind}") >= 1, kind
    [plot] = boxes(driver, ".plot")
    for left, top, right, bottom in boxes(driver, ".part .fill"):
        assert plot[0] <= left < right <= plot[2] + 1 and plot[1] <= top < bottom <= plot[3] + 1
    # An arrow goes from one lane into another.
    for _, top, _, bottom in boxes(driver, ".part.arrow .shaft"):
        assert bottom - top > 20
    tag = name.split("/")[0]
    whole_page(driver, width, PICTURES / f"call-{tag}-{width}.png")
    if (name, width) == ("2-18/raw", 1280):
        dark(driver, True)
        whole_page(driver, width, PICTURES / f"call-{tag}-{width}-dark.png")
        dark(driver, False)


def test_every_part_says_what_it_is_by_mouse_and_by_keyboard(house, driver):
    open_page(driver, house, "2-18/raw", "&lang=en")
    titles = driver.execute_script("return [...document.querySelectorAll('.part title')].map(one => one.textContent)")
    assert any("151 · transfers to 152, attended: accepted · 0:" in title for title in titles), titles
    assert any("150 · talks with +375" in title for title in titles)
    driver.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    for _ in range(60):
        if driver.execute_script("return document.activeElement.matches('.part')"):
            break
        driver.switch_to.active_element.send_keys(Keys.TAB)
    shown = driver.execute_script(
        "return [...document.querySelectorAll('.tip')].filter(one => getComputedStyle(one).visibility === 'visible')"
        ".map(one => one.textContent)")
    assert shown == [driver.execute_script("return document.activeElement.getAttribute('aria-label')")]


def test_the_events_unfold_without_scripts(house, driver):
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    open_page(driver, house, "2-23/raw")
    assert count(driver, ".rows tr[id^=event-]") >= 38
    details = driver.find_element(By.CSS_SELECTOR, ".rows details")
    assert not details.find_element(By.TAG_NAME, "pre").is_displayed()
    details.find_element(By.TAG_NAME, "summary").click()
    assert '"CallType": 0' in details.find_element(By.TAG_NAME, "pre").text


def test_nothing_overflows_with_everything_unfolded(house, driver):
    resize(driver, 360, 900)
    open_page(driver, house, "2-23/raw")
    for details in driver.find_elements(By.CSS_SELECTOR, "details"):
        driver.execute_script("arguments[0].open = true", details)
    assert overflow(driver) <= 0
