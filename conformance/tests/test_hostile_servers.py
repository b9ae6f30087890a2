# SPDX-License-Identifier: MIT
"""Servers that mean harm: lwp-conform ends by itself, with a verdict, and stays small."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from conftest import KEPT_ALIVE, case_text
from peer import (
    BATCH,
    CONTROL,
    CREATE_TOPIC,
    KEEPALIVE_WIRE,
    Connection,
    Frame,
    polite,
    read_exactly,
    read_head,
)

MOST_GROWN_KIB = 88 * 1024
MOST_CPU_SECONDS = 1.0  # Half of what the shortest wait takes that could be spent on asking.
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


def at_the_first_batch(attack: Callable[[Connection], None]) -> Callable[[Connection], None]:
    """Answers politely; the first batch begins the attack."""

    def serve(connection: Connection) -> None:
        for frame in connection.frames():
            if frame.flags & BATCH:
                attack(connection)
                return
            connection.send(polite(connection, frame))

    return serve


def at_the_head_of_a_batch(attack: Callable[[Connection], None]) -> Callable[[Connection], None]:
    """The same, but of the batch only the header is read, and never its payload."""

    def serve(connection: Connection) -> None:
        while (head := read_head(connection.sock)) is not None:
            frame, size = head
            if frame.flags & BATCH:
                attack(connection)
                return
            payload = read_exactly(connection.sock, size)
            if payload is None:
                return
            connection.send(polite(connection, replace(frame, payload=payload)))

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
    assert outcome.grown_kib < MOST_GROWN_KIB


# In the middle of a case.


def claim_four_gib_behind_a_frame(connection: Connection) -> None:
    connection.send(KEEPALIVE_WIRE + FOUR_GIB)
    with contextlib.suppress(ConnectionError):
        send_garbage(connection)


def claim_16_mib(connection: Connection) -> None:
    """As much as an answer may have; it never comes."""
    connection.send(Frame(0x40, 0x11).sealed(payload_length=16 << 20))
    connection.wait_for_the_end()


def claim_64_mib(connection: Connection) -> None:
    connection.send(Frame(0x40, 0x11).sealed(payload_length=64 << 20))
    connection.wait_for_the_end()


def send_64_mib(connection: Connection) -> None:
    connection.send(Frame(0x40, 0x11, bytes(64 << 20)).sealed())
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
        (claim_16_mib, "timeout"),
        (claim_64_mib, "fail"),
        (send_64_mib, "fail"),
        (drip, "timeout"),
        (flood_with_frames, "fail"),
        (never_answer, "timeout"),
        (lambda connection: connection.send(KEEPALIVE_WIRE[:43]), "fail"),
    ],
)
def test_an_attack_is_the_failure_of_its_case_and_the_next_one_runs(
    conform, fake_server, case_file, attack, verdict
):
    server = fake_server(at_the_first_batch(attack))
    case = ACKED_SOON if verdict == "timeout" else ACKED
    outcome = conform("server", server.address, *case_file(case, KEPT), seconds=10, measured=True)
    assert (outcome.status, outcome.verdicts) == (1, [verdict, "pass"])
    assert outcome.grown_kib < MOST_GROWN_KIB
    for report in outcome.folder.iterdir():
        assert report.stat().st_size < 2 << 20, report


def half_close_and_read_no_more(connection: Connection) -> None:
    connection.sock.shutdown(socket.SHUT_WR)
    connection.wait_for_the_end()


@pytest.mark.parametrize(
    ("attack", "verdict"),
    [(never_answer, "timeout"), (half_close_and_read_no_more, "fail"), (flood_with_frames, "fail")],
)
def test_a_server_that_reads_no_more_is_not_waited_for_without_end(
    conform, fake_server, case_file, attack, verdict
):
    """Nor is it read without end meanwhile."""
    server = fake_server(at_the_head_of_a_batch(attack))
    outcome = conform("server", server.address, *case_file(BIG, KEPT), seconds=15, measured=True)
    assert (outcome.status, outcome.verdicts) == (1, [verdict, "pass"])
    assert outcome.grown_kib < MOST_GROWN_KIB
    assert outcome.cpu_seconds < MOST_CPU_SECONDS


def test_a_server_that_hangs_up_amid_what_it_is_sent_is_told(conform, fake_server, case_file):
    server = fake_server(at_the_head_of_a_batch(lambda connection: None))
    outcome = conform("server", server.address, *case_file(BIG, KEPT), seconds=10)
    assert (outcome.status, outcome.verdicts) == (1, ["fail", "pass"])


def test_a_server_that_hangs_up_amid_a_set_up_is_told(conform, fake_server, case_file):
    """The topic is made, its records are not taken, and then there is the topic to delete."""
    server = fake_server(at_the_first_batch(lambda connection: None))
    case = case_text("own-topic", 'given topic $t records=raw("x")', *KEPT_ALIVE,
                     needs="topics, ingest")
    outcome = conform("server", server.address, *case_file(case, KEPT), seconds=10, measured=True)
    assert (outcome.status, outcome.verdicts) == (3, ["error", "pass"])
    assert "set-up" in outcome.case_named("own-topic")["reason"]


@pytest.mark.parametrize("answered", [0, 1], ids=["nor-is-the-kept-topic", "of-a-case"])
def test_a_set_up_that_is_never_answered_is_an_error(conform, fake_server, case_file, answered):
    """The first topic is the one that is kept for the whole run."""
    created = []

    def serve(connection: Connection) -> None:
        for frame in connection.frames():
            if frame.flags == CONTROL and frame.batch_id == CREATE_TOPIC:
                created.append(frame)
                if len(created) > answered:
                    connection.wait_for_the_end()
                    return
            connection.send(polite(connection, frame))

    server = fake_server(serve)
    case = case_text("own-topic", "given topic $t", *KEPT_ALIVE, needs="topics")
    outcome = conform("server", server.address, *case_file(case, KEPT), seconds=10)
    assert (outcome.status, outcome.verdicts) == (3, ["error", "pass"])
    assert "set-up" in outcome.case_named("own-topic")["reason"]


# Slow is not wrong.


def test_a_server_that_answers_bytewise_passes(conform, fake_server, case_file):
    def serve(connection: Connection) -> None:
        for frame in connection.frames():
            connection.send_slowly(polite(connection, frame), 0.005)

    outcome = conform("server", fake_server(serve).address, *case_file(KEPT))
    assert (outcome.status, outcome.verdicts) == (0, ["pass"])


def test_the_timeout_factor_waits_for_slow_servers(conform, fake_server, case_file):
    def serve(connection: Connection) -> None:
        for frame in connection.frames():
            if frame.flags & BATCH and connection.server.stopping.wait(0.5):
                return
            connection.send(polite(connection, frame))

    server = fake_server(serve)
    arguments = ["server", server.address, *case_file(ACKED_SOON)]
    assert conform(*arguments).verdicts == ["timeout"]
    assert conform(*arguments, "--timeout-factor", 20).verdicts == ["pass"]
