# SPDX-License-Identifier: MIT
"""Servers that mean harm: lwp-conform ends by itself, with a verdict, and stays small."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from conftest import KEPT_ALIVE, case_text
from peer import BATCH, HEADER, KEEPALIVE, KEEPALIVE_WIRE, Connection, Frame

MOST_KIB = 100 * 1024
INGEST = 'send ingest topic_id=1 records=raw("x")'
ACKED = case_text("own-acked", INGEST, "expect ack")
ACKED_SOON = case_text("own-acked", INGEST, "expect ack within 200ms")
BIG = case_text("own-big", "send ingest topic_id=1 fill=8M", "expect ack within 100ms")
KEPT = case_text("own-kept", *KEPT_ALIVE)
GARBAGE = bytes(range(256)) * 4096  # 1 MiB.
FOUR_GIB = Frame(0x08, 1).sealed(payload_length=0xFFFFFFFF)


def send_garbage(connection: Connection) -> None:
    for _ in range(64):
        connection.sock.sendall(GARBAGE)


def after_the_first_keepalive(attack: Callable[[Connection], None]) -> Callable[[Connection], None]:
    """Answers keepalives; the first frame that is none begins the attack."""

    def serve(connection: Connection) -> None:
        for frame in connection.frames():
            if frame.flags != KEEPALIVE:
                attack(connection)
                return
            connection.send(KEEPALIVE_WIRE)

    return serve


# From the first byte on: nothing can be run.


def never_answer(connection: Connection) -> None:
    connection.wait_for_the_end()


def answer_too_slowly(connection: Connection) -> None:
    """44 bytes, a byte every 50 ms, take longer than the 2 s of a first exchange."""
    connection.send_slowly(KEEPALIVE_WIRE, 0.05)
    connection.wait_for_the_end()


def claim_four_gib(connection: Connection) -> None:
    connection.send(FOUR_GIB)
    connection.wait_for_the_end()


@pytest.mark.parametrize(
    ("serve", "reason"),
    [
        (never_answer, "deadline"),
        (answer_too_slowly, "deadline"),
        (send_garbage, "magic"),
        (claim_four_gib, "larger than allowed"),
    ],
)
def test_a_server_that_is_no_server_makes_all_cases_errors(
    conform, fake_server, case_file, serve, reason
):
    server = fake_server(serve)
    outcome = conform("server", server.address, *case_file(KEPT, ACKED), seconds=10, measured=True)
    assert (outcome.status, outcome.verdicts) == (3, ["error", "error"])
    assert reason in outcome.case_named("own-kept")["reason"]
    assert len(server.connections) == 1
    assert outcome.peak_kib < MOST_KIB


# In the middle of a case.


def claim_four_gib_behind_a_frame(connection: Connection) -> None:
    connection.send(KEEPALIVE_WIRE + FOUR_GIB)
    with contextlib.suppress(ConnectionError):
        send_garbage(connection)


def claim_64_mib(connection: Connection) -> None:
    connection.send(Frame(0x40, 0x11).sealed(payload_length=64 << 20))
    connection.wait_for_the_end()


def drip(connection: Connection) -> None:
    connection.send_slowly(Frame(0x08, 1).sealed(), 0.05)


def flood_with_frames(connection: Connection) -> None:
    many = KEEPALIVE_WIRE * 1000
    while not connection.server.stopping.is_set():
        connection.sock.sendall(many)


@pytest.mark.parametrize(
    ("attack", "verdict"),
    [
        (send_garbage, "fail"),
        (claim_four_gib, "fail"),
        (claim_four_gib_behind_a_frame, "fail"),
        (claim_64_mib, "timeout"),
        (drip, "timeout"),
        (flood_with_frames, "fail"),
        (never_answer, "timeout"),
        (lambda connection: connection.send(KEEPALIVE_WIRE[:43]), "fail"),
    ],
)
def test_an_attack_is_the_failure_of_its_case_and_the_next_one_runs(
    conform, fake_server, case_file, attack, verdict
):
    server = fake_server(after_the_first_keepalive(attack))
    case = ACKED_SOON if verdict == "timeout" else ACKED
    outcome = conform("server", server.address, *case_file(case, KEPT), seconds=10, measured=True)
    assert (outcome.status, outcome.verdicts) == (1, [verdict, "pass"])
    assert outcome.peak_kib < MOST_KIB
    for report in outcome.folder.iterdir():
        assert report.stat().st_size < 2 << 20, report


def read_the_header_only(connection: Connection) -> None:
    """Then the 8 MiB behind it are never read; keepalives on other connections are answered."""
    while head := connection.sock.recv(HEADER.size):
        if HEADER.unpack(head)[2] & BATCH:
            connection.wait_for_the_end()
            return
        connection.send(KEEPALIVE_WIRE)


def test_a_server_that_reads_no_more_is_not_waited_for_without_end(conform, fake_server, case_file):
    server = fake_server(read_the_header_only)
    outcome = conform("server", server.address, *case_file(BIG, KEPT), seconds=15, measured=True)
    assert (outcome.status, outcome.verdicts) == (1, ["timeout", "pass"])
    assert outcome.peak_kib < MOST_KIB


def test_a_server_that_hangs_up_amid_what_it_is_sent_is_told(conform, fake_server, case_file):
    def hang_up(connection: Connection) -> None:
        while head := connection.sock.recv(HEADER.size):
            if HEADER.unpack(head)[2] & BATCH:
                return
            connection.send(KEEPALIVE_WIRE)

    outcome = conform("server", fake_server(hang_up).address, *case_file(BIG, KEPT), seconds=10)
    assert (outcome.status, outcome.verdicts) == (1, ["fail", "pass"])


def test_a_set_up_that_is_never_answered_is_an_error(conform, fake_server, case_file):
    server = fake_server(after_the_first_keepalive(never_answer))
    case = case_text("own-topic", "given topic $t", *KEPT_ALIVE)
    outcome = conform("server", server.address, *case_file(case, KEPT), seconds=10)
    assert (outcome.status, outcome.verdicts) == (3, ["error", "pass"])
    assert "set-up" in outcome.case_named("own-topic")["reason"]


# Slow is not wrong.


def test_a_server_that_answers_bytewise_passes(conform, fake_server, case_file):
    def serve(connection: Connection) -> None:
        for _ in connection.frames():
            connection.send_slowly(KEEPALIVE_WIRE, 0.005)

    outcome = conform("server", fake_server(serve).address, *case_file(KEPT))
    assert (outcome.status, outcome.verdicts) == (0, ["pass"])


def test_the_time_factor_waits_for_slow_servers(conform, fake_server, case_file):
    def serve(connection: Connection) -> None:
        for frame in connection.frames():
            if frame.flags & BATCH and connection.server.stopping.wait(0.5):
                return
            connection.send(Frame(0x08, 1).sealed() if frame.flags & BATCH else KEEPALIVE_WIRE)

    server = fake_server(serve)
    arguments = ["server", server.address, *case_file(ACKED_SOON)]
    assert conform(*arguments).verdicts == ["timeout"]
    assert conform(*arguments, "--time-factor", 20).verdicts == ["pass"]
