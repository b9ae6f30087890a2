#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes one page of the JSON Lines that lwp-conform writes: a matrix of targets and cases, and all that
ends the search for each failure. The page needs no network and no other file."""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import jinja2

HERE = Path(__file__).resolve().parent
SCHEMA_VERSION = 2
LINE = 16  # Bytes in a line of a dump.
DUMPED = 512  # Bytes of a dump: its front,
AROUND = 4 * LINE  # and what is around the byte that differs.

EXIT_INPUT = 3
EXIT_USAGE = 64

# Characters that HTML has no place for.
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


# What Python says of lines that are JSON of some other kind, or none.
NOT_OURS = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError)


class InputError(Exception):
    """What can not be read, and where."""


@dataclass
class Run:
    """What was said of one target in one run. A run that was cut short has no end."""

    file: str
    begin: dict
    cases: dict[str, dict] = field(default_factory=dict)
    end: dict | None = None

    @property
    def counts(self) -> Counter[str]:
        return Counter(case["verdict"] for case in self.cases.values())

    @property
    def seconds(self) -> float:
        return sum(case["duration_ns"] for case in self.cases.values()) / 1e9


@dataclass
class Row:
    """A case in all runs."""

    case: dict  # As the first run tells it.
    cells: list[dict | None]

    @property
    def section(self) -> str:
        return self.case["id"].partition("/")[0].removeprefix("LWP-")

    @property
    def verdicts(self) -> list[str]:
        return sorted({cell["verdict"] for cell in self.cells if cell})

    @property
    def told(self) -> list[tuple[int, dict]]:
        """What there is more to tell of than the verdict, and in which run."""
        return [(at, cell) for at, cell in enumerate(self.cells) if cell and "transcript" in cell]


@dataclass
class DumpLine:
    """Bytes as digits and as text, before, at and behind the one that is marked."""

    offset: int
    digits: tuple[str, str, str]
    text: tuple[str, str, str]


def section_order(section: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", section)]


def take_event(runs: list[Run], file: str, event: dict) -> None:
    """Adds a line to the runs of its file."""
    kind = event["event"]
    if kind == "begin":
        if event["schema_version"] != SCHEMA_VERSION:
            raise InputError(f"schema version {event['schema_version']}, not {SCHEMA_VERSION}")
        runs.append(Run(file, event))
    elif not runs or runs[-1].end:
        raise InputError(f"{kind} outside of a run")
    elif kind == "case":
        runs[-1].cases[event["id"]] = event
    elif kind == "end":
        runs[-1].end = event
    else:
        raise InputError(f"no such event: {kind}")


def read_runs(path: str) -> list[Run]:
    runs: list[Run] = []
    number = 0
    try:
        with open(path, "rb") as lines:
            for number, line in enumerate(lines, 1):
                take_event(runs, path, json.loads(line))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except InputError as error:
        raise InputError(f"{path}:{number}: {error}") from error
    except NOT_OURS as error:
        raise InputError(f"{path}:{number}: not as lwp-conform writes it: {error!r}") from error
    if not runs:
        raise InputError(f"{path}: no run")
    return runs


def rows_of(runs: list[Run]) -> list[Row]:
    """The cases by section, and within it as they ran."""
    rows: dict[str, Row] = {}
    for at, run in enumerate(runs):
        for case_id, case in run.cases.items():
            rows.setdefault(case_id, Row(case, [None] * len(runs))).cells[at] = case
    return sorted(rows.values(), key=lambda row: section_order(row.section))


def text_of(data: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in data)


def dump_line(data: bytes, offset: int, mark: int) -> DumpLine:
    line = data[offset : offset + LINE]
    at = mark - offset if offset <= mark < offset + LINE else len(line)
    before, marked, behind = line[:at], line[at : at + 1], line[at + 1 :]
    digits = ("".join(f"{byte:02x} " for byte in before), marked.hex(),
              "".join(f" {byte:02x}" for byte in behind).ljust(3 * (LINE - at) - 2 * len(marked)))
    return DumpLine(offset, digits, (text_of(before), text_of(marked), text_of(behind)))


def dump_of(hex_digits: str, mark: int | None) -> list[DumpLine | int]:
    """Lines, and between them the number of bytes that are left out."""
    data = bytes.fromhex(hex_digits)
    at = -1 if mark is None else mark
    lines: list[DumpLine | int] = []
    left_out = 0
    for offset in range(0, len(data), LINE):
        if offset < DUMPED or abs(offset - at) <= AROUND:
            lines += [left_out] if left_out else []
            lines.append(dump_line(data, offset, at))
            left_out = 0
        else:
            left_out += len(data[offset : offset + LINE])
    return lines + ([left_out] if left_out else [])


def hash_of(text: str) -> str:
    """As a Content-Security-Policy names a script or style."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def render(runs: list[Run], title: str) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True)
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    try:
        rows = rows_of(runs)
        page = environment.get_template("report.html.jinja").render(
            title=title, runs=runs, rows=rows, dump_of=dump_of,
            sections=list(dict.fromkeys(row.section for row in rows)),
            verdicts=sorted({verdict for row in rows for verdict in row.verdicts}),
            style=style, script=script, style_hash=hash_of(style), script_hash=hash_of(script))
    except (jinja2.UndefinedError, *NOT_OURS) as error:
        raise InputError(f"not as lwp-conform writes it: {error!r}") from error
    return FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", page)


def write(path: str, page: str) -> None:
    """There is a whole page, or what was there before."""
    part = path + ".part"
    try:
        with open(part, "w", encoding="utf-8") as out:
            out.write(page)
            out.flush()
            os.fsync(out.fileno())
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\n")


def main() -> int:
    parser = Parser(description=__doc__)
    parser.add_argument("reports", nargs="+", metavar="REPORT.jsonl",
                        help="what lwp-conform --jsonl has written; a run in it is a column")
    parser.add_argument("-o", "--output", required=True, metavar="PAGE.html")
    parser.add_argument("--title", default="lwp-conform")
    arguments = parser.parse_args()
    try:
        runs = [run for path in arguments.reports for run in read_runs(path)]
        write(arguments.output, render(runs, arguments.title))
    except InputError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return EXIT_INPUT
    return 0


if __name__ == "__main__":
    sys.exit(main())
