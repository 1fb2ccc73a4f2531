"""The page of the sandbox's voice engine in a real Chromium: requests show as they come, answers when they are there."""
import threading

import requests
from selenium.webdriver.common.by import By

from browser import chromium, overflow, resize
from sandbox_process import Sandbox
from waiting import wait_until

EVIL = "<img src=x onerror=\"document.title='pwned'\">"
HEADERS = {"Authorization": "Bearer any"}


def ask(sandbox, text):
    requests.post(f"{sandbox.url}/v1/chat/completions", headers=HEADERS, timeout=20,
                  json={"model": "any", "stream": True, "messages": [{"role": "user", "content": text}]})


def rows(driver):
    cells = "return [...document.querySelectorAll('#rows tr')].map(row => [...row.cells].map(cell => cell.innerText))"
    return driver.execute_script(cells)


def test_requests_and_answers_show_as_they_come(tmp_path):
    sandbox = Sandbox(tmp_path)
    sandbox.start()
    try:
        sandbox.tell("engine/script", answers=[{"text": EVIL}, {"text": "Late.", "think_ms": 2500}])
        with chromium(tmp_path) as driver:
            driver.get(sandbox.url + "/_sandbox/engine/?lang=en")
            wait_until(lambda: "live" in driver.find_element(By.ID, "status").text, 10)
            assert driver.find_element(By.ID, "none").is_displayed()
            ask(sandbox, "Who is there?")
            wait_until(lambda: [row[1:] for row in rows(driver)] == [["chat/completions 200", "Who is there?", EVIL]], 5,
                       lambda: rows(driver))
            threading.Thread(target=ask, args=(sandbox, "And now?"), daemon=True).start()
            wait_until(lambda: rows(driver)[0][1:] == ["chat/completions …", "And now?", ""], 5, lambda: rows(driver))
            wait_until(lambda: rows(driver)[0][1:] == ["chat/completions 200", "And now?", "Late."], 10, lambda: rows(driver))
            assert len(rows(driver)) == 2 and "pwned" not in driver.title
            resize(driver, 360, 740)
            assert overflow(driver) <= 0
            driver.find_element(By.ID, "other").click()
            assert driver.find_element(By.ID, "title").text == "Голосовой движок"
    finally:
        code = sandbox.stop()
    assert code == 0 and sandbox.report() is None, sandbox.tail()
