"""Subscribing by code, leaving, asking: what people write to a bot and what it answers."""
import os
import re
import subprocess

import pytest

from people import LINK_KEY, People
from process import ROOT
from waiting import wait_until

SETTINGS = {"CALLWEAVE_LINK_KEY": LINK_KEY, "CALLWEAVE_BOT_LEASE_MS": "2000"}


@pytest.fixture(scope="module")
def stack(module_stack):
    stack = module_stack(services=("sandbox", "bot"), settings=SETTINGS).start_all()
    stack.no_limits()
    return stack


@pytest.fixture
def people(stack):
    return People(stack)


def tenant(stack, number, locale="en", **columns):
    return stack.enterprise(number, locale=locale, **columns)


def person(stack, enterprise, *phones, chat=None):
    user = stack.sql("INSERT INTO users (enterprise_number, last_name, telegram_tg_id, email) VALUES (%s, 'Lis', %s, 'lis@example.com')"
                     " RETURNING id", [enterprise["number"], chat])[0]["id"]
    for phone in phones:
        stack.sql("INSERT INTO user_internal_phones (user_id, enterprise_number, phone_number) VALUES (%s, %s, %s)",
                  [user, enterprise["number"], phone])
    return user


def code_for(stack, enterprise, user=None, valid="1 hour"):
    return stack.sql("SELECT telegram_code_make(%s, %s, %s::interval) AS code", [enterprise["number"], user, valid])[0]["code"]


def subscriber(stack, enterprise, chat):
    rows = stack.sql("SELECT * FROM telegram_users WHERE bot_token = %s AND tg_id = %s", [enterprise["bot_token"], chat])
    return rows[0] if rows else None


# -- codes -------------------------------------------------------------------------------------------

def test_a_code_subscribes_a_person_once(stack, people):
    june = tenant(stack, "0100", name="June & <Co>")
    user = person(stack, june, "150")
    code = code_for(stack, june, user)
    assert re.fullmatch(r"[A-HJ-NP-Z2-9]{8}", code)
    assert "To subscribe" in people.ask(june, 501, "hello")
    assert people.ask(june, 501, f"/start {code.lower()}").startswith("✅ Done: calls of “June & <Co>” will be told here.")
    assert subscriber(stack, june, 501)["disabled_at"] is None
    assert stack.sql("SELECT telegram_tg_id FROM users WHERE id = %s", [user])[0]["telegram_tg_id"] == 501
    assert people.ask(june, 501, "/status") == "Subscribed: June & <Co>\nYour phones: 150\nCalls: all"
    assert "has been used" in people.ask(june, 502, f"/start {code}")
    assert subscriber(stack, june, 502) is None


def test_codes_that_are_wrong_expired_or_of_another_enterprise(stack, people):
    july, august = tenant(stack, "0101"), tenant(stack, "0102")
    assert "no such code" in people.ask(july, 501, "/start ABCDEFGH")
    assert "has expired" in people.ask(july, 501, f"/start {code_for(stack, july, valid='-1 second')}")
    foreign = code_for(stack, august)
    assert "no such code" in people.ask(july, 501, f"/start {foreign}")
    assert "no such code" in people.ask(july, 501, "/start '; DROP TABLE telegram_codes; --")
    assert subscriber(stack, july, 501) is None
    assert people.ask(august, 501, f"/start {foreign}").startswith("✅"), "it is still good where it belongs"


def test_guessing_codes_ends_after_five_tries(stack, people):
    june = tenant(stack, "0103")
    for _ in range(5):
        assert "no such code" in people.ask(june, 501, "/start WRONGONE")
    good = code_for(stack, june)
    assert "Too many tries" in people.ask(june, 501, f"/start {good}")
    assert subscriber(stack, june, 501) is None
    assert people.ask(june, 502, f"/start {good}").startswith("✅"), "another chat is not held up"
    stack.sql("UPDATE telegram_code_tries SET since = now() - interval '16 minutes'")
    assert people.ask(june, 501, f"/start {code_for(stack, june)}").startswith("✅")


def test_the_script_makes_codes(stack, people):
    june = tenant(stack, "0104")
    user = person(stack, june, "150")
    wait_until(lambda: stack.sql("SELECT 1 FROM telegram_bots WHERE bot_token = %s AND username <> ''", [june["bot_token"]]),
               10, "the bot is introduced")

    def run(*arguments):
        return subprocess.run([ROOT / "scripts" / "bot-code", *arguments], text=True, capture_output=True,
                              env={**os.environ, "DATABASE_URL": stack.database_url})
    done = run("0104", "--user", str(user), "--hours", "2")
    assert done.returncode == 0, done.stderr
    code, link, *_ = done.stdout.splitlines()
    assert link == f"https://t.me/sandbox_{people.bot_id(june)}_bot?start={code}"
    assert people.ask(june, 501, f"/start {code}").startswith("✅")
    assert stack.sql("SELECT telegram_tg_id FROM users WHERE id = %s", [user])[0]["telegram_tg_id"] == 501
    assert "no active enterprise 9999" in run("9999").stderr
    assert "has no active user 424242" in run("0104", "--user", "424242").stderr
    assert run("0104", "--hours", "1000").returncode == 1 and run().returncode == 2


# -- what a subscriber can do ------------------------------------------------------------------------

def test_stop_mine_and_languages(stack, people):
    june = tenant(stack, "0105", locale="ru")
    user = person(stack, june, "150")
    assert "Этот чат не подписан" in people.ask(june, 501, "/stop")
    people.ask(june, 501, f"/start {code_for(stack, june, user)}")
    assert people.ask(june, 501, "/mine on") == "Теперь здесь только ваши звонки. Все: /mine off"
    assert subscriber(stack, june, 501)["only_mine"] is True
    assert "только мои" in people.ask(june, 501, "/status")
    assert "Напишите /mine on" in people.ask(june, 501, "/mine maybe")
    people.ask(june, 501, "/mine OFF")
    assert subscriber(stack, june, 501)["only_mine"] is False
    assert people.ask(june, 501, "/stop").startswith("Подписка снята")
    assert subscriber(stack, june, 501) is None
    assert stack.sql("SELECT telegram_tg_id FROM users WHERE id = %s", [user])[0]["telegram_tg_id"] is None


def test_mine_needs_a_person_and_the_owner_cannot_leave(stack, people):
    june = tenant(stack, "0106")
    people.ask(june, 501, f"/start {code_for(stack, june)}")
    assert "not linked to a person" in people.ask(june, 501, "/mine on")
    assert subscriber(stack, june, 501)["only_mine"] is False
    assert "owner's chat" in people.ask(june, june["chat_id"], "/stop")
    assert "The owner's chat" in people.ask(june, june["chat_id"], "/status")


def test_who_blocked_the_bot_comes_back_with_a_code(stack, people):
    june = tenant(stack, "0107")
    people.ask(june, 501, f"/start {code_for(stack, june)}")
    stack.sandbox("telegram/leave", bot_id=people.bot_id(june), chat_id=501)
    wait_until(lambda: subscriber(stack, june, 501)["disabled_at"], 10, "the chat is switched off")
    stack.sandbox("telegram/chats", chat_id=501, state="ok")
    assert people.ask(june, 501, f"/start {code_for(stack, june)}").startswith("✅")
    row = subscriber(stack, june, 501)
    assert row["disabled_at"] is None and row["disabled_reason"] is None


def test_an_owner_who_blocked_the_bot_comes_back_with_a_code(stack, people):
    june = tenant(stack, "0108")
    stack.sql("UPDATE enterprises SET chat_disabled_at = now(), chat_disabled_reason = 'blocked' WHERE number = '0108'")
    people.ask(june, june["chat_id"], f"/start {code_for(stack, june)}")
    row = stack.sql("SELECT chat_disabled_at, chat_disabled_reason FROM enterprises WHERE number = '0108'")[0]
    assert row == {"chat_disabled_at": None, "chat_disabled_reason": None}


# -- groups ------------------------------------------------------------------------------------------

def test_in_a_group_only_who_runs_it(stack, people):
    june = tenant(stack, "0109")
    user = person(stack, june, "150")
    bot = f"sandbox_{people.bot_id(june)}_bot"
    code = code_for(stack, june)
    stack.sandbox("telegram/members", chat_id=-77, user_id=9, status="administrator")
    assert "only its administrators" in people.ask(june, -77, f"/start@{bot} {code}", user_id=8)
    assert subscriber(stack, june, -77) is None
    assert "a person's" in people.ask(june, -77, f"/start@{bot} {code_for(stack, june, user)}", user_id=9)
    assert people.ask(june, -77, f"/start@{bot.upper()} {code}", user_id=9).startswith("✅")
    assert subscriber(stack, june, -77) is not None
    # What is not for this bot is passed over in silence, and so is what people say to each other.
    for text in ("/stop@another_bot", "/unknown", "stop it"):
        people.write(june, -77, text, user_id=9)
    assert people.ask(june, -77, "/status", user_id=8).startswith("Subscribed")
    assert len(people.told(june, -77)) == 4 and subscriber(stack, june, -77) is not None
    assert people.ask(june, -77, "/stop", user_id=1087968824, anonymous=True).startswith("Unsubscribed")


def test_when_telegram_cannot_say_who_runs_a_group(stack, people):
    june = tenant(stack, "0110")
    stack.sandbox("faults", service="telegram", path="getChatMember", status=500)
    assert "did not say" in people.ask(june, -78, f"/start {code_for(stack, june)}", user_id=9)
    assert subscriber(stack, june, -78) is None


# -- answers -----------------------------------------------------------------------------------------

def test_answers_outlive_refusals_of_telegram(stack, people):
    june = tenant(stack, "0111")
    stack.sandbox("faults", service="telegram", path="sendMessage", status=429, retry_after=1, chat_id=501)
    stack.sandbox("faults", service="telegram", path="sendMessage", status=500, chat_id=501)
    assert "To subscribe" in people.ask(june, 501, "/help")
    stack.sandbox("telegram/chats", chat_id=502, state="blocked")
    people.write(june, 502, "/help")
    wait_until(lambda: not stack.sql("SELECT 1 FROM bot_answers"), 10, "an answer to a closed chat is given up")
    stack.assert_healthy()


def test_bots_follow_the_table_of_enterprises(stack, people):
    june = tenant(stack, "0112")
    assert "To subscribe" in people.ask(june, 501, "/help")
    renewed = {**june, "bot_token": "799000112:AArenewed-token"}
    stack.sql("UPDATE enterprises SET bot_token = %s WHERE number = '0112'", [renewed["bot_token"]])
    assert "To subscribe" in people.ask(renewed, 501, "/help")
    stack.sql("UPDATE enterprises SET active = false WHERE number = '0112'")
    wait_until(lambda: not stack.sql("SELECT 1 FROM telegram_bots WHERE bot_token = %s", [renewed["bot_token"]]), 5)
    people.write(renewed, 501, "/help")
    stack.sql("UPDATE enterprises SET active = true WHERE number = '0112'")
    wait_until(lambda: len(people.told(renewed, 501)) == 2, 10, "what was written meanwhile is answered")


def test_a_refused_token_is_shown_and_others_go_on(stack, people):
    stack.sandbox("telegram/bots", token="799000113:AArevoked", state="revoked")
    tenant(stack, "0113", bot_token="799000113:AArevoked")
    wait_until(lambda: stack.sql("SELECT 1 FROM telegram_bots WHERE last_error = 'Unauthorized' AND bot_token LIKE '799000113%%'"),
               10, "the reason is in telegram_bots")
    assert "To subscribe" in people.ask(tenant(stack, "0114"), 501, "/help")
    assert "AArevoked" not in stack.services["bot"].text(), "a token is in the log"
