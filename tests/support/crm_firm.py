"""An enterprise with an office at each of the four CRMs of the sandbox, its phone calls, and what the CRMs show of them."""
import json
import re
import uuid

import requests

from phone_calls import Incoming
from waiting import wait_until

CODES = {"retailcrm": "retailcrm", "uon": "uon", "moysklad": "ms", "bitrix24": "bitrix24"}  # program -> code
CARDS = ("retailcrm", "moysklad", "bitrix24")  # that show a call while it rings; U-ON has messages
USERS = {"150": "16", "151": "17", "152": "18"}
PEOPLE = {user: extension for extension, user in USERS.items()}


class Firm:
    """Its keys are its own, and every Stack looks for them where they do not belong when it closes."""

    def __init__(self, stack, number, primary="retailcrm", customers=(), **columns):
        self.stack, self.number, self.sandbox = stack, number, stack.url("sandbox")
        self.keys = {program: f"{program}-key-of-{number}-{uuid.uuid4().hex}" for program in CODES}
        self.uuid = uuid.uuid4().hex
        self.secret = f"secret-of-{number}-{uuid.uuid4().hex}"
        self.row = stack.enterprise(number, name2=f"37529000{number}", bot_token=None, chat_id=None, secret=self.secret,
                                    zone="Europe/Minsk", integrations_config=json.dumps(self.config(primary)),
                                    settings=json.dumps({"country": "BY"}), **columns)
        stack.secrets.add_config(number, self.config(primary))
        for program in CODES:
            self.declare(program, customers)
        wait_until(self.installed, 10, f"the application of {number} is installed in its Bitrix24")
        wait_until(lambda: all(self.known(program) for program in CODES), 10, f"the adapters know {number}")

    def config(self, primary):
        notify = {"call_notify_mode": "during", "notify_incoming": True, "notify_outgoing": True}
        return {
            "smart": {"primary": primary},
            "retailcrm": {"enabled": True, "domain": self.sandbox, "api_key": self.keys["retailcrm"],
                          "client_id": f"client-{self.uuid}", "user_extensions": PEOPLE},
            "uon": {"enabled": True, "api_url": self.sandbox, "api_key": self.keys["uon"], "user_extensions": PEOPLE,
                    "webhook_secret": f"hook-{self.uuid}", "notifications": notify,
                    "incoming_call_actions": {"create_client_on_call": True, "create_request": "if_no_open",
                                              "create_task": "on_missed"}},
            "ms": {"enabled": True, "phone_api_url": f"{self.sandbox}/api/phone/1.0", "webhook_uuid": f"ms-{self.uuid}",
                   "remap_api_url": f"{self.sandbox}/api/remap/1.2", "integration_code": self.keys["moysklad"],
                   "api_token": self.keys["moysklad"], "notifications": notify,
                   "employee_mapping": {extension: {"name": extension, "employee_id": user}
                                        for extension, user in USERS.items()}},
            "bitrix24": {"enabled": True, "portal_domain": self.sandbox, "user_extensions": PEOPLE, "default_user_id": "1",
                         "client_id": f"app.{self.number}", "client_secret": f"client-{self.keys['bitrix24']}",
                         "webhook_uuid": f"b24-{self.uuid}"},
        }

    def declare(self, program, customers):
        users = [{"id": "1", "name": "Administrator", "code": "199"}] + [
            {"id": user, "name": f"User {extension}", "code": extension} for extension, user in USERS.items()]
        account = {"crm": program, "key": self.keys[program], "name": self.number, "users": users, "customers": list(customers)}
        if program == "bitrix24":
            account |= {"client_id": f"app.{self.number}", "client_secret": f"client-{self.keys[program]}",
                        "application_token": f"application-{self.uuid}", "access_token_seconds": 3600}
        self.stack.sandbox("crm/accounts", **account)

    def installed(self):
        return self.click("bitrix24", f"/24/install/b24-{self.uuid}", event="ONAPPINSTALL")["status"] == 200

    def known(self, program):
        answer = requests.get(f"{self.stack.url(program)}/internal/{CODES[program]}/customer-name", timeout=10,
                              headers={"X-Callweave-Secret": self.stack.services[program].settings["CALLWEAVE_INTERNAL_SECRET"]},
                              params={"enterprise_number": self.number, "phone": "+375290000000"})
        return answer.status_code == 200

    # -- what happens ---------------------------------------------------------------------------------------

    def click(self, program, path, **how):
        """What the CRM asks our adapter, and the answer; `forged`: whoever asks is not the CRM."""
        return self.stack.sandbox("crm/click", crm=program, key=self.keys[program], url=self.stack.url(program) + path,
                                  **how).json()

    def add(self, event, body):
        """An event of its PBX, to ingest: what phone_calls.Incoming wants of a log."""
        answer = self.stack.post(event, {**body, "Token": self.row["name2"]})
        assert answer.status_code == 200, answer.text

    def incoming(self, phone, rang=("150",), answers="150"):
        return Incoming(self, phone, extension=answers, rang=rang)

    def dispatch(self, uid, event, raw, **more):
        """As others tell 8020 of a call; the answer."""
        return requests.post(f"{self.stack.url('integration-cache')}/dispatch/call-event", timeout=20, json={
            "token": self.row["name2"], "uniqueId": uid, "event_type": event, "raw": raw, **more})

    # -- what is to be seen ---------------------------------------------------------------------------------

    def ask(self, what, program, **more):
        answer = requests.get(f"{self.sandbox}/_sandbox/crm/{what}", timeout=10,
                              params={"crm": program, "key": self.keys[program], **more})
        answer.raise_for_status()
        return answer.json()

    def calls(self, program):
        return self.ask("calls", program)

    def cards(self, program, kind):
        return self.ask("cards", program, kind=kind)

    def told(self, timeout=20):
        """Until every call is folded and each CRM was told of it to the end; gives what each shows."""
        def left():
            return dict(self.stack.sql("""SELECT
                (SELECT count(*) FROM call_events e JOIN fold_cursors f USING (shard) WHERE (e.tx, e.id) > (f.tx, f.id)) AS events,
                (SELECT count(*) FROM outbox WHERE destination = 'gateway' AND state IN ('queued', 'sending', 'failed')) AS untold,
                (SELECT count(*) FROM crm_deliveries WHERE state IN ('queued', 'sending', 'failed')) AS deliveries""")[0])
        wait_until(lambda: not any(left().values()), timeout, lambda: f"all is told, but {left()}: " + str(self.stack.sql(
            "SELECT enterprise_number, crm, call_key, kind, state, attempts, last_error FROM crm_deliveries"
            " WHERE state IN ('queued', 'sending', 'failed') LIMIT 5")))
        dead = self.stack.sql("SELECT enterprise_number, crm, call_key, kind, last_error FROM crm_deliveries WHERE state = 'dead'")
        assert not dead, dead
        return {program: self.calls(program) for program in CODES}

    def requests(self):
        """How many requests each CRM has seen with the key of this one."""
        rows = requests.get(f"{self.sandbox}/_sandbox/crm/accounts", timeout=10).json()
        return {row["crm"]: row["requests"] for row in rows if row["account"] == self.number}


def popups(call):
    """{extension: is it closed}"""
    return {popup["extension"] or popup["user"]: popup["hidden_at"] is not None for popup in call["popups"]}


def of(shown, uid, programs=tuple(CODES)):
    """The entry of that call in each CRM; each has it exactly once, or the story ends."""
    shown = {program: shown[program] for program in programs}
    found = {program: [call for call in calls if call["external_id"].endswith(uid)] for program, calls in shown.items()}
    assert {program: len(calls) for program, calls in found.items()} == dict.fromkeys(programs, 1), found
    return {program: calls[0] for program, calls in found.items()}


def digits(call):
    """A number without its spelling; of one that was withheld, for which CRMs want zeros or a word, nothing."""
    plain = call["phone"].lstrip("+")
    return plain if plain.isdigit() and plain.strip("0") else ""


def person(call):
    """By extension; nobody, or who has the calls that are nobody's, is nothing."""
    return PEOPLE.get(call["user"], call["extension"] if call["extension"] in PEOPLE.values() else "")


def plain(text):
    """Numbers in one spelling."""
    return re.sub(r"[ ()-]", "", text)


def log_of(stack, since=0, **more):
    """The sandbox's request log of CRMs."""
    rows = requests.get(f"{stack.url('sandbox')}/_sandbox/requests", timeout=10,
                        params={"since_id": since, "limit": 10000, **more}).json()
    return [row for row in rows if row["service"] in CODES]


def last_id(stack):
    return max((row["id"] for row in log_of(stack)), default=0)


def mirrored(stack):
    """Until what the adapters ask by themselves, which customers have changed, is over: then requests are those of calls."""
    wait_until(lambda: stack.sql("""SELECT count(*) = 4 * (SELECT count(*) FROM enterprises WHERE integrations_config ? 'uon') AS is
        FROM crm_memory WHERE task = 'changes' AND next_at > now() + interval '10 s'""")[0]["is"], 15, lambda: str(stack.sql(
            "SELECT enterprise_number, crm, task, next_at FROM crm_memory")))
