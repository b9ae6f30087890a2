# SPDX-License-Identifier: MIT
"""lwp-conform diff: two servers, the same cases, and where their answers differ."""

from __future__ import annotations

import json
import re
import socket
import struct

import pytest

from conftest import KEPT_ALIVE, Outcome, case_text
from peer import (
    ACK,
    BATCH,
    CONTROL,
    CREATE_TOPIC,
    KEEPALIVE,
    KEEPALIVE_WIRE,
    LIST_TOPICS,
    TOPIC_RESPONSE,
    Connection,
    Frame,
    answering,
    control,
)

NOTHING_SLOW = ("--without", "slow")
ALIVE = case_text("own-a", *KEPT_ALIVE)


@pytest.fixture
def diff(conform, tmp_path):
    def compare(first: object, second: object, *options: object) -> Outcome:
        addresses = [getattr(server, "address", server) for server in (first, second)]
        return conform("diff", *addresses, *options, reports=False, seconds=60)

    return compare


def places(outcome: Outcome) -> list[str]:
    """The heads of the differences: id, connection, frame, field and both values."""
    return [line for line in outcome.stdout.splitlines() if re.match(r"LWP-\S+ (c\d|could)", line)]


def ids(outcome: Outcome) -> set[str]:
    return {line.split()[0] for line in places(outcome)}


# The same.


@pytest.mark.parametrize("dialect", ["lance", "spec", "lance-py"])
def test_a_server_does_not_differ_from_its_like(diff, start_mock, dialect):
    mocks = [start_mock("--dialect", dialect) for _ in range(2)]
    outcome = diff(*mocks, "--dialect", dialect, *NOTHING_SLOW)
    assert (outcome.status, places(outcome), outcome.stderr) == (0, [], "")
    compared = re.search(r"^(\d+) cases compared, \d+ skipped, 0 could not", outcome.stdout, re.M)
    assert int(compared[1]) > 200


def test_ids_of_topics_are_the_servers_own(diff, conform, start_mock, case_file):
    """The second has given away other ids before, and has topics of other people."""
    mocks = [start_mock(), start_mock()]
    with socket.create_connection(mocks[1].host_and_port) as sock:
        sock.sendall(control(CREATE_TOPIC, b"theirs").sealed())
        assert sock.recv(44)
    conform("server", mocks[1].address, "--filter", "LWP-5.3/*", reports=False)
    outcome = diff(*mocks, *NOTHING_SLOW)
    assert (outcome.status, places(outcome)) == (0, [])


def test_the_end_by_fin_or_reset_is_the_same(diff, fake_server, case_file):
    def ends(connection: Connection) -> None:
        for frame in connection.frames():
            if frame.flags != KEEPALIVE:
                return
            connection.send(KEEPALIVE_WIRE)

    def resets(connection: Connection) -> None:
        for frame in connection.frames():
            if frame.flags != KEEPALIVE:
                connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                           struct.pack("ii", 1, 0))
                return
            connection.send(KEEPALIVE_WIRE)

    case = case_text("own-end", "send list-topics", "expect close")
    outcome = diff(fake_server(ends), fake_server(resets), *case_file(case), "--without", "topics")
    assert (outcome.status, places(outcome)) == (0, [])


# What differs.


def test_dialects_differ_where_they_are_known_to(diff, start_mock):
    outcome = diff(start_mock(), start_mock("--dialect", "spec"), "--other-dialect", "spec",
                   *NOTHING_SLOW)
    assert outcome.status == 1
    assert {"LWP-12.1/error-document", "LWP-5.3/create-topic", "LWP-16.5/code-of-the-specification",
            "LWP-4.1/reserved-set"} & ids(outcome)
    assert not {"LWP-2.3/keepalive-is-answered", "LWP-4.2/ack-names-its-batch",
                "LWP-10.2/acks-in-order"} & ids(outcome)
    text = next(line for line in places(outcome) if line.startswith("LWP-12.1/error-document"))
    assert 'text: 15 bytes "Topic not found" | ' in text


SCRIPTS = {
    "other-ack": ("on ingest -> reply ack batch_id=99", "own-acked",
                  "c1 frame 1: batch_id: 1 | 99"),
    "silence": ("on list-topics nth 1 -> drop-reply", "own-listed",
                "c1 frame 1"),
    "close": ("on list-topics -> close fin", "own-listed", "c1 frame 1"),
    "error": ('on list-topics -> error storage-error "busy"', "own-listed", "c1 frame 1: batch_id: 128 | 255"),
}
CASES = [ALIVE,
         case_text("own-acked", "given topic $t", 'send ingest topic_id=$t records=raw("x")',
                   "expect ack batch_id=1", needs="topics, ingest"),
         case_text("own-listed", "send list-topics", "expect topic-response within 300ms")]


@pytest.mark.parametrize("name", SCRIPTS)
def test_one_misbehaviour_is_exactly_one_difference(diff, start_mock, case_file, tmp_path, name):
    rule, slug, place = SCRIPTS[name]
    script = tmp_path / "rule.lwps"
    script.write_text(f"{rule} optional\n")
    wrong = start_mock("--script", script)
    outcome = diff(start_mock(), wrong, *case_file(*CASES))
    assert outcome.status == 1, outcome.stdout + outcome.stderr
    assert places(outcome) == [f"LWP-2.3/{slug} {place}"]
    assert "3 cases compared, 0 skipped, 0 could not be run: 1 differ, in 1 places" in outcome.stdout


def test_a_smaller_limit_shows_where_it_matters_and_only_there(diff, start_mock):
    outcome = diff(start_mock(), start_mock("--max-payload", 65536), *NOTHING_SLOW)
    assert outcome.status == 1
    assert "LWP-8.7/largest-payload" in ids(outcome)
    assert len(ids(outcome)) < 12


def test_both_sides_are_decoded_and_the_command_repeats_it(diff, conform, start_mock, case_file):
    mocks = [start_mock(), start_mock("--dialect", "lance-py")]
    case = case_text("own-error", "send get-topic topic_id=77", "expect error-response")
    outcome = diff(*mocks, "--other-dialect", "lance-py", *case_file(case))
    lines = outcome.stdout.splitlines()
    assert lines[1] == '  first    error-response text="Topic not found"'
    assert lines[2].startswith('  second   error-response text="{\\x22code')
    words = lines[3].split()
    assert words[:3] == ["repeat", "lwp-conform", "diff"]
    again = conform(*words[2:], reports=False)
    assert again.status == 1 and again.stdout.splitlines()[:3] == lines[:3]


def listing(document: object):
    def answer(_: Connection, frame: Frame) -> bytes | None:
        if frame.flags == CONTROL and frame.batch_id == LIST_TOPICS:
            return control(TOPIC_RESPONSE, json.dumps(document).encode()).sealed()
        return None

    return answering(answer)


LISTED = case_text("own-listed", "send list-topics", "expect topic-response")


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        ({"topics": []}, {"topics": [], "more": 1}, "json.more: none | 1"),
        ({"topics": [], "more": 1}, {"topics": []}, "json.more: 1 | none"),
        ({"a": 1}, {"a": 2}, "json.a: 1 | 2"),
        ({"a": 1}, {"a": "1"}, 'json.a: 1 | "1"'),
        ({"a": None}, {"a": False}, "json.a: null | false"),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, "json.a.b.1: 2 | 3"),
        ({"a": [1]}, {"a": [1, 2]}, "json.a.1: none | 2"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, None),
        ({"a": [{"name": "theirs", "id": 1}]}, {"a": []}, None),
        ({"created_at": 1}, {"created_at": 2}, None),
        ({"created_at": 1}, {"created_at": "2"}, 'json.created_at: 1 | "2"'),
    ],
)
def test_documents_are_compared_member_by_member(diff, fake_server, case_file, first, second,
                                                 field):
    servers = [fake_server(listing(document)) for document in (first, second)]
    outcome = diff(*servers, *case_file(LISTED), "--without", "topics")
    assert places(outcome) == ([f"LWP-2.3/own-listed c1 frame 1: {field}"] if field else [])
    assert outcome.status == (1 if field else 0)


def test_an_ack_that_is_overtaken_is_no_difference(diff, fake_server, case_file):
    def late(connection: Connection) -> None:
        acks = b""
        for frame in connection.frames():
            if frame.flags == BATCH:
                acks = Frame(ACK, frame.batch_id).sealed()
            else:
                connection.send(KEEPALIVE_WIRE + acks)
                acks = b""

    case = case_text("own-both", 'send ingest topic_id=1 records=raw("x"), keepalive',
                     "any-order { ack ; keepalive }")
    servers = [fake_server(answering(lambda *_: None)), fake_server(late)]
    outcome = diff(*servers, *case_file(case), "--without", "topics")
    assert (outcome.status, places(outcome)) == (0, [])


def test_only_who_ends_the_connection_differs(diff, fake_server, case_file):
    def ends(connection: Connection) -> None:
        for count, _ in enumerate(connection.frames()):
            connection.send(KEEPALIVE_WIRE)
            if count == 1:
                return

    case = case_text("own-end", "send keepalive", "expect keepalive", "send keepalive",
                     "expect keepalive", "send keepalive", "expect close | keepalive")
    servers = [fake_server(answering(lambda *_: None)), fake_server(ends)]
    outcome = diff(*servers, *case_file(case), "--without", "topics")
    assert places(outcome) == ["LWP-2.3/own-end c1 frame 3"]
    assert "second   no frame: the server closes" in outcome.stdout


# Servers that are not there, or die.


def test_who_is_not_there_can_not_be_compared(diff, mock, nowhere):
    for pair in ([mock, nowhere], [nowhere, mock]):
        outcome = diff(*pair)
        assert (outcome.status, outcome.stdout) == (3, "")
        assert nowhere in outcome.stderr and "sanity" in outcome.stderr


def test_a_server_that_dies_has_differed(diff, mock, fake_server, case_file):
    def dies(connection: Connection, frame: Frame) -> bytes | None:
        if frame.flags == BATCH:
            connection.server.die()
        return None

    cases = case_file(case_text("own-b", 'send ingest topic_id=0 records=raw("x")', "expect ack"),
                      case_text("own-c", *KEPT_ALIVE))
    outcome = diff(mock, fake_server(answering(dies)), *cases, "--without", "topics")
    assert outcome.status == 1
    assert "after LWP-2.3/own-b" in outcome.stderr and "1 cases compared" in outcome.stdout


def test_a_case_that_one_server_lets_not_run_differs(diff, mock, fake_server, case_file):
    def refuses(_: Connection, frame: Frame) -> bytes | None:
        return control(0xFF, b"no").sealed() if frame.batch_id == CREATE_TOPIC else None

    case = case_text("own-topic", "given topic $t", *KEPT_ALIVE, needs="topics")
    outcome = diff(mock, fake_server(answering(refuses)), *case_file(case))
    assert outcome.status == 1 and len(places(outcome)) == 1
    both = diff(fake_server(answering(refuses)), fake_server(answering(refuses)), *case_file(case))
    assert both.status == 3 and "1 could not be run" in both.stdout


@pytest.mark.parametrize(
    "garbage", [b"\xff" * 200000, control(TOPIC_RESPONSE, b"[" * 100000).sealed(),
                control(TOPIC_RESPONSE, b'{"id":' + b"9" * 5000 + b"}").sealed(),
                control(TOPIC_RESPONSE, b'{"\x1b[2J":1}').sealed(),
                control(0x11, b"short").sealed(), b"LANC"])
def test_garbage_is_a_difference(diff, mock, fake_server, case_file, garbage):
    def answer(_: Connection, frame: Frame) -> bytes | None:
        return garbage if frame.flags == CONTROL and frame.batch_id == LIST_TOPICS else None

    outcome = diff(mock, fake_server(answering(answer)), *case_file(
        case_text("own-listed", "send list-topics", "expect topic-response within 300ms")),
        "--without", "topics")
    assert outcome.status == 1 and len(places(outcome)) >= 1
    assert all(line.isprintable() for line in outcome.stdout.splitlines())


@pytest.mark.parametrize(
    ("words", "problem"),
    [(["127.0.0.1:1"], "expected"), (["a:1", "b:2", "c:3"], "unexpected"),
     (["127.0.0.1:1", "::1"], "::1"), (["127.0.0.1:1", "127.0.0.1:2", "--other-dialect", "k"], "k"),
     (["127.0.0.1:1", "127.0.0.1:2", "--filter", "LWP-0/*"], "LWP-0/*")],
)
def test_wrong_usage_compares_nothing(conform, words, problem):
    outcome = conform("diff", *words, reports=False)
    assert (outcome.status, outcome.stdout) == (64, "") and problem in outcome.stderr
