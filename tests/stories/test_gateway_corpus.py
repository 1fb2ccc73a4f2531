"""Every captured call, as CRMs are told of it: internal ones never, others from their first to their last event once."""
import json

import pytest

import corpus
from eventlog import SCENARIOS, Log
from fake_gateway import FakeGateway, kind

CRM = json.dumps({"uon": {"enabled": True}})


@pytest.fixture(scope="module", params=["behind", "live"])
def told(request, module_stack):
    """Each scenario, a tenant each; all of it lies there when the dispatcher comes, or it comes event by event."""
    with FakeGateway() as gateway:
        stack = module_stack(services=("sandbox", "dispatcher"),
                             settings={"CALLWEAVE_DISPATCHER_GATEWAY_URL": gateway.url})
        stack.start("sandbox")
        stack.no_limits()
        played, instances = {}, {}
        for number, name in enumerate(sorted(SCENARIOS)):
            enterprise = stack.enterprise(f"1{number:03d}", integrations_config=CRM, chat_id=None)
            played[name], instances[name] = enterprise, Log(stack, enterprise)
        if request.param == "live":
            stack.start("dispatcher")
        for name, log in instances.items():
            log.play(name)
        if request.param != "live":
            stack.start("dispatcher")
        stack.wait_quiet(60)
        yield stack, gateway, played


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_its_external_calls_and_no_others(told, name):
    stack, gateway, played = told
    enterprise = played[name]
    rows = stack.sql("SELECT * FROM calls WHERE enterprise_id = %s AND state IN ('ended', 'lost')", [enterprise["number"]])
    external = {row["id"]: row for row in rows if row["direction"] in ("incoming", "outgoing")}
    calls = {}
    for body in gateway.of(enterprise):
        calls.setdefault(body["call"].get("call_id", 0), []).append(body)
    assert set(external) <= set(calls), "a call was not told"
    stray = [call for call in set(calls) - set(external) if "hangup" in map(kind, calls[call])]
    assert not stray, "an internal call, or one that is none, was told to its end"
    for call_id, row in external.items():
        kinds = [kind(body) for body in calls[call_id]]
        assert kinds.count("hangup") == 1, kinds
        assert kinds == sorted(kinds, key=lambda name: ["dial", "answer", "hangup", "recovered"].index(name.split(":")[0])) \
            or "dial:1" in kinds or "answer:1" in kinds, kinds
        assert len({body["uniqueId"] for body in calls[call_id]}) == 1
        last = calls[call_id][-1]["call"]
        assert (last["result"] == "talked") == (row["answered"] and row["state"] == "ended")
        assert last.get("talkers", []) == row["talkers"] and last.get("phone", "") == (row["phone_number"] or "")
        assert last["ended_at"] == round(row["end_time"].timestamp() * 1000)


def test_what_is_told_anew_afterwards_is_rare(told):
    """An end that is corrected while the call is still remembered: no more than these captured ones."""
    _stack, gateway, played = told
    again = {name for name, enterprise in played.items() if any(one.startswith("recovered") for one in gateway.kinds(enterprise))}
    assert len(again) <= len(SCENARIOS) // 20, sorted(again)


def test_the_corpus_is_whole(told):
    assert len(corpus.scenarios()) == len(told[2])
