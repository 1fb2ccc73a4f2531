"""From a host's file to the calls: a day of which 3 % never arrived is the whole day once its SQLite file is uploaded."""
import time
from datetime import datetime, timedelta, timezone

import recovery_files as files
import pbx_day
from test_recovery_fold import LINGER, lose, wait_forgotten, wait_refolded

SECRET = "s3cret of the torn one"
MINSK = timezone(timedelta(hours=3))
SAME = ("direction", "answered", "external", "caller", "callee", "talkers", "rang", "line", "transfers", "state", "unique_ids")
MOMENTS = ("started_at", "answered_at", "ended_at")


def as_noted(rows):
    """As a host has it in its file: whole seconds of its own zone, in the order of posting."""
    return [(event, datetime.fromtimestamp(t_ms // 1000, MINSK).strftime("%Y-%m-%d %H:%M:%S"), body) for t_ms, event, body in rows]


def report(stack, tenant):
    return {tuple(sorted(row["unique_ids"])): row for row in stack.sql("SELECT * FROM call_report WHERE enterprise = %s", [tenant])}


def apart(one, other):
    """Seconds between two moments of a report."""
    if one is None or other is None:
        return 0 if one is other else float("inf")
    return abs((one - other).total_seconds())


def test_a_torn_day_is_whole_after_the_upload_of_its_file(make_stack, tmp_path):
    stack = make_stack(services=("sandbox", "ingest", "dispatcher"), settings=LINGER).start_all()
    stack.no_limits()
    whole = stack.enterprise("0367", chat_id=None)
    torn = stack.enterprise("0368", name2="375290000367", secret=SECRET, zone="Europe/Minsk")
    rows = pbx_day.events(600, 17, "--start", int(time.time() - 8 * 3600) * 1000, "--rate", 10)
    came, _lost = lose(rows, 23)
    pbx_day.insert(stack.database_url, whole["number"], rows)
    pbx_day.insert(stack.database_url, torn["number"], came)
    wait_forgotten(stack)
    expected = report(stack, "0367")
    assert report(stack, "0368").keys() != expected.keys(), "nothing was missed: the story proves nothing"

    body = files.packed(files.sqlite(tmp_path / "day.db", as_noted(rows)))
    result = files.upload(stack, body, torn["name2"], SECRET).json()
    assert (result["found"], result["new"], result["bad"]) == (len(rows), len(rows) - len(came), 0)
    assert wait_refolded(stack)[0]["state"] == "done"
    found = report(stack, "0368")
    assert found.keys() == expected.keys()
    wrong = [(name, expected[key][name], found[key][name]) for key in expected for name in SAME
             if found[key][name] != expected[key][name]]
    assert not wrong, f"{len(wrong)} of {len(expected)} calls: {wrong[:5]}"
    late = [(name, expected[key][name], found[key][name]) for key in expected for name in MOMENTS
            if apart(found[key][name], expected[key][name]) > 2]
    assert not late, late[:5]
    again = files.upload(stack, body, torn["name2"], SECRET).json()
    assert (again["new"], again["known"]) == (0, len(rows))
