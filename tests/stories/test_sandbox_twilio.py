"""The sandbox's Twilio is as strict as Twilio: webhooks are signed, TwiML is run, each broken rule is an alert (P27)."""
import base64
import io
import threading
import wave

import pytest
import requests

from sandbox_process import Sandbox
from sandbox_twilio import ACCOUNT, BEEP, CALLER, OPERATOR, OURS, TOKEN, call, codes, events, heard, look, mulaw_of, put_file
from twilio_app import App, genuine
from waiting import wait_until

@pytest.fixture(scope="module")
def process(tmp_path_factory):
    process = Sandbox(tmp_path_factory.mktemp("sandbox"))
    process.start()
    yield process
    assert process.stop() == 0, process.tail()
    assert process.report() is None, process.report()


@pytest.fixture
def app():
    with App() as app:
        yield app


@pytest.fixture
def sandbox(process, app):
    process.tell("reset")
    process.tell("twilio/numbers", number=OURS, account_sid=ACCOUNT, auth_token=TOKEN, voice_url=app.url + "/voice",
                 status_callback=app.url + "/status", sms_url=app.url + "/sms?lang=fr", whatsapp_url=app.url + "/whatsapp")
    app.answer("/status", status=204)
    return process


# -- requests -------------------------------------------------------------------------------------------------------------

def test_webhooks_are_signed_as_twilios_library_wants_them(sandbox, app):
    app.twiml("/voice", '<Gather numDigits="1" action="/chosen?x=%2B1&amp;y=2"><Say language="fr-FR">Tapez un</Say></Gather>')
    app.twiml("/chosen", '<Redirect method="GET">/last?lang=fr</Redirect>')
    app.twiml("/last", "<Hangup/>")
    app.twiml("/sms", "")
    sid = call(sandbox, {"until": "verb", "name": "Gather"}, {"dtmf": "1"})
    sandbox.tell("twilio/messages", to=OURS, body="Horaires ", **{"from": CALLER})
    wait_until(lambda: app.requests("/status"), 5)
    assert codes(sandbox, sid) == []
    questions = [{"token": TOKEN, "signature": one["signature"], "url": one["url"], "form": one["form"]} for one in app.came]
    assert len(questions) >= 5 and genuine(questions) == [True] * len(questions)
    assert genuine([{**one, "token": "another"} for one in questions]) == [False] * len(questions)
    [first], [chosen] = app.forms("/voice"), app.forms("/chosen")
    assert first["CallStatus"] == "ringing" and first["Direction"] == "inbound" and first["CallSid"] == sid
    assert (first["From"], first["To"], first["AccountSid"], first["ApiVersion"]) == (CALLER, OURS, ACCOUNT, "2010-04-01")
    assert chosen["Digits"] == "1" and chosen["CallStatus"] == "in-progress"
    assert app.requests("/chosen")[0]["query"] == {"x": "+1", "y": "2"}
    assert app.requests("/last")[0]["method"] == "GET" and app.requests("/last")[0]["query"]["CallSid"] == sid
    [over] = app.forms("/status")
    assert (over["CallStatus"], over["CallbackSource"], over["SequenceNumber"]) == ("completed", "call-progress-events", "1")
    assert int(over["CallDuration"]) >= 1 and "Timestamp" in over


def test_a_rotated_token_signs_whichever_number_it_was_declared_with(sandbox, app):
    newer = "a-newer-token-of-the-account"
    sandbox.tell("twilio/numbers", number="+33100000001", account_sid=ACCOUNT, auth_token=TOKEN, voice_url=app.url + "/voice")
    sandbox.tell("twilio/numbers", number=OURS, account_sid=ACCOUNT, auth_token=newer, voice_url=app.url + "/voice")
    app.twiml("/voice", "<Hangup/>")
    call(sandbox)
    [asked] = app.requests("/voice")
    question = {"signature": asked["signature"], "url": asked["url"], "form": asked["form"]}
    assert genuine([{**question, "token": newer}, {**question, "token": TOKEN}]) == [True, False]
    for token, status in ((newer, 200), (TOKEN, 200), ("another", 401)):  # both are taken, as while Twilio's rotate
        assert rest(sandbox, "Messages.json", method="GET", auth=(ACCOUNT, token)).status_code == status


@pytest.mark.parametrize("answer, code", [
    ({"body": "<Response/>", "status": 500}, 11200),
    ({"body": "<Response/>", "status": 404}, 11200),
    ({"body": "", "status": 204}, 12100),
    ({"body": "\n<?xml version='1.0'?><Response/>"}, 12100),
    ({"body": "\ufeff<Response/>"}, 12100),
    ({"body": "<Response><Say>a & b</Say></Response>"}, 12100),
    ({"body": "<response/>"}, 12100),
    ({"body": "<!DOCTYPE x [<!ENTITY e 'x'>]><Response>&e;</Response>"}, 12100),
    ({"body": "<Response>" + "<Gather>" * 40 + "</Gather>" * 40 + "</Response>"}, 12100),
    ({"body": "<Response/>", "type": "application/json"}, 12300),
    ({"body": "<Response/>", "type": ""}, 12300),
    ({"body": "<Response><Say>" + "x" * 66000 + "</Say></Response>"}, 11750),
    ({"body": "", "status": 302, "Location": "/voice"}, 11215),
], ids=lambda value: str(value)[:40])
def test_a_bad_answer_is_its_alert_and_the_call_fails(sandbox, app, answer, code):
    app.answer("/voice", **answer)
    sid = call(sandbox, {"wait_ms": 3000})
    assert codes(sandbox, sid) == [code]
    assert look(sandbox, sid)["state"] == "failed"
    [alert] = sandbox.ask("twilio/alerts", sid=sid)
    assert alert["level"] == "error" and "/voice" in alert["url"] + alert["text"] and TOKEN not in str(alert)


def test_an_application_that_is_slow_or_gone_is_11205_and_its_fallback_is_asked(sandbox, app):
    over = threading.Event()
    app.twiml("/voice", "", wait=over)
    app.twiml("/fallback", "<Say>Leave a message</Say>")
    sandbox.tell("twilio/switches", webhook_timeout_ms=200)
    sandbox.tell("twilio/numbers", number=OURS, account_sid=ACCOUNT, auth_token=TOKEN, voice_url=app.url + "/voice",
                 voice_fallback_url=app.url + "/fallback")
    sid = call(sandbox, {"wait_ms": 20000})
    over.set()
    assert codes(sandbox, sid) == [11205] and look(sandbox, sid)["state"] == "completed"
    assert events(sandbox, sid, "say") == ["Leave a message"]
    assert app.forms("/fallback")[0]["ErrorCode"] == "11205" and app.forms("/fallback")[0]["CallSid"] == sid
    sandbox.tell("twilio/numbers", number=OURS, account_sid=ACCOUNT, auth_token=TOKEN, voice_url="http://127.0.0.1:1/voice")
    assert codes(sandbox, call(sandbox)) == [11205]


def test_what_the_schema_does_not_know_is_warned_of_and_left_out(sandbox, app):
    app.twiml("/voice", '<Shout>no</Shout><Say Voice="alice" loop="many">yes</Say><Parameter name="a"/>'
                        '<Gather numdigits="1"><Record/></Gather><Hangup>now</Hangup>')
    sid = call(sandbox, {"wait_ms": 20000})
    assert codes(sandbox, sid) == [12200] * 7 and look(sandbox, sid)["state"] == "completed"
    said = " ".join(alert["text"] for alert in sandbox.ask("twilio/alerts", sid=sid))
    assert all(word in said for word in ("'Shout'", "'Voice'", "'many'", "'Parameter'", "'numdigits'", "'Record'"))
    assert events(sandbox, sid, "skipped") == ["Shout", "Parameter"] and events(sandbox, sid, "say") == ["yes"]


def test_status_callbacks_must_be_taken_and_may_come_twice(sandbox, app):
    app.twiml("/voice", "<Hangup/>")
    app.answer("/status", "no", status=500, type="text/plain")
    sandbox.tell("twilio/switches", twice=True, delay_ms=20)
    sid = call(sandbox)
    wait_until(lambda: codes(sandbox, sid) == [15003, 15003], 5)
    assert [form["CallStatus"] for form in app.forms("/status")] == ["completed"] * 2
    assert {alert["level"] for alert in sandbox.ask("twilio/alerts")} == {"warning"}


# -- verbs ----------------------------------------------------------------------------------------------------------------

def test_gather_waits_for_keys_and_falls_through(sandbox, app):
    app.twiml("/voice", '<Gather numDigits="4" finishOnKey="#" timeout="2" action="/done"><Say>Code</Say></Gather>'
                        "<Say>Nothing</Say><Hangup/>")
    app.twiml("/done", "<Hangup/>")
    first = call(sandbox, {"until": "heard_voice"}, {"dtmf": "12#"})
    second = call(sandbox, {"wait_ms": 20000})
    assert [form["Digits"] for form in app.forms("/done")] == ["12"]
    assert events(sandbox, first, "say") == ["Code"] and events(sandbox, second, "say") == ["Code", "Nothing"]
    app.twiml("/voice", '<Gather input="dtmf speech" action="/done"/>')
    call(sandbox, {"until": "verb", "name": "Gather"}, {"speech": "sales please"})
    assert app.forms("/done")[-1]["SpeechResult"] == "sales please" and "Digits" not in app.forms("/done")[-1]


def test_a_message_is_recorded_and_can_be_fetched_with_basic_auth_alone(sandbox, app):
    app.twiml("/voice", '<Record action="/recorded" timeout="1" recordingStatusCallback="/ready"/><Say>Nobody</Say>')
    app.twiml("/recorded", "<Hangup/>")
    app.answer("/ready", status=204)
    put_file(sandbox, "beep")
    sid = call(sandbox, {"until": "verb", "name": "Record"}, {"wait_ms": 600}, {"say_file": "beep"}, {"wait_ms": 20000})
    [recorded] = app.forms("/recorded")
    [ready] = wait_until(lambda: app.forms("/ready"), 5)
    assert recorded["RecordingUrl"] == ready["RecordingUrl"] and ready["RecordingStatus"] == "completed"
    assert recorded["RecordingDuration"] in ("1", "2") and recorded["CallStatus"] == "in-progress"
    assert requests.get(recorded["RecordingUrl"], timeout=5).status_code == 401
    answer = requests.get(recorded["RecordingUrl"] + ".wav", auth=(ACCOUNT, TOKEN), timeout=5)
    assert answer.headers["Content-Type"] == "audio/x-wav" and BEEP in mulaw_of(answer.content)
    assert codes(sandbox, sid) == []
    sid = call(sandbox, {"until": "verb", "name": "Record"}, {"wait_ms": 600}, {"say_file": "beep"}, {"hangup": True})
    assert app.forms("/recorded")[-1]["Digits"] == "hangup" and app.forms("/recorded")[-1]["CallStatus"] == "completed"
    sid = call(sandbox, {"wait_ms": 20000})
    assert events(sandbox, sid, "say") == ["Nobody"] and len(app.forms("/recorded")) == 2


@pytest.mark.parametrize("answers, status", [("answer", "completed"), ("busy", "busy"), ("no-answer", "no-answer"),
                                             ("failed", "failed")])
def test_a_dialled_person_answers_as_declared(sandbox, app, answers, status):
    app.twiml("/voice", f'<Dial action="/dialled" timeout="3" callerId="{OURS}"><Number statusCallback="/leg" '
                        f'statusCallbackEvent="initiated ringing answered completed">{OPERATOR}</Number></Dial>')
    app.twiml("/dialled", "<Say>Over</Say>")
    app.answer("/leg", status=204)
    put_file(sandbox, "operator")
    sandbox.tell("twilio/people", number=OPERATOR, answers=answers, ring_ms=400, talk_ms=2000, file="operator")
    sid = call(sandbox, {"wait_ms": 20000})
    [over] = app.forms("/dialled")
    assert over["DialCallStatus"] == status and over["DialBridged"] == ("true" if status == "completed" else "false")
    assert events(sandbox, sid, "say") == ["Over"] and codes(sandbox, sid) == []
    legs = wait_until(lambda: len(app.forms("/leg")) >= (4 if status == "completed" else 3) and app.forms("/leg"), 5)
    assert {leg["ParentCallSid"] for leg in legs} == {sid} and {leg["CallSid"] for leg in legs} == {over["DialCallSid"]}
    assert sorted(int(leg["SequenceNumber"]) for leg in legs) == list(range(len(legs)))
    assert (BEEP in mulaw_of(heard(sandbox, sid))) == (status == "completed")


def test_played_audio_is_heard_as_it_is_and_must_be_audio(sandbox, app):
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1), file.setsampwidth(2), file.setframerate(16000)
        file.writeframes((b"\x00\x20" * 16 + b"\x00\xe0" * 16) * 500)  # a second of 500 Hz
    app.answer("/hello.wav", data.getvalue(), type="audio/wav")
    app.answer("/hello.txt", "hello", type="text/html")
    app.twiml("/voice", "<Play>/hello.wav</Play>")
    sid = call(sandbox, {"wait_ms": 20000})
    samples = mulaw_of(heard(sandbox, sid))
    assert codes(sandbox, sid) == [] and 7000 <= sum(one not in (0xFF, 0x7F) for one in samples) <= 8400
    app.twiml("/voice", "<Play>/hello.txt</Play>")
    assert codes(sandbox, call(sandbox)) == [12300]
    app.twiml("/voice", "<Play>/nothing.wav</Play>")
    assert codes(sandbox, call(sandbox)) == [11200]


def test_reject_is_no_answer_and_reasons_differ(sandbox, app):
    app.twiml("/voice", '<Reject reason="busy"/>')
    busy = look(sandbox, call(sandbox, {"wait_ms": 2000}))
    app.twiml("/voice", "<Reject/>")
    rejected = look(sandbox, call(sandbox, {"wait_ms": 2000}))
    assert (busy["state"], rejected["state"]) == ("busy", "failed")
    assert busy["answered_ms"] == rejected["answered_ms"] == 0 and busy["duration"] == 0


# -- REST -----------------------------------------------------------------------------------------------------------------

def rest(sandbox, path, method="POST", auth=(ACCOUNT, TOKEN), account=ACCOUNT, **form):
    return requests.request(method, f"{sandbox.url}/2010-04-01/Accounts/{account}/{path}", auth=auth, timeout=10,
                            data=form if method == "POST" else None, params=form if method == "GET" else None)


def refused(answer):
    body = answer.json()
    assert body["status"] == answer.status_code and body["more_info"].endswith(str(body["code"])), body
    return answer.status_code, body["code"]


@pytest.mark.parametrize("form, code", [
    ({"To": ""}, 21604), ({"From": ""}, 21603), ({"Body": ""}, 21602), ({"Body": "é" * 1601}, 21617),
    ({"To": "0600000001"}, 21211), ({"To": "+0600000001"}, 21211), ({"From": "+33100000001"}, 21606), ({"To": OURS}, 21266),
    ({"To": "whatsapp:" + CALLER}, 21910), ({"From": "whatsapp:+33100000001", "To": "whatsapp:" + CALLER}, 63007),
    ({"StatusCallback": "/status"}, 21609), ({"MediaUrl": "picture.jpg"}, 21620), ({"ContentVariables": "{"}, 21656),
], ids=str)
def test_messages_that_twilio_refuses(sandbox, form, code):
    answer = rest(sandbox, "Messages.json", **{"To": CALLER, "From": OURS, "Body": "hello", **form})
    assert refused(answer) == (400, code)
    assert sandbox.ask("twilio/messages") == []


def test_who_asks_must_be_the_account(sandbox):
    sent = {"To": CALLER, "From": OURS, "Body": "x"}
    assert refused(rest(sandbox, "Messages.json", auth=None, **sent)) == (401, 20003)
    assert refused(rest(sandbox, "Messages.json", auth=(ACCOUNT, "wrong"), **sent)) == (401, 20003)
    assert refused(rest(sandbox, "Messages.json", account="AC" + "2" * 32, **sent)) == (401, 20003)
    assert refused(rest(sandbox, "Nothing.json", **sent)) == (404, 20404)
    assert refused(rest(sandbox, "Messages/SM1.json", method="GET")) == (404, 20404)
    as_json = requests.post(f"{sandbox.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", json=sent, auth=(ACCOUNT, TOKEN), timeout=5)
    assert refused(as_json) == (400, 21604)
    sandbox.tell("faults", service="twilio", status=429, retry_after=3, path="Messages")
    answer = rest(sandbox, "Messages.json", **sent)
    assert refused(answer) == (429, 20429) and answer.headers["Retry-After"] == "3"
    noted = sandbox.ask("requests", service="twilio")
    assert [one["status"] for one in noted] == [401, 401, 401, 404, 404, 400, 429]
    assert TOKEN not in str(noted) and base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode() not in str(noted)


def send(sandbox, app, **form):
    answer = rest(sandbox, "Messages.json", **{"To": CALLER, "From": OURS, "Body": "hello",
                                               "StatusCallback": app.url + "/sent", **form})
    assert answer.status_code == 201, answer.text
    return answer.json()


def states(app, sid):
    return [form["MessageStatus"] for form in app.forms("/sent") if form["MessageSid"] == sid]


def test_a_text_goes_out_and_its_states_are_told_in_any_order_and_twice(sandbox, app):
    app.answer("/sent", status=204)
    made = send(sandbox, app)
    assert made["status"] == "queued" and made["direction"] == "outbound-api" and made["num_segments"] == "1"
    assert made["sid"].startswith("SM") and made["price"] is None and made["uri"].endswith(made["sid"] + ".json")
    wait_until(lambda: states(app, made["sid"]) == ["sent", "delivered"], 5)
    sandbox.tell("twilio/switches", order="reversed", twice=True, delay_ms=60)
    other = send(sandbox, app, To="whatsapp:" + CALLER, From="whatsapp:" + OURS, ContentSid="HX1", ContentVariables='{"1":"x"}')
    wait_until(lambda: len(states(app, other["sid"])) == 6, 8)
    assert states(app, other["sid"])[0] == "read" and sorted(states(app, other["sid"])) == sorted(["sent", "delivered", "read"] * 2)
    questions = [{"token": TOKEN, "signature": one["signature"], "url": one["url"], "form": one["form"]} for one in app.requests("/sent")]
    assert all(genuine(questions))
    assert rest(sandbox, f"Messages/{other['sid']}.json", method="GET").json()["status"] == "read"
    listed = rest(sandbox, "Messages.json", method="GET", To=CALLER).json()["messages"]
    assert [one["sid"] for one in listed] == [made["sid"]]
    sandbox.tell("twilio/people", number=CALLER, texts="undelivered", error_code=30005)
    third = send(sandbox, app)
    wait_until(lambda: len(states(app, third["sid"])) == 4, 8)
    assert [form["ErrorCode"] for form in app.forms("/sent") if form["MessageStatus"] == "undelivered"] == ["30005"] * 2


def test_stop_is_twilios_own_and_blocks_what_follows(sandbox, app):
    app.twiml("/sms", "<Message>Bonjour</Message>")
    text = {"from": CALLER, "to": OURS}
    assert sandbox.tell("twilio/messages", body="Stop it", **text)["replies"] == ["Bonjour"]
    stopped = sandbox.tell("twilio/messages", body=" stop", **text)
    assert stopped["replies"] == [] and codes(sandbox, stopped["message_sid"]) == [21610]
    assert refused(rest(sandbox, "Messages.json", To=CALLER, From=OURS, Body="x")) == (400, 21610)
    said = [one["body"] for one in sandbox.ask("twilio/messages", number=CALLER) if one["direction"] == "outbound-reply"]
    assert said[0] == "Bonjour" and "unsubscribed" in said[1] and len(said) == 2
    assert sandbox.tell("twilio/messages", body="START", **text)["replies"] == ["Bonjour"]
    assert rest(sandbox, "Messages.json", To=CALLER, From=OURS, Body="x").status_code == 201
    assert [form["Body"] for form in app.forms("/sms")] == ["Stop it", " stop", "START"]


def test_whatsapp_outside_of_its_day_fails_afterwards_with_63016(sandbox, app):
    app.answer("/sent", status=204)
    chat = {"from": "whatsapp:" + CALLER, "to": "whatsapp:" + OURS}
    outside = send(sandbox, app, To=chat["from"], From=chat["to"])
    sandbox.tell("twilio/messages", body="old", silent=True, age_ms=25 * 3600000, **chat)
    later = send(sandbox, app, To=chat["from"], From=chat["to"])
    for sid in (outside["sid"], later["sid"]):
        wait_until(lambda: states(app, sid) == ["failed"], 5)
    assert {form["ErrorCode"] for form in app.forms("/sent")} == {"63016"}
    app.answer("/whatsapp", status=204, type="")
    assert sandbox.tell("twilio/messages", body="hello", profile_name="Ann", **chat)["code"] == 0
    inside = send(sandbox, app, To=chat["from"], From=chat["to"])
    wait_until(lambda: states(app, inside["sid"]) == ["sent", "delivered", "read"], 5)
    [form] = app.forms("/whatsapp")
    assert (form["WaId"], form["ProfileName"], form["From"]) == (CALLER[1:], "Ann", chat["from"])


def test_texts_are_answered_by_twiml_words_or_nothing(sandbox, app):
    text = {"from": CALLER, "to": OURS, "body": "hi", "media": ["https://example.com/1.jpg"]}
    app.twiml("/sms", '<Message><Body>one</Body><Media>https://example.com/2.jpg</Media></Message><Message>two &amp; three</Message>')
    assert sandbox.tell("twilio/messages", **text)["replies"] == ["one", "two & three"]
    app.answer("/sms", "plain words", type="text/plain")
    assert sandbox.tell("twilio/messages", **text)["replies"] == ["plain words"]
    app.answer("/sms", status=204, type="")
    assert sandbox.tell("twilio/messages", **text) | {"message_sid": ""} == {"message_sid": "", "status": 204, "code": 0, "replies": []}
    app.twiml("/sms", "<Say>no</Say>")
    wrong = sandbox.tell("twilio/messages", **text)
    assert wrong["replies"] == [] and codes(sandbox, wrong["message_sid"]) == [12200]
    form = app.forms("/sms")[0]
    assert form["NumMedia"] == "1" and form["MediaUrl0"] == "https://example.com/1.jpg" and "CallSid" not in form
    sent = [one for one in sandbox.ask("twilio/messages") if one["body"] == "one"]
    assert sent[0]["media"] == ["https://example.com/2.jpg"]


def test_a_call_is_changed_and_ended_by_rest(sandbox, app):
    app.twiml("/voice", '<Pause length="60"/>')
    sid = sandbox.tell("twilio/calls", to=OURS, **{"from": CALLER})["call_sid"]
    wait_until(lambda: look(sandbox, sid)["verb"] == "Pause", 5)
    answer = rest(sandbox, f"Calls/{sid}.json", Twiml='<Response><Record action="/relative"/></Response>')
    assert answer.status_code == 200 and answer.json()["status"] == "in-progress"
    wait_until(lambda: look(sandbox, sid)["verb"] == "Record", 5)
    put_file(sandbox, "beep")
    sandbox.tell(f"twilio/calls/{sid}/script", script=[{"wait_ms": 500}, {"say_file": "beep"}, {"dtmf": "#"}])
    wait_until(lambda: look(sandbox, sid)["settled"], 10)
    assert codes(sandbox, sid) == [11100]  # P14: relative in TwiML that came by REST
    assert refused(rest(sandbox, f"Calls/{sid}.json", Status="completed")) == (400, 21220)
    assert rest(sandbox, f"Calls/{sid}.json", method="GET").json()["status"] == "completed"
    assert refused(rest(sandbox, "Calls/CA1.json", Status="completed")) == (404, 20404)


def test_a_call_of_ours_rings_and_is_told_in_any_order(sandbox, app):
    app.twiml("/hello", "<Say>Good morning</Say>")
    app.answer("/calls", status=204)
    sandbox.tell("twilio/switches", order="reversed", delay_ms=100)
    made = rest(sandbox, "Calls.json", To=OPERATOR, From=OURS, Url=app.url + "/hello", StatusCallback=app.url + "/calls",
                StatusCallbackEvent=["initiated", "ringing", "answered", "completed"])
    assert made.status_code == 201 and made.json()["direction"] == "outbound-api", made.text
    forms = wait_until(lambda: len(app.forms("/calls")) == 4 and app.forms("/calls"), 10)
    assert sorted(form["SequenceNumber"] for form in forms) == ["0", "1", "2", "3"]
    assert [form["SequenceNumber"] for form in forms] != ["0", "1", "2", "3"]
    assert {form["SequenceNumber"]: form["CallStatus"] for form in forms} == {
        "0": "initiated", "1": "ringing", "2": "in-progress", "3": "completed"}
    sandbox.tell("twilio/people", number=OPERATOR, answers="busy", ring_ms=100)
    busy = rest(sandbox, "Calls.json", To=OPERATOR, From=OURS, Url=app.url + "/hello").json()["sid"]
    wait_until(lambda: look(sandbox, busy)["state"] == "busy", 5)
    assert refused(rest(sandbox, "Calls.json", To=OPERATOR, From=CALLER, Url=app.url + "/hello")) == (400, 21210)


def test_scripts_and_declarations_with_mistakes_are_refused_with_words(sandbox):
    def words(what, **body):
        answer = requests.post(f"{sandbox.url}/_sandbox/twilio/{what}", json=body, timeout=5)
        assert answer.status_code in (404, 422), answer.text
        return answer.json()["detail"]
    way = {"to": OURS, "from": CALLER}
    assert "until" in words("calls", **way, script=[{"until": "midnight"}])
    assert "no file" in words("calls", **way, script=[{"wait_ms": 1}, {"say_file": "nothing"}])
    assert "dtmf" in words("calls", **way, script=[{"dtmf": "12x"}])
    assert "voice_url" in words("calls", to="+33199999999", **{"from": CALLER})
    assert "E.164" in words("numbers", number="0100", account_sid=ACCOUNT, auth_token=TOKEN)
    assert "answers" in words("people", number=CALLER, answers="perhaps")
    assert sandbox.ask("twilio/calls") == [] and TOKEN not in str(sandbox.ask("twilio/numbers"))
