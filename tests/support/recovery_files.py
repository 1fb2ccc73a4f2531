"""Files as hosts keep them, and uploads of them, signed as docs/protocol/recovery.md says."""
import gzip
import hashlib
import hmac
import json
import sqlite3
import time

import requests

OK = "<Response [200]>"


def lines(events):
    """`events`: (type, time, body)."""
    return "".join(json.dumps({"event": event, "time": when, "body": body}, ensure_ascii=False) + "\n"
                   for event, when, body in events).encode()


def sqlite(path, events, status="Timeout", table="AlternativeAPIlogs"):
    """The host's own record; `status` is that of each attempt."""
    with sqlite3.connect(path) as base:
        base.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, DateTime, event, Uniqueid, request, status, "
                     "response, responseTime)")
        base.executemany(
            f"INSERT INTO {table} (DateTime, event, Uniqueid, request, status) VALUES (?, ?, ?, ?, ?)",
            [(when, event, body.get("UniqueId", ""), json.dumps(body), status) for event, when, body in events])
    base.close()
    return path.read_bytes()


def headers(body, token, secret, stamp=None, progress=False):
    stamp = str(int(time.time()) if stamp is None else stamp)
    text = f"{stamp}.{hashlib.sha256(body).hexdigest()}"
    sign = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    found = {"Token": token, "X-Callweave-Timestamp": stamp, "X-Callweave-Signature": f"v1={sign}"}
    return {**found, "Accept": "application/x-ndjson"} if progress else found


def upload(stack, body, token, secret, **options):
    timeout = options.pop("timeout", 120)
    return requests.post(stack.url("ingest") + "/recovery/events", data=body,
                         headers=headers(body, token, secret, **options), timeout=timeout)


def packed(body):
    return gzip.compress(body, 9)
