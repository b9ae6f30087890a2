# SPDX-License-Identifier: MIT
"""What ci/examples gives to other people's pipelines: the script runs as it does there, with lwp-mock
as the server, and the workflow does what the script does."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from conftest import must_fit_schema

EXAMPLES = Path(__file__).parents[2] / "ci" / "examples"
SCRIPT = EXAMPLES / "run-suite.sh"
STEPS = ["build", "start", "probe", "judge", "summary", "stop"]
FILTER = "--without slow --filter LWP-2.3/* --filter LWP-5.4/*"


@dataclass
class Run:
    status: int
    output: str
    folder: Path

    def report(self, name: str) -> str:
        return (self.folder / "conformance-reports" / name).read_text(encoding="utf-8")


@pytest.fixture
def repository(conform_program, mock_program, tmp_path):
    """`repository(STEP, SETTING=…, server=[…])` runs the script in a reader's repository."""
    folder = tmp_path / "theirs"
    folder.mkdir()

    def run(*steps: str, server: str = "", **settings: str) -> Run:
        environment = os.environ | {
            "LWP_CONFORM": str(conform_program),
            "SERVER_CMD": f"exec {mock_program} --ready-file {folder}/ready {server}",
            "ADDRESS": f"@{folder}/ready",
            "LWP_OPTIONS": FILTER,
        } | settings
        if "GITHUB_STEP_SUMMARY" not in settings:
            environment.pop("GITHUB_STEP_SUMMARY", None)
        (folder / "ready").unlink(missing_ok=True)
        ended = subprocess.run([str(SCRIPT), *steps], cwd=folder, env=environment, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        return Run(ended.returncode, ended.stdout, folder)

    return run


@pytest.fixture
def expectations(tmp_path):
    def write(text: str) -> None:
        path = tmp_path / "theirs" / "ci" / "lwp" / "expectations.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    return write


BUSY = 'on list-topics -> error storage-error "busy" optional'


@pytest.fixture
def wrong(tmp_path) -> str:
    """A server that does not list its topics."""
    path = tmp_path / "busy.lwps"
    path.write_text(BUSY + "\n")
    return f"--script {path}"


def servers_left(folder: Path) -> list[str]:
    found = subprocess.run(["pgrep", "-f", "--", f"--ready-file {folder}/ready"], text=True,
                           stdout=subprocess.PIPE)
    return found.stdout.split()


def test_a_right_server_is_green_and_leaves_reports(repository):
    run = repository()
    assert run.status == 0, run.output
    assert "server.profile is new" in run.output
    assert "\ndialect lance " in (run.folder / "ci/lwp/server.profile").read_text()
    assert run.report("server.profile") and '"event":"end"' in run.report("conformance.jsonl")
    assert "pass" in run.report("conformance.txt") and run.report("conformance.txt") in run.output
    assert run.report("conformance.md") in run.output
    must_fit_schema(run.folder / "conformance-reports" / "conformance.xml")
    assert servers_left(run.folder) == []


def test_the_profile_that_is_kept_is_used(repository):
    folder = repository().folder
    profile = folder / "ci/lwp/server.profile"
    profile.write_text("dialect lance\nwithout topics  # they are off\n")
    run = repository()
    assert run.status == 0 and "they are off" in run.output
    assert profile.read_text().startswith("dialect lance\nwithout topics")


def test_another_dialect_is_found_out(repository):
    run = repository(server="--dialect spec")
    assert run.status == 0, run.output
    assert "dialect spec" in run.report("conformance.txt")


def test_a_wrong_server_is_red(repository, wrong):
    run = repository(server=wrong)
    assert run.status == 1, run.output
    assert "LWP-5.4/" in run.report("conformance.md")
    assert "failure" in run.report("conformance.xml")
    assert servers_left(run.folder) == []


def test_a_quirk_of_the_server_is_red(repository):
    run = repository(server="--max-payload 1024", PROFILE="/dev/null",
                     LWP_OPTIONS="--without slow --filter LWP-8.7/*")
    assert run.status == 1, run.output


def test_what_is_known_is_green(repository, wrong, expectations):
    red = repository(server=wrong)
    failed = re.findall(r'"id":"(LWP-[^"]+)"[^\n]*"verdict":"(?:timeout|fail)"',
                        red.report("conformance.jsonl"))
    expectations("".join(f"xfail {case} issue 7: lists are not answered\n" for case in failed))
    run = repository(server=wrong)
    assert failed and run.status == 0, run.output
    assert "xfail" in run.report("conformance.txt")


def test_what_is_known_and_right_again_is_told(repository, expectations):
    expectations("xfail LWP-2.3/keepalive-is-answered issue 7\n")
    run = repository()
    assert run.status == 2, run.output


def test_a_broken_line_is_wrong_usage(repository, expectations):
    expectations("xfail LWP-2.3/keepalive-is-answered\n")
    assert repository().status == 64


def test_a_baseline_makes_old_failures_quiet(repository, wrong):
    first = repository(server=wrong)
    kept = first.folder / "before.jsonl"
    kept.write_text(first.report("conformance.jsonl"))
    run = repository(server=wrong, BASELINE=str(kept))
    assert (first.status, run.status) == (1, 0), run.output
    assert " as before" in run.report("conformance.txt")


def test_a_token_is_given(repository):
    run = repository(server="--auth-token sesame", AUTH_TOKEN="sesame",
                     LWP_OPTIONS="--without slow --filter LWP-7/*")
    assert run.status == 0, run.output
    assert "without open" in run.report("server.profile")


@pytest.mark.parametrize("command", ["exit 7", "exec sleep 100", "/no/such/server"])
def test_a_server_that_does_not_come_up_is_told(repository, command):
    run = repository(SERVER_CMD=command, START_SECS="1")
    assert run.status == 3 and "does not listen" in run.output


def test_steps_of_their_own_do_what_all_do(repository):
    assert [repository(step).status for step in ["build", "start"]] == [0, 0]
    folder = repository("build").folder  # Its ready file is gone, but the server is not.
    assert servers_left(folder) != []
    assert repository("stop").status == 0
    assert servers_left(folder) == []
    assert repository("stop").status == 0


def test_the_summary_goes_where_the_pipeline_wants_it(repository, tmp_path):
    repository()
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    run = repository("summary", GITHUB_STEP_SUMMARY=str(summary))
    assert run.status == 0
    assert summary.read_text() == "before\n" + run.report("conformance.md")


def test_a_step_that_does_not_exist_is_wrong_usage(repository):
    assert repository("deploy").status == 64


# The workflow.


@pytest.fixture(scope="module")
def workflow() -> dict:
    return yaml.safe_load((EXAMPLES / "conformance.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def job(workflow) -> dict:
    (only,) = workflow["jobs"].values()
    return only


def test_the_workflow_runs_all_steps_of_the_script_in_order(job):
    runs = [step["run"] for step in job["steps"] if "run" in step]
    assert runs == [f"ci/lwp/run-suite.sh {step}" for step in STEPS]
    script = SCRIPT.read_text(encoding="utf-8")
    (offered,) = re.findall(r"^    (.*) \| all\) ", script, re.M)
    assert offered.split(" | ") == STEPS
    explained = re.findall(r"^#   run-suite\.sh (\w+) ", script, re.M)
    assert explained == STEPS


def test_the_workflow_has_the_settings_of_the_script(job):
    script = SCRIPT.read_text(encoding="utf-8")
    defaults = dict(re.findall(r'^: "\$\{(\w+):=(.*)\}"', script, re.M))
    assert set(job["env"]) <= set(defaults)
    for name, value in job["env"].items():
        if name != "SERVER_CMD":
            assert value == defaults[name]


def test_reports_are_kept_and_the_server_ended_whatever_happens(job):
    always = [step for step in job["steps"] if step.get("if") == "always()"]
    assert [step.get("run", step.get("uses")) for step in always] == [
        "ci/lwp/run-suite.sh summary", "ci/lwp/run-suite.sh stop", "actions/upload-artifact@v4"]
    assert always[-1]["with"]["path"].rstrip("/") == job["env"]["REPORTS"]
    assert always[-1] is job["steps"][-1]


def test_nothing_hides_the_exit_status(job):
    assert not [step for step in job["steps"] if "continue-on-error" in step]
    assert "continue-on-error" not in job and job["timeout-minutes"] <= 30
    (judge,) = [step for step in job["steps"] if step.get("run", "").endswith(" judge")]
    assert set(judge) == {"name", "run"}


def test_it_runs_for_every_push(workflow):
    assert set(workflow[True]) == {"push", "pull_request"}  # YAML 1.1 reads on as true.


def test_the_testbed_that_is_built_is_the_one_that_is_fetched(job):
    (fetched,) = [step for step in job["steps"] if "repository" in step.get("with", {})]
    assert fetched["with"]["path"] == job["env"]["TESTBED"]
