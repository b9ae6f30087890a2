# SPDX-License-Identifier: MIT
"""What the text, JSON Lines and JUnit of lwp-conform say, and that they say the same."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
from collections import Counter
from pathlib import Path
from time import monotonic_ns, time_ns

import pytest

from conftest import (
    ALL_SORTS,
    FAILS,
    LENIENT,
    PASSES,
    REQUIREMENT,
    case_text,
    must_fit_schema,
    strict_json,
)
from peer import (
    ACK,
    BATCH,
    CONTROL,
    CREATE_TOPIC,
    DEADLINE,
    DELETE_TOPIC,
    ERROR_RESPONSE,
    KEEPALIVE_WIRE,
    LIST_TOPICS,
    Connection,
    Frame,
    answering,
    control,
    read_frame,
)

TAGS = {"fail": "failure", "timeout": "failure", "crash": "failure", "xpass": "failure",
        "error": "error", "skip": "skipped", "xfail": "skipped"}


def block_of(text: str, slug: str) -> str:
    """The lines of one case: its own, and the indented ones behind it."""
    found = re.search(rf"^\S+ +LWP-2\.3/{slug} .*\n(?:  .*\n)*", text, re.MULTILINE)
    assert found, text
    return found.group()


# Text


def test_a_failure_is_told_with_all_that_ends_the_search(conform, fake_server, case_file):
    def wrong(_: Connection, frame: Frame) -> bytes | None:
        return Frame(ACK, 2).sealed() if frame.flags == BATCH else None

    case = case_text("own-acked", 'send ingest topic_id=7 records=raw("hello")',
                     "expect ack batch_id=1", text="The batch is acked.")
    server = fake_server(answering(wrong))
    outcome = conform("server", server.address, *case_file(case), "--seed", 42)
    told = block_of(outcome.text, "own-acked")
    first = "fail         LWP-2.3/own-acked (must): batch_id: expected = 1 (0x1), got 2 (0x2)\n"
    assert told.startswith(first)
    assert "  required The batch is acked.\n" in told
    assert f"  section  2.3 (must): {REQUIREMENT}\n" in told
    assert re.search(r"^  step     .*own\.lwps:5$", told, re.MULTILINE)
    assert "  expected ack batch_id = 1\n" in told
    assert "  actual   ack batch_id=2\n" in told
    assert "  differs  batch_id, first differing byte at offset 12 of the frame\n" in told
    assert "  class    field:batch_id\n" in told
    assert f"  capture  {outcome.capture}\n" in told
    assert re.search(r"^ +0  4c 41 4e 43( [0-9a-f]{2}){8}>02 00 00 00$", told,
                     re.MULTILINE)
    assert re.search(rf"^  repeat   lwp-conform .*server {server.address} ", told, re.MULTILINE)
    assert "--seed 42 " in told


def test_the_transcript_shows_both_directions_byte_for_byte(conform, mock, case_file):
    outcome = conform("server", mock, *case_file(FAILS))
    told = block_of(outcome.text, "own-fails")
    dumped = {}
    for way in ("sent", "received"):
        hex_lines = r"((?: +\d+ (?:[ >][0-9a-f]{2})+\n)+)"
        lines = re.search(rf"c1 +[0-9.]+ ms  {way} 44 bytes\n +keepalive\n{hex_lines}", told)
        assert lines, told
        dumped[way] = b"".join(bytes.fromhex(line[16:].replace(">", " "))
                               for line in lines.group(1).splitlines())
    assert dumped["sent"] == KEEPALIVE_WIRE
    assert dumped["received"][:8] == KEEPALIVE_WIRE[:8] and len(dumped["received"]) == 44
    sent, received = [e for e in outcome.case["transcript"] if "hex" in e]
    assert (sent["what"], received["what"]) == ("sent", "received")
    assert [bytes.fromhex(e["hex"]) for e in (sent, received)] == list(dumped.values())


def test_the_connection_s_end_is_in_the_transcript(conform, fake_server, case_file):
    def hang_up(connection: Connection) -> None:
        for frame in connection.frames():
            if frame.flags == BATCH:
                return
            connection.send(KEEPALIVE_WIRE)

    case = case_text("own-closed", "send ingest topic_id=7", "expect ack")
    outcome = conform("server", fake_server(hang_up).address, *case_file(case))
    assert "c1" in block_of(outcome.text, "own-closed") and "peer closed" in outcome.text
    whats = [event["what"] for event in outcome.case["transcript"]]
    assert whats[:3] == ["connected", "sent", "peer closed"]
    assert "FIN" in outcome.case["actual"]


@pytest.fixture
def repeats(conform_program, tmp_path):
    """Runs the command that a report names, and wants the same report again."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "lwp-conform").symlink_to(conform_program)
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"

    def the_same(text: str) -> list[str]:
        return re.sub(r" *[0-9.]+ m?s\b|^  capture .*\n", "", text, flags=re.MULTILINE).splitlines()

    def repeat(once) -> str:
        (command,) = re.findall(r"^  repeat   (.*)$", once.text, re.MULTILINE)
        assert f"repeat {command}\n" in "".join(once.testcases[0].itertext())
        again = subprocess.run(["sh", "-c", command], capture_output=True, text=True,
                               timeout=DEADLINE, cwd="/", env={**os.environ, "PATH": path})
        assert (again.returncode, again.stderr) == (1, "")
        assert the_same(again.stdout) == the_same(once.text)
        return command

    return repeat


def test_the_command_to_repeat_a_failure_repeats_it(conform, fake_server, repeats):
    """A server that overlooks checksums: keepalives are answered whatever they are."""
    server = fake_server(answering(lambda *_: None))
    once = conform("server", server.address, "--filter", "LWP-11.3/header-crc-wrong", "--seed", 7)
    assert (once.status, once.verdicts) == (1, ["fail"])
    assert "--timeout-factor" not in repeats(once)


def test_the_command_to_repeat_a_failure_carries_all_that_the_run_was_told(
    conform, start_mock, case_file, repeats, monkeypatch
):
    token = """it's $HOME `id` "\\\\" é;&*"""
    address = start_mock("--auth-token", token).address
    files = [*case_file(FAILS, name="it's $1 own.lwps")[:2], *case_file(LENIENT, name="more")[:2]]
    once = conform("server", address, *files, "--filter", "LWP-2.3/own-fails", "--auth-token",
                   token, "--timeout-factor", 3, "--without", "slow", "--without", "retention",
                   "--seed", 42)
    assert (once.status, once.verdicts) == (1, ["fail"])
    monkeypatch.setenv("TOKEN", token)  # It stands in no report.
    command = repeats(once)
    assert "--timeout-factor 3 " in command and "--dialect lance --seed 42 " in command
    assert "--without slow " in command and "--without retention " in command
    assert command.count("--case-file ") == 2 and '--auth-token "$TOKEN"' in command
    assert command.endswith(" --filter LWP-2.3/own-fails")


def test_the_command_to_repeat_a_failed_selftest_repeats_it(conform, case_file, repeats):
    once = conform("selftest", *case_file(FAILS), "--dialect", "lance-py")
    assert once.verdicts == ["fail"]
    assert repeats(once).startswith("lwp-conform selftest --dialect lance-py ")


def test_the_text_is_short_unless_asked(all_sorts):
    text = all_sorts().text
    for slug, verdict in ALL_SORTS.items():
        told = re.search(rf"^{verdict} +LWP-2\.3/{slug} ", text, re.MULTILINE)
        assert bool(told) == (not verdict.startswith("pass")), slug


def test_verbose_tells_passed_cases_too(all_sorts):
    text = all_sorts("--verbose").text
    for slug, verdict in ALL_SORTS.items():
        assert re.search(rf"^{verdict} +LWP-2\.3/{slug} ", text, re.MULTILINE), slug


def test_the_text_goes_to_standard_output_unless_told_otherwise(conform, mock, case_file):
    outcome = conform("server", mock, *case_file(PASSES), "--seed", 5, reports=False)
    first, last = outcome.stdout.splitlines()
    assert first == f"target {mock}, dialect lance, seed 5"
    assert re.fullmatch(rf"{mock}, dialect lance: 1 case: 1 pass \([0-9.]+ s, seed 5\)", last)
    elsewhere = conform("server", mock, *case_file(PASSES))
    assert elsewhere.stdout == ""


def test_any_report_can_go_to_standard_output(conform, mock, case_file, tmp_path):
    aside = ["--text", tmp_path / "aside"]
    lines = conform("server", mock, *case_file(FAILS), *aside, "--jsonl", "-", reports=False).stdout
    events = [strict_json(line.encode())["event"] for line in lines.splitlines()]
    assert events == ["begin", "case", "end"]
    report = tmp_path / "report.xml"
    report.write_text(
        conform("server", mock, *case_file(FAILS), *aside, "--junit", "-", reports=False).stdout
    )
    must_fit_schema(report)


# JSON Lines


def test_json_lines_begin_tell_every_case_and_end(all_sorts, mock):
    outcome = all_sorts("--seed", 18446744073709551615)
    assert [e["event"] for e in outcome.events] == ["begin", *["case"] * len(ALL_SORTS), "end"]
    begin = dict(outcome.events[0])
    assert abs(begin.pop("epoch_ns") + monotonic_ns() - time_ns()) < 3600e9
    assert re.fullmatch(r"\d+\.\d+\.\d+", begin.pop("version"))
    assert begin == {"event": "begin", "schema_version": 2, "program": "lwp-conform", "target": mock,
                     "dialect": "lance", "seed": 18446744073709551615,
                     "capture": str(outcome.capture)}
    for case, (slug, verdict) in zip(outcome.cases, ALL_SORTS.items(), strict=True):
        assert (case["id"], case["verdict"]) == (f"LWP-2.3/{slug}", verdict)
        assert (case["level"], case["dialect"]) == ("must", "lance")
        assert case["requirements"] == [{"id": "R2.3-keepalive-answer", "section": "2.3",
                                         "level": "must", "text": REQUIREMENT}]
        assert case["text"] and case["file"].endswith("own.lwps") and case["line"] >= 1
        assert case["duration_ns"] >= 0
        assert bool(case["reason"]) == (not verdict.startswith("pass"))
        assert ("transcript" in case) == (verdict in ("fail", "timeout", "xfail", "xpass"))


def test_the_lines_of_the_case_file_are_right(all_sorts):
    for case in all_sorts().cases:
        lines = Path(case["file"]).read_text().splitlines()
        if case["verdict"] in ("fail", "timeout", "xfail"):
            assert "expect ack" in lines[case["line"] - 1]
        else:
            assert case["id"] in lines[case["line"] - 1]


# All of them


def test_all_reports_count_alike(all_sorts):
    outcome = all_sorts()
    counts = Counter(ALL_SORTS.values())
    assert outcome.status == 1
    assert Counter(outcome.verdicts) == counts
    assert outcome.end["cases"] == len(ALL_SORTS)
    assert Counter(outcome.end["verdicts"]) == Counter({**outcome.end["verdicts"], **counts})
    assert sum(outcome.end["verdicts"].values()) == len(ALL_SORTS)
    summary = outcome.text.splitlines()[-1]
    assert f"dialect lance: {len(ALL_SORTS)} cases: " in summary
    told = {word: int(count) for count, word in re.findall(r"(\d+) ([a-z-]+)[, ]", summary)}
    assert {word: told[word] for word in counts} == counts
    tags = Counter(TAGS.get(verdict) for verdict in ALL_SORTS.values())
    (suite,) = outcome.junit
    for element in (outcome.junit, suite):
        assert [int(element.get(name)) for name in ("tests", "failures", "errors", "skipped")] == [
            len(ALL_SORTS), tags["failure"], tags["error"], tags["skipped"]]


def test_reasons_are_told_everywhere(all_sorts):
    outcome = all_sorts()
    reasons = {
        "own-topics": "topics that can be created and deleted",
        "own-xfails": "it is broken",
        "own-xpasses": "it was broken (see #12)",
        "own-skipped": "it takes too long",
    }
    messages = {case.get("name"): case[0].get("message") for case in outcome.testcases if len(case)}
    by_id = {case["id"]: case for case in outcome.cases}
    for slug, reason in reasons.items():
        assert reason in block_of(outcome.text, slug).splitlines()[0]
        assert reason in by_id[f"LWP-2.3/{slug}"]["reason"]
        assert reason in messages[f"LWP-2.3/{slug}"]


# JUnit


def test_junit_says_where_a_case_stands_and_what_became_of_it(all_sorts, mock):
    outcome = all_sorts("--seed", 9)
    (suite,) = outcome.junit
    assert suite.get("name") == f"{mock} lance"
    properties = {p.get("name"): p.get("value") for p in suite.iter("property")}
    assert re.fullmatch(r"\d+\.\d+\.\d+", properties.pop("version"))
    assert properties == {"seed": "9", "dialect": "lance", "capture": str(outcome.capture)}
    for case, (slug, verdict) in zip(outcome.testcases, ALL_SORTS.items(), strict=True):
        assert case.get("name") == f"LWP-2.3/{slug}"
        assert case.get("classname") == "lwp.lance.LWP-2.3"
        line = Path(case.get("file")).read_text().splitlines()[int(case.get("line")) - 1]
        assert line == f"case LWP-2.3/{slug} must server"
        assert [child.tag for child in case] == ([TAGS[verdict]] if verdict in TAGS else [])
        if case.find("failure") is not None:
            assert case.find("failure").get("type") == verdict


def test_junit_keeps_the_runs_of_a_selftest_apart(conform, listed):
    outcome = conform("selftest", "--filter", "LWP-11.3/*")
    names = [suite.get("name") for suite in outcome.junit]
    assert names == ["selftest spec", "selftest lance", "selftest lance-py"]
    count = len(listed("--filter", "LWP-11.3/*"))
    assert [int(suite.get("tests")) for suite in outcome.junit] == [count] * 3
    assert int(outcome.junit.get("tests")) == 3 * count


# Texts from outside

ERROR_TEXTS = {
    "markup": b"""<b>&amp;"quoted"'</b> ]]> <!-- <![CDATA[""",
    "controls": bytes(range(1, 32)) + b"\x7f",
    "no-utf-8": b"\xff\xfe\xc0\x80\xed\xa0\x80\xf5 cut off: \xe2\x82",
    "forbidden-in-xml": "\ufffe\uffff\u0085\u2028".encode(),
    "zeros": b"a\0b\0",
    "long": b"<&>" * 30000,
    "empty": b"",
    # Escaped they are longer than what a report keeps; the cut must not be inside a character.
    "cut-replaced": b"\x01" * 47 + b"a" * 13,
    "cut-replaced-by-one": b"\x01" * 46 + b"a" * 14,
    "cut-replaced-long": b"\x01" * 47 + b"a" * 500,
    **{f"cut-wide-{i}": b"a" * i + "\N{SNOWMAN}".encode() * 300 for i in range(3)},
}


@pytest.mark.parametrize("name", ERROR_TEXTS)
def test_a_text_of_the_server_breaks_no_report(conform, fake_server, case_file, name):
    wire = control(ERROR_RESPONSE, ERROR_TEXTS[name]).sealed()
    server = fake_server(answering(lambda _, frame: wire if frame.batch_id == 3 else None))
    cases = [
        case_text("own-text", "send list-topics", 'expect error-response text="Topic not found"'),
        case_text("own-code", "send list-topics", "expect error-response code=topic-not-found"),
        case_text("own-kind", "send list-topics", "expect topic-response json.topics!=1"),
    ]
    outcome = conform("server", server.address, *case_file(*cases))
    assert (outcome.status, outcome.verdicts) == (1, ["fail"] * 3)
    assert len(outcome.testcases) == 3
    for report in (outcome.text, outcome.tap, outcome.markdown):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", report)
    received = [event for event in outcome.cases[0]["transcript"] if event["what"] == "received"]
    assert bytes.fromhex(received[0]["hex"]) == wire


def test_a_document_of_the_server_breaks_no_report(conform, fake_server, case_file):
    document = b'{"name":"<&>\\u0000\\u001b\\"\xc3\xa9\xed\xa0\x80","n":18446744073709551615}'
    wire = control(0x80, document).sealed()
    server = fake_server(answering(lambda _, frame: wire if frame.batch_id == 3 else None))
    case = case_text("own-json", "send list-topics", 'expect topic-response json.name="x"')
    outcome = conform("server", server.address, *case_file(case))
    assert (outcome.status, outcome.verdicts) == (1, ["fail"])
    assert len(outcome.testcases) == 1


def test_the_name_of_a_case_file_breaks_no_report(conform, mock, case_file):
    outcome = conform("server", mock, *case_file(FAILS, name="""a <b> & "c" 'd' é.lwps"""))
    assert outcome.status == 1
    assert outcome.testcases[0].get("file") == outcome.case["file"]
    assert outcome.case["file"].endswith("""/a <b> & "c" 'd' é.lwps""")


def test_markup_in_a_reason_breaks_no_report(conform, mock, case_file, expect_file):
    expected = expect_file("""xfail LWP-2.3/own-fails <see> & "this" \x01 é\n""")
    outcome = conform("server", mock, *case_file(FAILS), *expected)
    assert outcome.case["reason"] == """<see> & "this" \ufffd é"""
    assert outcome.testcases[0][0].get("message") == """<see> & "this" \ufffd é"""


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (b"caf\xe9 noir", "caf\ufffd noir"),
        (b"a\xed\xa0\x80b", "a\ufffd\ufffd\ufffdb"),
        ("a\uffffb".encode(), "a\ufffdb"),
        (b"\xe2\x82", "\ufffd"),
    ],
)
def test_a_reason_that_is_no_utf_8_breaks_no_report(conform, mock, case_file, tmp_path, reason,
                                                    told):
    path = tmp_path / "expect"
    path.write_bytes(b"xfail LWP-2.3/own-fails " + reason + b"\n")
    outcome = conform("server", mock, *case_file(FAILS), "--expect", path)
    assert (outcome.status, outcome.verdicts) == (0, ["xfail"])
    assert outcome.case["reason"] == told
    assert outcome.testcases[0][0].get("message") == told
    assert told in outcome.text


# A run that is cut short


def test_a_run_that_is_killed_leaves_what_it_has_done_under_another_name(
    conform_program, fake_server, case_file, tmp_path
):
    reached = threading.Event()

    def never_ack(_: Connection, frame: Frame) -> bytes | None:
        if frame.flags != BATCH:
            return None
        reached.set()
        return b""

    waits = case_text("own-waits", "send ingest topic_id=1", "expect ack within 20s")
    reports = [tmp_path / "text", tmp_path / "jsonl"]
    reports[0].write_text("of the run before")
    run = subprocess.Popen([conform_program, "server", fake_server(answering(never_ack)).address,
                            *case_file(FAILS, waits), "--text", reports[0],
                            "--jsonl", reports[1]])
    assert reached.wait(DEADLINE)
    run.kill()
    run.wait(DEADLINE)
    assert reports[0].read_text() == "of the run before" and not reports[1].exists()
    parts = [path.with_name(path.name + ".part") for path in reports]
    assert "own-fails (must): " in parts[0].read_text(encoding="utf-8")
    events = [strict_json(line) for line in parts[1].read_bytes().splitlines()]
    assert [event["event"] for event in events] == ["begin", "case"]
    assert events[1]["id"] == "LWP-2.3/own-fails"


# The same again


def wire_of_a_run(conform, fake_server, case_file, seed: int) -> list[bytes]:
    cases = [
        case_text("own-topics", 'given topic $t records=raw("a")+kv("k","v")', "given name $n",
                  "send create-topic name=$n, keepalive", "expect topic-response",
                  "expect keepalive", needs="topics, ingest"),
        case_text("own-two", "connect c2", "send[c2] keepalive", "expect[c2] keepalive",
                  "send ingest topic_id=1 fill=5K:3", "expect ack"),
        case_text("own-fails", 'send ingest topic_id=1 records=ts(5,"x")', "expect ack batch_id=9"),
    ]
    server = fake_server(answering(lambda *_: None))
    outcome = conform("server", server.address, *case_file(*cases), "--seed", seed)
    assert outcome.verdicts == ["pass", "pass", "fail"], outcome.text
    return server.received()


def test_the_same_seed_gives_the_same_bytes_on_the_wire(conform, fake_server, case_file):
    first = wire_of_a_run(conform, fake_server, case_file, 0xBEEF)
    assert first == wire_of_a_run(conform, fake_server, case_file, 0xBEEF)
    names = [name for wire in first for name in re.findall(rb"lwpc-[0-9a-f]+-[0-9]+-[0-9]+", wire)]
    assert len(names) == len(set(names)) == 3  # One is kept for the whole run.
    assert all(name.startswith(b"lwpc-48879-") for name in names)


def test_another_seed_gives_other_topic_names(conform, fake_server, case_file):
    first = wire_of_a_run(conform, fake_server, case_file, 1)
    second = wire_of_a_run(conform, fake_server, case_file, 2)
    assert [b"lwpc-1-" in wire for wire in first] == [b"lwpc-2-" in wire for wire in second]
    assert not any(b"lwpc-1-" in wire for wire in second)
    assert [len(wire) for wire in first] == [len(wire) for wire in second]


def test_runs_without_a_seed_differ_and_say_theirs(conform, mock, case_file):
    seeds = [conform("server", mock, *case_file(PASSES)).events[0]["seed"] for _ in range(2)]
    assert seeds[0] != seeds[1]


def watching_topics(seen: list[str]):
    """Answers politely, and notes what a keeper is about."""

    def watch(_: Connection, frame: Frame) -> bytes | None:
        if frame.flags == CONTROL and frame.batch_id in (CREATE_TOPIC, DELETE_TOPIC):
            seen.append("create" if frame.batch_id == CREATE_TOPIC else "delete")
        elif frame.flags == BATCH:
            seen.append("case")
        return None

    return answering(watch)


BATCHES = [case_text(f"own-{i}", "send ingest topic_id=1", "expect ack") for i in range(2)]


def test_a_topic_is_kept_for_the_whole_run(conform, fake_server, case_file):
    """A server may lose data once it had no topics at all."""
    seen: list[str] = []
    server = fake_server(watching_topics(seen))
    outcome = conform("server", server.address, *case_file(*BATCHES))
    assert (outcome.status, outcome.verdicts) == (0, ["pass", "pass"])
    assert seen == ["create", "case", "case", "delete"]


def test_no_topic_is_kept_by_a_server_without_topics(conform, fake_server, case_file):
    seen: list[str] = []
    server = fake_server(watching_topics(seen))
    outcome = conform("server", server.address, *case_file(*BATCHES), "--without", "topics")
    assert (outcome.status, outcome.verdicts) == (0, ["pass", "pass"])
    assert seen == ["case", "case"]


def test_topics_of_a_run_are_gone_afterwards(conform, mock, case_file):
    case = case_text("own-topics", "given topic $t", "given name $n", "send create-topic name=$n",
                     "expect topic-response json.name=$n", needs="topics")
    outcome = conform("server", mock, *case_file(case, FAILS))
    assert outcome.verdicts == ["pass", "fail"]
    host, _, port = mock.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=DEADLINE) as sock:
        sock.sendall(control(LIST_TOPICS).sealed())
        answer = read_frame(sock)
    assert b"lwpc-" not in answer.payload
