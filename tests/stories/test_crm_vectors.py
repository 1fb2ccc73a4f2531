"""Check one of the acceptance of CRMs: what an event as of old (POST /dispatch/call-event with raw alone) becomes at each CRM."""
import pytest

from crm_firm import CARDS, CODES, Firm, digits, last_id, log_of, mirrored, of, person, popups

PHONE = "375291112233"


@pytest.fixture(scope="module")
def stack(module_stack):
    stack = module_stack(("sandbox", "integration-cache", *CODES), settings={"CALLWEAVE_CRM_MIRROR_SECONDS": "86400"}).start_all()
    stack.sandbox("limits", crm="all", enabled=False)
    return stack


@pytest.fixture(scope="module")
def june(stack):
    return Firm(stack, "7001")


# raw, direction, number, who has a popup, whose call it is. Mended: nobody is taken for the one who answered because he
# rang first; 152 is, whom the event names; a national number is spelled in full.
VECTORS = {
    "two ring, nobody says who answered": ({"CallType": 0, "Phone": PHONE, "Extensions": ["150", "151"]},
                                           "in", PHONE, {"150", "151"}, ""),
    "out, by the caller's number": ({"CallType": 1, "Phone": PHONE, "CallerIDNum": "150", "Extensions": ["151"]},
                                    "out", PHONE, {"150"}, "150"),
    "out, by the extensions": ({"CallType": 1, "Phone": PHONE, "Extensions": ["151"]}, "out", PHONE, {"151"}, "151"),
    "two rang, a third answered": ({"CallType": 0, "Phone": PHONE, "Extensions": ["150", "151"], "ConnectedLineNum": "152"},
                                   "in", PHONE, {"150", "151"}, "152"),
    "out without a kind, a national number": ({"Phone": "80291112233", "CallerIDNum": "150", "Extensions": ["80291112233"]},
                                              "out", PHONE, {"150"}, "150"),
    "in without a kind": ({"CallerIDNum": f"+{PHONE}", "Phone": f"+{PHONE}", "Extensions": ["150"]},
                          "in", PHONE, {"150"}, "150"),
    "in, the number is withheld": ({"CallType": 0, "CallerIDNum": "anonymous", "Extensions": ["150"]}, "in", "", {"150"}, "150"),
    "an empty event": ({}, "in", "", set(), ""),
}


@pytest.mark.parametrize("name", VECTORS)
def test_one_direction_number_and_extension(june, name):
    raw, direction, number, ringing, who = VECTORS[name]
    uid, minute = f"17956{list(VECTORS).index(name):05}.1", list(VECTORS).index(name)
    raw = {**raw, "StartTime": f"2026-11-21 10:{minute:02}:00"}  # U-ON tells calls apart by number and second
    assert june.dispatch(uid, "dial", raw).json()["success"] is True
    june.told()
    for program in CARDS:
        rang = [popups(call) for call in june.calls(program) if call["external_id"].endswith(uid)]
        assert set().union(*rang) - {"199"} == ringing, f"{program}: {rang}"
    assert june.dispatch(uid, "hangup", {**raw, "CallStatus": "2"}).json()["success"] is True
    for program, call in of(june.told(), uid).items():
        assert (call["direction"], digits(call), person(call)) == (direction, number, who), f"{program}: {call}"
        assert call["entries"] == 1 and all(popups(call).values()), f"{program}: {call}"


@pytest.mark.parametrize("raw", [
    {"CallType": 2, "CallerIDNum": "151", "Extensions": ["152"]},
    {"CallType": 2, "Phone": "151", "Extensions": ["152"]},
])
def test_one_and_nine_an_internal_call_is_nobodys(stack, june, raw):
    uid = f"1795700000.{'1' if 'Phone' in raw else '2'}"
    mirrored(stack)
    since = last_id(stack)
    for event in ("dial", "hangup"):
        assert june.dispatch(uid, event, {**raw, "CallStatus": "2"}).json() == {"success": True, "queued": 0}
    june.told()
    assert log_of(stack, since) == []
