# SPDX-License-Identifier: MIT
"""How cases are run: cut, shuffled, repeated, again after a failure, side by side, a part of them, not
at all. What a verdict may not hang on fails when it does."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import KEPT_ALIVE, NOT_ACKED, case_text
from peer import BATCH, CONTROL, DEADLINE, Connection, Frame, answering, polite, read_frame

INGEST = 'send ingest topic_id=1 records=raw("hello")'
ACKED = case_text("own-acked", INGEST, "expect ack")
KEPT = [case_text(f"own-{i}", *KEPT_ALIVE) for i in range(1, 7)]
AXES = ("none", "1", "43,1", "44,*", "rand:1", "coalesce")


class Moody:
    """Answers politely, but to the batches whose number, from 1, is in `silent`."""

    def __init__(self, *silent: int) -> None:
        self.silent = silent
        self.batches = 0

    def __call__(self, _: Connection, frame: Frame) -> bytes | None:
        if not frame.flags & BATCH:
            return None
        self.batches += 1
        return b"" if self.batches in self.silent else None


ACKED_SOON = case_text("own-acked", INGEST, "expect ack within 100ms")


# Again after a failure.


@pytest.mark.parametrize("silent", [(1,), (1, 2)])
def test_a_failure_that_does_not_stay_is_a_flake_and_never_a_pass(
    conform, fake_server, case_file, silent
):
    outcome = conform("server", fake_server(answering(Moody(*silent))).address,
                      *case_file(ACKED_SOON))
    assert (outcome.status, outcome.verdicts) == (1, ["flaky-detected"])
    assert "timeout" in outcome.case["reason"] and "again: pass" in outcome.case["reason"]
    assert outcome.case["transcript"]


def test_a_failure_that_stays_is_run_twice_again(conform, fake_server, case_file):
    moody = Moody(*range(1, 100))
    outcome = conform("server", fake_server(answering(moody)).address, *case_file(ACKED_SOON))
    assert (outcome.verdicts, moody.batches) == (["timeout"], 3)


def test_what_passes_is_not_run_again(conform, fake_server, case_file):
    moody = Moody()
    conform("server", fake_server(answering(moody)).address, *case_file(ACKED_SOON))
    assert moody.batches == 1


def test_without_reruns_a_failure_is_a_failure(conform, fake_server, case_file):
    outcome = conform("server", fake_server(answering(Moody(1))).address, *case_file(ACKED_SOON),
                      "--reruns", 0)
    assert (outcome.status, outcome.verdicts) == (1, ["timeout"])


def test_a_set_up_that_fails_once_is_a_flake_too(conform, fake_server, case_file):
    created = []

    def refuse_the_second(_: Connection, frame: Frame) -> bytes | None:
        if frame.flags == CONTROL and frame.batch_id == 1:
            created.append(frame)  # The first is the topic that is kept.
            return Frame(CONTROL, 0xFF, b"no").sealed() if len(created) == 2 else None
        return None

    case = case_text("own-topic", "given topic $t", *KEPT_ALIVE, needs="topics")
    outcome = conform("server", fake_server(answering(refuse_the_second)).address,
                      *case_file(case))
    assert (outcome.status, outcome.verdicts) == (1, ["flaky-detected"])


def test_where_everything_fails_not_everything_is_run_again(conform, fake_server, case_file):
    """A server that answers nothing but the sanity exchange is done with before long."""
    moody = Moody(*range(1, 1000))
    cases = [case_text(f"own-{i}", INGEST, "expect ack within 20ms") for i in range(40)]
    outcome = conform("server", fake_server(answering(moody)).address, *case_file(*cases))
    assert outcome.verdicts == ["timeout"] * 40
    assert moody.batches == 16 * 3 + 24


# Repeated.


def test_each_case_is_run_as_often_as_is_asked(conform, fake_server, case_file):
    moody = Moody()
    outcome = conform("server", fake_server(answering(moody)).address, *case_file(ACKED),
                      "--repeat", 7)
    assert (outcome.status, outcome.verdicts, moody.batches) == (0, ["pass"], 7)


def test_one_failure_among_repeats_is_a_flake(conform, fake_server, case_file):
    outcome = conform("server", fake_server(answering(Moody(5))).address, *case_file(ACKED_SOON),
                      "--repeat", 7)
    assert (outcome.status, outcome.verdicts) == (1, ["flaky-detected"])
    assert outcome.case["reason"].startswith("first: pass; again: timeout")


@pytest.mark.parametrize(("kind", "status", "verdict"),
                         [("flaky", 0, "xfail"), ("xfail", 1, "flaky-detected")])
def test_only_a_line_that_says_flaky_expects_a_flake(
    conform, fake_server, case_file, expect_file, kind, status, verdict
):
    outcome = conform("server", fake_server(answering(Moody(5))).address, *case_file(ACKED_SOON),
                      *expect_file(f"{kind} LWP-2.3/own-acked it is moody\n"), "--repeat", 7)
    assert (outcome.status, outcome.verdicts) == (status, [verdict])


# Cut, and joined.


def test_every_case_is_judged_alike_however_it_is_cut(conform):
    outcome = conform("selftest", "--axes", "--dialect", "spec", seconds=120)
    assert outcome.status == 0, outcome.text
    assert set(outcome.verdicts) == {"pass"}


def server_that_wants_whole_frames(connection: Connection) -> None:
    """Takes a frame that does not come in one read for the end of the connection."""
    while wire := connection.sock.recv(65536):
        if len(wire) < 44:
            return
        connection.send(wire)


def test_a_server_that_wants_whole_headers_hangs_on_how_they_are_cut(
    conform, fake_server, case_file
):
    arguments = ["server", fake_server(server_that_wants_whole_frames).address, *case_file(KEPT[0])]
    assert conform(*arguments).verdicts == ["pass"]
    outcome = conform(*arguments, "--chop", "none", "--chop", "1")
    assert (outcome.status, outcome.verdicts) == (1, ["axis-dependent"])
    assert outcome.case["reason"].startswith("none: pass; 1: ")
    assert "--chop none --chop 1" in outcome.case["repeat"]


def server_that_answers_the_first_of_each_read(connection: Connection) -> None:
    while wire := connection.sock.recv(65536):
        connection.send(wire[:44])


def test_a_server_that_reads_one_frame_of_many_hangs_on_joining_them(
    conform, fake_server, case_file
):
    """The second is sent only once the first is answered, if nothing is joined."""
    case = case_text("own-two", "send keepalive", "send keepalive", "expect keepalive",
                     "expect keepalive within 100ms")
    server = fake_server(server_that_answers_the_first_of_each_read)
    outcome = conform("server", server.address, *case_file(case), "--coalesce")
    assert (outcome.status, outcome.verdicts) == (1, ["timeout"])


@pytest.mark.parametrize("mode", AXES)
def test_all_bytes_arrive_in_their_order_however_they_are_cut(
    conform, fake_server, case_file, mode
):
    server = fake_server(answering(Moody()))
    case = case_text("own-two", INGEST, "send ingest topic_id=2 fill=3000", "expect ack",
                     "expect ack", "send keepalive", "expect keepalive")
    outcome = conform("server", server.address, *case_file(case), "--chop", mode, "--seed", 1)
    assert (outcome.status, outcome.verdicts) == (0, ["pass"])
    whole = conform("server", server.address, *case_file(case), "--seed", 1)
    assert whole.status == 0
    received = sorted(map(len, server.received()))
    longest = [wire for wire in server.received() if len(wire) == received[-1]]
    assert len(longest) == 2 and longest[0] == longest[1]


def test_a_case_about_one_write_is_not_cut(conform, fake_server, case_file):
    server = fake_server(server_that_wants_whole_frames)
    case = case_text("own-one", *KEPT_ALIVE, needs="one-write")
    outcome = conform("server", server.address, *case_file(case), "--axes")
    assert (outcome.status, outcome.verdicts) == (0, ["pass"])


# Shuffled.


def test_a_verdict_that_hangs_on_the_order_fails(conform, fake_server, case_file):
    """The server acknowledges nothing any more once it has seen topic 2."""
    seen = []

    def answer(_: Connection, frame: Frame) -> bytes | None:
        if frame.topic_id == 2 and frame.flags & BATCH:
            seen.append(frame)
        return b"" if frame.topic_id == 1 and seen and frame.flags & BATCH else None

    cases = [ACKED_SOON, case_text("own-poison", INGEST.replace("=1", "=2"), "expect ack")]
    server = fake_server(answering(answer))
    assert conform("server", server.address, *case_file(*cases)).verdicts == ["pass", "pass"]
    seen.clear()
    outcome = conform("server", server.address, *case_file(*cases), "--shuffle", 1)
    assert outcome.status == 1
    assert outcome.case_named("own-acked")["verdict"] == "axis-dependent"
    assert "shuffled: timeout" in outcome.case_named("own-acked")["reason"]
    assert outcome.case_named("own-poison")["verdict"] == "pass"


@pytest.fixture
def recording_server(fake_server):
    topics: list[int] = []

    def answer(_: Connection, frame: Frame) -> bytes | None:
        if frame.flags & BATCH:
            topics.append(frame.topic_id)
        return None

    server = fake_server(answering(answer))
    server.topics = topics
    return server


NUMBERED = [case_text(f"own-{i:02}", INGEST.replace("=1", f"={i}"), "expect ack")
            for i in range(1, 13)]


def test_a_seed_gives_one_order_and_another_seed_another(conform, recording_server, case_file):
    orders = []
    for seed in (1, 1, 2):
        recording_server.topics.clear()
        outcome = conform("server", recording_server.address, *case_file(*NUMBERED), "--shuffle",
                          seed)
        assert (outcome.status, outcome.verdicts) == (0, ["pass"] * 12)
        orders.append(list(recording_server.topics))
    numbers = list(range(1, 13))
    assert all(order[:12] == numbers for order in orders), "first in the order of the file"
    first, again, other = (order[12:] for order in orders)
    assert sorted(first) == sorted(other) == numbers
    assert first == again and first != other and first != numbers


# A part of them, none of them.


def test_shards_are_all_cases_and_each_once(conform, recording_server, case_file):
    for index in (1, 2, 3):
        conform("server", recording_server.address, *case_file(*NUMBERED[:11]), "--shard",
                f"{index}/3")
    assert sorted(recording_server.topics) == list(range(1, 12))
    assert recording_server.topics[:4] == [1, 4, 7, 10]


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1", "1/0", "/", "1/2/3", "a/b", "-1/3", ""])
def test_what_is_no_shard_is_wrong_usage(conform, shard):
    outcome = conform("selftest", "--shard", shard, reports=False)
    assert (outcome.status, outcome.stdout) == (64, "")
    assert "I/N" in outcome.stderr


def test_a_read_only_run_changes_nothing(conform, mock, fake_server):
    """Neither by cases nor by the topic that is kept."""
    changing = []

    def answer(_: Connection, frame: Frame) -> bytes | None:
        changes = (frame.flags == BATCH and frame.payload) or (
            frame.flags == CONTROL and frame.batch_id in (0x01, 0x02, 0x05, 0x06, 0x22))
        if changes:
            changing.append(frame)
        return None

    outcome = conform("server", fake_server(answering(answer)).address, "--read-only", "--reruns",
                      0, "--timeout-factor", 1, "--filter", "LWP-[1-4]*", seconds=60)
    assert not changing and "skip" in outcome.verdicts
    sound = conform("server", mock, "--read-only")
    assert sound.status == 0, sound.text
    assert "pass" in sound.verdicts
    skipped = [case for case in sound.cases if case["verdict"] == "skip"]
    assert any("read-only" in case["reason"] for case in skipped)


# Side by side.


def test_side_by_side_all_are_judged_as_one_by_one_and_told_in_order(conform, mock):
    alone = conform("server", mock)
    beside = conform("server", mock, "--jobs", 8, "--repeat", 2, seconds=60)
    assert (beside.status, alone.status) == (0, 0), beside.text
    assert [(case["id"], case["verdict"]) for case in alone.cases] == [
        (case["id"], case["verdict"]) for case in beside.cases]


def test_cases_do_run_side_by_side(conform, fake_server, case_file):
    """Each batch is answered once there are four."""
    gate = threading.Barrier(4, timeout=DEADLINE)

    def wait_for_the_others(_: Connection, frame: Frame) -> None:
        if frame.flags & BATCH:
            gate.wait()

    outcome = conform("server", fake_server(answering(wait_for_the_others)).address,
                      *case_file(*NUMBERED[:8]), "--jobs", 4)
    assert (outcome.status, outcome.verdicts) == (0, ["pass"] * 8)


def test_who_looks_at_the_whole_registry_runs_alone(conform, fake_server, case_file):
    running = []
    most = []
    lock = threading.Lock()

    def serve(connection: Connection) -> None:
        with lock:
            running.append(connection)
        for frame in connection.frames():
            if frame.flags == CONTROL and frame.batch_id == 0x03:
                most.append(len(running))
            connection.send(polite(connection, frame))
        with lock:
            running.remove(connection)

    cases = [*NUMBERED[:3], case_text("own-list", "send list-topics", "expect topic-response"),
             *NUMBERED[3:6]]
    outcome = conform("server", fake_server(serve).address, *case_file(*cases), "--jobs", 8)
    assert (outcome.status, most) == (0, [1])


# In time, or not.


def test_the_watchdog_ends_a_run_with_a_whole_report(conform, fake_server, case_file):
    server = fake_server(answering(Moody(*range(1, 100))))
    cases = [case_text(f"own-{i}", INGEST, "expect ack within 200ms") for i in range(50)]
    outcome = conform("server", server.address, *case_file(*cases), "--watchdog", "1s", "--reruns",
                      0, seconds=10)
    assert outcome.status == 1, "what has failed by then has failed"
    assert len(outcome.cases) == 50
    assert outcome.verdicts[0] == "timeout" and outcome.verdicts[-1] == "error"
    assert "watchdog" in outcome.cases[-1]["reason"]
    assert outcome.events[-1]["event"] == "end"


def test_the_watchdog_does_not_wait_for_a_case_that_does_not_end(conform, fake_server, case_file):
    slow = case_text("own-slow", "silent 60s", needs="slow")
    outcome = conform("server", fake_server(answering(Moody())).address,
                      *case_file(KEPT[0], slow, KEPT[1]), "--watchdog", "500ms", seconds=10)
    assert (outcome.status, outcome.verdicts) == (3, ["pass", "error", "error"])


def topics_of(host: str, port: int) -> int:
    with socket.create_connection((host, port), DEADLINE) as sock:
        sock.sendall(Frame(CONTROL, 0x03).sealed())
        return len(json.loads(read_frame(sock).payload)["topics"])


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_cleans_up_and_reports_all(
    conform_program, mock, case_file, tmp_path, by
):
    slow = case_text("own-slow", "given topic $t", "silent 700ms", needs="slow, topics")
    report = tmp_path / "report"
    runner = subprocess.Popen(
        [str(conform_program), "server", mock, *case_file(slow, *KEPT), "--text", str(report)],
        stderr=subprocess.PIPE)
    host, port = mock.split(":")
    deadline = time.monotonic() + DEADLINE
    while not topics_of(host, int(port)) > 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    runner.send_signal(by)
    with runner.stderr:
        assert runner.stderr.read() == b""
    assert runner.wait(DEADLINE) == 3
    text = report.read_text()
    assert text.count("interrupted") == 6, text
    assert topics_of(host, int(port)) == 0, "the topics of the run are gone"


def test_a_topic_whose_answer_was_not_read_is_deleted_too(conform, mock, case_file):
    case = case_text("own-own", "given name $n", "send keepalive, create-topic name=$n", "expect ack",
                     needs="topics")
    outcome = conform("server", mock, *case_file(case))
    assert outcome.verdicts == ["fail"]
    host, port = mock.split(":")
    assert topics_of(host, int(port)) == 0


# Wrong usage.


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--chop", "0"), ("--chop", "43,"), ("--chop", ",1"), ("--chop", "rand"),
        ("--chop", "rand:x"), ("--chop", "often"), ("--chop", ""), ("--chop", "65536"),
        ("--chop", "1,2,3,4,5,6,7,8,9"), ("--shuffle", "x"), ("--repeat", "0"), ("--jobs", "0"),
        ("--jobs", "65"), ("--watchdog", "0"), ("--watchdog", "5"), ("--reruns", "-1"),
    ],
)
def test_what_is_no_value_is_wrong_usage(conform, option, value):
    outcome = conform("selftest", option, value, reports=False)
    assert (outcome.status, outcome.stdout) == (64, "")


def test_there_are_at_most_sixteen_ways_to_chop(conform):
    many = [word for _ in range(11) for word in ("--chop", "1")]
    assert conform("selftest", *many, "--axes", reports=False).status == 64


# Nothing is left behind.


def test_topics_of_a_case_that_fails_are_gone_afterwards(conform, mock, case_file):
    case = case_text("own-fails", "given topic $t", "given name $n", "send create-topic name=$n",
                     *NOT_ACKED, needs="topics")
    assert conform("server", mock, *case_file(case)).verdicts == ["fail"]
    host, port = mock.split(":")
    assert topics_of(host, int(port)) == 0


def test_the_time_of_the_whole_run_is_told(conform, mock):
    began = time.monotonic()
    text = conform("server", mock, "--filter", "LWP-[23]*").text
    (told,) = re.findall(r"^slowest, of ([0-9.]+) s in all$", text, re.MULTILINE)
    assert 0 < float(told) <= time.monotonic() - began
