"""A call that is told state by state, and what its chats then show: for stories of the live message."""
import json
import threading
import time

from eventlog import Log
from waiting import wait_until

# Of 2-3/emulator: how many events until the call rings, talks, is over; and how its message then begins.
RINGS, TALKS, OVER = 3, 6, 10
BEGINNINGS = {1: "💰", RINGS: "📞", TALKS: "🔗", OVER: "✅"}

KEY = "a key of forty characters for the stories"
LINKS = {"CALLWEAVE_LINK_KEY": KEY, "CALLWEAVE_PUBLIC_URL": "https://calls.example.org/"}


def settings(**telegram):
    """The column enterprises.settings with these members of "telegram"."""
    top = {name: telegram.pop(name) for name in ("control_url", "fallback_extension") if name in telegram}
    return json.dumps({"telegram": telegram, **top})


class Told:
    """A call of one scenario, written to the log step by step."""

    def __init__(self, stack, enterprise, scenario="2-3/emulator", log=None):
        self.stack = stack
        self.enterprise = enterprise
        self.log = log or Log(stack, enterprise)
        self.instance = self.log.instance(scenario)
        self.rest = list(self.instance.events)
        self.done = 0

    def add(self, until=None):
        """Write events up to that many; all that are left when None. Waits for nothing."""
        while self.rest and (until is None or self.done < until):
            event, _, body = self.rest.pop(0)
            self.log.add(event, body)
            self.done += 1
        return self

    def until(self, count, chat=None):
        """Write events, and wait until the chat's newest message shows the state they lead to."""
        self.add(count)
        beginning = BEGINNINGS[count]
        wait_until(lambda: self.shows(beginning, chat), 20,
                   lambda: f"{beginning}: {self.standing(chat)}\n{self.stack.services['dispatcher'].tail(8)}")
        return self

    def shows(self, beginning, chat=None):
        messages = self.standing(chat)
        return bool(messages) and messages[-1]["text"].startswith(beginning)

    def standing(self, chat=None):
        return self.stack.messages(chat or self.enterprise["chat_id"])

    def all(self, chat=None):
        return self.stack.messages(chat or self.enterprise["chat_id"], deleted=True)

    def row(self):
        rows = self.stack.sql("SELECT * FROM calls WHERE enterprise_id = %s ORDER BY id DESC LIMIT 1",
                              [self.enterprise["number"]])
        return rows[0] if rows else None


def buttons(message):
    """[text...] of a message's keyboard, row by row."""
    markup = message.get("reply_markup")
    markup = json.loads(markup) if isinstance(markup, str) else markup
    return [[button["text"] for button in row] for row in (markup or {}).get("inline_keyboard", [])]


def person(stack, enterprise, chat, extensions=(), mobile=None, **columns):
    """Somebody of the enterprise with a chat of his own; he subscribes."""
    names = ["enterprise_number", "personal_phone", "telegram_tg_id", *columns]
    values = [enterprise["number"], mobile, chat, *columns.values()]
    row = stack.sql(f"INSERT INTO users ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))}) RETURNING id",
                    values)[0]
    for extension in extensions:
        stack.sql("INSERT INTO user_internal_phones (user_id, enterprise_number, phone_number) VALUES (%s, %s, %s)",
                  [row["id"], enterprise["number"], extension])
    stack.sql("INSERT INTO telegram_users (tg_id, bot_token) VALUES (%s, %s) ON CONFLICT DO NOTHING",
              [chat, enterprise["bot_token"]])
    return row["id"]


def killed_at_any_moment(stack, traffic, pauses, least):
    """Run `traffic` while the dispatcher is killed again and again, at least so often; then wait until all is told."""
    thread = threading.Thread(target=traffic)
    thread.start()
    kills = 0
    while thread.is_alive() or kills < least:
        time.sleep(pauses[kills % len(pauses)])  # the moment of a kill is chance: that is the point
        stack.kill9("dispatcher")
        kills += 1
        stack.start("dispatcher")
        wait_until(lambda: stack.services["dispatcher"].metric("callweave_shards_owned") == 64, 20, "taken over")
    thread.join()
    stack.wait_quiet(90)


def followed(stack, enterprise):
    """Until the dispatcher has read what was just changed about an enterprise: it says so in its log."""
    loads = stack.services["dispatcher"].text().count('"directory: ')
    stack.sql("UPDATE enterprises SET name = name WHERE number = %s", [enterprise["number"]])
    wait_until(lambda: stack.services["dispatcher"].text().count('"directory: ') > loads, 10, "the directory is read")
