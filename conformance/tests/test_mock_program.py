# SPDX-License-Identifier: MIT
"""lwp-mock as a program: how it starts, listens, obeys its options and ends."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import must_be_sound
from peer import (
    ACK,
    AUTHENTICATE,
    CREATE_TOPIC,
    DEADLINE,
    ERROR_RESPONSE,
    KEEPALIVE,
    KEEPALIVE_WIRE,
    LIST_TOPICS,
    Frame,
    control,
    ingest,
    raw_record,
    read_frame,
)


@pytest.fixture
def run_mock(mock_program: Path):
    """Runs the program to its end."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([str(mock_program), *map(str, arguments)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=DEADLINE)
        must_be_sound(done.stderr)
        return done

    return run


@contextlib.contextmanager
def connected(mock) -> Iterator[socket.socket]:
    with socket.create_connection(mock.host_and_port, timeout=DEADLINE) as sock:
        yield sock


def ask(sock: socket.socket, frame: Frame) -> Frame | None:
    sock.sendall(frame.sealed())
    return read_frame(sock)


def is_alive(sock: socket.socket) -> bool:
    answer = ask(sock, Frame(KEEPALIVE))
    return answer is not None and answer.flags == KEEPALIVE


def create_topic(sock: socket.socket, name: bytes) -> int:
    answer = ask(sock, control(CREATE_TOPIC, name))
    return json.loads(answer.payload)["id"]


# Listening


def test_it_says_where_it_listens(start_mock):
    mock = start_mock()
    assert re.fullmatch(r"listening on 127\.0\.0\.1:[1-9][0-9]*\n", mock.first_line)
    with connected(mock) as sock:
        assert is_alive(sock)


def test_the_ready_file_holds_the_address(start_mock):
    """It is there as soon as the line is; the mock that is asked has read the line only."""
    mock = start_mock()
    with connected(mock) as sock:
        assert is_alive(sock)  # Served only after the file was written.
        assert mock.ready_file.read_text() == f"{mock.address}\n"
    assert list(mock.ready_file.parent.glob("ready-*")) == [mock.ready_file]


def test_port_0_takes_a_free_port_each_time(start_mock):
    addresses = {start_mock("--listen", "127.0.0.1:0").address for _ in range(3)}
    assert len(addresses) == 3


def test_it_listens_on_ipv6(start_mock):
    mock = start_mock("--listen", "[::1]:0")
    assert re.fullmatch(r"\[::1\]:[1-9][0-9]*", mock.address)
    with connected(mock) as sock:
        assert is_alive(sock)


def test_the_suite_reaches_a_mock_on_ipv6(start_mock, conform):
    mock = start_mock("--listen", "[::1]:0")
    outcome = conform("server", mock.address, "--filter", "LWP-11.3/*")
    assert outcome.status == 0, outcome.text


def test_it_listens_on_the_loopback_only_unless_told_otherwise(start_mock):
    _, port = start_mock().host_and_port
    listeners = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            if state == "0A" and int(local.rpartition(":")[2], 16) == port:
                listeners.add(local.rpartition(":")[0])
    assert listeners == {"0100007F"}


def test_a_port_that_is_taken_is_told(start_mock, run_mock):
    address = start_mock().address
    done = run_mock("--listen", address)
    assert (done.returncode, done.stdout) == (3, "")
    port = address.rpartition(":")[2]
    assert f"can not listen on 127.0.0.1 port {port}: Address already in use" in done.stderr


def test_an_address_of_another_machine_is_told(run_mock):
    done = run_mock("--listen", "192.0.2.1:0")
    assert (done.returncode, done.stdout) == (3, "")
    assert "192.0.2.1" in done.stderr


def test_a_ready_file_that_can_not_be_written_is_told(run_mock, tmp_path):
    path = tmp_path / "none" / "ready"
    done = run_mock("--ready-file", path)
    assert done.returncode == 3
    assert f"{path}: No such file or directory" in done.stderr


# Ending


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well_with_connections_open(start_mock, by):
    mock = start_mock("--ack-delay", 60000)
    with connected(mock) as idle, connected(mock) as amid, connected(mock) as waiting:
        topic = create_topic(waiting, b"t")
        # The keepalive in the same write is answered at once; the ack is far away.
        waiting.sendall(ingest(topic, raw_record(b"x")).sealed() + KEEPALIVE_WIRE)
        assert read_frame(waiting).flags == KEEPALIVE
        amid.sendall(KEEPALIVE_WIRE[:20])
        assert is_alive(idle)
        assert mock.stop(by) == 0
        assert [read_frame(sock) for sock in (idle, amid, waiting)] == [None] * 3
    assert mock.process.stdout.read() == b""
    assert mock.stderr_file.read_bytes() == b""


# Wrong usage


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--no-such-option"], "no-such-option"),
        (["surplus"], "surplus"),
        (["--listen"], "listen"),
        (["--listen", ""], "HOST:PORT"),
        (["--listen", "127.0.0.1:65536"], "127.0.0.1:65536"),
        (["--listen", "127.0.0.1:"], "127.0.0.1:"),
        (["--listen", "127.0.0.1:-1"], "127.0.0.1:-1"),
        (["--listen", "::1"], "::1"),
        (["--listen", "[::1"], "[::1"),
        (["--dialect", "klingon"], "klingon"),
        (["--dialect", ""], "dialect"),
        (["--auth-token", ""], "token"),
        (["--max-payload", "0"], "0"),
        (["--max-payload", "-1"], "-1"),
        (["--max-payload", "16M"], "16M"),
        (["--max-payload", "4294967296"], "4294967296"),
        (["--ack-delay", "60001"], "60001"),
        (["--ack-delay", "soon"], "soon"),
        (["--node", "127.0.0.1:0"], "NAME=HOST:PORT"),
        (["--node", "a=127.0.0.1:0", "--node", "a=127.0.0.1:0"], "a=127.0.0.1:0"),
        (["--node", "a=127.0.0.1:0", "--listen", "127.0.0.1:0"], "exclude"),
        (["--control", "0.0.0.0:0"], "loopback"),
        (["--control", "lance.example.org:1"], "loopback"),
        (["--exit-after", "dinner"], "dinner"),
        (["--max-connections", "0"], "max-connections"),
        (["--refuse-with", "regret"], "regret"),
        (["--max-connection-memory", "1"], "64K"),
        (["--max-memory", "lots"], "lots"),
        (["--scenario", "a"], "--script"),
        (["--auth-client", "bob"], "--auth-token"),
        (["--auth-token", "t", "--auth-client", "a", "--auth-client", "b"], "--auth-token"),
        (["--seed", "many"], "many"),
        (["--bug", "B3"], "B3"),
        (["--tls-key", "key.pem"], "--tls-cert"),
        (["--tls-client-ca", "ca.pem"], "--tls-cert"),
        (["--tls-min", "1.1"], "1.1"),
        (["--auth-strict=yes"], "usage"),
        (["--rate-limit", "fast"], "fast"),
        (["--retention-interval", "60"], "60"),
        (["--segment-size", "0"], "0"),
        (["--forward-delay", "1"], "duration"),
        (["--keep-log", "all"], "all"),
    ],
)
def test_wrong_usage_is_told_and_nothing_listens(run_mock, arguments, word):
    done = run_mock(*arguments)
    assert (done.returncode, done.stdout) == (64, "")
    assert word in done.stderr and "--help" in done.stderr


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_what_only_informs_writes_to_standard_output(run_mock, option):
    done = run_mock(option)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("lwp-mock")


# Options


def test_max_payload_is_the_largest_that_is_taken(start_mock):
    mock = start_mock("--max-payload", 1024)
    with connected(mock) as sock:
        topic = create_topic(sock, b"t")
        largest = raw_record(bytes(1024 - 5))
        assert ask(sock, ingest(topic, largest)).flags == ACK
        sock.sendall(ingest(topic, raw_record(bytes(1024 - 4)), 2).sealed())
        assert read_frame(sock) is None
    with connected(mock) as sock:
        assert is_alive(sock)


def test_a_claim_of_four_gib_ends_the_connection_at_once(start_mock):
    mock = start_mock()
    with connected(mock) as sock:
        sock.sendall(Frame(0x04, 1).sealed(payload_length=0xFFFFFFFF))
        assert read_frame(sock) is None


def test_ingests_need_the_token(start_mock):
    mock = start_mock("--auth-token", "sesame")
    with connected(mock) as sock:
        topic = create_topic(sock, b"t")
        sock.sendall(ingest(topic, raw_record(b"x")).sealed())
        refused = read_frame(sock)
        assert refused is None or (refused.flags, refused.batch_id) == (0x40, ERROR_RESPONSE)
    with connected(mock) as sock:
        assert ask(sock, control(AUTHENTICATE, b"simsim")).payload[:1] == b"\0"
    with connected(mock) as sock:
        assert ask(sock, control(AUTHENTICATE, b"sesame")).payload[:1] == b"\1"
        answer = ask(sock, ingest(topic, raw_record(b"x"), 5))
        assert (answer.flags, answer.batch_id) == (ACK, 5)


def test_an_ack_waits_as_long_as_it_is_told(start_mock):
    mock = start_mock("--ack-delay", 200)
    with connected(mock) as sock:
        topic = create_topic(sock, b"t")
        begin = time.monotonic()
        assert ask(sock, ingest(topic, raw_record(b"x"))).flags == ACK
        assert time.monotonic() - begin >= 0.2


def test_each_node_has_its_address(start_mock):
    mock = start_mock("--node", "a=127.0.0.1:0", "--node", "b=[::1]:0")
    lines = [mock.first_line, mock.process.stdout.readline().decode()]
    said = [re.fullmatch(r"([ab]) listening on (.+):([0-9]+)\n", line).groups() for line in lines]
    assert [name for name, _, _ in said] == ["a", "b"]
    for _, host, port in said:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=DEADLINE) as sock:
            assert is_alive(sock)  # Served only after the file was written.
    written = "".join(f"{name}={host}:{port}\n" for name, host, port in said)
    assert mock.ready_file.read_text() == written


def test_it_can_end_by_itself(start_mock):
    mock = start_mock("--exit-after", "idle")
    with connected(mock) as sock:
        assert is_alive(sock)
    assert mock.process.wait(DEADLINE) == 0


def test_a_connection_too_many_is_refused(start_mock):
    mock = start_mock("--max-connections", 1, "--refuse-with", "close")
    with connected(mock) as first:
        assert is_alive(first)
        with connected(mock) as second:
            assert second.recv(1) == b""
        assert is_alive(first)


def test_a_connection_with_too_much_memory_is_reset(start_mock):
    mock = start_mock("--max-connection-memory", "64K")
    with connected(mock) as first, connected(mock) as greedy:
        with pytest.raises(ConnectionError):
            greedy.sendall(ingest(1, bytes(1 << 20)).sealed())
            greedy.recv(1)
        assert is_alive(first)


def test_it_takes_commands(start_mock, tmp_path):
    path = tmp_path / "control"
    mock = start_mock("--control", path)
    assert mock.process.stdout.readline().decode() == f"control on {path}\n"
    assert path.stat().st_mode & 0o777 == 0o600
    with socket.socket(socket.AF_UNIX) as control, control.makefile("rw") as lines:
        control.settimeout(DEADLINE)
        control.connect(str(path))

        def command(text: str) -> str:
            lines.write(f"{text}\n")
            lines.flush()
            return lines.readline().rstrip("\n")

        assert command("address") == f"ok {mock.address}"
        with connected(mock) as sock:
            assert is_alive(sock)
            assert command("down") == "ok"
            assert read_frame(sock) is None
        assert command("up") == "ok"
        with connected(mock) as sock:
            assert is_alive(sock)
        assert command("await idle 10s") == "ok"
        assert command("quit") == "ok"
    assert mock.process.wait(DEADLINE) == 0
    assert not path.exists()


def test_each_start_begins_empty(start_mock):
    with connected(start_mock()) as sock:
        create_topic(sock, b"t")
    with connected(start_mock()) as sock:
        assert json.loads(ask(sock, control(LIST_TOPICS)).payload) == {"topics": []}


# Many


def test_200_connections_are_served_at_once(start_mock):
    mock = start_mock()
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(connected(mock)) for _ in range(200)]
        topics = [create_topic(sock, b"t%d" % i) for i, sock in enumerate(socks)]
        assert len(set(topics)) == 200
        for sock, topic in zip(socks, topics, strict=True):
            sock.sendall(ingest(topic, raw_record(b"x"), topic).sealed())
        answers = [read_frame(sock) for sock in reversed(socks)]
        assert [answer.batch_id for answer in answers] == topics[::-1]
        assert {answer.flags for answer in answers} == {ACK}
        assert mock.stop() == 0
