"""Calls at Twilio: answered at once, by a menu, an agent, a person or a recording; kept, and seen as calls of the one world."""
import json
import re

import pytest
import requests

from twilio_caller import Caller, call_sid
from waiting import wait_until

ACCOUNT, TOKEN = "AC" + "6" * 32, "token-of-0367-at-twilio-6b6b6b6b"
MENU, AGENT, OPERATED, MESSAGES, HEBREW, SHUT, OWN, STRANGER = (f"+331000000{number}" for number in range(11, 19))
OPERATOR = "+33123456789"
OWN_MENU = {
    "prompt": {"fr": "Tapez 3 pour la suite & 9 for English", "en": "Press 3 & 9"},
    "tries": 2,
    "keys": {"3": {"do": "menu", "menu": {"prompt": {"fr": "Dessous"}, "keys": {"#": {"do": "voicemail"}}}},
             "4": {"do": "agent", "engine": "echo"}, "9": {"do": "language", "language": "en"},
             "0": {"do": "operator", "to": "+33111111111"}, "5": {"do": "info", "text": {"fr": "Cinq"}}}}
SHUT_MENU = {"prompt": {"fr": "x"}, "keys": {"2": {"do": "voicemail"}}, "hours": {}}


@pytest.fixture(scope="module")
def world(module_stack):
    stack = module_stack(services=("sandbox", "dispatcher", "hooks")).start_all()
    stack.secrets.add("Twilio's token of 0367", TOKEN)
    stack.enterprise("0367", country="FR", integrations_config=json.dumps(
        {"twilio": {"enabled": True, "account_sid": ACCOUNT, "auth_tokens": ["older-token-of-0367", TOKEN]}}))
    stack.sql("INSERT INTO voice_menus VALUES ('0367', 'own', %s), ('0367', 'shut', %s)",
              [json.dumps(OWN_MENU), json.dumps(SHUT_MENU)])
    rows = [(MENU, "menu", "fr", "main", None), (AGENT, "agent", "fr", "main", OPERATOR),
            (OPERATED, "menu", "fr", "main", OPERATOR), (MESSAGES, "voicemail", "ru", "main", None),
            (HEBREW, "menu", "he", "main", None), (SHUT, "menu", "fr", "shut", OPERATOR), (OWN, "menu", "fr", "own", None)]
    for row in rows:
        stack.sql("INSERT INTO hook_numbers (number, enterprise_number, voice, language, menu, operator) "
                  "VALUES (%s, '0367', %s, %s, %s, %s)", [row[0], *row[1:]])
    caller = Caller(stack.url("hooks"), ACCOUNT, TOKEN)
    wait_until(lambda: caller.call(OWN).incoming().answer.status_code == 200
               and caller.call(OWN).incoming().verbs()[0] == "Gather", 10, "hooks knows its numbers")
    stack.caller = caller
    return stack


def row(world, call):
    rows = world.sql("SELECT * FROM voice_calls WHERE call_sid = %s", [call.sid])
    assert len(rows) == 1, f"{call.sid}: {rows}"
    return rows[0]


def events(world, call):
    return [(event["event_type"], event["raw_data"]) for event in world.sql(
        "SELECT event_type, raw_data FROM call_events WHERE unique_id LIKE %s || '%%' ORDER BY id", [call.sid])]


def types(world, call):
    return [event for event, _ in events(world, call)]


# -- menus ------------------------------------------------------------------------------------------------------


def test_a_menu_answers_at_once(world):
    call = world.caller.call(MENU).incoming()
    assert call.verbs() == ["Gather", "Redirect"]
    gather = call.find("Gather")
    assert (gather.get("numDigits"), gather.get("timeout"), gather.get("method")) == ("1", "5", "POST")
    assert "tapez 1" in call.said() and call.find("Gather/Say").get("language") == "fr-FR"
    assert (row(world, call)["state"], row(world, call)["peer"]) == ("menu", "+33600000001")
    assert types(world, call) == ["start"]


def test_all_urls_are_absolute(world):
    """P14: relative ones fail in TwiML that was given by REST (11100)."""
    for number in (MENU, AGENT, OPERATED, MESSAGES):
        call = world.caller.call(number).incoming()
        for found in re.findall(r'(?:action|url|statusCallback|recordingStatusCallback)="([^"]*)"', call.answer.text):
            assert found.startswith((world.url("hooks") + "/webhook/", "ws://")), found


def test_information_and_the_menu_again(world):
    call = world.caller.call(MENU).incoming().press("1")
    assert call.verbs() == ["Say", "Gather", "Redirect"] and "heures d'ouverture" in call.said()
    assert call.press("1").verbs() == ["Say", "Gather", "Redirect"]


def test_three_tries_then_goodbye(world):
    call = world.caller.call(MENU).incoming().wait()
    assert call.verbs() == ["Gather", "Redirect"]
    call.wait()
    assert call.verbs() == ["Gather", "Redirect"] and row(world, call)["tries"] == 3
    call.wait()
    assert call.verbs() == ["Say", "Hangup"] and "Au revoir" in call.said()


def test_a_wrong_key_is_a_try(world):
    call = world.caller.call(MENU).incoming().press("7")
    assert call.verbs() == ["Say", "Gather", "Redirect"] and "pas compris" in call.said()
    assert call.press("*").press("8").verbs() == ["Say", "Say", "Hangup"]


def test_an_enterprises_own_menu(world):
    call = world.caller.call(OWN).incoming()
    assert "suite & 9" in call.said()
    assert call.press("3").said() == "Dessous"
    assert "Record" in call.press("#").verbs()
    english = world.caller.call(OWN).incoming().press("9")
    assert english.said() == "Press 3 & 9" and english.find("Gather/Say").get("language") == "en-US"
    assert row(world, english)["language"] == "en"
    assert world.caller.call(OWN).incoming().press("0").find("Dial/Number").text == "+33111111111"
    assert world.caller.call(OWN).incoming().wait().wait().verbs() == ["Say", "Hangup"]  # two tries


def test_a_menus_agent_has_its_own_engine(world):
    call = world.caller.call(OWN).incoming().press("4")
    assert call.verbs() == ["Connect"]
    assert (row(world, call)["state"], row(world, call)["engine"], row(world, call)["talker"]) == ("stream", "echo", "agent")


def test_closed_means_a_message(world):
    call = world.caller.call(SHUT).incoming()
    assert call.verbs()[:3] == ["Say", "Say", "Record"] and "fermés" in call.said()
    assert row(world, call)["state"] == "voicemail"


def test_hebrew_by_a_voice_that_knows_it(world):
    """P26: Twilio's basic voices have no Hebrew (13512)."""
    say = world.caller.call(HEBREW).incoming().find("Gather/Say")
    assert (say.get("voice"), say.get("language")) == ("Google.he-IL-Wavenet-A", "he-IL")
    assert "הקישו" in say.text


# -- messages -----------------------------------------------------------------------------------------------------


def test_a_message_is_kept_and_heard_of(world):
    call = world.caller.call(MENU).incoming().press("2")
    assert call.verbs() == ["Say", "Record", "Say", "Hangup"]
    assert call.find("Record").get("playBeep") == "true"
    url = call.record()
    assert call.verbs() == ["Say", "Hangup"] and "enregistré" in call.said()
    assert row(world, call)["recording_url"] == url + ".mp3"
    call.over()
    kinds = types(world, call)
    assert kinds == ["start", "recording", "hangup"], kinds
    assert events(world, call)[1][1]["Url"] == url + ".mp3"
    assert events(world, call)[2][1]["CallStatus"] == "0"  # nobody talked with him


def test_a_recording_that_failed_is_none(world):
    call = world.caller.call(MESSAGES).incoming()
    assert "сигнала" in call.said()
    call.status(call.find("Record").get("recordingStatusCallback"), RecordingStatus="absent", RecordingSid="RE1")
    assert row(world, call)["recording_url"] == ""


# -- people ---------------------------------------------------------------------------------------------------------


def answered(world, call, to=OPERATOR):
    """The operator's leg: CallSid is its own, and neither side is our number."""
    url = call.find("Dial/Number").get("statusCallback")
    fields = {"CallSid": call_sid(), "ParentCallSid": call.sid, "AccountSid": ACCOUNT, "From": call.peer, "To": to,
              "CallStatus": "in-progress", "Direction": "outbound-dial", "CallbackSource": "call-progress-events"}
    answer = world.caller.post(url, fields)
    assert answer.status_code == 204, answer.text


def test_an_operator_takes_the_call(world):
    call = world.caller.call(OPERATED).incoming().press("0")
    assert call.verbs() == ["Say", "Dial"] and call.find("Dial/Number").text == OPERATOR
    assert (row(world, call)["state"], row(world, call)["talker"], row(world, call)["talked"]) == ("operator", OPERATOR, "")
    ended = call.find("Dial").get("action")
    answered(world, call)
    answered(world, call)  # callbacks come twice
    assert row(world, call)["talked"] == OPERATOR and row(world, call)["answered_at"] is not None
    call.post(ended, DialCallStatus="completed", DialCallDuration="9")
    assert call.verbs() == ["Hangup"]
    call.over()
    kinds = types(world, call)
    assert kinds[:2] == ["start", "dial"] and kinds.count("bridge") == 2 and kinds[-1] == "hangup", kinds
    hangup = events(world, call)[-1][1]
    assert (hangup["CallStatus"], hangup["Extensions"]) == ("2", [OPERATOR]) and hangup["StartTime"] <= hangup["EndTime"]
    wait_until(lambda: any(seen["external"] == call.peer for seen in world.calls("0367")), 20, "the call is one of ours")


def test_an_operator_who_is_busy(world):
    call = world.caller.call(OPERATED).incoming().press("0")
    call.post(call.find("Dial").get("action"), DialCallStatus="busy")
    assert call.verbs() == ["Say", "Say", "Record", "Say", "Hangup"] and "disponible" in call.said()
    assert row(world, call)["state"] == "voicemail"


def test_without_an_operator_there_is_a_message(world):
    call = world.caller.call(MENU).incoming().press("0")
    assert "Record" in call.verbs() and "Dial" not in call.verbs()


# -- agents ------------------------------------------------------------------------------------------------------------


def test_an_agent_gets_a_stream(world):
    call = world.caller.call(AGENT).incoming()
    assert call.verbs() == ["Connect"]
    stream = call.find("Connect/Stream")
    assert stream.get("url").endswith("/ws/twilio-media") and "?" not in stream.get("url")
    given = {node.get("name"): node.get("value") for node in stream}
    assert given["call_sid"] == call.sid and given["token"].startswith(call.sid + ".")
    assert len("token" + given["token"]) < 500
    assert (row(world, call)["engine"], row(world, call)["state"]) == ("builtin", "stream")
    assert types(world, call) == ["start", "dial"]


def test_the_same_webhook_again_gives_the_same_answer(world):
    """P23: the fallback URL is the same URL: no second call, no second token."""
    call = world.caller.call(AGENT).incoming()
    first = call.answer.content
    assert call.incoming().answer.content == first
    assert call.incoming("/webhook.php").answer.content == first
    assert types(world, call) == ["start", "dial"]


def test_what_failed_later_does_not_begin_anew(world):
    """P23, P15: Twilio's fallback about a later step is no new call, or it would go in circles."""
    call = world.caller.call(AGENT).incoming()
    call.incoming(ErrorCode="11200", ErrorUrl=world.url("hooks") + "/webhook/stream_ended?lang=fr")
    assert call.verbs() == ["Say", "Record", "Say", "Hangup"] and row(world, call)["state"] == "voicemail"
    again = world.caller.call(MENU)
    assert again.incoming(ErrorCode="11205", ErrorUrl=world.url("hooks") + "/webhook/incoming_call/").verbs()[0] == "Gather"


ENDS = [({"end": "hangup", "reason": "goodbye"}, ["Hangup"], "over"),
        ({"end": "transfer", "to": ""}, ["Say", "Dial"], "operator"),
        ({"end": "transfer", "to": "+33199999999"}, ["Say", "Dial"], "operator"),
        ({"end": "message"}, ["Say", "Record", "Say", "Hangup"], "voicemail"),
        ({"end": "menu"}, ["Gather", "Redirect"], "menu"),
        (None, ["Say", "Record", "Say", "Hangup"], "voicemail")]


@pytest.mark.parametrize("outcome, verbs, state", ENDS)
def test_a_stream_that_ended_goes_where_its_outcome_says(world, outcome, verbs, state):
    """P15: always 200 and TwiML. Without an outcome something broke: a message can be left."""
    call = world.caller.call(AGENT).incoming()
    ended = call.find("Connect").get("action")
    if outcome:
        world.sql("UPDATE voice_calls SET outcome = %s WHERE call_sid = %s", [json.dumps(outcome), call.sid])
    call.post(ended)
    assert call.verbs() == verbs and row(world, call)["state"] == state
    if outcome and outcome.get("to"):
        assert call.find("Dial/Number").text == outcome["to"]
    assert call.post(ended).verbs() == verbs  # again


def test_who_hung_up_is_asked_nothing(world):
    call = world.caller.call(AGENT).incoming()
    call.post(call.find("Connect").get("action"), CallStatus="completed")
    assert call.verbs() == ["Hangup"] and row(world, call)["state"] == "over"
    assert types(world, call)[-1] == "hangup"


def test_a_stream_that_began_is_a_talk(world):
    call = world.caller.call(AGENT).incoming()
    status = call.find("Connect/Stream").get("statusCallback")
    for _ in range(2):  # as Twilio sends it: without a number of either side
        about = {"AccountSid": call.fields()["AccountSid"], "CallSid": call.fields()["CallSid"], "StreamName": ""}
        answer = world.caller.post(status, {**about, "StreamSid": "MZ" + "1" * 32, "StreamEvent": "stream-started"})
        assert answer.status_code == 204
    assert (row(world, call)["talked"], row(world, call)["stream_sid"]) == ("agent", "MZ" + "1" * 32)
    call.status(status, StreamSid="MZ" + "1" * 32, StreamEvent="stream-error", StreamError="31921 remote closed")
    call.over()
    assert types(world, call).count("bridge") == 2 and events(world, call)[-1][1]["CallStatus"] == "2"


# -- callbacks ---------------------------------------------------------------------------------------------------------


def test_callbacks_overtake_each_other_and_come_twice(world):
    """P16: 204 whatever they say, and the state never goes back."""
    call = world.caller.call(MENU).incoming()
    call.over(sequence=3)
    for status, sequence in (("in-progress", 1), ("ringing", 0), ("completed", 3), ("completed", 3)):
        call.status("/webhook/call_status", CallStatus=status, SequenceNumber=str(sequence))
    assert (row(world, call)["state"], row(world, call)["last_status"]) == ("over", "completed")
    assert types(world, call).count("hangup") == 1


def test_callbacks_of_odd_shapes(world):
    call = world.caller.call(MENU).incoming()
    for more in ({"SequenceNumber": "x"}, {"SequenceNumber": "99999999999"}, {"SequenceNumber": "-5"}, {"CallStatus": "new"},
                 {"CallStatus": ""}, {"Zürich": "é"}, {"Body": "x" * 20000}):
        call.status("/webhook/call_status", **{"CallStatus": "in-progress", **more})
    call.status("/webhook/stream_status", Status="started")  # as older senders say it
    world.caller.call(MENU).status("/webhook/call_status", CallStatus="completed")  # of a call that nobody knows


# -- who hangs up -------------------------------------------------------------------------------------------------------

STEPS = {
    "ringing": lambda call: call,
    "in the menu": lambda call: call.press("1"),
    "after silence": lambda call: call.wait(),
    "while a message is taken": lambda call: call.press("2"),
    "while somebody is rung": lambda call: call.press("0"),
    "while somebody speaks": lambda call: answered(call.world, call.press("0")) or call,
    "after a message": lambda call: call.press("2").record() and call,
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("how", ["completed", "canceled", "failed", "no-answer", "busy"])
def test_who_hangs_up_at_any_step_leaves_nothing_behind(world, step, how):
    """The call is over and has one end, whatever Twilio asks or tells afterwards; nobody's message rings on."""
    call = world.caller.call(OPERATED, peer="+33600000777").incoming()
    call.world = world
    STEPS[step](call)
    asks = [url for url in (call.root.find(path) for path in ("Gather", "Dial", "Record")) if url is not None]
    call.over(how)
    for verb in asks:  # was on its way
        call.post(verb.get("action"), CallStatus="completed", DialCallStatus="canceled", Digits="hangup")
        assert not set(call.verbs()) & {"Dial", "Connect"}, call.answer.text
    call.over(how)
    assert row(world, call)["state"] == "over" and types(world, call).count("hangup") == 1


def test_who_hung_up_has_no_message_that_rings(world):
    """After all of the above: no call of that caller is open in the one world."""
    world.caller.call(OPERATED, peer="+33600000777").incoming().over("canceled")

    def over():
        ends = [call["ended_at"] for call in world.calls("0367") if call["external"] == "+33600000777"]
        return ends and None not in ends
    wait_until(over, 20, "all are over")  # their messages follow at the pace that a chat allows
    told = world.sql("SELECT count(*) FROM voice_calls WHERE peer = '+33600000777' AND state <> 'over'")
    assert told[0]["count"] == 0


# -- ways in ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/webhook", "/webhook.php", "/webhook/incoming_call/", "//webhook/incoming_call", "/webhook.php/"])
def test_every_way_in(world, path):
    """P10: slashes too many are no 404 and no redirect; the signature is over the path as it came."""
    assert world.caller.call(MENU).incoming(path).verbs() == ["Gather", "Redirect"]


@pytest.mark.parametrize("path", ["/webhook", "/webhook.php", "/webhook/incoming_call"])
def test_get_too(world, path):
    call = world.caller.call(MENU)
    answer = world.caller.get(path, call.fields())
    assert answer.status_code == 200 and "<Gather" in answer.text
    assert row(world, call)["state"] == "menu"


def test_a_text_by_the_same_url(world):
    """As the PHP application had it: MessageSid instead of CallSid."""
    fields = {"MessageSid": "SM" + call_sid()[2:], "AccountSid": ACCOUNT, "From": "+33600000002", "To": MENU,
              "Body": "horaires", "NumMedia": "0"}
    answer = world.caller.post("/webhook.php", fields)
    assert answer.status_code == 200 and "<Message " in answer.text
    assert world.sql("SELECT body FROM messages WHERE provider_id = %s", [fields["MessageSid"]])[0]["body"] == "horaires"


def test_a_withheld_number(world):
    for peer in ("anonymous", "+266696687", ""):
        call = world.caller.call(MENU, peer=peer).incoming()
        assert call.verbs()[0] == "Gather" and row(world, call)["peer"] == ""


def test_a_number_that_is_not_ours(world):
    call = world.caller.call(STRANGER).incoming()
    assert call.verbs() == ["Say", "Hangup"] and "not in service" in call.said()


def test_hostile_values_stay_well_formed(world):
    """Whatever stands in a request, the answer is XML (Call.post parses it) of our own verbs only."""
    for value in ('"/><Hangup/>', "]]>&amp;<!--", "\x01\x02\x7f", "‮שלום\U0001f4de", "a\r\nb", "'" * 60):
        call = world.caller.call(AGENT, sid=("CA" + value)[:64]).incoming()
        assert call.verbs() == ["Connect"], call.answer.text
        assert world.caller.call(MENU, peer=value).incoming(CallerName=value).verbs() == ["Gather", "Redirect"]


def test_a_preview_for_operators(world):
    """P1: what a caller would hear, without calling; no token, so nobody can open a stream by it."""
    url = world.url("hooks") + "/webhook/incoming_call_preview"
    answer = requests.get(url, params={"To": AGENT}, timeout=5)
    assert answer.status_code == 200 and "CA_PREVIEW_" in answer.text and "token" not in answer.text
    assert "<Gather" in requests.get(url, params={"To": MENU}, timeout=5).text
    assert requests.get(url, params={"To": STRANGER}, timeout=5).status_code == 404
    by_proxy = requests.get(url, params={"To": AGENT}, headers={"X-Forwarded-For": "192.0.2.1"}, timeout=5)
    assert by_proxy.status_code == 403


def test_a_call_whose_end_nobody_told(world):
    """The number's status callback is not configured: the call ends by its age, once, and nobody knows when."""
    call = world.caller.call(MENU).incoming()
    young = world.caller.call(MENU).incoming()
    talk = world.caller.call(AGENT).incoming()
    world.sql("UPDATE voice_calls SET started_at = now() - interval '40 minutes' WHERE call_sid IN (%s, %s)", [call.sid, talk.sid])
    world.stop("hooks")
    world.start("hooks")  # it looks soon after its start
    wait_until(lambda: row(world, call)["state"] == "over", 20, "the call is over")
    assert types(world, call) == ["start", "hangup"] and events(world, call)[-1][1]["EndTime"] == ""
    assert row(world, young)["state"] == "menu" and row(world, talk)["state"] == "stream"
