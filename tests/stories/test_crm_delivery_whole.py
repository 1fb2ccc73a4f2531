"""From 8020 through true adapters to CRMs as the sandbox plays them, with their limits, and an adapter that is killed."""
import json

import pytest
import requests

from crm_office import Office
from waiting import wait_until

RETAIL, UON = "k9DfW3eXampleKeyOfRetailCrm77", "Uk7ExampleKey0fUon93x"
USERS = [{"id": "16", "name": "Анна Ковалёва", "code": "150"}, {"id": "17", "name": "Игорь Савицкий", "code": "151"}]
CALLS = 24
ENDED = {"rang": ["150", "151"], "talkers": ["151"], "extension": "151", "answered_at": 1763740812000,
         "ended_at": 1763740907000, "wait_seconds": 12, "talk_seconds": 95}


@pytest.fixture
def office(make_stack):
    office = Office(make_stack, {}, {"CALLWEAVE_CRM_MIRROR_SECONDS": "86400"},
                    services=("sandbox", "integration-cache", "retailcrm", "uon")).start()
    sandbox, people = office.stack.url("sandbox"), {"16": "150", "17": "151"}
    for crm, key in (("retailcrm", RETAIL), ("uon", UON)):
        office.stack.sandbox("crm/accounts", crm=crm, key=key, name="june", users=USERS, customers=[])
    office.row = office.stack.enterprise("0367", integrations_config=json.dumps({
        "retailcrm": {"enabled": True, "domain": sandbox, "api_key": RETAIL, "user_extensions": people},
        "uon": {"enabled": True, "api_url": sandbox, "api_key": UON, "user_extensions": people}}))
    wait_until(lambda: office.post(office.body(office.row, "probe", "dial", origin="download")).status_code == 200, 5,
               "8020 knows the enterprise")
    return office


def shown(office, crm, key):
    answer = requests.get(f"{office.stack.url('sandbox')}/_sandbox/crm/calls", params={"crm": crm, "key": key}, timeout=10)
    return answer.json()


def test_within_the_limits_of_each_crm_nothing_is_lost_also_when_an_adapter_dies(office):
    """§8.4 check 4: U-ON takes ten requests a second and answers 429 without a Retry-After."""
    for n in range(CALLS):
        who = {"phone": f"+37529111{n:04}", "started_at": 1763740800000 + n * 60000}
        for event, call in (("dial", {"rang": ["150"], "ringing": ["150"]}), ("hangup", ENDED)):
            assert office.dispatch(office.row, f"call.{n}", event, call={**call, **who})["queued"] == 2
        if n == CALLS // 2:
            office.stack.kill9("retailcrm")
            office.stack.stop("uon")  # politely: U-ON has no external ids, and would have what was under way twice
            office.stack.start("uon")
            office.stack.start("retailcrm")
    office.wait_told(90)
    assert not office.rows("state = 'dead'"), office.rows("state = 'dead'", "crm, kind, last_error")
    for crm, key in (("retailcrm", RETAIL), ("uon", UON)):
        calls = {call["phone"]: call for call in shown(office, crm, key) if call["entries"]}
        assert len(calls) == CALLS, f"{crm}: {sorted(calls)}"
        for call in calls.values():
            assert (call["entries"], call["user"], call["duration"]) == (1, "17", 95), (crm, call)
    too_fast = office.stack.sql("SELECT count(*) FROM integration_logs WHERE http_status IN (429, 503)")
    assert too_fast[0]["count"] <= 4, "the rate is kept, and not found out by refusals"
