# SPDX-License-Identifier: MIT
"""A strict reader of TAP 14, as much of it as lwp-conform writes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field


SKIPPED, KNOWN = "SKIP", "TODO"


@dataclass
class Point:
    ok: bool
    number: int
    description: str
    directive: str  # SKIPPED, KNOWN or "".
    reason: str
    diagnostics: dict = field(default_factory=dict)


POINT = re.compile(r"(not )?ok ([1-9][0-9]*) - ((?:[^#\\]|\\[#\\])+?)"
                   rf"(?: # ({SKIPPED}|{KNOWN}) ((?:[^#\\]|\\[#\\])+))?")


def plain(text: str) -> str:
    return re.sub(r"\\([#\\])", r"\1", text)


def diagnostics_of(lines: list[str]) -> dict:
    """Keys in a row, with a scalar or a list behind them; scalars are JSON's."""
    members: dict = {}
    for line in lines:
        if item := re.fullmatch(r"    - (.+)", line):
            members[list(members)[-1]].append(json.loads(item[1]))
            continue
        key, value = re.fullmatch(r"  ([a-z_]+):(?: (.+))?", line).groups()
        assert key not in members, line
        members[key] = [] if value is None else json.loads(value)
    return members


def read_tap(text: str) -> list[Point]:
    assert text.endswith("\n")
    lines = text.removesuffix("\n").split("\n")
    assert lines.pop(0) == "TAP version 14"
    points: list[Point] = []
    assert lines.pop() == f"1..{sum(POINT.fullmatch(line) is not None for line in lines)}"
    while lines:
        line = lines.pop(0)
        if line.startswith("# "):
            continue
        found = POINT.fullmatch(line)
        assert found, line
        failed, number, description, directive, reason = found.groups(default="")
        points.append(Point(not failed, int(number), plain(description), directive, plain(reason)))
        if lines and lines[0] == "  ---":
            end = lines.index("  ...")
            points[-1].diagnostics = diagnostics_of(lines[1:end])
            del lines[: end + 1]
    assert [point.number for point in points] == list(range(1, len(points) + 1))
    return points
