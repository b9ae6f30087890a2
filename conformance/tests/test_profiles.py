# SPDX-License-Identifier: MIT
"""Profiles: what a run takes from one, and what is wrong with one."""

from __future__ import annotations

import pytest

from conftest import KEPT_ALIVE, Outcome, case_text

PASSES = case_text("own-passes", *KEPT_ALIVE)
STATUS = case_text("own-status", "send get-cluster-status", "expect cluster-status-response",
                   needs="cluster-status")
RECORDS = 'given topic $t records=raw("x")*100'
LARGE = case_text("own-large", "given topic $t", 'send ingest topic_id=$t records=raw("12345")*200',
                  "expect ack", needs="topics, ingest")
FILLED = case_text("own-filled", "given topic $t", "send ingest topic_id=$t fill=2000",
                   "expect ack", needs="topics, ingest")
PADDED = case_text("own-padded", "send list-topics size=2000", "expect topic-response")
MANY = case_text("own-many", RECORDS, *KEPT_ALIVE, needs="topics, ingest")
NAMED = case_text("own-named", "given name $n size=200", "send create-topic name=$n",
                  "expect topic-response", needs="topics")
LARGEST = case_text("own-largest", *KEPT_ALIVE, needs="max-payload")
OPEN = case_text("own-open", *KEPT_ALIVE, needs="open")
INGESTS = case_text("own-ingests", *KEPT_ALIVE, needs="ingest")


@pytest.fixture
def profile_file(tmp_path):
    def write(text: str) -> list[str]:
        path = tmp_path / "server.profile"
        path.write_text(text, encoding="utf-8")
        return ["--profile", str(path)]

    return write


@pytest.fixture
def run(conform, mock, case_file, profile_file):
    def judge(text: str, *cases: str, options: tuple[str, ...] = ()) -> Outcome:
        options = (*profile_file(text), *options)
        return conform("server", mock, *case_file(*cases), *options, "--min-cases", 0)

    return judge


@pytest.mark.parametrize(
    ("line", "case", "reason"),
    [
        ("without cluster-status  # no answer", STATUS, "1: without cluster-status, no answer)"),
        ("without cluster-status", STATUS, "1: without cluster-status)"),
        ("max-payload 1999  # it closes", LARGE, "payload of 2000"),
        ("max-payload 1K", FILLED, "1: max-payload 1K)"),
        ("max-payload 1K", PADDED, "1: max-payload 1K)"),
        ("max-records 99", MANY, "1: max-records 99)"),
        ("max-name 199", NAMED, "a name of 200"),
        ("max-payload 8M", LARGEST, "1: max-payload 8M)"),
        ("without open  # wants a token", OPEN, "1: without open, wants a token)"),
        ("without open  # wants a token", INGESTS, "1: without open, wants a token)"),
    ],
)
def test_what_the_profile_takes_away_is_skipped_and_the_line_named(run, line, case, reason):
    outcome = run(f"{line}\n", case, PASSES)
    assert (outcome.status, outcome.verdicts) == (0, ["skip", "pass"])
    assert reason in outcome.cases[0]["reason"] and "server.profile:1" in outcome.cases[0]["reason"]
    assert outcome.end["verdicts"]["skip"] == 1


@pytest.mark.parametrize(
    ("line", "case"),
    [("max-payload 2000", LARGE), ("max-payload 2000", PADDED), ("max-records 100", MANY), ("max-name 200", NAMED),
     ("max-payload 16M", LARGEST), ("without retention", STATUS), ("# without open", OPEN)],
)
def test_what_the_profile_leaves_is_run(run, line, case):
    assert run(f"{line}\n", case).verdicts == ["pass"]


def test_a_token_gives_the_ingests_back(run):
    outcome = run("without open\n", OPEN, INGESTS, options=("--auth-token", "sesame"))
    assert outcome.verdicts == ["skip", "pass"]


def test_the_dialect_comes_from_the_profile_unless_it_is_given(conform, start_mock, case_file,
                                                               profile_file):
    address = start_mock("--dialect", "spec").address
    options = [*case_file(PASSES), *profile_file("# It is\n\n  dialect\tspec # by the book\r\n")]
    assert conform("server", address, *options).case["dialect"] == "spec"
    assert conform("server", address, *options, "--dialect", "lance").status == 3


def test_the_command_that_repeats_a_case_names_the_profile(run):
    fails = case_text("own-fails", "send keepalive", "expect ack")
    assert "--profile" in run("dialect lance\n", fails).text


@pytest.mark.parametrize(
    ("text", "place", "found"),
    [
        ("dialect klingon\n", "1:9", "klingon"),
        ("\n  dialect\n", "2:10", "nothing"),
        ("without gravity  # none\n", "1:9", "gravity"),
        ("speaks lance\n", "1:1", "speaks"),
        ("max-payload 0\n", "1:13", "0"),
        ("max-payload 5G\n", "1:13", "5G"),
        ("max-payload many\n", "1:13", "many"),
        ("max-name -1\n", "1:10", "-1"),
        ("dialect lance spec\n", "1:15", "spec"),
        ("dialect lance\ndialect lance\n", "2:1", "dialect"),
        ("max-name \x1b[2J\n", "1:10", "?[2J"),
    ],
)
def test_a_wrong_line_is_told_with_its_place(run, profile_file, text, place, found):
    outcome = run(text, PASSES)
    path = profile_file(text)[1]
    assert (outcome.status, outcome.events) == (64, [])
    assert outcome.stderr.startswith(f"{path}:{place}: found {found}, expected ")


def test_all_wrong_lines_are_told(run):
    outcome = run("a\nwithout open\nb\n", PASSES)
    assert outcome.status == 64 and len(outcome.stderr.splitlines()) == 2


@pytest.mark.parametrize("path", ["/no/such/profile", "/"])
def test_a_profile_that_can_not_be_read_is_wrong_usage(conform, mock, path):
    outcome = conform("server", mock, "--profile", path, reports=False)
    assert outcome.status == 64 and path in outcome.stderr
