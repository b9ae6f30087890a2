#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the cases that are a grid: conformance/cases/*-grid.lwps.

Three grids: each field of the header by the values at its limits and by the kind of frame; each control
payload by where it ends; the kinds of frames by the state of the connection. What must come of a frame is
worked out here from the rules of the specification and of the deployed server (docs/server.md,
docs/dialects.md), never from what a mock has answered. What the hand-written cases have is left out.

--check writes nothing and fails if the files hold anything else. An id is permanent: one that is written no
longer must stand in conformance/retired.txt first. --matrix prints which kind of frame is sent in which state.
"""
import argparse
import re
import sys
import textwrap
from collections import namedtuple
from pathlib import Path

HERE = Path(__file__).resolve().parent
CASES = HERE / "cases"
COMMANDS = HERE.parent / "lwp/wire/commands.def"
FILES = {"2": "02-transport", "3": "03-header", "4": "04-frames", "5": "05-commands", "7": "07-authentication",
         "8": "08-records", "11": "11-faults", "12": "12-errors"}

# What a step needs of the target, by what it says.
NEEDS = {"topics": r"given topic|given name|(create|get|delete)-topic|fetch ",
         "ingest": r"\bingest |fence(\[c2\])? ack|records=",
         "consumers": r"\b(un)?subscribe |commit-offset ",
         "retention": r"set-retention|with-retention",
         "cluster-status": r"get-cluster-status",
         "auth": r"\$token|grid-locked",
         "open": r'token="token"',
         "max-payload": r"payload_length=16777217"}

cases = []


def case(head, body, source='server "Frames"', **values):
    """Adds a case: SECTION/SLUG LEVEL, and its lines, both with their {names} filled in; empty lines go."""
    identity, level = head.format(**values).split()
    text, requirement, *steps = [line.strip() for line in textwrap.dedent(body).format(**values).splitlines() if line.strip()]
    said = "\n".join([identity, *steps])
    needed = [need for need, pattern in NEEDS.items() if re.search(pattern, said)]
    lines = [text, requirement, f"source {source}", *(["needs " + ", ".join(needed)] if needed else []), *steps]
    cases.append((f"LWP-{identity}", f"case LWP-{identity} {level} server\n" + "".join(f"  {line}\n" for line in lines)))


def expects(spec, lance, py=None, peer=""):
    """The expects for what each dialect wants, as lines; of `lance` None is silence, which a fence judges."""
    py = py or lance
    tag = {name: f"[{','.join(filter(None, [name, peer]))}]" if name or peer else "" for name in ("spec", "lance", "")}
    rows = [("spec", spec), ("lance", lance), ("", py)]
    if spec == lance == py:
        rows = [("", spec)]
    elif lance == py:
        rows = [("spec", spec), ("", lance)]
    elif spec == py:
        rows = [("lance", lance), ("", spec)]
    return "\n".join(f"expect{tag[name]} {wanted}" for name, wanted in rows if wanted)


# The dialect spec where the specification gives a rule but no reaction; acting on the frame is wrong.
REFUSED = "error-response | close | lenient nothing"

# A kind of frame: what texts call it, how it is sent, how with a payload, what the deployed server answers,
# what shows that nothing else came, and what must be there.
Kind = namedtuple("Kind", "words send payload answer fence given")
KINDS = {
    "keepalive": Kind("A keepalive", "keepalive", 'keepalive payload="abc"', "exactly keepalive", "fence list", ""),
    "command": Kind("A command", "list-topics", "get-topic topic_id=1", "exactly topic-response", "fence keepalive", ""),
    "ingest": Kind("An ingest", 'ingest topic_id=$t records=raw("hello")', 'ingest topic_id=$t records=raw("hello")',
                   "exactly ack batch_id=1", "fence ack topic_id=$t", "given topic $t"),
    "ack": Kind("An ack", "ack batch_id=4", 'ack batch_id=4 payload="abc"', None, "fence list", ""),
    "backpressure": Kind("Backpressure", "backpressure", 'backpressure payload="abc"', None, "fence list", ""),
}
NOTHING_STORED = """connect c2
fence[c2] ack topic_id=$t
send[c2] fetch topic_id=$t start_offset=0 max_bytes=64K
expect[c2] fetch-response records=raw("fence")"""


# 1. The header.

def closes(head, text, requirement, kind, field, spec="close"):
    """The frame with this field ends the connection; what was an ingest is not stored."""
    row = KINDS[kind]
    case(head, """
        text "{row.words} {text}"
        req  {requirement}
        {row.given}
        send {sent} {field}
        {answer}
        {after}
        """, text=text, requirement=requirement, row=row, field=field, answer=expects(spec, "close"), kind=kind,
         sent=row.payload if field.startswith("payload_crc") else row.send, after=NOTHING_STORED if kind == "ingest" else "")


def refused(head, text, requirement, kind, field, spec=REFUSED):
    """The specification forbids it without a reaction; the deployed server takes the frame as it is."""
    row = KINDS[kind]
    case(head, """
        text "{row.words} {text}; the deployed server does not look at it."
        req  {requirement}
        {row.given}
        send {row.send} {field}
        {answer}
        {row.fence}
        """, text=text, requirement=requirement, row=row, field=field, answer=expects(spec, row.answer), kind=kind)


def magic():
    """11.1: LANC and nothing else, whatever the frame says it is."""
    values = {"second-byte": 0x434E404C, "third-byte": 0x434F414C, "lower-case": 0x636E616C, "reversed": 0x4C414E43,
              "zero": 0, "all-ones": 0xFFFFFFFF}
    for name, value in values.items():
        for kind in KINDS if name == "reversed" else ["keepalive"]:
            closes(f"11.1/grid-{kind}-magic-{name} must",
                   f"with another magic ({name.replace('-', ' ')}) closes the connection.", "R11.1-magic, R11.1-no-error",
                   kind, f"magic=0x{value:08X}")


def version():
    """11.2: 1 and nothing else; 17 and 129 are 1 to who looks at some of the bits only."""
    for kind in KINDS:
        for value in (17, 129) if kind == "keepalive" else (0, 2, 255):
            closes(f"11.2/grid-{kind}-version-{value} must", f"of version {value} closes the connection.",
                   "R11.2-version", kind, f"version={value}")


CHECKSUMS = {"wrong": "wrong in one bit", "zero": "0", "max": "all ones",
             "other-polynomial": "that of the other polynomial"}


def checksums():
    """11.3: compared in frames of every kind, and also in front of a payload that should not be there."""
    by_hand = {("header_crc", "keepalive", value) for value in CHECKSUMS if value != "max"}
    by_hand |= {("header_crc", kind, "max") for kind in KINDS if kind != "keepalive"}
    by_hand |= {("header_crc", "ingest", "wrong"), ("payload_crc", "command", "wrong"), ("payload_crc", "keepalive", "wrong")}
    by_hand |= {("payload_crc", "ingest", value) for value in CHECKSUMS if value != "max"}
    for field in ("header_crc", "payload_crc"):
        part = field.split("_", maxsplit=1)[0]
        for kind in KINDS:
            spec = "close" if field == "header_crc" or kind in ("command", "ingest") else "close | error-response"
            for value in (value for value in CHECKSUMS if (field, kind, value) not in by_hand):
                closes(f"11.3/grid-{kind}-{part}-crc-{value} must",
                       f"whose {part} checksum is {CHECKSUMS[value]} closes the connection.", f"R11.3-{part}-checksum",
                       kind, f"{field}={value}", spec)


def damaged_headers():
    """11.3: bytes 4 to 7 changed on the way, so that the checksum is that of the frame that was meant."""
    meant = {0x04: (0xDC38D405, 0x6CD8F03A), 0x08: (0x7AB74EDA, 0x65C2095E), 0x20: (0xA3A28B0B, 0x539C1E06),
             0x40: (0x8583F0C6, 0x1B4BD526)}
    rows = [("ack-into-keepalive", 0x08, "flags=0x20"), ("keepalive-into-ack", 0x20, "flags=0x08"),
            ("ingest-into-keepalive", 0x04, 'flags=0x20 topic_id=$t records=raw("hello")'),
            ("command-into-ingest", 0x40, 'flags=0x04 batch_id=3 topic_id=$t record_count=1 records=raw("hello")'),
            ("low-reserved-byte", 0x20, "flags=0x20 reserved=0x0001"),
            ("high-reserved-byte", 0x20, "flags=0x20 reserved=0x8000"), ("version-byte", 0x20, "flags=0x20 version=3")]
    for name, flags, fields in rows:
        case("11.3/grid-damaged-{name} must", """
            text "A header that was damaged on the way ({words}) is noticed: the connection closes."
            req  R11.3-header-checksum, R9-header-bytes
            {given}
            send[spec] frame {fields} header_crc=0x{meant[0]:08X}
            send[lance,lance-py] frame {fields} header_crc=0x{meant[1]:08X}
            expect close
            {after}
            """, name=name, words=name.replace("-", " "), fields=fields, meant=meant[flags],
             given="given topic $t" if "$t" in fields else "", after=NOTHING_STORED if "command" in name else "")


def lengths():
    """8.7 and 3.2: more than there may be, more than there is, less than there is."""
    claims = [("of-16777217-bytes", 16777217, "a byte more than 16 MiB", "ingest"), ("of-4-gib", "max", "4 GiB", "command")]
    rows = [(kind, claim) for claim in claims for kind in KINDS if kind != claim[3]]
    rows.append(("ingest", ("of-2-gib", 0x80000000, "2 GiB, a negative number to some,", "")))
    for kind, (name, value, words, _) in rows:
        closes(f"8.7/grid-{kind}-{name} must", f"that claims {words} is refused as soon as the header tells.", "R8.7-limit",
               kind, f"payload_length={value}", "error-response code=payload-too-large | close")
    for kind in ("keepalive", "command", "ack", "backpressure"):
        case("3.2/grid-{kind}-swallows-a-frame must", """
            text "{row.words} whose length was damaged takes the next frame for its payload: the checksum tells."
            req  R3.2-payload-length, R11.3-payload-checksum
            send {row.send} payload_length=44, keepalive
            {answer}
            """, kind=kind, row=KINDS[kind], answer=expects("close" if kind == "command" else "close | error-response", "close"))
    # The deployed server ignores the empty ingest, and takes the command for one about topic 0.
    for kind, answer in (("ingest", ""), ("command", 'expect[lance] error-response text="Topic not found"\n'
                                                     "expect[lance-py] error-response")):
        case("3.2/grid-{kind}-length-zero must", """
            text "{row.words} whose length was damaged to 0 leaves its payload behind, which is no frame: that closes."
            req  R3.2-payload-length, R11.1-magic
            {row.given}
            send {row.payload} payload_length=0 payload_crc=0, keepalive
            expect[spec] error-response | close
            {answer}
            expect close
            """, kind=kind, row=KINDS[kind], answer=answer)


def reserved():
    """3.2: both bytes are zero (D25); the deployed server does not look at them."""
    for kind in KINDS:
        for value in ("0001", "ff00") if kind != "ingest" else ("ff00",):
            refused(f"3.2/grid-{kind}-reserved-{value} must", f"with {value} in the reserved bytes is refused", "R3.2-reserved",
                    kind, f"reserved=0x{value}")


def unused_fields():
    """4.2 to 4.4 and 5.1: what a kind does not use of its header is zero. In a field that no checksum covers
    damage can not be told from a value, so that answering is as right as refusing."""
    rules = {"keepalive": "R4.3-keepalive-zero", "ack": "R4.2-ack-zero", "backpressure": "R4.4-backpressure-zero",
             "command": "R5.1-header-zero"}
    fields = {"timestamp_ns", "record_count", "topic_id", "batch_id", "payload_crc"}
    used = {"keepalive": {"payload_crc"}, "ack": {"batch_id"}, "command": {"batch_id"}, "backpressure": set()}
    for kind, rule in rules.items():
        for field in sorted(fields - used[kind]):
            told = field == "payload_crc"
            refused(f"{rule[1:4]}/grid-{kind}-{field.replace('_', '-')} {'must' if told else 'may'}", f"has zero in {field}",
                    f"{rule}, {'R3.2-payload-crc-zero' if told else 'R3.2-unprotected-fields'}", kind, f"{field}=max",
                    f"error-response | close | {'lenient ' if told else ''}{KINDS[kind].answer or 'nothing'}")


def flags():
    """4: the flags are those of one kind (D26). The deployed server takes the first of control, keepalive, ack,
    backpressure, then any payload for an ingest; 01, 02 and 80 mean nothing to it."""
    names = ["compressed", "encrypted", "batch", "ack", "backpressure", "keepalive", "control", "bit 7"]
    by_hand = {0x06, 0x0C, 0x14, 0x18, 0x24, 0x44, 0x60, 0x84, 0xA0}
    right = {0x05}
    pairs = {1 << a | 1 << b for a in range(8) for b in range(a)}
    for value in sorted(pairs - by_hand - right | {0x02, 0x07, 0x0D, 0x15, 0x25, 0x45, 0x7F}):
        kind = next((kind for bit, kind in ((0x40, "command"), (0x20, "keepalive"), (0x08, "ack"), (0x10, "backpressure"))
                     if value & bit), "ingest")
        answer = {"command": "topic-response", "ingest": "exactly ack batch_id=3"}.get(kind, KINDS[kind].answer)
        # In spec the connection may have ended before its fence was stored.
        stored = ('fetch-response records=raw("fence") | fetch-response bytes_returned=0', 'fetch-response records=raw("fence")')
        if kind == "keepalive":
            stored = ("fetch-response bytes_returned=0",) * 2
        after = "connect c2\nsend[c2] fetch topic_id=$t start_offset=0 max_bytes=64K\n" + expects(*stored, peer="c2")
        case("4/grid-flags-{value:02x} must", """
            text "A frame is of one kind. The deployed server takes {names} with a payload for {kind}."
            req  R4-kinds{more}
            given topic $t
            send frame flags=0x{value:02X} batch_id=3 topic_id=$t record_count=1 records={records}
            {answer}
            {fence}
            {after}
            """, value=value, names=" + ".join(name for bit, name in enumerate(names) if value >> bit & 1),
             kind=KINDS[kind].words.lower(), answer=expects(REFUSED, answer), after="" if kind == "ingest" else after,
             more=(", R3.3-bit-7" if value & 0x80 else "") + (", R3.3-encrypted" if value & 2 else ""),
             records='lz4(raw("hello"))' if value & 1 else 'raw("hello")',
             fence="fence list" if kind == "keepalive" else "fence ack topic_id=$t")


def fields_of_an_ingest():
    """3.2 and 4.2: values at the limits of what an ingest does use."""
    rows = [("4.2/grid-batch-id-of-33-bits must", "batch_id=0x100000000", "A batch id comes back with all its bits in the ack.",
             "R4.2-ack-batch-id, R3.2-batch-id"),
            ("4.2/grid-batch-id-of-64-bits must", "batch_id=0x8000000000000000", "A batch id comes back with its highest bit.",
             "R4.2-ack-batch-id, R3.2-batch-id"),
            ("3.2/grid-timestamp-zero must", "timestamp_ns=0", "Time 0 is no reason to refuse a batch.", "R3.2-unprotected-fields"),
            ("3.2/grid-timestamp-negative must", "timestamp_ns=0x8000000000000000",
             "A time that is negative to some is no reason to refuse a batch.", "R3.2-unprotected-fields")]
    for head, field, text, requirement in rows:
        case(head, """
            text "{text}"
            req  {requirement}
            given topic $t
            send ingest {field} topic_id=$t records=raw("hello")
            expect exactly ack {batch}
            fence ack topic_id=$t
            """, 'server "Ingests"', text=text, requirement=requirement, field=field,
             batch=field if "batch" in field else "batch_id=1")
    for name, count, records in (("one-too-many", 2, 'raw("hello")'), ("one-too-few", 1, 'raw("hello")*2')):
        case("3.2/grid-record-count-{name} must", """
            text "record_count is the number of records; {words} is refused. The deployed server does not compare it."
            req  R3.2-record-count, R8.1-count
            given topic $t
            send ingest record_count={count} topic_id=$t records={records}
            {answer}
            fence ack topic_id=$t
            """, 'server "Ingests"', name=name, words=name.replace("-", " "), count=count, records=records,
             answer=expects(REFUSED, "ack batch_id=1"))
    for value in ("7fffffff", "80000000"):
        case("3.2/grid-topic-id-{value} must", """
            text "A topic id around 2^31 is a topic that is not there, and no other."
            req  R3.2-topic-id
            send ingest topic_id=0x{value} records=raw("hello")
            expect error-response code=topic-not-found
            fence keepalive
            """, 'server "Ingests"', value=value)


# 2. Control payloads.

# A command that has a form: its good answer with the values below, how it is refused when too short, and the rows.
Form = namedtuple("Form", "answer short requirement source")
TOPICS, CONSUMERS = 'server "Topics"', 'server "Consumers"'
FORMS = {
    "delete-topic": Form("topic-response json.deleted=$t", None, "R5.1-size, R5.6-form", TOPICS),
    "get-topic": Form("topic-response json.id=$t", "Topic not found", "R5.1-size, R5.5-form", TOPICS),
    "set-retention": Form("topic-response json.topic_id=$t json.max_age_secs=60 json.max_bytes=64K",
                          "Invalid set retention payload", "R5.10-payload, R5.10-form", TOPICS),
    "create-topic-with-retention": Form("topic-response json.name=$n json.max_age_secs=60 json.max_bytes=64K",
                                        None, "R5.11-payload, R5.11-form", TOPICS),
    "fetch": Form('fetch-response next_offset=10 records=raw("hello")', "Protocol error: Fetch request payload too small",
                  "R5.9-payload, R5.9-form", CONSUMERS),
    "subscribe": Form("subscribe-ack consumer_id=90 offset=0", "Invalid subscribe payload", "R5.12-payload, R5.12-form", CONSUMERS),
    "unsubscribe": Form("ack batch_id=90", "Invalid unsubscribe payload", "R5.13-payload, R5.13-form", CONSUMERS),
    "commit-offset": Form("commit-ack consumer_id=90 offset=10", "Invalid commit offset payload",
                          "R5.14-payload, R5.14-form", CONSUMERS),
}
SIZES = {"U32": 4, "U64": 8}
VALUES = {"topic_id": "$t", "max_age_secs": "60", "max_bytes": "64K", "start_offset": "0", "max_batch_bytes": "64K",
          "consumer_id": "90", "offset": "10", "name": "$n"}


def commands():
    """The commands that have a form: word, section, types and names of the fields, from commands.def."""
    row = r'LWP_COMMAND\([^"]*"([^"]+)",\s*"([^"]+)",\s*CLIENT,\s*\w+,([^\n]*(?:\n {12}[^\n]*)?)\)\n'
    rows = [(word, section, re.findall(r"F\((\w+), (\w+)\)", fields))
            for word, section, fields in re.findall(row, COMMANDS.read_text())]
    rows = [row for row in rows if row[2] and row[2][0][0] != "TEXT"]
    strange = set(FORMS) ^ {word for word, *_ in rows}
    if strange:
        sys.exit("grid.py: in commands.def and not in FORMS, or the reverse: " + " ".join(sorted(strange)))
    return rows


def whole(word, fields):
    """What must be there, and the command with values in all its fields."""
    given = "given name $n" if "name" in dict(map(reversed, fields)) else "given topic $t"
    return (given + (' records=raw("hello")' if word == "fetch" else ""),
            " ".join([word] + [f"{name}={VALUES[name]}" for _, name in fields]))


def cut_payloads():
    """5: a payload that ends behind a field, or within the first. Empty and one byte short are tried by hand; so is
    DeleteTopic, which could delete somebody else's topic where a server fills up what is missing."""
    for word, section, fields in commands():
        form, (given, sent) = FORMS[word], whole(word, fields)
        if not form.short:
            continue
        ends = {1, 2} if len(fields) == 1 else {1} | {sum(SIZES[kind] for kind, _ in fields[:i]) for i in range(1, len(fields))}
        told = f'error-response text="{form.short}"'
        answer = expects(REFUSED, told, f"error-response code={'topic-not-found' if word == 'get-topic' else 'invalid-payload'}")
        if section == "5.10":
            answer = f'expect {told} | error-response json.message="{form.short}"'
        for end in sorted(ends):
            case("{section}/grid-cut-at-{end} {level}", """
                text "{word} whose payload ends after {end} byte{s} is refused{meant}."
                req  {form.requirement}
                {given}
                send {sent} size={end}
                {answer}
                fence keepalive
                """, form.source, word=word, section=section, end=end, level="must" if section == "5.10" else "may", form=form,
                 given=given, sent=sent, answer=answer, s="s" if end > 1 else "",
                 meant="; the deployed server takes it for topic 0" if word == "get-topic" else "")


def cut_create_with_retention():
    """5.11: the name's size in front, and two limits that must be whole behind the name."""
    name = b"lwpc-grid-cut"
    form = len(name).to_bytes(2, "little") + name + (60).to_bytes(8, "little") * 2
    larger = (len(name) + 1).to_bytes(2, "little")
    rows = [("cut-in-the-size", form[:1], "inside the size of the name"), ("cut-behind-the-size", form[:2], "behind that size"),
            ("cut-behind-the-name", form[:-16], "behind the name"), ("cut-in-the-first-limit", form[:-12], "in the first limit"),
            ("cut-behind-the-first-limit", form[:-8], "behind the first limit"),
            ("cut-in-the-second-limit", form[:-1], "a byte before its end"),
            ("name-of-65535-bytes", b"\xff\xff" + form[2:], "long before the name that is promised"),
            ("size-one-too-large", larger + form[2:], "a byte too early for its name's size")]
    for slug, payload, where in rows:
        text = "Invalid create topic payload" if len(payload) < 18 else "Invalid payload length"
        answer = f'expect error-response text="{text}" | error-response json.message="{text}"'
        if len(payload) >= 18:
            answer = expects("error-response code=invalid-payload", f'error-response text="{text}"',
                             "error-response code=invalid-payload")
        case("5.11/grid-{slug} must", """
            text "CreateTopicWithRetention that ends {where} is refused, and makes no topic."
            req  R5.11-payload, R5.11-form
            given topic $t
            send create-topic-with-retention payload=hex({payload})
            {answer}
            send list-topics
            expect topic-response json.topics.*.name!="{name}"
            """, TOPICS, slug=slug, where=where, payload=payload.hex(" "), answer=answer, name=name.decode())


def long_payloads():
    """5: 64 KiB behind the fields; one byte is tried by hand."""
    for word, section, fields in commands():
        form, (given, sent) = FORMS[word], whole(word, fields)
        after = "connect c2\nsend[c2] get-topic topic_id=$t\n" + expects(
            "topic-response json.id=$t", "error-response code=topic-not-found", peer="c2")
        case("{section}/grid-64-kib-too-long may", """
            text "{word} with 64 KiB behind its fields is refused; the deployed server does not look at them."
            req  {requirement}
            {given}
            send {sent} size=64K
            {answer}
            {fence}
            {after}
            """, form.source, word=word, section=section, given=given, sent=sent, after=after if word == "delete-topic" else "",
             requirement=", ".join(dict.fromkeys(form.requirement.split(", ") + ["R5.1-size"])),
             answer=expects(REFUSED, form.answer, "topic-response" if word == "unsubscribe" else None),
             fence="fence list" if word == "unsubscribe" else "fence keepalive")


def damaged_payloads():
    """11.3: a command whose payload is damaged is not carried out."""
    not_made = "connect c2\nsend[c2] list-topics\nexpect[c2] topic-response json.topics.*.name!=$n"
    after = {"create-topic": not_made, "create-topic-with-retention": not_made,
             "delete-topic": "connect c2\nsend[c2] get-topic topic_id=$t\nexpect[c2] topic-response json.id=$t",
             "commit-offset": "connect c2\nsend[c2] subscribe topic_id=$t start_offset=0 max_batch_bytes=64K consumer_id=90\n"
                              "expect[c2] subscribe-ack consumer_id=90 offset=0"}
    for word, _, fields in [*commands(), ("create-topic", "5.3", [("TEXT", "name")])]:
        given, sent = whole(word, fields)
        if word != "get-topic":
            case("11.3/grid-{word}-damaged must", """
                text "{word} whose payload was damaged closes the connection{carried}."
                req  R11.3-payload-checksum, R5.1-payload
                {keeper}
                {given}
                send {sent} payload_crc=wrong
                expect close
                {after}
                """, word=word, given=given, sent=sent, keeper="given topic $t" if "create" in word else "",
                 after=after.get(word, ""), carried=", and is not carried out" if word in after else "")


def numbers_inside():
    """5.9, 5.12 and 5.14: numbers beyond 32 bits are not cut to them, and absurd ones do no harm."""
    for bits, value in ((32, "0x100000000"), (63, "0x7ffffffffffffff0")):
        case("5.9/grid-offset-beyond-{bits}-bits must", """
            text "An offset beyond {bits} bits lies beyond the end: no data comes."
            req  R5.9-beyond-end, R5.9-catching-up
            given topic $t records=raw("hello")
            send fetch topic_id=$t start_offset={value} max_bytes=64K
            {answer}
            fence keepalive
            """, CONSUMERS, bits=bits, value=value, answer=expects(
                f"fetch-response bytes_returned=0 next_offset=10 | fetch-response bytes_returned=0 next_offset={value}",
                "catching-up server_offset=10", "error-response code=server-catching-up"))
    for name, value in (("zero", "0"), ("largest", "max")):
        case("5.12/grid-{name}-batch-size must", """
            text "Subscribe with the {name} max_batch_bytes is acknowledged, and nothing is pushed."
            req  R5.12-subscribe
            given topic $t records=raw("hello")
            send subscribe topic_id=$t start_offset=10 max_batch_bytes={value} consumer_id=91
            {answer}
            fence keepalive
            """, CONSUMERS, name=name, value=value, answer=expects("subscribe-ack consumer_id=91 offset=10 | error-response",
                                                                 "exactly subscribe-ack consumer_id=91 offset=10"))
    case("5.14/grid-consumers-of-64-bits must", """
        text "Consumers whose ids differ in the upper half only are two."
        req  R5.14-kept, R5.14-commit
        given topic $t
        send commit-offset topic_id=$t consumer_id=0x10000005c offset=10
        expect commit-ack consumer_id=0x10000005c offset=10
        send subscribe topic_id=$t start_offset=0 max_batch_bytes=64K consumer_id=0x5c
        expect subscribe-ack consumer_id=0x5c offset=0
        """, CONSUMERS)
    case("5.3/grid-name-of-254-bytes must", """
        text "A name of 254 bytes is valid."
        req  R5.3-name-length
        given name $n size=254
        send create-topic name=$n
        expect topic-response json.name=$n
        """, TOPICS)


# 3. Kinds of frames by the state of the connection.

# What is sent, its answers in spec, lance and lance-py (None: silence), and what must be there besides $t.
Act = namedtuple("Act", "send answers given", defaults=("",))
FETCHED = 'fetch-response next_offset=10 records=raw("hello")'
ACTS = {
    "keepalive": Act("keepalive", ["exactly keepalive"] * 2),
    "list-topics": Act("list-topics", ["topic-response json.topics.*.id=$t"] * 2),
    "get-topic": Act("get-topic topic_id=$t", ["topic-response json.id=$t"] * 2),
    "create-topic": Act("create-topic name=$n", ["topic-response json.name=$n"] * 2, "given name $n"),
    "delete-topic": Act("delete-topic topic_id=$u", ["topic-response json.deleted=$u"] * 2, "given topic $u"),
    "set-retention": Act("set-retention topic_id=$t max_age_secs=60 max_bytes=64K",
                         ["topic-response json.topic_id=$t json.max_age_secs=60"] * 2),
    "create-topic-with-retention": Act("create-topic-with-retention name=$n max_age_secs=60 max_bytes=64K",
                                       ["topic-response json.name=$n json.max_age_secs=60"] * 2, "given name $n"),
    "get-cluster-status": Act("get-cluster-status", ["cluster-status-response"] * 2),
    "authenticate": Act('authenticate token="token"', ["authenticate-response | error-response",
                                                       'authenticate-response ok=1 text="Authenticated"']),
    "fetch": Act("fetch topic_id=$t start_offset=0 max_bytes=64K", [FETCHED] * 2),
    "subscribe": Act("subscribe topic_id=$t start_offset=10 max_batch_bytes=64K consumer_id=93",
                     ["subscribe-ack consumer_id=93 offset=10"] * 2),
    "unsubscribe": Act("unsubscribe topic_id=$t consumer_id=92", ["ack", "exactly ack batch_id=92", "topic-response"]),
    "commit-offset": Act("commit-offset topic_id=$t consumer_id=92 offset=10", ["commit-ack consumer_id=92 offset=10"] * 2),
    "ingest": Act('ingest topic_id=$t records=raw("world")', ["ack"] * 2),
    "ack": Act("ack batch_id=1", [None, None]),
    "backpressure": Act("backpressure", [None, None]),
}
REPLIES = {"subscribe-ack": "subscribe-ack consumer_id=92 offset=0", "fetch-response": "fetch-response next_offset=0",
           "commit-ack": "commit-ack consumer_id=92 offset=10", "catching-up": "catching-up server_offset=10",
           "topic-response": 'topic-response json="{}"', "error-response": 'error-response text="Topic not found"'}
# What has happened on the connection before.
REFUSAL = "send get-topic topic_id=max\nexpect error-response"
SUBSCRIBED = ("send subscribe topic_id=$t start_offset=0 max_batch_bytes=64K consumer_id=92\n"
              "expect subscribe-ack consumer_id=92 offset=0")
UNSUBSCRIBED = "\n".join([SUBSCRIBED, "send unsubscribe topic_id=$t consumer_id=92", expects(*ACTS["unsubscribe"].answers)])
DELETED = "send delete-topic topic_id=$t\nexpect topic-response json.deleted=$t"


def fence_behind(act):
    return "fence list" if act in ("keepalive", "ack", "backpressure") else "fence keepalive"


def in_state(head, text, requirement, before, act, source, **values):
    """What is sent in this state is answered as ever, or as `answers` says."""
    row = ACTS[act]
    values = {"send": row.send, "answers": row.answers, "fence": fence_behind(act), **values}
    case(head, """
        text "{text}"
        req  {requirement}
        given topic $t records=raw("hello")
        {given}
        {before}
        send {send}
        {answer}
        {fence}
        """, source, text=text, requirement=requirement, before=before, given=row.given, send=values["send"],
         answer=expects(*values["answers"]), fence=values["fence"])


def after_an_error():
    """12.1: a refusal leaves the connection as it was for frames of every kind."""
    for act in ACTS:
        in_state(f"12.1/grid-error-then-{act} should", f"A request that was refused does not spoil the one behind it: {act}.",
                 "R12.1-open", REFUSAL, act, TOPICS)


def while_subscribed():
    """5.12: a subscription changes no other answer, and is told of no records."""
    for act in ("keepalive", "list-topics", "delete-topic", "fetch", "subscribe", "unsubscribe", "commit-offset", "ack",
                "backpressure"):
        in_state(f"5.12/grid-subscribed-then-{act} must", f"A subscription does not change what is answered to {act}.",
                 "R5.12-subscribe", SUBSCRIBED, act, CONSUMERS)
    in_state("5.12/grid-subscribed-then-subscribe-again must", "A consumer that subscribes twice is told the second offset.",
             "R5.12-subscribe", SUBSCRIBED, "subscribe", CONSUMERS, send=ACTS["subscribe"].send.replace("93", "92"),
             answers=("subscribe-ack consumer_id=92 offset=10 | error-response", "exactly subscribe-ack consumer_id=92 offset=10"))
    case("5.12/grid-subscribed-then-ingest-elsewhere may", """
        text "Records of another connection are not pushed to a subscriber."
        req  R5.12-push
        given topic $t
        connect c2
        {before}
        send[c2] ingest topic_id=$t records=raw("hello")
        expect[c2] ack batch_id=1
        fence[c2] ack topic_id=$t
        fence keepalive
        """, CONSUMERS, before=SUBSCRIBED)
    case("5.13/grid-subscribed-then-unsubscribe-elsewhere may", """
        text "A consumer may unsubscribe on another connection."
        req  R5.13-unsubscribe
        given topic $t
        connect c2
        {before}
        send[c2] unsubscribe topic_id=$t consumer_id=92
        {answer}
        fence keepalive
        """, CONSUMERS, before=SUBSCRIBED,
         answer=expects("ack | error-response", "exactly ack batch_id=92", "topic-response", peer="c2"))


def replies_from_a_client():
    """5.2: what servers answer is refused from a client, also where it would be an answer."""
    rows = [("subscribed", SUBSCRIBED, reply) for reply in REPLIES]
    rows += [("fetched", f"send {ACTS['fetch'].send}\nexpect {FETCHED}", reply) for reply in ("fetch-response", "error-response")]
    for state, before, reply in rows:
        in_state(f"5.2/grid-{state}-then-{reply} must", f"{reply} is no answer to an answer: a client that sends it is refused.",
                 "R5.2-sender", before, "list-topics", TOPICS, send=REPLIES[reply],
                 answers=(REFUSED, 'error-response text="Invalid client command"', "error-response"))


def after_unsubscribing():
    """5.13: who has unsubscribed is as if it never had subscribed, but for what it committed."""
    for act in ("keepalive", "fetch", "ingest", "subscribe", "unsubscribe", "commit-offset"):
        answers = ["ack | error-response", *ACTS[act].answers[1:]] if act == "unsubscribe" else ACTS[act].answers
        in_state(f"5.13/grid-unsubscribed-then-{act} must", f"After Unsubscribe {act} is answered as before.", "R5.13-unsubscribe",
                 UNSUBSCRIBED, act, CONSUMERS, answers=answers,
                 fence="fence ack topic_id=$t" if act == "ingest" else fence_behind(act))


def behind_an_ingest():
    """2: in one write with an ingest that waits for its ack, in whatever order the two answers come."""
    for act in (act for act in ACTS if act not in ("ingest", "fetch", "authenticate")):
        row = ACTS[act]
        if row.answers[0] is None:
            answer = "expect ack batch_id=1\nfence ack topic_id=$t"
        else:
            tags = ["[spec]", "[lance]", "[lance-py]"] if len(set(row.answers)) > 1 else [""]
            answer = "\n".join(f"any-order{tag} {{ ack batch_id=1 ; {wanted} }}" for tag, wanted in zip(tags, row.answers))
            answer += f"\nsend {ACTS['fetch'].send}\nexpect {FETCHED}"
        case("2/grid-ingest-then-{act} must", """
            text "{act} in one write with an ingest: both are carried out, and answered once."
            req  R2-many-frames, R2-stateless
            given topic $t
            {row.given}
            send ingest topic_id=$t records=raw("hello"), {row.send}
            {answer}
            """, 'server "Order of answers"', act=act, row=row, answer=answer)


def after_deletion():
    """5.6: what still names a topic that is gone. Of consumers the deployed server looks for it in Subscribe only."""
    gone = "error-response code=topic-not-found | error-response code=topic-deleted"
    rows = [("set-retention", "", (gone, "error-response code=topic-not-found"), TOPICS),
            ("subscribe", SUBSCRIBED, (gone, 'error-response text="Topic not found"', gone), CONSUMERS),
            ("unsubscribe", SUBSCRIBED, (f"ack | {gone}", "exactly ack batch_id=92", "topic-response"), CONSUMERS),
            ("commit-offset", SUBSCRIBED, (f"commit-ack consumer_id=92 offset=10 | {gone}", "commit-ack consumer_id=92 offset=10"),
             CONSUMERS)]
    for act, before, answers, source in rows:
        in_state(f"5.6/grid-deleted-then-{act} must", f"{act} of a topic that was deleted finds none, or changes nothing.",
                 "R5.6-delete-topic", f"{before}\n{DELETED}", act, source, answers=answers, fence="fence keepalive")
    in_state("5.6/grid-deleted-then-empty-ingest must", "An empty ingest to a topic that was deleted is refused.",
             "R5.6-delete-topic", DELETED, "ingest", TOPICS, send="ingest record_count=0 topic_id=$t",
             answers=("error-response | close", 'error-response text="Unknown topic"', gone), fence="fence keepalive")


def before_authenticating():
    """7: what waits for a token. The deployed server lets nothing wait but ingests."""
    source = 'server "Tokens and access lists"'
    by_hand = ("keepalive", "create-topic", "delete-topic", "fetch", "ingest", "authenticate")
    for act in (act for act in ACTS if act not in by_hand):
        spec, *others = ACTS[act].answers
        in_state(f"7/grid-locked-{act} may", f"{act} without authentication is answered, or refused; the deployed server guards only "
                 "ingests.", "R7-ingest-only", "", act, source,
                 answers=(f"{spec} | error-response" if spec else "error-response | close | nothing", *others))
    refusal = "error-response code=authentication-required | error-response code=access-denied"
    empty = "connect c2\nsend[c2] fetch topic_id=$t start_offset=0 max_bytes=64K\n" + expects(
        "fetch-response bytes_returned=0 | error-response", "fetch-response next_offset=0 bytes_returned=0", peer="c2")
    for name, sent, spec in (
            ("compressed-ingest", 'ingest topic_id=$t records=lz4(raw("hello"))', refusal),
            ("flags-00-with-payload", 'frame flags=0x00 batch_id=1 topic_id=$t record_count=1 records=raw("hello")',
             f"{refusal} | {REFUSED}")):
        case("7/grid-locked-{name} must", """
            text "However an ingest is dressed up, without authentication it is not stored."
            req  R7-refusal
            given topic $t
            send {sent}
            {answer}
            fence keepalive
            {empty}
            """, source, name=name, sent=sent, answer=expects(spec, 'error-response text="Authentication required"', refusal),
             empty=empty)
    case("7/grid-locked-authenticate-response must", """
        text "A client that says itself that it is authenticated is not."
        req  R7-refusal
        given topic $t
        send authenticate-response ok=1 text="Authenticated", ingest topic_id=$t records=raw("hello")
        {answer}
        expect[lance,lance-py] error-response code=authentication-required
        {empty}
        """, source, answer=expects("error-response | close", 'error-response text="Authentication handled at connection level"',
                                    "error-response"), empty=empty)
    case("7/grid-unlocked-then-authenticate may", """
        text "Who is authenticated may authenticate again."
        req  R7-token
        given topic $t
        send authenticate token=$token
        expect authenticate-response ok=1
        send authenticate token=$token
        {answer}
        send ingest topic_id=$t records=raw("hello")
        expect ack batch_id=1
        """, source, answer=expects("authenticate-response ok=1 | error-response",
                                    'exactly authenticate-response ok=1 text="Authenticated"'))


GRIDS = (magic, version, checksums, damaged_headers, lengths, reserved, unused_fields, flags, fields_of_an_ingest, cut_payloads,
         cut_create_with_retention, long_payloads, damaged_payloads, numbers_inside, after_an_error, while_subscribed,
         replies_from_a_client, after_unsubscribing, behind_an_ingest, after_deletion, before_authenticating)
STATES = {"after an error": "12.1/grid-error-then-", "subscribed": "5.12/grid-subscribed-then-",
          "answered": "5.2/grid-subscribed-then-", "unsubscribed": "5.13/grid-unsubscribed-then-",
          "behind an ingest": "2/grid-ingest-then-", "topic deleted": "5.6/grid-deleted-then-", "no token": "7/grid-locked-"}


def print_matrix():
    ids = {identity for identity, _ in cases}
    print(" " * 29 + "  ".join(STATES))
    for act in [*ACTS, *REPLIES]:
        marks = ("x" if f"LWP-{prefix}{act}" in ids else "." for prefix in STATES.values())
        print(f"{act:29}" + "  ".join(mark.ljust(len(state)) for mark, state in zip(marks, STATES)).rstrip())


def files():
    """What each file is to hold."""
    parts = {}
    for identity, text in cases:
        chapter = re.match(r"LWP-(\d+)", identity)[1]
        head = f"# Section {chapter}, written by conformance/grid.py from its rules: change those, and run it.\n"
        parts.setdefault(CASES / f"{FILES[chapter]}-grid.lwps", [head]).append(text)
    return {path: "\n".join(texts) for path, texts in parts.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--matrix", action="store_true")
    arguments = parser.parse_args()
    for grid in GRIDS:
        grid()
    if arguments.matrix:
        print_matrix()
        return
    wanted, there = files(), {path: path.read_text() for path in CASES.glob("*-grid.lwps")}
    written = set(re.findall(r"^case (\S+)", "\n".join(there.values()), re.MULTILINE))
    retired = set(re.findall(r"^(LWP-\S+)", (HERE / "retired.txt").read_text(), re.MULTILINE))
    lost = written - retired - {identity for identity, _ in cases}
    if lost:
        sys.exit("grid.py: written no longer, and not in conformance/retired.txt: " + " ".join(sorted(lost)))
    stale = sorted(path for path in {*wanted, *there} if wanted.get(path) != there.get(path))
    if arguments.check and stale:
        sys.exit("grid.py: not what its rules say (run it): " + " ".join(path.name for path in stale))
    for path in stale:
        if path in wanted:
            path.write_text(wanted[path])
        else:
            path.unlink()
    print(f"{len(cases)} cases in {len(wanted)} files")


if __name__ == "__main__":
    main()
