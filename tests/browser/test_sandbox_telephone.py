"""The sandbox's telephone in a real Chromium: somebody calls, hears, presses a key, texts; with a (made up) microphone."""
import io
import wave

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from browser import PICTURES, chromium, overflow, picture, resize
from sandbox_process import Sandbox
from sandbox_twilio import ACCOUNT, OURS, TOKEN, heard, mulaw_of
from twilio_app import App
from waiting import wait_until

MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required")
ME = "+375291112233"
EVIL = "<img src=x onerror=\"document.title='pwned'\">"


@pytest.fixture
def app():
    with App() as app:
        yield app


@pytest.fixture
def sandbox(tmp_path, app):
    process = Sandbox(tmp_path)
    process.start()
    for number in (OURS, "+33100000002"):
        process.tell("twilio/numbers", number=number, account_sid=ACCOUNT, auth_token=TOKEN, voice_url=app.url + "/voice",
                     sms_url=app.url + "/sms", whatsapp_url=app.url + "/chat")
    app.twiml("/voice", '<Gather numDigits="1" timeout="20" action="/chosen"><Say language="fr-FR">Bonjour. Tapez un</Say></Gather>')
    app.twiml("/chosen", "<Say>Merci &lt;b&gt;</Say><Pause length='60'/>")
    app.twiml("/sms", "<Message>Horaires : 9h-18h</Message>")
    yield process
    assert process.stop() == 0, process.tail()
    assert process.report() is None, process.report()


@pytest.fixture
def page(sandbox, tmp_path):
    # A reset may come between the list of calls and the question about one of them.
    with chromium(tmp_path, flags=MICROPHONE, but="/_sandbox/twilio/calls/CA") as driver:
        driver.get(sandbox.url + "/")
        driver.find_element(By.LINK_TEXT, "Twilio").click()
        wait_until(lambda: "на связи" in driver.find_element(By.ID, "status").text, 10)
        wait_until(lambda: driver.find_element(By.ID, "call").is_enabled(), 10)
        yield driver


def texts(page, selector):
    return page.execute_script("return [...document.querySelectorAll(arguments[0])].map(one => one.innerText)", selector)


def click(page, name):
    page.find_element(By.ID, name).click()


def happened(page):
    return " | ".join(texts(page, "#happens li"))


def state(page):
    return page.find_element(By.ID, "state").text


def test_somebody_calls_presses_one_and_hears_the_answer(sandbox, app, page):
    assert state(page) == "Трубка лежит" and not page.find_element(By.ID, "hangup").is_enabled()
    click(page, "call")
    wait_until(lambda: state(page) == "Разговор", 15, lambda: state(page))
    assert "Микрофон включён" in page.find_element(By.ID, "microphone").text
    wait_until(lambda: "Bonjour. Tapez un" in happened(page), 10, lambda: happened(page))
    wait_until(lambda: float(page.execute_script("return document.getElementById('heard').value")) > 0.02, 10)
    page.find_element(By.XPATH, "//div[@id='keys']/button[text()='1']").click()
    wait_until(lambda: "Merci <b>" in happened(page), 10, lambda: happened(page))
    assert app.forms("/chosen")[0]["Digits"] == "1" and app.forms("/chosen")[0]["From"] == ME
    sid = app.forms("/voice")[0]["CallSid"]
    wait_until(lambda: any(one not in (0xFF, 0x7F) for one in mulaw_of(heard(sandbox, sid, "said"))), 10, "the microphone's beeps came")
    picture(page, PICTURES / "telephone.png")
    click(page, "hangup")
    wait_until(lambda: state(page) == "Разговор окончен" and page.find_element(By.ID, "call").is_enabled(), 10)
    wait_until(lambda: page.find_element(By.ID, "listen").is_displayed(), 10)
    assert page.find_element(By.ID, "audio").get_attribute("src").endswith(f"/calls/{sid}/both.wav")
    assert texts(page, "#alerts li") == [] and page.find_element(By.ID, "alerts-none").is_displayed()


def test_by_keyboard_with_a_file_and_in_english(sandbox, app, page, tmp_path):
    page.get(sandbox.url + "/_sandbox/twilio/?lang=en")
    wait_until(lambda: page.find_element(By.ID, "call").is_enabled(), 10)
    Select(page.find_element(By.ID, "number")).select_by_value("+33100000002")
    page.find_element(By.ID, "call").send_keys(Keys.ENTER)
    wait_until(lambda: state(page) == "Talking", 15, lambda: state(page))
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1), file.setsampwidth(2), file.setframerate(16000)
        file.writeframes((b"\x00\x40" * 16 + b"\x00\xc0" * 16) * 250)
    path = tmp_path / "words.wav"
    path.write_bytes(data.getvalue())
    page.find_element(By.ID, "file").send_keys(str(path))
    sid = wait_until(lambda: app.forms("/voice"), 10)[0]["CallSid"]
    wait_until(lambda: len([one for one in mulaw_of(heard(sandbox, sid, "said")) if one not in (0xFF, 0x7F)]) > 2000, 10, "the file was said")
    page.switch_to.active_element.send_keys("4")
    page.find_element(By.ID, "happens").send_keys("5")
    assert wait_until(lambda: app.forms("/chosen"), 10)[0]["Digits"] in "45"
    assert app.forms("/voice")[0]["To"] == "+33100000002"
    page.refresh()  # who leaves the page hangs up
    wait_until(lambda: sandbox.ask(f"twilio/calls/{sid}")["state"] == "completed", 10)


def test_texts_and_chats_beside_it(sandbox, app, page):
    app.twiml("/chat", f"<Message>{EVIL.replace('<', '&lt;')}</Message>")
    page.find_element(By.ID, "body").send_keys("INFO", Keys.ENTER)
    wait_until(lambda: texts(page, "#texts li") == ["INFO", "Horaires : 9h-18h\nдоставлено"], 10, lambda: texts(page, "#texts li"))
    assert app.forms("/sms")[0]["Body"] == "INFO" and app.forms("/sms")[0]["From"] == ME
    page.find_element(By.CSS_SELECTOR, "[name=way][value=whatsapp]").click()
    wait_until(lambda: texts(page, "#texts li") == [], 10)
    page.find_element(By.ID, "body").send_keys("привет", Keys.ENTER)
    wait_until(lambda: texts(page, "#texts li") == ["привет", EVIL + "\nпрочитано"], 10, lambda: texts(page, "#texts li"))
    assert page.title != "pwned" and page.find_elements(By.CSS_SELECTOR, "main img") == []
    assert app.forms("/chat")[0]["From"] == "whatsapp:" + ME


def test_what_is_wrong_is_shown_and_it_fits_a_phone(sandbox, app, page):
    app.answer("/voice", "<Response><Say>a & b</Say></Response>")
    click(page, "call")
    wait_until(lambda: state(page) in ("Ошибка", "Разговор окончен") and texts(page, "#alerts li"), 15, lambda: state(page))
    [alert] = texts(page, "#alerts li")
    assert alert.startswith("12100 Document parse failure")
    wait_until(lambda: page.find_element(By.ID, "call").is_enabled(), 10)
    resize(page, 360, 640)
    assert overflow(page) <= 0
    page.get(sandbox.url + "/_sandbox/twilio/?lang=en")
    wait_until(lambda: texts(page, "#alerts li"), 10)
    assert overflow(page) <= 0
    picture(page, PICTURES / "telephone-phone.png")
    sandbox.tell("reset")
    wait_until(lambda: not texts(page, "#alerts li") and page.find_element(By.ID, "no-numbers").is_displayed(), 10)
