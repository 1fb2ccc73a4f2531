"""Pressing buttons: who may, what the PBX is told, what the person is told, and never twice."""
import time

import pytest

from people import LINK_KEY, People, button_data
from waiting import wait_until

SETTINGS = {"CALLWEAVE_LINK_KEY": LINK_KEY, "CALLWEAVE_BOT_LEASE_MS": "2000", "CALLWEAVE_BOT_PRESS_MS": "2000"}
CHAT = 501
CLIENT = "+375291112233"


@pytest.fixture(scope="module")
def stack(module_stack):
    stack = module_stack(services=("sandbox", "bot"), settings=SETTINGS).start_all()
    stack.no_limits()
    return stack


@pytest.fixture
def people(stack):
    yield People(stack)
    stack.clear_faults()


class Office:
    """An enterprise with a PBX, a subscribed person with the phones 150 and a mobile, and a call."""

    def __init__(self, stack, number, reason="", state="talking", **columns):
        self.stack = stack
        self.number = number
        self.row = stack.enterprise(number, locale="en", secret=f"secret-of-{number}", **columns)
        self.row = {**self.row, "subscribers": [CHAT]}
        stack.sql("INSERT INTO telegram_users (tg_id, bot_token) VALUES (%s, %s)", [CHAT, self.row["bot_token"]])
        user = stack.sql("INSERT INTO users (enterprise_number, telegram_tg_id, personal_phone) VALUES (%s, %s, '+375 (29) 765-43-21')"
                         " RETURNING id", [number, CHAT])[0]["id"]
        stack.sql("INSERT INTO user_internal_phones (user_id, enterprise_number, phone_number) VALUES (%s, %s, '150')", [user, number])
        stack.sandbox("pbx", number=number, secret=f"secret-of-{number}", reason=reason)
        self.control(f"{stack.url('sandbox')}/pbx/{number}/control")
        self.call = self.make_call(state)

    def control(self, url):
        self.stack.sql("UPDATE enterprises SET settings = jsonb_build_object('control_url', %s::text) WHERE number = %s",
                       [url, self.number])

    def make_call(self, state="talking", phone=CLIENT, extension="152"):
        call = self.stack.sql("SELECT coalesce(max(id), 0) + 1 AS id FROM calls")[0]["id"]
        self.stack.sql("INSERT INTO calls (id, shard, enterprise_id, unique_id, direction, state, call_type, phone_number,"
                       " main_extension) VALUES (%s, enterprise_shard(%s), %s, %s, 'incoming', %s, '0', %s, %s)",
                       [call, self.number, self.number, f"{call}.1", state, phone, extension])
        return call

    def button(self, people, action, call=None, phone="150", chat=CHAT, **more):
        data = button_data(action, call or self.call, phone, chat, **more)
        return people.show(self.row, chat, press=data)

    def press(self, people, action, **more):
        """Show a button, press it, and give what the person is told."""
        return people.answered(people.press(self.row, CHAT, self.button(people, action, **more), "press"))

    def states(self):
        return [row["state"] for row in self.stack.sql(
            "SELECT state FROM pbx_commands WHERE enterprise_number = %s ORDER BY created_at", [self.number])]


# -- what the PBX is told ----------------------------------------------------------------------------

@pytest.mark.parametrize("number, action, phone, target, words", [
    ("0201", "listen", "150", "152", "👂 Calling 150: listening in."),
    ("0202", "whisper", "150", "152", "💬 Calling 150: whispering."),
    ("0203", "conference", "375297654321", "152", "🎙️ Calling 375297654321: conference."),
])
def test_joining_a_conversation(stack, people, number, action, phone, target, words):
    office = Office(stack, number)
    assert office.press(people, action, phone=phone) == words
    [row] = people.commands(number)
    command = row["command"]
    assert row["times"] == 1 and len(command.pop("id")) == 36
    assert command == {"action": action, "enterprise": number, "call": str(office.call), "phone": phone, "target": target,
                       "external": CLIENT}
    assert office.states() == ["done"]


def test_calling_back(stack, people):
    office = Office(stack, "0204", state="ended")
    assert office.press(people, "call") == "📞 Calling 150, then the customer."
    command = people.commands("0204")[0]["command"]
    assert (command["action"], command["phone"], command["target"], command["external"]) == ("call", "150", "", CLIENT)


def test_pressed_again_it_rings_nobody_again(stack, people):
    office = Office(stack, "0205")
    stack.sandbox("faults", service="pbx", path="/pbx/0205/", delay_ms=500)
    message = office.button(people, "listen")
    presses = [people.press(office.row, CHAT, message, "press") for _ in range(5)]
    answers = [people.answered(press) for press in presses]
    assert answers.count("👂 Calling 150: listening in.") == 1
    assert answers.count("This is being done already.") == 4
    assert office.press(people, "listen") == "This is being done already."
    assert len(people.commands("0205")) == 1
    # Another wish is another command, and half a minute later the same may be wished again.
    assert office.press(people, "whisper").startswith("💬")
    stack.sql("UPDATE pbx_commands SET updated_at = now() - interval '31 seconds' WHERE enterprise_number = '0205'")
    assert office.press(people, "listen").startswith("👂")
    assert len(people.commands("0205")) == 3


# -- what the PBX says -------------------------------------------------------------------------------

def test_the_pbx_refuses_with_its_reason(stack, people):
    office = Office(stack, "0206", reason="extension 150 is busy <b>& away</b>")
    assert office.press(people, "listen") == "The PBX refused: extension 150 is busy <b>& away</b>"
    assert office.states() == ["refused"]


@pytest.mark.parametrize("number, fault, told, state", [
    ("0207", {"status": 500, "description": "out of channels"}, "It did not work: out of channels", "failed"),
    ("0208", {"status": 403, "description": "not from here"}, "The PBX refused: not from here", "refused"),
    ("0209", {"status": 200, "body": "<html>It works!</html>"}, "The PBX did not answer. It may have got the command: wait"
     " whether 150 rings.", "unknown"),
    ("0210", {"drop": "after"}, "The PBX did not answer. It may have got the command: wait whether 150 rings.", "unknown"),
    ("0211", {"delay_ms": 60000, "act_first": True}, "The PBX did not answer. It may have got the command: wait whether 150"
     " rings.", "unknown"),
])
def test_the_pbx_fails(stack, people, number, fault, told, state):
    office = Office(stack, number)
    stack.sandbox("faults", service="pbx", path=f"/pbx/{number}/", **fault)
    assert office.press(people, "listen") == told
    assert office.states() == [state]
    assert len(people.commands(number)) <= 1, "a command that may have arrived is not repeated"


def test_a_pbx_with_another_secret_refuses(stack, people):
    office = Office(stack, "0212")
    stack.sandbox("pbx", number="0212", secret="another")
    assert office.press(people, "listen") == "The PBX refused: the signature is wrong"
    assert people.commands("0212") == []


def test_a_pbx_that_cannot_be_reached(stack, people):
    office = Office(stack, "0213")
    office.control("http://127.0.0.1:9/control")
    assert office.press(people, "listen") == "It did not work: the PBX cannot be reached"
    assert office.states() == ["failed"]


def test_without_a_control_url_the_button_says_so(stack, people):
    office = Office(stack, "0214")
    office.control("")
    assert "not set up" in office.press(people, "listen")


# -- who may -----------------------------------------------------------------------------------------

def refused(office, people, words, **how):
    action = how.pop("action", "listen")
    assert office.press(people, action, **how) == words
    assert people.commands(office.number) == [] and office.states() == []


def test_buttons_that_are_forged_copied_or_over(stack, people):
    office = Office(stack, "0215")
    over = "This button is no longer valid."
    refused(office, people, over, key="somebody-else's-key-0123456789abcdef")
    refused(office, people, over, until=time.time() - 1)
    # Copied into another chat: its owner sees it there, and presses.
    data = button_data("listen", office.call, "150", CHAT)
    stack.sql("INSERT INTO telegram_users (tg_id, bot_token) VALUES (777, %s)", [office.row["bot_token"]])
    copy = people.show(office.row, 777, press=data)
    assert people.answered(people.press(office.row, 777, copy, "press")) == over
    # Data that no button ever had.
    message = office.button(people, "listen")
    for forged in ("x", "l:1:150:99999999:" + "0" * 20, data.replace("l:", "w:", 1), "😀" * 16):
        assert people.answered(people.press(office.row, CHAT, message, data=forged, forged=True)) == over
    assert people.commands("0215") == []
    assert office.press(people, "listen").startswith("👂"), "the genuine one works"


def test_only_subscribers_with_their_own_phones(stack, people):
    office = Office(stack, "0216")
    stack.sql("INSERT INTO user_internal_phones (enterprise_number, phone_number) VALUES ('0216', '151')")
    refused(office, people, "This is not your phone.", phone="151")
    refused(office, people, "This is not your phone.", phone="375299999999")
    stack.sql("DELETE FROM telegram_users WHERE bot_token = %s", [office.row["bot_token"]])
    refused(office, people, "This chat is not subscribed.")


def test_calls_of_other_enterprises_are_out_of_reach(stack, people):
    office, other = Office(stack, "0217"), Office(stack, "0218")
    refused(office, people, "This call is gone.", call=other.call)
    refused(office, people, "This call is gone.", call=99999999)


def test_calls_in_another_state(stack, people):
    office = Office(stack, "0219")
    ended, anonymous, own = office.make_call("ended"), office.make_call("ended", phone=None), office.make_call(extension="150")
    refused(office, people, "Too late: the conversation is over.", call=ended)
    refused(office, people, "The call is still going on.", action="call")
    refused(office, people, "The number is not known: it cannot be called back.", action="call", call=anonymous)
    refused(office, people, "You are in this conversation already.", call=own)


# -- late, and after the end of a process ------------------------------------------------------------

def test_a_press_that_telegram_has_forgotten_is_answered_by_a_message(stack, people):
    office = Office(stack, "0220")
    message = office.button(people, "listen")
    press = people.press(office.row, CHAT, message, "press", age_ms=60000)
    wait_until(lambda: people.told(office.row, CHAT)[-1:] == ["👂 Calling 150: listening in."], 10, "the answer as a message")
    assert people.answer_of(press) is None and len(people.commands("0220")) == 1


def test_kill_9_while_the_pbx_is_asked(make_stack):
    stack = make_stack(services=("sandbox", "bot"), settings=SETTINGS).start_all()
    people, office = People(stack), Office(stack, "0221")
    stack.sandbox("faults", service="pbx", delay_ms=60000, act_first=True)
    press = people.press(office.row, CHAT, office.button(people, "listen"), "press")
    wait_until(lambda: people.commands("0221"), 10, "the PBX has the command")
    stack.kill9("bot")
    stack.start("bot")
    assert "It may have got the command" in people.answered(press)
    assert office.states() == ["unknown"]
    assert [row["times"] for row in people.commands("0221")] == [1], "a new process does not send it again"
    # After that the person may try again at once, but for half a minute nobody is rung twice unknowingly.
    assert office.press(people, "listen") == "This is being done already."


def test_a_command_that_nobody_could_send_in_time_is_never_sent(make_stack):
    stack = make_stack(services=("sandbox", "bot"), settings=SETTINGS).start_all()
    people, office = People(stack), Office(stack, "0222")
    people.ask(office.row, CHAT, "/help")
    stack.kill9("bot")
    stack.sql("INSERT INTO pbx_commands (enterprise_number, call_id, action, phone, bot_token, chat_id, callback_id, deadline)"
              " VALUES ('0222', %s, 'listen', '150', %s, %s, '1', now() - interval '1 ms')",
              [office.call, office.row["bot_token"], CHAT])
    stack.start("bot")
    wait_until(lambda: "Too late: the command was not sent. Please try again." in people.told(office.row, CHAT), 10)
    assert office.states() == ["late"] and people.commands("0222") == []
