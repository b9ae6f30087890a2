# SPDX-License-Identifier: MIT
"""The package, as it is installed: a mock in this process, and the fixture."""

from __future__ import annotations

import socket
import struct
import subprocess
import zlib

import pytest

from lwpmock import Mock, MockError, MockTimeout
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


def test_the_fixture_is_a_mock_that_listens(lwp_mock):
    with dial(lwp_mock) as sock:
        assert is_alive(sock)


@pytest.mark.lwp_mock(node=["a=127.0.0.1:0"])
def test_the_marker_sets_the_fixture_up(lwp_mock):
    assert lwp_mock.address_of("a") == lwp_mock.address


def test_the_library_shows_its_interface_and_nothing_else():
    said = subprocess.run(["nm", "--dynamic", "--defined-only", "--format=posix", library_path()],
                          check=True, capture_output=True, text=True, timeout=DEADLINE).stdout
    names = [line.split()[0].partition("@")[0] for line in said.splitlines()]
    assert names
    assert [name for name in names if not name.startswith("lwp_mock_")] == []
