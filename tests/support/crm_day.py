"""A telephone day of several enterprises, each with all CRMs: played to ingest, then held against the CRMs' journals."""
import heapq
import json
import random
import re
import subprocess
import threading
import time
import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

import requests

from process import binaries

CODES = {"retailcrm": "retailcrm", "uon": "uon", "moysklad": "ms", "bitrix24": "bitrix24"}  # program -> code
MINSK = ZoneInfo("Europe/Minsk")


def employee(extension):
    """MoySklad's employees are UUIDs, the same for the same extension."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, extension))


def hurried(text, now_ms, speed):
    """The same day, its people `speed` times as fast: all that the PBX's clock says is put closer to the beginning."""
    def moment(ms):
        return now_ms + (ms - now_ms) / speed

    def unique_id(found):
        return f"{moment(int(found[1]) * 1000) / 1000:.0f}.{found[2]}"

    def local(found):
        at = datetime.strptime(found[0], "%Y-%m-%d %H:%M:%S").replace(tzinfo=MINSK)
        return datetime.fromtimestamp(moment(at.timestamp() * 1000) / 1000, MINSK).strftime("%Y-%m-%d %H:%M:%S")

    if speed == 1:
        return text
    text = re.sub(r"\b(1[0-9]{9})\.([0-9]+)\b", unique_id, text)
    return re.sub(r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8}\b", local, text)


class Shop:
    """An enterprise with its keys at the CRMs, and its part of the day."""

    def __init__(self, index, calls, rate, seed):
        self.number = f"7{index:03}"
        self.token = f"37529{index:07}"
        self.index = index
        secret = random.Random(f"keys of {seed}/{index}")
        self.keys = {program: f"{program}-key-{index:03}-{secret.getrandbits(96):024x}" for program in CODES}
        self.remap = f"remap-token-{index:03}-{secret.getrandbits(96):024x}"
        self.hook = str(uuid.UUID(int=secret.getrandbits(128)))
        self.calls, self.rate, self.seed = calls, rate, seed

    def write(self, folder, start_ms, speed):
        """What its PBX will post, as (seconds since the beginning, event, body), and the truth of it."""
        truth = folder / f"truth-{self.number}.jsonl"
        out = subprocess.run(
            [str(binaries() / "pbx_model"), "--calls", str(self.calls), "--rate", str(self.rate), "--seed",
             str(self.seed * 1000 + self.index), "--enterprise", self.token, "--truth", str(truth),
             "--start", str(start_ms)],
            check=True, text=True, capture_output=True).stdout
        rows = [json.loads(line) for line in hurried(out, start_ms, speed).splitlines()]
        self.truth = [json.loads(line) for line in hurried(truth.read_text(), start_ms, speed).splitlines()]
        self.rows = [((row["t_ms"] - start_ms) / speed / 1000, row["event"], row["body"]) for row in rows]
        numbers = {number for row in rows for number in row["body"].get("Extensions") or ()}
        numbers.update(number for row in self.truth for number in [*row["talkers"], row.get("caller"), row.get("callee")])
        self.extensions = sorted(number for number in numbers if number and 3 <= len(number) <= 4)

    def config(self, sandbox):
        """integrations_config."""
        users = {extension: extension for extension in self.extensions}
        return {
            "smart": {"primary": "retailcrm"},
            "retailcrm": {"enabled": True, "domain": sandbox, "api_key": self.keys["retailcrm"],
                          "client_id": f"client-{self.number}-{self.seed:012}", "user_extensions": users},
            "uon": {"enabled": True, "api_url": sandbox, "api_key": self.keys["uon"], "user_extensions": users,
                    "notifications": {"call_notify_mode": "during", "notify_incoming": True, "notify_outgoing": True}},
            "ms": {"enabled": True, "phone_api_url": f"{sandbox}/api/phone/1.0", "remap_api_url":
                   f"{sandbox}/api/remap/1.2", "integration_code": self.keys["moysklad"], "api_token": self.remap,
                   "notifications": {"call_notify_mode": "during", "notify_incoming": True, "notify_outgoing": True},
                   "employee_mapping": {extension: {"name": extension, "employee_id": employee(extension)}
                                        for extension in self.extensions}},
            "bitrix24": {"enabled": True, "portal_domain": sandbox, "user_extensions": users,
                         "default_user_id": "1", "client_id": f"app.{self.number}", "client_secret": f"client-{self.keys['bitrix24']}",
                         "webhook_uuid": self.hook},
        }


class Player:
    """Posts everybody's events at their time, `speed` times as fast; each enterprise's in order, each until taken."""

    def __init__(self, stack, shops, start_ms):
        self.stack, self.start_ms = stack, start_ms
        self.problems, self.posted = [], 0
        self.began = 0
        self._lock = threading.Lock()
        lanes = [sorted(shop.rows, key=lambda row: row[0]) for shop in shops]
        self.length = max(lane[-1][0] for lane in lanes)
        # One thread for some enterprises: they take turns by time, and wait for each other only when all wait.
        parts = [lanes[i::16] for i in range(min(16, len(lanes)))]
        self._threads = [threading.Thread(target=self._run, args=(list(heapq.merge(*part, key=lambda row: row[0])),),
                                          daemon=True) for part in parts]

    def start(self):
        self.began = time.monotonic() + self.start_ms / 1000 - time.time()
        assert self.began > time.monotonic(), "the day begins in the past: leave more time for what comes before"
        for thread in self._threads:
            thread.start()

    def running(self):
        return any(thread.is_alive() for thread in self._threads)

    def join(self, timeout):
        for thread in self._threads:
            thread.join(timeout)
        assert not self.running() and not self.problems, self.problems

    def _run(self, rows):
        session = requests.Session()
        try:
            for number, (at_s, event, body) in enumerate(rows):
                time.sleep(max(0, self.began + at_s - time.monotonic()))  # the day's own pace
                self._post(session, event, body, f"{body['Token']}-{number}")
        except Exception as error:  # noqa: BLE001 - shown by join()
            self.problems.append(repr(error))

    def _post(self, session, event, body, key):
        deadline = time.monotonic() + 120
        while True:
            try:
                answer = session.post(f"{self.stack.url('ingest')}/{event}", json=body,
                                      headers={"Idempotency-Key": key}, timeout=20)
                if answer.status_code == 200:
                    break
                assert answer.status_code >= 500, f"{event}: {answer.status_code} {answer.text}"
            except requests.RequestException:
                pass
            assert time.monotonic() < deadline, f"{event} of {body['Token']}: not taken for two minutes"
            time.sleep(0.05)
        with self._lock:
            self.posted += 1
