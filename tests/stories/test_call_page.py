"""The page of a call: who may see it, what it shows, and that looking changes nothing."""
import hashlib
import hmac
import html
import re
import subprocess
import time

import pytest
import requests

from corpus import Instance, scenarios
from process import ROOT, binaries
from stack import LINK_KEY
from waiting import wait_until

SERVICES = ("sandbox", "ingest", "dispatcher", "console")
EVIL = '<script>document.title="pwned"</script>'


@pytest.fixture(scope="module")
def house(module_stack):
    """One enterprise with two recorded calls, and a second enterprise that is nobody's business."""
    stack = module_stack(services=SERVICES).start_all()
    stack.enterprise("0367", name="june", zone="Europe/Minsk", locale="ru")
    stack.enterprise("0999", name="other", zone="Asia/Tokyo", locale="en")
    stack.no_limits()
    for extension, last_name in (("150", "Ковалёва"), ("151", "Савицкий"), ("152", EVIL)):
        user = stack.sql("INSERT INTO users (enterprise_number, last_name) VALUES ('0367', %s) RETURNING id", [last_name])
        stack.sql("INSERT INTO user_internal_phones (enterprise_number, phone_number, user_id) VALUES ('0367', %s, %s)",
                  [extension, user[0]["id"]])
    stack.sql("INSERT INTO gsm_lines (enterprise_number, line_id, line_name) VALUES ('0367', '0001363', 'МТС-1')")
    recorded = scenarios()
    for number, name in enumerate(("2-18/raw", "2-7/emulator"), 1):
        Instance(name, recorded[name], "token-0367", number).send(stack.post, scale=0.002)
    stack.wait_quiet()
    stack.call_ids = [row["call_id"] for row in stack.calls("0367")]
    assert len(stack.call_ids) == 2
    return stack


def link(house, enterprise, call_id, *days):
    """As scripts/link makes it."""
    console = house.services["console"]
    done = subprocess.run([str(binaries() / "console"), "--link", enterprise, str(call_id), *days], text=True,
                          capture_output=True, env=console.environment(), timeout=20)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def page(house, url, **headers):
    return requests.get(url, headers=headers, timeout=20)


def plain(answer):
    """What a person reads."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text)))


def test_a_signed_link_opens_the_page(house):
    url = link(house, "0367", house.call_ids[0])
    assert url.startswith(house.url("console") + f"/call/0367/{house.call_ids[0]}?until=")
    answer = page(house, url)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy and "unsafe" not in policy
    assert "noindex" in answer.headers["X-Robots-Tag"]
    text = plain(answer)
    assert "Входящий звонок отвечен" in text and "МТС-1 (0001363)" in text
    assert "Ковалёва (150)" in text and "Савицкий (151)" in text
    assert "151 → 152 с консультацией, принят" in text and "152 → 150 с консультацией, принят" in text


def test_everything_is_shown_with_milliseconds_in_the_enterprise_s_zone(house):
    text = plain(page(house, link(house, "0367", house.call_ids[0])))
    rows = house.sql("SELECT to_char(event_timestamp AT TIME ZONE 'Europe/Minsk', 'HH24:MI:SS.MS') AS at, event_type "
                     "FROM call_events WHERE raw_data::text LIKE '%%00101%%' OR unique_id = '' ORDER BY id")
    assert rows
    for row in rows[:12]:
        assert row["at"] in text, row
    # All 45 events of the recorded call, those of its bridges included, and no other call's.
    assert re.search(r"События АТС 45 ", text)
    assert "Мост" in text and "создан" in text and "разобран" in text


def test_reasons_and_telegram_records(house):
    call_id = house.call_ids[0]
    text = plain(page(house, link(house, "0367", call_id)))
    for reason in house.sql("SELECT r.why FROM calls c, jsonb_to_recordset(c.trace) AS r (why text) WHERE c.id = %s", [call_id]):
        assert reason["why"] in text
    told = house.sql("SELECT destination FROM outbox WHERE call_id = %s", [call_id])
    assert told and all(row["destination"] in text for row in told)
    assert "доставлено" in text


def test_the_token_of_the_pbx_never_leaves(house):
    for call_id in house.call_ids:
        assert "token-0367" not in page(house, link(house, "0367", call_id)).text


def test_names_are_only_text(house):
    text = page(house, link(house, "0367", house.call_ids[0])).text
    assert EVIL not in text and "<script" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("change", [
    lambda url: url.replace("sign=", "sign=0"),
    lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
    lambda url: re.sub(r"&sign=.*", "", url),
    lambda url: re.sub(r"until=\d+&", "", url),
    lambda url: re.sub(r"\?.*", "", url),
    lambda url: re.sub(r"until=(\d+)", lambda found: f"until={int(found[1]) + 1}", url),
    lambda url: url.replace("/0367/", "/0999/"),
    lambda url: re.sub(r"/0367/(\d+)", lambda found: f"/0367/+{found[1]}", url),
    lambda url: re.sub(r"/0367/(\d+)", lambda found: f"/0367/{found[1]}/", url),
    lambda url: re.sub(r"/0367/(\d+)", "/0367/99999999999999999999", url),
    lambda url: re.sub(r"/0367/(\d+)", "/0367/", url),
    lambda url: url.replace("/0367/", "/03%3667/"),
])
def test_a_wrong_link_says_so_and_nothing_else(house, change):
    good = link(house, "0367", house.call_ids[0])
    answer = page(house, change(good))
    assert answer.status_code == 403
    assert "Ссылка не подходит" in plain(page(house, change(good), **{"Accept-Language": "ru"}))
    # To the byte the same as for a call that is not there: nobody can ask which calls exist.
    other = re.sub(r"/0367/\d+", "/0367/888888888", good)
    assert answer.text == page(house, re.sub(r"sign=.*", "sign=00", other)).text


def test_a_link_that_is_over_says_so(house):
    console = house.services["console"]
    # The same HMAC, made here: until yesterday.
    until = int(time.time()) - 86400
    text = f"call|0367|{house.call_ids[0]}|{until}"
    sign = hmac.new(LINK_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()[:20]
    answer = page(house, f"{console.url}/call/0367/{house.call_ids[0]}?until={until}&sign={sign}")
    assert answer.status_code == 410 and "over" in plain(answer)


def test_a_right_link_to_no_call(house):
    answer = page(house, link(house, "0367", 888888888))
    assert answer.status_code == 404 and "Savi" not in answer.text
    # The call is there, but it is another enterprise's.
    assert page(house, link(house, "0999", house.call_ids[0])).status_code == 404


def test_the_language(house):
    url = link(house, "0367", house.call_ids[0])
    assert '<html lang="ru">' in page(house, url, **{"Accept-Language": "en"}).text
    english = page(house, url + "&lang=en")
    assert '<html lang="en">' in english.text
    assert "Incoming call answered" in plain(english) and "attended, accepted" in plain(english)
    assert not re.search("[а-яё]{4}", re.sub(r"Русский|Ковалёва|Савицкий|МТС-1", "", plain(english)), re.I)


def test_looking_changes_nothing(house):
    url = link(house, "0367", house.call_ids[0])
    def state():
        return [house.sql(f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) AS sum FROM {table} t")[0]["sum"]
                for table in ("calls", "call_events", "outbox", "telegram_messages")]
    before = state()
    assert page(house, url, **{"User-Agent": "TelegramBot (like TwitterBot)"}).status_code == 200
    head = requests.head(url, timeout=20)
    assert head.status_code == 200 and head.text == ""
    assert requests.post(url, timeout=20).status_code == 405
    assert state() == before
    # What a messenger shows to a whole chat says nothing about the call.
    head = page(house, url).text.partition("</head>")[0]
    assert re.findall("<title>(.*?)</title>", head) == ["Звонок · callweave"] and "og:" not in head


def test_an_open_call_is_shown_as_it_stands_and_keeps_itself_up_to_date(house):
    events = Instance("2-18/raw", scenarios()["2-18/raw"], "token-0367", 3)
    for event, _, body in events.events[:6]:
        assert house.post(event, body).status_code == 200
    house.wait_quiet()
    call = house.calls("0367")[-1]
    url = link(house, "0367", call["call_id"])
    answer = page(house, url)
    assert "идёт разговор" in plain(answer) and 'http-equiv="refresh"' in answer.text
    assert 'http-equiv="refresh"' not in page(house, url + "&live=0").text
    for event, _, body in events.events[6:]:
        assert house.post(event, body).status_code == 200
    wait_until(lambda: "отвечен" in plain(page(house, url)), 10)
    assert 'http-equiv="refresh"' not in page(house, url).text
    house.wait_quiet()


def test_a_call_of_the_past_is_found(house):
    """Its events lie in other partitions than today's, or are gone: then it is drawn from what is known."""
    call_id = house.call_ids[1]
    house.sql("UPDATE call_events SET created_at = created_at - interval '40 days', event_timestamp = event_timestamp "
              "- interval '40 days' WHERE unique_id IN (SELECT unnest(unique_ids) FROM calls WHERE id = %s)", [call_id])
    house.sql("UPDATE calls SET start_time = start_time - interval '40 days', answer_time = answer_time - interval '40 days', "
              "end_time = end_time - interval '40 days', created_at = created_at - interval '40 days', "
              "updated_at = updated_at - interval '40 days' WHERE id = %s", [call_id])
    text = plain(page(house, link(house, "0367", call_id)))
    assert "Звонок пришёл" in text and "другая линия" in text
    house.sql("DELETE FROM call_events WHERE unique_id IN (SELECT unnest(unique_ids) FROM calls WHERE id = %s)", [call_id])
    answer = page(house, link(house, "0367", call_id))
    assert answer.status_code == 200 and "События уже удалены" in plain(answer)
    assert 'class="part talking"' in answer.text


def test_crm_records_and_attempts(house):
    call_id = house.call_ids[0]
    house.sql("INSERT INTO integration_logs (enterprise_number, integration_type, event_type, call_id, request_data, status, "
              "error_message) VALUES ('0367', 'retailcrm', 'hangup', %s, '{\"phone\": \"<b>1\"}', 'error', 'no <i>such</i> customer')",
              [call_id])
    house.sql("INSERT INTO delivery_log (call_id, at, destination, what, enterprise_number, version, outcome, http_status, "
              "words, took_ms) VALUES (%s, now(), 'telegram:77', 'edit', '0367', 3, 'slow_down', 429, 'Too Many Requests', 123)",
              [call_id])
    answer = page(house, link(house, "0367", call_id))
    text = plain(answer)
    assert "retailcrm" in text and "no <i>such</i> customer" in text and "<i>such" not in answer.text
    assert "slow_down" in text and "HTTP 429" in text and "за 123 мс" in text


def test_without_the_database_it_says_so(make_stack):
    stack = make_stack(services=("console",), own_postgres=True).start_all()
    url = link(stack, "0367", 1)
    stack.stop_pg()
    wait_until(lambda: requests.get(url, timeout=20).status_code == 503, 20)
    answer = requests.get(url, timeout=20)
    assert "database does not answer" in plain(answer) and answer.headers["Retry-After"] == "30"
    assert requests.get(stack.url("console") + "/livez", timeout=5).status_code == 200
    stack.start_pg()
    wait_until(lambda: requests.get(url, timeout=20).status_code == 404, 20)


def test_a_role_that_can_only_read_is_enough(make_stack):
    stack = make_stack(services=SERVICES, own_postgres=True).start_all()
    stack.enterprise("0367", locale="en")
    Instance("2-7/emulator", scenarios()["2-7/emulator"], "token-0367", 1).send(stack.post, scale=0.002)
    stack.wait_quiet()
    stack.sql((ROOT / "deploy" / "console-role.sql").read_text())
    stack.sql("ALTER ROLE callweave_console PASSWORD 'reads'")
    console = stack.services["console"]
    assert console.stop() == 0
    console.settings["DATABASE_URL"] = re.sub("//[^@]*@", "//callweave_console:reads@", stack.database_url)
    console.start()
    [call] = stack.calls("0367")
    url = link(stack, "0367", call["call_id"])
    opened = page(stack, url)
    assert "Incoming call answered" in plain(opened)
    customer = html.unescape(re.search(r'href="([^"]*/customer/[^"]*)"', opened.text).group(1))
    assert "Incoming call" in plain(page(stack, requests.compat.urljoin(url, customer)))
    assert stack.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'callweave_console'")[0]["count"] >= 1
    with pytest.raises(Exception, match="permission denied"):
        stack.sql("SET ROLE callweave_console; SELECT bot_token FROM enterprises")


def test_home_and_description(house):
    home = requests.get(house.url("console") + "/", timeout=5)
    assert home.status_code == 200 and "Pages of calls" in home.text
    description = requests.get(house.url("console") + "/openapi.json", timeout=5).json()
    assert set(description["paths"]) == {"/", "/call/{enterprise}/{call_id}", "/customer/{enterprise}/{phone}",
                                         "/openapi.json"}
    style = requests.get(house.url("console") + "/call/static/call.css", timeout=5)
    assert style.status_code == 200 and style.headers["Content-Type"].startswith("text/css")


def test_a_link_needs_a_key():
    environment = {"DATABASE_URL": "postgresql:///none", "PATH": "/usr/bin"}
    done = subprocess.run([str(binaries() / "console"), "--link", "0367", "1"], text=True, capture_output=True,
                          env=environment, timeout=20)
    assert done.returncode == 1 and "CALLWEAVE_LINK_KEY: not set" in done.stderr
    for arguments in (["0367"], ["0367", "x"], ["03/67", "1"], ["0367", "1", "0"], ["0367", "-1"]):
        done = subprocess.run([str(binaries() / "console"), "--link", *arguments], text=True, capture_output=True,
                              env=environment, timeout=20)
        assert done.returncode == 2 and "ENTERPRISE CALL_ID" in done.stderr
