#!/usr/bin/python3
"""The layers: an include that goes the wrong way must not compile, a third-party header has one home.

usage: layers.py BUILD_FOLDER    (one that cmake has configured: it has compile_commands.json)
Tries every forbidden include with the very compiler command of a source file of that layer.
"""
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LAYERS = ("base", "model", "io", "clients", "crm", "refold", "accounts", "service")
# What each layer may include beside itself.
BELOW = {
    "base": set(),
    "model": {"base"},
    "io": {"base"},
    "clients": {"io", "base"},
    "crm": {"model", "base"},
    "refold": {"clients", "model", "io", "base"},
    "accounts": {"clients", "model", "io", "base"},
    "service": {"clients", "io", "base"},
}
# Third-party header -> the files that may include it.
HOMES = {
    r"<cjson/": r"libshared/base/json[a-z_]*\.c$",
    r"<openssl/": r"libshared/(base/crypto|io/tls)\.c$",
    r"<wslay/": r"libshared/clients/websocket_frames\.c$",
    r"<event2/|<event\.h": r"libshared/io/",
    r"<http_parser\.h": r"libshared/io/",
    r"<curl/": r"libshared/clients/http_client[a-z_]*\.[ch]$",
    r"<libpq-fe\.h|<postgresql/": r"libshared/clients/pg[a-z_]*\.[ch]$",
    r"<hiredis/": r"libshared/clients/redis[a-z_]*\.[ch]$",
}
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gmtime|alloca|gets)\s*\(")


def listed(*trees):
    out = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *trees],
                         cwd=ROOT, text=True, capture_output=True, check=True).stdout
    return [path for path in out.splitlines() if path.endswith((".c", ".h")) and (ROOT / path).exists()]


def bare(text):
    blank = lambda found: "\n" * found.group().count("\n")  # noqa: E731
    return re.sub(r"/\*.*?\*/", blank, text, flags=re.S)


def homes_and_bans():
    for path in listed("libshared", "services"):
        for number, line in enumerate(bare((ROOT / path).read_text()).splitlines(), 1):
            for header, home in HOMES.items():
                if re.search(r"#\s*include\s*(" + header + ")", line) and not re.search(home, path):
                    yield f"{path}:{number}: {line.strip()} belongs to {home} only"
            if BANNED.search(re.sub(r'"(\\.|[^"\\])*"', '""', line)):
                yield f"{path}:{number}: a banned function: {line.strip()}"


def compile_command(build, folder):
    """The compiler call of some source file in a folder, without its input and output."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if Path(entry["file"]).parent == ROOT / folder:
            words = shlex.split(entry["command"])
            words = words[:words.index("-o")] if "-o" in words else words
            return [word for word in words if word not in ("-c", entry["file"])], entry["directory"]
    return None, None


def compiles(command, folder, include):
    done = subprocess.run([*command, "-fsyntax-only", "-x", "c", "-"], cwd=folder, text=True,
                          input=f'#include "{include}"\n', capture_output=True)
    return done.returncode == 0


def wrong_includes(build):
    """Every include that must not compile, and one a layer that must: else nothing was proved."""
    headers = {layer: [Path(path).name for path in listed(f"libshared/{layer}") if path.endswith(".h")]
               for layer in LAYERS}
    for layer in LAYERS:
        command, folder = compile_command(build, f"libshared/{layer}")
        if command is None:
            continue
        if not compiles(command, folder, "error.h"):
            yield f"libshared/{layer}: error.h of base does not compile: this check proves nothing"
        for other in LAYERS:
            if other != layer and other not in BELOW[layer]:
                for header in headers[other]:
                    if compiles(command, folder, header):
                        yield f"libshared/{layer} can include {header} of {other}"


def service_includes(build):
    services = sorted({path.split("/")[1] for path in listed("services")})
    for service in services:
        command, folder = compile_command(build, f"services/{service}")
        if command is None:
            continue
        own = {Path(path).name for path in listed(f"services/{service}")}
        shared = {Path(path).name for path in listed("libshared")}
        for other in services:
            for path in listed(f"services/{other}"):
                name = Path(path).name
                if other != service and name.endswith(".h") and name not in own | shared:
                    if compiles(command, folder, name):
                        yield f"services/{service} can include {name} of {other}"


def main(build):
    problems = [*homes_and_bans(), *wrong_includes(build), *service_includes(build)]
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
