# SPDX-License-Identifier: MIT
"""The page that conformance/html/report.py makes of JSON Lines."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import html

from conftest import ALL_SORTS, FAILS, PASSES, case_text, strict_json
from peer import BATCH, DEADLINE, ERROR_RESPONSE, Frame, answering, control

PROGRAM = Path(__file__).parent.parent / "html" / "report.py"
TOLD = [slug for slug, verdict in ALL_SORTS.items() if verdict in ("fail", "timeout", "xfail", "xpass")]


def make(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-I", str(PROGRAM), *map(str, arguments)],
                          capture_output=True, text=True, timeout=DEADLINE)


@pytest.fixture
def page_of(tmp_path):
    """The page of these reports, as a tree."""

    def read(*reports: Path, title: str = "A title") -> html.HtmlElement:
        out = tmp_path / "page.html"
        made = make(*reports, "-o", out, "--title", title)
        assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
        assert not out.with_name("page.html.part").exists()
        return html.document_fromstring(out.read_text(encoding="utf-8"))

    return read


def report_of(outcome) -> Path:
    return outcome.folder / "report.jsonl"


def matrix(page: html.HtmlElement) -> list[list[str]]:
    return [[cell.text_content().strip() for cell in row] for row in page.xpath("//table[@id='matrix']//tr")]


def section_of(page: html.HtmlElement, case_id: str, run: int = 0) -> html.HtmlElement:
    return page.get_element_by_id(f"{run}-{case_id}")


def facts_of(section: html.HtmlElement) -> dict[str, str]:
    (facts,) = section.iter("dl")
    return dict(zip((name.text for name in facts.iter("dt")),
                    (re.sub(r"\s+", " ", value.text_content()) for value in facts.iter("dd")), strict=True))


def test_the_matrix_has_a_row_a_case_and_a_column_a_run(conform, mock, all_sorts, case_file, page_of):
    one = all_sorts()
    other = conform("server", mock, *case_file(PASSES, case_text("own-more", "send keepalive", "expect keepalive")),
                    "--dialect", "spec")
    page = page_of(report_of(one), report_of(other))
    head, *rows = matrix(page)
    assert head == ["case", "level", f"{mock} lance", f"{mock} spec", "required"]
    cells = {row[0]: row[1:4] for row in rows}
    assert len(cells) == len(rows) == len(ALL_SORTS) + 1
    for slug, verdict in ALL_SORTS.items():
        second = other.cases[0]["verdict"] if slug == "own-passes" else "–"
        assert cells[f"LWP-2.3/{slug}"] == ["must", verdict, second]
    assert cells["LWP-2.3/own-more"] == ["must", "–", other.cases[1]["verdict"]]
    assert page.findtext(".//title") == page.findtext(".//h1") == "A title"


def test_every_run_of_one_report_is_a_column(conform, page_of):
    outcome = conform("selftest", "--filter", "LWP-11.3/*")
    head, *rows = matrix(page_of(report_of(outcome)))
    assert head[2:-1] == ["selftest spec", "selftest lance", "selftest lance-py"]
    assert {tuple(row[2:-1]) for row in rows} <= {("pass", "pass", "pass"), ("skip", "skip", "skip")}


def test_cases_stand_in_the_order_of_sections(conform, page_of):
    outcome = conform("selftest", "--dialect", "lance", seconds=60)
    _, *rows = matrix(page_of(report_of(outcome)))
    numbers = [[int(n) for n in re.findall(r"\d+", row[0].partition("/")[0])] for row in rows]
    assert len(rows) == len(outcome.cases) and numbers == sorted(numbers)
    assert [2] in numbers and [12] in [number[:1] for number in numbers]


def test_a_failure_ends_the_search(all_sorts, page_of):
    outcome = all_sorts()
    page = page_of(report_of(outcome))
    case = outcome.case_named("own-fails")
    section = section_of(page, case["id"])
    assert section.findtext("p") == case["reason"]
    assert facts_of(section) == {
        "required": "An ack is wanted.",
        "section": "2.3 (must): A server answers each Keepalive with a Keepalive.",
        "step": f"{case['file']}:{case['line']}", "expected": "ack", "actual": "keepalive",
        "differs": "flags, first differing byte at offset 5 of the frame",
        "capture": str(outcome.capture), "repeat": case["repeat"]}


def test_what_is_told_can_be_reached_from_the_matrix(all_sorts, page_of):
    page = page_of(report_of(all_sorts()))
    links = page.xpath("//table[@id='matrix']//a/@href")
    assert links == [f"#0-LWP-2.3/{slug}" for slug in TOLD]
    assert [section.get("id") for section in page.iter("section")] == [link[1:] for link in links]


def dumped(pre: html.HtmlElement) -> bytes:
    return bytes.fromhex("".join(line[8:56] for line in pre.text_content().splitlines()))


def test_the_dumps_show_both_directions_byte_for_byte(all_sorts, page_of):
    outcome = all_sorts()
    page = page_of(report_of(outcome))
    for slug in TOLD:
        case = outcome.case_named(slug)
        entries = [entry for entry in case["transcript"] if "hex" in entry]
        dumps = section_of(page, case["id"]).findall(".//pre")
        assert [dumped(pre) for pre in dumps] == [bytes.fromhex(e["hex"]) for e in entries]
        assert {entry["what"] for entry in entries} == {"sent", "received"}


def test_the_first_byte_that_differs_is_marked(conform, fake_server, case_file, page_of):
    def wrong(_, frame: Frame) -> bytes | None:
        return Frame(2, 0x4241).sealed() if frame.flags == BATCH else None

    case = case_text("own-acked", "send ingest topic_id=1", "expect ack batch_id=0x4141")
    outcome = conform("server", fake_server(answering(wrong)).address, *case_file(case))
    page = page_of(report_of(outcome))
    marks = page.findall(".//mark")
    assert outcome.case["offset"] in (5, 13)
    assert {mark.getparent().getparent().find("b").text for mark in marks} == {"received"}
    digits, text = (mark.text for mark in marks)
    received = bytes.fromhex(outcome.case["transcript"][-1]["hex"])
    assert bytes.fromhex(digits) == received[outcome.case["offset"]:][:1]
    assert text in (chr(int(digits, 16)), ".")
    at = marks[0].getprevious() is None and marks[0].getparent().text
    assert len(bytes.fromhex(at[8:])) == outcome.case["offset"]


def test_a_byte_that_differs_far_behind_is_shown(page_of, tmp_path, all_sorts):
    events = [strict_json(line) for line in report_of(all_sorts()).read_bytes().splitlines()]
    case = next(event for event in events if event.get("id") == "LWP-2.3/own-fails")
    entry = next(entry for entry in case["transcript"] if "differs_at" in entry)
    entry["hex"] = "00" * 5000 + "5a" + "00" * 3000
    entry["differs_at"] = 5000
    report = tmp_path / "far.jsonl"
    report.write_text("".join(json.dumps(event) + "\n" for event in events))
    section = section_of(page_of(report), case["id"])
    assert [mark.text for mark in section.findall(".//mark")] == ["5a", "Z"]
    left_out = [int(re.search(r"(\d+) bytes", span.text)[1]) for span in section.find_class("left-out")]
    shown = sum(len(dumped(html.fromstring(f"<pre>{line}</pre>")))
                for line in section.findall(".//pre")[-1].text_content().splitlines() if "…" not in line)
    assert shown < 1000 and shown + sum(left_out) == 8001


def test_what_belongs_to_no_case_has_its_row(conform, mock_program, case_file, page_of):
    command = f"exec {mock_program} --listen 127.0.0.1:{{port}}"
    outcome = conform("server", "--target-cmd", command, "--max-memory", "1K", *case_file(PASSES))
    page = page_of(report_of(outcome))
    facts = facts_of(section_of(page, "target/memory"))
    assert facts["expected"] == "at most 1024 bytes" and facts["step"] == "target.def:1"
    assert {row[0] for row in matrix(page)} >= {"target/threads", "LWP-2.3/own-passes"}


HOSTILE = [b"</script><script>alert(1)</script>", b"<img src=x onerror=alert(1)>", b"\"'><b>&amp;{{7*7}}",
           b"]]><!-- </style></title>"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_of_the_server_is_text(conform, fake_server, case_file, page_of, text):
    wire = control(ERROR_RESPONSE, text).sealed()
    server = fake_server(answering(lambda _, frame: wire if frame.batch_id == 3 else None))
    cases = case_file(case_text("own-text", "send list-topics", "expect topic-response", text="<i>&lt;</i>"),
                      name="<b> & 'c'.lwps")
    outcome = conform("server", server.address, *cases)
    page = page_of(report_of(outcome), title=text.decode())
    case = outcome.case
    section = section_of(page, case["id"])
    facts = facts_of(section)
    assert text.decode() in case["actual"].replace(r'\x22', '"')
    assert facts["actual"] == case["actual"] and facts["required"] == "<i>&lt;</i>"
    assert facts["repeat"] == case["repeat"] and facts["step"].startswith(case["file"])
    assert section.findtext("p") == case["reason"]
    assert page.xpath("//td/@title") == [case["reason"]]
    assert case["transcript"][-1]["frames"] == [section.findall(".//li/code")[-1].text]
    assert page.findtext(".//h1") == page.findtext(".//title") == text.decode()
    assert len(page.findall(".//script")) == 1
    assert not page.xpath("//img | //i | //section//b[not(parent::li)] | //@onerror")


def test_bytes_that_html_has_no_place_for_are_replaced(tmp_path, all_sorts, page_of):
    report = tmp_path / "bad.jsonl"
    lines = report_of(all_sorts()).read_text().replace("An ack is wanted.", r"\u0000\u001b\ud800\uffff.")
    report.write_text(lines)
    facts = facts_of(section_of(page_of(report), "LWP-2.3/own-fails"))
    assert facts["required"] == "\ufffd" * 4 + "."


def test_the_page_needs_nothing_else_and_lets_nothing_in(all_sorts, page_of):
    page = page_of(report_of(all_sorts()))
    assert not page.xpath("//@src | //link | //@href[not(starts-with(., '#'))] | //iframe | //object")
    policy = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    for name, text in (("script", page.findtext(".//script")), ("style", page.findtext(".//style"))):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
        assert "url(" not in text and "import" not in text and "http" not in text
    assert policy.startswith("default-src 'none';")
    assert not page.xpath("//@*[starts-with(name(), 'on')] | //@style")


def test_the_page_can_be_read_without_its_script(all_sorts, page_of):
    page = page_of(report_of(all_sorts()))
    assert page.find(".//form").get("hidden") is not None
    assert not page.xpath("//*[@hidden and not(self::form)]")


def test_what_the_filters_offer_is_what_the_rows_have(all_sorts, page_of):
    page = page_of(report_of(all_sorts()))
    rows = page.xpath("//*[@data-row]")
    assert len(rows) == len(ALL_SORTS) + len(TOLD)
    for name in ("verdict", "section", "level"):
        offered = {option.text for option in page.xpath(f"//select[@name='{name}']/option")} - {"any"}
        had = {word for row in rows for word in row.get(f"data-{name}").split(" ")}
        assert had <= offered and (had == offered or name == "level")
    for slug, verdict in ALL_SORTS.items():
        (row,) = page.xpath(f"//tr[starts-with(@data-text, 'LWP-2.3/{slug} ')]")
        assert row.get("data-verdict") == verdict


def test_a_run_that_was_cut_short_is_said_to_be(all_sorts, tmp_path, page_of):
    lines = report_of(all_sorts()).read_bytes().splitlines(keepends=True)
    report = tmp_path / "cut.jsonl.part"
    report.write_bytes(b"".join(lines[:4]))
    page = page_of(report)
    assert page.find_class("cut")[0].text == "cut short"
    assert len(matrix(page)) == 1 + 3
    assert not page_of(report_of(all_sorts())).find_class("cut")


def test_a_run_without_failures_has_a_page(conform, mock, case_file, page_of):
    page = page_of(report_of(conform("server", mock, *case_file(PASSES))))
    assert len(matrix(page)) == 2 and not list(page.iter("section"))


BEGIN = b'{"event":"begin","schema_version":2,"version":"1","target":"t","dialect":"lance","seed":1}\n'


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no run"),
        (b"no json\n", ":1: "),
        (b"\xff\xfe\n", ":1: "),
        (b"[]\n", ":1: "),
        (b"{}\n", "'event'"),
        (b"[" * 100_000, ":1: "),
        (b'{"event":"begin","schema_version":1}\n', "schema version 1, not 2"),
        (b'{"event":"case","id":"LWP-1/a"}\n', "outside of a run"),
        (BEGIN + b'{"event":"more"}\n', ":2: no such event: more"),
        (BEGIN + b'{"event":"case","id":7,"verdict":"pass"}\n', "not as lwp-conform writes it"),
        (BEGIN + b'{"event":"case","id":"LWP-1/a","verdict":"pass"}\n', "not as lwp-conform writes it"),
        (BEGIN + b'{"event":"case","id":"LWP-1/a","verdict":"fail","transcript":[{"hex":"0"}]}\n',
         "not as lwp-conform writes it"),
    ],
)
def test_what_is_no_report_is_told_and_makes_no_page(tmp_path, content, told):
    report, out = tmp_path / "report.jsonl", tmp_path / "page.html"
    report.write_bytes(content)
    out.write_text("before")
    made = make(report, "-o", out)
    assert made.returncode == 3
    assert made.stderr.startswith("report.py: ") and told in made.stderr
    assert made.stderr.count("\n") == 1
    assert out.read_text() == "before"


def test_files_that_can_not_be_read_or_written_are_told(all_sorts, tmp_path):
    missing = make(tmp_path / "none", "-o", tmp_path / "page.html")
    assert (missing.returncode, missing.stderr) == (3, f"report.py: {tmp_path / 'none'}: No such file or directory\n")
    there = tmp_path / "none" / "page.html"
    refused = make(report_of(all_sorts()), "-o", there)
    assert (refused.returncode, refused.stderr) == (3, f"report.py: {there}: No such file or directory\n")


@pytest.mark.parametrize("arguments", [[], ["a.jsonl"], ["-o", "a.html"], ["--more", "a", "-o", "b"]])
def test_wrong_usage_is_told(arguments):
    made = make(*arguments)
    assert made.returncode == 64 and "usage: report.py" in made.stderr


def test_the_program_works_where_it_is_copied_to(all_sorts, tmp_path):
    copy = tmp_path / "share"
    shutil.copytree(PROGRAM.parent, copy)
    out = tmp_path / "page.html"
    subprocess.run([sys.executable, "-I", copy / PROGRAM.name, report_of(all_sorts()), "-o", out], check=True,
                   cwd="/", timeout=DEADLINE)
    assert out.read_text().startswith("<!DOCTYPE html>")
