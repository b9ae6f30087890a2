# SPDX-License-Identifier: MIT
"""docs/running.md tells of each option, verdict and exit status, and its commands run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from conftest import must_be_sound
from peer import DEADLINE

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", MANUAL, re.MULTILINE | re.DOTALL)
OPTION = r"--[a-z][a-z-]*"


def test_the_manual_has_commands():
    assert len(BLOCKS) >= 3


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0][:40])
def test_the_commands_of_the_manual_run(block, conform_program, mock_program, tmp_path):
    path = f"{conform_program.parent}:{mock_program.parent}:{os.environ['PATH']}"
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=tmp_path,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=6 * DEADLINE, env={**os.environ, "PATH": path})
    must_be_sound(done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_option_has_a_row_with_an_example(conform):
    told = conform("--help", reports=False).stdout
    options = set(re.findall(rf"^  ({OPTION})", told, re.MULTILINE)) | {"--version"}
    rows = [line.split(" | ") for line in MANUAL.splitlines() if line.startswith("| `--")]
    named = {option for row in rows for option in re.findall(OPTION, row[0])}
    assert named == options
    for row in rows:
        assert re.findall(OPTION, row[0])[0] in row[-1] or "version" in row[-1], row


def test_each_verdict_has_a_row():
    table = (ROOT / "conformance" / "verdicts.def").read_text(encoding="utf-8")
    verdicts = re.findall(r'^VERDICT\(\w+, +"([a-z-]+)"', table, re.MULTILINE)
    assert verdicts == re.findall(r"^\| `([a-z-]+)` \| .* \| \d? ?\|$", MANUAL, re.MULTILINE)


def test_each_exit_status_has_a_row():
    header = (ROOT / "conformance" / "suite.h").read_text(encoding="utf-8")
    statuses = re.findall(r"^    SUITE_\w+ = (\d+)", header, re.MULTILINE)
    assert statuses == re.findall(r"^\| (\d+) \|", MANUAL, re.MULTILINE)


def test_each_result_about_the_target_has_a_row():
    table = (ROOT / "conformance" / "target.def").read_text(encoding="utf-8")
    ids = re.findall(r'^TARGET_JUDGED\(\w+, +"(target/[a-z-]+)"', table, re.MULTILINE)
    assert ids == re.findall(r"^\| `(target/[a-z-]+)` \|", MANUAL, re.MULTILINE)
