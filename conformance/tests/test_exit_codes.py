# SPDX-License-Identifier: MIT
"""Every exit status of lwp-conform, and which one counts where several apply: 64, 1, 3, 2, 4."""

from __future__ import annotations

import os
import re
import signal
import subprocess

import pytest

from conftest import KEPT_ALIVE, NOT_ACKED, case_text
from peer import (
    ACK,
    BATCH,
    CONTROL,
    CREATE_TOPIC,
    DEADLINE,
    ERROR_RESPONSE,
    KEEPALIVE,
    Connection,
    Frame,
    answering,
    control,
    polite,
)

PASSES = case_text("own-passes", *KEPT_ALIVE)
FAILS = case_text("own-fails", *NOT_ACKED)
INGEST = 'send ingest topic_id=1 records=raw("hello")'
ACKED = case_text("own-acked", INGEST, "expect ack batch_id=1")
SET_UP = case_text("own-set-up", "given topic $t", *KEPT_ALIVE, needs="topics")
NEEDS_TOPICS = case_text("own-topics", *KEPT_ALIVE, needs="topics")
KILLS_WHEN_IT_CLOSES = case_text("own-last", "send ingest topic_id=666", "expect close")
FOUR_OF_WHICH_THE_SECOND_KILLS = [
    case_text("own-1", *KEPT_ALIVE),
    case_text("own-2", "send ingest topic_id=666", "expect ack"),
    case_text("own-3", *KEPT_ALIVE),
    case_text("own-4", *KEPT_ALIVE),
]


def killed_by_666(connection: Connection, frame: Frame) -> bytes | None:
    if frame.topic_id == 666:
        connection.server.die()
    return None


def without_topics(_: Connection, frame: Frame) -> bytes | None:
    """The set-up that wants a topic fails."""
    refused = frame.flags == CONTROL and frame.batch_id == CREATE_TOPIC
    return control(ERROR_RESPONSE, b"no").sealed() if refused else None


# 0


def test_a_right_mock_passes_all_cases(conform, mock, listed):
    outcome = conform("server", mock)
    assert (outcome.status, outcome.stderr) == (0, ""), outcome.text
    assert set(outcome.verdicts) <= {"pass", "pass-lenient", "skip"}
    assert [case["id"] for case in outcome.cases] == list(listed())


@pytest.mark.parametrize("dialect", ["spec", "lance-py"])
def test_a_right_mock_of_another_dialect_passes_its_cases(conform, start_mock, dialect):
    address = start_mock("--dialect", dialect).address
    outcome = conform("server", address, "--dialect", dialect, "--without", "slow")
    assert outcome.status == 0, outcome.text
    assert {case["dialect"] for case in outcome.cases} == {dialect}


def test_a_server_that_wants_a_token_passes_with_it(conform, start_mock):
    address = start_mock("--auth-token", "sesame").address
    outcome = conform("server", address, "--auth-token", "sesame", "--without", "slow")
    assert outcome.status == 0, outcome.text


def test_a_failure_that_was_expected_is_no_failure(conform, mock, case_file, expect_file):
    expected = expect_file("xfail LWP-2.3/own-fails known\n")
    outcome = conform("server", mock, *case_file(FAILS), *expected)
    assert (outcome.status, outcome.verdicts) == (0, ["xfail"])


@pytest.mark.parametrize(("case", "verdict"), [(PASSES, "pass"), (FAILS, "xfail")])
def test_a_flaky_case_may_pass_and_fail(conform, mock, case_file, expect_file, case, verdict):
    slug = case.split()[1]
    outcome = conform("server", mock, *case_file(case), *expect_file(f"flaky {slug} it races\n"))
    assert (outcome.status, outcome.verdicts) == (0, [verdict])


def test_a_weaker_reading_passes(conform, mock, case_file):
    lenient = case_text("own-lenient", "send keepalive", "expect ack | lenient keepalive")
    outcome = conform("server", mock, *case_file(lenient), "--min-cases", 1)
    assert (outcome.status, outcome.verdicts) == (0, ["pass-lenient"])


def test_the_selftest_passes_in_all_dialects(conform):
    outcome = conform("selftest")
    assert outcome.status == 0, outcome.text
    dialects = [event["dialect"] for event in outcome.events if event["event"] == "end"]
    assert sorted(dialects) == ["lance", "lance-py", "spec"]


@pytest.mark.parametrize("option", ["--help", "--version", "--list"])
def test_what_only_informs_writes_to_standard_output(conform, option):
    outcome = conform(option, reports=False)
    assert (outcome.status, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith(("lwp-conform", "LWP-"))


# 1


def test_a_wrong_expectation_fails(conform, mock, case_file):
    outcome = conform("server", mock, *case_file(PASSES, FAILS))
    assert (outcome.status, outcome.verdicts) == (1, ["pass", "fail"])


def test_256_failures_are_a_failure(conform, mock, case_file):
    """A status that counts failures would be 0 again."""
    fails = [case_text(f"own-{i}", *NOT_ACKED) for i in range(256)]
    outcome = conform("server", mock, *case_file(*fails))
    assert (outcome.status, outcome.end["verdicts"]["fail"]) == (1, 256)


def test_a_failing_selftest_fails(conform, case_file):
    outcome = conform("selftest", *case_file(FAILS))
    assert (outcome.status, set(outcome.verdicts)) == (1, {"fail"})


def test_an_ack_of_the_wrong_batch_fails(conform, fake_server, case_file):
    def wrong(_: Connection, frame: Frame) -> bytes | None:
        return Frame(ACK, frame.batch_id + 1).sealed() if frame.flags == BATCH else None

    server = fake_server(answering(wrong))
    outcome = conform("server", server.address, *case_file(ACKED))
    assert (outcome.status, outcome.verdicts) == (1, ["fail"])
    assert (outcome.case["field"], outcome.case["offset"]) == ("batch_id", 12)


def test_no_ack_is_a_timeout(conform, fake_server, case_file):
    server = fake_server(answering(lambda _, frame: b"" if frame.flags == BATCH else None))
    case = case_text("own-acked", INGEST, "expect ack within 100ms")
    outcome = conform("server", server.address, *case_file(case))
    assert (outcome.status, outcome.verdicts) == (1, ["timeout"])


def test_an_answer_with_a_wrong_header_checksum_fails(conform, fake_server, case_file):
    def damaged(_: Connection, frame: Frame) -> bytes | None:
        return Frame(ACK, frame.batch_id).sealed(checksum=1) if frame.flags == BATCH else None

    server = fake_server(answering(damaged))
    outcome = conform("server", server.address, *case_file(ACKED))
    assert (outcome.status, outcome.verdicts) == (1, ["fail"])
    assert "checksum" in outcome.case["actual"]


def test_an_answer_that_is_cut_off_fails(conform, fake_server, case_file):
    def cut(connection: Connection) -> None:
        for frame in connection.frames():
            if frame.flags == BATCH:
                connection.send(Frame(ACK, 1).sealed()[:43])
                return
            connection.send(Frame(KEEPALIVE).sealed())

    outcome = conform("server", fake_server(cut).address, *case_file(ACKED))
    assert (outcome.status, outcome.verdicts) == (1, ["fail"])
    assert "inside a frame" in outcome.case["actual"]


def test_a_server_that_dies_crashes_the_case_and_the_rest_are_errors(
    conform, fake_server, case_file
):
    server = fake_server(answering(killed_by_666))
    cases = case_file(*FOUR_OF_WHICH_THE_SECOND_KILLS)
    outcome = conform("server", server.address, *cases)
    assert (outcome.status, outcome.verdicts) == (1, ["pass", "crash", "error", "error"])
    kinds = [[child.tag for child in case] for case in outcome.testcases]
    assert kinds == [[], ["failure"], ["error"], ["error"]]


def test_no_expectation_excuses_a_crash(conform, fake_server, case_file, expect_file):
    server = fake_server(answering(killed_by_666))
    cases = case_file(*FOUR_OF_WHICH_THE_SECOND_KILLS)
    expected = expect_file("xfail LWP-2.3/own-2 known\nflaky LWP-2.3/own-3 known\n")
    outcome = conform("server", server.address, *cases, *expected)
    assert (outcome.status, outcome.verdicts) == (1, ["pass", "crash", "error", "error"])


def test_a_server_that_closes_as_required_and_is_gone_crashed_in_this_case(
    conform, fake_server, case_file
):
    server = fake_server(answering(killed_by_666))
    others = [case_text(f"own-{i}", *KEPT_ALIVE) for i in (1, 2)]
    outcome = conform("server", server.address, *case_file(KILLS_WHEN_IT_CLOSES, *others))
    assert (outcome.status, outcome.verdicts) == (1, ["crash", "error", "error"])


def test_a_server_that_closes_as_required_and_is_still_there_passes(
    conform, fake_server, case_file
):
    def close(connection: Connection) -> None:
        for frame in connection.frames():
            if frame.topic_id == 666:
                return
            connection.send(polite(connection, frame))

    server = fake_server(close)
    outcome = conform("server", server.address, *case_file(KILLS_WHEN_IT_CLOSES, PASSES))
    assert (outcome.status, outcome.verdicts) == (0, ["pass", "pass"])


def acks_and_dies(connection: Connection, frame: Frame) -> bytes | None:
    if frame.topic_id == 666:
        connection.send(Frame(ACK, frame.batch_id).sealed())
        connection.server.die()
        return b""
    return None


@pytest.mark.parametrize("behind", [[], [NEEDS_TOPICS]], ids=["the-last", "the-last-that-ran"])
def test_a_server_that_dies_after_the_last_case_crashed_in_it_in_all_reports(
    conform, fake_server, case_file, behind
):
    server = fake_server(answering(acks_and_dies))
    last = case_text("own-last", "send ingest topic_id=666", "expect ack")
    outcome = conform("server", server.address, *case_file(PASSES, last, *behind),
                      "--without", "topics")
    assert (outcome.status, outcome.verdicts) == (1, ["pass", "crash", *["skip" for _ in behind]])
    assert "did not answer" in outcome.case_named("own-last")["reason"]
    assert "crash        LWP-2.3/own-last (must): afterwards the target did not" in outcome.text
    assert outcome.junit.get("failures") == "1"
    assert outcome.testcases[1].find("failure").get("type") == "crash"


# 2


def test_an_unexpected_pass_is_told(conform, mock, case_file, expect_file):
    expected = expect_file("xfail LWP-2.3/own-passes known\n")
    outcome = conform("server", mock, *case_file(PASSES), *expected)
    assert (outcome.status, outcome.verdicts) == (2, ["xpass"])
    assert "expectation file" in outcome.case["reason"]


# 3


# What no server is taken to have.
UNUSUAL = {"auth", "access", "rate-limit", "connection-limit"}


def ran_nothing(outcome, listed: dict[str, set[str]]) -> None:
    """Every case that is listed is in all three reports, as an error; one that needs what few servers
    have may be skipped."""
    assert outcome.status == 3
    ids = [case["id"] for case in outcome.cases]
    assert ids == list(listed)
    assert ids == [testcase.get("name") for testcase in outcome.testcases]
    for case, testcase in zip(outcome.cases, outcome.testcases, strict=True):
        verdict = "skip" if UNUSUAL & listed[case["id"]] else "error"
        assert case["verdict"] == verdict, case
        assert case["reason"]
        assert f"{verdict:12} {case['id']} " in outcome.text
        assert [child.tag for child in testcase] == ["skipped" if verdict == "skip" else "error"]
    assert outcome.end["cases"] == len(ids)


def test_an_unreachable_server_gives_a_whole_report_of_errors(conform, nowhere, listed):
    outcome = conform("server", nowhere)
    ran_nothing(outcome, listed())
    assert "refused" in outcome.text


@pytest.mark.parametrize("size", [1, 20, 43])
def test_a_first_answer_that_is_cut_off_is_no_start(conform, fake_server, listed, size):
    def cut(connection: Connection) -> None:
        for _ in connection.frames():
            connection.send(Frame(KEEPALIVE).sealed()[:size])
            return

    outcome = conform("server", fake_server(cut).address)
    ran_nothing(outcome, listed())
    assert "closed" in outcome.text


def test_a_server_that_hangs_up_gives_a_whole_report_of_errors(conform, fake_server, listed):
    server = fake_server(lambda connection: None)
    ran_nothing(conform("server", server.address), listed())


def test_the_wrong_dialect_is_told(conform, mock, listed):
    outcome = conform("server", mock, "--dialect", "spec")
    ran_nothing(outcome, listed())
    assert "--dialect" in outcome.text


def test_an_answer_of_the_wrong_checksum_to_the_first_keepalive_is_no_start(
    conform, fake_server, listed
):
    server = fake_server(
        lambda connection: connection.answer_all(lambda *_: Frame(KEEPALIVE).sealed(checksum=1))
    )
    outcome = conform("server", server.address)
    ran_nothing(outcome, listed())
    assert "checksum" in outcome.text


def test_the_wrong_token_is_no_start(conform, start_mock, case_file):
    address = start_mock("--auth-token", "sesame").address
    outcome = conform("server", address, "--auth-token", "simsim", *case_file(PASSES))
    assert (outcome.status, outcome.verdicts) == (3, ["error"])
    assert "authentication failed" in outcome.text


def test_a_token_stands_in_no_report(conform, start_mock, case_file):
    address = start_mock("--auth-token", "sesame").address
    outcome = conform("server", address, "--auth-token", "sesame", *case_file(FAILS))
    assert (outcome.status, outcome.verdicts) == (1, ["fail"])
    assert '--auth-token "$TOKEN"' in outcome.text
    for report in outcome.folder.iterdir():
        assert not report.is_file() or b"--auth-token sesame" not in report.read_bytes()


def test_a_connection_that_ends_is_told_as_that(conform, case_file):
    closes = case_text("own-closes", "send keepalive magic=0", "expect keepalive")
    outcome = conform("selftest", *case_file(closes))
    assert outcome.status == 1
    assert "the connection was closed, and something else is required" in outcome.text


def test_a_set_up_that_fails_is_an_error_of_its_case_only(conform, fake_server, case_file):
    server = fake_server(answering(without_topics))
    outcome = conform("server", server.address, *case_file(SET_UP, PASSES))
    assert (outcome.status, outcome.verdicts) == (3, ["error", "pass"])


def test_an_answer_to_the_set_up_that_is_cut_off_is_an_error(conform, fake_server, case_file):
    """The first topic on a connection is made; what comes next gets all of an answer but a byte."""

    def cut(connection: Connection) -> None:
        made = False
        for frame in connection.frames():
            if frame.flags == CONTROL and made:
                connection.send(control(ERROR_RESPONSE, bytes(20000)).sealed()[:-1])
                return
            made = made or frame.flags == CONTROL
            connection.send(polite(connection, frame))

    case = case_text("own-two", "given topic $t", "given topic $u", *KEPT_ALIVE, needs="topics")
    outcome = conform("server", fake_server(cut).address, *case_file(case, PASSES))
    assert (outcome.status, outcome.verdicts) == (3, ["error", "pass"])
    reason = outcome.case_named("own-two")["reason"]
    assert "set-up" in reason and "closed" in reason


@pytest.mark.parametrize("option", ["--text", "--jsonl", "--junit"])
def test_a_report_that_can_not_be_opened_is_told(conform, mock, tmp_path, option):
    path = tmp_path / "none" / "report"
    outcome = conform("server", mock, option, path, reports=False)
    assert outcome.status == 3
    assert str(path) in outcome.stderr and "No such file" in outcome.stderr


@pytest.mark.parametrize("option", ["--text", "--jsonl", "--junit"])
def test_a_report_that_can_not_be_written_is_told(conform, mock, case_file, option):
    outcome = conform("server", mock, *case_file(PASSES), option, "/dev/full", reports=False)
    assert outcome.status == 3
    assert "could not be written" in outcome.stderr and "No space left" in outcome.stderr


def test_a_long_report_that_can_not_be_written_is_told(conform, mock, case_file):
    """It does not fit any buffer, so what fails is not the last write only."""
    cases = case_file(*[case_text(f"own-{i}", *KEPT_ALIVE) for i in range(200)])
    outcome = conform("server", mock, *cases, "--jsonl", "/dev/full", reports=False)
    assert outcome.status == 3
    assert "No space left" in outcome.stderr


def test_a_list_that_can_not_be_written_is_told(conform_program):
    with open("/dev/full", "w") as full:
        listing = subprocess.run([conform_program, "--list"], stdout=full, timeout=DEADLINE)
    assert listing.returncode == 3


def test_what_few_servers_have_is_judged_where_it_is_said_to_be(conform, start_mock):
    address = start_mock("--rate-limit", 1).address
    cases = ("--filter", "LWP-5.9/rate-limit*", "--filter", "LWP-12.3/*")
    outcome = conform("server", address, "--with", "rate-limit", *cases)
    assert (outcome.status, outcome.verdicts) == (0, ["pass"] * 4), outcome.text
    outcome = conform("server", address, *cases, "--min-cases", 0)
    assert (outcome.status, outcome.verdicts) == (0, ["skip"] * 4), outcome.text


def test_a_failure_says_where_the_wanted_answer_is_known_from(conform, start_mock):
    address = start_mock("--dialect", "spec").address
    outcome = conform("server", address, "--dialect", "spec", "--with", "rate-limit", "--filter",
                      "LWP-5.9/rate-limit")
    assert outcome.verdicts == ["fail"]
    assert "docs/server.md: Consumers" in outcome.text


# 4


def test_fewer_cases_than_asked_for_are_told(conform, mock, case_file):
    assert conform("server", mock, *case_file(PASSES), "--min-cases", 2).status == 4
    assert conform("server", mock, *case_file(PASSES), "--min-cases", 1).status == 0


def test_what_was_skipped_did_not_run(conform, mock, case_file, expect_file):
    cases = case_file(PASSES, NEEDS_TOPICS)
    skip = expect_file("skip LWP-2.3/own-passes not now\n")
    outcome = conform("server", mock, *cases, *skip, "--without", "topics", "--min-cases", 1)
    assert (outcome.status, outcome.verdicts) == (4, ["skip", "skip"])


def test_a_run_in_which_nothing_ran_is_too_few_unless_asked(conform, mock, case_file):
    arguments = ["server", mock, *case_file(NEEDS_TOPICS), "--without", "topics"]
    outcome = conform(*arguments)
    assert (outcome.status, outcome.verdicts) == (4, ["skip"])
    assert conform(*arguments, "--min-cases", 0).status == 0


# 64


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "server HOST:PORT"),
        (["serve", "127.0.0.1:1"], "serve"),
        (["server"], "HOST[:PORT]"),
        (["server", "127.0.0.1:1", "surplus"], "surplus"),
        (["selftest", "surplus"], "surplus"),
        (["export-seeds"], "export-seeds"),
        (["server", "127.0.0.1:99999"], "127.0.0.1:99999"),
        (["server", "127.0.0.1:http"], "127.0.0.1:http"),
        (["server", ":1992"], ":1992"),
        (["server", "[::1:1992"], "[::1:1992"),
        (["server", "::1"], "::1"),
        (["selftest", "--no-such-option"], "no-such-option"),
        (["selftest", "--filter"], "filter"),
        (["selftest", "--verbose=1"], "verbose"),
        (["selftest", "--dialect", "klingon"], "klingon"),
        (["selftest", "--without", "gravity"], "gravity"),
        (["selftest", "--with", "gravity"], "gravity"),
        (["selftest", "--filter", "LWP-99.9/*"], "LWP-99.9/*"),
        (["selftest", "--filter", "LWP-*", "--filter", "LWP-5.9/typo"], "LWP-5.9/typo"),
        (["--list", "--filter", "LWP-99.9/*"], "LWP-99.9/*"),
        (["selftest", *["--filter", "*"] * 65], "too many"),
        (["selftest", "--min-cases", "-1"], "-1"),
        (["selftest", "--min-cases", "many"], "many"),
        (["selftest", "--min-cases", ""], "number"),
        (["selftest", "--timeout-factor", "0"], "0"),
        (["selftest", "--timeout-factor", "1.5"], "1.5"),
        (["selftest", "--seed", "18446744073709551616"], "18446744073709551616"),
        (["selftest", "--case-file", "/no/such/file"], "/no/such/file"),
        (["selftest", "--case-file", "/"], "/"),
        (["selftest", "--expect", "/no/such/file"], "/no/such/file"),
        (["selftest", "--expect", "/"], "/: Is a directory"),
        (["selftest", "--timeout-factor", "1001"], "1001"),
        (["selftest", "--timeout-factor", "4294967296"], "4294967296"),
        (["selftest", "--min-cases", "4294967296"], "4294967296"),
        (["--list", "surplus"], "surplus"),
        (["--list", "server", "127.0.0.1:1992"], "server"),
        (["--list", "selftest"], "selftest"),
        (["selftest", "--jsonl", "-"], "two reports"),
        (["selftest", "--text", "-", "--junit", "-"], "two reports"),
        (["coverage", "--jsonl", "/dev/null"], "reports"),
        (["--list", "--text", "/dev/null"], "reports"),
        (["diff", "127.0.0.1:1", "127.0.0.1:2", "--junit", "/dev/null"], "reports"),
        (["probe", "127.0.0.1:1", "--tap", "/dev/null"], "reports"),
        (["selftest", "--output", "/dev/null"], "--output"),
        (["server", "127.0.0.1:1", "--mutants"], "--mutants"),
        (["server", "127.0.0.1:1", "--other-dialect", "spec"], "--other-dialect"),
    ],
)
def test_wrong_usage_is_told_and_runs_nothing(conform, arguments, word):
    outcome = conform(*arguments, reports=False)
    assert (outcome.status, outcome.stdout) == (64, "")
    assert word in outcome.stderr


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--dialect", "spec"),
        ("--auth-token", "sesame"),
        ("--expect", "/dev/null"),
        ("--min-cases", "1"),
        ("--timeout-factor", "1"),
        ("--seed", "1"),
        ("--text", "/dev/null"),
        ("--jsonl", "/dev/null"),
        ("--junit", "/dev/null"),
    ],
)
def test_what_can_be_given_once_is_not_given_twice(conform, case_file, option, value):
    cases = case_file(PASSES)
    assert conform("selftest", *cases, option, value, reports=False).status == 0
    outcome = conform("selftest", *cases, option, value, option, value, reports=False)
    assert (outcome.status, outcome.stdout) == (64, "")
    assert "twice" in outcome.stderr and option.removeprefix("--") in outcome.stderr


@pytest.mark.parametrize("pair", [("--text", "--jsonl"), ("--text", "--junit"),
                                  ("--jsonl", "--junit")])
def test_two_reports_do_not_share_a_file(conform, mock, case_file, tmp_path, pair):
    path = tmp_path / "shared"
    reports = [word for option in pair for word in (option, path)]
    outcome = conform("server", mock, *case_file(PASSES), *reports, reports=False)
    assert outcome.status == 64
    assert "two reports" in outcome.stderr and not path.exists()


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "::1", ":1992"])
def test_a_bad_address_leaves_no_reports(conform, address):
    """A reader of reports must not take an empty one for a good one."""
    outcome = conform("server", address)
    assert outcome.status == 64
    assert {path.name for path in outcome.folder.iterdir()} == {"stdout", "stderr"}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("xfail LWP-5.9/no-such-case it is broken", "no case with this id"),
        ("xfail LWP-2.3/own-fails", "reason"),
        ("xfail LWP-2.3/own-fails \t ", "reason"),
        ("xfail # LWP-2.3/own-fails it is broken", "no case with this id"),
        ("wontfix LWP-2.3/own-fails it is broken", "xfail, flaky or skip"),
        ("xfail", "no case with this id"),
    ],
)
def test_a_broken_expectation_is_told_with_its_line(
    conform, mock, case_file, expect_file, line, problem
):
    expected = expect_file(f"# Known.\n\n{line}\n")
    outcome = conform("server", mock, *case_file(FAILS), *expected, reports=False)
    assert (outcome.status, outcome.stdout) == (64, "")
    assert f"{expected[1]}:3: " in outcome.stderr and problem in outcome.stderr


def test_only_whole_lines_of_an_expectation_file_are_comments(
    conform, mock, case_file, expect_file
):
    expected = expect_file("# xfail\n \t# xfail\n#\nxfail LWP-2.3/own-fails see #12 # and 13\n")
    outcome = conform("server", mock, *case_file(FAILS), *expected)
    assert (outcome.status, outcome.verdicts) == (0, ["xfail"])
    assert outcome.case["reason"] == "see #12 # and 13"


def test_two_expectations_of_a_case_and_all_other_errors_are_told(
    conform, mock, case_file, expect_file
):
    line = "xfail LWP-2.3/own-fails known\n"
    expected = expect_file(f"{line}{line}flaky LWP-1/none known\n")
    outcome = conform("server", mock, *case_file(FAILS), *expected, reports=False)
    assert outcome.status == 64
    places = [line.split(": ")[0] for line in outcome.stderr.splitlines()]
    assert places == [f"{expected[1]}:2", f"{expected[1]}:3"]


BROKEN_SYNTAX = """\
case LWP-2.3/own-a ought server
  text "A."
  req R2.3-keepalive-answer
  send keepalife
  expect keepalive within 3parsecs

case LWP-2.3/own-b must server
  text "B."
  req R2.3-keepalive-answer
  send keepalive
"""
BROKEN_RULES = """\
case LWP-2.3/own-a must server
  text "A."
  req R2.3-no-such-requirement
  needs gravity
  expect keepalive

case LWP-2.3/own-b must server
  text "B."
  req R5.3-create-duplicate
  expect keepalive
"""
BROKEN_BOTH = """\
case LWP-2.3/own-a must server
  text "A."
  req R2.3-keepalive-answer
  needs gravity
  send keepalive
  expect keepalive

case LWP-2.3/own-b must server
  text "B."
  req R2.3-keepalive-answer
  send keepalife
  expect keepalive
"""


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        (BROKEN_SYNTAX, [(1, "ought"), (4, "keepalife"), (5, "3parsecs"), (7, "LWP-2.3/own-b")]),
        (BROKEN_RULES, [(1, "R2.3-no-such-requirement"), (1, "gravity"), (7, "LWP-2.3/own-b")]),
        (BROKEN_BOTH, [(1, "gravity"), (11, "keepalife")]),
        ("on ingest -> ack\nscenario slow\n",
         [(1, "a statement outside of a case"), (2, "slow")]),
    ],
    ids=["syntax", "rules", "both", "scenarios"],
)
def test_a_broken_case_file_is_told_with_all_its_errors(conform, mock, tmp_path, text, errors):
    path = tmp_path / "broken.lwps"
    path.write_text(text)
    outcome = conform("server", mock, "--case-file", path, reports=False)
    assert (outcome.status, outcome.stdout) == (64, "")
    lines = outcome.stderr.splitlines()
    for line, found in errors:
        place = rf"{re.escape(str(path))}:{line}:[1-9][0-9]*"
        pattern = rf"{place}: found {re.escape(found)}, expected ."
        assert len([said for said in lines if re.match(pattern, said)]) == 1, outcome.stderr


@pytest.mark.parametrize(
    ("steps", "needs", "wanted"),
    [
        (["given topic $t"], "", ["topics"]),
        (["given topic $t"], "ingest", ["topics"]),
        (['given topic $t records=raw("x")'], "", ["topics", "ingest"]),
        (['given topic $t records=raw("x")'], "topics", ["ingest"]),
        (["silent 1ms"], "", ["slow"]),
        (["given topic $t", "silent 1ms"], "ingest, max-payload", ["topics", "slow"]),
    ],
)
def test_a_case_names_what_its_steps_need(conform, mock, case_file, steps, needs, wanted):
    cases = case_file(case_text("own-needs", *KEPT_ALIVE, *steps, needs=needs))
    outcome = conform("server", mock, *cases, reports=False)
    assert (outcome.status, outcome.stdout) == (64, "")
    lines = outcome.stderr.splitlines()
    found = rf"{re.escape(cases[1])}:1:[1-9][0-9]*: found LWP-2.3/own-needs, expected needs (\w+), "
    assert [re.match(found, line).group(1) for line in lines] == wanted
    complete = ", ".join([*([needs] if needs else []), *wanted])
    cases = case_file(case_text("own-needs", *KEPT_ALIVE, *steps, needs=complete))
    assert conform("server", mock, *cases).verdicts == ["pass"]


@pytest.mark.parametrize(
    ("steps", "blind"),
    [
        (["send keepalive", "expect[lance-py] keepalive"], ["spec", "lance"]),
        (["send keepalive", "expect[lance] keepalive"], ["spec", "lance-py"]),
        (["send keepalive", "expect[spec] keepalive", "expect[lance] keepalive"], ["lance-py"]),
    ],
)
def test_a_case_judges_in_every_dialect(conform, mock, case_file, steps, blind):
    cases = case_file(case_text("own-blind", *steps))
    outcome = conform("server", mock, *cases, reports=False)
    assert (outcome.status, outcome.stdout) == (64, "")
    found = rf"{re.escape(cases[1])}:1:[1-9][0-9]*: found (\S+), expected a step that judges"
    assert [re.match(found, line).group(1) for line in outcome.stderr.splitlines()] == blind


@pytest.mark.parametrize("text", [r"caf\xe9", r"a\x01b", r"a\x00b", r"\xff", r"a\x7fb",
                                  r"\xed\xa0\x80", r"two\nlines"])
def test_a_text_that_can_not_be_printed_is_told_with_its_place(conform, mock, case_file, text):
    cases = case_file(PASSES, case_text("own-text", *KEPT_ALIVE, text=text))
    outcome = conform("server", mock, *cases, reports=False)
    assert (outcome.status, outcome.stdout) == (64, "")
    (line,) = outcome.stderr.splitlines()
    row = PASSES.count("\n") + 2
    assert line.startswith(f"{cases[1]}:{row}:8: found ")
    assert line.endswith("expected a string of printable UTF-8")


def test_compressed_records_are_sent_but_not_compared_with(conform, mock, case_file):
    send = ["given topic $t", 'send ingest topic_id=$t records=lz4(raw("x"))', "expect ack"]
    cases = case_file(case_text("own-lz4", *send, needs="topics, ingest"))
    assert conform("selftest", *cases).verdicts == ["pass"] * 3
    cases = case_file(case_text("own-lz4", "send fetch topic_id=1",
                                'expect fetch-response records=lz4(raw("x"))'))
    outcome = conform("server", mock, *cases, reports=False)
    assert (outcome.status, outcome.stdout) == (64, "")
    assert re.match(rf"{re.escape(cases[1])}:5:\d+: found lz4, expected records without lz4",
                    outcome.stderr)


def test_an_id_that_exists_already_is_told(conform, mock, tmp_path, listed):
    first = next(iter(listed()))
    path = tmp_path / "twice.lwps"
    path.write_text(PASSES.replace("LWP-2.3/own-passes", first))
    outcome = conform("server", mock, "--case-file", path, reports=False)
    assert outcome.status == 64
    assert f"{path}:1:" in outcome.stderr and first in outcome.stderr


FOR_A_CLIENT = """\
case LWP-2.3/own-client must client
  text "A client sends a keepalive."
  req R2.3-keepalive-answer
  run ping
  expect keepalive
"""


def test_a_case_for_clients_is_not_run_against_a_server(conform, mock, case_file):
    outcome = conform("server", mock, *case_file(FOR_A_CLIENT, PASSES))
    ended = [event["id"] for event in outcome.events if "verdict" in event and "id" in event]
    assert (outcome.status, ended) == (0, ["LWP-2.3/own-passes"])


# Precedence


def test_wrong_usage_counts_more_than_a_failure(conform, mock, case_file):
    outcome = conform("server", mock, *case_file(FAILS), "--filter", "typo")
    assert (outcome.status, outcome.events) == (64, [])


def test_wrong_usage_counts_more_than_an_unreachable_server(conform, nowhere):
    assert conform("server", nowhere, "--filter", "typo", reports=False).status == 64


def test_a_failure_counts_more_than_an_error(conform, fake_server, case_file):
    server = fake_server(answering(without_topics))
    outcome = conform("server", server.address, *case_file(SET_UP, FAILS))
    assert (outcome.status, outcome.verdicts) == (1, ["error", "fail"])


def test_a_failure_counts_more_than_an_unexpected_pass_and_too_few(
    conform, mock, case_file, expect_file
):
    expected = expect_file("xfail LWP-2.3/own-passes known\n")
    outcome = conform("server", mock, *case_file(PASSES, FAILS), *expected, "--min-cases", 9)
    assert (outcome.status, outcome.verdicts) == (1, ["xpass", "fail"])


def test_an_error_counts_more_than_an_unexpected_pass(conform, fake_server, case_file, expect_file):
    server = fake_server(answering(without_topics))
    expected = expect_file("xfail LWP-2.3/own-passes known\n")
    outcome = conform("server", server.address, *case_file(SET_UP, PASSES), *expected)
    assert (outcome.status, outcome.verdicts) == (3, ["error", "xpass"])


def test_an_unreachable_server_counts_more_than_too_few(conform, nowhere, case_file):
    outcome = conform("server", nowhere, *case_file(PASSES), "--min-cases", 9)
    assert (outcome.status, outcome.verdicts) == (3, ["error"])


def test_an_unexpected_pass_counts_more_than_too_few(conform, mock, case_file, expect_file):
    expected = expect_file("xfail LWP-2.3/own-passes known\n")
    outcome = conform("server", mock, *case_file(PASSES), *expected, "--min-cases", 9)
    assert (outcome.status, outcome.verdicts) == (2, ["xpass"])


@pytest.mark.parametrize("option", ["--case-file", "--expect", "--baseline"])
def test_what_can_not_be_read_to_its_end_can_be_ended_by_hand(conform_program, tmp_path, option):
    os.mkfifo(tmp_path / "pipe")
    words = ["server", "127.0.0.1:1", option, tmp_path / "pipe"]
    with subprocess.Popen([conform_program, *words], stdout=subprocess.DEVNULL) as started:
        with pytest.raises(subprocess.TimeoutExpired):
            started.wait(0.5)
        started.terminate()
        assert started.wait(10) == -signal.SIGTERM


def test_a_pipe_that_nobody_reads_is_no_report(conform, case_file, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    outcome = conform("selftest", *case_file(PASSES), "--tap", tmp_path / "pipe", reports=False)
    assert outcome.status == 3
    assert "pipe" in outcome.stderr


def test_a_report_that_is_called_as_another_is_meanwhile_is_refused(conform, case_file, tmp_path):
    outcome = conform("selftest", *case_file(PASSES), "--jsonl", tmp_path / "a.part", "--junit", tmp_path / "a",
                      reports=False)
    assert outcome.status == 3
    assert "two reports in one file" in outcome.stderr
    assert list(tmp_path.glob("a*")) == []


def test_a_report_that_gets_too_large_is_told(conform_program, tmp_path):
    text = f"ulimit -f 1; exec {conform_program} selftest --dialect lance --jsonl {tmp_path}/a --text /dev/null"
    done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3
    assert "File too large" in done.stderr
    assert list(tmp_path.glob("a*")) == []
