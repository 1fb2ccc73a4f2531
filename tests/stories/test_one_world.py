"""Calls and texts that no PBX tells, as `hooks` writes them into the log: docs/protocol/one-world.md."""
import json
import os
import subprocess

import pytest

import pbx_day
from telling import person
from waiting import wait_until

LINE, PEER = "+33184800000", "+33612345678"
URL = "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1?a=1&b=2"


@pytest.fixture(scope="module")
def world(module_stack):
    stack = module_stack(services=("sandbox", "dispatcher")).start_all()
    stack.no_limits()
    return stack


def add(stack, enterprise, unique_id, kind, body):
    stack.sql("SELECT call_event_add(%s, %s, %s, %s::jsonb, 'trace-of-the-story')",
              [enterprise["number"], unique_id, kind, json.dumps(body)])


def write(stack, enterprise, unique_id, text, **more):
    add(stack, enterprise, unique_id, "text",
        {"UniqueId": unique_id, "Phone": PEER, "Trunk": LINE, "CallType": 0, "Channel": "sms", "Text": text, **more})


def texts(stack, chat):
    return [message["text"] for message in stack.messages(chat)]


def side(call, number, other, leg):
    return {"UniqueId": leg, "BridgeUniqueid": f"{call}:agent", "Channel": f"Twilio/{number}-00000000",
            "CallerIDNum": number, "ConnectedLineNum": other, "Exten": ""}


def talk(stack, enterprise, call):
    about = {"UniqueId": call, "Phone": PEER, "CallType": 0, "Trunk": LINE}
    add(stack, enterprise, call, "start", about)
    add(stack, enterprise, call, "bridge", [side(call, "agent", PEER, f"{call}:agent"), side(call, PEER, "agent", call)])
    return {**about, "Extensions": ["agent"], "CallStatus": "2", "EndTime": "2026-11-21T12:01:00.000Z",
            "StartTime": "2026-11-21T12:00:00.000Z", "DateReceived": "2026-11-21T12:00:00.000Z"}


def test_a_text_is_one_message_of_its_own(world):
    one = world.enterprise("2001", subscribers=[6001])
    person(world, one, 6002, ["151"])
    world.sql("UPDATE telegram_users SET only_mine = true WHERE tg_id = 6002")
    world.sql("INSERT INTO customers (enterprise_number, phone_e164, enterprise_name) VALUES ('2001', %s, '<b>Zoé & Co')", [PEER])
    write(world, one, "SM1", "Bonjour <script> & merci", Channel="whatsapp")
    wait_until(lambda: texts(world, 6001), 10, lambda: world.services["dispatcher"].tail(8))
    world.wait_quiet()
    for chat in (one["chat_id"], 6001):
        (told,) = texts(world, chat)
        assert told == ("💬 <b>WhatsApp</b>\n📱+33 (6) 12 34 56 78 &lt;b&gt;Zoé &amp; Co\n📞+33184800000\n\n"
                        "Bonjour &lt;script&gt; &amp; merci")
    assert not texts(world, 6002), "whoever wants his own calls only is not told of texts"
    assert world.calls("2001") == [], "a text is no call"


def test_what_we_send_is_not_told_and_a_long_text_is_cut(world):
    one = world.enterprise("2002")
    write(world, one, "SM2", "ours", CallType=1)
    write(world, one, "SM3", "й" * 4000)
    wait_until(lambda: texts(world, one["chat_id"]), 10, lambda: world.services["dispatcher"].tail(8))
    world.wait_quiet()
    (told,) = texts(world, one["chat_id"])
    assert told.endswith("й…") and told.count("й") == 3000


def test_texts_survive_a_kill_and_are_told_once(world):
    one = world.enterprise("2003")
    for n in range(5):
        write(world, one, f"SM4{n}", f"number {n}")
    world.kill9("dispatcher")
    for n in range(5, 10):
        write(world, one, f"SM4{n}", f"number {n}")
    world.start("dispatcher")
    world.wait_quiet()
    told = [text.rsplit("\n", 1)[1] for text in texts(world, one["chat_id"])]
    assert sorted(told) == [f"number {n}" for n in range(10)]


@pytest.mark.parametrize("number, first", [("2004", "hangup"), ("2005", "recording")])
def test_the_agents_call_with_its_recording(world, number, first):
    """One live message, as of a PBX's call; the link comes before or after the end."""
    one = world.enterprise(number)
    call = f"CA{number}"
    hangup = talk(world, one, call)
    recording = {"Event": "recording", "UniqueId": call, "Url": URL}
    wait_until(lambda: any("🔗" in text for text in texts(world, one["chat_id"])), 10, "the talk is shown")
    for kind in (("hangup", "recording") if first == "hangup" else ("recording", "hangup")):
        add(world, one, call, kind, recording if kind == "recording" else hangup)
    wait_until(lambda: "RE1?a=1&amp;b=2" in texts(world, one["chat_id"])[-1], 10,
               lambda: texts(world, one["chat_id"])[-1] + world.services["dispatcher"].tail(8))
    world.wait_quiet()
    wait_until(lambda: len(texts(world, one["chat_id"])) == 1, 10, "the message of the state before is taken away")
    (told,) = texts(world, one["chat_id"])
    assert told.startswith("✅") and "Голосовой помощник" in told and "(agent)" not in told and "01:00" in told
    (row,) = world.calls(number)
    stored = world.sql("SELECT call_url, trunk FROM calls WHERE id = %s", [row["call_id"]])[0]
    assert (stored["call_url"], stored["trunk"]) == (URL, LINE)


def test_a_rebuild_passes_over_what_is_no_call(world):
    before = world.sql("SELECT id, call_url, state FROM calls ORDER BY id")
    done = subprocess.run([pbx_day.BIN / "callweave-rebuild"],
                          env={**os.environ, "DATABASE_URL": world.database_url}, text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "skipped" not in done.stdout + done.stderr, done.stdout + done.stderr
    assert world.sql("SELECT id, call_url, state FROM calls ORDER BY id") == before
