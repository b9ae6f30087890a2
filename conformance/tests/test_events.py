# SPDX-License-Identifier: MIT
"""The mock's event log and capture, read by programs that are not ours: a validator of JSON schemas
and tshark."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from collections import defaultdict
from pathlib import Path

import jsonschema
import pytest

from conftest import must_be_sound, program_named_by, strict_json
from peer import DEADLINE

SCHEMA = Path(__file__).parent.parent.parent / "mock_server" / "events.schema.json"
TABLE = Path(__file__).parent.parent.parent / "mock_server" / "events.def"
LARGE = 200_000


@pytest.fixture(scope="session")
def written(tmp_path_factory) -> tuple[list[dict], Path]:
    """The lines of a log, and the capture of the same connections."""
    folder = tmp_path_factory.mktemp("events")
    log, capture = folder / "log.jsonl", folder / "capture.pcapng"
    program = program_named_by("LWP_WRITE_EVENTS")
    done = subprocess.run([program, log, capture], capture_output=True, text=True, timeout=DEADLINE)
    must_be_sound(done.stderr)
    assert done.returncode == 0, done.stderr
    return [strict_json(line) for line in log.read_bytes().splitlines()], capture


@pytest.fixture(scope="session")
def lines(written) -> list[dict]:
    return written[0]


@pytest.fixture(scope="session")
def tshark(written):
    """Reads the capture with these options. tshark judges checksums only if it is told to."""

    def run(*options: str) -> list[str]:
        done = subprocess.run(
            ["tshark", "-n", "-r", str(written[1]), "-o", "tcp.check_checksum:TRUE", "-o",
             "ip.check_checksum:TRUE", *options],
            capture_output=True, text=True, errors="replace", timeout=DEADLINE)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


@pytest.fixture(scope="session")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


# The log


def test_every_line_fits_the_schema(lines, validator):
    for line in lines:
        validator.validate(line)


def test_there_is_a_line_of_every_kind(lines):
    words = set(re.findall(r'^LWP_EVENT\(\w+, +"(\w+)"', TABLE.read_text(), re.MULTILINE))
    assert {line["event"] for line in lines} == words | {"begin"}


def test_a_line_that_lacks_or_adds_a_member_does_not_fit(lines, validator):
    for line in lines:
        for name in ("event", "time_ns" if "time_ns" in line else "epoch_ns"):
            wrong = copy.deepcopy(line)
            del wrong[name]
            assert not validator.is_valid(wrong)
        assert not validator.is_valid({**line, "more": 1})


def test_the_keys_of_lines_stand_in_one_order(lines):
    orders: dict[str, list[str]] = {}
    for line in lines:
        order = orders.setdefault(line["event"], list(line))
        shared = [key for key in line if key in order]
        assert shared == [key for key in order if key in line]


def test_lines_are_numbered(lines):
    assert [line["number"] for line in lines[1:]] == list(range(1, len(lines)))


def test_milliseconds_and_nanoseconds_agree(lines):
    for line in lines[1:]:
        assert line["time_ns"] // 1000 == round(line["time_ms"] * 1000)


# The capture


def test_tshark_finds_nothing_wrong(tshark):
    """A reset is worth a warning; nothing else is, and no checksum is bad or was not judged."""
    assert tshark("-Y", "_ws.malformed || tcp.analysis.flags || tcp.checksum.status != 1 || "
                        "ip.checksum.status != 1 || _ws.expert.severity > 6291456 || "
                        "(_ws.expert.severity == 6291456 && tcp.flags.reset == 0)") == []
    assert len(tshark("-Y", "tcp.checksum.status == 1")) == len(tshark())


def test_tshark_sees_three_connections_and_their_ends(tshark):
    rows = [row.split("\t") for row in tshark(
        "-T", "fields", "-e", "tcp.stream", "-e", "tcp.srcport", "-e", "tcp.flags.fin", "-e",
        "tcp.flags.reset", "-Y", "tcp.flags.fin == 1 || tcp.flags.reset == 1")]
    assert rows == [["0", "40000", "1", "0"], ["0", "1993", "0", "1"],
                    ["1", "40001", "1", "0"], ["1", "1994", "1", "0"],
                    ["2", "1027", "1", "0"], ["2", "1992", "1", "0"]]


def test_the_streams_are_the_raw_bytes_of_the_log(lines, tshark):
    sent = defaultdict(str)
    for line in lines:
        if "raw" in line:
            sent[line["connection"] - 1, line["direction"]] += line["raw"]
    assert len(sent) == 6
    for stream in range(3):
        # Under six lines of heading; what the peer got is set in by a tab.
        rows = tshark("-q", "-z", f"follow,tcp,raw,{stream}")[6:-1]
        for direction, inset in (("in", False), ("out", True)):
            seen = "".join(row.strip() for row in rows if row.startswith("\t") == inset)
            assert seen == sent[stream, direction]
            assert len(seen) > 2 * LARGE


def test_the_comments_say_who_and_why(tshark):
    comments = [row for row in tshark("-T", "fields", "-e", "frame.comment") if row]
    assert "connection=1 node=A tag=first scenario=redirect" in comments
    assert ("connection=1 node=A tag=first scenario=redirect rule=faults.lwps:7 damaged"
            in comments)
    assert "connection=2 node=A tag=second \N{GRINNING FACE} \N{REPLACEMENT CHARACTER} " \
           "scenario=redirect" in comments


def test_times_have_nanoseconds(lines, tshark):
    seen = tshark("-T", "fields", "-e", "frame.time_epoch", "-Y", "tcp.flags.reset == 1")
    (closed,) = (line for line in lines if line["event"] == "closed" and line["how"] == "rst")
    time_ns = lines[0]["epoch_ns"] + closed["time_ns"]
    assert seen == [f"{time_ns // 10**9}.{time_ns % 10**9:09}"]
