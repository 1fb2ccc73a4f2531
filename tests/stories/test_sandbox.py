"""The sandbox is as strict as Telegram, and fails as told."""
import hashlib
import hmac
import json
import threading
import time

import pytest
import requests

from sandbox_process import OTHER, TOKEN, Sandbox
from waiting import wait_until

NOT_MODIFIED = ("Bad Request: message is not modified: specified new message content and reply markup are exactly "
                "the same as a current content and reply markup of the message")


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"))
    sandbox.start()
    yield sandbox
    code = sandbox.stop()
    assert sandbox.report() is None, sandbox.report()
    assert code == 0, sandbox.tail()


@pytest.fixture
def sandbox(process):
    process.tell("reset")
    return process


# -- messages ----------------------------------------------------------------------------------------

def test_a_message_is_sent_edited_and_deleted(sandbox):
    sent = sandbox.result("sendMessage", chat_id=5, text="<b>Hi</b> &amp; bye", parse_mode="HTML")
    assert sent["text"] == "Hi & bye"
    assert sent["entities"] == [{"offset": 0, "length": 2, "type": "bold"}]
    assert sent["chat"] == {"id": 5, "first_name": "User 5", "type": "private"}
    assert sent["from"]["id"] == 1001 and sent["from"]["is_bot"] is True
    edited = sandbox.result("editMessageText", chat_id=5, message_id=sent["message_id"], text="later")
    assert edited["text"] == "later" and edited["edit_date"] >= sent["date"]
    assert sandbox.result("deleteMessage", chat_id=5, message_id=sent["message_id"]) is True
    [message] = sandbox.messages(5)
    assert message["message_id"] == sent["message_id"] and message["deleted"] is True
    assert [(one["op"], one["text"]) for one in message["history"]] == [
        ("send", "<b>Hi</b> &amp; bye"), ("edit", "later"), ("delete", "")]
    times = [one["at_ms"] for one in message["history"]]
    assert times == sorted(times) and abs(times[0] - time.time() * 1000) < 60_000


def test_parameters_come_as_json_form_or_query(sandbox):
    url = f"{sandbox.url}/bot{TOKEN}/sendMessage"
    assert requests.post(url, data={"chat_id": 5, "text": "форма + плюс"}, timeout=10).status_code == 200
    assert requests.get(url, params={"chat_id": 5, "text": "запрос"}, timeout=10).status_code == 200
    assert requests.post(url, json={"chat_id": "5", "text": "json"}, timeout=10).status_code == 200
    assert [one["text"] for one in sandbox.messages(5)] == ["форма + плюс", "запрос", "json"]


def test_message_ids_grow_per_bot_and_per_group(sandbox):
    def ids(chat, token):
        return [sandbox.result("sendMessage", chat_id=chat, text="x", token=token)["message_id"] for _ in range(2)]
    assert ids(5, TOKEN) == [1, 2] and ids(6, TOKEN) == [3, 4] and ids(5, OTHER) == [1, 2]
    assert ids(-7, TOKEN) == [1, 2] and ids(-7, OTHER) == [3, 4]


@pytest.mark.parametrize("text, words", [
    ("<unknown>", 'Unsupported start tag "unknown" at byte offset 0'),
    ("hello <b>you", 'Can\'t find end tag corresponding to start tag "b"'),
    ("hello </b>", "Unexpected end tag at byte offset 6"),
    ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
    ("a < b", 'Unsupported start tag "" at byte offset 2'),
])
def test_html_errors_are_telegrams(sandbox, text, words):
    for method, more in (("sendMessage", {}), ("editMessageText", {"message_id": 1})):
        assert sandbox.refused(method, chat_id=5, text=text, parse_mode="HTML", **more) == \
            f"400 Bad Request: can't parse entities: {words}"
    assert sandbox.messages() == []


def test_texts_that_telegram_refuses(sandbox):
    sent = sandbox.result("sendMessage", chat_id=5, text="x" * 4096)
    edit = {"chat_id": 5, "message_id": sent["message_id"]}
    assert sandbox.refused("sendMessage", chat_id=5, text="x" * 4097) == "400 Bad Request: message is too long"
    assert sandbox.refused("editMessageText", text="x" * 4097, **edit) == "400 Bad Request: MESSAGE_TOO_LONG"
    # Characters outside the first plane count twice; markup does not count.
    assert sandbox.refused("sendMessage", chat_id=5, text="💰" * 2049) == "400 Bad Request: message is too long"
    sandbox.result("sendMessage", chat_id=5, text="<b>" + "&amp;" * 4096 + "</b>", parse_mode="HTML")
    for text in ("", "  \n ", "<b> </b>"):
        assert sandbox.refused("sendMessage", chat_id=5, text=text, parse_mode="HTML") == \
            "400 Bad Request: message text is empty"
    assert sandbox.refused("sendMessage", chat_id=5, text="x", parse_mode="BB") == \
        "400 Bad Request: unsupported parse_mode"


def test_edits_that_telegram_refuses(sandbox):
    sent = sandbox.result("sendMessage", chat_id=5, text="<b>a</b>", parse_mode="HTML")
    edit = {"chat_id": 5, "message_id": sent["message_id"]}
    assert sandbox.refused("editMessageText", text="<b>a</b>", parse_mode="HTML", **edit) == f"400 {NOT_MODIFIED}"
    assert sandbox.refused("editMessageText", text="<strong> a</strong>", parse_mode="HTML", **edit) == f"400 {NOT_MODIFIED}"
    sandbox.result("editMessageText", text="a", **edit)
    assert sandbox.refused("editMessageText", chat_id=5, message_id=99, text="b") == "400 Bad Request: message to edit not found"
    assert sandbox.refused("editMessageText", chat_id=5, text="b") == "400 Bad Request: message identifier is not specified"
    assert sandbox.refused("editMessageText", text="b", token=OTHER, **edit) == "400 Bad Request: message to edit not found"
    sandbox.result("deleteMessage", **edit)
    assert sandbox.refused("editMessageText", text="b", **edit) == "400 Bad Request: message to edit not found"
    assert sandbox.refused("deleteMessage", **edit) == "400 Bad Request: message to delete not found"
    group = sandbox.result("sendMessage", chat_id=-5, text="a")["message_id"]
    assert sandbox.refused("editMessageText", chat_id=-5, message_id=group, text="b", token=OTHER) == \
        "400 Bad Request: message can't be edited"


def test_keyboards_are_checked_compared_and_removed(sandbox):
    keyboard = {"inline_keyboard": [[{"text": "go", "callback_data": "x"}]]}
    sent = sandbox.result("sendMessage", chat_id=5, text="a", reply_markup=keyboard)
    edit = {"chat_id": 5, "message_id": sent["message_id"]}
    assert sent["reply_markup"] == keyboard
    assert sandbox.refused("editMessageText", text="a", reply_markup=keyboard, **edit) == f"400 {NOT_MODIFIED}"
    assert "reply_markup" not in sandbox.result("editMessageReplyMarkup", **edit)
    assert sandbox.refused("editMessageReplyMarkup", **edit) == f"400 {NOT_MODIFIED}"
    assert sandbox.refused("sendMessage", chat_id=5, text="a", reply_markup=[1]) == \
        "400 Bad Request: object expected as reply markup"
    long = {"inline_keyboard": [[{"text": "go", "callback_data": "x" * 65}]]}
    assert sandbox.refused("sendMessage", chat_id=5, text="a", reply_markup=long) == "400 Bad Request: BUTTON_DATA_INVALID"


@pytest.mark.parametrize("button, words", [
    ({"url": "http://localhost/"}, "inline keyboard button URL 'http://localhost/' is invalid: Wrong HTTP URL"),
    ({"url": "ftp://a.example/"}, "inline keyboard button URL 'ftp://a.example/' is invalid: Wrong HTTP URL"),
    ({"callback_data": ""}, "BUTTON_DATA_INVALID"),
])
def test_a_button_that_does_nothing_costs_the_whole_message(sandbox, button, words):
    markup = {"inline_keyboard": [[{"text": "go", **button}]]}
    assert sandbox.refused("sendMessage", chat_id=5, text="a", reply_markup=markup) == f"400 Bad Request: {words}"


def test_replies_need_their_message(sandbox):
    first = sandbox.result("sendMessage", chat_id=5, text="a")["message_id"]
    sandbox.result("sendMessage", chat_id=5, text="b", reply_parameters={"message_id": first})
    assert sandbox.refused("sendMessage", chat_id=5, text="b", reply_to_message_id=99) == \
        "400 Bad Request: message to be replied not found"
    sandbox.result("sendMessage", chat_id=5, text="c",
                   reply_parameters={"message_id": 99, "allow_sending_without_reply": True})
    assert [one["reply_to"] for one in sandbox.messages(5)] == [0, first, 0]


# -- who is there ------------------------------------------------------------------------------------

@pytest.mark.parametrize("chat, state, words", [
    (5, "blocked", "403 Forbidden: bot was blocked by the user"),
    (5, "deactivated", "403 Forbidden: user is deactivated"),
    (-5, "kicked", "403 Forbidden: bot was kicked from the group chat"),
    (-1001234567890, "kicked", "403 Forbidden: bot was kicked from the supergroup chat"),
    (5, "missing", "400 Bad Request: chat not found"),
])
def test_chats_that_are_closed(sandbox, chat, state, words):
    sandbox.tell("telegram/chats", chat_id=chat, state=state)
    assert sandbox.refused("sendMessage", chat_id=chat, text="x") == words
    sandbox.tell("telegram/chats", chat_id=chat, state="ok")
    sandbox.result("sendMessage", chat_id=chat, text="x")


def test_a_migrated_group_says_where_it_went(sandbox):
    sandbox.tell("telegram/chats", chat_id=-5, state="migrated", migrate_to=-1005)
    answer = sandbox.api("sendMessage", chat_id=-5, text="x")
    assert answer.status_code == 400
    assert answer.json() == {"ok": False, "error_code": 400,
                             "description": "Bad Request: group chat was upgraded to a supergroup chat",
                             "parameters": {"migrate_to_chat_id": -1005}}


def test_bots_chats_and_methods_that_do_not_exist(sandbox):
    assert sandbox.refused("getMe", token="nonsense") == "404 Not Found"
    assert sandbox.refused("sendPigeon") == "404 Not Found: method not found"
    assert sandbox.refused("sendMessage", text="x") == "400 Bad Request: chat_id is empty"
    assert sandbox.refused("sendMessage", chat_id="@nobody", text="x") == "400 Bad Request: chat not found"
    sandbox.tell("telegram/bots", token=TOKEN, state="revoked")
    assert sandbox.refused("getMe") == "401 Unauthorized"
    assert sandbox.result("getMe", token=OTHER)["username"] == "sandbox_1002_bot"


# -- limits ------------------------------------------------------------------------------------------

def burst(sandbox, count, chat=5):
    answers = [sandbox.api("sendMessage", chat_id=chat, text=f"message {n}") for n in range(count)]
    return [answer.status_code for answer in answers], answers[-1]


def test_a_chat_takes_a_burst_of_five(sandbox):
    codes, last = burst(sandbox, 6)
    assert codes == [200] * 5 + [429]
    assert last.json() == {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 1",
                           "parameters": {"retry_after": 1}}
    assert last.headers["Retry-After"] == "1"
    # Waiting as long as told is enough.
    wait_until(lambda: sandbox.api("sendMessage", chat_id=5, text="again").status_code == 200, 1.6)
    [bot] = sandbox.ask("stats")["telegram"]["bots"]
    assert bot["sends"] == 6 and bot["violations"] >= 1


def test_a_group_takes_twenty_a_minute(sandbox):
    sandbox.tell("limits", chat_per_second=1000, chat_burst=1000)
    codes, last = burst(sandbox, 21, chat=-5)
    assert codes == [200] * 20 + [429]
    assert 55 <= last.json()["parameters"]["retry_after"] <= 60
    sandbox.tell("limits", bot_per_second=1000)
    assert burst(sandbox, 21)[0] == [200] * 21  # a private chat has no such limit


def test_edits_share_the_limits_and_a_bot_has_one_of_its_own(sandbox):
    sent = sandbox.result("sendMessage", chat_id=5, text="0")["message_id"]
    codes = [sandbox.api("editMessageText", chat_id=5, message_id=sent, text=str(n)).status_code for n in range(1, 6)]
    assert codes == [200] * 4 + [429]
    sandbox.tell("reset")
    sandbox.tell("limits", bot_per_second=10)
    codes = [sandbox.api("sendMessage", chat_id=n, text="x").status_code for n in range(1, 31)]
    assert codes[:10] == [200] * 10 and 429 in codes


def test_limits_can_be_switched_off(sandbox):
    sandbox.tell("limits", enabled=False)
    assert burst(sandbox, 60, chat=-5)[0] == [200] * 60
    assert sandbox.ask("stats")["telegram"]["bots"][0]["violations"] == 0


# -- faults ------------------------------------------------------------------------------------------

def test_a_fault_answers_so_many_times(sandbox):
    sandbox.tell("faults", service="telegram", path="sendMessage", status=500, times=2)
    assert sandbox.refused("sendMessage", chat_id=5, text="x") == "500 Internal Server Error: restart"
    assert sandbox.result("getMe")["id"] == 1001
    assert [one["remaining"] for one in sandbox.ask("faults")] == [1]
    assert sandbox.refused("sendMessage", chat_id=5, text="x") == "500 Internal Server Error: restart"
    sandbox.result("sendMessage", chat_id=5, text="x")
    assert sandbox.ask("faults") == [] and len(sandbox.messages()) == 1


def test_faults_can_be_slow_down_forbidden_or_words_of_ones_own(sandbox):
    sandbox.tell("faults", service="telegram", status=429, retry_after=7, chat_id=6)
    sandbox.tell("faults", service="telegram", status=403, chat_id=7)
    sandbox.tell("faults", service="telegram", status=400, description="Bad Request: message to edit not found")
    sandbox.tell("faults", service="telegram", status=502, body="<html>bad gateway</html>")
    answer = sandbox.api("sendMessage", chat_id=6, text="x")
    assert answer.status_code == 429 and answer.json()["parameters"] == {"retry_after": 7}
    assert sandbox.refused("sendMessage", chat_id=7, text="x") == "403 Forbidden: bot was blocked by the user"
    assert sandbox.refused("sendMessage", chat_id=8, text="x") == "400 Bad Request: message to edit not found"
    answer = sandbox.api("sendMessage", chat_id=8, text="x")
    assert answer.status_code == 502 and answer.text == "<html>bad gateway</html>"
    sandbox.result("sendMessage", chat_id=8, text="x")


@pytest.mark.parametrize("drop, left", [(True, 0), ("before", 0), ("after", 1)])
def test_a_dropped_connection_acts_or_not(sandbox, drop, left):
    sandbox.tell("faults", service="telegram", drop=drop)
    with pytest.raises(requests.ConnectionError):
        sandbox.api("sendMessage", chat_id=5, text="x")
    assert len(sandbox.messages()) == left
    [noted] = sandbox.ask("requests")
    assert noted["status"] == 0 and noted["fault"] is not None


def test_a_delay_holds_the_answer_and_nothing_else(sandbox):
    sandbox.tell("faults", service="telegram", delay_ms=600, chat_id=5)
    done = threading.Thread(target=sandbox.api, args=("sendMessage",), kwargs={"chat_id": 5, "text": "slow"})
    begin = time.monotonic()
    done.start()
    wait_until(lambda: sandbox.ask("requests"), 5)
    sandbox.result("sendMessage", chat_id=6, text="quick")
    assert time.monotonic() - begin < 0.6 and len(sandbox.messages()) == 1
    done.join()
    assert time.monotonic() - begin >= 0.6 and len(sandbox.messages()) == 2


def test_a_client_that_does_not_wait_finds_that_nothing_happened_or_that_it_did(sandbox):
    for act_first, count in ((False, 0), (True, 1)):
        sandbox.tell("reset")
        sandbox.tell("faults", service="telegram", delay_ms=3_600_000, act_first=act_first)
        with pytest.raises(requests.Timeout):
            sandbox.api("sendMessage", chat_id=5, text="x", timeout=0.3)
        wait_until(lambda: sandbox.ask("requests")[0]["status"] == 0, 5, "the sandbox sees that the client left")
        assert len(sandbox.messages()) == count


def test_faults_that_make_no_sense_are_refused(sandbox):
    for body in ({}, {"service": "pigeons"}, {"service": "telegram", "times": 0}, {"service": "telegram", "drop": "later"},
                 {"service": "telegram", "status": 42}, {"service": "telegram", "delay_ms": -1},
                 {"service": "telegram", "delay_ms": 9_000_000_000_000_000}, {"service": "telegram", "retry_after": 10**15},
                 {"service": "telegram", "status": 502, "body": "x" * 70_000}):
        answer = requests.post(f"{sandbox.url}/_sandbox/faults", json=body, timeout=10)
        assert answer.status_code == 422 and answer.json()["detail"], body
    requests.post(f"{sandbox.url}/_sandbox/faults", json={"service": "telegram", "status": 500, "times": -1}, timeout=10)
    assert requests.delete(f"{sandbox.url}/_sandbox/faults", timeout=10).status_code == 200
    sandbox.result("sendMessage", chat_id=5, text="x")


# -- what is noted -----------------------------------------------------------------------------------

def test_requests_are_noted_without_their_secrets(sandbox):
    sandbox.result("sendMessage", chat_id=5, text="привет")
    sandbox.refused("sendMessage", chat_id=5, text="")
    first, second = sandbox.ask("requests", service="telegram")
    assert (first["method"], first["path"], first["status"]) == ("sendMessage", "/bot1001:***/sendMessage", 200)
    assert first["request"] == {"chat_id": 5, "text": "привет"}
    assert first["response"]["result"]["text"] == "привет"
    assert second["status"] == 400 and second["id"] > first["id"] and second["at_ms"] >= first["at_ms"]
    assert [one["id"] for one in sandbox.ask("requests", since_id=first["id"])] == [second["id"]]
    assert [one["id"] for one in sandbox.ask("requests", limit=1)] == [second["id"]]
    assert sandbox.ask("requests", service="pigeons") == []
    assert TOKEN not in requests.get(f"{sandbox.url}/_sandbox/requests", timeout=10).text
    assert TOKEN not in sandbox.text()


def test_reset_forgets_everything(sandbox):
    sandbox.result("sendMessage", chat_id=5, text="x")
    sandbox.tell("faults", service="telegram", status=500)
    sandbox.tell("limits", enabled=False)
    sandbox.tell("telegram/chats", chat_id=5, state="blocked")
    sandbox.tell("reset")
    assert sandbox.messages() == [] and sandbox.ask("requests") == [] and sandbox.ask("faults") == []
    assert burst(sandbox, 6)[0] == [200] * 5 + [429]
    assert sandbox.messages(5)[0]["message_id"] == 1


def test_a_reset_lets_go_of_requests_that_a_fault_holds_up(sandbox):
    """What a test left waiting must not act in the world of the next one."""
    sandbox.tell("faults", service="telegram", delay_ms=3_600_000)
    refused = []
    def send():
        try:
            sandbox.api("sendMessage", chat_id=5, text="of the test before")
        except requests.ConnectionError as error:
            refused.append(error)
    sender = threading.Thread(target=send)
    sender.start()
    wait_until(lambda: sandbox.ask("requests"), 5)
    sandbox.tell("reset")
    sender.join(timeout=5)
    assert len(refused) == 1 and sandbox.messages() == [] and sandbox.ask("requests") == []


def test_a_token_in_the_wrong_place_stays_secret(sandbox):
    assert requests.get(f"{sandbox.url}/bot/{TOKEN}/sendMessage", timeout=10).status_code == 404
    [noted] = sandbox.ask("requests")
    assert noted["path"] == "/bot***/***"
    assert TOKEN not in noted["path"] and TOKEN not in sandbox.text()


def test_texts_that_grow_break_no_listing(sandbox):
    """Links without an href hold their text; nested, they are more than any answer."""
    links = "<a>" * 6000 + "www." + "w" * 4000 + ".by" + "</a>" * 6000
    assert sandbox.refused("sendMessage", chat_id=5, text=links, parse_mode="HTML") == "400 Bad Request: ENTITIES_TOO_LONG"
    attributes = "<a" + ' a="x"' * 10_000 + ">x</a>"
    assert sandbox.result("sendMessage", chat_id=5, text=attributes, parse_mode="HTML")["text"] == "x"
    requests.post(f"{sandbox.url}/bot{TOKEN}/sendMessage", data=b"text=" + b"\x01" * 900_000, timeout=10,
                  headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert sandbox.ask("requests")[-1]["request"] is None
    assert [one["plain"] for one in sandbox.messages()] == ["x"]


def test_numbers_beyond_reason_are_harmless(sandbox):
    sandbox.result("sendMessage", chat_id=5, text="x", reply_parameters={"message_id": 1e300})
    for limits in ({"chat_per_second": 1e-300}, {"bot_per_second": 1e300}, {"chat_burst": 1e300}):
        assert requests.post(f"{sandbox.url}/_sandbox/limits", json=limits, timeout=10).status_code == 422, limits


def test_nonsense_leaves_it_healthy(sandbox):
    base = f"{sandbox.url}/bot{TOKEN}/sendMessage"
    json_type = {"Content-Type": "application/json"}
    for body in (b"{", b"[1]", b'"x"', b"\xff\xfe", b'{"a":' * 200, b"{" + b'"a":1,' * 100 + b'"b":2}'):
        assert requests.post(base, data=body, headers=json_type, timeout=10).status_code == 400, body
    assert requests.get(base + "?chat_id=%zz", timeout=10).status_code == 400
    assert requests.get(base + "?chat_id=5&text=%ff%fe", timeout=10).json()["description"] == \
        "Bad Request: strings must be encoded in UTF-8"
    assert requests.put(base, timeout=10).status_code == 405
    assert requests.get(f"{sandbox.url}/nowhere", timeout=10).status_code == 404
    assert requests.get(f"{sandbox.url}/readyz", timeout=10).status_code == 200


def test_news_are_streamed(sandbox):
    with requests.get(f"{sandbox.url}/_sandbox/events", stream=True, timeout=10) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        stream.encoding = "utf-8"
        lines = stream.iter_lines(decode_unicode=True)
        next(line for line in lines if line.startswith("event: stats"))
        sandbox.result("sendMessage", chat_id=5, text="новость")
        next(line for line in lines if line == "event: messages")
        assert "новость" in next(lines)


def test_a_minute_of_a_hundred_calls_a_second_in_ten_seconds(sandbox):
    """Four requests a call; the sandbox must not be what a test of speed measures."""
    sandbox.tell("limits", enabled=False)
    problems = []

    def play(chat):
        with requests.Session() as session:
            for call in range(50):
                url = f"{sandbox.url}/bot{TOKEN}/"
                sent = session.post(url + "sendMessage", json={"chat_id": chat, "text": f"call {call}"}, timeout=10)
                body = {"chat_id": chat, "message_id": sent.json()["result"]["message_id"]}
                for step in range(3):
                    answer = session.post(url + "editMessageText", json={**body, "text": f"{call} {step}"}, timeout=10)
                    if answer.status_code != 200:
                        problems.append(answer.text)
    players = [threading.Thread(target=play, args=(chat,)) for chat in range(1, 9)]
    for player in players:
        player.start()
    for player in players:
        player.join()
    assert problems == []
    messages = sandbox.messages()
    assert len(messages) == 400 and all(len(one["history"]) == 4 for one in messages)


def test_long_lists_arrive_whole(sandbox):
    sandbox.tell("limits", enabled=False)
    with requests.Session() as session:
        for number in range(1500):
            text = f"{number} " + "я" * 4000
            assert session.post(f"{sandbox.url}/bot{TOKEN}/sendMessage", json={"chat_id": 5, "text": text}, timeout=10).ok
    assert [int(one["text"].split()[0]) for one in sandbox.messages(5)] == list(range(1500))
    noted = sandbox.ask("requests")
    assert [int(one["request"]["text"].split()[0]) for one in noted] == list(range(1500))
    assert [one["id"] for one in sandbox.ask("requests", limit=3)] == [one["id"] for one in noted[-3:]]


def test_it_ends_at_once_with_readers_and_held_up_requests(tmp_path):
    sandbox = Sandbox(tmp_path)
    sandbox.start()
    sandbox.tell("faults", service="telegram", delay_ms=3_600_000)

    def held_up():
        with pytest.raises(requests.ConnectionError):
            sandbox.api("sendMessage", chat_id=5, text="x", timeout=30)
    waiting = threading.Thread(target=held_up)
    waiting.start()
    wait_until(lambda: sandbox.ask("requests"), 5)
    with requests.get(f"{sandbox.url}/_sandbox/events", stream=True, timeout=10):
        begin = time.monotonic()
        assert sandbox.stop() == 0
        assert time.monotonic() - begin < 5
    waiting.join()
    assert sandbox.report() is None


# -- an independent client ---------------------------------------------------------------------------

def test_python_telegram_bot_gets_along_with_it(sandbox):
    telegram = pytest.importorskip("telegram")
    bot = telegram.Bot(TOKEN, base_url=f"{sandbox.url}/bot")
    assert bot.get_me().username == "sandbox_1001_bot"
    keyboard = telegram.InlineKeyboardMarkup([[telegram.InlineKeyboardButton("Детали", url="https://example.com/")]])
    sent = bot.send_message(5, "<b>Звонок</b> 💰 &lt;unknown&gt;", parse_mode="HTML", reply_markup=keyboard)
    assert sent.text == "Звонок 💰 <unknown>" and sent.entities[0].type == "bold" and sent.chat.type == "private"
    edited = sent.edit_text("конец")
    assert edited.edit_date is not None and edited.text == "конец"
    with pytest.raises(telegram.error.BadRequest, match="Message is not modified"):
        sent.edit_text("конец")
    with pytest.raises(telegram.error.BadRequest, match="Can't parse entities: unsupported start tag"):
        bot.send_message(5, "<x>", parse_mode="HTML")
    assert sent.delete() is True
    with pytest.raises(telegram.error.BadRequest, match="Message to delete not found"):
        sent.delete()
    sandbox.tell("telegram/chats", chat_id=6, state="blocked")
    with pytest.raises(telegram.error.Unauthorized, match="bot was blocked by the user"):
        bot.send_message(6, "x")
    sandbox.tell("telegram/chats", chat_id=-5, state="migrated", migrate_to=-1005)
    with pytest.raises(telegram.error.ChatMigrated) as moved:
        bot.send_message(-5, "x")
    assert moved.value.new_chat_id == -1005
    with pytest.raises(telegram.error.RetryAfter) as slow:
        for n in range(10):
            bot.send_message(7, str(n))
    assert slow.value.retry_after >= 1


# -- people, updates, presses ------------------------------------------------------------------------

def poll(sandbox, **parameters):
    return requests.post(f"{sandbox.url}/bot{TOKEN}/getUpdates", json=parameters, timeout=30)


def in_background(function, *arguments, **named):
    results = []
    thread = threading.Thread(target=lambda: results.append(function(*arguments, **named)))
    thread.start()

    def join():
        thread.join(20)
        assert results, "no answer within 20 s"
        return results[0]
    return join


def held(sandbox):
    """Polls that wait for an answer."""
    return [row for row in sandbox.ask("requests", service="telegram") if row["status"] is None]


def test_a_long_poll_waits_for_an_update_and_an_offset_confirms_it(sandbox):
    waiting = in_background(poll, sandbox, timeout=20)
    wait_until(lambda: held(sandbox), 5)
    sandbox.tell("telegram/write", bot_id=1001, chat_id=5, text="/help")
    [update] = waiting().json()["result"]
    assert update["message"]["text"] == "/help" and update["message"]["from"]["is_bot"] is False
    assert sandbox.result("getUpdates") == [update], "not confirmed, so it comes again"
    assert sandbox.result("getUpdates", offset=update["update_id"] + 1) == []
    assert sandbox.result("getUpdates") == []


def test_a_second_poller_throws_the_first_one_out(sandbox):
    first = in_background(poll, sandbox, timeout=20)
    wait_until(lambda: held(sandbox), 5)
    assert sandbox.result("getUpdates") == []
    thrown = first()
    assert thrown.status_code == 409 and "terminated by other getUpdates request" in thrown.json()["description"]


def test_a_webhook_excludes_polling_and_is_strict(sandbox):
    waiting = in_background(poll, sandbox, timeout=20)
    wait_until(lambda: held(sandbox), 5)
    sandbox.result("setWebhook", url="https://example.com/hook", secret_token="a_B-1")
    assert waiting().status_code == 409
    assert "while webhook is active" in sandbox.refused("getUpdates")
    assert sandbox.result("getWebhookInfo")["url"] == "https://example.com/hook"
    sandbox.result("deleteWebhook")
    assert sandbox.result("getWebhookInfo")["url"] == "" and sandbox.result("getUpdates") == []
    assert "HTTPS URL must be provided" in sandbox.refused("setWebhook", url="http://example.com/")
    assert "unallowed characters" in sandbox.refused("setWebhook", url="https://example.com/", secret_token="ä")


def test_a_press_is_answered_once_and_in_time(sandbox):
    markup = {"inline_keyboard": [[{"text": "go", "callback_data": "x"}]]}
    sent = sandbox.result("sendMessage", chat_id=5, text="a", reply_markup=markup)["message_id"]
    too_old = "400 Bad Request: query is too old and response timeout expired or query ID is invalid"

    def press(**more):
        return sandbox.tell("telegram/press", bot_id=1001, chat_id=5, message_id=sent, button="go", **more)["callback_query_id"]
    query = press()
    assert sandbox.refused("answerCallbackQuery", callback_query_id=query, text="x" * 201) == "400 Bad Request: MESSAGE_TOO_LONG"
    sandbox.result("answerCallbackQuery", callback_query_id=query, text="ж" * 200)
    assert sandbox.refused("answerCallbackQuery", callback_query_id=query) == too_old
    assert sandbox.refused("answerCallbackQuery", callback_query_id=press(age_ms=16000)) == too_old
    assert sandbox.refused("answerCallbackQuery", callback_query_id="1") == too_old
    other = sandbox.api("answerCallbackQuery", token=OTHER, callback_query_id=press())
    assert other.status_code == 400, "a press belongs to its bot"
    answer = requests.post(f"{sandbox.url}/_sandbox/telegram/press", timeout=5,
                           json={"bot_id": 1001, "chat_id": 5, "message_id": sent, "button": "no such"})
    assert answer.status_code == 404


def test_a_persons_message_is_not_the_bots(sandbox):
    written = sandbox.tell("telegram/write", bot_id=1001, chat_id=5, text="hello")["message_id"]
    assert sandbox.refused("editMessageText", chat_id=5, message_id=written, text="x") == "400 Bad Request: message can't be edited"
    assert [one["user_id"] for one in sandbox.messages(5)] == [5]


# -- a PBX -------------------------------------------------------------------------------------------

COMMAND = {"id": "1", "action": "listen", "enterprise": "0367", "call": "7", "phone": "150", "target": "152", "external": ""}


def command(sandbox, secret="s", at=None, key="1", **changes):
    body = json.dumps({**COMMAND, **changes})
    stamp = str(int(at or time.time()))
    mac = hmac.new(secret.encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
    return requests.post(f"{sandbox.url}/pbx/0367/control", data=body, timeout=5, headers={
        "Content-Type": "application/json", "X-Callweave-Timestamp": stamp, "X-Callweave-Signature": mac, "Idempotency-Key": key})


def test_a_pbx_takes_genuine_commands_once(sandbox):
    assert command(sandbox).status_code == 404
    sandbox.tell("pbx", number="0367", secret="s")
    assert command(sandbox, secret="another").status_code == 401
    assert command(sandbox, at=time.time() - 400).status_code == 401
    assert command(sandbox, key="2").status_code == 422
    for _ in range(2):
        assert command(sandbox).json() == {"result": "done"}
    [row] = sandbox.ask("pbx/commands", number="0367")
    assert row["times"] == 2 and row["command"] == COMMAND
    sandbox.tell("pbx", number="0367", secret="s", reason="busy")
    assert command(sandbox, id="3", key="3").json() == {"result": "refused", "reason": "busy"}
