"""Payments: checks in their order, PayPal and Tranzila as the sandbox plays them, nothing believed unasked."""
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from waiting import wait_until

KEY, OTHER_KEY = "key-of-the-enterprise-0501", "key-of-the-enterprise-0502"
PAYPAL = {"client_id": "client-0501", "secret": "paypal-secret-of-0501", "webhook_id": "WEBHOOK0501"}
TERMINAL = {"terminal": "demo0501", "app_key": "app-key-of-0501", "secret": "tranzila-secret-of-0501"}
CREATE = "/api/crm/payments/create"


def configured(**payments):
    return json.dumps({"payments": {"enabled": True, "default_provider": "paypal", "paypal": PAYPAL, "tranzila": TERMINAL,
                                    **payments}})


@pytest.fixture(scope="module")
def pay(module_stack):
    stack = module_stack(services=("sandbox", "hooks"), settings={"CALLWEAVE_HOOKS_PAYMENTS_ENABLED": "true"}).start_all()
    stack.secrets.add_config("payments", json.loads(configured()))
    for number, key, config in (("0501", KEY, configured()), ("0502", OTHER_KEY, "{}")):
        stack.enterprise(number, integrations_config=config)
        stack.sql("INSERT INTO api_keys (enterprise_number, name, digest) VALUES (%s, 'story', %s)",
                  [number, hashlib.sha256(key.encode()).digest()])
        stack.secrets.add(f"the API key of {number}", key)
    stack.sandbox("tranzila/terminals", **TERMINAL)
    return stack


def post(stack, path, body=None, key=KEY, **options):
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return stack.session().post(stack.url("hooks") + path, json=body, headers=headers, timeout=20, **options)


def create(stack, **wish):
    answer = post(stack, CREATE, {"business_id": "0501", "amount": 1234, "currency": "ILS", **wish})
    assert answer.status_code == 200, answer.text
    return answer.json()


def row(stack, payment):
    return stack.sql("SELECT * FROM payments WHERE id = %s", [payment])[0]


def webhook(stack, order, kind, webhook_id=PAYPAL["webhook_id"]):
    return stack.sandbox("paypal/event", order=order, type=kind, webhook_id=webhook_id).json()


def deliver(stack, event, body=None, **headers):
    return stack.session().post(stack.url("hooks") + "/api/crm/webhook/paypal", data=(body or event["body"]).encode(),
                                headers={**event["headers"], **headers, "Content-Type": "application/json"}, timeout=20)


# -- who may, and what --------------------------------------------------------------------------------

@pytest.mark.parametrize("path", ["/api/payments/create-intent", "/api/crm/payments/create-intent",
                                  "/api/payments/webhook", "/api/webhook/stripe"])
def test_what_was_stripe_is_gone(pay, path):
    answer = post(pay, path, {})
    assert answer.status_code == 410 and "Stripe deprecated" in answer.json()["error"]
    assert (answer.json().get("status") == "deprecated") == path.endswith("stripe")


def test_the_order_of_the_checks(pay):
    """501, 401, 404, 403, 400: who may not learn more is told the first of these."""
    wrong = {"business_id": "0999", "amount": -1}
    assert post(pay, CREATE, wrong, key=None).status_code == 401
    assert post(pay, CREATE, wrong, key="key-of-nobody-at-all").status_code == 401
    assert post(pay, CREATE, wrong).status_code == 404
    assert post(pay, CREATE, {"business_id": "0502", "amount": 100}).status_code == 404, "another's is as unknown"
    denied = post(pay, CREATE, {"business_id": "0502", "amount": -1}, key=OTHER_KEY)
    assert (denied.status_code, denied.json()["error"]) == (403, "Payment processing not authorized for this business")
    for bad in ({"amount": 0}, {"amount": "x"}, {}, {"amount": 5, "currency": "shekel"}, {"amount": 5, "provider": "stripe"}):
        assert post(pay, CREATE, {"business_id": 501, **bad}).status_code == 400, bad
    assert post(pay, CREATE, data=b"{not json").status_code == 400
    assert pay.sql("SELECT count(*) AS n FROM payments WHERE enterprise_number = '0502'")[0]["n"] == 0


@pytest.mark.parametrize("provider, words", [("paypal", "PayPal not configured"), ("tranzila", "Tranzila not configured")])
def test_a_provider_that_is_not_configured(pay, provider, words):
    pay.enterprise(f"05{10 + len(provider)}", integrations_config=configured(paypal={}, tranzila={}))
    number, key = f"05{10 + len(provider)}", f"key-of-an-enterprise-with-{provider}"
    pay.sql("INSERT INTO api_keys (enterprise_number, name, digest) VALUES (%s, 'story', %s)",
            [number, hashlib.sha256(key.encode()).digest()])
    wait_until(lambda: post(pay, CREATE, {"amount": 1, "provider": provider}, key=key).status_code == 501, 10, "it is known")
    assert post(pay, CREATE, {"amount": 1, "provider": provider}, key=key).json()["error"] == words


def test_payments_that_are_switched_off(make_stack):
    stack = make_stack(services=("sandbox", "hooks")).start_all()
    for path in (CREATE, "/api/crm/webhook/paypal", "/api/crm/payments/tranzila/return/success"):
        assert post(stack, path, {}, key=None).status_code == 501


# -- PayPal --------------------------------------------------------------------------------------------

def test_an_order_is_approved_and_captured_once(pay):
    made = create(pay)
    assert made["ok"] and made["approve_url"] == made["payment_url"] and made["order_id"] in made["approve_url"]
    stored = row(pay, made["payment_id"])
    assert (stored["status"], stored["provider_ref"], stored["amount_minor"]) == ("created", made["order_id"], 1234)
    event = webhook(pay, made["order_id"], "CHECKOUT.ORDER.APPROVED")
    assert '"value":"12.34"' in event["body"]
    assert deliver(pay, event).status_code == 204
    assert row(pay, made["payment_id"])["status"] == "captured"
    assert deliver(pay, event).status_code == 204, "the same again"
    assert deliver(pay, webhook(pay, made["order_id"], "PAYMENT.CAPTURE.COMPLETED")).status_code == 204
    assert deliver(pay, webhook(pay, made["order_id"], "PAYMENT.CAPTURE.DENIED")).status_code == 204
    assert row(pay, made["payment_id"])["status"] == "captured", "for good"


def test_what_paypal_did_not_send_changes_nothing(pay):
    made = create(pay)
    event = webhook(pay, made["order_id"], "PAYMENT.CAPTURE.COMPLETED")
    forged = event["body"].replace("12.34", "0.01")
    assert deliver(pay, event, body=forged).status_code == 403
    assert deliver(pay, event, **{"PAYPAL-TRANSMISSION-SIG": "0" * 64}).status_code == 403
    assert deliver(pay, webhook(pay, made["order_id"], "PAYMENT.CAPTURE.COMPLETED", "ANOTHER1")).status_code == 403
    bare = pay.session().post(pay.url("hooks") + "/api/crm/webhook/paypal", data=event["body"], timeout=20)
    assert bare.status_code == 403
    assert row(pay, made["payment_id"])["status"] == "created"
    assert pay.sql("SELECT count(*) AS n FROM payment_events WHERE payment_id = %s", [made["payment_id"]])[0]["n"] == 0


def test_an_event_of_another_order_or_of_nothing(pay):
    one, other = create(pay), create(pay, amount=99)
    event = webhook(pay, one["order_id"], "PAYMENT.CAPTURE.COMPLETED")
    pay.sql("UPDATE payments SET provider_ref = 'ANOTHER' WHERE id = %s", [one["payment_id"]])
    assert deliver(pay, event).status_code == 204
    assert row(pay, one["payment_id"])["status"] == row(pay, other["payment_id"])["status"] == "created"
    assert deliver(pay, {"headers": {}, "body": '{"id":"WH-1","event_type":"X","resource":{}}'}).status_code == 204
    assert deliver(pay, {"headers": {}, "body": "no json"}).status_code == 400


def test_another_amount_is_not_taken_for_paid(pay):
    made = create(pay)
    pay.sql("UPDATE payments SET amount_minor = 999 WHERE id = %s", [made["payment_id"]])
    assert deliver(pay, webhook(pay, made["order_id"], "CHECKOUT.ORDER.APPROVED")).status_code == 204
    stored = row(pay, made["payment_id"])
    assert stored["status"] == "failed" and "another amount" in stored["error"]


def test_paypal_fails_and_comes_again(pay):
    """P19: a provider that fails is no success; a webhook that cannot be worked on is asked for again."""
    pay.sandbox("faults", service="paypal", status=503, times=1)
    answer = post(pay, CREATE, {"amount": 1234})
    assert answer.status_code == 202 and answer.json()["ok"] is False and "approve_url" not in answer.json()
    assert "PayPal" in row(pay, answer.json()["payment_id"])["error"]
    made = create(pay)
    event = webhook(pay, made["order_id"], "CHECKOUT.ORDER.APPROVED")
    pay.sandbox("faults", service="paypal", status=500, times=1)
    assert deliver(pay, event).status_code == 503
    assert row(pay, made["payment_id"])["status"] == "created"
    assert deliver(pay, event).status_code == 204
    assert row(pay, made["payment_id"])["status"] == "captured"


# -- Tranzila -------------------------------------------------------------------------------------------

def page_of(stack, **wish):
    """(payment id, the page's parameters, the return's address)"""
    made = create(stack, provider="tranzila", **wish)
    url = made["redirect_url"]
    assert stack.session().get(url, timeout=10).status_code == 200, "the page takes what it is asked with"
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    return made["payment_id"], asked, asked["success_url_address"]


def paid(stack, sum_="12.34", terminal=TERMINAL["terminal"], code="000"):
    return stack.sandbox("tranzila/pay", terminal=terminal, sum=sum_, code=code).json()["index"]


def come_back(stack, url, **parameters):
    return stack.session().get(url, params={"Response": "000", **parameters}, timeout=20)


def test_a_page_and_a_payment_that_tranzila_confirms(pay):
    payment, asked, back = page_of(pay)
    assert (asked["sum"], asked["currency"], asked["ordernum"], asked["udf"]) == ("12.34", "1", str(payment), "0501")
    index = paid(pay)
    answer = come_back(pay, back, index=index)
    assert answer.status_code == 200 and "Paid" in answer.text
    assert row(pay, payment)["status"] == "captured" and row(pay, payment)["provider_ref"] == str(index)
    assert come_back(pay, back, index=index).status_code == 200, "again: the same"
    second, _, back = page_of(pay)
    assert come_back(pay, back, index=index).status_code == 400, "a transaction pays once"
    assert row(pay, second)["status"] == "created"


def test_a_return_alone_is_worth_nothing(pay):
    payment, _, back = page_of(pay)
    assert come_back(pay, back.split("?")[0], ordernum=payment, udf="0501").status_code == 403
    assert come_back(pay, back.replace("sign=", "sign=0"), index=paid(pay)).status_code == 403
    assert come_back(pay, back).status_code == 202, "no transaction to ask for"
    assert row(pay, payment)["status"] == "approved"
    assert come_back(pay, back, index=41).status_code == 400
    assert row(pay, payment)["status"] == "failed"
    assert come_back(pay, back, index=paid(pay, sum_="0.01")).status_code == 400
    assert "another amount" in row(pay, payment)["error"]
    assert come_back(pay, back, index=paid(pay, code="004")).status_code == 202
    assert come_back(pay, back, index=paid(pay, terminal="another")).status_code == 400, "another's terminal"
    assert come_back(pay, back, index=paid(pay)).status_code == 200, "and then it is paid after all"


def test_a_failed_payment(pay):
    payment, asked, _ = page_of(pay)
    assert come_back(pay, asked["fail_url_address"], Response="000").status_code == 400
    assert come_back(pay, asked["success_url_address"], Response="033").status_code == 400
    assert row(pay, payment)["status"] == "failed"
    notified = pay.session().post(asked["notify_url_address"], data={"Response": "000", "index": paid(pay)}, timeout=20)
    assert notified.status_code == 200 and row(pay, payment)["status"] == "captured"


def test_a_currency_that_tranzila_does_not_take(pay):
    answer = post(pay, CREATE, {"amount": 5, "currency": "BYN", "provider": "tranzila"})
    assert answer.status_code == 202 and not answer.json()["ok"]


def test_secrets_stay_inside(pay):
    """P30: neither logs nor the record of requests show a provider's secret or a key."""
    logs = "".join(service.text() for service in pay.services.values() if service.name != "sandbox")
    kept = json.dumps(pay.sql("SELECT request, answer FROM hook_requests"))
    for secret in (PAYPAL["secret"], TERMINAL["secret"], KEY, OTHER_KEY):
        assert secret not in logs and secret not in kept


def test_p30_what_is_too_old_goes(make_stack):
    """Requests, what was said to voice agents, and texts, each as long as its setting says."""
    stack = make_stack(services=("sandbox", "hooks"), settings={"CALLWEAVE_HOOKS_KEEP_TURNS_DAYS": "3"})
    stack.sql("INSERT INTO enterprises (number, name) VALUES ('0503', 'x')")
    stack.sql("INSERT INTO threads (enterprise_number, channel, peer) VALUES ('0503', 'sms', '+33612345678')")
    for days in (2, 4, 20, 2000):
        stack.sql("""INSERT INTO hook_requests (request_id, received_at, method, path, status, took_us)
            VALUES (%s, now() - %s * interval '1 day', 'GET', '/', 200, 1)""", [f"aged {days}", days])
        stack.sql("""INSERT INTO call_turns (call_sid, enterprise_number, turn, started_at, engine)
            VALUES ('CA1', '0503', %s, now() - %s * interval '1 day', 'x')""", [days, days])
        stack.sql("""INSERT INTO messages (thread_id, enterprise_number, direction, provider, provider_id, created_at)
            SELECT id, '0503', 'in', 'twilio', %s, now() - %s * interval '1 day' FROM threads""", [f"SM{days}", days])
    stack.start_all()

    def left():
        return (stack.sql("SELECT array_agg(request_id ORDER BY id) AS a FROM hook_requests WHERE request_id LIKE 'aged%%'")[0]["a"],
                stack.sql("SELECT array_agg(turn) AS a FROM call_turns")[0]["a"],
                stack.sql("SELECT array_agg(provider_id ORDER BY id) AS a FROM messages")[0]["a"])
    wait_until(lambda: left() == (["aged 2", "aged 4"], [2], ["SM2", "SM4", "SM20"]), 10, left)
