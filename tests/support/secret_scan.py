"""No key, token or password appears where people look: in a log, in a table that is no configuration, in an answer.

Every stack is scanned when it closes: its logs, a dump of its tables, and each answer that its services gave
to requests without the internal secret.
"""
import json
import re
import threading
from urllib.parse import quote, urlsplit

import requests

SHORTEST = 12  # a shorter one would be found by accident; stories that want to be scanned take longer ones
SECRET_MEMBERS = ("key", "token", "secret", "password", "webhook", "code")
PLAIN_MEMBERS = ("webhook_uuid", "extensions", "country_code")  # named like secrets, and none
KEPT_BYTES, KEPT_ANSWERS = 200_000, 20_000

# Configuration, which is where secrets belong. A bot is known by its token in the tables of the bot.
CONFIGURATION = {"enterprises", "crm_oauth", "user_internal_phones", "sip_unit"}

_lock = threading.Lock()
_stacks = {}  # port -> scan


def spellings(secret):
    """As it is, and as an address has it."""
    return {secret, quote(secret, safe="")}


class SecretScan:
    """The secrets of one stack, and what its services answered."""

    def __init__(self):
        self.secrets = {}  # text -> what it is
        self.answers = []

    def add(self, what, text):
        if isinstance(text, str) and len(text) >= SHORTEST:
            self.secrets[text] = what

    def add_config(self, where, config):
        """All members of an integration's configuration that are named like secrets."""
        if isinstance(config, str) and config[:1] in "{[":
            config = json.loads(config)
        for name, value in config.items() if isinstance(config, dict) else ():
            if isinstance(value, dict):
                self.add_config(f"{where}.{name}", value)
            elif any(word in name for word in SECRET_MEMBERS) and name not in PLAIN_MEMBERS:
                self.add(f"{where}.{name}", value)

    def watch(self, port):
        with _lock:
            _stacks[port] = self

    def forget(self):
        with _lock:
            for port in [port for port, scan in _stacks.items() if scan is self]:
                del _stacks[port]

    def _found(self, text):
        return [what for secret, what in self.secrets.items()
                if any(spelling in text for spelling in spellings(secret))]

    def in_logs(self, logs):
        return [f"{log.name} shows {what}" for log in logs if log.exists()
                for what in self._found(log.read_text(errors="replace"))]

    def in_answers(self):
        return [f"the answer to {where} shows {what}" for where, text in self.answers for what in self._found(text)]

    def in_tables(self, sql):
        """`sql(query, parameters)` gives rows as mappings."""
        for row in sql("SELECT number, secret, integrations_config FROM enterprises"):
            self.add(f"the secret of {row['number']}", row["secret"])
            self.add_config(row["number"], row["integrations_config"] or {})
        for row in sql("SELECT enterprise_number, tokens FROM crm_oauth"):
            self.add_config(f"{row['enterprise_number']}.oauth", row["tokens"])
        tables = sql("""SELECT c.oid::regclass::text AS name, EXISTS (SELECT FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attname IN ('bot_token', 'token')) AS of_bots
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'public' AND c.relkind = 'r'""")
        problems = []
        for table in tables:
            wanted = {spelling: what for text, what in self.secrets.items() for spelling in spellings(text)
                      if not (table["of_bots"] and what.startswith("the bot token"))}
            if table["name"] in CONFIGURATION or not wanted:
                continue
            # One pass over the table for all secrets; only rows with one are asked which.
            any_of = "|".join(map(re.escape, wanted))
            rows = sql(f"SELECT DISTINCT s.secret FROM (SELECT t::text AS row FROM {table['name']} t WHERE t::text ~ %s"
                       " LIMIT 1000) AS hit JOIN unnest(%s::text[]) AS s (secret) ON strpos(hit.row, s.secret) > 0",
                       [any_of, list(wanted)])
            problems += [f"table {table['name']} shows {wanted[row['secret']]}" for row in rows]
        return problems


def _keep(response, request):
    scan = _stacks.get(urlsplit(request.url).port)
    if scan is None or "X-Callweave-Secret" in request.headers or len(scan.answers) >= KEPT_ANSWERS:
        return
    headers = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
    scan.answers.append((f"{request.method} {urlsplit(request.url).path}",
                         headers + "\n" + response.text[:KEPT_BYTES]))


def install():
    """Look at every answer that the tests' own requests get."""
    send = requests.Session.send

    def looking(session, request, **options):
        response = send(session, request, **options)
        if not options.get("stream"):
            _keep(response, request)
        return response
    requests.Session.send = looking
