"""People as the sandbox plays them: they write to bots, press buttons, and read what they are told."""
import hashlib
import hmac
import time

from stack import LINK_KEY
from waiting import wait_until

ACTIONS = {"listen": "l", "whisper": "w", "conference": "c", "call": "b"}


def button_data(action, call, phone, chat, until=None, key=LINK_KEY):
    """What stands below a message, made as libshared/model/signed.c makes it."""
    what = f"{ACTIONS[action]}:{call:x}:{phone}:{int(until or time.time() + 600):x}"
    mac = hmac.new(key.encode(), f"press|{what}|{chat}".encode(), hashlib.sha256).hexdigest()
    return f"{what}:{mac[:20]}"


class People:
    def __init__(self, stack):
        self.stack = stack

    def _get(self, what, **query):
        answer = self.stack.session().get(f"{self.stack.url('sandbox')}/_sandbox/{what}", params=query, timeout=10)
        answer.raise_for_status()
        return answer.json()

    @staticmethod
    def bot_id(enterprise):
        return int(enterprise["bot_token"].split(":")[0])

    def write(self, enterprise, chat, text, **more):
        self.stack.sandbox("telegram/write", bot_id=self.bot_id(enterprise), chat_id=chat, text=text, **more)

    def told(self, enterprise, chat):
        """What the bot said in that chat, oldest first."""
        bot = self.bot_id(enterprise)
        return [one["plain"] for one in self.stack.messages(chat) if one["user_id"] == 0 and one["bot_id"] == bot]

    def ask(self, enterprise, chat, text, **more):
        """Write, and give what the bot answers."""
        before = len(self.told(enterprise, chat))
        self.write(enterprise, chat, text, **more)
        wait_until(lambda: len(self.told(enterprise, chat)) > before, 10,
                   lambda: f"an answer to {text}; the bot's log ends:\n{self.stack.services['bot'].tail()}")
        return self.told(enterprise, chat)[-1]

    def show(self, enterprise, chat, **buttons):
        """A message with buttons, as the dispatcher sends them: text=data. Gives its id."""
        rows = [[{"text": text, "callback_data": data}] for text, data in buttons.items()]
        answer = self.stack.session().post(
            f"{self.stack.url('sandbox')}/bot{enterprise['bot_token']}/sendMessage", timeout=10,
            json={"chat_id": chat, "text": "a call", "reply_markup": {"inline_keyboard": rows}})
        return answer.json()["result"]["message_id"]

    def press(self, enterprise, chat, message, button="", **more):
        """Gives the id of the press; answered() tells what came of it."""
        answer = self.stack.sandbox("telegram/press", bot_id=self.bot_id(enterprise), chat_id=chat, message_id=message,
                                    button=button, **more)
        return answer.json()["callback_query_id"]

    def answer_of(self, press):
        """Text of the notice, None before there is one."""
        return self._get("telegram/presses", id=press)[0]["text"]

    def answered(self, press, timeout=15):
        wait_until(lambda: self.answer_of(press) is not None, timeout,
                   lambda: f"an answer to the press; the bot's log ends:\n{self.stack.services['bot'].tail()}")
        return self.answer_of(press)

    def commands(self, number):
        """What the PBX of that enterprise took as genuine."""
        return self._get("pbx/commands", number=number)

    def requests(self, method):
        return [row for row in self._get("requests", service="telegram", limit=100000) if row["path"].endswith("/" + method)]
