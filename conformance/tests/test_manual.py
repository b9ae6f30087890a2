# SPDX-License-Identifier: MIT
"""The commands of docs/mock.md do what it says."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from conftest import must_be_sound
from peer import DEADLINE

MANUAL = Path(__file__).parents[2] / "docs" / "mock.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", MANUAL.read_text(), re.MULTILINE | re.DOTALL)


def test_the_manual_has_commands():
    assert len(BLOCKS) >= 4


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0][:40])
def test_the_commands_of_the_manual_run(block, mock_program, tmp_path):
    path = f"{mock_program.parent}:{os.environ['PATH']}"
    done = subprocess.run(["bash", "-eu", "-c", block], cwd=tmp_path, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=DEADLINE,
                          env={**os.environ, "PATH": path})
    must_be_sound(done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "error" not in done.stdout


def test_the_manual_names_only_options_that_there_are(mock_program):
    told = subprocess.run([str(mock_program), "--help"], check=True, capture_output=True,
                          text=True, timeout=DEADLINE).stdout
    named = set(re.findall(r"--[a-z][a-z-]+", MANUAL.read_text()))
    assert named - set(re.findall(r"--[a-z][a-z-]+", told)) == set()


def test_the_manual_names_each_command(start_mock, tmp_path):
    path = tmp_path / "control"
    start_mock("--control", path)
    with socket.socket(socket.AF_UNIX) as control, control.makefile("r") as lines:
        control.settimeout(DEADLINE)
        control.connect(str(path))
        control.sendall(b"help\n")
        count = int(lines.readline().split()[1])
        words = {lines.readline().split()[0] for _ in range(count)}
    (table,) = re.findall(r"^\| command .*?\n\n", MANUAL.read_text(), re.MULTILINE | re.DOTALL)
    cells = "".join(line.split(" | ")[0] for line in table.splitlines()[2:])
    assert set(re.findall(r"`([a-z-]+)", cells)) == words
