#!/usr/bin/python3
"""The documents: every setting is in docs/operations.md and no other, links lead somewhere, scripts help.

usage: docs.py BIN_FOLDER    (the built services: their --check-config names the settings)
"""
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SERVICES = ("ingest", "dispatcher", "bot", "sandbox", "emulator", "console", "integration-cache", "pbx-api",
            "retailcrm", "uon", "moysklad", "bitrix24", "webhook", "hooks", "media-ws", "speech")
REQUIRED = {"DATABASE_URL": "postgresql://nowhere/nothing", "CALLWEAVE_INTERNAL_SECRET": "x" * 32}
OPERATIONS = ROOT / "docs" / "operations.md"
# Read by scripts, not by services; documented all the same.
OF_SCRIPTS = {"CALLWEAVE_VAR", "CALLWEAVE_BIN", "CALLWEAVE_ENV_FILE", "CALLWEAVE_STOP_SECONDS",
              "CALLWEAVE_READY_SECONDS", "CALLWEAVE_WITH_BAILEYS", "CALLWEAVE_POSTGRES_DIR", "CALLWEAVE_REDIS_PORT"}


def settings(service, folder):
    """({name: default}, what is wrong): as the service itself prints them, in an empty environment.

    One that does not start without some settings is given those, and their defaults are not looked at.
    """
    for given in ({}, REQUIRED):
        done = subprocess.run([str(folder / service), "--check-config"], text=True, capture_output=True, timeout=20,
                              env={"PATH": os.environ["PATH"], **given})
        found = dict(re.findall(r"^([A-Z][A-Z0-9_]+)=(.*)$", done.stdout, re.M))
        if done.returncode == 0 and found:
            return {name: default for name, default in found.items() if name not in given}, None
    return {}, f"{service} --check-config: exit {done.returncode} {done.stderr}"


def wrong_settings(folder):
    known = {}
    for service in SERVICES:
        found, problem = settings(service, folder)
        known.update(found)
        if problem:
            yield problem
    written = dict(re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \| `?([^`|]*?)`? *\|", OPERATIONS.read_text(), re.M))
    for name in sorted(known.keys() - written.keys()):
        yield f"docs/operations.md: no row for the setting {name}"
    for name in sorted(written.keys() - known.keys() - OF_SCRIPTS):
        yield f"docs/operations.md: {name} is no setting of any service"
    for name in sorted(written.keys() & known.keys()):
        if written[name].strip() != known[name]:
            yield f"docs/operations.md: {name} is {known[name]!r} by default, not {written[name].strip()!r}"


def pages():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
                            cwd=ROOT, text=True, capture_output=True, check=True).stdout.split()
    return [ROOT / path for path in listed if (ROOT / path).exists()]


def slug(heading):
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(page):
    return {slug(line.lstrip("#")) for line in page.read_text().splitlines() if line.startswith("#")}


def dead_links():
    for page in pages():
        text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            place = (page.parent / path).resolve() if path else page
            if not place.exists():
                yield f"{page.relative_to(ROOT)}: {target} leads nowhere"
            elif anchor and place.suffix == ".md" and anchor not in anchors(place):
                yield f"{page.relative_to(ROOT)}: {target}: no such heading"


def silent_scripts():
    for script in sorted((ROOT / "scripts").iterdir()):
        if script.is_file() and os.access(script, os.X_OK):
            done = subprocess.run([str(script), "--help"], text=True, capture_output=True, timeout=20,
                                  stdin=subprocess.DEVNULL)
            if done.returncode != 0 or "usage" not in done.stdout.lower():
                yield f"scripts/{script.name} --help: exit {done.returncode}, no usage"


def main(folder):
    problems = [*wrong_settings(folder), *dead_links(), *silent_scripts()]
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
