#!/usr/bin/env python3
"""Writes Sources/Characters/WideRanges.swift from Unicode's EastAsianWidth.txt.

    scripts/make-width-table.py EastAsianWidth.txt > Sources/Characters/WideRanges.swift

The file is in Debian's package unicode-data (/usr/share/unicode/EastAsianWidth.txt) and at
https://www.unicode.org/Public/15.0.0/ucd/EastAsianWidth.txt.
"""
import re
import sys


def main():
    lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
    version = re.search(r"EastAsianWidth-([\d.]+)\.txt", lines[0]).group(1)
    ranges = []
    for line in lines:
        match = re.match(r"([0-9A-F]+)(?:\.\.([0-9A-F]+))?\s*;\s*([WF])\b", line)
        if not match:
            continue
        first = int(match.group(1), 16)
        last = int(match.group(2) or match.group(1), 16)
        if ranges and ranges[-1][1] + 1 == first:
            ranges[-1][1] = last
        else:
            ranges.append([first, last])
    print("// Written by scripts/make-width-table.py; do not edit.")
    print()
    print(f"/// Scalars two columns wide: East_Asian_Width W or F in Unicode {version},")
    print("/// as first and last of each range, ascending.")
    print("let wideRanges: [(first: UInt32, last: UInt32)] = [")
    for start in range(0, len(ranges), 4):
        row = ", ".join(f"(0x{a:04X}, 0x{b:04X})" for a, b in ranges[start : start + 4])
        print(f"  {row},")
    print("]")


main()
