"""Texts and chats: stored before they are answered, one person whatever a provider calls him, STOP respected by every
sender, statuses that only go forward (P19, P20, P21)."""
import hashlib
import json
import os
import re
import secrets
import subprocess

import pytest
import requests

from fake_texts import FakeBridge, FakeTwilioTexts, Poster, sid
from process import ROOT
from stack import INTERNAL_SECRET
from waiting import wait_until

ACCOUNT, TOKEN = "AC" + "5" * 32, "token-of-0367-at-twilio-5a5a5a5a"
NUMBER, CHAT_NUMBER, OWN_NUMBER = "+33100000001", "+33100000002", "+33100000003"
BRIDGE_SECRET = "what-the-bridge-shows-in-this-story"
BRIDGE_NUMBER = "+972500000999"
STATUS_PATH = "/webhook/message_status"


def config(**more):
    return json.dumps({"twilio": {"enabled": True, "account_sid": ACCOUNT, "auth_tokens": [TOKEN],
                                  "messages_per_second": 200},
                       "whatsapp": {"enabled": True, "baileys": True, "baileys_number": BRIDGE_NUMBER,
                                    "priority": "twilio,baileys"}, **more})


class World:
    """hooks with an enterprise, its numbers and its key; Twilio and the bridge at the other end."""

    def __init__(self, stack, twilio, bridge):
        self.stack, self.twilio, self.bridge = stack, twilio, bridge
        stack.secrets.add("Twilio's token of 0367", TOKEN)
        stack.secrets.add("the bridge's secret", BRIDGE_SECRET)
        stack.enterprise("0367", integrations_config=config(), country="FR")
        stack.enterprise("0500", country="FR")
        for number, chat, own in ((NUMBER, False, False), (CHAT_NUMBER, True, False), (OWN_NUMBER, False, True)):
            stack.sql("INSERT INTO hook_numbers (number, enterprise_number, whatsapp, own_confirmation) "
                      "VALUES (%s, '0367', %s, %s)", [number, chat, own])
        self.key = self.make_key("0367")
        self.other_key = self.make_key("0500")
        self.sms = Poster(stack.url("hooks"), ACCOUNT, TOKEN, NUMBER)
        self.chat = Poster(stack.url("hooks"), ACCOUNT, TOKEN, CHAT_NUMBER)
        self.own = Poster(stack.url("hooks"), ACCOUNT, TOKEN, OWN_NUMBER)
        self.peers = iter(f"+336{number:08d}" for number in range(10_000_000, 11_000_000))

    def make_key(self, enterprise):
        key = "cw_" + secrets.token_hex(24)
        self.stack.secrets.add(f"an API key of {enterprise}", key)
        self.stack.sql("INSERT INTO api_keys (enterprise_number, name, digest) VALUES (%s, 'story', %s)",
                       [enterprise, hashlib.sha256(key.encode()).digest()])
        return key

    def wait_known(self):
        """Until hooks has read the tables: its own look at them takes up to a second."""
        wait_until(lambda: self.sms.text(next(self.peers), "are you there").status_code == 200, 10, "0367 is known")
        return self

    def peer(self):
        return next(self.peers)

    # -- the API ------------------------------------------------------------------------------

    def call(self, method, path, key=None, **options):
        headers = {"Authorization": f"Bearer {key or self.key}", **options.pop("headers", {})}
        return requests.request(method, self.stack.url("hooks") + path, headers=headers, timeout=20, **options)

    def get(self, path, **options):
        answer = self.call("GET", path, **options)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def send(self, channel, to, text, headers=None, **more):
        return self.call("POST", f"/api/{channel}/send", headers=headers or {},
                         json={"to": to, "message": text, **more})

    def bring(self, body, secret=BRIDGE_SECRET, **headers):
        """What baileys-bridge posts."""
        headers = {"X-BAILEYS-SECRET": secret, **headers} if secret is not None else headers
        return requests.post(self.stack.url("hooks") + "/webhook/whatsapp/baileys", json=body, headers=headers,
                             timeout=20)

    # -- what is stored -----------------------------------------------------------------------

    def messages(self, peer):
        return self.stack.sql("SELECT m.* FROM messages m JOIN threads t ON t.id = m.thread_id WHERE t.peer = %s "
                              "ORDER BY m.id", [peer])

    def opted_out(self, peer, channel="sms"):
        return [row["by"] for row in self.stack.sql(
            "SELECT by FROM opt_outs WHERE enterprise_number = '0367' AND peer = %s AND channel = %s", [peer, channel])]

    def message(self, message_id):
        return self.stack.sql("SELECT * FROM messages WHERE id = %s", [message_id])[0]

    def hurry(self):
        """As if the time had passed for which messages rest."""
        self.stack.sql("UPDATE messages SET next_at = now() WHERE next_at > now() AND leased_until IS NULL")

    def expire_leases(self):
        """As if the time had passed for which a process that is dead had leased them."""
        self.stack.sql("UPDATE messages SET leased_until = now() WHERE leased_until > now()")

    def waiting(self):
        self.hurry()
        return self.stack.sql("SELECT count(*) FROM messages WHERE next_at IS NOT NULL")[0]["count"]


def make_world(make_stack, twilio, bridge, **options):
    settings = {"CALLWEAVE_HOOKS_TWILIO_URL": twilio.url, "CALLWEAVE_HOOKS_BAILEYS_URL": bridge.url,
                "CALLWEAVE_HOOKS_BAILEYS_SECRET": BRIDGE_SECRET, **options.pop("settings", {})}
    return World(make_stack(services=("hooks",), settings=settings, **options).start_all(), twilio, bridge)


@pytest.fixture(scope="module")
def world(module_stack):
    with FakeTwilioTexts(ACCOUNT, TOKEN) as twilio, FakeBridge(BRIDGE_SECRET) as bridge:
        yield make_world(module_stack, twilio, bridge).wait_known()


@pytest.fixture(autouse=True)
def everybody_works(request):
    yield
    if "world" in request.fixturenames:
        world = request.getfixturevalue("world")
        world.twilio.refuse.clear()
        world.twilio.headers = {}
        world.twilio.mute = 0
        world.twilio.before_answer = None
        world.bridge.connected = True


def said(answer):
    """The text of a TwiML answer; None when it says nothing."""
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/xml"), answer.text
    found = re.search(r"<Message[^>]*>(.*)</Message>", answer.text)
    return found.group(1) if found else None


# -- what comes in ------------------------------------------------------------------------------------


def test_a_text_is_stored_before_it_is_answered_and_once(world):
    """P20: dedupe by the provider's id; the one world hears of it once."""
    peer, message = world.peer(), sid()
    for _ in range(3):
        assert said(world.sms.text(peer, "Bonjour, c'est <moi> & toi", message)) is None
        rows = world.messages(peer)
        assert [row["body"] for row in rows] == ["Bonjour, c'est <moi> & toi"]
    assert rows[0]["provider_id"] == message and rows[0]["status"] == "received" and rows[0]["our_number"] == NUMBER
    events = world.stack.sql("SELECT event_type, raw_data FROM call_events WHERE unique_id = %s", [message])
    assert [event["event_type"] for event in events] == ["text"]
    assert events[0]["raw_data"]["Phone"] == peer and events[0]["raw_data"]["Text"] == "Bonjour, c'est <moi> & toi"


def test_media_and_places_are_kept(world):
    peer = world.peer()
    world.sms.text(peer, "", NumMedia="2", MediaUrl0="https://x.example/a", MediaContentType0="image/png",
                   MediaUrl1="https://x.example/b", MediaContentType1="audio/ogg")
    world.chat.text(peer, "", path="/webhook/whatsapp/twilio", Latitude="48.85", Longitude="2.35")
    rows = world.messages(peer)
    assert [item["url"] for item in rows[0]["media"]] == ["https://x.example/a", "https://x.example/b"]
    assert rows[0]["message_type"] == "media" and "48.85" in rows[1]["body"]


def test_a_forged_text_is_refused_and_not_stored(world):
    peer = world.peer()
    assert world.sms.post("/webhook/sms", {"MessageSid": sid(), "From": peer, "To": NUMBER, "Body": "x"},
                          token="another").status_code == 403
    assert world.messages(peer) == []


@pytest.mark.parametrize("body", ["INFO", " info ", "HORAIRES", "horaires", "Contact", "AIDE", "àide"])
def test_words_of_the_menu_are_answered(world, body):
    answer = said(world.sms.text(world.peer(), body))
    assert answer


def test_only_the_whole_body_is_a_word(world):
    peer = world.peer()
    assert said(world.sms.text(peer, "stop it please")) is None
    assert not world.opted_out(peer)


def test_stop_and_start(world):
    """Twilio confirms by itself: a second confirmation would be blocked; every sender respects it."""
    peer = world.peer()
    assert said(world.sms.text(peer, "Stop")) is None
    assert world.opted_out(peer) == ["keyword"]
    assert said(world.sms.text(peer, "INFO")) is None, "nothing is said to who wrote STOP"
    refused = world.send("sms", peer, "our offer")
    assert refused.status_code == 409 and refused.json()["error_code"] == "21610" and not refused.json()["success"]
    assert world.get("/api/opt-outs")["opt_outs"][0]["phone_number"] == peer
    assert said(world.sms.text(peer, "START")) is None
    assert not world.opted_out(peer) and said(world.sms.text(peer, "INFO"))
    assert world.send("sms", peer, "welcome back").json()["success"]


def test_what_only_we_understand_we_confirm(world):
    peer = world.peer()
    message = sid()
    assert "START" in said(world.sms.text(peer, "Arrêt", message))
    assert "START" in said(world.sms.text(peer, "Arrêt", message)), "the same webhook again is answered as before"
    assert said(world.sms.text(peer, "arret")) is None, "he knows already"
    assert world.opted_out(peer) == ["keyword"]
    other = world.peer()
    assert "START" in said(world.own.text(other, "STOP")), "a number whose confirmations are ours"
    third = world.peer()
    assert said(world.own.text(third, "hm", OptOutType="STOP")) is None
    assert world.opted_out(third) == ["OptOutType"]


def test_whatsapp_is_answered_by_the_outbox(world):
    peer = world.peer()
    assert world.chat.text(peer, "INFO", path="/webhook/whatsapp/twilio", ProfileName="Anne").status_code == 204
    to = "whatsapp:" + peer
    wait_until(lambda: world.twilio.bodies(to), 10, "the answer is sent")
    item = [item for item in world.twilio.accepted if item["To"] == to][0]
    assert item["From"] == "whatsapp:" + CHAT_NUMBER and STATUS_PATH in item["StatusCallback"]
    assert world.stack.sql("SELECT title FROM threads WHERE peer = %s", [peer])[0]["title"] == "Anne"
    assert world.chat.text(peer, "STOP", path="/webhook/whatsapp/twilio").status_code == 204
    wait_until(lambda: len(world.twilio.bodies(to)) == 2, 10, "STOP is confirmed: nobody else would")
    assert world.opted_out(peer, "whatsapp") == ["keyword"] and not world.opted_out(peer)


# -- the bridge -----------------------------------------------------------------------------------------


def test_the_bridge_shows_its_secret(world):
    for secret in (None, "", "wrong", BRIDGE_SECRET[:-1]):
        assert world.bring({"from": "33612345678@s.whatsapp.net", "text": "x"}, secret).status_code == 403


def test_one_person_whatever_the_provider_calls_him(world):
    """Twilio's whatsapp:+33... and a JID are one conversation."""
    peer = world.peer()
    jid = peer.strip("+") + ":12@s.whatsapp.net"
    world.chat.text(peer, "by Twilio", path="/webhook/whatsapp/twilio")
    for _ in range(2):
        assert world.bring({"from": jid, "text": "by the bridge", "provider": "baileys", "message_id": "3EB0" + peer,
                            "timestamp": 1}).status_code == 204
    assert [row["body"] for row in world.messages(peer)] == ["by Twilio", "by the bridge"]
    assert len(world.stack.sql("SELECT id FROM threads WHERE peer = %s", [peer])) == 1


def test_groups_broadcasts_and_nothing_are_passed_over(world):
    before = world.stack.sql("SELECT count(*) FROM messages")[0]["count"]
    for body in ({"from": "1203630@g.us", "text": "x"}, {"from": "status@broadcast", "text": "x"}, {"text": "x"},
                 {"from": "33612345678@s.whatsapp.net", "text": ""}):
        assert world.bring(body).status_code == 204
    assert world.stack.sql("SELECT count(*) FROM messages")[0]["count"] == before
    assert world.bring([1]).status_code == 422


def test_who_hides_his_number_becomes_one_person_when_it_is_known(world):
    lid, peer = "99" + secrets.token_hex(1).translate(str.maketrans("abcdef", "123456")) + "77766655", world.peer()
    assert world.bring({"from": lid + "@lid", "text": "first", "message_id": sid()}).status_code == 204
    assert [row["body"] for row in world.messages("lid:" + lid)] == ["first"]
    world.bring({"from": lid + "@lid", "from_pn": peer.strip("+") + "@s.whatsapp.net", "text": "second",
                 "message_id": sid()})
    assert [row["body"] for row in world.messages(peer)] == ["first", "second"]
    assert world.messages("lid:" + lid) == []


# -- what goes out --------------------------------------------------------------------------------------


def test_sent_says_the_provider_and_its_id(world):
    peer = world.peer()
    answer = world.send("sms", peer.replace("+33", "0"), "hello").json()
    item = [item for item in world.twilio.accepted if item["To"] == peer][0]
    assert answer["success"] and answer["ok"] and answer["error"] is None
    assert answer["provider_msg_id"] == item["sid"] == answer["result"]["sid"]
    assert answer["provider"] == answer["provider_used"] == "twilio" and answer["result"]["status"] == "queued"
    assert item["From"] == NUMBER and item["Body"] == "hello"
    assert world.message(answer["message_id"])["next_at"] is None
    assert world.stack.sql("SELECT raw_data FROM call_events WHERE raw_data->>'Phone' = %s", [peer])[0][
        "raw_data"]["CallType"] == 1


def test_from_the_number_that_he_knows(world):
    peer = world.peer()
    world.own.text(peer, "hi")
    world.send("sms", peer, "hello")
    assert [item["From"] for item in world.twilio.accepted if item["To"] == peer] == [OWN_NUMBER]
    assert world.send("sms", peer, "x", **{"from": "+33999999999"}).json()["error_code"] == "21606"


def test_p19_refused_is_no_success(world):
    peer = world.peer()
    world.twilio.refuse[peer] = (400, 21211)
    answer = world.send("sms", peer, "hello")
    assert answer.status_code == 502 and not answer.json()["success"] and answer.json()["error_code"] == "21211"
    assert answer.json()["result"]["status"] == "error" and "not valid" in answer.json()["error"]
    assert world.message(answer.json()["message_id"])["status"] == "failed"


def test_p19_what_the_outbox_has_goes_out_when_the_provider_is_back(world):
    peer = world.peer()
    world.twilio.stop()
    try:
        answer = world.send("sms", peer, "hello", wait=0).json()
    finally:
        world.twilio.start()
    assert answer["success"] and answer["result"]["status"] == "outbox" and answer["provider_msg_id"] is None
    wait_until(lambda: world.hurry() or world.twilio.bodies(peer), 15, "it is sent")
    assert world.twilio.bodies(peer) == ["hello"]


def test_21610_of_twilio_is_an_opt_out(world):
    peer = world.peer()
    world.twilio.refuse[peer] = (400, 21610)
    assert world.send("sms", peer, "hello").status_code == 502
    assert world.opted_out(peer) == ["21610"]
    assert world.send("sms", peer, "again").status_code == 409


def test_an_answer_that_was_lost_is_looked_for_and_not_sent_again(world):
    """Unknown outcome: Twilio's own list tells."""
    peer = world.peer()
    assert world.send("sms", peer, "twice the same").json()["success"]
    world.twilio.mute = 1
    message = world.send("sms", peer, "twice the same", wait=1).json()["message_id"]
    wait_until(lambda: world.hurry() or world.message(message)["next_at"] is None, 15,
               lambda: str(dict(world.message(message))))
    sids = [item["sid"] for item in world.twilio.accepted if item["To"] == peer]
    assert len(sids) == 2 and world.message(message)["provider_id"] == sids[1]


def test_what_the_list_does_not_have_is_sent_again(world):
    peer = world.peer()
    world.twilio.refuse[peer] = (500, 20500)
    message = world.send("sms", peer, "hello", wait=1).json()["message_id"]
    assert world.message(message)["status"] == "sending" and world.message(message)["doubtful"]
    world.twilio.refuse.clear()
    wait_until(lambda: world.hurry() or world.message(message)["next_at"] is None, 20,
               lambda: str(dict(world.message(message))))
    assert world.twilio.bodies(peer) == ["hello"] and world.twilio.looked >= 3


def test_a_callback_that_is_quicker_than_the_answer_settles_it(world):
    peer = world.peer()
    world.twilio.mute = 1
    world.twilio.before_answer = lambda item: world.sms.status(item["StatusCallback"], item["sid"], "sent", peer)
    message = world.send("sms", peer, "hello").json()["message_id"]
    row = wait_until(lambda: world.message(message) if world.message(message)["status"] == "sent" else None, 10)
    assert row["provider_id"] == world.twilio.accepted[-1]["sid"] and row["next_at"] is None


def test_statuses_only_go_forward(world):
    """Out of order and twice: read > delivered > sent > queued; what failed stays so."""
    peer = world.peer()
    message = world.send("sms", peer, "hello").json()["message_id"]
    item = world.twilio.accepted[-1]

    def tell(status, code=None):
        assert world.sms.status(item["StatusCallback"], item["sid"], status, peer, code).status_code == 204
        return world.message(message)["status"]
    assert [tell(status) for status in ("delivered", "sent", "queued", "delivered", "failed", "read", "delivered")] == [
        "delivered"] * 5 + ["read"] * 2
    assert world.message(message)["delivered_at"] and world.message(message)["read_at"]
    message = world.send("sms", peer, "hello").json()["message_id"]
    item = world.twilio.accepted[-1]
    assert [tell(status, code) for status, code in (("undelivered", "30003"), ("delivered", None))] == [
        "undelivered"] * 2
    assert "cannot be reached" in world.message(message)["error"]


def test_the_status_of_an_answer_in_twiml(world):
    peer, message = world.peer(), sid()
    answer = world.sms.text(peer, "INFO", message)
    url = re.search(r'statusCallback="([^"]*)"', answer.text).group(1)
    assert world.sms.status(url, sid(), "delivered", peer).status_code == 204
    assert [row["status"] for row in world.messages(peer)] == ["received", "delivered"]


def test_whatsapp_outside_of_24_hours_needs_a_template(world):
    """63016 is known before it is sent."""
    peer = world.peer()
    answer = world.send("whatsapp", peer, "hello", provider="twilio")
    assert answer.status_code == 409 and answer.json()["error_code"] == "63016" and "template" in answer.json()["error"]
    assert world.send("whatsapp", peer, "", provider="twilio", content_sid="HX" + "1" * 32,
                      content_variables={"1": "Anne"}).json()["success"]
    item = world.twilio.accepted[-1]
    assert item["To"] == "whatsapp:" + peer and item["ContentSid"] == "HX" + "1" * 32 and "Body" not in item
    assert json.loads(item["ContentVariables"]) == {"1": "Anne"}
    world.chat.text(peer, "hi", path="/webhook/whatsapp/twilio")
    assert world.send("whatsapp", "whatsapp:" + peer, "hello", media_url="https://x.example/a.png").json()["success"]
    assert world.twilio.accepted[-1]["MediaUrl"] == "https://x.example/a.png"


def test_the_phone_takes_what_twilio_may_not_send(world):
    """Provider auto: the enterprise's order; outside of the window, and when the first is away, the other one."""
    peer = world.peer()
    answer = world.send("whatsapp", peer, "by the phone").json()
    assert answer["success"] and answer["provider_used"] == "baileys"
    assert {**world.bridge.sent[-1], "message_id": ""} == {"to": peer, "text": "by the phone", "message_id": ""}
    world.bridge.connected = False
    world.bring({"from": peer.strip("+") + "@s.whatsapp.net", "text": "hi", "message_id": sid()})
    answer = world.send("whatsapp", peer, "not connected", provider="baileys").json()
    assert answer["success"] and answer["result"]["status"] == "outbox" and "not connected" in answer["error"].lower()
    assert not world.get("/api/whatsapp/status")["connected"] or \
        world.get("/api/whatsapp/status")["provider"] == "twilio"
    world.bridge.connected = True
    wait_until(lambda: world.hurry() or world.bridge.sent[-1]["text"] == "not connected", 10, "the phone sends it")


def test_an_idempotency_key_sends_once(world):
    peer = world.peer()
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    answers = [world.send("sms", peer, "once", headers=headers).json() for _ in range(3)]
    assert len({answer["message_id"] for answer in answers}) == 1 and all(answer["success"] for answer in answers)
    assert world.twilio.bodies(peer) == ["once"]
    other = world.send("sms", peer, "something else", headers=headers)
    assert other.status_code == 409 and not other.json()["success"]


@pytest.mark.parametrize("body, words", [
    (None, "No data provided"), ({"message": "x"}, "to and message are required"),
    ({"to": "+33612345678"}, "to and message are required"), ({"to": "nobody", "message": "x"}, "not a telephone"),
    ({"to": "+33612345678", "message": "x" * 1601}, "21617"), ({"to": "+33612345678", "message": "x",
                                                              "provider": "pigeon"}, "provider")])
def test_what_cannot_be_sent_is_said_at_once(world, body, words):
    answer = world.call("POST", "/api/sms/send", **({"json": body} if body is not None else {}))
    assert answer.status_code == 400 and not answer.json()["success"] and words in answer.json()["error"]


def test_nobodys_text_becomes_part_of_our_document(world):
    """What is a text stays one: no member of it decides for which enterprise it is sent."""
    for variables in ('{}},"enterprise":"0500","x":{"y":1', "{", "[]", "nothing"):
        answer = world.send("whatsapp", world.peer(), "", provider="twilio", content_sid="HX1",
                            content_variables=variables)
        assert answer.status_code == 400 and "content_variables" in answer.json()["error"]
    peer, text = world.peer(), '"},"enterprise":"0500","body":"x'
    assert world.send("sms", peer, text).json()["success"] and world.twilio.bodies(peer) == [text]
    assert world.sms.text(peer, text).status_code == 200
    assert {row["enterprise_number"] for row in world.messages(peer)} == {"0367"}
    assert world.stack.sql("SELECT count(*) FROM messages WHERE enterprise_number = '0500'")[0]["count"] == 0


def test_1600_characters_are_not_bytes(world):
    peer = world.peer()
    assert world.send("sms", peer, "ש" * 1600).json()["success"]
    assert world.twilio.bodies(peer) == ["ש" * 1600]


def test_the_order_of_a_conversation_is_kept(world):
    """Also when the first is refused for a while."""
    peer = world.peer()
    world.twilio.refuse[peer] = (429, 20429)
    world.twilio.headers = {"Retry-After": "1"}
    for number in range(5):
        world.send("sms", peer, f"text {number}", wait=0)
    wait_until(lambda: any(item["To"] == peer for item in world.twilio.asked), 10, "the first is tried")
    assert {item["Body"] for item in world.twilio.asked if item["To"] == peer} == {"text 0"}
    world.twilio.refuse.clear()
    wait_until(lambda: world.hurry() or len(world.twilio.bodies(peer)) == 5, 20, lambda: str(world.twilio.bodies(peer)))
    assert world.twilio.bodies(peer) == [f"text {number}" for number in range(5)]


def test_keys_are_of_one_enterprise(world):
    for key in ("wrong", "", world.key[:-1]):
        assert world.call("GET", "/api/threads", key=key or " ").status_code == 401
    assert requests.get(world.stack.url("hooks") + "/api/threads", timeout=5).status_code == 401
    assert requests.get(world.stack.url("hooks") + "/api/threads", timeout=5,
                        headers={"X-Api-Key": world.key}).status_code == 200
    assert world.get("/api/threads", key=world.other_key) == {"threads": [], "count": 0}
    answer = world.send("sms", world.peer(), "x", headers={"Authorization": f"Bearer {world.other_key}"})
    assert answer.status_code == 409 and "not set up" in answer.json()["error"]


def test_what_was_written_can_be_read(world):
    peer = world.peer()
    world.chat.text(peer, "hi", path="/webhook/whatsapp/twilio")
    world.send("whatsapp", peer, "hello", provider="twilio")
    shown = world.get("/api/whatsapp/messages?per_page=2")
    assert [item["body"] for item in shown["messages"]] == ["hello", "hi"] and shown["pagination"]["per_page"] == 2
    assert world.get("/api/whatsapp/list?per_page=2") == shown
    assert world.get("/api/whatsapp/messages?direction=in&per_page=1")["messages"][0]["to_number"] == peer
    assert world.get("/api/whatsapp/conversations")["conversations"][0]["last_message"] == "hello"
    talk = world.get(f"/api/whatsapp/conversation/{peer.replace('+', '%2B')}")
    assert [item["direction"] for item in talk["conversation"]] == ["in", "out"] and talk["phone_number"] == peer
    thread = world.get("/api/threads?type=whatsapp&limit=1")["threads"][0]
    assert thread["peer_number"] == peer
    kept = world.get(f"/api/threads/{thread['id']}/messages")
    assert [item["content_text"] for item in kept["messages"]] == ["hi", "hello"] and kept["count"] == 2
    assert world.call("GET", f"/api/threads/{thread['id']}/messages", key=world.other_key).status_code == 404


def test_an_operator_can_note_a_stop(world):
    peer = world.peer()
    for stopped in (True, False):
        answer = world.call("POST", "/api/opt-outs", json={"phone": peer, "channel": "sms", "opted_out": stopped})
        assert answer.status_code == 200 and bool(world.opted_out(peer)) == stopped


def test_our_own_processes_send_by_the_internal_secret(world):
    peer = world.peer()
    body = {"enterprise": "0367", "to": peer, "text": "the address is 1 rue X"}
    url = world.stack.url("hooks") + "/internal/text"
    assert requests.post(url, json=body, timeout=10).status_code == 401
    assert requests.post(url, json=body, timeout=10, headers={"X-Callweave-Secret": "wrong"}).status_code == 401
    answer = requests.post(url, json=body, timeout=10, headers={"X-Callweave-Secret": INTERNAL_SECRET})
    assert answer.json()["success"] and world.twilio.bodies(peer) == ["the address is 1 rue X"]


def test_a_day_is_the_end(world):
    """Given up with words that a person can see."""
    peer = world.peer()
    world.twilio.refuse[peer] = (503, 0)
    message = world.send("sms", peer, "hello", wait=1).json()["message_id"]
    world.stack.sql("UPDATE messages SET created_at = created_at - interval '25 hours', next_at = now() WHERE id = %s",
                    [message])
    row = wait_until(lambda: world.message(message) if world.message(message)["status"] == "failed" else None, 10)
    assert row["error"].startswith("given up after 24 hours: ") and row["next_at"] is None


def test_the_phone_is_told_the_same_id_again(world):
    """An answer that was lost: the same id is the same message to WhatsApp."""
    peer = world.peer()
    world.bridge.mute = 1
    message = world.send("whatsapp", peer, "hello", provider="baileys", wait=1).json()["message_id"]
    wait_until(lambda: world.hurry() or world.message(message)["status"] == "sent", 10,
               lambda: str(dict(world.message(message))))
    ids = [item["message_id"] for item in world.bridge.sent if item["to"] == peer]
    assert len(ids) == 2 and len(set(ids)) == 1 and re.fullmatch("[0-9A-Z]{8,64}", ids[0])


def script(world, *words):
    done = subprocess.run([ROOT / "scripts" / words[0], *map(str, words[1:])], text=True, capture_output=True, timeout=20,
                          env={"PATH": os.environ["PATH"], "DATABASE_URL": world.stack.database_url})
    return done.returncode, done.stdout + done.stderr


def test_keys_are_made_and_taken_back_by_a_script(world):
    code, said_ = script(world, "api-key", "add", "0367", "shop")
    key = said_.split()[-1]
    world.stack.secrets.add("a key of scripts/api-key", key)
    assert code == 0 and world.call("GET", "/api/threads", key=key).status_code == 200
    number = re.search(r"key (\d+) of 0367", said_).group(1)
    listed = script(world, "api-key", "list", "0367")[1]
    assert "shop" in listed and key not in listed
    assert script(world, "api-key", "remove", number)[0] == 0
    assert world.call("GET", "/api/threads", key=key).status_code == 401
    assert script(world, "api-key", "remove", number)[0] != 0 and script(world, "api-key", "add", "none", "x")[0] != 0


def test_what_failed_is_seen_and_sent_again_by_a_script(world):
    peer = world.peer()
    world.twilio.refuse[peer] = (400, 21211)
    message = world.send("sms", peer, "hello").json()["message_id"]
    code, listed = script(world, "texts", "failed", "0367")
    assert code == 0 and re.search(rf"^{message}  0367  sms .*21211", listed, re.M)
    world.twilio.refuse.clear()
    assert script(world, "texts", "retry", message)[0] == 0
    wait_until(lambda: world.twilio.bodies(peer) == ["hello"], 10, "it is sent")
    assert script(world, "texts", "retry", message)[0] != 0, "only what failed"


def test_p30_logs_say_nothing_of_people(world):
    """P30: what was written is in messages and in hook_requests, which have an age, and not in the log; nor is who wrote."""
    peer = world.peer()
    world.sms.text(peer, "a private word")
    world.send("sms", peer, "another private word")
    world.twilio.refuse[peer] = (400, 21211)
    world.send("sms", peer, "a third private word")
    world.bring({"from": "33612345699@s.whatsapp.net", "text": "a fourth private word"})
    log = world.stack.services["hooks"].text()
    for words in ("private word", peer, peer[1:], "33612345699"):
        assert words not in log, words
    kept = wait_until(lambda: [row["request"] for row in world.stack.sql(
        "SELECT request FROM hook_requests WHERE request LIKE '%%fourth private word%%'")], 5, "the requests are kept")
    assert not any("33612345699" in request for request in kept)


# -- what breaks ------------------------------------------------------------------------------------------


def test_p20_without_postgresql_nothing_that_was_answered_is_lost(make_stack):
    """The journal has it before the answer, and is replayed in order, also by the next process; without a secret the
    bridge is refused."""
    with FakeTwilioTexts(ACCOUNT, TOKEN) as twilio, FakeBridge(BRIDGE_SECRET) as bridge:
        world = make_world(make_stack, twilio, bridge, own_postgres=True,
                           settings={"CALLWEAVE_HOOKS_BAILEYS_SECRET": ""}).wait_known()
        for secret in ("", None, BRIDGE_SECRET):
            assert world.bring({"from": "33612345678@s.whatsapp.net", "text": "x"}, secret).status_code == 403
        peer = world.peer()
        message = world.send("sms", peer, "hello").json()["message_id"]
        item = twilio.accepted[-1]
        world.stack.stop_pg()
        ids = [sid() for _ in range(6)]
        bodies = ["one", "two", "STOP", "three", "START", "INFO"]
        for provider_id, body in zip(ids, bodies):
            assert said(world.sms.text(peer, body, provider_id)) is None
        assert said(world.sms.text(peer, "one", ids[0])) is None, "the same again"
        assert world.sms.status(item["StatusCallback"], item["sid"], "delivered", peer).status_code == 204
        assert world.send("sms", peer, "x").status_code == 503
        assert world.stack.services["hooks"].metric("callweave_hooks_journal_records") == 8
        world.stack.kill9("hooks")
        world.stack.start_pg()
        world.stack.start("hooks")
        wait_until(lambda: world.message(message)["status"] == "delivered", 20, "the journal is replayed")
        rows = [row for row in world.messages(peer) if row["direction"] == "in"]
        assert [(row["provider_id"], row["body"]) for row in rows] == list(zip(ids, bodies))
        assert not world.opted_out(peer), "STOP came before START"
        wait_until(lambda: len(twilio.bodies(peer)) == 2, 10, "INFO is answered by the outbox")
        assert world.stack.services["hooks"].metric("callweave_hooks_journal_records") == 0


def test_p21_a_database_that_is_too_old_is_not_written_to(make_stack):
    """One schema, asked for at the start: until it is new enough no row is written, what is acknowledged is in the journal, and the
    log says what to do."""
    with FakeTwilioTexts(ACCOUNT, TOKEN) as twilio, FakeBridge(BRIDGE_SECRET) as bridge:
        world = make_world(make_stack, twilio, bridge).wait_known()
        hooks, peer = world.stack.services["hooks"], world.peer()
        hooks.stop()
        row = world.stack.sql("DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM "
                              "schema_migrations) RETURNING version, name, checksum")[0]
        world.stack.start("hooks", wait=False)
        wait_until(lambda: "run scripts/migrate" in hooks.text(), 10, "it says what is to be done")
        assert not hooks.ready() and world.send("sms", peer, "x").status_code >= 500
        # Refused, or acknowledged by the journal: that depends on whether the enterprise is known yet.
        told = world.sms.text(peer, "kept by whom?").status_code
        assert told in (200, 503) and world.messages(peer) == []
        world.stack.sql("INSERT INTO schema_migrations (version, name, checksum) VALUES (%s, %s, %s)", list(row.values()))
        hooks.wait_ready()
        assert world.sms.text(peer, "kept").status_code == 200
        kept = ["kept by whom?", "kept"] if told == 200 else ["kept"]
        wait_until(lambda: [row["body"] for row in world.messages(peer)] == kept, 20, "what is acknowledged is stored")


def test_killed_with_a_full_outbox(make_stack):
    """200 texts, hooks killed again and again: none is lost, and none is sent twice, since the provider is asked."""
    with FakeTwilioTexts(ACCOUNT, TOKEN) as twilio, FakeBridge(BRIDGE_SECRET) as bridge:
        world = make_world(make_stack, twilio, bridge).wait_known()
        twilio.stop()
        peers = [world.peer() for _ in range(40)]
        told = {}
        for number in range(200):
            answer = world.send("sms", peers[number % 40], f"text {number:03}", wait=0).json()
            assert answer["success"] and answer["result"]["status"] == "outbox"
            told[answer["message_id"]] = f"text {number:03}"
        twilio.start()
        for least in (1, 20, 50, 90, 140):
            world.hurry()
            wait_until(lambda: world.hurry() or len(twilio.accepted) >= least, 20, f"{least} are sent")
            world.stack.kill9("hooks")
            world.expire_leases()
            world.stack.start("hooks")
        wait_until(lambda: world.waiting() == 0, 60, lambda: f"{world.waiting()} wait")
        assert sorted(twilio.bodies()) == sorted(told.values())
        rows = world.stack.sql("SELECT id, body, provider_id, error FROM messages WHERE direction = 'out'")
        known = {item["sid"]: item["Body"] for item in twilio.accepted}
        assert {row["id"]: known[row["provider_id"]] for row in rows} == told
        for peer in peers:
            assert twilio.bodies(peer) == sorted(twilio.bodies(peer)), "the order of a conversation"
