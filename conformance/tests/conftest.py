# SPDX-License-Identifier: MIT
"""Runs the programs under test, reads their reports, and ends what was started."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema
import pytest

from peer import DEADLINE, Connection, FakeServer
from tap import read_tap

SCHEMA = Path(__file__).parent.parent / "junit.xsd"
EVENT_SCHEMA = Path(__file__).parent.parent / "report.schema.json"
FOR_PEOPLE = "report.txt"
REPORTS = {"--text": FOR_PEOPLE, "--jsonl": "report.jsonl", "--junit": "report.xml",
           "--tap": "report.tap", "--markdown": "report.md", "--pcap": "report.pcapng"}


def program_named_by(variable: str) -> Path:
    name = os.environ.get(variable)
    if not name:
        pytest.fail(f"{variable} is not set; it names the program to test")
    program = Path(name).resolve()
    if not os.access(program, os.X_OK):
        pytest.fail(f"{variable}={name} is not a program")
    return program


@pytest.fixture(scope="session")
def conform_program() -> Path:
    return program_named_by("LWP_CONFORM")


@pytest.fixture(scope="session")
def mock_program() -> Path:
    return program_named_by("LWP_MOCK")


def must_be_sound(stderr: str) -> None:
    """A sanitizer's finding fails the test, whatever the exit status was."""
    for word in ("Sanitizer", "runtime error:"):
        assert word not in stderr, stderr


@dataclass
class Outcome:
    """What a run of lwp-conform left behind."""

    status: int
    stdout: str
    stderr: str
    folder: Path
    grown_kib: int  # Peak memory beyond what the program takes to say its version.
    cpu_seconds: float
    events: list[dict] = field(default_factory=list)

    @property
    def text(self) -> str:
        return (self.folder / FOR_PEOPLE).read_text(encoding="utf-8")

    @property
    def cases(self) -> list[dict]:
        return [event for event in self.events if event["event"] == "case"]

    @property
    def verdicts(self) -> list[str]:
        return [case["verdict"] for case in self.cases]

    @property
    def case(self) -> dict:
        """The only one that ran."""
        (only,) = self.cases
        return only

    def case_named(self, slug: str) -> dict:
        (only,) = (case for case in self.cases if case["id"] == f"LWP-2.3/{slug}")
        return only

    @property
    def end(self) -> dict:
        assert self.events[-1]["event"] == "end"
        return self.events[-1]

    @property
    def tap(self) -> str:
        return (self.folder / "report.tap").read_text(encoding="utf-8")

    @property
    def markdown(self) -> str:
        return (self.folder / "report.md").read_text(encoding="utf-8")

    @property
    def capture(self) -> Path:
        return self.folder / "report.pcapng"

    @property
    def junit_file(self) -> Path:
        return self.folder / "report.xml"

    @property
    def junit(self) -> ElementTree.Element:
        must_fit_schema(self.junit_file)
        return ElementTree.parse(self.junit_file).getroot()

    @property
    def testcases(self) -> list[ElementTree.Element]:
        return list(self.junit.iter("testcase"))


def must_fit_schema(report: Path) -> None:
    checked = subprocess.run(
        ["xmllint", "--noout", "--nonet", "--schema", str(SCHEMA), str(report)],
        capture_output=True, text=True, errors="replace", timeout=DEADLINE)
    assert checked.returncode == 0, checked.stderr


def strict_json(line: bytes) -> dict:
    def refuse(word: str) -> None:
        raise ValueError(f"{word} is not JSON")

    return json.loads(line.decode("utf-8"), parse_constant=refuse)


def becomes_readable(fd: int, seconds: float, close: bool = True) -> bool:
    try:
        return bool(select.select([fd], [], [], seconds)[0])
    finally:
        if close:
            os.close(fd)


# A process begins with the peak memory of the one that it was split from. Between the tests and the
# program that is measured stands this one, which is small.
MEASURE = """
import os, resource, sys
os.environ["ASAN_OPTIONS"] = "quarantine_size_mb=1"  # What was freed does not count.
status = os.spawnv(os.P_WAIT, sys.argv[2], sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    file.write(f"{used.ru_maxrss} {used.ru_utime + used.ru_stime}")
sys.exit(status if status >= 0 else 128 - status)
"""


def run_bounded(command: list[str], folder: Path, seconds: float) -> int:
    """Output goes into the folder. A program that does not end in time is killed and fails the
    test."""
    with open(folder / "stdout", "wb") as out, open(folder / "stderr", "wb") as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   start_new_session=True)
        ended = becomes_readable(os.pidfd_open(process.pid), seconds)
        if not ended:
            os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
    assert ended, f"{command} did not end in {seconds} s"
    return status


RunConform = Callable[..., Outcome]


def own_kib(program: Path, folder: Path) -> int:
    """The program's own size: code and libraries, which are not what a peer makes it take."""
    used = folder / "own"
    subprocess.run([sys.executable, "-I", "-S", "-c", MEASURE, str(used), str(program), "--version"],
                   check=True, stdout=subprocess.DEVNULL, timeout=DEADLINE)
    return int(used.read_text().split()[0])


@pytest.fixture(scope="session")
def event_validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(EVENT_SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture
def conform(conform_program: Path, tmp_path: Path,
            event_validator: jsonschema.Draft202012Validator) -> RunConform:
    """`conform("server", address, …)` runs the program to its end. With `reports` it writes all
    forms, which are read and must be sound; `measured` it tells its peak memory and the processor
    time, and makes no capture, which takes memory of its own."""
    count = 0

    def run(*arguments: object, reports: bool = True, measured: bool = False,
            seconds: float = DEADLINE) -> Outcome:
        nonlocal count
        count += 1
        folder = tmp_path / f"run-{count}"
        folder.mkdir()
        command = [str(conform_program), *map(str, arguments)]
        if reports:
            for option, name in REPORTS.items():
                command += [] if measured and option == "--pcap" else [option, str(folder / name)]
        if measured:
            command = [sys.executable, "-I", "-S", "-c", MEASURE, str(folder / "used"), *command]
        status = run_bounded(command, folder, seconds)
        peak_kib, cpu_seconds = (folder / "used").read_text().split() if measured else (0, 0)
        grown_kib = int(peak_kib) - own_kib(conform_program, folder) if measured else 0
        stderr = (folder / "stderr").read_text(encoding="utf-8", errors="replace")
        must_be_sound(stderr)
        stdout = (folder / "stdout").read_text(encoding="utf-8")
        outcome = Outcome(status, stdout, stderr, folder, grown_kib, float(cpu_seconds))
        if reports and (folder / "report.jsonl").exists():
            lines = (folder / "report.jsonl").read_bytes().splitlines()
            outcome.events = [strict_json(line) for line in lines]
            for event in outcome.events:
                event_validator.validate(event)
            assert len(read_tap(outcome.tap)) == len(outcome.cases)
        return outcome

    return run


@pytest.fixture
def listed(conform: RunConform) -> Callable[..., dict[str, set[str]]]:
    """The ids that --list names, each with what the case needs."""

    def ids(*arguments: object) -> dict[str, set[str]]:
        outcome = conform("--list", *arguments, reports=False)
        assert outcome.status == 0
        rows = [line.split("\t") for line in outcome.stdout.partition("\n\n")[0].splitlines()]
        return {row[0]: set("".join(row[3:]).removeprefix("needs ").split(", ")) for row in rows}

    return ids


# Cases.

KEPT_ALIVE = ("send keepalive", "expect keepalive")
NOT_ACKED = ("send keepalive", "expect ack")  # A right server fails this one.


def case_text(slug: str, *steps: str, text: str = "What these tests want.", needs: str = "") -> str:
    lines = [f"case LWP-2.3/{slug} must server", f'text "{text}"', "req R2.3-keepalive-answer"]
    return "\n  ".join([*lines, *([f"needs {needs}"] if needs else []), *steps]) + "\n\n"


@pytest.fixture
def case_file(tmp_path: Path) -> Callable[..., list[str]]:
    """`case_file(case_text(…), …)` gives the options that run these cases and no others."""

    def write(*cases: str, name: str = "own.lwps") -> list[str]:
        path = tmp_path / name
        path.write_text("".join(cases), encoding="utf-8")
        return ["--case-file", str(path), "--filter", "LWP-2.3/own-*"]

    return write


@pytest.fixture
def expect_file(tmp_path: Path) -> Callable[[str], list[str]]:
    def write(text: str) -> list[str]:
        path = tmp_path / "expect"
        path.write_text(text, encoding="utf-8")
        return ["--expect", str(path)]

    return write


# A case of every sort.

REQUIREMENT = "A server answers each Keepalive with a Keepalive."
PASSES = case_text("own-passes", *KEPT_ALIVE)
FAILS = case_text("own-fails", *NOT_ACKED, text="An ack is wanted.")
LENIENT = case_text("own-lenient", "send keepalive", "expect ack | lenient keepalive")
TIMES_OUT = case_text("own-times-out", *KEPT_ALIVE, "expect ack within 50ms")
NEEDS_TOPICS = case_text("own-topics", *KEPT_ALIVE, needs="topics")
XFAILS = case_text("own-xfails", *NOT_ACKED)
XPASSES = case_text("own-xpasses", *KEPT_ALIVE)
SKIPPED = case_text("own-skipped", *NOT_ACKED)
FLAKY = case_text("own-flaky", *KEPT_ALIVE)
EXPECTATIONS = """\
# What is known.
xfail LWP-2.3/own-xfails  it is broken
xfail LWP-2.3/own-xpasses it was broken (see #12)
skip  LWP-2.3/own-skipped it takes too long
flaky LWP-2.3/own-flaky   it races
"""
ALL_SORTS = {
    "own-passes": "pass",
    "own-fails": "fail",
    "own-lenient": "pass-lenient",
    "own-times-out": "timeout",
    "own-topics": "skip",
    "own-xfails": "xfail",
    "own-xpasses": "xpass",
    "own-skipped": "skip",
    "own-flaky": "pass",
}


@pytest.fixture
def all_sorts(conform, mock, case_file, expect_file):
    def run(*options):
        cases = case_file(PASSES, FAILS, LENIENT, TIMES_OUT, NEEDS_TOPICS, XFAILS, XPASSES, SKIPPED,
                          FLAKY)
        options = (*options, *expect_file(EXPECTATIONS), "--without", "topics")
        return conform("server", mock, *cases, *options)

    return run


# Servers.


@pytest.fixture
def fake_server() -> Iterator[Callable[[Callable[[Connection], None]], FakeServer]]:
    servers: list[FakeServer] = []

    def start(serve: Callable[[Connection], None]) -> FakeServer:
        servers.append(FakeServer(serve))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@dataclass
class Mock:
    process: subprocess.Popen[bytes]
    address: str
    first_line: str
    ready_file: Path
    stderr_file: Path
    ends_with: int = 0  # What its exit status must be.

    @property
    def host_and_port(self) -> tuple[str, int]:
        host, _, port = self.address.rpartition(":")
        return host.strip("[]"), int(port)

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(by)
        try:
            return self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            pytest.fail(f"lwp-mock did not end after {by.name}")

    def last_words(self) -> list[str]:
        """What it still says on standard output, up to its end."""
        return self.process.stdout.read().decode().splitlines()


StartMock = Callable[..., Mock]


@pytest.fixture
def start_mock(mock_program: Path, tmp_path: Path) -> Iterator[StartMock]:
    """`start_mock("--dialect", "spec")` is a mock that listens; afterwards it must end well."""
    mocks: list[Mock] = []

    def start(*options: object) -> Mock:
        ready_file = tmp_path / f"ready-{len(mocks)}"
        stderr_file = tmp_path / f"mock-stderr-{len(mocks)}"
        with open(stderr_file, "wb") as stderr:
            process = subprocess.Popen(
                [str(mock_program), "--ready-file", str(ready_file), *map(str, options)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)
        if not becomes_readable(process.stdout.fileno(), DEADLINE, close=False):
            process.kill()
            pytest.fail(f"lwp-mock said nothing in {DEADLINE} s")
        line = process.stdout.readline().decode()
        if not line:
            pytest.fail(f"lwp-mock ended with {process.wait()}: {stderr_file.read_text()}")
        address = line.removeprefix("listening on ").rstrip("\n")
        mocks.append(Mock(process, address, line, ready_file, stderr_file))
        return mocks[-1]

    yield start
    statuses = [mock.stop() for mock in mocks]
    for mock in mocks:
        mock.process.stdout.close()
        must_be_sound(mock.stderr_file.read_text(errors="replace"))
    assert statuses == [mock.ends_with for mock in mocks]


@pytest.fixture
def mock(start_mock: StartMock) -> str:
    """The address of a right server, as it is deployed."""
    return start_mock().address


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address where nobody listens: the port is taken but not open."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{sock.getsockname()[1]}"
