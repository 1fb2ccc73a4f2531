"""Texts with a Twilio that is as strict as the real one: answers, statuses in any order and twice, opt-outs that only
Twilio knows of, WhatsApp's day; and each text is one message in Telegram."""
import hashlib
import json

import pytest
import requests

from waiting import wait_until

ACCOUNT, TOKEN = "AC" + "7" * 32, "token-of-0367-at-twilio-77777777"
KEY = "cw_key-of-0367-in-this-story"
NUMBER = "+33100000071"
PEERS = iter(f"+336{number:08d}" for number in range(20_000_000, 20_001_000))


class Firm:
    def __init__(self, stack):
        self.stack, self.hooks = stack, stack.url("hooks")
        stack.secrets.add("Twilio's token", TOKEN)
        stack.secrets.add("an API key", KEY)
        self.row = stack.enterprise("0367", country="FR", integrations_config=json.dumps(
            {"twilio": {"enabled": True, "account_sid": ACCOUNT, "auth_tokens": [TOKEN], "messages_per_second": 100}}))
        stack.sql("INSERT INTO hook_numbers (number, enterprise_number, whatsapp) VALUES (%s, '0367', true)", [NUMBER])
        stack.sql("INSERT INTO api_keys (enterprise_number, name, digest) VALUES ('0367', 'story', %s)",
                  [hashlib.sha256(KEY.encode()).digest()])
        stack.no_limits()
        self.twilio("numbers", number=NUMBER, account_sid=ACCOUNT, auth_token=TOKEN, sms_url=self.hooks + "/webhook.php",
                    whatsapp_url=self.hooks + "/webhook/whatsapp/twilio")
        self.twilio("switches", order="shuffled", twice=True, delay_ms=10)

    def twilio(self, what, **body):
        answer = requests.post(f"{self.stack.url('sandbox')}/_sandbox/twilio/{what}", json=body, timeout=20)
        assert answer.status_code < 300, f"{what}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def person(self, texts="delivered", **more):
        number = next(PEERS)
        self.twilio("people", number=number, texts=texts, **more)
        return number

    def writes(self, peer, body, to=NUMBER, **more):
        return self.twilio("messages", **{"from": peer, "to": to, "body": body, **more})

    def send(self, channel, to, text, **more):
        return requests.post(f"{self.hooks}/api/{channel}/send", json={"to": to, "message": text, **more}, timeout=20,
                             headers={"Authorization": f"Bearer {KEY}"})

    def message(self, message_id):
        return self.stack.sql("SELECT * FROM messages WHERE id = %s", [message_id])[0]

    def comes_to(self, message_id, status):
        return wait_until(lambda: self.message(message_id) if self.message(message_id)["status"] == status else None,
                          15, lambda: f"{status}: {dict(self.message(message_id))}")

    def opted_out(self, peer):
        return [row["by"] for row in self.stack.sql("SELECT by FROM opt_outs WHERE peer = %s", [peer])]

    def alerts(self):
        return requests.get(f"{self.stack.url('sandbox')}/_sandbox/twilio/alerts", timeout=5).json()


@pytest.fixture(scope="module")
def firm(module_stack):
    stack = module_stack(services=("sandbox", "hooks", "dispatcher")).start_all()
    firm = Firm(stack)
    wait_until(lambda: firm.writes(firm.person(), "are you there")["status"] == 200, 10, "0367 is known")
    firm.known = len(firm.alerts())
    return firm


@pytest.mark.parametrize("body", ["INFO", "horaires", "Contact", "AIDE"])
def test_a_word_is_answered_and_the_answers_status_is_known(firm, body):
    peer = firm.person()
    replies = firm.writes(peer, body)["replies"]
    assert len(replies) == 1
    rows = firm.stack.sql("SELECT m.* FROM messages m JOIN threads t ON t.id = m.thread_id WHERE t.peer = %s "
                          "ORDER BY m.id", [peer])
    assert [row["direction"] for row in rows] == ["in", "out"]
    assert firm.comes_to(rows[1]["id"], "delivered")["provider_id"].startswith("SM")


def test_statuses_come_in_any_order_and_twice(firm):
    answers = [firm.send("sms", firm.person(), f"text {number}").json() for number in range(10)]
    assert all(answer["success"] and answer["provider_msg_id"] for answer in answers)
    for answer in answers:
        firm.comes_to(answer["message_id"], "delivered")


def test_what_does_not_arrive_says_why(firm):
    answer = firm.send("sms", firm.person("undelivered", error_code=30003), "hello").json()
    assert answer["success"], "Twilio has taken it"
    row = firm.comes_to(answer["message_id"], "undelivered")
    assert row["error_code"] == "30003" and "cannot be reached" in row["error"]


def test_stop_is_confirmed_once_and_by_twilio(firm):
    peer = firm.person()
    said = firm.writes(peer, "STOP")
    assert said["status"] == 200 and firm.opted_out(peer) == ["keyword"]
    assert firm.send("sms", peer, "hello").status_code == 409, "not even tried"


def test_an_opt_out_that_only_twilio_knows_is_learned(firm):
    peer = firm.person()
    firm.writes(peer, "STOP", silent=True)
    answer = firm.send("sms", peer, "hello")
    assert answer.status_code == 502 and answer.json()["error_code"] == "21610" and firm.opted_out(peer) == ["21610"]


def test_whatsapps_day(firm):
    """63016 also where Twilio finds it out later: with words that say what to do."""
    peer = firm.person("read")
    chat = "whatsapp:" + peer
    assert firm.writes(chat, "bonjour", "whatsapp:" + NUMBER, profile_name="Anne")["status"] == 204
    firm.comes_to(firm.send("whatsapp", peer, "salut").json()["message_id"], "read")
    other = firm.person("read")
    assert firm.send("whatsapp", other, "salut").json()["error_code"] == "63016"
    firm.stack.sql("INSERT INTO threads (enterprise_number, channel, peer, last_inbound_at) "
                   "VALUES ('0367', 'whatsapp', %s, now())", [other])
    row = firm.comes_to(firm.send("whatsapp", other, "salut").json()["message_id"], "failed")
    assert row["error_code"] == "63016" and "template" in row["error"]


def test_a_text_is_one_message_in_telegram(firm):
    peer = firm.person()
    firm.writes(peer, "Où êtes-vous <ouverts> & quand?")
    firm.writes("whatsapp:" + peer, "et dimanche?", "whatsapp:" + NUMBER)

    def shown():
        return [message["text"] for message in firm.stack.messages(firm.row["chat_id"])
                if "ouverts" in message["text"] or "dimanche" in message["text"]]
    wait_until(lambda: len(shown()) == 2, 15, lambda: f"two messages: {shown()}")
    assert sum("WhatsApp" in text for text in shown()) == 1


def test_twilio_has_nothing_to_complain_of(firm):
    alerts = [alert for alert in firm.alerts()[firm.known:] if alert["code"] not in (30003, 63016)]
    assert alerts == []
