"""The scan for secrets can see: what is leaked on purpose, at each place where somebody could read it, fails the stack."""
import json

import pytest
import requests

from crm_adapter import deliver, enterprise
from fake_crm import FakeCrm

KEY = "k9DfW3eXample/Key+OfRetailCrm77"
SPELLED = "k9DfW3eXample%2FKey%2BOfRetailCrm77"  # in an address
FIRST = "first-refresh-token-0000001"


@pytest.fixture(scope="module")
def stack(module_stack):
    """An adapter, and 8020 beside it. What a story shows on purpose it takes away again."""
    with FakeCrm() as crm:
        stack = module_stack(("retailcrm", "integration-cache"), settings={"CALLWEAVE_CRM_MIRROR_SECONDS": "86400"}).start_all()
        crm.on("/", {"success": True, "customers": [], "processedCallsCount": 1})
        enterprise(stack, retailcrm={"enabled": True, "domain": crm.url, "api_key": KEY, "user_extensions": {"17": "151"}})
        yield stack


def shown(stack):
    return stack.secrets.in_logs(stack.logs()) + stack.secrets.in_tables(stack.sql) + stack.secrets.in_answers()


def test_what_an_adapter_does_with_a_key_is_nowhere_to_be_read(stack):
    assert deliver(stack, "retailcrm", call={"talkers": ["151"]})["outcome"] == "done"
    assert KEY in stack.secrets.secrets and shown(stack) == []


def test_a_key_in_the_log_of_an_adapter_is_found(stack):
    log = stack.services["retailcrm"].log
    assert log in stack.logs() and log.read_text(), "the adapter writes there"
    with open(log, "a") as file:
        file.write(json.dumps({"message": f"GET https://crm.example/api/v5/customers?apiKey={KEY}"}) + "\n")
    assert shown(stack) == ["retailcrm.log shows 0367.retailcrm.api_key"]
    log.write_text("")


def test_a_key_as_an_address_spells_it_is_found(stack):
    log = stack.services["retailcrm"].log
    log.write_text(f"GET /api/v5/customers?apiKey={SPELLED}\n")
    assert shown(stack) == ["retailcrm.log shows 0367.retailcrm.api_key"]
    log.write_text("")


def test_the_log_of_a_second_instance_is_read_too(stack):
    folder = stack.folder / "second"
    folder.mkdir()
    (folder / "retailcrm.log").write_text(KEY)
    assert shown(stack) == ["retailcrm.log shows 0367.retailcrm.api_key"]
    (folder / "retailcrm.log").unlink()


@pytest.mark.parametrize("key", [KEY, SPELLED])
@pytest.mark.parametrize("column", ["request_data", "response_data", "error_message"])
def test_a_key_in_the_journal_is_found(stack, column, key):
    leak = f"apiKey={key}"
    value = leak if column == "error_message" else json.dumps({"body": {"echo": [leak]}})
    stack.sql(f"INSERT INTO integration_logs (enterprise_number, integration_type, event_type, status, {column})"
              " VALUES ('0367', 'retailcrm', 'hangup', 'error', %s)", [value])
    found = shown(stack)
    assert found and all(line.startswith("table integration_logs") and line.endswith("shows 0367.retailcrm.api_key") for line in found)
    stack.sql("DELETE FROM integration_logs")


@pytest.mark.parametrize("table, statement", [
    ("crm_calls", "INSERT INTO crm_calls (enterprise_number, crm, call_key, memory) VALUES ('0367', 'retailcrm', 'k', %s)"),
    ("customers", "INSERT INTO customers (enterprise_number, phone_e164, meta) VALUES ('0367', '+375291112233', %s)"),
])
def test_a_key_in_another_table_is_found(stack, table, statement):
    stack.sql(statement, [json.dumps({"note": KEY})])
    assert f"table {table} shows 0367.retailcrm.api_key" in shown(stack)
    stack.sql(f"DELETE FROM {table}")


def test_a_token_that_was_renewed_since_is_still_a_secret(stack):
    """Stack.sandbox() tells the scan what a CRM was given, whatever stands in crm_oauth in the end."""
    body = {"crm": "bitrix24", "key": "portal-of-june", "refresh_token": FIRST}
    stack.secrets.add_config("bitrix24 at the sandbox", body)
    stack.services["retailcrm"].log.write_text(f"renewing with {FIRST}\n")
    assert shown(stack) == ["retailcrm.log shows bitrix24 at the sandbox.refresh_token"]
    stack.services["retailcrm"].log.write_text("")


def test_an_answer_that_shows_a_key_is_found(stack):
    """8020 shows it to our own processes only: the scan leaves those answers out, and would see it in any other."""
    url = stack.url("integration-cache") + "/config/0367/retailcrm"
    ours = requests.get(url, headers={"X-Callweave-Secret": stack.services["retailcrm"].settings["CALLWEAVE_INTERNAL_SECRET"]}, timeout=5)
    assert KEY in ours.text and shown(stack) == []
    requests.get(url, timeout=5)
    assert shown(stack) == []
    stack.secrets.answers.append(("GET /config/0367/retailcrm", ours.text))
    assert shown(stack) == ["the answer to GET /config/0367/retailcrm shows 0367.retailcrm.api_key"]
    stack.secrets.answers.clear()


def test_a_stack_that_leaked_does_not_close_well(make_stack):
    stack = make_stack(("integration-cache",)).start_all()
    stack.enterprise("0367", integrations_config=json.dumps({"uon": {"enabled": True, "api_key": KEY}}))
    stack.sql("INSERT INTO integration_logs (enterprise_number, integration_type, event_type, status, error_message)"
              " VALUES ('0367', 'uon', 'hangup', 'error', %s)", [f"https://api.u-on.ru/{KEY}/user.json: 500"])
    with pytest.raises(AssertionError, match="integration_logs.* shows 0367.uon.api_key"):
        stack.close()
    stack.sql("DELETE FROM integration_logs")
