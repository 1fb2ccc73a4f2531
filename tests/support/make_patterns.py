#!/usr/bin/python3
"""Make the emulator's patterns from captured calls: services/emulator/patterns/*.json.

    make_patterns.py CORPUS/calls.jsonl services/emulator/patterns

Run it when the corpus grows. Each captured scenario becomes one file: its events with placeholders
where a call has its own numbers, ids and times, and the form fields that fill them.
"""
import json
import re
import sys
from datetime import datetime
from pathlib import Path

EXTERNAL, MOBILE, TOKEN = "375290000001", "375290000900", "375290000367"
MAIN_LINE, OTHER_LINE = "0001363", "0001366"
USUAL_DELAY_MS = 2000

TITLES = {
    "1-1": ("Исходящий прямой, ответили", "Outgoing direct dial, answered"),
    "1-2": ("Исходящий из CRM или программы, ответили", "Outgoing from a CRM or a program, answered"),
    "1-3": ("Исходящий, консультативный перевод: коллега ответил, но отказался", "Outgoing, attended transfer: the colleague answers but refuses"),
    "1-4": ("Исходящий, консультативный перевод: коллега согласился", "Outgoing, attended transfer: the colleague accepts"),
    "1-5": ("Исходящий, консультативный перевод: коллеги нет на месте", "Outgoing, attended transfer: the colleague is away"),
    "1-6": ("Исходящий, слепой перевод принят", "Outgoing, blind transfer accepted"),
    "1-7": ("Исходящий, слепой перевод без ответа", "Outgoing, blind transfer not answered"),
    "1-8": ("Исходящий, абонент не ответил", "Outgoing, not answered"),
    "1-9": ("Исходящий, линия занята — через резервную, ответили", "Outgoing, line busy, over the backup line, answered"),
    "1-10": ("Исходящий, линия занята, резервной нет", "Outgoing, line busy, no backup line"),
    "1-11": ("Исходящий на запрещённое направление", "Outgoing to a forbidden direction"),
    "2-1": ("Входящий с приветствием, ответили", "Incoming with a greeting, answered"),
    "2-2": ("Входящий с приветствием, не ответили", "Incoming with a greeting, not answered"),
    "2-3": ("Входящий без приветствия, ответили", "Incoming without a greeting, answered"),
    "2-4": ("Входящий без приветствия, не ответили", "Incoming without a greeting, not answered"),
    "2-5": ("Входящий на группу и мобильный, ответил мобильный", "Incoming to a group and a mobile, the mobile answers"),
    "2-6": ("Входящий на группу и мобильный, ответил внутренний", "Incoming to a group and a mobile, an extension answers"),
    "2-7": ("То же, консультативный перевод: коллега отказался", "The same, attended transfer: the colleague refuses"),
    "2-8": ("То же, консультативный перевод: коллега согласился", "The same, attended transfer: the colleague accepts"),
    "2-9": ("То же, консультативный перевод: коллеги нет на месте", "The same, attended transfer: the colleague is away"),
    "2-10": ("То же, слепой перевод принят", "The same, blind transfer accepted"),
    "2-11": ("То же, слепой перевод без ответа", "The same, blind transfer not answered"),
    "2-12": ("Входящий каскадом, ответили", "Incoming, cascade, answered"),
    "2-13": ("Входящий каскадом с мобильным, ответил внутренний", "Incoming, cascade with a mobile, an extension answers"),
    "2-14": ("Входящий каскадом с мобильным, ответил мобильный", "Incoming, cascade with a mobile, the mobile answers"),
    "2-15": ("Входящий каскадом, не ответил никто", "Incoming, cascade, nobody answers"),
    "2-16": ("Каскад с тремя приветствиями, ответил внутренний", "Cascade with three greetings, an extension answers"),
    "2-17": ("Каскад с тремя приветствиями, ответил мобильный", "Cascade with three greetings, the mobile answers"),
    "2-18": ("Входящий, два консультативных перевода подряд", "Incoming, two attended transfers in a row"),
    "2-19": ("Слепой перевод на занятого (телефон принимает второй звонок)", "Blind transfer to a busy colleague who can take a second call"),
    "2-20": ("Консультативный перевод на занятого (телефон принимает второй звонок)", "Attended transfer to a busy colleague who can take a second call"),
    "2-21": ("Слепой перевод на занятого (второй звонок невозможен)", "Blind transfer to a busy colleague, no second call"),
    "2-22": ("Консультативный перевод на занятого (второй звонок невозможен)", "Attended transfer to a busy colleague, no second call"),
    "2-23": ("Перевод на FollowMe: мобильный ответил и согласился", "Attended transfer to FollowMe: the mobile accepts"),
    "2-24": ("Перевод на FollowMe: мобильный ответил и отказался", "Attended transfer to FollowMe: the mobile refuses"),
    "2-25": ("Перевод на FollowMe: внутренний ответил и согласился", "Attended transfer to FollowMe: the extension accepts"),
    "2-26": ("Перевод на FollowMe: внутренний ответил и отказался", "Attended transfer to FollowMe: the extension refuses"),
    "2-27": ("Слепой перевод на FollowMe: ответил внутренний", "Blind transfer to FollowMe: the extension answers"),
    "2-28": ("Слепой перевод на FollowMe: ответил мобильный", "Blind transfer to FollowMe: the mobile answers"),
    "2-29": ("Слепой перевод на FollowMe: не ответил никто", "Blind transfer to FollowMe: nobody answers"),
    "2-30": ("Консультативный перевод на FollowMe: не ответил никто", "Attended transfer to FollowMe: nobody answers"),
    "3-1": ("Внутренний, ответили", "Internal, answered"),
    "3-2": ("Внутренний, не ответили", "Internal, not answered"),
    "3-3": ("Внутренний на отдел, ответили", "Internal to a department, answered"),
    "3-4": ("Внутренний на отдел, не ответили", "Internal to a department, not answered"),
}
MINUTES = {4: (29, 34, 36), 2: (42, 20, 22, 26, 32, 33, 40, 41, 45), 1: (43,)}
STATUS = {3: (8, 13, 15, 18, 35, 37, 20, 22, 26, 32, 33, 40, 41, 45, 43), 4: (10,), 5: (11,)}

# name: (kind, role, label ru, label en)
FIELDS = {
    "external_phone": ("phone", "external", "Внешний номер", "External number"),
    "internal_phone": ("extension", "manager", "Менеджер", "Manager"),
    "second_internal_phone": ("extension", "second_manager", "Второй менеджер", "Second manager"),
    "line_id": ("line", "line", "Линия", "Line"),
    "backup_line_id": ("line", "backup_line", "Резервная линия", "Backup line"),
    "answered_manager": ("extension", "answered_manager", "Кто ответил", "Who answers"),
    "transfer_to_manager": ("extension", "transfer_to_manager", "Кому переводят", "Transfer to"),
    "mobile_manager": ("extension", "mobile_manager", "Чей мобильный звонит", "Whose mobile rings"),
    "mobile_outgoing_line": ("line", "mobile_line", "Линия для мобильного", "Line to the mobile"),
    "step3_mobile_manager": ("extension", "mobile_manager", "Шаг 3: чей мобильный", "Step 3: whose mobile"),
    "step3_mobile_line": ("line", "mobile_line", "Шаг 3: линия для мобильного", "Step 3: line to the mobile"),
    "answered_manager_final": ("extension", "answered_manager", "Кто ответил", "Who answers"),
    "simple_internal_1": ("extension", "first_manager", "Первый менеджер", "First manager"),
    "simple_internal_2": ("extension", "second_manager", "Второй менеджер", "Second manager"),
    "simple_internal_3": ("extension", "third_manager", "Третий менеджер", "Third manager"),
    "follow_me_internal": ("extension", "manager", "Кто ответил и переводит", "Who answers and transfers"),
    "follow_me_manager": ("extension", "follow_me_manager", "Чей FollowMe", "Whose FollowMe"),
    "follow_me_external_line": ("line", "mobile_line", "Линия для мобильного", "Line to the mobile"),
    "internal_caller": ("extension", "caller", "Кто звонит", "Caller"),
    "internal_callee": ("extension", "callee", "Кому звонят", "Callee"),
}
for number in range(1, 5):
    FIELDS[f"internal_group_{number}"] = ("extension", "group", f"Группа: {number}", f"Group: {number}")
    for step in range(1, 4):
        FIELDS[f"step{step}_manager_{number}"] = (
            "extension", f"step{step}", f"Шаг {step}: менеджер {number}", f"Step {step}: manager {number}")

OUT = ["external_phone", "internal_phone", "line_id"]
IN = ["external_phone", "line_id"]
GROUP = [f"internal_group_{n}" for n in range(1, 5)]
STEPS = [f"step{s}_manager_{n}" for s in range(1, 4) for n in range(1, 5)]
MOBILE_FIELDS = ["mobile_manager", "mobile_outgoing_line"]
FOLLOW_ME = IN + ["follow_me_internal", "follow_me_manager", "follow_me_external_line"]
OPTIONAL = {f for f in FIELDS if re.search(r"(group|manager)_[234]$", f)}

# What `internal_phone` stands for when a request names nobody else.
MAIN = {"internal_phone", "answered_manager", "answered_manager_final", "internal_group_1", "step1_manager_1",
        "simple_internal_1", "follow_me_internal", "internal_caller"}

# key: (fields, extension -> role, second line's role, {extensions of a dial: roles})
FOLLOW_ROLES = {"151": "manager", "150": "follow_me_manager", "300": "follow_me", "152": "follow_me_manager"}
GROUP_DIAL = ["group", "answered_manager"]
SHAPES = {
    "1-1": (OUT, {"151": "manager"}),
    "1-2": (OUT, {"151": "manager"}),
    "1-8": (OUT, {"151": "manager"}),
    "1-10": (OUT, {"151": "manager"}),
    "1-3": (OUT[:2] + ["second_internal_phone", "line_id"], {"151": "manager", "152": "second_manager"}),
    "1-9": (OUT + ["backup_line_id"], {"151": "manager"}),
    "2-1": (IN + GROUP + ["answered_manager"], {"151": "answered_manager"}),
    "2-2": (IN + GROUP, {}),
    "2-5": (IN + GROUP + MOBILE_FIELDS, {}),
    "2-6": (IN + GROUP + ["answered_manager"] + MOBILE_FIELDS, {"151": "answered_manager"}),
    "2-7": (IN + GROUP + ["answered_manager", "transfer_to_manager"] + MOBILE_FIELDS,
            {"151": "answered_manager", "152": "transfer_to_manager"}),
    "2-12": (IN + STEPS + ["answered_manager_final"], {"151": "answered_manager"}),
    "2-13": (IN + STEPS + ["step3_mobile_manager", "step3_mobile_line", "answered_manager_final"],
             {"151": "answered_manager"}),
    "2-15": (IN + STEPS + ["step3_mobile_manager", "step3_mobile_line"], {}),
    "2-18": (IN + ["simple_internal_1", "simple_internal_2", "simple_internal_3"],
             {"151": "first_manager", "152": "second_manager", "150": "third_manager"}),
    "2-23": (FOLLOW_ME, FOLLOW_ROLES),
    "3-1": (["internal_caller", "internal_callee"], {"151": "caller", "152": "callee"}),
}
SAME = {"1-5": "1-3", "1-6": "1-3", "2-3": "2-1", "2-4": "2-2", "2-10": "2-7", "2-25": "2-23", "2-27": "2-23",
        "2-29": "2-23", "2-30": "2-23", "3-2": "3-1"}


def by_id(table, number, usual):
    return next((value for value, ids in table.items() if number in ids), usual)


def catalogue():
    for number, (key, (ru, en)) in enumerate(TITLES.items(), 1):
        yield {"id": number, "key": key, "title": {"ru": ru, "en": en},
               "minutes": by_id(MINUTES, number, 3), "status": by_id(STATUS, number, 2)}


def group_of(key, extensions, dial):
    """What a dial's list of destinations means in this pattern; None: each as it stands."""
    internal = [one for one in extensions if len(one) == 3]
    mobile = ["{mobile}"] if MOBILE in extensions else []
    if not internal or key[0] != "2" or set(internal) <= {"300"}:
        return None
    if key in ("2-12", "2-13", "2-15"):
        return [f"{{step{dial}}}", *mobile]
    if SAME.get(key, key) in ("2-18", "2-23"):
        return None
    answered = ["{answered_manager}"] if "151" in SHAPES[SAME.get(key, key)][1] else []
    return ["{group}", *answered, *mobile]


class Maker:
    def __init__(self, key, rows):
        self.key, self.rows = key, rows
        self.fields, self.roles = SHAPES[SAME.get(key, key)]
        self.second_line = "backup_line" if key == "1-9" else "mobile_line"
        self.uids, self.bridges, self.seen = {}, {}, set()
        self.dials = 0

    def text(self, value):
        """Numbers, wherever they stand in a string."""
        value = value.replace(EXTERNAL, "{external}").replace(MOBILE, "{mobile}")
        value = value.replace(MAIN_LINE, "{line}").replace(OTHER_LINE, "{%s}" % self.second_line)
        for extension, role in self.roles.items():
            value = re.sub(rf"(?<![0-9a-f]){extension}(?![0-9a-f])", "{%s}" % role, value)
        return value

    def numbered(self, table, value, name):
        return value and "{%s%d}" % (name, table.setdefault(value, len(table) + 1))

    def time(self, name, value, body):
        if not value:
            return ""
        if name == "EndTime":
            return "{now}"
        uid = body["UniqueId"]
        primary = self.primary()
        return "{start_time}" if uid == primary or uid not in self.seen else "{%s_time}" % self.uids_name(uid)

    def uids_name(self, uid):
        return f"uid{self.uids[uid]}"

    def primary(self):
        for wanted in ("start", "dial"):
            for row in self.rows:
                if row["event"] == wanted:
                    return row["body"]["UniqueId"]
        return next(row["body"]["UniqueId"] for row in self.rows if row["body"]["UniqueId"])

    def value(self, name, value, body):
        if name == "UniqueId":
            return self.numbered(self.uids, value, "uid")
        if name == "BridgeUniqueid":
            return self.numbered(self.bridges, value, "bridge")
        if name in ("StartTime", "DateReceived", "EndTime"):
            return self.time(name, value, body)
        if name == "Token":
            return "{token}"
        return self.text(value) if isinstance(value, str) else value

    def extensions(self, row):
        values = row["body"]["Extensions"]
        if row["event"] == "dial" and row["body"]["CallType"] == 0:
            self.dials += 1
            meaning = group_of(self.key, values, self.dials)
            if meaning:
                return meaning
        return list(dict.fromkeys(self.text(value) for value in values))

    def step(self, row):
        body = dict(row["body"])
        made = {name: self.value(name, body[name], body) for name in sorted(body, key=order) if name != "Extensions"}
        if "Extensions" in body:
            made["Extensions"] = self.extensions(row)
        if body["UniqueId"]:
            self.seen.add(body["UniqueId"])
        delay = row["delay_ms"]
        return {"event": row["event"], "delay_ms": USUAL_DELAY_MS if delay is None else delay, "body": made}

    def steps(self):
        steps = [self.step(row) for row in self.rows]
        steps[0]["delay_ms"] = 0
        last_bridge = max((i for i, one in enumerate(steps) if one["event"] == "bridge"), default=None)
        if last_bridge is not None and last_bridge + 1 < len(steps):
            after = steps[last_bridge + 1:]
            next((one for one in after if one["event"] == "bridge_leave"), after[0])["talk"] = True
        return steps

    def lead_ms(self):
        """A call of one event began before it."""
        body = self.rows[0]["body"]
        if len(self.rows) > 1 or not body.get("EndTime"):
            return 0
        times = [datetime.fromisoformat(body[name]) for name in ("DateReceived", "EndTime")]
        return int((times[1] - times[0]).total_seconds() * 1000)

    def derived(self):
        source = "follow_me_manager" if "follow_me_manager" in self.fields else "mobile_manager"
        text = json.dumps([row["body"] for row in self.rows])
        if MOBILE in text:
            yield {"role": "mobile", "from": source, "column": "personal_phone", "fallback": MOBILE}
        if source == "follow_me_manager":
            yield {"role": "follow_me", "from": source, "column": "follow_me_number", "fallback": "300"}

    def pattern(self, entry):
        steps = self.steps()
        fields = [{"name": name, "kind": FIELDS[name][0], "role": FIELDS[name][1], "required": name not in OPTIONAL,
                   "usual": "internal_phone" if name in MAIN else "", "label": {"ru": FIELDS[name][2], "en": FIELDS[name][3]}} for name in self.fields]
        return {**entry, "lead_ms": self.lead_ms(), "primary": self.uids_name(self.primary()),
                "fields": fields, "derived": list(self.derived()), "steps": steps}


def order(name):
    first = ["Token", "UniqueId", "CallType", "Phone"]
    return (first.index(name), "") if name in first else (len(first), name)


def main():
    corpus, folder = Path(sys.argv[1]), Path(sys.argv[2])
    rows = [json.loads(line) for line in corpus.read_text().splitlines() if line]
    folder.mkdir(parents=True, exist_ok=True)
    entries = list(catalogue())
    for entry in entries:
        key = entry["key"]
        mine = [[row for row in rows if row["scenario"] == f"{key}/{source}"] for source in ("raw", "emulator")]
        captured = next((some for some in mine if some), None)
        entry["captured"] = captured is not None
        if captured:
            write(folder / f"{key}.json", Maker(key, captured).pattern(entry))
    write(folder / "catalogue.json", {"patterns": entries})


def write(path, content):
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
