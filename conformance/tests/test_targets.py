# SPDX-License-Identifier: MIT
"""Targets that lwp-conform starts itself: what they take, how they end, and which case killed them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import KEPT_ALIVE, Outcome, becomes_readable, case_text
from peer import DEADLINE

SERVER = Path(__file__).parent / "server.py"
JUDGED = ["memory", "descriptors", "threads", "exit-status", "sanitizers"]
ACKED = ("send ingest topic_id=1 records=raw(\"x\")", "expect ack")
KILLS = ("send ingest topic_id=666 records=raw(\"x\")", "expect ack")
QUIET = [case_text(f"own-{i}", *KEPT_ALIVE) for i in range(1, 4)]


def command(*habits: str) -> str:
    return f"{sys.executable} {SERVER} {{port}} {' '.join(habits)}"


@pytest.fixture
def vacant() -> str:
    """An address where nobody listens and somebody can."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


Judge = Callable[..., Outcome]


@pytest.fixture
def judge(conform, case_file) -> Judge:
    """`judge(["leaks_threads"], case, …, "--option", …)` judges a server with these habits."""

    def run(habits: list[str], *rest: str, **how: object) -> Outcome:
        cases = [word for word in rest if word.startswith("case ")]
        options = [word for word in rest if not word.startswith("case ")]
        return conform("server", "--target-cmd", command(*habits), *case_file(*cases), *options,
                       **how)

    return run


def verdicts(outcome: Outcome) -> dict[str, str]:
    return {case["id"].removeprefix("LWP-2.3/"): case["verdict"] for case in outcome.cases}


def reason(outcome: Outcome, name: str) -> str:
    (only,) = (case for case in outcome.cases if case["id"] == name)
    return only["reason"]


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


# Started, judged, ended.


def test_a_server_is_started_judged_and_ended(judge, tmp_path):
    pids = tmp_path / "pids"
    outcome = judge([f"pid_into={pids}"], *QUIET)
    assert outcome.status == 0, outcome.text
    assert verdicts(outcome) == {**{f"own-{i}": "pass" for i in range(1, 4)},
                                 **{f"target/{name}": "pass" for name in JUDGED}}
    (pid,) = map(int, pids.read_text().split())
    assert not is_there(pid)


def test_the_server_can_listen_where_it_wants(conform, case_file, vacant):
    cmd = command().replace("{port}", vacant.rpartition(":")[2])
    outcome = conform("server", vacant, "--target-cmd", cmd, *case_file(*QUIET))
    assert outcome.status == 0, outcome.text


@pytest.mark.parametrize(
    ("habit", "options", "name", "word"),
    [
        ("takes_memory", ["--max-memory", "64M"], "memory", "67108864 are allowed"),
        ("leaks_descriptors", [], "descriptors", "before the first case"),
        ("leaks_threads", [], "threads", "before the first case"),
        ("ends_with_3", [], "exit-status", "exit status 3"),
        ("ignores_sigterm", [], "exit-status", "did not end on SIGTERM"),
        ("speaks_like_a_sanitizer", [], "sanitizers", "index 9 out of bounds"),
    ],
)
def test_a_bad_habit_fails_although_all_cases_pass(judge, habit, options, name, word):
    outcome = judge([habit], case_text("own-acked", *ACKED), *options, seconds=30)
    assert outcome.status == 1
    assert verdicts(outcome) == {
        "own-acked": "pass",
        **{f"target/{each}": "fail" if each == name else "pass" for each in JUDGED}}
    assert word in reason(outcome, f"target/{name}")
    assert f"target/{name}" in outcome.text and word in outcome.junit_file.read_text()


def test_memory_is_charged_to_the_case_behind_which_it_was_seen(judge):
    cases = [QUIET[0], case_text("own-big", *ACKED), QUIET[1]]
    outcome = judge(["takes_memory"], *cases, "--max-memory", "64M")
    assert "LWP-2.3/own-big" in reason(outcome, "target/memory")


@pytest.mark.parametrize("habit", ["leaks_descriptors", "leaks_threads"])
def test_a_few_more_may_be_allowed(judge, habit):
    outcome = judge([habit], case_text("own-acked", *ACKED), "--max-leaks", "64")
    assert outcome.status == 0, outcome.text


def test_a_server_that_talks_without_end_does_not_wait_for_a_reader(judge):
    outcome = judge(["talks_without_end"], case_text("own-acked", *ACKED), measured=True)
    assert outcome.status == 0, outcome.text
    assert outcome.grown_kib < 48 * 1024


def test_children_of_the_server_are_ended_too(judge, tmp_path, monkeypatch):
    monkeypatch.setenv("CHILD", str(tmp_path / "child"))
    outcome = judge(["has_a_child"], *QUIET)
    assert outcome.status == 0, outcome.text
    assert not is_there(int((tmp_path / "child").read_text()))


def test_the_server_is_ended_when_the_runner_is_killed(conform_program, case_file, tmp_path):
    pids = tmp_path / "pids"
    slow = case_text("own-slow", "silent 20s", needs="slow")
    runner = subprocess.Popen(
        [str(conform_program), "server", "--target-cmd", "exec " + command(f"pid_into={pids}"),
         *case_file(slow), "--text", "/dev/null"])
    deadline = time.monotonic() + DEADLINE
    while not (pids.exists() and pids.read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)
    server = os.pidfd_open(int(pids.read_text()))
    runner.send_signal(signal.SIGKILL)
    runner.wait(DEADLINE)
    assert becomes_readable(server, DEADLINE), "the server is still there"


# Servers that do not come up, and those that go.


@pytest.mark.parametrize("habit", ["ends_at_once", "never_listens"])
def test_a_server_that_does_not_come_up_makes_all_cases_errors(judge, habit):
    outcome = judge([habit], *QUIET, seconds=30)
    found = verdicts(outcome)
    assert [found[f"own-{i}"] for i in range(1, 4)] == ["error"] * 3
    assert outcome.status == (1 if habit == "ends_at_once" else 3)
    assert "does not accept" in outcome.stderr
    if habit == "ends_at_once":
        assert "no licence" in reason(outcome, "target/exit-status")


def with_a_killer(*rest: str) -> list[str]:
    return [QUIET[0], case_text("own-killer", *KILLS), *QUIET[1:], *rest]


def test_after_a_crash_the_server_is_started_again_and_the_rest_runs(judge, tmp_path):
    pids = tmp_path / "pids"
    outcome = judge(["dies_of_666", f"pid_into={pids}"], *with_a_killer())
    assert outcome.status == 1
    assert verdicts(outcome) == {
        "own-1": "pass", "own-killer": "crash", "own-2": "pass", "own-3": "pass",
        **{f"target/{name}": "fail" if name == "exit-status" else "pass" for name in JUDGED}}
    assert "exit status 9" in reason(outcome, "target/exit-status")
    assert len(pids.read_text().split()) == 2


def test_a_server_that_somebody_else_started_is_started_again_by_a_command(
    conform, case_file, vacant
):
    port = vacant.rpartition(":")[2]
    cmd = command("dies_of_666").replace("{port}", port)
    first = subprocess.Popen(cmd, shell=True, start_new_session=True)
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if conform("server", vacant, *case_file(QUIET[0]), reports=False).status == 0:
            break
    outcome = conform("server", vacant, "--restart-cmd", cmd, *case_file(*with_a_killer()))
    first.wait(DEADLINE)
    assert (outcome.status, outcome.verdicts) == (1, ["pass", "crash", "pass", "pass"])


def test_without_a_way_to_start_it_again_the_rest_are_errors(judge):
    outcome = judge(["dies_of_666"], *with_a_killer(), "--restart-cmd", "false")
    found = verdicts(outcome)
    assert [found[f"own-{name}"] for name in ("1", "killer", "2", "3")] == [
        "pass", "crash", "error", "error"]
    assert "could not be started again" in reason(outcome, "LWP-2.3/own-3")


def test_isolating_finds_the_case_that_killed_it_and_not_the_one_that_noticed(judge):
    """The killer passes: it has its answer, and the server dies a moment later."""
    late = case_text("own-late", "silent 500ms", needs="slow")
    outcome = judge(["dies_soon_after_666"], QUIET[0], case_text("own-killer", *KILLS), late,
                    QUIET[1], "--isolate")
    found = verdicts(outcome)
    assert outcome.status == 1
    assert [found[f"own-{name}"] for name in ("1", "late", "2")] == ["pass"] * 3
    assert found["own-killer"] == "crash"
    assert "alone on a fresh target" in reason(outcome, "LWP-2.3/own-killer")


def test_isolating_says_so_if_no_case_alone_kills_it(judge):
    cases = [case_text(f"own-{i}", *ACKED) for i in range(1, 5)]
    outcome = judge(["dies_of_the_third_batch"], *cases, "--isolate", seconds=40)
    found = verdicts(outcome)
    assert [found[f"own-{i}"] for i in range(1, 5)] == ["pass", "pass", "crash", "pass"]
    assert "alone" in reason(outcome, "LWP-2.3/own-3")


def test_isolating_tells_apart_what_ran_side_by_side(judge):
    cases = [case_text(f"own-{i}", *ACKED) for i in range(1, 4)]
    outcome = judge(["dies_of_666"], *cases, case_text("own-killer", *KILLS), "--isolate",
                    "--jobs", "4", seconds=40)
    found = verdicts(outcome)
    assert found["own-killer"] == "crash"
    assert [found[f"own-{i}"] for i in range(1, 4)] == ["pass"] * 3


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["server", "--target-cmd", "true"], "{port}"),
        (["server", "127.0.0.1:1", "--isolate"], "--isolate needs"),
        (["selftest", "--target-cmd", "true {port}"], "are for server"),
        (["server", "127.0.0.1:1", "--max-memory", "much"], "much"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(conform, arguments, word):
    outcome = conform(*arguments, reports=False)
    assert (outcome.status, outcome.stdout) == (64, "")
    assert word in outcome.stderr


def test_a_server_that_leaves_its_group_is_ended_all_the_same(conform, case_file, vacant):
    started = f"setsid {command()} & sleep 30"
    outcome = conform("server", vacant, "--target-cmd", started, *case_file(QUIET[0]), seconds=30)
    assert verdicts(outcome)["own-1"] == "pass"
    port = vacant.rpartition(":")[2]
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", int(port)), timeout=DEADLINE).close()
