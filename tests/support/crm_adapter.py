"""What stories say to the adapters of CRMs: as 8020 does, with the internal secret."""
import base64
import itertools
import json

import requests

from stack import INTERNAL_SECRET
from waiting import wait_until

KEY = "k9DfW3eXampleKeyOfRetailCrm77"
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
OURS = {"X-Callweave-Secret": INTERNAL_SECRET}
CALL = {"key": "1763740800.1", "phone": "+375291112233", "rang": ["150", "151"], "talkers": ["151"], "extension": "151",
        "result": "talked", "started_at": 1763740800000, "answered_at": 1763740812000, "ended_at": 1763740907000,
        "wait_seconds": 12, "talk_seconds": 95}


DELIVERIES = itertools.count(17)  # 8020 never gives two deliveries one number


def retail(crm, **more):
    return {"enabled": True, "domain": crm.url, "api_key": KEY, "client_id": "c1ient-8f3a2b7d5e6049c1",
            "user_extensions": {"16": "150", "17": "151"}, **more}


def enterprise(stack, number="0367", **configs):
    """An enterprise that all adapters know."""
    stack.enterprise(number, integrations_config=json.dumps(configs), settings=json.dumps({"country": "BY"}))
    for code, config in configs.items():
        stack.secrets.add_config(code, config)

    def known():
        return all(ask(stack, name, "GET", f"/internal/{name}/customer-name", params={"enterprise_number": number,
                   "phone": "1"}).status_code != 404 for name in stack.services if name in configs)
    wait_until(known, 5, "the adapters know the enterprise")


def ask(stack, service, method, path, headers=OURS, **options):
    options.setdefault("timeout", 40)
    return requests.request(method, stack.url(service) + path, headers=headers, **options)


def order(delivery, kind="hangup", call=None, number="0367", **more):
    """The body of POST /internal/deliver."""
    return {"delivery": delivery, "enterprise": number, "kind": kind, "turn": 0, "late": False, "attempt": 1,
            "call": {**CALL, **(call or {})}, "memory": {}, "trace": "0af7651916cd43dd8448eb211c80319c", **more}


def deliver(stack, service="webhook", kind="hangup", **body):
    answer = ask(stack, service, "POST", "/internal/deliver", json=order(body.pop("delivery", next(DELIVERIES)), kind, **body))
    assert answer.status_code == 200, answer.text
    return answer.json()
