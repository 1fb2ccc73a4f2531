"""The page of a customer: all channels in one list, behind a signed link that only pages of calls give."""
import html
import json
import re

import pytest
import requests

from test_call_page import link
from waiting import wait_until

PEER, LINE = "+33612345678", "+33184800000"
EVIL = '<script>document.title="pwned"</script>'


def add(stack, unique_id, kind, body):
    stack.sql("SELECT call_event_add('0367', %s, %s, %s::jsonb)", [unique_id, kind, json.dumps(body)])


def talk(stack, call):
    """A call that the voice agent answers, as hooks tells it; two turns."""
    about = {"UniqueId": call, "Phone": PEER, "CallType": 0, "Trunk": LINE}
    sides = [{"UniqueId": f"{call}:agent", "CallerIDNum": "agent", "ConnectedLineNum": PEER},
             {"UniqueId": call, "CallerIDNum": PEER, "ConnectedLineNum": "agent"}]
    add(stack, call, "start", about)
    add(stack, call, "bridge", [{**side, "BridgeUniqueid": f"{call}:agent", "Channel": "Twilio/x-1", "Exten": ""} for side in sides])
    add(stack, call, "hangup", [{**about, "Extensions": ["agent"], "CallStatus": "2", "StartTime": "", "EndTime": ""},
                                {"Event": "recording", "UniqueId": call, "Url": "https://api.twilio.com/RE1"}])
    for turn, (heard, reply, error) in enumerate((("Bonjour " + EVIL, "Nous ouvrons à neuf heures.", ""),
                                                  ("Et dimanche ?", "", "the engine failed")), 1):
        stack.sql("""INSERT INTO call_turns (call_sid, enterprise_number, turn, engine, user_text, reply_text, recognise_ms,
            think_ms, speak_ms, total_ms, interrupted, error) VALUES (%s, '0367', %s, 'builtin', %s, %s, 210, 15, 120, 345, true, %s)""",
                  [call, turn, heard, reply, error])


def text(stack, enterprise, peer, body, direction="in", channel="sms", status="received"):
    thread = stack.sql("""INSERT INTO threads (enterprise_number, channel, peer) VALUES (%s, %s, %s)
        ON CONFLICT (enterprise_number, channel, peer) DO UPDATE SET title = '' RETURNING id""", [enterprise, channel, peer])[0]
    stack.sql("""INSERT INTO messages (thread_id, enterprise_number, direction, provider, body, status)
        VALUES (%s, %s, %s, 'twilio', %s, %s)""", [thread["id"], enterprise, direction, body, status])


@pytest.fixture(scope="module")
def house(module_stack):
    stack = module_stack(services=("sandbox", "dispatcher", "console")).start_all()
    stack.enterprise("0367", name="june", zone="Europe/Minsk", locale="ru")
    stack.enterprise("0999", name="other")
    stack.no_limits()
    talk(stack, "CA1")
    stack.wait_quiet()
    text(stack, "0367", PEER, "un message " + EVIL)
    text(stack, "0367", PEER, "notre réponse", "out", "whatsapp", "delivered")
    text(stack, "0999", PEER, "of another enterprise")
    text(stack, "0367", "+33699999999", "of another customer")
    stack.sql("INSERT INTO customers (enterprise_number, phone_e164, enterprise_name) VALUES ('0367', %s, %s) "
              "ON CONFLICT (enterprise_number, phone_e164) DO UPDATE SET enterprise_name = excluded.enterprise_name",
              [PEER, "Zoé " + EVIL])
    stack.call = stack.calls("0367")[0]["call_id"]
    stack.call_page = link(stack, "0367", stack.call)
    found = re.search(r'href="([^"]*/customer/[^"]*)"', requests.get(stack.call_page, timeout=20).text)
    assert found, "the page of the call leads to the customer"
    stack.customer_page = requests.compat.urljoin(stack.call_page, html.unescape(found.group(1)))
    return stack


def shown(stack, **query):
    answer = requests.get(stack.customer_page.replace("lang=ru", query.pop("lang", "lang=ru")), timeout=20)
    assert answer.status_code == 200, answer.text
    return answer


def plain(answer):
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text)))


def test_all_channels_are_one_list_newest_first(house):
    answer = shown(house)
    words = plain(answer)
    places = [words.index(part) for part in ("notre réponse", "un message", "Входящий звонок", "Et dimanche ?")]
    assert places == sorted(places), words
    assert "Голосовой помощник" in words and "WhatsApp" in words and "доставлено" in words
    assert "ответ через 345 мс, распознавание 210, обдумывание 15, речь 120" in words
    assert "ответ прерван клиентом" in words and "the engine failed" in words
    assert "another" not in words, "neither another's texts nor another enterprise's"
    assert answer.text.count('class="latency"') == 2 and 'href="https://api.twilio.com/RE1"' in answer.text


def test_what_others_wrote_is_shown_as_they_wrote_it(house):
    answer = shown(house)
    assert "<script" not in answer.text and EVIL in html.unescape(answer.text)
    assert answer.headers["Cache-Control"] == "private, no-store" and "noindex" in answer.headers["X-Robots-Tag"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"] and "style=" not in answer.text
    assert "Zoé" not in re.search("<title>(.*)</title>", answer.text).group(1)


def test_it_speaks_english_too_and_leads_back_to_the_call(house):
    answer = shown(house, lang="lang=en")
    words = plain(answer)
    assert "Voice agent" in words and "answered after 345 ms" in words and not re.search("[а-я]{4}", words.replace("Русский", ""))
    back = html.unescape(re.search(r'href="([^"]*/call/[^"]*)"', answer.text.split("<main")[1]).group(1))
    page = requests.get(requests.compat.urljoin(house.customer_page, back), timeout=20)
    assert page.status_code == 200 and "Голосовой помощник" in plain(page)


def test_only_the_signed_link_opens_it(house):
    good = house.customer_page
    assert requests.get(good, timeout=20).status_code == 200
    for wrong in (good.replace("33612345678", "33699999999"), good.replace("/0367/", "/0999/"), good.split("?")[0],
                  good.replace("sign=", "sign=0"), good.replace("until=", "until=9"), good.replace("/customer/", "/call/"),
                  good.replace("33612345678", "033612345678"), good.replace("33612345678", "%2B33612345678"),
                  house.call_page.replace("/call/", "/customer/")):
        answer = requests.get(wrong, timeout=20)
        assert answer.status_code == 403 and "june" not in answer.text, wrong


def test_a_page_for_a_stranger_is_empty_not_missing(house):
    house.sql("UPDATE calls SET phone_number = '+33611111111' WHERE id = %s", [house.call])
    found = re.search(r'href="([^"]*/customer/[^"]*)"', requests.get(house.call_page, timeout=20).text)
    url = requests.compat.urljoin(house.call_page, html.unescape(found.group(1)))
    house.sql("UPDATE calls SET phone_number = %s WHERE id = %s", [PEER, house.call])
    answer = requests.get(url, timeout=20)
    assert answer.status_code == 200 and "ещё ничего не было" in plain(answer)
