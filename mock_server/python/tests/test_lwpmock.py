# SPDX-License-Identifier: MIT
"""The package, as it is installed: a mock in this process, and the fixture."""

from __future__ import annotations

import socket
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from lwpmock import Mock, MockError, MockTimeout, ScriptError
from lwpmock.library import library_path

DEADLINE = 20.0
KEEPALIVE = 0x20


def keepalive() -> bytes:
    begin = struct.pack("<4sBBH", b"LANC", 1, KEEPALIVE, 0)
    return begin + struct.pack("<I", zlib.crc32(begin)) + bytes(32)


def dial(mock: Mock, node: str | None = None) -> socket.socket:
    host, _, port = mock.address_of(node).rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=DEADLINE)


def is_alive(sock: socket.socket) -> bool:
    sock.sendall(keepalive())
    answer = b""
    while len(answer) < 44:
        part = sock.recv(44 - len(answer))
        if not part:
            return False
        answer += part
    return answer[5] == KEEPALIVE


def test_a_mock_answers_while_it_is_open():
    with Mock() as mock, dial(mock) as sock:
        assert is_alive(sock)
        assert (mock.connection_count, mock.counts.accepted) == (1, 1)
        assert mock.address == f"{mock.host}:{mock.port}"
        mock.stop()
        assert sock.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            dial(mock)


def test_a_mock_that_is_closed_can_not_be_used():
    mock = Mock()
    mock.close()
    mock.close()
    with pytest.raises(ValueError, match="closed"):
        mock.start()


def test_options_are_those_of_the_program():
    with Mock(dialect="lance", node=["a=127.0.0.1:0", "b=[::1]:0"], max_connections=1) as mock:
        with dial(mock, "b") as sock:
            assert is_alive(sock)
            with pytest.raises(ConnectionResetError), dial(mock, "a") as refused:
                refused.recv(1)
            assert mock.counts.refused == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dialect": "klingon"}, "no such dialect"),
        ({"strange": 1}, "no such option"),
        ({"max_connections": 0}, "max-connections"),
        ({"control": "0.0.0.0:0"}, "loopback"),
        ({"log": "/nowhere/log"}, "/nowhere/log: No such file"),
        ({"tls_cert": Path("/nowhere/server.pem")}, "/nowhere/server.pem"),
    ],
)
def test_wrong_options_are_told(options, said):
    with pytest.raises(ValueError, match=said):
        Mock(**options)


def test_a_port_that_is_taken_is_told():
    with Mock() as first:
        second = Mock(listen=first.address)
        with pytest.raises(MockError, match=f"{first.port}: Address already in use"):
            second.start()


def test_waiting_ends_with_the_event_or_the_time():
    with Mock() as mock:
        with pytest.raises(MockTimeout):
            mock.wait("connections 1", timeout=0.001)
        with dial(mock) as sock:
            assert is_alive(sock)
            mock.wait("connections 1")
        mock.wait("idle")
        with pytest.raises(MockError, match="spring"):
            mock.wait("spring")


def test_a_node_goes_down_and_comes_back_on_its_port():
    with Mock() as mock:
        before = mock.address
        with dial(mock) as sock:
            assert is_alive(sock)
            mock.down()
            with pytest.raises(ConnectionResetError):
                sock.recv(1)
        with pytest.raises(ConnectionRefusedError):
            dial(mock)
        mock.up()
        assert mock.address == before
        with dial(mock) as sock:
            assert is_alive(sock)
        with pytest.raises(MockError):
            mock.down("nobody")


def test_the_clock_and_the_labels_can_be_set():
    with Mock() as mock:
        mock.freeze()
        mock.advance(30)
        mock.thaw()
        mock.tag("first")
        mock.tag("mine", "port 5")
        with pytest.raises(MockError):
            mock.tag("late", 7)
        with pytest.raises(MockError):
            mock.tag("12")


def test_options_without_a_value_are_true_or_not_given():
    with Mock(auth_token="t", auth_strict=True) as mock, pytest.raises(ScriptError, match="open"):
        mock.script("needs open")
    with Mock(auth_strict=False) as mock:
        mock.script("needs open")


def test_a_script_makes_the_mock_misbehave():
    with Mock() as mock, dial(mock) as sock:
        mock.script("on keepalive nth 2 -> close fin as bye")
        assert is_alive(sock)
        assert not mock.verdict()
        assert mock.verdict().failures == [
            "script:1:1: the rule bye never fired (it matched 1 times)"]
        assert not is_alive(sock)
        mock.wait("bye")
        assert mock.verdict()
        assert mock.list() == ["bye script:1 armed matched 2 fired 1"]
        mock.reset()
        assert mock.list() == []


def test_all_that_is_wrong_with_a_script_is_told(tmp_path):
    bad = "on ingset -> ack\non ingest -> dance\n"
    with Mock() as mock:
        with pytest.raises(ScriptError, match="script:1:4: found") as caught:
            mock.script(bad)
        assert [line.split(" ")[0] for line in caught.value.problems] == [
            "script:1:4:", "script:2:14:"]
        path = tmp_path / "bad.lwps"
        path.write_text(bad)
        with pytest.raises(ScriptError, match="bad.lwps:1:4"):
            mock.script_file(path)
        with pytest.raises(ScriptError, match="No such file"):
            mock.script_file(tmp_path / "none")
        path.write_text("scenario a\nscenario b\non keepalive -> keepalive as rule\n")
        with pytest.raises(ScriptError, match="several"):
            mock.script_file(path)
        mock.script_file(path, "b")
        mock.script(path.read_text(), scenario="a")
        assert len(mock.list()) == 1


def test_rules_are_armed_and_disarmed():
    with Mock() as mock, dial(mock) as sock:
        mock.script("on keepalive -> close rst as harm optional")
        mock.disarm("harm")
        assert is_alive(sock)
        mock.arm("harm")
        with pytest.raises(ConnectionResetError):
            is_alive(sock)
        with pytest.raises(MockError):
            mock.arm("nobody")


def test_the_log_has_what_happened():
    with Mock() as mock, dial(mock) as sock:
        mock.script('on keepalive -> log "line\u2028one", keepalive as seen')
        assert is_alive(sock)
        mock.wait("seen")
        events = [event["event"] for event in mock.log]
        assert events[:2] == ["begin", "connected"]
        frames = [(e["direction"], e["kind"]) for e in mock.log if e["event"] == "frame"]
        assert frames == [("in", "keepalive"), ("out", "keepalive")]
        assert [e["text"] for e in mock.log if e["event"] == "note"] == ["line\u2028one"]
        assert mock.log_error == ""
    with Mock(keep_log=0) as mock:
        assert mock.log == []
    with Mock(log="/dev/full") as mock, dial(mock) as sock:
        assert is_alive(sock)
        assert "/dev/full" in mock.log_error


def test_nodes_of_a_script_make_a_cluster():
    with Mock() as mock:
        assert mock.nodes == [""]
        with pytest.raises(MockError):
            mock.leader("*", "A")
        mock.script("node A leader of orders\nnode B\ntopic orders id=1")
        assert mock.nodes == ["A", "B"]
        with dial(mock, "A") as a, dial(mock, "B") as b:
            assert is_alive(a) and is_alive(b)
            mock.down("B")
            with pytest.raises(ConnectionResetError):
                b.recv(1)
            assert is_alive(a)
        mock.up("B")
        mock.leader("orders", "B")
        mock.leader("orders", None)
        mock.lag("B", 100)
        mock.stale(3)
        mock.stale(3, "B")
        mock.ready("B", False)
        for call in (lambda: mock.leader("*", "C"), lambda: mock.lag("C", 1),
                     lambda: mock.stale(1, "C"), lambda: mock.ready("C")):
            with pytest.raises(MockError):
                call()
        assert "cluster" in [event["event"] for event in mock.log]


def test_a_restart_resets_connections():
    with Mock() as mock, dial(mock) as sock:
        assert is_alive(sock)
        mock.restart()
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
        with dial(mock) as again:
            assert is_alive(again)


def test_the_fixture_is_a_mock_that_listens(lwp_mock):
    with dial(lwp_mock) as sock:
        assert is_alive(sock)


@pytest.mark.lwp_mock(node=["a=127.0.0.1:0"])
def test_the_marker_sets_the_fixture_up(lwp_mock):
    assert lwp_mock.address_of("a") == lwp_mock.address


def test_what_a_script_missed_fails_the_test(pytester):
    pytester.makepyfile("""
        import pytest

        def test_that_misses(lwp_mock):
            lwp_mock.script("on ingest -> ack\\nnever keepalive", name="mine")

        def test_that_does_not_care(lwp_mock):
            lwp_mock.script("on ingest -> ack optional")

        def test_that_resets(lwp_mock):
            lwp_mock.script("on ingest -> ack")
            lwp_mock.reset()

        @pytest.mark.lwp_mock(dialect="klingon")
        def test_with_wrong_options(lwp_mock):
            pass
    """)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=3, errors=2)
    text = result.stdout.str()
    assert "the scripts of lwp_mock expected otherwise:\n" in text
    assert "\n  mine:1:1: the rule mine:1 never fired (it matched 0 times)\n" in text
    assert "no such dialect" in text


def test_the_library_shows_its_interface_and_nothing_else():
    said = subprocess.run(["nm", "--dynamic", "--defined-only", "--format=posix", library_path()],
                          check=True, capture_output=True, text=True, timeout=DEADLINE).stdout
    names = [line.split()[0].partition("@")[0] for line in said.splitlines()]
    assert names
    assert [name for name in names if not name.startswith("lwp_mock_")] == []
