# SPDX-License-Identifier: MIT
"""lwp-conform probe: what it finds out about mocks of all kinds, and about servers that are none."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import Outcome, case_text
from peer import (
    BATCH,
    CONTROL,
    CREATE_TOPIC,
    ERROR_RESPONSE,
    KEEPALIVE,
    KEEPALIVE_WIRE,
    Connection,
    Frame,
    answering,
    control,
    read_frame,
)

ANSWERED = dict.fromkeys(["topics", "ingest", "consumers", "retention", "open"], "yes")


@dataclass
class Profile:
    """A profile, taken apart without the program's help."""

    text: str

    @property
    def settings(self) -> dict[str, str]:
        """The lines that a run takes, with several values of a word joined."""
        found: dict[str, str] = {}
        for line in self.text.splitlines():
            words = line.partition("#")[0].split()
            if words:
                found[words[0]] = " ".join([*found.get(words[0], "").split(), *words[1:]])
        return found

    @property
    def told(self) -> dict[str, tuple[str, str]]:
        """What only informs: key to value and evidence. The first of a key counts."""
        found: dict[str, tuple[str, str]] = {}
        for line in self.text.splitlines():
            told = re.fullmatch(r"# ([^:]+): (.*?) \((.*)\)", line)
            if told:
                found.setdefault(told[1], (told[2], told[3]))
        return found

    def value(self, key: str) -> str:
        return self.told[key][0]


@pytest.fixture
def probe(conform, tmp_path):
    def ask(address: str, *options: str) -> Profile:
        path = tmp_path / "found.profile"
        outcome = conform("probe", address, "--output", path, *options, reports=False, seconds=60)
        assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "", "")
        return Profile(path.read_text(encoding="utf-8"))

    return ask


AXES = {
    "lance": {"errors": "text", "beyond-the-end": "catching-up", "tail-offset": "2^64-1",
              "unsubscribed-by": "ack", "status-command": "07", "command-code": "low-byte",
              "name-characters": "letters, digits and -", "topic-epoch": "given",
              "unnamed-flags": "ingest", "compressed-records": "as they came"},
    "spec": {"errors": "json", "beyond-the-end": "empty", "tail-offset": "none",
             "unsubscribed-by": "ack", "status-command": "30", "command-code": "whole",
             "name-characters": "any", "topic-epoch": "none", "unnamed-flags": "refused",
             "compressed-records": "decompressed"},
    "lance-py": {"errors": "json", "beyond-the-end": "error", "tail-offset": "2^64-1",
                 "unsubscribed-by": "topic-response", "status-command": "07",
                 "command-code": "low-byte", "name-characters": "any", "topic-epoch": "given",
                 "unnamed-flags": "ingest", "compressed-records": "decompressed"},
}


@pytest.mark.parametrize("dialect", AXES)
def test_a_mock_is_known_by_all_its_answers(probe, start_mock, dialect):
    mock = start_mock("--dialect", dialect)
    found = probe(mock.address)
    assert {key: found.value(key) for key in AXES[dialect]} == AXES[dialect]
    assert found.settings == {"dialect": dialect, "max-payload": "16777216", "max-name": "255"}
    assert "unknown" not in {value for value, _ in found.told.values()}
    assert {key: found.value(key) for key in ANSWERED} == ANSWERED
    commands = [value for key, (value, _) in found.told.items() if key.startswith("command ")]
    assert len(commands) == 12 and set(commands) == {"answered"}
    assert found.value("tls") == "no"
    taken = {"lance": ("refused", "taken"), "spec": ("taken", "refused")}.get(
        dialect, ("refused", "taken"))
    assert (found.value("checksum castagnoli").split(",")[0],
            found.value("checksum iso-hdlc").split(",")[0]) == taken


def test_who_takes_both_checksums_is_asked_in_the_deployed_one(probe, start_mock):
    found = probe(start_mock("--dialect", "auto").address)
    assert found.value("checksum castagnoli") == "taken, and answered with castagnoli"
    assert found.value("checksum iso-hdlc") == "taken, and answered with iso-hdlc"
    assert found.settings["dialect"] == "lance"


def test_each_finding_has_what_was_sent_and_what_came(probe, mock):
    found = probe(mock)
    sent, came = found.told["errors"][1].split(" -> ")
    assert (sent, came) == ("get-topic topic_id=4294967295",
                            'error-response text="Topic not found"')
    assert all(" -> " in line or "no more" in line or "plain frames" in line
               for line in found.text.splitlines()[2:])


@pytest.mark.parametrize("most", [64, 100, 1000, 1024, 1029, 65536])
def test_the_largest_payload_is_found_to_the_byte(probe, start_mock, most):
    found = probe(start_mock("--max-payload", most).address)
    assert found.settings["max-payload"] == str(most)
    assert found.value("max-records") == f"{most // 6} or more"


def test_a_larger_payload_than_the_usual_one_is_no_usual_one(probe, start_mock):
    found = probe(start_mock("--max-payload", 20000000).address)
    assert found.settings == {"dialect": "lance", "without": "max-payload", "max-name": "255"}


def test_topics_are_cleaned_up(probe, mock, conform, case_file):
    probe(mock)
    empty = case_text("own-empty", "send list-topics",  # {"topics":[]}
                      "expect topic-response payload_length=13")
    outcome = conform("server", mock, *case_file(empty), "--without", "topics")
    assert outcome.verdicts == ["pass"]  # Without topics a run makes none of its own.


# Tokens.


def test_who_wants_a_token_and_is_given_none_is_not_guessed_at(probe, start_mock):
    found = probe(start_mock("--auth-token", "sesame").address)
    assert found.settings == {"dialect": "lance", "without": "open", "max-name": "255"}
    for key in ("ingest", "max-payload", "max-records", "unnamed-flags", "compressed-records"):
        value, evidence = found.told[key]
        assert value == "unknown" and "Authentication required" in evidence


@pytest.mark.parametrize("dialect", AXES)
def test_a_token_lets_it_find_out_the_rest(probe, start_mock, dialect):
    address = start_mock("--dialect", dialect, "--auth-token", "sesame").address
    found = probe(address, "--auth-token", "sesame")
    assert found.settings == {"dialect": dialect, "without": "open", "max-payload": "16777216",
                              "max-name": "255"}
    assert "sesame" not in found.text


def test_who_lets_nobody_in_has_no_dialect(probe, start_mock):
    found = probe(start_mock("--auth-token", "sesame", "--auth-strict").address)
    assert found.settings == {}
    assert found.value("errors") == "unknown"
    assert "# dialect: unknown" in found.text


# A profile is for a run.


@pytest.mark.parametrize(
    "options",
    [[], ["--dialect", "spec"], ["--dialect", "lance-py"], ["--max-payload", "1024"],
     ["--auth-token", "sesame"], ["--bug", "B1"]],
)
def test_a_run_with_the_profile_passes(probe, conform, start_mock, tmp_path, options):
    address = start_mock(*options).address
    profile = probe(address)
    token = ["--auth-token", "sesame"] if "sesame" in options else []
    part = [] if "1024" in options else ["--shard", "1/4"]
    outcome = conform("server", address, "--profile", tmp_path / "found.profile", *token, *part,
                      "--without", "slow", seconds=60)
    assert outcome.status == 0, outcome.text
    if "1024" in options:
        skipped = [case["reason"] for case in outcome.cases if case["verdict"] == "skip"]
        line = profile.text.splitlines().index(
            next(text for text in profile.text.splitlines() if text.startswith("max-payload")))
        assert len([reason for reason in skipped if f"found.profile:{line + 1}:" in reason]) > 3


def test_the_profile_can_go_to_standard_output(conform, mock):
    outcome = conform("probe", mock, reports=False)
    assert outcome.status == 0 and Profile(outcome.stdout).settings["dialect"] == "lance"


# Servers that lack something.


def lacking(*commands: int):
    def answer(_: Connection, frame: Frame) -> bytes | None:
        missing = frame.flags == CONTROL and frame.batch_id in commands
        return control(ERROR_RESPONSE, b"What?").sealed() if missing else None

    return answering(answer)


def test_a_server_without_topics_is_asked_for_the_rest(probe, fake_server):
    found = probe(fake_server(lacking(CREATE_TOPIC)).address)
    assert "topics" in found.settings["without"].split()
    assert found.value("ingest") == "unknown"
    assert "create-topic was not answered" in found.told["ingest"][1]


def test_what_is_answered_like_what_does_not_exist_does_not_exist(probe, fake_server):
    found = probe(fake_server(lacking(0x05, 0x7E)).address)
    assert found.value("command set-retention") == "answered as one that does not exist"
    assert found.value("command list-topics") == "answered"
    assert "retention" in found.settings["without"].split()


def test_silence_is_no_answer(probe, fake_server):
    def mute(_: Connection, frame: Frame) -> bytes | None:
        return b"" if frame.flags == CONTROL and frame.batch_id in (0x07, 0x30) else None

    found = probe(fake_server(answering(mute)).address)
    line = next(line for line in found.text.splitlines() if line.startswith("without cluster"))
    assert line.endswith("-> nothing in 2 s")


def test_silence_is_no_limit(probe, fake_server):
    """Whoever is slow with a large payload may take it all the same."""

    def slow(_: Connection, frame: Frame) -> bytes | None:
        return b"" if frame.flags == BATCH and len(frame.payload) > 500 else None

    found = probe(fake_server(answering(slow)).address)
    value, evidence = found.told["max-payload"]
    assert value == "unknown" and "nothing in 2 s" in evidence


# Servers that are none.


def must_be_refused(outcome: Outcome, folder: Path, word: str) -> None:
    assert (outcome.status, outcome.stdout) == (3, "")
    assert word in outcome.stderr
    assert not list(folder.glob("found.profile*"))


@pytest.mark.parametrize(
    "reply",
    [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 100, bytes(64), b"\xff" * 65536,
     KEEPALIVE_WIRE[:43], Frame(0x08, 1).sealed(), Frame(KEEPALIVE).sealed(checksum=1),
     KEEPALIVE_WIRE[:32] + b"\xff\xff\xff\xff" + KEEPALIVE_WIRE[36:]],
)
def test_garbage_is_no_server(conform, fake_server, tmp_path, reply):
    def answer(connection: Connection) -> None:
        read_frame(connection.sock)
        connection.send(reply)

    outcome = conform("probe", fake_server(answer).address, "--output",
                      tmp_path / "found.profile", reports=False)
    must_be_refused(outcome, tmp_path, "answers a keepalive with no checksum")


def test_nobody_there_is_no_server(conform, nowhere, tmp_path):
    outcome = conform("probe", nowhere, "--output", tmp_path / "found.profile", reports=False)
    must_be_refused(outcome, tmp_path, "refused")


def test_who_never_answers_is_given_up(conform, fake_server, tmp_path):
    server = fake_server(lambda connection: connection.wait_for_the_end())
    outcome = conform("probe", server.address, "--output", tmp_path / "found.profile",
                      reports=False)
    must_be_refused(outcome, tmp_path, "the deadline has passed")


def test_tls_is_told(conform, start_mock, tmp_path, mock_program):
    subprocess.run([mock_program, "make-certs", tmp_path / "certs"], check=True,
                   stdout=subprocess.DEVNULL)
    mock = start_mock("--tls-cert", tmp_path / "certs" / "server.pem", "--tls-key",
                      tmp_path / "certs" / "server.key")
    outcome = conform("probe", mock.address, "--output", tmp_path / "found.profile", reports=False)
    must_be_refused(outcome, tmp_path, "it speaks TLS")


@pytest.mark.parametrize("deadly", [BATCH, CONTROL])
def test_a_server_that_dies_leaves_no_profile(conform, fake_server, tmp_path, deadly):
    def dies(connection: Connection, frame: Frame) -> bytes | None:
        if frame.flags == deadly:
            connection.server.die()
        return None

    outcome = conform("probe", fake_server(answering(dies)).address, "--output",
                      tmp_path / "found.profile", reports=False)
    must_be_refused(outcome, tmp_path, "stopped answering")


def test_a_server_that_floods_is_left(conform, fake_server, tmp_path):
    def flood(connection: Connection) -> None:
        while not connection.server.stopping.is_set():
            try:
                connection.sock.sendall(KEEPALIVE_WIRE * 1000)
            except OSError:
                return

    outcome = conform("probe", fake_server(flood).address, "--output", tmp_path / "found.profile",
                      reports=False, measured=True, seconds=150)
    assert outcome.status in (0, 3) and outcome.grown_kib < 300000


def test_hostile_text_stays_in_its_comment(probe, fake_server, tmp_path):
    def shout(_: Connection, frame: Frame) -> bytes | None:
        lines = b"no\nwithout open\r\nmax-name 1\x1b[2J"
        return control(ERROR_RESPONSE, lines).sealed() if frame.flags == CONTROL else None

    found = probe(fake_server(answering(shout)).address)
    assert "max-name" not in found.settings
    assert all(line.isprintable() and line.isascii() for line in found.text.splitlines())


@pytest.mark.parametrize("path", ["/no/such/folder/profile", "/"])
def test_a_profile_that_can_not_be_written_is_told(conform, fake_server, path):
    outcome = conform("probe", fake_server(answering(lambda *_: None)).address, "--output", path,
                      reports=False)
    assert outcome.status == 3 and f"can not write {path}" in outcome.stderr


def test_a_full_disk_is_told(conform, fake_server):
    outcome = conform("probe", fake_server(answering(lambda *_: None)).address, "--output",
                      "/dev/full", reports=False)
    assert outcome.status == 3 and "No space left" in outcome.stderr


@pytest.mark.parametrize("words", [["probe"], ["probe", "a:1", "b:2"], ["probe", "127.0.0.1:0x"]])
def test_there_is_one_server_to_ask(conform, words):
    assert conform(*words, reports=False).status == 64
