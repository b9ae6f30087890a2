# SPDX-License-Identifier: MIT
"""Every exit status of lwp-conform, and which one counts where several apply: 64, 1, 3, 2, 4."""

from __future__ import annotations

import re

import pytest

from conftest import KEPT_ALIVE, NOT_ACKED, case_text
from peer import (
    ACK,
    BATCH,
    CONTROL,
    CREATE_TOPIC,
    ERROR_RESPONSE,
    KEEPALIVE,
    Connection,
    Frame,
    answering,
    control,
)

PASSES = case_text("own-passes", *KEPT_ALIVE)
FAILS = case_text("own-fails", *NOT_ACKED)
INGEST = 'send ingest topic_id=1 records=raw("hello")'
ACKED = case_text("own-acked", INGEST, "expect ack batch_id=1")
SET_UP = case_text("own-set-up", "given topic $t", *KEPT_ALIVE)
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


def test_a_server_that_dies_after_the_last_case_did_not_pass(conform, fake_server, case_file):
    server = fake_server(answering(killed_by_666))
    case = case_text("own-last", "send ingest topic_id=666", "expect close")
    outcome = conform("server", server.address, *case_file(case))
    assert outcome.status == 1
    assert "does not answer" in outcome.text


# 2


def test_an_unexpected_pass_is_told(conform, mock, case_file, expect_file):
    expected = expect_file("xfail LWP-2.3/own-passes known\n")
    outcome = conform("server", mock, *case_file(PASSES), *expected)
    assert (outcome.status, outcome.verdicts) == (2, ["xpass"])
    assert "expectation file" in outcome.case["reason"]


# 3


def ran_nothing(outcome, listed: dict[str, set[str]]) -> None:
    """Every case that is listed is in all three reports, as an error; one that needs a token, which
    was not given, may be skipped."""
    assert outcome.status == 3
    ids = [case["id"] for case in outcome.cases]
    assert ids == list(listed)
    assert ids == [testcase.get("name") for testcase in outcome.testcases]
    for case, testcase in zip(outcome.cases, outcome.testcases, strict=True):
        verdict = "skip" if "auth" in listed[case["id"]] else "error"
        assert case["verdict"] == verdict, case
        assert case["reason"]
        assert f"{verdict:12} {case['id']} " in outcome.text
        assert [child.tag for child in testcase] == ["skipped" if verdict == "skip" else "error"]
    assert outcome.end["cases"] == len(ids)


def test_an_unreachable_server_gives_a_whole_report_of_errors(conform, nowhere, listed):
    outcome = conform("server", nowhere)
    ran_nothing(outcome, listed())
    assert "refused" in outcome.text


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


def test_a_set_up_that_fails_is_an_error_of_its_case_only(conform, fake_server, case_file):
    server = fake_server(answering(without_topics))
    outcome = conform("server", server.address, *case_file(SET_UP, PASSES))
    assert (outcome.status, outcome.verdicts) == (3, ["error", "pass"])


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
    assert "could not be written" in outcome.stderr


# 4


def test_fewer_cases_than_asked_for_are_told(conform, mock, case_file):
    assert conform("server", mock, *case_file(PASSES), "--min-cases", 2).status == 4
    assert conform("server", mock, *case_file(PASSES), "--min-cases", 1).status == 0


def test_what_was_skipped_did_not_run(conform, mock, case_file, expect_file):
    cases = case_file(PASSES, case_text("own-topics", *KEPT_ALIVE, needs="topics"))
    skip = expect_file("skip LWP-2.3/own-passes not now\n")
    outcome = conform("server", mock, *cases, *skip, "--without", "topics", "--min-cases", 1)
    assert (outcome.status, outcome.verdicts) == (4, ["skip", "skip"])


# 64


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "server HOST:PORT"),
        (["serve", "127.0.0.1:1"], "serve"),
        (["server"], "HOST:PORT"),
        (["server", "127.0.0.1:1", "surplus"], "surplus"),
        (["selftest", "surplus"], "selftest"),
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
        (["selftest", "--filter", "LWP-99.9/*"], "LWP-99.9/*"),
        (["selftest", "--filter", "LWP-*", "--filter", "LWP-5.9/typo"], "LWP-5.9/typo"),
        (["--list", "--filter", "LWP-99.9/*"], "LWP-99.9/*"),
        (["selftest", *["--filter", "*"] * 65], "too many"),
        (["selftest", "--min-cases", "-1"], "-1"),
        (["selftest", "--min-cases", "many"], "many"),
        (["selftest", "--min-cases", ""], "number"),
        (["selftest", "--time-factor", "0"], "0"),
        (["selftest", "--time-factor", "1.5"], "1.5"),
        (["selftest", "--seed", "18446744073709551616"], "18446744073709551616"),
        (["selftest", "--case-file", "/no/such/file"], "/no/such/file"),
        (["selftest", "--case-file", "/"], "/"),
        (["selftest", "--expect", "/no/such/file"], "/no/such/file"),
    ],
)
def test_wrong_usage_is_told_and_runs_nothing(conform, arguments, word):
    outcome = conform(*arguments, reports=False)
    assert (outcome.status, outcome.stdout) == (64, "")
    assert word in outcome.stderr


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("xfail LWP-5.9/no-such-case it is broken", "no case with this id"),
        ("xfail LWP-2.3/own-fails", "reason"),
        ("xfail LWP-2.3/own-fails   # a comment is no reason", "reason"),
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
  silent 1ms

case LWP-2.3/own-b must server
  text "B."
  req R5.3-create-duplicate
  silent 1ms
"""


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        (BROKEN_SYNTAX, [(1, "ought"), (4, "keepalife"), (5, "3parsecs"), (7, "LWP-2.3/own-b")]),
        (BROKEN_RULES, [(1, "R2.3-no-such-requirement"), (1, "gravity"), (7, "LWP-2.3/own-b")]),
    ],
    ids=["syntax", "rules"],
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


def test_an_id_that_exists_already_is_told(conform, mock, tmp_path, listed):
    first = next(iter(listed()))
    path = tmp_path / "twice.lwps"
    path.write_text(PASSES.replace("LWP-2.3/own-passes", first))
    outcome = conform("server", mock, "--case-file", path, reports=False)
    assert outcome.status == 64
    assert f"{path}:1:" in outcome.stderr and first in outcome.stderr


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
