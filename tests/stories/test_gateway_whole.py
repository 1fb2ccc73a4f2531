"""From the log of events to what 8020 keeps for each CRM: the dispatcher and the real integration-cache."""
import json

import pytest

from eventlog import Log
from telling import OVER, RINGS, TALKS, Told, followed
from waiting import wait_until

CONFIG = json.dumps({"uon": {"enabled": True, "api_key": "k"}, "webhook": {"enabled": True, "url": "http://127.0.0.1:9/"}})


@pytest.fixture
def suite(make_stack):
    stack = make_stack(services=("sandbox", "dispatcher", "integration-cache")).start_all()
    stack.no_limits()
    return stack


def deliveries(stack, number):
    """{crm: [kind...]} in order."""
    rows = stack.sql("SELECT crm, kind FROM crm_deliveries WHERE enterprise_number = %s ORDER BY id", [number])
    found = {}
    for row in rows:
        found.setdefault(row["crm"], []).append(row["kind"])
    return found


def wait_deliveries(stack, number, *kinds):
    wait_until(lambda: deliveries(stack, number).get("webhook") == list(kinds), 20,
               lambda: f"{deliveries(stack, number)}\n{stack.services['dispatcher'].tail(5)}\n"
                       f"{stack.services['integration-cache'].tail(5)}")


def test_each_event_becomes_one_delivery_a_crm(suite):
    enterprise = suite.enterprise("1001", integrations_config=CONFIG)
    followed(suite, enterprise)
    told = Told(suite, enterprise)
    told.until(RINGS)
    wait_deliveries(suite, "1001", "ringing")
    told.until(TALKS)
    wait_deliveries(suite, "1001", "ringing", "answered")
    told.until(OVER)
    wait_deliveries(suite, "1001", "ringing", "answered", "hangup")
    suite.wait_quiet()
    row = told.row()
    stored = suite.sql("SELECT payload, call_key, trace_id FROM crm_deliveries WHERE crm = 'webhook' AND kind = 'hangup'")[0]
    assert stored["call_key"] == row["unique_id"] and stored["payload"]["call_id"] == row["id"]
    assert stored["payload"]["result"] == "talked" and stored["payload"]["talkers"] == ["151"]
    assert stored["trace_id"] == "trace-of-the-story"
    Log(suite, enterprise).play("3-1/emulator")
    suite.wait_quiet()
    assert len(deliveries(suite, "1001")["webhook"]) == 3, "an internal call is nobody's business"


def test_both_are_killed_and_every_event_is_there_once(suite):
    enterprise = suite.enterprise("1002", integrations_config=CONFIG)
    followed(suite, enterprise)
    log = Log(suite, enterprise)
    for turn in range(6):
        log.play("2-3/emulator")
        suite.kill9(("dispatcher", "integration-cache")[turn % 2])
        log.play("1-1/emulator")
        suite.start(("dispatcher", "integration-cache")[turn % 2])
    suite.wait_quiet(60)
    rows = suite.sql("""SELECT call_key, string_agg(kind, ' ' ORDER BY id) AS kinds FROM crm_deliveries
                        WHERE enterprise_number = '1002' AND crm = 'webhook' GROUP BY 1""")
    assert len(rows) == 12
    assert {row["kinds"] for row in rows} <= {"ringing answered hangup", "hangup"}, rows
