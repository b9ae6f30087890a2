# SPDX-License-Identifier: MIT
"""lwp-mock with scripts, logs and the options of a real deployment: what it says, does and ends with."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import struct
import subprocess
import time
from pathlib import Path

import pytest

from peer import (
    ACK,
    AUTHENTICATE,
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
from test_mock_program import ask, connected, create_topic, is_alive, run_mock  # noqa: F401

BACKPRESSURE, FETCH = 0x10, 0x10


@pytest.fixture
def script(tmp_path: Path):
    """Writes a script to a file."""
    count = 0

    def write(text: str) -> Path:
        nonlocal count
        count += 1
        path = tmp_path / f"script-{count}.lwps"
        path.write_text(text)
        return path

    return write


# Scripts


def test_a_script_decides_what_is_answered(start_mock, script):
    path = script("topic orders id=1\non ingest nth 2 -> backpressure\nexpect ingest = 3\n")
    mock = start_mock("--script", path, "--exit-after", "idle")
    with connected(mock) as sock:
        answers = [ask(sock, ingest(1, raw_record(b"x"), i)).flags for i in (1, 2, 3)]
        assert answers == [ACK, BACKPRESSURE, ACK]
    assert mock.process.wait(DEADLINE) == 0
    assert mock.last_words() == ["seed 1", "verdict: passed"]


def test_what_did_not_happen_is_told_at_the_end(start_mock, script):
    path = script("on ingest -> ack\nnever keepalive\nexpect fetch optional\n")
    mock = start_mock("--script", path, "--seed", 7)
    mock.ends_with = 1
    with connected(mock) as sock:
        assert is_alive(sock)
        assert mock.stop() == 1
    assert mock.last_words() == [
        "seed 7",
        "verdict: failed",
        f"{path}:1:1: the rule {path}:1 never fired (it matched 0 times)",
        f"{path}:2:1: expected none of these, saw 1",
    ]


def test_the_end_of_the_program_is_not_judged(start_mock, script):
    mock = start_mock("--script", script("on keepalive -> keepalive\nnever close\n"))
    with connected(mock) as sock:
        assert is_alive(sock)
        assert mock.stop() == 0
    assert mock.last_words()[-1] == "verdict: passed"


def test_all_that_is_wrong_with_all_scripts_is_told_and_nothing_listens(run_mock, script):
    first, second = script("on ingset -> ack\non ingest -> dance\n"), script("needs tls\n")
    good, missing = script("on ingest -> ack\n"), Path("/nowhere/at-all.lwps")
    words = [word for path in (first, good, missing, second) for word in ("--script", path)]
    done = run_mock(*words)
    assert (done.returncode, done.stdout) == (64, "")
    places = [line.partition(": ")[0] for line in done.stderr.splitlines()]
    assert places == [f"{first}:1:4", f"{first}:2:14", str(missing), f"{second}:1:1"]


def test_a_script_that_can_not_be_read_is_told(run_mock):
    done = run_mock("--script", "/nowhere/at-all.lwps")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "/nowhere/at-all.lwps: No such file or directory\n"


def test_each_script_may_name_its_scenario(start_mock, run_mock, script):
    two = script("scenario a\non keepalive -> keepalive\nscenario b\non fetch -> ack optional\n")
    other = script("on ingest -> ack optional\n")
    assert "several scenarios" in run_mock("--script", two).stderr
    mock = start_mock("--script", two, "--scenario", "b", "--script", other)
    assert mock.stop() == 0
    assert mock.last_words() == ["seed 1", "verdict: passed"]


@pytest.mark.parametrize(
    ("action", "status", "verdict"),
    [("pass", 0, ["verdict: passed"]), ('fail "no"', 1, ["verdict: failed", "{}: fail: no"])],
)
def test_a_script_can_decide_the_end(start_mock, script, action, status, verdict):
    path = script(f"on keepalive -> keepalive, {action}\n")
    mock = start_mock("--script", path, "--exit-after", "decided")
    mock.ends_with = status
    with connected(mock) as sock:
        sock.sendall(KEEPALIVE_WIRE)
        assert mock.process.wait(DEADLINE) == status
    assert mock.last_words()[1:] == [line.format(path) for line in verdict]


def test_a_rule_can_be_the_end(start_mock, run_mock, script):
    path = script("on keepalive nth 2 -> keepalive as second\n")
    assert run_mock("--script", path, "--exit-after", "third").returncode == 64
    mock = start_mock("--script", path, "--exit-after", "second")
    with connected(mock) as sock:
        assert is_alive(sock)
        sock.sendall(KEEPALIVE_WIRE)
        assert mock.process.wait(DEADLINE) == 0


def test_nodes_of_a_script_listen(start_mock, script):
    path = script("node A leader of orders\nnode B\ntopic orders id=1\n")
    mock = start_mock("--script", path)
    lines = [mock.first_line, mock.process.stdout.readline().decode()]
    assert [line.split()[0] for line in lines] == ["A", "B"]
    for line in lines:
        host, _, port = line.split()[-1].rpartition(":")
        with socket.create_connection((host, int(port)), timeout=DEADLINE) as sock:
            assert is_alive(sock)
    assert [line.split("=")[0] for line in mock.ready_file.read_text().splitlines()] == ["A", "B"]


# What happened


def test_the_log_has_every_frame_and_the_verdict(start_mock, script, tmp_path):
    log, capture = tmp_path / "log", tmp_path / "capture"
    path = script("on keepalive -> keepalive as answered\n")
    mock = start_mock("--script", path, "--log", log, "--pcap", capture, "--exit-after", "idle")
    with connected(mock) as sock:
        assert is_alive(sock)
    assert mock.process.wait(DEADLINE) == 0
    events = [json.loads(line) for line in log.read_text().splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds[:2] == ["begin", "connected"] and kinds[-1] == "verdict"
    frames = [(e["direction"], e["kind"]) for e in events if e["event"] == "frame"]
    assert frames == [("in", "keepalive"), ("out", "keepalive")]
    assert events[-1]["passed"] is True
    assert capture.read_bytes()[:4] == bytes.fromhex("0a0d0d0a")


@pytest.mark.parametrize("option", ["--log", "--pcap"])
def test_what_could_not_be_written_is_told_at_the_end(start_mock, option):
    mock = start_mock(option, "/dev/full")
    mock.ends_with = 3
    with connected(mock) as sock:
        assert is_alive(sock)
    assert mock.stop() == 3
    assert mock.stderr_file.read_text() == "lwp-mock: /dev/full: No space left on device\n"


@pytest.mark.parametrize("option", ["--log", "--pcap"])
def test_a_file_that_can_not_be_made_is_told_at_once(run_mock, option):
    done = run_mock(option, "/nowhere/file")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "lwp-mock: /nowhere/file: No such file or directory\n"


class Commands:
    """The control socket."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("rw")

    def __enter__(self) -> "Commands":
        return self

    def __exit__(self, *_: object) -> None:
        self.lines.close()
        self.socket.close()

    def ask(self, command: str) -> str:
        self.lines.write(f"{command}\n")
        self.lines.flush()
        return self.lines.readline().rstrip("\n")

    def block(self, command: str) -> list[str]:
        word, count = self.ask(command).split()
        assert word == "ok"
        return [self.lines.readline().rstrip("\n") for _ in range(int(count))]


def test_scripts_can_be_changed_while_it_runs(start_mock, script, tmp_path):
    path = tmp_path / "control"
    mock = start_mock("--control", path)
    once = script("on keepalive times 1 -> keepalive, keepalive as twice\n")
    with Commands(path) as commands, connected(mock) as sock:
        assert commands.ask(f"load-file {once}") == "ok"
        sock.sendall(KEEPALIVE_WIRE)
        assert [read_frame(sock).flags for _ in range(2)] == [KEEPALIVE] * 2
        assert commands.ask("await twice") == "ok"
        assert commands.block("list") == [f"twice {once}:1 armed matched 1 fired 1"]
        events = [json.loads(line) for line in commands.block("dump log")]
        (rule,) = [event for event in events if event["event"] == "rule"]
        assert rule["rule"] == "twice"
        assert commands.block(f"dump log since {events[-1]['number']}") == []
        assert commands.block("verdict") == ["passed"]
        assert commands.ask("restart") == "ok"
        assert read_frame(sock) is None
    assert mock.stop() == 0
    assert mock.last_words() == [f"control on {path}", "verdict: passed"]


def test_a_verdict_is_gone_with_its_script(start_mock, tmp_path):
    path = tmp_path / "control"
    mock = start_mock("--control", path)
    with Commands(path) as commands:
        assert commands.ask('load a "on ingest -> ack"') == "ok"
        assert commands.block("verdict")[0] == "failed"
        assert commands.ask("reset") == "ok"
    assert mock.stop() == 0
    assert mock.last_words() == [f"control on {path}"]


# The rest of the real server


def test_a_strict_server_asks_everybody_for_a_token(start_mock, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("from-file bob\n")
    options = ["--auth-strict", "--auth-token", "one", "--auth-token", "two words"]
    mock = start_mock(*options, "--auth-file", tokens, "--auth-failures", 2)
    for token, good in [(b"one", 1), (b"two words", 1), (b"from-file", 1), (b"two", 0)]:
        with connected(mock) as sock:
            refused = ask(sock, control(LIST_TOPICS))
            assert refused.batch_id == ERROR_RESPONSE
            assert ask(sock, control(AUTHENTICATE, token)).payload[0] == good
            assert (ask(sock, control(LIST_TOPICS)).batch_id == ERROR_RESPONSE) == (not good)
    with connected(mock) as sock:
        sock.sendall(control(AUTHENTICATE, b"a").sealed() + control(AUTHENTICATE, b"b").sealed())
        assert [frame and frame.payload[0] for frame in (read_frame(sock) for _ in range(3))] == [
            0, 0, None]


def test_a_server_that_asks_nobody_warns(start_mock, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("")
    mock = start_mock("--auth-file", tokens)
    with connected(mock) as sock:
        assert ask(sock, ingest(0, raw_record(b"x"))).flags == ACK
    assert "nobody is asked" in mock.stderr_file.read_text()


def test_access_lists_are_read(start_mock, run_mock, tmp_path):
    access = tmp_path / "access"
    access.write_text("alice orders rw\n* orders r\n")
    mock = start_mock("--access", access, "--auth-token", "a", "--auth-client", "alice",
                      "--auth-token", "b", "--auth-client", "bob")
    for token, flags in [(b"a", ACK), (b"b", 0x40)]:
        with connected(mock) as sock:
            assert ask(sock, control(AUTHENTICATE, token)).payload[0] == 1
            if token == b"a":
                topic = create_topic(sock, b"orders")
            assert ask(sock, ingest(topic, raw_record(b"x"))).flags == flags
    access.write_text("alice orders rw\nalice\n")
    done = run_mock("--access", access)
    assert (done.returncode, done.stdout) == (64, "")
    assert f"{access}: line 2" in done.stderr


def fetch(topic: int, offset: int, most: int) -> Frame:
    return control(FETCH, struct.pack("<IQI", topic, offset, most))


def test_fetches_are_limited(start_mock):
    mock = start_mock("--rate-limit", 1)
    with connected(mock) as sock:
        topic = create_topic(sock, b"t")
        answers = [ask(sock, fetch(topic, 0, 1 << 20)) for _ in range(2)]
        assert answers[0].batch_id != ERROR_RESPONSE
        assert answers[1].payload == b"Rate limit exceeded"


def test_retention_deletes_segments(start_mock, tmp_path):
    path = tmp_path / "control"
    mock = start_mock("--segment-size", 64, "--retention-interval", "1s", "--control", path)
    with connected(mock) as sock, Commands(path) as commands:
        topic = create_topic(sock, b"t")
        for i in range(4):
            assert ask(sock, ingest(topic, raw_record(bytes(60)), i)).flags == ACK
        ask(sock, control(0x05, struct.pack("<IQQ", topic, 0, 100)))
        assert commands.ask("advance 2s") == "ok"
        assert b"out of range" in ask(sock, fetch(topic, 0, 1000)).payload


def test_a_bug_of_the_real_server_can_be_had(start_mock):
    """B14: an ack that is lost stays in flight, and the end takes 25 s, or another signal."""
    mock = start_mock("--bug", "B14", "--bug", "reuses-ids")
    with connected(mock) as sock:
        topic = create_topic(sock, b"t")
        sock.sendall(ingest(topic, raw_record(b"x")).sealed() + bytes(44))
        assert read_frame(sock) is None
    mock.process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        mock.process.wait(0.3)
    begin = time.monotonic()
    assert mock.stop() == 0
    assert time.monotonic() - begin < 20


# TLS


@pytest.fixture(scope="session")
def certificates(mock_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certs") / "made"
    done = subprocess.run([str(mock_program), "make-certs", str(folder)], check=True,
                          capture_output=True, text=True, timeout=DEADLINE)
    assert done.stdout == f"certificates are in {folder}\n"
    return folder


def secured(mock, folder: Path, client: str | None = None) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    if client:
        context.load_cert_chain(folder / f"{client}.pem", folder / f"{client}.key")
    plain = socket.create_connection(mock.host_and_port, timeout=DEADLINE)
    return context.wrap_socket(plain, server_hostname="localhost")


def test_it_speaks_tls(start_mock, certificates):
    mock = start_mock("--tls-cert", certificates / "server.pem", "--tls-key",
                      certificates / "server.key", "--tls-min", "1.3")
    with secured(mock, certificates) as sock:
        assert sock.version() == "TLSv1.3"
        assert is_alive(sock)


def test_clients_may_need_a_certificate(start_mock, certificates, tmp_path):
    access = tmp_path / "access"
    access.write_text("client * rw\n")
    mock = start_mock("--tls-cert", certificates / "server.pem", "--tls-key",
                      certificates / "server.key", "--tls-client-ca", certificates / "ca.pem",
                      "--access", access)
    with secured(mock, certificates, "client") as sock:
        assert ask(sock, ingest(create_topic(sock, b"t"), raw_record(b"x"))).flags == ACK
    with pytest.raises(OSError), secured(mock, certificates) as sock:
        sock.sendall(KEEPALIVE_WIRE)
        sock.recv(1)


def test_a_certificate_that_is_none_is_told(run_mock, certificates):
    done = run_mock("--tls-cert", certificates / "server.key")
    assert (done.returncode, done.stdout) == (64, "")
    assert "server.key" in done.stderr
    done = run_mock("--tls-cert", "/nowhere/server.pem")
    assert (done.returncode, done.stdout) == (3, "")
    assert "/nowhere/server.pem" in done.stderr


# Other commands


def test_lint_tells_what_is_wrong(run_mock, script):
    good, bad = script("on ingest -> ack\n"), script("on ingest -> dance\n")
    assert run_mock("lint", good).returncode == 0
    done = run_mock("lint", good, bad)
    assert done.returncode == 64
    assert done.stdout.startswith(f"{bad}:1:14: found dance, expected ")


def test_make_certs_does_not_replace_files(run_mock, certificates):
    done = run_mock("make-certs", certificates)
    assert done.returncode == 3
    assert str(certificates) in done.stderr
