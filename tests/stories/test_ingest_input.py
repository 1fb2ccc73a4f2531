"""What ingest answers to good events and to bad ones, one by one."""
import json

import pytest
import requests

import raw_http

TOKEN = "375290000367"
TYPES = ("start", "dial", "bridge", "hangup", "bridge_create", "bridge_leave", "bridge_destroy", "new_callerid")


@pytest.fixture(scope="module")
def world(module_stack):
    stack = module_stack(services=("ingest",)).start_all()
    stack.enterprise("0367", name2=TOKEN, secret="s3cret")
    stack.enterprise("0400", name2="inactive-token", active=True)
    return stack


def port(world):
    return world.services["ingest"].port


def rows(world, unique_id):
    return world.sql("SELECT * FROM call_events WHERE unique_id = %s ORDER BY id", [unique_id])


def send(world, text, path="/dial", headers=()):
    body = text if isinstance(text, bytes) else text.encode()
    return raw_http.exchange(port(world), raw_http.request(path, body, headers=headers))


@pytest.mark.parametrize("event", TYPES)
def test_an_event_of_each_kind_is_answered_as_always_and_stored(world, event):
    body = {"Token": TOKEN, "UniqueId": f"1757840723.{TYPES.index(event)}", "Имя": "Иван", "Note": [1, {"a": None}]}
    answer = world.post(event, body)
    assert answer.status_code == 200
    assert answer.text == '{"status":"ok","message":"Event queued for processing"}'
    assert answer.headers["Content-Type"] == "application/json"
    row, = rows(world, body["UniqueId"])
    assert row["event_type"] == event and row["enterprise_number"] == "0367"
    assert row["raw_data"] == body and row["data_source"] == "live"
    assert row["shard"] == world.sql("SELECT shard FROM enterprises WHERE number = '0367'")[0]["shard"]


def test_every_event_is_kept_also_the_same_one_twice(world):
    for _ in range(2):
        assert world.post("dial", {"Token": TOKEN, "UniqueId": "same.1"}).ok
    assert len(rows(world, "same.1")) == 2


@pytest.mark.parametrize("token", [TOKEN, "s3cret", "0367"])
def test_an_enterprise_is_known_by_token_secret_and_number(world, token):
    assert world.post("start", {"Token": token, "UniqueId": f"by.{token}"}).ok
    assert rows(world, f"by.{token}")[0]["enterprise_number"] == "0367"


def test_the_token_may_be_in_the_header_and_the_body_comes_first(world):
    assert world.post("start", {"UniqueId": "header.1"}, headers={"Token": TOKEN}).ok
    assert world.post("start", {"UniqueId": "lower.1", "token": TOKEN}).ok
    assert world.post("start", {"UniqueId": "both.1", "Token": TOKEN}, headers={"Token": "nobody"}).ok
    assert world.post("start", {"UniqueId": "both.2", "Token": "nobody"}, headers={"Token": TOKEN}).status_code == 401


def test_no_content_type_is_asked_for_and_numbers_may_be_numbers(world):
    answer = send(world, '{"Token": %s, "UniqueId": 1757840723, "CallType": "0", "CallStatus": 2}' % TOKEN)
    assert answer.status == 200
    assert rows(world, "1757840723")[0]["raw_data"]["CallStatus"] == 2


BAD = {
    "no body": ("", 422, "body"),
    "not JSON": ("hello", 422, "body"),
    "half of it": ('{"Token": "37529', 422, "body"),
    "something behind": ('{"Token": "375290000367"} x', 422, "body"),
    "a list": ("[1, 2]", 422, "body: not an object"),
    "a text": ('"text"', 422, "body: not an object"),
    "null": ("null", 422, "body: not an object"),
    "nested too deep": ('{"Token": "375290000367", "a": ' + "[" * 60 + "]" * 60 + "}", 422, "nested"),
    "bad UTF-8": (b'{"Token": "375290000367", "Phone": "\xff\xfe"}', 422, "UTF-8"),
    "half a surrogate": (r'{"Token": "375290000367", "Phone": "\ud800"}', 422, "body"),
    "a NUL": (r'{"Token": "375290000367", "Phone": "\u0000"}', 422, "body"),
    "a number that is none": ('{"Token": "375290000367", "Phone": 1e999}', 422, "body"),
    "Extensions is an object": ('{"Token": "375290000367", "Extensions": {"a": 1}}', 422, "Extensions: not a list"),
    "Extensions is a number": ('{"Token": "375290000367", "Extensions": 7}', 422, "Extensions: not a list"),
    "an extension is an object": ('{"Token": "375290000367", "Extensions": ["151", {}]}', 422, "Extensions[1]"),
    "UniqueId is a list": ('{"Token": "375290000367", "UniqueId": [1]}', 422, "UniqueId"),
    "UniqueId is too long": ('{"Token": "375290000367", "UniqueId": "%s"}' % ("1" * 300), 422, "UniqueId"),
    "Phone is an object": ('{"Token": "375290000367", "Phone": {}}', 422, "Phone"),
    "CallType is a word": ('{"Token": "375290000367", "CallType": "in"}', 422, "CallType"),
    "Token is an object": ('{"Token": {"a": 1}}', 422, "Token"),
    "Token is missing": ('{"UniqueId": "1.1"}', 422, "Token: missing"),
    "Token is empty": ('{"Token": "", "UniqueId": "1.1"}', 422, "Token: missing"),
    "Token is null": ('{"Token": null, "UniqueId": "1.1"}', 422, "Token: missing"),
    "Token is nobody's": ('{"Token": "999999999999"}', 401, "Token"),
    "over 64 KiB": ('{"Token": "375290000367", "x": "%s"}' % ("x" * 65536), 413, ""),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_with_words_that_name_the_field(world, name):
    text, status, words = BAD[name]
    answer = send(world, text)
    assert (answer.status, words in answer.detail()) == (status, True), answer.body
    assert "Idempotency" not in answer.detail()


def test_just_under_64_kib_is_taken(world):
    text = '{"Token": "%s", "UniqueId": "big.1", "x": "' % TOKEN
    text += "x" * (65536 - len(text) - 2) + '"}'
    assert send(world, text).status == 200
    assert len(rows(world, "big.1")[0]["raw_data"]["x"]) > 65000


@pytest.mark.parametrize("key, good", [("a", True), ("x" * 200, True), ("x" * 201, False), ("a\tb", False),
                                       ("ключ".encode().decode("latin-1"), False)])
def test_an_idempotency_key_has_1_to_200_printable_characters(world, key, good):
    head = f"Idempotency-Key: {key}".encode("latin-1")
    body = b'{"Token": "375290000367", "UniqueId": "key.1"}'
    data = b"POST /dial HTTP/1.1\r\nHost: t\r\n" + head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    answer = raw_http.exchange(port(world), data)
    assert answer.status == (200 if good else answer.status)
    assert good or answer.status in (400, 422)


def test_other_methods_and_paths(world):
    url = world.url("ingest")
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert requests.request(method, f"{url}/dial", timeout=5).status_code == 405
    assert requests.post(f"{url}/nothing", json={}, timeout=5).status_code == 404
    assert requests.post(f"{url}/dial/", json={}, timeout=5).status_code == 404
    assert requests.get(f"{url}/", timeout=5).status_code == 404
    assert "detail" in requests.get(f"{url}/", timeout=5).json()


@pytest.mark.parametrize("path", [*TYPES, "openapi.json"])
def test_pages_of_other_origins_may_post(world, path):
    url = f"{world.url('ingest')}/{path}"
    method = "GET" if path == "openapi.json" else "POST"
    asked = requests.options(url, timeout=5, headers={
        "Origin": "http://emulator:8025", "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-type,token,idempotency-key"})
    assert asked.ok
    assert asked.headers["Access-Control-Allow-Origin"] in ("*", "http://emulator:8025")
    assert method in asked.headers["Access-Control-Allow-Methods"]
    allowed = asked.headers["Access-Control-Allow-Headers"].lower()
    assert allowed == "*" or all(name in allowed for name in ("content-type", "token", "idempotency-key"))
    answer = requests.request(method, url, json={"Token": TOKEN}, headers={"Origin": "http://emulator:8025"}, timeout=5)
    assert answer.ok and "Access-Control-Allow-Origin" in answer.headers


def test_the_description_of_the_api_names_all_paths(world):
    document = requests.get(f"{world.url('ingest')}/openapi.json", timeout=5).json()
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {f"/{name}" for name in TYPES} | {"/recovery/events", "/openapi.json"}
    for path in TYPES:
        assert "401" in document["paths"][f"/{path}"]["post"]["responses"]


def test_requests_on_one_connection_are_answered_in_order(world):
    texts = ['{"Token": "375290000367", "UniqueId": "pipe.%d"}' % i if i % 3 else "bad" for i in range(60)]
    with raw_http.connect(port(world)) as sock:
        sock.sendall(b"".join(raw_http.request("/dial", text.encode()) for text in texts))
        with sock.makefile("rb") as stream:
            statuses = [raw_http.read_answer(stream).status for _ in texts]
    assert statuses == [200 if i % 3 else 422 for i in range(60)]
    found = world.sql("SELECT unique_id FROM call_events WHERE unique_id LIKE 'pipe.%%' ORDER BY id")
    assert [row["unique_id"] for row in found] == [f"pipe.{i}" for i in range(60) if i % 3]


def test_a_trace_goes_from_the_request_into_the_log(world):
    trace = "0af7651916cd43dd8448eb211c80319c"
    world.post("dial", {"Token": TOKEN, "UniqueId": "trace.1"}, headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    assert rows(world, "trace.1")[0]["trace_id"] == trace


def test_counts_are_on_the_metrics_page(world):
    service = world.services["ingest"]
    before = service.metric("callweave_events_committed_total")
    refused = service.metric("callweave_events_refused_total")
    world.post("hangup", {"Token": TOKEN, "UniqueId": "count.1"})
    world.post("hangup", {"Token": TOKEN, "Extensions": 1})
    assert service.metric("callweave_events_committed_total") == before + 1
    assert service.metric("callweave_events_refused_total") == refused + 1
    text = requests.get(f"{service.url}/metrics", timeout=5).text
    assert 'callweave_events_received_total{type="hangup"}' in text
    assert "callweave_commit_duration_seconds_bucket" in text
    assert json.dumps(TOKEN) not in text
