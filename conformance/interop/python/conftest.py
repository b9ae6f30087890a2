# SPDX-License-Identifier: MIT
"""Starts lwp-mock for a test and ends it in good order afterwards."""

import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from support import DEADLINE, Address, Relay

StartMock = Callable[..., Address]


@pytest.fixture(scope="session")
def mock_program() -> Path:
    name = os.environ.get("LWP_MOCK")
    if not name:
        pytest.fail("LWP_MOCK is not set; it names the lwp-mock program to test against")
    program = Path(name).resolve()
    if not os.access(program, os.X_OK):
        pytest.fail(f"LWP_MOCK={name} is not a program")
    return program


def wait_until_ready(process: subprocess.Popen[bytes], ready_file: Path) -> Address:
    """The address in the file. Waits for the process's death, which only ends early if it fails."""
    end = time.monotonic() + DEADLINE
    while not ready_file.exists():
        try:
            pytest.fail(f"lwp-mock ended at once with {process.wait(timeout=0.005)}")
        except subprocess.TimeoutExpired:
            if time.monotonic() > end:
                pytest.fail(f"lwp-mock wrote no {ready_file.name} in {DEADLINE} s")
    host, _, port = ready_file.read_text().strip().rpartition(":")
    return Address(host, int(port))


def stop(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


@pytest.fixture
def start_mock(mock_program: Path, tmp_path: Path) -> Iterator[StartMock]:
    """`start_mock("lance", "--ack-delay", "50")` gives the address of a server of its own."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(dialect: str, *options: str) -> Address:
        ready_file = tmp_path / f"ready-{len(processes)}"
        command = [str(mock_program), "--listen", "127.0.0.1:0", "--dialect", dialect]
        process = subprocess.Popen([*command, "--ready-file", str(ready_file), *options])
        processes.append(process)
        return wait_until_ready(process, ready_file)

    yield start
    assert [stop(process) for process in processes] == [0] * len(processes)


@pytest.fixture
def lance(start_mock: StartMock) -> Address:
    """A server as it is deployed."""
    return start_mock("lance")


@pytest.fixture
def lance_py(start_mock: StartMock) -> Address:
    """A server as this client needs it."""
    return start_mock("lance-py")


@pytest.fixture(params=["lance", "lance-py"])
def either(request: pytest.FixtureRequest, start_mock: StartMock) -> Address:
    return start_mock(request.param)


@pytest_asyncio.fixture
async def relay(lance: Address) -> AsyncIterator[Relay]:
    """Between the client and a `lance` server: writes down every frame, and can change answers."""
    async with Relay(lance) as relay:
        yield relay
