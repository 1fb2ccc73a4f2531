"""From a PBX's events to a button that a person presses, and back to the PBX: all processes together."""
from eventlog import Log
from people import LINK_KEY, People
from waiting import wait_until

SETTINGS = {"CALLWEAVE_LINK_KEY": LINK_KEY}
CHAT = 501


def buttons(stack, chat):
    """{text: data} of the newest message in the chat."""
    standing = [one for one in stack.messages(chat) if one["user_id"] == 0]
    if not standing or not standing[-1]["reply_markup"]:
        return {}
    return {key["text"]: key.get("callback_data") for row in standing[-1]["reply_markup"]["inline_keyboard"] for key in row}


def test_a_colleague_listens_in_and_calls_back(make_stack):
    stack = make_stack(services=("sandbox", "dispatcher", "bot"), settings=SETTINGS).start_all()
    stack.no_limits()
    people = People(stack)
    june = stack.enterprise("0400", locale="en", secret="secret-of-0400")
    stack.sandbox("pbx", number="0400", secret="secret-of-0400")
    stack.sql("UPDATE enterprises SET settings = jsonb_build_object('control_url', %s::text)", [f"{stack.url('sandbox')}/pbx/0400/control"])
    user = stack.sql("INSERT INTO users (enterprise_number, last_name) VALUES ('0400', 'Lis') RETURNING id")[0]["id"]
    stack.sql("INSERT INTO user_internal_phones (user_id, enterprise_number, phone_number) VALUES (%s, '0400', '199')", [user])
    code = stack.sql("SELECT telegram_code_make('0400', %s, '1 hour') AS code", [user])[0]["code"]
    assert people.ask(june, CHAT, f"/start {code}").startswith("✅")

    log = Log(stack, june)
    instance = log.instance("2-3/emulator")
    *going_on, (last, _, last_body) = instance.events
    for event, _, body in going_on:
        log.add(event, body)
    wait_until(lambda: any("199" in text for text in buttons(stack, CHAT)), 15, lambda: f"buttons: {stack.messages(CHAT)}")
    message = stack.messages(CHAT)[-1]["message_id"]
    listen = next(text for text in buttons(stack, CHAT) if text.startswith("👂"))
    assert people.answered(people.press(june, CHAT, message, listen)) == "👂 Calling 199: listening in."
    row = stack.sql("SELECT * FROM calls")[0]
    command = people.commands("0400")[0]["command"]
    assert (command["call"], command["phone"], command["target"], command["external"]) == \
        (str(row["id"]), "199", row["main_extension"], row["phone_number"])

    log.add(last, last_body)
    wait_until(lambda: any(text.startswith("📞") for text in buttons(stack, CHAT)), 15, lambda: f"buttons: {buttons(stack, CHAT)}")
    back = next(text for text in buttons(stack, CHAT) if text.startswith("📞"))
    message = [one for one in stack.messages(CHAT) if one["user_id"] == 0][-1]["message_id"]
    assert people.answered(people.press(june, CHAT, message, back)) == "📞 Calling 199, then the customer."
    assert people.commands("0400")[1]["command"]["external"] == row["phone_number"]
    stack.assert_healthy()
