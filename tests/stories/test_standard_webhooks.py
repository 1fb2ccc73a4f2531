"""A customer's own CRM is told of calls by Standard Webhooks 1.0: the receivers' own libraries are the judges."""
import base64
import itertools
import json
import secrets
import sys
import time
from pathlib import Path

import pytest
import requests

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support" / "webhooks"))

from oracle import Receiver, verify  # noqa: E402
from stack import INTERNAL_SECRET  # noqa: E402
from waiting import wait_until  # noqa: E402

DELIVERIES = itertools.count(1)  # 8020 never gives two deliveries one number
GOOD = {"standardwebhooks": "", "svix": ""}
CALL = {"key": "1763740800.1", "call_id": 7, "outgoing": False, "phone": "+375291112233", "rang": ["150", "151"],
        "talkers": ["151"], "extension": "151", "customer_name": "Анна «Ромашка»", "result": "talked",
        "started_at": 1763740800000, "answered_at": 1763740812000, "ended_at": 1763740907000,
        "wait_seconds": 12, "talk_seconds": 95}


def new_secret():
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


class Office:
    """An enterprise with a webhook, its adapter, and the receiver."""

    def __init__(self, make_stack, crm, **config):
        self.secret = new_secret()
        self.stack = make_stack(services=("webhook",))
        self.stack.start_all()
        self.config = {"enabled": True, "url": crm.url + "/hook/june?from=pbx", "secret": self.secret, **config}
        self.stack.enterprise(integrations_config=json.dumps({"webhook": self.config}))
        wait_until(self._knows, 10, "the adapter knows the enterprise")
        crm.came.clear()

    def _knows(self):
        answer = self._post(kind="hangup", call={**CALL, "key": "is it known?"})
        return answer.status_code == 200 and answer.json()["outcome"] == "done"

    def _post(self, **body):
        return requests.post(self.stack.url("webhook") + "/internal/deliver", timeout=20,
                             headers={"X-Callweave-Secret": INTERNAL_SECRET},
                             json={"delivery": next(DELIVERIES), "enterprise": "0367", "turn": 0, "late": False, "attempt": 1,
                                   "memory": {}, "trace": "t-1", "call": CALL, **body})

    def tell(self, **body):
        answer = self._post(**body)
        assert answer.status_code == 200, answer.text
        assert self.secret not in answer.text
        return answer.json()


@pytest.fixture
def crm():
    with Receiver() as receiver:
        yield receiver


def question(request, secret):
    return {"secret": secret, "headers": request["headers"], "body": request["body"]}


def test_both_libraries_take_what_is_told_of_each_kind(make_stack, crm):
    office = Office(make_stack, crm)
    for kind in ("ringing", "answered", "hangup", "recording", "recovered"):
        told = office.tell(kind=kind)
        assert (told["outcome"], told["http_status"]) == ("done", 200)
    assert verify([question(request, office.secret) for request in crm.came]) == [GOOD] * 5
    assert [request["headers"]["webhook-id"] for request in crm.came] == [
        "0367-1763740800_1-ringing", "0367-1763740800_1-answered", "0367-1763740800_1-hangup",
        "0367-1763740800_1-recording", "0367-1763740800_1-recovered"]
    assert {request["path"] for request in crm.came} == {"/hook/june?from=pbx"}
    assert {request["headers"]["content-type"] for request in crm.came} == {"application/json"}
    hangup = json.loads(crm.came[2]["body"])
    assert (hangup["type"], hangup["timestamp"]) == ("call.hangup", "2025-11-21T16:01:47.000Z")
    assert hangup["data"] == CALL
    assert abs(int(crm.came[2]["headers"]["webhook-timestamp"]) - time.time()) < 60


def test_what_was_changed_on_its_way_is_refused(make_stack, crm):
    """The same judges refuse: else their praise would mean nothing."""
    office = Office(make_stack, crm)
    office.tell(kind="hangup")
    request, = crm.came
    changed = [
        {**request, "body": request["body"].replace("talked", "missed")},
        {**request, "headers": {**request["headers"], "webhook-id": "0367-1763740800_2-hangup"}},
        {**request, "headers": {**request["headers"], "webhook-timestamp": str(int(time.time()) - 1)}},
    ]
    answers = verify([question(each, office.secret) for each in changed] + [question(request, new_secret())])
    for answer in answers:
        assert all(answer.values()), answer


def test_while_a_secret_is_replaced_receivers_with_either_are_content(make_stack, crm):
    old = new_secret()
    office = Office(make_stack, crm, previous_secret=old)
    office.tell(kind="hangup")
    request, = crm.came
    assert len(request["headers"]["webhook-signature"].split(" ")) == 2
    assert verify([question(request, office.secret), question(request, old)]) == [GOOD, GOOD]


def test_an_attempt_after_a_failure_has_the_same_id_and_a_time_of_its_own(make_stack, crm):
    office = Office(make_stack, crm)
    crm.answer(500)
    assert office.tell(kind="ringing", turn=2)["outcome"] == "again"
    first = int(crm.came[0]["headers"]["webhook-timestamp"])
    wait_until(lambda: int(time.time()) > first, 5, "another second")
    crm.answer(204)
    assert office.tell(kind="ringing", turn=2, attempt=2)["outcome"] == "done"
    assert [request["headers"]["webhook-id"] for request in crm.came] == ["0367-1763740800_1-ringing-2"] * 2
    assert int(crm.came[1]["headers"]["webhook-timestamp"]) > first
    assert crm.came[0]["body"] == crm.came[1]["body"]
    assert verify([question(request, office.secret) for request in crm.came]) == [GOOD] * 2


def answered(office, crm, status, **headers):
    """What one attempt came to; that it was one, and says why."""
    crm.came.clear()
    crm.answer(status, b"<p>words</p>", **headers)
    told = office.tell(kind="hangup")
    assert told["http_status"] == status
    assert len(crm.came) == 1, "a redirect was followed, or something was sent twice"
    assert told["outcome"] == "done" or str(status) in told["reason"]
    return told


def test_what_a_receiver_answers_is_understood(make_stack, crm):
    office = Office(make_stack, crm)
    outcomes = {status: answered(office, crm, status)["outcome"] for status in (202, 400, 404, 500, 503, 401, 410)}
    assert outcomes == {202: "done", 400: "again", 404: "again", 500: "again", 503: "again", 401: "locked", 410: "gone"}
    assert answered(office, crm, 302, Location="/elsewhere")["outcome"] == "refused"


@pytest.mark.parametrize("status, headers, wait_ms", [(429, {"Retry-After": "17"}, 17000), (502, {}, None), (504, {}, None)])
def test_a_receiver_that_is_over_its_limits_is_given_time(make_stack, crm, status, headers, wait_ms):
    office = Office(make_stack, crm)
    told = answered(office, crm, status, **headers)
    assert told["outcome"] == "slower"
    if wait_ms is not None:
        assert told["wait_ms"] == wait_ms


def test_a_receiver_gets_only_the_kinds_that_it_wants(make_stack, crm):
    office = Office(make_stack, crm, kinds=["hangup"])
    told = office.tell(kind="ringing")
    assert (told["outcome"], told["reason"]) == ("skipped", "the receiver does not want this kind")
    assert office.tell(kind="hangup")["outcome"] == "done"
    assert [json.loads(request["body"])["type"] for request in crm.came] == ["call.hangup"]
