# SPDX-License-Identifier: MIT
"""TAP, the Markdown summary and the capture, and what holds of all forms of reports: they fit their
schemas, and there are whole ones or none."""

from __future__ import annotations

import copy
import json
import os
import re
import resource
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
from lxml import html
from markdown_it import MarkdownIt

from conftest import (
    ALL_SORTS,
    EVENT_SCHEMA,
    FAILS,
    KEPT_ALIVE,
    NOT_ACKED,
    PASSES,
    REPORTS,
    REQUIREMENT,
    case_text,
    must_be_sound,
)
from peer import (
    BATCH,
    DEADLINE,
    ERROR_RESPONSE,
    KEEPALIVE_WIRE,
    Connection,
    Frame,
    answering,
    control,
)
from tap import KNOWN, SKIPPED, read_tap

VERDICTS = Path(__file__).parent.parent / "verdicts.def"
HOSTILE = [b"<script>alert(1)</script> <!-- ]]> <b> | c", b"[a](http://x) `b` **c** # d ~~e~~ \\ &lt;",
           b"| $x$ ![f](g) _h_ <http://x> </td></table>"]


def saying(text: bytes):
    """A server with this error for whoever asks for the topics."""
    wire = control(ERROR_RESPONSE, text).sealed()
    return answering(lambda _, frame: wire if frame.batch_id == 3 else None)


ASKS = case_text("own-text", "send list-topics", 'expect error-response text="Topic not found"')


# JSON Lines


def test_a_line_that_lacks_or_adds_a_member_does_not_fit_the_schema(all_sorts, event_validator):
    for event in all_sorts().events:
        assert not event_validator.is_valid({**event, "more": 1})
        for name in event.keys() - {"capture", "field", "offset"}:
            lacking = copy.deepcopy(event)
            del lacking[name]
            assert not event_validator.is_valid(lacking), name


def test_the_schema_knows_the_verdicts():
    words = re.findall(r'^VERDICT\(\w+, +"([a-z-]+)"', VERDICTS.read_text(), re.MULTILINE)
    assert json.loads(EVENT_SCHEMA.read_text())["$defs"]["verdict"]["enum"] == words


def test_the_slowest_cases_are_named_slowest_first(conform, mock, case_file):
    cases = [case_text(f"own-{ms}-ms", *KEPT_ALIVE, f"silent {ms}ms", needs="slow")
             for ms in (2, 200, 100)]
    cases += [case_text(f"own-{i}", *KEPT_ALIVE) for i in range(9)]
    outcome = conform("server", mock, *case_file(*cases))
    slowest = outcome.end["slowest"]
    durations = {case["id"]: case["duration_ns"] for case in outcome.cases}
    assert [(slow["id"], slow["duration_ns"]) for slow in slowest] == sorted(
        durations.items(), key=lambda one: -one[1])[:10]
    assert durations["LWP-2.3/own-200-ms"] > 200e6
    for report in (outcome.text, outcome.tap, outcome.markdown):
        names = re.findall(r"^.*slowest.*\n", report, re.MULTILINE | re.IGNORECASE)
        told = report[report.index(names[0]):]
        assert re.findall(r"\d\.\d{3}(?: ms +| \| | )(LWP-2\.3/\S+)", told) == [
            slow["id"] for slow in slowest]


def test_the_byte_that_differs_is_marked_where_it_lies(conform, fake_server, case_file):
    case = case_text("own-second", "send keepalive, list-topics", "expect keepalive",
                     "expect error-response code=topic-not-found")
    outcome = conform("server", fake_server(saying(b"Nothing here")).address, *case_file(case))
    marked = [entry for entry in outcome.case["transcript"] if "differs_at" in entry]
    assert [entry["frames"] for entry in marked] == [['error-response text="Nothing here"']]
    assert marked[0]["differs_at"] == outcome.case["offset"] >= 44
    assert marked[0]["line"] == outcome.case["line"]
    assert outcome.text.count(">") == 1


def test_no_byte_is_marked_that_is_not_shown(conform, fake_server, case_file):
    case = case_text("own-full", "send ingest topic_id=1 fill=700K:3", "expect ack batch_id=9")
    outcome = conform("server", fake_server(answering(lambda *_: None)).address, *case_file(case))
    assert outcome.case["offset"] == 12
    assert outcome.case["transcript"][-1]["lost_bytes"] == 44
    assert "differs_at" not in str(outcome.case["transcript"]) and ">" not in outcome.text


# TAP


def test_tap_says_what_became_of_every_case(all_sorts):
    outcome = all_sorts()
    points = read_tap(outcome.tap)
    directives = {"skip": SKIPPED, "xfail": KNOWN}
    for point, case, (slug, verdict) in zip(points, outcome.cases, ALL_SORTS.items(), strict=True):
        assert point.description == f"LWP-2.3/{slug} lance"
        assert point.ok == (verdict in ("pass", "pass-lenient", "skip"))
        assert point.directive == directives.get(verdict, "")
        if point.directive:
            assert point.reason == case["reason"]


def test_tap_is_as_green_as_the_exit_status(conform, mock, case_file, expect_file):
    """What is known to fail fails no reader, so an unexpected pass is not."""
    cases = case_file(case_text("own-passes", *KEPT_ALIVE), FAILS)
    expected = expect_file("xfail LWP-2.3/own-fails known\nxfail LWP-2.3/own-passes was broken\n")
    outcome = conform("server", mock, *cases, *expected)
    assert outcome.status == 2
    assert [(p.ok, p.directive) for p in read_tap(outcome.tap)] == [(False, ""), (False, KNOWN)]


def test_tap_ends_the_search_for_a_failure(all_sorts):
    outcome = all_sorts()
    for point, case in zip(read_tap(outcome.tap), outcome.cases, strict=True):
        told = point.diagnostics
        if case["verdict"] in ("pass", "pass-lenient", "skip"):
            assert told == {}
            continue
        assert (told["verdict"], told["level"]) == (case["verdict"], case["level"])
        assert told["message"] == case["reason"]
        assert told["duration_ms"] == pytest.approx(case["duration_ns"] / 1e6, abs=0.001)
        assert told["required"] == case["text"]
        assert told["section"] == [f"2.3 (must): {REQUIREMENT}"]
        assert told["repeat"] == [case["repeat"]]
        assert told.get("class", [""]) == [case["class"]]
        assert told["capture"] == [str(outcome.capture)]
        frames = [f"  {line}" for entry in case["transcript"] for line in entry.get("frames", [])]
        assert [line for line in told["transcript"] if line.startswith("  ")] == frames
        for name in ("expected", "actual"):
            assert told.get(name, [""]) == [case[name]]


def test_tap_of_several_runs_has_one_plan(conform, listed):
    outcome = conform("selftest", "--filter", "LWP-11.3/*")
    names = [point.description for point in read_tap(outcome.tap)]
    ids = list(listed("--filter", "LWP-11.3/*"))
    assert names == [f"{name} {dialect}" for dialect in ("spec", "lance", "lance-py") for name in ids]


READ_BY_PERL = """
use strict; use warnings; use TAP::Parser; use JSON::PP;
my ($parser, @points, @more) = TAP::Parser->new({tap => do {local $/; <STDIN>}});
while (my $result = $parser->next) {
    push @points, [$result->is_actual_ok, $result->directive] if $result->is_test;
    $points[-1][2] = $result->data if $result->is_yaml;
}
my %told = (points => \\@points, errors => [$parser->parse_errors], plan => $parser->tests_planned,
            failed => [$parser->failed]);
print JSON::PP->new->ascii->allow_nonref->encode(\\%told);
"""


def test_a_reader_of_tap_that_is_not_ours_reads_the_same(all_sorts):
    """Perl's; that of Debian 12 knows version 13, which has all that is used."""
    tap = all_sorts().tap.replace("TAP version 14\n", "TAP version 13\n")
    read = subprocess.run(["perl", "-e", READ_BY_PERL], input=tap.encode(), capture_output=True,
                          timeout=DEADLINE)
    assert read.returncode == 0, read.stderr
    told = json.loads(read.stdout)
    points = read_tap(tap.replace("version 13", "version 14"))
    assert (told["errors"], told["plan"]) == ([], len(points))
    assert told["failed"] == [p.number for p in points if not p.ok and p.directive != KNOWN]
    for (ok, directive, diagnostics), point in zip(
            ((*row, None)[:3] for row in told["points"]), points, strict=True):
        assert (bool(ok), directive) == (point.ok, point.directive)
        if point.diagnostics:
            assert diagnostics == {**point.diagnostics,
                                   "duration_ms": diagnostics["duration_ms"]}


def test_all_forms_tell_where_it_is_known_from(conform, fake_server):
    outcome = conform("server", fake_server(saying(b"no")).address, "--filter",
                      "LWP-5.2/unknown-command", "--without", "topics")
    source = "corpus/golden: cmd-25"
    assert outcome.case["sources"] == [source]
    assert f"  source   {source}\n" in outcome.text
    assert [point.diagnostics["source"] for point in read_tap(outcome.tap)] == [[source]]
    assert dict(rows_of(page_of(outcome.markdown).findall(".//table")[1]))["source"] == source
    assert f"\nsource {source}\n" in next(outcome.junit.iter("failure")).text


@pytest.mark.parametrize("reason", ["see #12", r"a \ b", f"# {KNOWN} it", "1..4", "%s%n", "- ---"])
def test_a_reason_means_nothing_to_tap(conform, mock, case_file, expect_file, reason):
    outcome = conform("server", mock, *case_file(FAILS), *expect_file(f"xfail LWP-2.3/own-fails {reason}\n"))
    (point,) = read_tap(outcome.tap)
    assert (point.directive, point.reason) == (KNOWN, reason)


# Markdown


def page_of(markdown: str) -> html.HtmlElement:
    """As a reader that is not ours shows it."""
    shown = MarkdownIt("gfm-like", {"linkify": False}).render(markdown)
    return html.document_fromstring(f"<html><body>{shown}</body></html>").body


def rows_of(table: html.HtmlElement) -> list[list[str]]:
    return [[cell.text_content() for cell in row.iter("td")] for row in table.iter("tr")
            if row.find("td") is not None]


def test_the_summary_counts_and_tells_the_unexpected_first(all_sorts, mock):
    outcome = all_sorts("--seed", 7)
    page = page_of(outcome.markdown)
    assert page.find("h2").text_content() == f"{mock}, dialect lance: 3 of 9 cases unexpected"
    counts = {row[0]: int(row[1]) for row in rows_of(page.find(".//table"))}
    assert counts == {verdict: list(ALL_SORTS.values()).count(verdict)
                      for verdict in ALL_SORTS.values()}
    assert [title.text for title in page.iter("h3", "h4")] == [
        "Unexpected", "fail: LWP-2.3/own-fails (must)", "timeout: LWP-2.3/own-times-out (must)",
        "xpass: LWP-2.3/own-xpasses (must)", "Known to fail", "Slowest"]
    assert [item.text for item in page.iter("li")] == ["xfail LWP-2.3/own-xfails: it is broken"]
    assert "seed 7" in page.text_content()


def test_the_summary_ends_the_search_for_a_failure(all_sorts):
    outcome = all_sorts()
    page = page_of(outcome.markdown)
    facts = dict(rows_of(page.findall(".//table")[1]))
    case = outcome.case_named("own-fails")
    assert facts == {"required": "An ack is wanted.", "section": f"2.3 (must): {REQUIREMENT}",
                     "step": f"{case['file']}:{case['line']}", "expected": "ack",
                     "actual": "keepalive", "capture": str(outcome.capture), "class": "field:flags",
                     "differs": "flags, first differing byte at offset 5 of the frame"}
    commands = [code.text for code in page.iter("code")]
    assert commands == [f"{c['repeat']}\n" for c in outcome.cases
                        if c["verdict"] in ("fail", "timeout", "xpass")]


def test_a_summary_of_what_is_as_expected_is_short(conform, mock, case_file):
    outcome = conform("server", mock, *case_file(PASSES))
    assert page_of(outcome.markdown).find("h2").text_content().endswith(": all as expected")
    assert "Unexpected" not in outcome.markdown and "Known" not in outcome.markdown
    assert len(outcome.markdown) < 600


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_mark_up_nothing_in_the_summary(conform, fake_server, case_file, text):
    file = case_file(ASKS, name="a `b` ```` <i>.lwps")
    outcome = conform("server", fake_server(saying(text)).address, *file)
    page = page_of(outcome.markdown)
    facts = dict(rows_of(page.findall(".//table")[1]))
    assert facts["actual"] == outcome.case["actual"]
    assert text.decode().replace("\\", r"\x5c") in facts["actual"]
    assert facts["step"] == f"{outcome.case['file']}:5"
    assert [code.text for code in page.iter("code")] == [f"{outcome.case['repeat']}\n"]
    names = {element.tag for element in page.iter()}
    assert names <= {"body", "h2", "h3", "h4", "p", "table", "thead", "tbody", "tr", "th", "td",
                     "pre", "code"}


def test_a_command_of_several_lines_stays_a_command_in_the_summary(conform, mock, case_file):
    fails = case_text("own-fails", *NOT_ACKED)
    outcome = conform("server", mock, *case_file(fails, name="a\n````\n# <b>c"))
    assert outcome.status == 1 and "\n````\n" in outcome.case["repeat"]
    page = page_of(outcome.markdown)
    assert [code.text for code in page.iter("code")] == [f"{outcome.case['repeat']}\n"]
    assert not list(page.iter("h1", "b"))


def test_a_summary_fits_the_page_of_a_job_and_says_what_it_lacks(conform, mock, case_file):
    cases = [case_text(f"own-{i}", *NOT_ACKED, text="|`" * 700) for i in range(400)]
    outcome = conform("server", mock, *case_file(*cases), seconds=60)
    assert outcome.verdicts == ["fail"] * 400
    assert 400_000 < len(outcome.markdown.encode()) < 524_288
    page = page_of(outcome.markdown)
    told = len(list(page.iter("h4")))
    assert f"{400 - told} more, for which there is no room here." in page.text_content()
    assert page.find("h2").text_content().endswith("400 of 400 cases unexpected")


def test_a_long_text_is_cut_in_whole_characters(conform, mock, case_file):
    text = "a" + "\N{SNOWMAN}" * 1000
    outcome = conform("server", mock, *case_file(case_text("own-long", *NOT_ACKED, text=text)))
    required = dict(rows_of(page_of(outcome.markdown).findall(".//table")[1]))["required"]
    assert required == "a" + "\N{SNOWMAN}" * 666 + "…"


# The capture


def tshark(capture: Path, *options: str) -> list[str]:
    """tshark judges checksums only if it is told to."""
    done = subprocess.run(["tshark", "-n", "-r", str(capture), "-o", "tcp.check_checksum:TRUE", "-o",
                           "ip.check_checksum:TRUE", *options],
                          capture_output=True, text=True, errors="replace", timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def fields(capture: Path, *names: str) -> list[list[str]]:
    options = [word for name in names for word in ("-e", name)]
    return [row.split("\t") for row in tshark(capture, "-T", "fields", *options)]


def bytes_of_streams(capture: Path) -> dict[tuple[int, str], str]:
    """What went each way on each connection: by its number and the sender's port."""
    seen: dict[tuple[int, str], str] = defaultdict(str)
    for stream, port, payload in fields(capture, "tcp.stream", "tcp.srcport", "tcp.payload"):
        seen[int(stream), port] += payload
    return seen


def nothing_is_wrong_with(capture: Path) -> None:
    rows = tshark(capture, "-Y", "_ws.malformed || tcp.analysis.flags || tcp.checksum.status != 1 || "
                                 "ip.checksum.status != 1 || _ws.expert.severity > 6291456 || "
                                 "(_ws.expert.severity == 6291456 && tcp.flags.reset == 0)")
    assert rows == []
    assert len(tshark(capture, "-Y", "tcp.checksum.status == 1")) == len(tshark(capture)) > 0


def test_tshark_finds_nothing_wrong_with_a_capture(all_sorts):
    nothing_is_wrong_with(all_sorts().capture)


def test_tshark_finds_nothing_wrong_with_the_capture_of_a_selftest(conform):
    outcome = conform("selftest", "--filter", "LWP-2/*")
    nothing_is_wrong_with(outcome.capture)
    times = [float(time) for (time,) in fields(outcome.capture, "frame.time_epoch")]
    assert times == sorted(times)


class Recorder:
    """A socket that keeps what is read from it."""

    def __init__(self, sock, kept: bytearray) -> None:
        self.sock, self.kept = sock, kept

    def __getattr__(self, name: str):
        return getattr(self.sock, name)

    def recv(self, size: int) -> bytes:
        got = self.sock.recv(size)
        self.kept += got
        return got


def test_the_capture_has_all_bytes_both_ways(conform, fake_server, case_file):
    """More than the transcripts keep, and what belongs to no case; each time that one is run."""
    large = case_text("own-large", "send ingest topic_id=1 fill=700K:3", "expect ack",
                      "send list-topics", "expect topic-response")
    answer = control(0x80, b'{"topics":[],"more":"' + b"x" * 300_000 + b'"}').sealed()
    raw: list[bytearray] = []

    def keep_raw(connection: Connection) -> None:
        """What came, and not what it was understood as."""
        raw.append(bytearray())
        connection.sock = Recorder(connection.sock, raw[-1])
        answering(lambda _, frame: answer if frame.batch_id == 3 else None)(connection)

    server = fake_server(keep_raw)
    outcome = conform("server", server.address, *case_file(large, FAILS))
    assert outcome.verdicts == ["pass", "fail"]
    port = server.address.rpartition(":")[2]
    seen = bytes_of_streams(outcome.capture)
    sent = [seen[stream, peer] for stream, peer in sorted(seen) if peer != port]
    server.received()
    assert sent == [wire.hex() for wire in raw]
    assert len(max(raw, key=len)) > 700_000
    assert answer.hex() in max((seen[key] for key in seen if key[1] == port), key=len)


def test_a_capture_has_a_limit_and_says_what_it_lacks(conform, fake_server, case_file, tmp_path):
    """A case keeps 64 MiB; its verdict is the same as without a capture."""
    answer = control(0x80, b'{"more":"' + b"x" * 13_000_000 + b'"}').sealed()
    server = fake_server(answering(lambda _, frame: answer if frame.batch_id == 3 else None))
    asked = ["send list-topics", "expect topic-response"] * 6
    outcome = conform("server", server.address, *case_file(case_text("own-large", *asked)), "--pcap",
                      tmp_path / "capture", measured=True, seconds=30)
    assert (outcome.status, outcome.verdicts) == (0, ["pass"])
    rows = fields(tmp_path / "capture", "frame.comment", "tcp.stream", "tcp.srcport", "tcp.len")
    own = {stream: comment for comment, stream, *_ in rows if "case=LWP-2.3/own-large" in comment}
    missing = {re.search(r"missing=(\d+)", comment)[1] for comment in own.values()}
    kept = sum(int(size) for _, stream, port, size in rows
               if stream in own and port == server.address.rpartition(":")[2])
    assert 48 << 20 < kept <= 64 << 20
    assert [int(size) for size in missing] == [6 * len(answer) - kept]
    assert outcome.grown_kib < 160 << 10


def test_the_comments_say_which_case_step_and_verdict(conform, fake_server, case_file):
    def wrong(_: Connection, frame: Frame) -> bytes | None:
        return Frame(2, 9).sealed() if frame.flags == BATCH else None

    case = case_text("own-acked", "send ingest topic_id=7", "expect ack batch_id=1")
    outcome = conform("server", fake_server(answering(wrong)).address, *case_file(case, PASSES))
    comments = [row[0] for row in fields(outcome.capture, "frame.comment") if row[0]]
    of_case = [comment for comment in comments if "own-acked" in comment]
    reason = outcome.case_named("own-acked")["reason"]
    assert of_case == [
        "case=LWP-2.3/own-acked connection=c1 verdict=fail chop=none",
        "case=LWP-2.3/own-acked connection=c1 line=4 verdict=fail chop=none",
        f"case=LWP-2.3/own-acked connection=c1 line=5 verdict=fail chop=none differs=flags offset=5: {reason}",
        "case=LWP-2.3/own-acked connection=c1 verdict=fail chop=none"] * 3
    others = {comment.partition(" connection=")[0] for comment in comments} - {of_case[0].split()[0]}
    assert others == {"sanity exchange", "kept topic", "case=LWP-2.3/own-passes"}


def test_the_capture_tells_how_connections_end(conform, fake_server, case_file):
    def hang_up(connection: Connection) -> None:
        for frame in connection.frames():
            if frame.flags == BATCH:
                return
            connection.send(KEEPALIVE_WIRE)

    cases = [case_text("own-1", "send ingest topic_id=1", "expect close fin"),
             case_text("own-2", *KEPT_ALIVE, "close rst"),
             case_text("own-3", *KEPT_ALIVE, "close half", "expect close"),
             case_text("own-4", *KEPT_ALIVE)]
    server = fake_server(hang_up)
    outcome = conform("server", server.address, *case_file(*cases), "--without", "topics")
    assert outcome.verdicts == ["pass"] * 4, outcome.text
    port = server.address.rpartition(":")[2]
    ends = defaultdict(list)
    for comment, sender, fin, reset in fields(outcome.capture, "frame.comment", "tcp.srcport",
                                              "tcp.flags.fin", "tcp.flags.reset"):
        if (fin, reset) != ("0", "0"):
            who = "target" if sender == port else "us"
            ends[comment.split()[0].rpartition("/")[2]].append((who, "fin" if fin == "1" else "rst"))
    assert [ends[f"own-{i}"] for i in (1, 2, 3, 4)] == [
        [("target", "fin"), ("us", "fin")], [("us", "rst")],
        [("us", "fin"), ("target", "fin")], [("us", "fin")]]


# What belongs to no case, and runs that are not plain


def test_all_forms_tell_what_a_started_target_took(conform, mock_program, case_file):
    command = f"exec {mock_program} --listen 127.0.0.1:{{port}}"
    outcome = conform("server", "--target-cmd", command, "--max-memory", "1K", *case_file(PASSES))
    case = next(case for case in outcome.cases if case["id"] == "target/memory")
    assert outcome.status == 1 and case["verdict"] == "fail"
    assert "--max-memory 1K" in case["repeat"] and "--filter" not in case["repeat"]
    assert case["id"] not in [slow["id"] for slow in outcome.end["slowest"]]
    for told in (f"  required {case['text'][0]}\n", f"  expected {case['expected']}\n",
                 f"  actual   {case['actual']}\n", f"  repeat   {case['repeat']}\n"):
        assert told in outcome.text
    (point,) = [point for point in read_tap(outcome.tap) if not point.ok]
    assert point.description == "target/memory lance"
    assert point.diagnostics["actual"] == [case["actual"]]
    assert dict(rows_of(page_of(outcome.markdown).findall(".//table")[1]))["actual"] == case["actual"]
    (failure,) = outcome.junit.iter("failure")
    assert failure.text.startswith(f"\nrequired {case['text'][0]}\nexpected ")


def test_all_forms_tell_how_a_run_was_cut_and_shuffled(conform, mock, case_file):
    axes = "chop none 43,1, shuffle 7"
    outcome = conform("server", mock, *case_file(FAILS), "--chop", "none", "--chop", "43,1",
                      "--shuffle", 7)
    assert outcome.events[0]["axes"] == axes
    assert outcome.text.splitlines()[1] == f"axes {axes}"
    assert f", axes {axes}\n" in outcome.markdown
    properties = {p.get("name"): p.get("value") for p in outcome.junit.iter("property")}
    assert properties["axes"] == axes


def test_the_capture_has_every_time_that_a_case_was_run(conform, fake_server, case_file):
    server = fake_server(answering(lambda *_: None))
    outcome = conform("server", server.address, *case_file(FAILS, PASSES), "--chop", "none", "--chop",
                      "43,1", "--shuffle", 1, "--without", "topics")
    nothing_is_wrong_with(outcome.capture)
    streams = {row[0] for row in fields(outcome.capture, "tcp.stream")}
    assert len(streams) == len(server.received())


# Whole reports or none


@pytest.mark.parametrize("option", REPORTS)
def test_a_report_that_can_not_be_opened_is_told_before_the_run(conform, fake_server, case_file,
                                                                tmp_path, option):
    server = fake_server(answering(lambda *_: None))
    aside = [word for other in REPORTS if other != option for word in (other, tmp_path / other)]
    for path, why in ((tmp_path / "none" / "report", "No such file"), (tmp_path, "Is a directory"), ("", "No such file"),
                      ("/proc/1/none/report", "No such file")):
        outcome = conform("server", server.address, *case_file(PASSES), *aside, option, path,
                          reports=False)
        assert outcome.status == 3
        assert f"can not write {path}: {why}" in outcome.stderr
    assert server.received() == []
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("--")]


@pytest.mark.parametrize("option", REPORTS)
def test_a_report_on_a_full_disk_is_told(conform, mock, case_file, option):
    outcome = conform("server", mock, *case_file(PASSES), option, "/dev/full", reports=False)
    assert outcome.status == 3
    assert "could not be written: /dev/full: No space left on device\n" in outcome.stderr


@pytest.mark.parametrize("option", REPORTS)
def test_of_a_report_that_finds_no_room_nothing_is_left(conform_program, mock, case_file, tmp_path, option):
    """A limit on the size of files is met as a full disk is: amid the file."""
    cases = case_file(*[case_text(f"own-{i}", *NOT_ACKED) for i in range(20)])
    path = tmp_path / "report"
    path.write_text("before")
    run = subprocess.run([conform_program, "server", mock, *cases, "--text", "/dev/null", option, path]
                         if option != "--text" else [conform_program, "server", mock, *cases, option, path],
                         capture_output=True, text=True, timeout=DEADLINE, restore_signals=False,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
    assert run.returncode == 1  # The failures count for more.
    assert f"could not be written: {path}: File too large" in run.stderr
    assert path.read_text() == "before" and not path.with_name("report.part").exists()


@pytest.mark.parametrize("option", REPORTS)
def test_a_report_whose_folder_goes_is_told(conform, fake_server, case_file, tmp_path, option):
    folder = tmp_path / "going"
    folder.mkdir()

    def remove(*_: object) -> None:
        shutil.rmtree(folder, ignore_errors=True)

    outcome = conform("server", fake_server(answering(remove)).address, *case_file(PASSES), option,
                      folder / "report", reports=False)
    assert outcome.status == 3
    assert f"could not be written: {folder / 'report'}: No such file" in outcome.stderr


def test_reports_leave_nothing_else_behind(all_sorts):
    outcome = all_sorts()
    assert {path.name for path in outcome.folder.iterdir()} == {"stdout", "stderr", *REPORTS.values()}


def test_a_report_replaces_what_its_name_leads_to(conform, mock, case_file, tmp_path):
    (tmp_path / "old").write_text("old")
    (tmp_path / "link").symlink_to("old")
    outcome = conform("server", mock, *case_file(PASSES), "--tap", tmp_path / "link", reports=False)
    assert outcome.status == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "old").read_text().startswith("TAP version 14\n")


def test_two_reports_in_one_file_by_two_names_are_told(conform, mock, case_file, tmp_path):
    (tmp_path / "old").write_text("old")
    (tmp_path / "link").symlink_to("old")
    outcome = conform("server", mock, *case_file(PASSES), "--tap", tmp_path / "link", "--markdown",
                      tmp_path / "old", reports=False)
    assert outcome.status == 3
    assert "two reports in one file" in outcome.stderr
    assert (tmp_path / "old").read_text() == "old" and not (tmp_path / "old.part").exists()


def test_a_report_does_not_replace_what_standard_output_goes_to(conform_program, mock, case_file,
                                                                tmp_path):
    path = tmp_path / "both"
    with open(path, "wb") as out:
        run = subprocess.run([conform_program, "server", mock, *case_file(PASSES), "--tap", path],
                             stdout=out, stderr=subprocess.PIPE, text=True, timeout=DEADLINE)
    assert run.returncode == 3
    assert "two reports in one file" in run.stderr


@pytest.mark.parametrize("option", REPORTS)
def test_a_report_can_go_into_a_pipe(conform_program, mock, case_file, tmp_path, option):
    reading, writing = os.pipe()
    run = subprocess.run([conform_program, "server", mock, *case_file(PASSES), "--text",
                          tmp_path / "text", option, f"/dev/fd/{writing}"] if option != "--text" else
                         [conform_program, "server", mock, *case_file(PASSES), option,
                          f"/dev/fd/{writing}"],
                         pass_fds=[writing], capture_output=True, text=True, timeout=DEADLINE)
    os.close(writing)
    with open(reading, "rb") as pipe:
        assert len(pipe.read()) > 40
    assert run.returncode == 0
    must_be_sound(run.stderr)
