"""Every request that the drivers' golden files show as a good one is understood by the sandbox's CRMs."""
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from sandbox_process import Sandbox

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "crm"
# What the sandbox says of a request that is not as the documentation wants it.
MISUNDERSTOOD = re.compile(r"is missing|wrong type|wrong value|is not known|not be blank|extra fields|not valid|"
                           r"Method Not Allowed|invalid JSON|no JSON|not understood|Accept-Encoding|Content-Type")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    process = Sandbox(tmp_path_factory.mktemp("sandbox"))
    process.start()
    for crm in ("retailcrm", "uon", "moysklad", "bitrix24"):
        process.tell("limits", crm=crm, enabled=False)
    yield process
    assert process.stop() == 0, process.tail()
    assert process.report() is None, process.report()


def good_requests(program):
    for path in sorted((GOLDEN / program).glob("*.json")):
        for step in json.loads(path.read_text()).get("exchange", ()):
            if step.get("verdict") == "well" and 200 <= step["reply"].get("status", 0) < 300:
                yield path.stem, step["request"]


def text(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def send(sandbox, request):
    url = urlsplit(request["url"])
    place = f"{sandbox.url}{url.path}" + (f"?{url.query}" if url.query else "")
    more = {}
    if "form" in request:
        more["data"] = {name: text(value) for name, value in request["form"].items()}
    elif "json" in request:
        more["json"] = request["json"]
    elif "body" in request:
        more["data"] = request["body"].encode()
    return requests.request(request["method"], place, headers=request.get("headers", {}), timeout=10, **more)


@pytest.mark.parametrize("program", ["retailcrm", "uon", "moysklad", "bitrix24"])
def test_what_drivers_send_is_what_the_sandbox_wants(sandbox, program):
    found = list(good_requests(program))
    assert len(found) > 10, f"{program} has hardly any golden files"
    wrong = []
    for name, request in found:
        answer = send(sandbox, request)
        # Some name what only their golden reply has: a call, a lead, a token of that file.
        if answer.status_code >= 400 and (MISUNDERSTOOD.search(answer.text) or answer.text == ""
                                          or "ERROR_METHOD_NOT_FOUND" in answer.text or answer.status_code >= 500):
            wrong.append(f"{name}: {request['method']} {request['url']}: {answer.status_code} {answer.text}")
    assert not wrong, "\n".join(wrong)
