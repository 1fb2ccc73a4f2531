#!/usr/bin/python3
"""Add up the results of scripts/test; the last line is "N passed, N failed[, N skipped]".

usage: tally.py FOLDER    (ctest.log, *.xml of pytest, and lines "pass NAME" / "fail NAME")
"""
import re
import sys
import xml.etree.ElementTree as xml
from pathlib import Path


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add_lines(self, path):
        for line in path.read_text().splitlines():
            self.passed += line.startswith("pass ")
            self.failed += line.startswith("fail ")

    def add_pytest(self, path):
        for case in xml.parse(path).iter("testcase"):
            kinds = {child.tag for child in case}
            if kinds & {"failure", "error"}:
                self.failed += 1
            elif "skipped" in kinds:
                self.skipped += 1
                print(f"skipped {case.get('name')}: {case.find('skipped').get('message')}")
            else:
                self.passed += 1

    def add_ctest(self, path):
        """Counts the tests inside each cmocka program; a program that dies is one failure more."""
        said = {}
        verdicts = {}
        for line in path.read_text(errors="replace").splitlines():
            found = re.match(r"(\d+): \[  (PASSED|FAILED)  \] (\d+) test\(s\)", line)
            if found:
                counts = said.setdefault(found[1], {"PASSED": 0, "FAILED": 0})
                counts[found[2]] += int(found[3])
            found = re.match(r"\s*\d+/\d+ Test +#(\d+): .*?(Passed|Failed|Not Run|Timeout|\*\*\*)", line)
            if found:
                verdicts[found[1]] = found[2]
        for number, verdict in verdicts.items():
            counts = said.get(number, {"PASSED": 0, "FAILED": 0})
            self.passed += counts["PASSED"] or (verdict == "Passed")
            self.failed += counts["FAILED"] or (verdict != "Passed")
        if not verdicts and "No tests were found" not in path.read_text(errors="replace"):
            self.failed += 1


def main(folder):
    tally = Tally()
    for name in ("stages", "fuzz"):
        if (folder / name).exists():
            tally.add_lines(folder / name)
    if (folder / "ctest.log").exists():
        tally.add_ctest(folder / "ctest.log")
    for log in sorted(folder.glob("lane-*.log")):
        if log.with_suffix(".xml").exists():
            tally.add_pytest(log.with_suffix(".xml"))
        else:
            print(f"{log.stem}: pytest itself failed, see {log}")
            tally.failed += 1
    more = f", {tally.skipped} skipped" if tally.skipped else ""
    print(f"{tally.passed} passed, {tally.failed} failed{more}")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
