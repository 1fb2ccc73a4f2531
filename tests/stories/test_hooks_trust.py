"""Who may post webhooks: signatures as Twilio's own library makes them, behind nginx with TLS; everything refused is seen."""
import json
import random
import subprocess
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
import requests
from requests.adapters import HTTPAdapter

import twilio_oracle
from fake_texts import sign
from ports import free_port
from twilio_caller import Caller, call_sid
from waiting import wait_until

ACCOUNT, TOKEN = "AC" + "7" * 32, "token-of-0367-at-twilio-7c7c7c7c"
OTHER_ACCOUNT, OTHER_TOKEN = "AC" + "8" * 32, "token-of-0500-at-twilio-8d8d8d8d"
NUMBER, AGENT, OTHER_NUMBER, TOKENLESS = "+33100000021", "+33100000022", "+33100000023", "+33100000024"
EXAMPLE = Path(__file__).resolve().parent.parent.parent / "deploy" / "nginx.conf.example"


def twilio(account, token):
    return json.dumps({"twilio": {"enabled": True, "account_sid": account, "auth_tokens": [token]}})


@pytest.fixture(scope="module")
def world(module_stack):
    """Without a public base URL: it is a trusted proxy's headers that say how Twilio reached us."""
    stack = module_stack(services=("hooks",), settings={"CALLWEAVE_PUBLIC_BASE_URL": "",
                                                        "CALLWEAVE_HOOKS_STREAM_URL": "",
                                                        "CALLWEAVE_HOOKS_TRUSTED_PROXIES": "127.0.0.1"})
    stack.start_all()
    stack.secrets.add("Twilio's token of 0367", TOKEN)
    stack.secrets.add("Twilio's token of 0500", OTHER_TOKEN)
    stack.enterprise("0367", country="FR", integrations_config=twilio(ACCOUNT, TOKEN))
    stack.enterprise("0500", country="FR", integrations_config=twilio(OTHER_ACCOUNT, OTHER_TOKEN))
    stack.enterprise("0600", country="FR")
    for number, enterprise, voice in ((NUMBER, "0367", "menu"), (AGENT, "0367", "agent"), (OTHER_NUMBER, "0500", "menu"),
                                      (TOKENLESS, "0600", "menu")):
        stack.sql("INSERT INTO hook_numbers (number, enterprise_number, voice) VALUES (%s, %s, %s)",
                  [number, enterprise, voice])
    stack.caller = Caller(stack.url("hooks"), ACCOUNT, TOKEN)
    wait_until(lambda: stack.caller.call(NUMBER).incoming().answer.text.find("<Gather") > 0, 10, "hooks knows its numbers")
    return stack


def kept(world, answer):
    """The row of a request, by its id."""
    identity = answer.headers["X-Request-Id"]
    rows = []

    def there():
        rows[:] = world.sql("SELECT * FROM hook_requests WHERE request_id = %s", [identity])
        return len(rows) == 1
    wait_until(there, 10, f"request {identity} is in hook_requests")
    return rows[0]


# -- signatures ---------------------------------------------------------------------------------------------------


def questions(count, seed):
    """Requests of all shapes: hosts, ports, paths with slashes, queries, duplicates, unicode, empty values."""
    choose = random.Random(seed)
    words = ["", "a", "Horaires ", "שלום", "+33600000000", "a&b=c", "%41", "é\u0301", "\u2028", "x" * 300, "<&\"'>", "日本"]
    for at in range(count):
        host = choose.choice(["hooks.example.com", "a.b-c.example", "192.0.2.7", "localhost"])
        port = choose.choice(["", "", ":443", ":80", ":8443", ":65535"])
        path = choose.choice(["/webhook/call_status", "/webhook/call_status/", "//webhook/call_status", "/webhook//call_status//"])
        query = choose.choice(["", "", "?a=1", "?x=%2B33&y=%20", "?b=&b=&a", "?q=%D7%A9+1&bodySHA=1"])
        form = {"CallSid": call_sid(), "AccountSid": ACCOUNT, "To": NUMBER, "CallStatus": "ringing"}
        for extra in range(choose.randrange(6)):
            name = choose.choice(["Body", "Zürich", "a", "A", "_", "שם", f"Media{extra}"])
            form[name] = choose.choice(words) if choose.random() < 0.8 else [choose.choice(words) for _ in range(3)]
        yield {"token": TOKEN, "url": f"{choose.choice(['https', 'http'])}://{host}{port}{path}{query}", "form": form}


def post_as(world, url, data, signature, headers=None, source=None):
    """To hooks as a proxy passes a request on that came to `url`."""
    scheme, rest = url.split("://")
    host, slash, path = rest.partition("/")
    session = world.session() if not source else requests.Session()
    if source:
        session.mount("http://", SourceAddress(source))
    request = requests.Request("POST", world.url("hooks"), data=data, headers={
        "X-Forwarded-Proto": scheme, "X-Forwarded-Host": host, "X-Twilio-Signature": signature, **(headers or {})})
    prepared = session.prepare_request(request)
    prepared.url = world.url("hooks") + slash + path
    return session.send(prepared, timeout=20)


class SourceAddress(HTTPAdapter):
    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *arguments, **options):
        super().init_poolmanager(*arguments, source_address=(self.address, 0), **options)


def flip(signature, choose):
    place = choose.randrange(len(signature) - 1)
    other = "A" if signature[place] != "A" else "B"
    return signature[:place] + other + signature[place + 1:]


def test_the_library_and_we_agree(world):
    """P11: 300 requests that npm's twilio signs; for each, also forged, its verdict and ours are the same."""
    choose = random.Random(7)
    asked = list(questions(300, 7))
    signed = [answer["signature"] for answer in twilio_oracle.sign(asked)]
    claims = [claim if at % 3 else flip(claim, choose) for at, claim in enumerate(signed)]
    verdicts = twilio_oracle.sign([{**question, "claim": claim} for question, claim in zip(asked, claims)])
    right = 0
    for question, claim, verdict in zip(asked, claims, verdicts):
        answer = post_as(world, question["url"], question["form"], claim)
        assert (answer.status_code == 204) == verdict["genuine"], f"{question} {claim}: {answer.status_code}"
        right += verdict["genuine"]
    assert right == 200


def test_ports_come_and_go(world):
    """Voice over TLS is signed without the port, messages with it."""
    for signed_url, came in (("https://h.example/webhook/call_status", "https://h.example:8443/webhook/call_status"),
                             ("https://h.example:443/webhook/call_status", "https://h.example/webhook/call_status")):
        form = {"CallSid": call_sid(), "To": NUMBER, "CallStatus": "ringing"}
        assert post_as(world, came, form, sign(signed_url, TOKEN, form)).status_code == 204


def test_a_json_body_by_its_hash(world):
    body = json.dumps({"CallSid": "CA1", "Caller": "+12349013030"})
    plain = "https://h.example/webhook/call_status"
    hashed = twilio_oracle.sign([{"token": TOKEN, "url": plain, "body": body}])[0]["hash"]
    url = f"{plain}?bodySHA256={hashed}&our={quote(NUMBER)}"
    signature = twilio_oracle.sign([{"token": TOKEN, "url": url, "body": body}])[0]["signature"]
    headers = {"Content-Type": "application/json"}
    assert post_as(world, url, body, signature, headers).status_code == 400  # genuine, but there is no CallSid of a form
    assert post_as(world, url, body + " ", signature, headers).status_code == 403


def test_refused_and_seen(world):
    """P1, P12: 403 without a signature, with a wrong one, with another tenant's; each is kept, none with a secret."""
    call = world.caller.call(NUMBER)
    url = world.url("hooks") + "/webhook/incoming_call"
    missing = requests.post(url, data=call.fields(), timeout=5)
    wrong = world.caller.post(url, call.fields(), token="guess")
    others = world.caller.post(url, call.fields(AccountSid=OTHER_ACCOUNT), token=OTHER_TOKEN)
    tokenless = world.caller.call(TOKENLESS)
    fails_closed = world.caller.post(url, tokenless.fields(), token="")
    for answer, signature in ((missing, "missing"), (wrong, "wrong"), (others, "wrong"), (fails_closed, "wrong")):
        assert (answer.status_code, answer.json()) == (403, {"detail": "Forbidden"})
        assert kept(world, answer)["signature"] == signature
    assert world.sql("SELECT count(*) FROM voice_calls WHERE call_sid IN (%s, %s)", [call.sid, tokenless.sid])[0]["count"] == 0

    def tried():
        """For who looks why; once more when the same was said too often in this second."""
        world.caller.post(url, call.fields(), token="guess")
        return any(f" {url}" in line and "wrong; tried:" in line
                   for line in (world.folder / "hooks.log").read_text().splitlines())
    wait_until(tried, 5, "the URLs that were tried are in the log")


def test_another_tenants_calls_are_out_of_reach(world):
    """Their own number and token, and the CallSid of a call that is not theirs."""
    call = world.caller.call(NUMBER).incoming()
    others = Caller(world.url("hooks"), OTHER_ACCOUNT, OTHER_TOKEN).call(OTHER_NUMBER, sid=call.sid)
    others.over()
    others.incoming()
    row = world.sql("SELECT * FROM voice_calls WHERE call_sid = %s", [call.sid])[0]
    assert (row["enterprise_number"], row["state"]) == ("0367", "menu")


def test_every_request_is_kept(world):
    """P1: also those that lead nowhere; secrets and phones are not."""
    call = world.caller.call(AGENT).incoming(CallToken="a-token-of-Twilio's-own")
    row = kept(world, call.answer)
    assert (row["path"], row["status"], row["our_number"], row["sid"], row["signature"]) == (
        "/webhook/incoming_call", 200, AGENT, call.sid, "ok")
    assert "<Stream" in row["answer"] and 'name="token" value="***"' in row["answer"]
    assert "CallToken=***" in row["request"] and "a-token" not in row["request"] and call.peer not in row["request"]
    for method, path, status in (("GET", "/nothing/here?token=abc", 404), ("PUT", "/webhook", 405), ("GET", "/webhook/menu", 405),
                                 ("GET", "/ws/twilio-media", 404)):
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"} if path.startswith("/ws") else {}
        answer = requests.request(method, world.url("hooks") + path, headers=upgrade, timeout=5)
        row = kept(world, answer)
        assert (answer.status_code, row["status"], row["method"], row["path"]) == (status, status, method, path.split("?")[0])
        assert "abc" not in row["request"]


def test_what_is_no_request_is_kept_too(world):
    before = world.sql("SELECT count(*) FROM hook_requests WHERE status = 431")[0]["count"]
    answer = requests.get(world.url("hooks") + "/webhook", headers={"X-Long": "x" * 20000}, timeout=5)
    assert answer.status_code == 431
    wait_until(lambda: world.sql("SELECT count(*) FROM hook_requests WHERE status = 431")[0]["count"] == before + 1, 10, "kept")


# -- TwiML -----------------------------------------------------------------------------------------------------------


def test_documents_are_those_of_the_library(world):
    """Byte for byte what npm's twilio.twiml makes of the same verbs, hostile values included."""
    documents = []
    for number in (NUMBER, AGENT):
        for peer in ("+33600000001", '"><Dial/>', "\u05e9\t\n&#0;", "a\x85b"):
            documents.append(world.caller.call(number, peer=peer).incoming().answer.text)
    call = world.caller.call(NUMBER).incoming()
    for digit in "1207*":
        documents.append(call.incoming().press(digit).answer.text)
    documents.append(world.caller.call(AGENT, sid="CA\"<&>'\t\r\n\u05e9").incoming().answer.text)
    for ours, theirs in zip(documents, twilio_oracle.rewritten(documents)):
        assert ours == theirs


# -- behind a proxy ---------------------------------------------------------------------------------------------------


def test_forwarded_headers_of_a_stranger(world):
    """Only a trusted peer may say how he was reached; another is taken by Host."""
    form = {"CallSid": call_sid(), "To": NUMBER, "CallStatus": "ringing"}
    url = "https://hooks.example.com/webhook/call_status"
    signature = sign(url, TOKEN, form)
    assert post_as(world, url, form, signature).status_code == 204
    assert post_as(world, url, form, signature, source="127.0.0.2").status_code == 403
    own = world.url("hooks") + "/webhook/call_status"
    assert post_as(world, url, form, sign(own, TOKEN, form), headers={"X-Forwarded-Host": "x y"}).status_code == 403


class Nginx:
    """The example of deploy/, with a certificate of our own making."""

    def __init__(self, folder, hooks_port):
        self.folder = folder
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        example = EXAMPLE.read_text()
        block = example[example.index("# hooks and media-ws"):]
        block = block[block.index("server {"):]
        for before, after in (("listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"), ("listen [::]:443 ssl;", ""),
                              ("hooks.example.com;", "localhost;"), ("http://127.0.0.1:8010", f"http://127.0.0.1:{hooks_port}"),
                              ("/etc/letsencrypt/live/hooks.example.com/fullchain.pem", f"{folder}/server.pem"),
                              ("/etc/letsencrypt/live/hooks.example.com/privkey.pem", f"{folder}/server.key")):
            assert before in block, before
            block = block.replace(before, after)
        (folder / "nginx.conf").write_text(
            f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;\n"
            f"events {{}}\nhttp {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;\n"
            f"fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n{block}\n}}\n")
        self._certificates()

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60)

    def _certificates(self):
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        (self.folder / "names").write_text("subjectAltName=DNS:localhost\n")
        self._openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=story")
        self._openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
        self._openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                      "-out", "server.pem", "-days", "2", "-extfile", "names")

    def __enter__(self):
        self.child = subprocess.Popen(["nginx", "-p", str(self.folder), "-c", "nginx.conf"], stderr=subprocess.DEVNULL)

        def answers():
            try:
                return self.get("/webhook/test").status_code == 200
            except requests.RequestException:
                return False
        wait_until(answers, 10, lambda: f"nginx answers: {(self.folder / 'error.log').read_text()}")
        return self

    def __exit__(self, *reason):
        self.child.terminate()
        self.child.wait(10)

    def send(self, method, path, **options):
        session = requests.Session()
        prepared = session.prepare_request(requests.Request(method, self.url, **options))
        prepared.url = self.url + path
        return session.send(prepared, timeout=20, verify=str(self.folder / "ca.pem"))

    def get(self, path, **options):
        return self.send("GET", path, **options)


@pytest.fixture(scope="module")
def nginx(world, tmp_path_factory):
    with Nginx(tmp_path_factory.mktemp("nginx"), world.services["hooks"].port) as server:
        yield server


@pytest.mark.parametrize("path", ["/webhook/incoming_call", "//webhook/incoming_call", "/webhook.php/?lang=fr&x=%2B1"])
def test_signed_by_the_library_behind_nginx_and_tls(world, nginx, path):
    """P10, P11: with the port and without, as Twilio may sign it; all URLs that we give lead back to the proxy."""
    for url in (nginx.url + path, "https://localhost" + path):
        call = world.caller.call(AGENT)
        question = {"token": TOKEN, "url": url, "form": call.fields()}
        signature = twilio_oracle.sign([question])[0]["signature"]
        answer = nginx.send("POST", path, data=call.fields(), headers={"X-Twilio-Signature": signature})
        assert answer.status_code == 200, answer.text
        assert f'action="{nginx.url}/webhook/stream_ended' in answer.text
        assert f'url="{nginx.url.replace("https", "wss")}/ws/twilio-media"' in answer.text


def test_spoofed_forwarded_headers_do_not_get_through_nginx(world, nginx):
    call = world.caller.call(NUMBER)
    signature = sign("https://evil.example/webhook/incoming_call", TOKEN, call.fields())
    answer = nginx.send("POST", "/webhook/incoming_call", data=call.fields(), headers={
        "X-Twilio-Signature": signature, "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https",
        "Forwarded": "host=evil.example;proto=https"})
    assert answer.status_code == 403


def test_operators_paths_are_not_public(nginx):
    for path in ("/selfcheck", "//selfcheck", "/metrics", "/webhook/incoming_call_preview", "/internal/text"):
        assert nginx.get(path).status_code == 404, path


def test_get_by_nginx(world, nginx):
    query = urlencode(world.caller.call(NUMBER).fields())
    signature = sign(f"{nginx.url}/webhook.php?{query}", TOKEN)
    answer = nginx.get(f"/webhook.php?{query}", headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 200 and "<Gather" in answer.text


# -- the self-check ----------------------------------------------------------------------------------------------------


def test_the_self_check_says_what_is_wrong(world):
    """P1: which number was asked last, what to configure at Twilio, who asks and is not ours."""
    stranger = world.caller.call("+33999999999").incoming()
    world.caller.call(NUMBER).incoming()
    kept(world, stranger.answer)
    kept(world, world.caller.call(NUMBER).incoming().answer)
    check = requests.get(world.url("hooks") + "/selfcheck", timeout=10).json()
    codes = {problem["code"]: problem["about"] for problem in check["problems"]}
    assert not check["ok"] and codes["no_token"] == TOKENLESS and "no_base" in codes
    assert codes["unknown_numbers"] == "+33999999999" and "refused" in codes and codes.get("never_asked") != NUMBER
    numbers = {number["number"]: number for number in check["numbers"]}
    assert numbers[NUMBER]["last_status"] == 200 and numbers[NUMBER]["last_signature"] == "ok"
    assert numbers[OTHER_NUMBER]["has_token"] and not numbers[TOKENLESS]["has_token"]
    assert any(item["url"].endswith("/webhook/incoming_call") for item in check["configure"])
    for language, title in (("ru", "Самопроверка"), ("en", "Self-check")):
        page = requests.get(world.url("hooks") + "/selfcheck", headers={"Accept": "text/html", "Accept-Language": language}, timeout=10)
        assert title in page.text and NUMBER in page.text and 'data-code="no_token"' in page.text
    assert requests.get(world.url("hooks") + "/selfcheck", headers={"X-Forwarded-For": "192.0.2.1"}, timeout=5).status_code == 403


def test_pages_and_the_description(world):
    described = requests.get(world.url("hooks") + "/openapi.json", timeout=5).json()
    for path, methods in described["paths"].items():
        concrete = world.url("hooks") + path.replace("{file}", "x").replace("{phone}", "1").replace("{rest}", "1/messages").replace("{how}", "fail")
        for method in methods:
            answer = requests.request(method, concrete, timeout=5)
            assert answer.status_code not in (405, 500), f"{method} {path}"
            assert answer.status_code != 404 or "no such" in answer.text.lower() or "not found" not in answer.text.lower(), path
    home = requests.get(world.url("hooks") + "/", timeout=5)
    assert home.status_code == 200 and "selfcheck" in home.text
    assert requests.get(world.url("hooks") + "/readyz", timeout=5).status_code == 200
