"""The sandbox's page in a real Chromium: people see what bots sent, the moment it arrives."""
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser import chromium, overflow, resize
from sandbox_process import OTHER, Sandbox
from waiting import wait_until


@pytest.fixture
def sandbox(tmp_path):
    process = Sandbox(tmp_path)
    process.start()
    process.tell("limits", enabled=False)
    yield process
    assert process.stop() == 0, process.tail()
    assert process.report() is None, process.report()


@pytest.fixture
def page(sandbox, tmp_path):
    with chromium(tmp_path) as driver:
        driver.get(sandbox.url + "/")
        wait_until(lambda: "на связи" in driver.find_element(By.ID, "status").text, 10)
        yield driver


def texts(page, selector):
    return page.execute_script("return [...document.querySelectorAll(arguments[0])].map(one => one.innerText)", selector)


def test_a_message_appears_and_changes_live(sandbox, page):
    assert "Пока пусто" in page.find_element(By.ID, "empty").text
    sent = sandbox.result("sendMessage", chat_id=5, text="📞 Входящий звонок")["message_id"]
    wait_until(lambda: texts(page, ".bubble .body") == ["📞 Входящий звонок"], 5)
    sandbox.result("editMessageText", chat_id=5, message_id=sent, parse_mode="HTML",
                   text='✅<b>Успешный</b> <a href="https://example.com/">Запись</a> &lt;unknown&gt;')
    wait_until(lambda: texts(page, ".bubble .body") == ["✅Успешный Запись <unknown>"], 5)
    assert texts(page, ".bubble strong") == ["Успешный"]
    assert page.find_element(By.CSS_SELECTOR, ".bubble a").get_attribute("href") == "https://example.com/"
    assert "изменено" in page.find_element(By.CSS_SELECTOR, ".bubble .meta").text
    page.find_element(By.CSS_SELECTOR, ".versions").click()
    wait_until(lambda: len(texts(page, ".history li")) == 2, 5)
    assert "📞 Входящий звонок" in texts(page, ".history li")[0]
    sandbox.result("deleteMessage", chat_id=5, message_id=sent)
    wait_until(lambda: page.find_elements(By.CSS_SELECTOR, ".bubble.deleted"), 5)
    sandbox.tell("reset")
    wait_until(lambda: not page.find_elements(By.CSS_SELECTOR, ".bubble"), 5)


def test_nothing_of_a_message_runs_or_is_markup(sandbox, page):
    evil = "&lt;img src=x onerror=\"document.title='pwned'\"&gt;<b>&lt;script&gt;document.title='pwned'&lt;/script&gt;</b>"
    sandbox.result("sendMessage", chat_id=5, text=evil, parse_mode="HTML")
    wait_until(lambda: texts(page, ".bubble .body"), 5)
    assert page.find_elements(By.CSS_SELECTOR, ".bubble img, .bubble script") == []
    assert "onerror" in texts(page, ".bubble .body")[0] and page.title != "pwned"


def test_chats_are_chosen_by_keyboard(sandbox, page):
    sandbox.result("sendMessage", chat_id=5, text="first")
    sandbox.result("sendMessage", chat_id=-6, text="second")
    sandbox.result("sendMessage", chat_id=5, text="third", token=OTHER)  # another bot: another chat
    wait_until(lambda: len(texts(page, ".chat")) == 3, 5)
    chats = page.find_element(By.ID, "chats")
    chats.send_keys(Keys.ARROW_UP, Keys.ARROW_UP, Keys.ARROW_UP)
    assert texts(page, ".bubble .body") == ["third"]
    chats.send_keys(Keys.ARROW_DOWN)
    assert texts(page, ".bubble .body") == ["second"] and page.find_element(By.ID, "chat-title").text == "Группа -6"


def test_it_fits_a_phone(sandbox, page):
    sandbox.result("sendMessage", chat_id=5, text="длинное" * 300)
    resize(page, 360, 640)
    page.get(sandbox.url + "/?lang=en")
    wait_until(lambda: texts(page, ".chat"), 5)
    assert overflow(page) <= 0 and not page.find_element(By.ID, "messages").is_displayed()
    page.find_element(By.CSS_SELECTOR, ".chat").click()
    assert page.find_element(By.ID, "messages").is_displayed() and overflow(page) <= 0
    assert page.find_element(By.ID, "chat-title").text == "User 5"
    page.find_element(By.ID, "back").click()
    assert not page.find_element(By.ID, "messages").is_displayed()


def test_a_person_writes_to_the_bot_and_presses_its_button(sandbox, page):
    markup = {"inline_keyboard": [[{"text": "👂 Прослушивание 150", "callback_data": "l:1"}, {"text": "📊", "url": "https://example.com/"}]]}
    sandbox.result("sendMessage", chat_id=5, text="🔗 Идет входящий разговор", reply_markup=markup)
    wait_until(lambda: texts(page, ".keyboard button") == ["👂 Прослушивание 150"], 5)
    assert texts(page, ".keyboard a") == ["📊"]
    page.find_element(By.CSS_SELECTOR, ".keyboard button").click()
    [update] = wait_until(lambda: sandbox.result("getUpdates"), 5)
    query = update["callback_query"]
    assert query["data"] == "l:1" and query["from"]["id"] == 5
    sandbox.result("answerCallbackQuery", callback_query_id=query["id"], text="Звоним <b>на</b> 150", show_alert=True)
    wait_until(lambda: page.find_element(By.ID, "notice").text == "Звоним <b>на</b> 150", 5)
    assert "is-alert" in page.find_element(By.ID, "notice").get_attribute("class")

    page.find_element(By.ID, "write-text").send_keys("/start ABCD2345", Keys.ENTER)
    wait_until(lambda: texts(page, ".bubble.mine .body") == ["/start ABCD2345"], 5)
    assert page.find_element(By.ID, "write-text").get_attribute("value") == ""
    assert sandbox.result("getUpdates")[-1]["message"]["text"] == "/start ABCD2345"
    resize(page, 360, 640)
    assert overflow(page) <= 0
