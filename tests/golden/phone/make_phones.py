#!/usr/bin/python3
"""Writes numbers.txt: sample numbers of each country as libphonenumber groups them.

Needs Debian's python3-phonenumbers. The first group behind the country code goes into parentheses;
the four spellings that facts/pbx-events.md fixes (375, 7, 1, 380) are tested apart.
"""
import os
import re

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

COUNTRIES = "PL LT LV EE DE FR IT ES MD AM GE JP AR GB IL CZ TR CN AE UZ AZ KG TJ".split()
TYPES = [PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE]


def spelled(number):
    text = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    code, rest = text.split(" ", 1)
    groups = re.match(r"(\d+)[ -]?(.*)", rest)
    behind = " " + groups.group(2) if groups.group(2) else ""
    return f"{code} ({groups.group(1)}){behind}"


def main():
    lines = set()
    for country in COUNTRIES:
        for kind in TYPES:
            number = phonenumbers.example_number_for_type(country, kind)
            if number is None:
                continue
            digits = phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:]
            lines.add(f"{digits}\t{spelled(number)}\n")
    for digits in ["48291166355", "491726993391", "33740275647", "37052628760", "4930123456",
                   "442071838750", "447400123456", "390612345678", "393123456789", "34612345678",
                   "37369123456", "37491123456", "995555123456", "81312345678", "819012345678",
                   "5491123456789", "541123456789", "972501234567", "97221234567", "420601123456",
                   "905012345678", "8613123456789", "971501234567", "998912345678", "994401234567",
                   "996700123456", "992917123456", "37126123456", "37251234567", "3726123456"]:
        number = phonenumbers.parse("+" + digits)
        if phonenumbers.is_possible_number(number):
            lines.add(f"{digits}\t{spelled(number)}\n")
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "numbers.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(sorted(lines))


if __name__ == "__main__":
    main()
