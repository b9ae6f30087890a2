# SPDX-License-Identifier: MIT
"""Files of what is known to fail: no line of them may rot, and --update-expect rewrites them."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import KEPT_ALIVE, NOT_ACKED, Outcome, case_text
from peer import ACK, BATCH, KEEPALIVE, Connection, Frame, answering

PASSES = case_text("own-passes", *KEPT_ALIVE)
FAILS = case_text("own-fails", *NOT_ACKED)
CLOSES = case_text("own-closes", "send keepalive magic=0", "expect keepalive")
OUT_OF_TIME = case_text("own-late", "send keepalive", "expect keepalive",
                        "expect keepalive within 50ms")
OTHER_FIELD = case_text("own-field", "send keepalive", "expect keepalive batch_id=7")
NONE_MAY_COME = case_text("own-silent", "send keepalive", "silent 50ms", needs="slow")
FLAGS = "class=field:flags"


def lines_of(options: list[str]) -> list[str]:
    return Path(options[1]).read_text(encoding="utf-8").splitlines()


@pytest.fixture
def run(conform, mock, case_file, expect_file):
    """`run(text, case, …)` judges the mock against a file with this text."""

    def judge(text: str, *cases: str, options: tuple[str, ...] = ()) -> tuple[Outcome, list[str]]:
        expected = expect_file(text)
        outcome = conform("server", mock, *case_file(*cases), *expected, *options)
        return outcome, expected

    return judge


@pytest.fixture
def update(run):
    """The same, and the file is rewritten; gives the run and the file's new lines."""

    def rewrite(text: str, *cases: str) -> tuple[Outcome, list[str]]:
        outcome, expected = run(text, *cases, options=("--update-expect",))
        return outcome, lines_of(expected)

    return rewrite


# Classes.


@pytest.mark.parametrize(
    ("case", "name"),
    [(FAILS, "field:flags"), (CLOSES, "close"), (OUT_OF_TIME, "timeout"),
     (OTHER_FIELD, "field:batch_id"), (NONE_MAY_COME, "frame"), (PASSES, None)],
)
def test_each_failure_has_a_class(run, case, name):
    outcome, _ = run("", case)
    assert outcome.case.get("class") == name


def test_an_answer_that_is_damaged_is_of_the_class_malformed(conform, fake_server, case_file):
    def damaged(_: Connection, frame: Frame) -> bytes | None:
        return Frame(ACK, 1).sealed(checksum=1) if frame.flags == BATCH else None

    case = case_text("own-acked", 'send ingest topic_id=1 payload="x"', "expect ack")
    outcome = conform("server", fake_server(answering(damaged)).address, *case_file(case))
    assert (outcome.status, outcome.case["class"]) == (1, "malformed")


@pytest.mark.parametrize("kind", ["xfail", "flaky"])
def test_a_failure_of_the_pinned_class_is_expected(run, kind):
    outcome, _ = run(f"{kind} LWP-2.3/own-fails {FLAGS} known\n", FAILS)
    assert (outcome.status, outcome.case["verdict"]) == (0, "xfail")
    assert (outcome.case["reason"], outcome.case["class"]) == ("known", "field:flags")


@pytest.mark.parametrize("kind", ["xfail", "flaky"])
def test_a_failure_of_another_class_is_a_failure(run, kind):
    outcome, _ = run(f"{kind} LWP-2.3/own-fails class=timeout known\n", FAILS)
    assert (outcome.status, outcome.case["verdict"]) == (1, "fail")
    assert "class timeout (known), not field:flags" in outcome.case["reason"]


def test_a_pass_is_unexpected_whatever_class_is_pinned(run):
    outcome, _ = run("xfail LWP-2.3/own-passes class=timeout known\n", PASSES)
    assert (outcome.status, outcome.case["verdict"]) == (2, "xpass")
    assert "line 1" in outcome.case["reason"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("xfail LWP-2.3/own-fails class=slow known", "expected a class"),
        ("xfail LWP-2.3/own-fails class=crash known", "expected a class"),
        ("xfail LWP-2.3/own-fails class= known", "expected a class"),
        ("xfail LWP-2.3/own-fails class=field: known", "expected a class"),
        ("xfail LWP-2.3/own-fails class=timeout", "reason"),
        ("skip LWP-2.3/own-fails class=timeout it hangs", "no class"),
        ("xfail LWP-2.3/own-no* known", "no case"),
        ("xfail LWP-* known", "fits"),
        ("xfail LWP-2.3/own-fails new: it differs", "a reason in place of"),
    ],
)
def test_a_line_that_would_rot_is_wrong_usage(run, line, problem):
    outcome, expected = run(f"# Known.\n{line}\n", FAILS)
    assert (outcome.status, outcome.events) == (64, [])
    assert f"{expected[1]}:2: " in outcome.stderr and problem in outcome.stderr


# Globs.


def numbered(count: int, *steps: str) -> list[str]:
    return [case_text(f"own-{i}", *steps) for i in range(count)]


def test_a_glob_fits_up_to_twenty_cases(run):
    outcome, _ = run("xfail LWP-2.3/own-* known\n", *numbered(20, *NOT_ACKED))
    assert (outcome.status, set(outcome.verdicts)) == (0, {"xfail"})
    outcome, _ = run("xfail LWP-2.3/own-* known\n", *numbered(21, *NOT_ACKED))
    assert outcome.status == 64
    assert "it fits 21 cases, at most 20" in outcome.stderr


def test_a_glob_that_fits_a_case_which_passes_is_too_wide(run):
    outcome, _ = run("xfail LWP-2.3/own-* known\n", PASSES, FAILS)
    assert (outcome.status, outcome.verdicts) == (2, ["xpass", "xfail"])


def test_two_lines_do_not_fit_one_case(run):
    text = "xfail LWP-2.3/own-* known\nflaky LWP-2.3/own-fails known\n"
    outcome, expected = run(text, PASSES, FAILS)
    assert outcome.status == 64
    assert f"{expected[1]}:2: " in outcome.stderr and "line 1" in outcome.stderr


# Rewriting.

OLD = """\
# What we know.

xfail LWP-2.3/own-fails   issue 12: # of keepalives
\t# And this.
flaky LWP-2.3/own-flaky it races
skip LWP-2.3/own-skipped it takes the machine down
"""
OLD_CASES = (FAILS, case_text("own-flaky", *KEPT_ALIVE), case_text("own-skipped", *KEPT_ALIVE))


def test_what_is_as_expected_leaves_the_file_as_it_is(run):
    outcome, expected = run(OLD, *OLD_CASES, options=("--update-expect",))
    assert outcome.status == 0
    assert Path(expected[1]).read_text(encoding="utf-8") == OLD


def test_a_new_failure_is_added_behind_the_rest_and_stays_a_failure(update):
    outcome, lines = update(OLD, *OLD_CASES, CLOSES)
    assert (outcome.status, outcome.verdicts[-1]) == (1, "fail")
    assert lines[:-1] == OLD.splitlines()
    assert lines[-1] == "xfail LWP-2.3/own-closes class=close new: " + outcome.cases[-1]["reason"]


def test_an_added_line_wants_a_reason_of_yours(update, run):
    _, lines = update("", FAILS)
    text = "".join(f"{line}\n" for line in lines)
    assert run(text, FAILS)[0].status == 64
    assert run(text.partition(" new:")[0] + " issue 12\n", FAILS)[0].status == 0


def test_a_file_that_is_not_there_is_made(conform, mock, case_file, tmp_path):
    path = tmp_path / "fresh"
    options = [*case_file(FAILS), "--expect", path]
    assert conform("server", mock, *options, reports=False).status == 64
    assert conform("server", mock, *options, "--update-expect", reports=False).status == 1
    assert path.read_text().startswith(f"xfail LWP-2.3/own-fails {FLAGS} new: ")


def test_stale_and_unmatched_lines_go(update):
    text = "# Known.\nxfail LWP-2.3/own-passes known\nflaky LWP-9.9/gone known\n"
    outcome, lines = update(text, PASSES)
    assert (outcome.status, outcome.verdicts, lines) == (2, ["xpass"], ["# Known."])
    assert "2: dropped: it passes" in outcome.stderr
    assert "3: dropped: there is no such case" in outcome.stderr


def test_a_glob_shrinks_to_the_cases_that_fail(update):
    text = "# Known.\nxfail LWP-2.3/own-* issue 12\n# End.\n"
    _, lines = update(text, PASSES, FAILS, CLOSES)
    assert lines == ["# Known.", "xfail LWP-2.3/own-fails issue 12",
                     "xfail LWP-2.3/own-closes issue 12", "# End."]


def test_a_glob_that_holds_stays(update):
    _, lines = update("xfail LWP-2.3/own-* issue 12\n", FAILS, CLOSES)
    assert lines == ["xfail LWP-2.3/own-* issue 12"]


def test_a_pinned_class_is_changed_and_the_reason_kept(update):
    outcome, lines = update("xfail LWP-2.3/own-fails class=timeout issue 12\n", FAILS)
    assert (outcome.status, lines) == (1, [f"xfail LWP-2.3/own-fails {FLAGS} issue 12"])


def test_what_did_not_run_is_kept(conform, mock, case_file, expect_file):
    text = "xfail LWP-2.3/own-passes known\nxfail LWP-2.3/own-fails known\n"
    expected = expect_file(text)
    cases = case_file(PASSES, FAILS)[:2]
    options = ["--filter", "LWP-2.3/own-fails", "--update-expect"]
    assert conform("server", mock, *cases, *expected, *options).status == 0
    assert Path(expected[1]).read_text() == text


def test_a_crash_is_not_added(conform, fake_server, case_file, expect_file):
    def dies(connection: Connection, frame: Frame) -> bytes | None:
        if frame.flags != KEEPALIVE:
            connection.server.die()
        return None

    expected = expect_file("")
    cases = case_file(case_text("own-kills", 'send ingest topic_id=1 payload="x"', "expect ack"))
    address = fake_server(answering(dies)).address
    outcome = conform("server", address, *cases, *expected, "--update-expect")
    assert (outcome.status, outcome.verdicts, lines_of(expected)) == (1, ["crash"], [])


def test_a_reason_from_a_hostile_server_stays_on_its_line(conform, fake_server, case_file,
                                                          expect_file):
    def shout(_: Connection, frame: Frame) -> bytes | None:
        return Frame(0x40, 0xFF, b"a\nxfail * b\x1b[2J").sealed() if frame.flags == 0x40 else None

    case = case_text("own-shouted", "send list-topics", 'expect error-response text="quiet"')
    expected = expect_file("")
    address = fake_server(answering(shout)).address
    conform("server", address, *case_file(case), *expected, "--update-expect")
    (line,) = lines_of(expected)
    assert line.startswith("xfail LWP-2.3/own-shouted class=field:text new: ")
    assert line.isprintable()


def test_a_link_leads_to_the_new_file(conform, mock, case_file, tmp_path):
    target = tmp_path / "kept"
    target.write_text("# Known.\n")
    link = tmp_path / "link"
    link.symlink_to(target)
    conform("server", mock, *case_file(FAILS), "--expect", link, "--update-expect")
    assert link.is_symlink() and len(target.read_text().splitlines()) == 2
    assert not list(tmp_path.glob("*.part"))


def test_a_file_that_can_not_be_written_is_a_set_up_error_and_stays(conform, mock, case_file,
                                                                    tmp_path):
    path = tmp_path / "closed" / "expect"
    path.parent.mkdir()
    path.write_text("# Known.\n")
    path.parent.joinpath("expect.part").mkdir()  # Where the new one would be written.
    outcome = conform("server", mock, *case_file(FAILS), "--expect", path, "--update-expect")
    assert outcome.status == 1 and f"can not write {path}" in outcome.stderr
    outcome = conform("server", mock, *case_file(PASSES), "--expect", path, "--update-expect")
    assert outcome.status == 3 and path.read_text() == "# Known.\n"


@pytest.mark.parametrize("arguments", [["server", "127.0.0.1:1"], ["selftest", "--expect", "x"]])
def test_there_must_be_a_file_to_rewrite_and_a_server(conform, arguments):
    outcome = conform(*arguments, "--update-expect", reports=False)
    assert outcome.status == 64 and "--update-expect needs" in outcome.stderr
