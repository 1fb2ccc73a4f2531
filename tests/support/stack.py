"""A whole callweave in a folder: PostgreSQL, Redis and the services, on free ports, for one story."""
import itertools
import threading
from pathlib import Path

import psycopg2
import requests

from ports import free_port
from process import Process
from secret_scan import SecretScan
from servers import Postgres, Redis, migrate
from waiting import wait_until

START_ORDER = ("sandbox", "ingest", "dispatcher", "emulator")
CRMS = ("retailcrm", "uon", "moysklad", "bitrix24", "webhook")  # programs; CRM_CODES their names in configurations
INTEGRATIONS = ("integration-cache", *CRMS, "pbx-api")
VOICE = ("speech", "hooks", "media-ws")
MORE = ("console", "bot", *INTEGRATIONS, *VOICE)  # only in the stacks that name them
LINK_KEY = "key-of-links-and-buttons-of-this-stack"
INTERNAL_SECRET = "what-the-processes-of-this-stack-show-each-other"
# For stories that are not about Telegram's limits: every message of every call is shown at once.
UNLIMITED = {
    "CALLWEAVE_DISPATCHER_BOT_PER_SECOND": "10000",
    "CALLWEAVE_DISPATCHER_CHAT_BURST": "1000",
    "CALLWEAVE_DISPATCHER_GROUP_PER_MINUTE": "10000",
}
_numbers = itertools.count(1)


class Stack:
    """`with Stack(folder) as stack:`, or the fixtures of stories/conftest.py.

    `postgres` is a running server to share: the story then gets a database of its own there and
    must not stop it. Without it the story has a server of its own, to stop and to kill.
    """

    def __init__(self, folder, services=START_ORDER, postgres=None, template=None, settings=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.own_postgres = postgres is None
        self.postgres = postgres or Postgres(self.folder / "postgres")
        self.redis = Redis(self.folder / "redis")
        self.database_url = self._make_database(template)
        self.services = {}
        self.routing_port = free_port()  # the second one of pbx-api
        self.enterprises = []
        for name in START_ORDER + MORE:
            if name in services:
                self.services[name] = Process(name, self.folder, {})
        for service in self.services.values():
            service.settings = {**self._settings(), **(settings or {})}
        self._local = threading.local()
        self.secrets = SecretScan()
        self.secrets.add("the internal secret", INTERNAL_SECRET)
        self.secrets.add("the key of links", LINK_KEY)
        for name, service in self.services.items():
            if name != "sandbox":
                self.secrets.watch(service.port)

    def _make_database(self, template):
        if not self.own_postgres:
            name = f"story_{next(_numbers)}"
            return self.postgres.database(name, template) if template else self._migrated(name)
        return self._migrated("callweave")

    def _migrated(self, name):
        url = self.postgres.database(name)
        migrate(url)
        return url

    def _settings(self):
        """One set for the whole suite, as an environment file would have."""
        known = {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis.url,
            "CALLWEAVE_INGEST_JOURNAL": str(self.folder / "journal"),
            "CALLWEAVE_DISPATCHER_TELEGRAM_URL": self.url("sandbox"),
            "CALLWEAVE_BOT_TELEGRAM_URL": self.url("sandbox"),
            "CALLWEAVE_EMULATOR_TARGET": self.url("ingest"),
            "CALLWEAVE_EMULATOR_SANDBOX_URL": self.url("sandbox"),
            "CALLWEAVE_PUBLIC_URL": self.url("console"),
            "CALLWEAVE_LINK_KEY": LINK_KEY if "console" in self.services else "",
            **self._integration_settings(),
            **self._voice_settings(),
        }
        # Never the default: that is whatever runs on this machine.
        gateway = {"CALLWEAVE_DISPATCHER_GATEWAY_URL": self.url("integration-cache")}
        return {**{name: value for name, value in known.items() if value}, **gateway}

    def _integration_settings(self):
        if not any(name in self.services for name in INTEGRATIONS):
            return {}
        adapters = " ".join(f"{name}={self.url(name)}" for name in CRMS if name in self.services)
        return {
            "CALLWEAVE_INTERNAL_SECRET": INTERNAL_SECRET,
            "CALLWEAVE_INTEGRATION_CACHE_ADAPTERS": adapters,
            "CALLWEAVE_PBX_API_CACHE_URL": self.url("integration-cache"),
            "CALLWEAVE_PBX_API_ROUTING_PORT": str(self.routing_port),
            "CALLWEAVE_CRM_CALL_URL": self.url("pbx-api"),
            "CALLWEAVE_CRM_BITRIX_OAUTH_URL": self.url("sandbox"),
            "CALLWEAVE_CRM_ALLOW_PRIVATE": "127.0.0.1",
        }

    def _voice_settings(self):
        if not any(name in self.services for name in VOICE):
            return {}
        return {
            "CALLWEAVE_INTERNAL_SECRET": INTERNAL_SECRET,
            "CALLWEAVE_PUBLIC_BASE_URL": self.url("hooks"),
            "CALLWEAVE_HOOKS_JOURNAL": str(self.folder / "hooks-journal"),
            "CALLWEAVE_HOOKS_PROMPTS": str(self.folder / "hooks-prompts"),
            "CALLWEAVE_HOOKS_STREAM_URL": self.url("media-ws").replace("http", "ws"),
            "CALLWEAVE_HOOKS_TWILIO_URL": self.url("sandbox"),
            "CALLWEAVE_HOOKS_JOURNAL": str(self.folder / "hooks-journal"),
            "CALLWEAVE_HOOKS_PAYPAL_URL": self.url("sandbox"),
            "CALLWEAVE_HOOKS_TRANZILA_URL": self.url("sandbox"),
            "CALLWEAVE_HOOKS_TRANZILA_API_URL": self.url("sandbox"),
            "CALLWEAVE_HOOKS_SPEECH_URL": self.url("speech"),
            "CALLWEAVE_MEDIA_WS_SPEECH_URL": self.url("speech"),
            "CALLWEAVE_MEDIA_WS_CACHE_URL": self.url("integration-cache"),
            "CALLWEAVE_MEDIA_WS_HOOKS_URL": self.url("hooks"),
        }

    def url(self, service):
        return self.services[service].url if service in self.services else ""

    # -- life ---------------------------------------------------------------------------------

    def __enter__(self):
        return self.start_all()

    def __exit__(self, kind, value, trace):
        self.close()

    def start_all(self):
        for service in self.services.values():
            service.start(wait=False)
        for service in self.services.values():
            service.wait_ready()
        return self

    def start(self, name, wait=True):
        self.services[name].start(wait)

    def stop(self, name):
        return self.services[name].stop()

    def kill9(self, name):
        self.services[name].kill9()

    def stop_pg(self):
        assert self.own_postgres, "the PostgreSQL of this stack is shared"
        self.postgres.halt()

    def start_pg(self):
        self.postgres.resume()

    def kill_pg(self):
        assert self.own_postgres, "the PostgreSQL of this stack is shared"
        self.postgres.kill9()

    def close(self):
        """Stop everything. Fails on a sanitizer's report and on a drain that is not clean."""
        problems = []
        for service in reversed(list(self.services.values())):
            ran = service.running()
            try:
                code = service.stop()
            except AssertionError as error:
                problems.append(str(error))
                code = 0
            if ran and code != 0:
                problems.append(f"{service.name} ended with {code}:\n{service.tail()}")
        problems += self.reports() + self.shown_secrets()
        self.redis.close()
        if self.own_postgres:
            self.postgres.close()
        assert not problems, "\n\n".join(problems)

    def reports(self):
        found = ((service.name, service.report()) for service in self.services.values())
        return [f"{name}: a sanitizer's report:\n{report}" for name, report in found if report]

    def shown_secrets(self):
        """Where a secret can be read that nobody should read."""
        self.secrets.forget()
        problems = []
        try:
            problems += self.secrets.in_tables(self.sql)
        except psycopg2.OperationalError:
            print("the tables of this stack were not scanned for secrets: its PostgreSQL is stopped")
        problems += self.secrets.in_logs(self.logs()) + self.secrets.in_answers()
        return sorted(set(problems))

    def logs(self):
        """Of all processes, also of the second instance of one, whose folder is its own."""
        return sorted(self.folder.rglob("*.log"))

    def assert_healthy(self):
        for service in self.services.values():
            assert service.running(), f"{service.name} is dead:\n{service.tail()}"
            answer = requests.get(service.url + "/readyz?verbose", timeout=5)
            assert answer.status_code == 200, f"{service.name}: {answer.text}"
        assert not self.reports(), "\n".join(self.reports())

    # -- what a story says and sees -----------------------------------------------------------

    def session(self):
        """A keep-alive HTTP session, one a thread."""
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        return self._local.session

    def post(self, event, body, **options):
        """One event to ingest; the answer, whatever it is."""
        options.setdefault("timeout", 20)
        return self.session().post(f"{self.url('ingest')}/{event}", json=body, **options)

    def sql(self, query, parameters=None):
        return self.postgres.sql(self.database_url, query, parameters)

    def enterprise(self, number="0367", **columns):
        """Insert a tenant with its bot, owner chat and subscribers; gives its row as inserted."""
        subscribers = columns.pop("subscribers", [])
        serial = len(self.enterprises)
        row = {"number": number, "name": f"enterprise {number}", "name2": f"token-{number}",
               "bot_token": f"{700_000_000 + serial}:AAtest{number:_>29}", "chat_id": 10_000_000 + serial, **columns}
        names = ", ".join(row)
        marks = ", ".join(["%s"] * len(row))
        self.sql(f"INSERT INTO enterprises ({names}) VALUES ({marks})", list(row.values()))
        for chat in subscribers:
            self.sql("INSERT INTO telegram_users (tg_id, bot_token) VALUES (%s, %s)", [chat, row["bot_token"]])
        self.secrets.add(f"the bot token of {number}", row["bot_token"])
        self.enterprises.append(row)
        if "ingest" in self.services and self.services["ingest"].running():
            self._wait_known()
        return row

    def _wait_known(self):
        """Until ingest has the new tenant in its table: within a second, says issue 2."""
        def known():
            rows = self.sql("SELECT count(*) FROM enterprises")[0]["count"]
            return self.services["ingest"].metric("callweave_enterprises") == rows
        wait_until(known, 5, "ingest knows the new enterprise")

    def calls(self, enterprise):
        return self.sql("SELECT * FROM call_report WHERE enterprise = %s ORDER BY call_id", [enterprise])

    def wait_quiet(self, timeout=30):
        """Until every event is folded and nothing is left to tell."""
        def open_work():
            return self.sql("""
                SELECT (SELECT count(*) FROM call_events e JOIN fold_cursors f USING (shard)
                        WHERE (e.tx, e.id) > (f.tx, f.id)) AS unfolded,
                       (SELECT count(*) FROM outbox o LEFT JOIN telegram_messages m ON m.call_id = o.call_id
                            AND o.destination = 'telegram:' || m.chat_id
                        WHERE o.state IN ('queued', 'sending', 'failed')
                            OR (o.state = 'unknown' AND o.final AND coalesce(m.unknown_sends, 0) < 3)) AS untold""")[0]

        def quiet():
            work = open_work()
            return work["unfolded"] == 0 and work["untold"] == 0
        wait_until(quiet, timeout, lambda: f"everything folded and told: {dict(open_work())}\n"
                   + self.services["dispatcher"].tail(10))

    # -- sandbox ------------------------------------------------------------------------------

    def messages(self, chat_id, deleted=False):
        """What stands in a chat now."""
        answer = self.session().get(f"{self.url('sandbox')}/_sandbox/telegram/messages",
                                    params={"chat_id": chat_id}, timeout=10)
        answer.raise_for_status()
        return [message for message in answer.json() if deleted or not message["deleted"]]

    def sandbox(self, verb, **body):
        """POST /_sandbox/<verb>: faults, reset, limits, accounts, of which the keys become secrets."""
        if verb == "crm/accounts":
            self.secrets.add_config(f"{body['crm']} at the sandbox", body)
        answer = self.session().post(f"{self.url('sandbox')}/_sandbox/{verb}", json=body, timeout=10)
        assert answer.status_code < 300, f"/_sandbox/{verb}: {answer.status_code} {answer.text}"
        return answer

    def no_limits(self):
        """Telegram without its rate limits, for stories that are not about them."""
        self.sandbox("limits", enabled=False)

    def clear_faults(self):
        self.session().delete(f"{self.url('sandbox')}/_sandbox/faults", timeout=10).raise_for_status()
