"""How bots listen: many with few connections, several instances, webhooks, and processes that are killed."""
import random
import signal
import threading

import psycopg2
import requests

from people import LINK_KEY, People
from process import Process
from waiting import wait_until

SETTINGS = {"CALLWEAVE_LINK_KEY": LINK_KEY, "CALLWEAVE_BOT_LEASE_MS": "1500"}


def begin(make_stack, **settings):
    stack = make_stack(services=("sandbox", "bot"), settings={**SETTINGS, **settings})
    stack.start("sandbox")
    stack.no_limits()
    return stack, People(stack)


def second(stack):
    """Another instance beside the stack's."""
    folder = stack.folder / "second"
    folder.mkdir()
    return Process("bot", folder, stack.services["bot"].settings)


def end(process):
    assert process.stop() == 0, process.tail()
    assert process.report() is None, process.report()


def many(stack, count):
    """So many enterprises, each with its own bot."""
    stack.sql("INSERT INTO enterprises (number, name, name2, bot_token, locale)"
              " SELECT 'b' || n, 'enterprise ' || n, 'token-' || n, (720000000 + n) || ':AAbot-of-many', 'en'"
              " FROM generate_series(1, %s) n", [count])
    return [{"number": f"b{n}", "bot_token": f"{720000000 + n}:AAbot-of-many"} for n in range(1, count + 1)]


def listening(stack):
    return stack.sql("SELECT count(*) FROM telegram_bots WHERE owner IS NOT NULL AND introduced IS NOT NULL")[0]["count"]


def owners(stack):
    return {row["owner"]: row["count"] for row in
            stack.sql("SELECT owner, count(*) FROM telegram_bots GROUP BY owner") if row["owner"]}


def conflicts(people):
    return [row for row in people.requests("getUpdates") if row["status"] == 409]


def polls_at_once(people):
    """The most getUpdates that were under way at the same time, as the sandbox saw their beginnings and answers."""
    waiting = [row for row in people.requests("getUpdates") if row["status"] is None]
    return len(waiting)


# -- many bots ---------------------------------------------------------------------------------------

def test_300_bots_take_turns_on_six_connections(make_stack):
    stack, people = begin(make_stack, CALLWEAVE_BOT_MAX_POLLS="6")
    bots = many(stack, 300)
    stack.start("bot")
    wait_until(lambda: listening(stack) == 300, 60, lambda: f"all are introduced, not {listening(stack)}")
    random.Random(3).shuffle(bots)
    for bot in bots:
        people.write(bot, 601, "/help")
    most = 0

    def all_answered():
        nonlocal most
        most = max(most, polls_at_once(people))
        return stack.sql("SELECT count(*) FROM telegram_updates")[0]["count"] == 300
    wait_until(all_answered, 30, "every bot's update is handled")
    wait_until(lambda: sum(one["user_id"] == 0 for one in stack.messages(601)) == 300, 30, "every bot has answered")
    assert most <= 6 and not conflicts(people)
    # A bot that was quiet for long is heard within seconds, whoever else is busy.
    stop = threading.Event()
    noise = threading.Thread(target=lambda: [people.write(bots[1], 602, "noise") for _ in iter(stop.is_set, True)])
    noise.start()
    try:
        assert "To subscribe" in people.ask(bots[0], 603, "/help")
    finally:
        stop.set()
        noise.join()
    assert stack.services["bot"].resident_kib() < 600_000  # under AddressSanitizer
    stack.assert_healthy()


def test_a_quiet_bot_is_asked_rarely_and_answers_at_once(make_stack):
    stack, people = begin(make_stack)
    june = stack.enterprise("0300", locale="en")
    stack.start("bot")
    people.ask(june, 501, "/help")
    polls = len(people.requests("getUpdates"))
    people.ask(june, 501, "/help")
    assert len(people.requests("getUpdates")) - polls <= 2, "it waits at Telegram, and does not ask again and again"


# -- several instances -------------------------------------------------------------------------------

def test_two_instances_share_the_bots_and_one_takes_over(make_stack):
    stack, people = begin(make_stack)
    bots = many(stack, 9)
    stack.start("bot")
    wait_until(lambda: listening(stack) == 9, 20)
    other = second(stack)
    other.start()
    wait_until(lambda: sorted(owners(stack).values()) == [4, 5], 20, lambda: f"a fair share: {owners(stack)}")
    for bot in bots:
        assert "To subscribe" in people.ask(bot, 501, "/help")
    answered = len(conflicts(people))
    assert answered <= 5, "only bots that changed hands were asked by both, once"
    stack.kill9("bot")
    for bot in bots:
        people.write(bot, 501, "/status")
    wait_until(lambda: all(len(people.told(bot, 501)) == 2 for bot in bots), 20, "the other instance has taken over")
    assert list(owners(stack).values()) == [9] and len(conflicts(people)) == answered
    end(other)
    assert owners(stack) == {}, "a clean end gives the bots back"


def test_an_instance_that_was_suspended_does_not_write_for_bots_of_others(make_stack):
    stack, people = begin(make_stack)
    bots = many(stack, 4)
    stack.start("bot")
    wait_until(lambda: listening(stack) == 4, 20)
    first = stack.services["bot"].child
    # Suspended with updates in its hands: the sandbox has given them out, nothing is written.
    stack.sandbox("faults", service="telegram", path="getUpdates", delay_ms=3000, times=4, act_first=True)
    for bot in bots:
        people.write(bot, 501, "/help")
    first.send_signal(signal.SIGSTOP)
    other = second(stack)
    other.start()
    wait_until(lambda: sorted(owners(stack).values()) == [4], 20, "the other instance has them all")
    wait_until(lambda: all(people.told(bot, 501) for bot in bots), 30, "and answers")
    first.send_signal(signal.SIGCONT)
    wait_until(lambda: sorted(owners(stack).values()) == [2, 2], 20, "they share again")
    for bot in bots:
        people.ask(bot, 501, "/status")
        assert len(people.told(bot, 501)) == 2, "nothing was answered twice"
    stack.assert_healthy()
    end(other)


def test_an_instance_that_was_suspended_does_not_send_what_it_had_claimed(make_stack):
    """Suspended between the claim of an answer and its sending; meanwhile its claim ends, and the other tells it."""
    stack, people = begin(make_stack)
    june = stack.enterprise("0302", locale="en")
    stack.start("bot")
    people.ask(june, 501, "/help")
    first = stack.services["bot"].child
    block = psycopg2.connect(stack.database_url)
    with block.cursor() as cursor:
        cursor.execute("LOCK bot_answers IN SHARE MODE")
        claims = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%bot_answers_claim%'"
        wait_until(lambda: stack.sql(claims)[0]["count"], 10, "it is claiming")
        # Its claim is granted while it is suspended, and the row is there before that: by another connection's leave.
        cursor.execute("""INSERT INTO bot_answers (bot_token, chat_id, locale, code) VALUES (%s, 501, 'en', 'help')""",
                       [june["bot_token"]])
        first.send_signal(signal.SIGSTOP)
    block.commit()
    block.close()
    wait_until(lambda: stack.sql("SELECT attempts FROM bot_answers")[0]["attempts"] == 1, 10, "it is claimed")
    before = len(people.told(june, 501))
    other = second(stack)
    other.start()
    wait_until(lambda: len(people.told(june, 501)) == before + 1, 40, "the other tells it when the claim is over")
    first.send_signal(signal.SIGCONT)
    wait_until(lambda: sorted(owners(stack).values()) == [1], 20, "one of them has the bot")
    people.ask(june, 501, "/status")
    assert len(people.told(june, 501)) == before + 2, "it is told once"
    stack.assert_healthy()
    end(other)


def test_somebody_else_who_polls_the_bot_is_seen(make_stack):
    stack, people = begin(make_stack)
    june = stack.enterprise("0301", locale="en")
    stack.start("bot")
    people.ask(june, 501, "/help")
    url = f"{stack.url('sandbox')}/bot{june['bot_token']}/getUpdates"
    thief = requests.post(url, json={"timeout": 0, "offset": 999999999}, timeout=10)
    assert thief.status_code == 200
    wait_until(lambda: stack.sql("SELECT 1 FROM telegram_bots WHERE last_error LIKE 'Conflict: terminated by other%%'"), 10,
               "the reason is in telegram_bots")
    assert "To subscribe" in people.ask(june, 501, "/help")
    wait_until(lambda: stack.sql("SELECT 1 FROM telegram_bots WHERE last_error IS NULL"), 30, "and goes when it is over")


# -- kill -9 -----------------------------------------------------------------------------------------

def test_kill_9_at_any_moment_loses_and_repeats_nothing(make_stack, request):
    stack, people = begin(make_stack)
    seed = request.config.getoption("--seed") or random.randrange(10**6)
    dice = random.Random(seed)
    print(f"--seed {seed}")
    june = stack.enterprise("0302", locale="en")
    codes = [row["code"] for row in stack.sql(
        "SELECT telegram_code_make('0302', NULL, '1 hour') AS code FROM generate_series(1, 40)")]
    stack.start("bot")
    for index, code in enumerate(codes):
        people.write(june, 1000 + index, f"/start {code}")
        if index % 8 == 4:
            # A moment that differs from run to run: after so many answers.
            wanted = dice.randrange(index)
            wait_until(lambda: stack.sql("SELECT count(*) FROM telegram_updates")[0]["count"] >= wanted, 10)
            stack.kill9("bot")
            stack.start("bot", wait=False)
    wait_until(lambda: all(people.told(june, 1000 + index) for index in range(40)), 60, "everybody is answered")
    for index in range(40):
        said = people.told(june, 1000 + index)
        # Told again at most when a process ended between telling and noting it; never "used already".
        assert all(text.startswith("✅ Done") for text in said) and len(said) <= 2, said
    rows = stack.sql("SELECT count(*) FILTER (WHERE used_by IS NOT NULL) AS used, count(DISTINCT used_by) AS chats"
                     " FROM telegram_codes")[0]
    assert rows == {"used": 40, "chats": 40}
    assert stack.sql("SELECT count(*) FROM telegram_users")[0]["count"] == 40
    offset, last = stack.sql("SELECT next_update, (SELECT max(update_id) FROM telegram_updates) AS last FROM telegram_bots")[0].values()
    assert offset == last + 1


def test_postgresql_away_delays_and_loses_nothing(make_stack):
    stack = make_stack(services=("sandbox", "bot"), own_postgres=True, settings=SETTINGS).start_all()
    people = People(stack)
    june = stack.enterprise("0303", locale="en")
    people.ask(june, 501, "/help")
    stack.stop_pg()
    people.write(june, 501, "/status")
    stack.start_pg()
    wait_until(lambda: len(people.told(june, 501)) == 2, 30, lambda: stack.services["bot"].tail())
    assert len(people.told(june, 501)) == 2


# -- webhooks ----------------------------------------------------------------------------------------

def webhook_stack(make_stack):
    stack, people = begin(make_stack)
    process = stack.services["bot"]
    process.settings = {**process.settings, "CALLWEAVE_BOT_WEBHOOK_URL": process.url + "/"}
    return stack, people, process


def test_updates_by_webhook(make_stack):
    stack, people, process = webhook_stack(make_stack)
    june, july = stack.enterprise("0304", locale="en"), stack.enterprise("0305", locale="en")
    process.start()
    for bot in (june, july):
        assert "To subscribe" in people.ask(bot, 501, "/help")
    assert not people.requests("getUpdates")
    [first, second_] = people.requests("setWebhook")
    assert {row["request"]["url"] for row in (first, second_)} == {f"{process.url}/telegram/030{n}" for n in (4, 5)}
    assert first["request"]["secret_token"] != second_["request"]["secret_token"]
    assert first["request"]["max_connections"] in (1, "1")

    update = {"update_id": 1, "message": {"message_id": 1, "chat": {"id": 501}, "from": {"id": 501}, "text": "/help"}}
    secrets = {row["request"]["url"]: row["request"]["secret_token"] for row in (first, second_)}
    path = f"{process.url}/telegram/0304"
    for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "wrong"},
                    {"X-Telegram-Bot-Api-Secret-Token": secrets[f"{process.url}/telegram/0305"]}):
        assert requests.post(path, json=update, headers=headers, timeout=5).status_code == 401
    assert requests.post(f"{process.url}/telegram/9999", json=update, timeout=5).status_code == 401
    good = {"X-Telegram-Bot-Api-Secret-Token": secrets[path]}
    assert requests.post(path, data="{nonsense", headers=good, timeout=5).status_code == 422
    # The same update twice is one; an older number that comes late is still handled.
    for number in (7000, 7000, 6999):
        assert requests.post(path, json={**update, "update_id": number}, headers=good, timeout=5).status_code == 200
    # A chat is answered in order: behind this answer there is no other.
    people.write(june, 501, "/status")
    wait_until(lambda: people.told(june, 501)[-1] != people.told(june, 501)[0], 10)
    assert len(people.told(june, 501)) == 4
    assert secrets[path] not in process.text()


def test_a_webhook_update_comes_again_until_it_is_stored(make_stack):
    stack = make_stack(services=("sandbox", "bot"), own_postgres=True, settings=SETTINGS)
    process = stack.services["bot"]
    process.settings = {**process.settings, "CALLWEAVE_BOT_WEBHOOK_URL": process.url}
    people = People(stack.start_all())
    june = stack.enterprise("0306", locale="en")
    people.ask(june, 501, "/help")
    stack.stop_pg()
    people.write(june, 501, "/status")

    def trouble():
        info = requests.get(f"{stack.url('sandbox')}/bot{june['bot_token']}/getWebhookInfo", timeout=5).json()["result"]
        return info["pending_update_count"] == 1 and info.get("last_error_message", "").endswith("503")
    wait_until(trouble, 15, "Telegram is told to come again")
    stack.start_pg()
    wait_until(lambda: len(people.told(june, 501)) == 2, 30, lambda: process.tail())


def test_from_webhook_back_to_getupdates_and_a_webhook_that_others_set(make_stack):
    stack, people, process = webhook_stack(make_stack)
    june = stack.enterprise("0307", locale="en")
    process.start()
    people.ask(june, 501, "/help")
    assert process.stop() == 0
    process.settings = {key: value for key, value in process.settings.items() if key != "CALLWEAVE_BOT_WEBHOOK_URL"}
    people.write(june, 501, "/help")
    process.start()
    wait_until(lambda: len(people.told(june, 501)) == 2, 10, lambda: process.tail())
    stack.session().post(f"{stack.url('sandbox')}/bot{june['bot_token']}/setWebhook",
                         json={"url": "http://127.0.0.1:9/elsewhere"}, timeout=5)
    assert "To subscribe" in people.ask(june, 501, "/help")


def test_a_webhook_needs_the_key_of_links(make_stack):
    stack, people, process = webhook_stack(make_stack)
    process.settings = {key: value for key, value in process.settings.items() if key != "CALLWEAVE_LINK_KEY"}
    process.start(wait=False)
    assert process.child.wait(10) == 1 and "CALLWEAVE_LINK_KEY" in process.text()
