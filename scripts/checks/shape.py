#!/usr/bin/python3
"""The shape of the tree: lengths of functions, files and headers, parameters, nesting.

usage: shape.py [--report]    exit 1 when a limit is broken; --report prints the figures, too
Needs universal-ctags. Limits are those of CONTRIBUTING.md; nothing is excused.
"""
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TREES = ("libshared", "services", "tests")
LIMITS = {"function": 60, "file": 500, "header": 150, "parameters": 5, "nesting": 3}


def sources():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.c", "*.h"],
                            cwd=ROOT, text=True, capture_output=True, check=True).stdout.split()
    return [path for path in listed if path.startswith(TREES) and (ROOT / path).exists()]


def functions(paths):
    """(path, name, first line, last line, parameters) of each function that is defined."""
    command = ["ctags", "--output-format=json", "--languages=C", "--map-C=+.h", "--kinds-C=f",
               "--fields=+neS", "-L", "-", "-f", "-"]
    out = subprocess.run(command, cwd=ROOT, input="\n".join(paths), text=True, capture_output=True, check=True)
    for tag in map(json.loads, out.stdout.splitlines()):
        if "end" in tag:
            yield tag["path"], tag["name"], tag["line"], tag["end"], parameters(tag.get("signature", "()"))


def parameters(signature):
    """How many; the place for an error, which every function that can fail has, is not counted."""
    inside = re.sub(r",? *struct error *\* *error *$", "", signature.strip()[1:-1].strip())
    depth = commas = 0
    for letter in inside:
        depth += (letter == "(") - (letter == ")")
        commas += letter == "," and depth == 0
    return 0 if inside in ("", "void") else commas + 1


def bare(text):
    """Code without comments, strings and characters, line by line as before."""
    blank = lambda found: "\n" * found.group().count("\n")  # noqa: E731
    text = re.sub(r"/\*.*?\*/", blank, text, flags=re.S)
    return re.sub(r'"(\\.|[^"\\\n])*"|\'(\\.|[^\'\\\n])*\'', "0", text)


def nesting(lines):
    depth = deepest = 0
    for letter in "".join(lines):
        depth += (letter == "{") - (letter == "}")
        deepest = max(deepest, depth)
    return deepest - 1


def comment_share(texts):
    lines = sum(text.count("\n") for text in texts)
    comments = sum(found.count("\n") + 1 for text in texts for found in re.findall(r"/\*.*?\*/", text, re.S))
    return 100 * comments / max(lines, 1)


def opens_with_comment(path, text):
    found = re.match(r"/\*.*?\*/", text, re.S)
    return bool(found) or not path.endswith((".c", ".h"))


def main(report):
    paths = sources()
    texts = {path: (ROOT / path).read_text(errors="replace") for path in paths}
    code = {path: bare(text).split("\n") for path, text in texts.items()}
    broken = []

    def check(kind, value, where):
        if value > LIMITS[kind]:
            broken.append(f"{where}: {kind} {value}, at most {LIMITS[kind]}")

    for path in paths:
        check("header" if path.endswith(".h") else "file", texts[path].count("\n"), path)
        if not opens_with_comment(path, texts[path]):
            broken.append(f"{path}: does not open with a comment that says why it exists")
    lengths = []
    for path, name, first, last, count in functions(paths):
        lengths.append(last - first + 1)
        check("function", last - first + 1, f"{path}:{first} {name}")
        check("parameters", count, f"{path}:{first} {name}")
        check("nesting", nesting(code[path][first - 1:last]), f"{path}:{first} {name}")
    if report:
        sizes = [text.count("\n") for path, text in texts.items() if path.endswith(".c")]
        print(f"{len(paths)} files, .c median {statistics.median(sizes):.0f} max {max(sizes)}; "
              f"{len(lengths)} functions, median {statistics.median(lengths):.0f} max {max(lengths)}; "
              f"comments {comment_share(texts.values()):.0f} %")
    print("\n".join(broken), end="\n" if broken else "")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main("--report" in sys.argv[1:]))
