"""A telephone day of pbx_model as rows of the event log: whole, or with a part that comes afterwards."""
import io
import json
import subprocess
from datetime import datetime, timezone

import psycopg2

from process import binaries

BIN = binaries()
COLUMNS = "shard, enterprise_number, unique_id, event_type, event_timestamp, data_source, raw_data"


def events(calls, seed=1, *options):
    """[(t_ms, event, body)] in the order of posting."""
    out = subprocess.run([str(BIN / "pbx_model"), "--calls", str(calls), "--seed", str(seed), *map(str, options)],
                         check=True, text=True, capture_output=True).stdout
    rows, last = [], 0
    for row in map(json.loads, out.splitlines()):
        last = max(row["t_ms"], last + 1)  # a host posts one after another
        rows.append((last, row["event"], row["body"]))
    return rows


def moment(t_ms):
    return datetime.fromtimestamp(t_ms / 1000, timezone.utc).isoformat(timespec="milliseconds")


def escape(text):
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def insert(url, tenant, rows, source="live", after=None):
    """Put events into the log in one transaction, as ingest does; `after` is a last statement of it."""
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT enterprise_shard(%s)", [tenant])
            shard = str(cursor.fetchone()[0])
            lines = io.StringIO("".join(
                "\t".join([shard, tenant, escape(body.get("UniqueId") or ""), event, moment(t_ms), source,
                           escape(json.dumps(body, ensure_ascii=False))]) + "\n" for t_ms, event, body in rows))
            cursor.copy_expert(f"COPY call_events ({COLUMNS}) FROM STDIN", lines)
            if after:
                cursor.execute(*after)
    finally:
        connection.close()


def recover(url, tenant, rows, reason="recovery upload 1"):
    """What POST /recovery/events does in the end: the events, and the request to fold them."""
    span = [moment(min(row[0] for row in rows)), moment(max(row[0] for row in rows))]
    insert(url, tenant, rows, "recovery", (
        "INSERT INTO refold_requests (enterprise_number, shard, from_at, to_at, reason)"
        " VALUES (%s, enterprise_shard(%s), %s, %s, %s)", [tenant, tenant, *span, reason]))


def folded(url):
    """As if a dispatcher had seen all of the log: for what works without one."""
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("UPDATE fold_cursors SET (tx, id, at) = (SELECT tx, id, created_at FROM call_events"
                           " ORDER BY tx DESC, id DESC LIMIT 1)")
    finally:
        connection.close()
