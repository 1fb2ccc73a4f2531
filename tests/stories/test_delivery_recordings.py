"""A link to the recording comes into the final message once the recording exists, whenever that is."""
import time

import pytest

from telling import LINKS, OVER, TALKS, Told, buttons, settings
from waiting import wait_until

BASE = "https://calls.example.org/recordings/file/"
URL = "https://storage.example.org/a.mp3?call=1&part=2"
SETTINGS = {"CALLWEAVE_DISPATCHER_RECORDING_BASE": BASE, **LINKS}


@pytest.fixture
def two(make_stack):
    stack = make_stack(services=("sandbox", "dispatcher"), settings=SETTINGS).start_all()
    stack.no_limits()
    return stack


def text(call, chat=None):
    return call.standing(chat)[-1]["text"]


def linked(call, url, timeout=10, chat=None):
    wait_until(lambda: f'<a href="{url}">' in text(call, chat), timeout, lambda: f"{url} in {text(call, chat)}")


def recorded(stack, call, **columns):
    """What an external recorder does."""
    sets = ", ".join(f"{name} = %s" for name in columns)
    stack.sql(f"UPDATE calls SET {sets} WHERE id = %s", [*columns.values(), call.row()["id"]])


def requests_left(stack):
    return stack.sql("SELECT count(*) AS n FROM recording_requests")[0]["n"]


def test_the_link_comes_within_a_second(two):
    enterprise = two.enterprise("1001", subscribers=[5001])
    call = Told(two, enterprise).until(OVER).until(OVER, 5001)
    two.wait_quiet()
    plain = text(call)
    assert "<a href" not in plain and buttons(call.standing()[-1])
    began = time.monotonic()
    recorded(two, call, call_url=URL)
    linked(call, URL.replace("&", "&amp;"))
    assert time.monotonic() - began < 1.5
    linked(call, URL.replace("&", "&amp;"), chat=5001)
    two.wait_quiet()
    message = call.standing()[-1]
    assert message["text"].startswith(plain) and buttons(message), "all else stays as it was"
    assert len(call.all()) == 1 and requests_left(two) == 0


def test_a_recorded_call_is_found_under_its_token(two):
    call = Told(two, two.enterprise("1002")).until(OVER)
    two.sql("UPDATE calls SET recorded_at = now() WHERE id = %s", [call.row()["id"]])
    linked(call, BASE + str(call.row()["uuid_token"]))


def test_in_mode_replace_it_is_an_edit_without_a_sound(two):
    call = Told(two, two.enterprise("1003", settings=settings(mode="replace"))).until(OVER)
    two.wait_quiet()
    messages = len(call.all())
    recorded(two, call, call_url=URL)
    linked(call, URL.replace("&", "&amp;"))
    assert len(call.all()) == messages


def test_saying_it_again_changes_nothing_and_another_place_is_another_link(two):
    call = Told(two, two.enterprise("1004")).until(OVER)
    for _ in range(3):
        recorded(two, call, call_url="https://storage.example.org/1")
    linked(call, "https://storage.example.org/1")
    wait_until(lambda: requests_left(two) == 0, 10, "no request is left")
    two.wait_quiet()
    versions = call.standing()[-1]["versions"]
    recorded(two, call, recorded_at="2026-01-01")
    wait_until(lambda: requests_left(two) == 0, 10, "no request is left")
    assert call.standing()[-1]["versions"] == versions
    recorded(two, call, call_url="https://storage.example.org/22")
    linked(call, "https://storage.example.org/22")
    assert "org/1" not in text(call)


def test_before_the_end_it_waits_for_the_end(two):
    call = Told(two, two.enterprise("1005")).until(TALKS)
    two.wait_quiet()
    recorded(two, call, call_url="https://storage.example.org/early")
    call.until(OVER)
    linked(call, "https://storage.example.org/early")
    assert requests_left(two) == 0


def test_while_the_dispatcher_is_away(two):
    """The call is in nobody's memory any more; the fold's own memory of it is deleted, too."""
    call = Told(two, two.enterprise("1006")).until(OVER)
    two.wait_quiet()
    two.stop("dispatcher")
    two.sql("DELETE FROM fold_calls")
    recorded(two, call, call_url="https://storage.example.org/late")
    two.start("dispatcher")
    linked(call, "https://storage.example.org/late")


def test_killed_while_the_edit_is_under_way(two):
    call = Told(two, two.enterprise("1007")).until(OVER)
    two.wait_quiet()
    two.sandbox("faults", service="telegram", path="editMessageText", delay_ms=60_000, times=1)
    recorded(two, call, call_url="https://storage.example.org/k")
    wait_until(lambda: requests_left(two) == 0, 10, "the dispatcher has taken it up")
    two.kill9("dispatcher")
    two.clear_faults()
    two.start("dispatcher")
    linked(call, "https://storage.example.org/k", 20)
    two.wait_quiet()


def test_what_is_older_than_two_days_stays_as_it_is(two):
    call = Told(two, two.enterprise("1008")).until(OVER)
    two.wait_quiet()
    versions = call.standing()[-1]["versions"]
    two.sql("UPDATE telegram_messages SET sent_at = now() - interval '48 hours'")
    recorded(two, call, call_url=URL)
    wait_until(lambda: requests_left(two) == 0, 10, "no request is left")
    two.wait_quiet()
    assert call.standing()[-1]["versions"] == versions


def test_requests_of_calls_that_never_end_are_forgotten(two):
    call = Told(two, two.enterprise("1009")).until(TALKS)
    two.wait_quiet()
    recorded(two, call, call_url=URL)
    two.stop("dispatcher")
    two.sql("UPDATE recording_requests SET created_at = now() - interval '49 hours'")
    two.start("dispatcher")
    wait_until(lambda: requests_left(two) == 0, 20, "the request is forgotten")


def test_what_is_no_link_is_not_shown(two):
    call = Told(two, two.enterprise("1010")).until(OVER)
    two.wait_quiet()
    recorded(two, call, call_url="javascript:alert(1)")
    wait_until(lambda: requests_left(two) == 0, 10, "no request is left")
    two.wait_quiet()
    assert "javascript" not in text(call)


def test_a_deleted_message_does_not_come_back_for_it(two):
    enterprise = two.enterprise("1011")
    call = Told(two, enterprise).until(OVER)
    two.wait_quiet()
    shown = call.standing()[-1]
    body = {"chat_id": shown["chat_id"], "message_id": shown["message_id"]}
    two.session().post(f"{two.url('sandbox')}/bot{enterprise['bot_token']}/deleteMessage", json=body, timeout=10)
    recorded(two, call, call_url=URL)
    wait_until(lambda: requests_left(two) == 0, 10, "no request is left")
    two.wait_quiet()
    assert call.standing() == []
