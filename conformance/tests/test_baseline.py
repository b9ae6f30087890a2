# SPDX-License-Identifier: MIT
"""--baseline: what has changed since an earlier run, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import KEPT_ALIVE, NOT_ACKED, Outcome, case_text
from peer import BATCH, KEEPALIVE, Connection, Frame, answering

PASSES = case_text("own-a", *KEPT_ALIVE)
FAILS = case_text("own-a", *NOT_ACKED)
CLOSES = case_text("own-a", "send keepalive magic=0", "expect keepalive")
LATE = case_text("own-a", *KEPT_ALIVE, "expect keepalive within 20ms")
SKIPPED = case_text("own-a", *KEPT_ALIVE, needs="auth")
OTHER = case_text("own-other", *NOT_ACKED)
ID = "LWP-2.3/own-a"


@pytest.fixture
def compare(conform, mock, case_file):
    """`compare([case, …], [case, …])` runs the first and then, against that, the second."""

    def judge(before: list[str], after: list[str], *options: object) -> Outcome:
        first = conform("server", mock, *case_file(*before), "--min-cases", 0)
        baseline = first.folder / "report.jsonl"
        return conform("server", mock, *case_file(*after), "--baseline", baseline,
                       "--min-cases", 0, *options)

    return judge


def changes(outcome: Outcome) -> list[str]:
    """The lines behind the head, and the last one."""
    return outcome.text.partition(".jsonl:\n")[2].splitlines()


@pytest.mark.parametrize(
    ("before", "after", "status", "change"),
    [
        (FAILS, PASSES, 0, f"fixed        {ID}: fail field:flags -> pass"),
        (PASSES, FAILS, 1, f"broken       {ID}: pass -> fail field:flags"),
        (PASSES, LATE, 1, f"broken       {ID}: pass -> timeout"),
        (OTHER, FAILS, 1, f"new          {ID}: not run -> fail field:flags"),
        (SKIPPED, FAILS, 1, f"new          {ID}: skip -> fail field:flags"),
        (FAILS, CLOSES, 1, f"class        {ID}: fail field:flags -> fail close"),
        (FAILS, LATE, 1, f"class        {ID}: fail field:flags -> timeout"),
        (PASSES, SKIPPED, 0, f"gone         {ID}: pass -> skip"),
        (FAILS, OTHER, 1, f"gone         {ID}: fail field:flags -> no case"),
        (FAILS, FAILS, 0, None),
        (PASSES, PASSES, 0, None),
        (LATE, LATE, 0, None),
        (SKIPPED, SKIPPED, 0, None),
        (OTHER, PASSES + OTHER, 0, None),
    ],
)
def test_each_change_is_told_and_only_new_failures_count(compare, before, after, status, change):
    outcome = compare([before], [after])
    assert outcome.status == status
    told = changes(outcome)
    assert (change in told) if change else len(told) == 1, outcome.text


def test_the_changes_are_counted(compare):
    cases = [case_text(f"own-{i}", *KEPT_ALIVE) for i in range(3)]
    broken = case_text("own-0", *NOT_ACKED)
    assert changes(compare(cases, [broken, *cases[1:]]))[-1] == \
        "0 fixed, 1 broken, 0 new, 0 class, 0 gone, 2 as before"


def test_what_is_as_before_has_no_evidence_but_is_in_the_other_reports(compare):
    outcome = compare([FAILS, OTHER], [FAILS, OTHER])
    assert (outcome.status, outcome.verdicts) == (0, ["fail", "fail"])
    assert "transcript" not in outcome.text and ID not in outcome.text
    assert [len(case.findall("failure")) for case in outcome.testcases] == [1, 1]


def test_what_has_changed_has_its_evidence(compare):
    outcome = compare([PASSES, OTHER], [FAILS, OTHER])
    assert f"fail         {ID}" in outcome.text and outcome.text.count("transcript") == 1


def test_a_filter_leaves_the_rest_of_the_baseline_alone(compare, case_file):
    outcome = compare([FAILS, OTHER], [FAILS, OTHER], "--filter", ID)
    assert changes(outcome)[-1] == "0 fixed, 0 broken, 0 new, 0 class, 0 gone, 2 as before"


def test_a_crash_is_known_but_a_run_that_could_not_be_is_not(conform, fake_server, case_file):
    def dies(connection: Connection, frame: Frame) -> bytes | None:
        if frame.flags != KEEPALIVE:
            connection.server.die()
        return None

    cases = case_file(case_text("own-a", 'send ingest topic_id=1 records=raw("x")', "expect ack"),
                      case_text("own-b", *KEPT_ALIVE))
    first = conform("server", fake_server(answering(dies)).address, *cases)
    baseline = ["--baseline", first.folder / "report.jsonl"]
    second = conform("server", fake_server(answering(dies)).address, *cases, *baseline)
    assert (first.status, second.status) == (1, 3)
    assert second.verdicts == ["crash", "error"]


def test_an_unexpected_pass_of_then_is_known(conform, mock, case_file, expect_file):
    options = ["server", mock, *case_file(PASSES), *expect_file(f"xfail {ID} known\n")]
    first = conform(*options)
    assert first.status == 2
    assert conform(*options, "--baseline", first.folder / "report.jsonl").status == 0


# What is no baseline.

BEGIN = {"event": "begin", "schema_version": 2, "dialect": "lance"}
CASE = {"event": "case", "dialect": "lance", "id": ID, "verdict": "pass"}
END = {"event": "end"}


@pytest.mark.parametrize(
    ("events", "line", "problem"),
    [
        ([], 0, "it is empty"),
        ([BEGIN, CASE], 2, "its run did not end"),
        ([BEGIN, END, BEGIN, CASE], 4, "its run did not end"),
        ([CASE, END], 1, "no report"),
        ([BEGIN | {"schema_version": 1}, END], 1, "schema version 1, expected 2"),
        ([BEGIN | {"schema_version": 3}, END], 1, "schema version 3, expected 2"),
        ([BEGIN | {"schema_version": "2"}, END], 1, "schema version 0, expected 2"),
        ([BEGIN | {"dialect": "spec"}, CASE | {"dialect": "spec"}, END], 3, "another dialect"),
        ([BEGIN, CASE | {"verdict": "fine"}, END], 2, "a verdict that is known"),
        ([BEGIN, CASE | {"id": 7}, END], 2, "without an id"),
        ([BEGIN, {"x": 1}, END], 2, "no event of a report"),
        ([BEGIN, "x", END], 2, "no event"),
    ],
)
def test_a_file_that_is_no_baseline_is_wrong_usage(conform, mock, tmp_path, events, line, problem):
    path = tmp_path / "baseline.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    outcome = conform("server", mock, "--baseline", path)
    assert (outcome.status, outcome.events) == (64, [])
    assert outcome.stderr.startswith(f"{path}:{line}: ") and problem in outcome.stderr


@pytest.mark.parametrize("text", [b"{", b"\x00" * 50, b"\xff\n", b"[" * 100000, b"{}" * 3000000,
                                  b"<xml/>"])
def test_what_is_no_json_is_no_baseline(conform, mock, tmp_path, text):
    path = tmp_path / "baseline.jsonl"
    path.write_bytes(text)
    assert conform("server", mock, "--baseline", path).status == 64


@pytest.mark.parametrize("path", ["/no/such/baseline", "/"])
def test_a_baseline_that_can_not_be_read_is_wrong_usage(conform, mock, path):
    outcome = conform("server", mock, "--baseline", path)
    assert outcome.status == 64 and path in outcome.stderr


def test_a_report_of_all_dialects_is_one_of_each(conform, start_mock, case_file):
    cases = case_file(FAILS)
    first = conform("selftest", *cases)
    address = start_mock("--dialect", "spec").address
    options = ["--dialect", "spec", "--baseline", first.folder / "report.jsonl"]
    outcome = conform("server", address, *cases, *options)
    assert (outcome.status, outcome.verdicts) == (0, ["fail"])


@pytest.mark.parametrize("option", ["--baseline", "--profile"])
def test_the_selftest_has_none(conform, option):
    assert conform("selftest", option, "/dev/null", reports=False).status == 64
