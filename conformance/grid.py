#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the cases that are a grid: conformance/cases/*-grid.lwps.

Three grids: each field of the header by the values at its limits and by the kind of frame; each control
payload by where it ends; the kinds of frames by the state of the connection. What must come of a frame is
worked out here from the rules of the specification and of the deployed server (docs/server.md,
docs/dialects.md), never from what a mock has answered.

--check writes nothing and fails if the files hold anything else. An id is permanent: one that is written no
longer must stand in conformance/retired.txt first. --matrix prints which kind of frame is sent in which
state, with the hand-written cases left out.
"""
import argparse
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CASES = HERE / "cases"
COMMANDS = HERE.parent / "lwp/wire/commands.def"

FILES = {"2": "02-transport", "3": "03-header", "4": "04-frames", "5": "05-commands", "7": "07-authentication",
         "8": "08-records", "11": "11-faults", "12": "12-errors"}

# The dialect spec where the specification gives a rule but no reaction; acting on the frame is wrong.
REFUSED = "error-response | close | lenient nothing"
TOO_LARGE = "error-response code=payload-too-large | close"

# What a step needs of the target, by what it says.
NEEDS = {"topics": r"given topic|given name|(create|get|delete)-topic|fetch ",
         "ingest": r"\bingest |fence(\[c2\])? ack|records=",
         "consumers": r"\b(un)?subscribe |commit-offset ",
         "retention": r"set-retention|with-retention",
         "cluster-status": r"get-cluster-status",
         "auth": r"\$token",
         "open": r"token=\"token\""}

cases = []


def case(identity, level, text, requirement, steps, source='server "Frames"', needs=()):
    """Adds a case; what its steps need is found out."""
    said = "\n".join(steps)
    needed = [need for need, pattern in NEEDS.items() if need in needs or re.search(pattern, said)]
    needed += [need for need in needs if need not in NEEDS]
    lines = [f"case LWP-{identity} {level} server", f'  text "{text}"', f"  req  {requirement}",
             f"  source {source}"]
    lines += ["  needs " + ", ".join(needed)] if needed else []
    cases.append((f"LWP-{identity}", "\n".join(lines + ["  " + step for step in steps]) + "\n"))


def expects(spec, lance, py=None, peer=""):
    """The expect steps for what each dialect wants; of `lance` None is silence, which a fence judges."""
    py = py or lance
    both = f"[{peer}]" if peer else ""
    tag = {name: f"[{name},{peer}]" if peer else f"[{name}]" for name in ("spec", "lance")}
    if spec == lance == py:
        return [f"expect{both} {spec}"] if spec else []
    if lance is None:
        return [f"expect{tag['spec']} {spec}"]
    if lance == py:
        return [f"expect{tag['spec']} {spec}", f"expect{both} {lance}"]
    if spec == py:
        return [f"expect{tag['lance']} {lance}", f"expect{both} {spec}"]
    return [f"expect{tag['spec']} {spec}", f"expect{tag['lance']} {lance}", f"expect{both} {py}"]


class Kind:
    """A kind of frame: its words, how it is sent, what the deployed server answers, what fences it."""

    def __init__(self, words, send, answer, fence, given=(), payload=None):
        self.words, self.send, self.answer, self.fence = words, send, answer, fence
        self.given, self.payload = list(given), payload or send


KINDS = {
    "keepalive": Kind("A keepalive", "keepalive", "exactly keepalive", "fence list",
                      payload='keepalive payload="abc"'),
    "command": Kind("A command", "list-topics", "exactly topic-response", "fence keepalive", payload="get-topic topic_id=1"),
    "ingest": Kind("An ingest", 'ingest topic_id=$t records=raw("hello")', "exactly ack batch_id=1",
                   "fence ack topic_id=$t", ["given topic $t"]),
    "ack": Kind("An ack", "ack batch_id=4", None, "fence list", payload='ack batch_id=4 payload="abc"'),
    "backpressure": Kind("Backpressure", "backpressure", None, "fence list", payload='backpressure payload="abc"'),
}

NOTHING_STORED = ["connect c2", "fence[c2] ack topic_id=$t",
                  "send[c2] fetch topic_id=$t start_offset=0 max_bytes=64K",
                  'expect[c2] fetch-response records=raw("fence")']


# 1. The header.

CHECKSUMS = {"wrong": "wrong in one bit", "zero": "0", "max": "all ones", "other-polynomial": "that of the other polynomial"}


def closes(kind, field, value, identity, text, requirement, spec="close", needs=()):
    """The frame with this field ends the connection; an ingest is not stored."""
    steps = KINDS[kind].given + [f"send {field_of(kind, field, value)}"] + expects(spec, "close")
    case(identity, "must", f"{KINDS[kind].words} {text}", requirement,
         steps + (NOTHING_STORED if kind == "ingest" else []), needs=needs)


def field_of(kind, field, value):
    """The frame with the field set: with a payload if that is what the field is about."""
    sent = KINDS[kind].payload if field == "payload_crc" else KINDS[kind].send
    return f"{sent} {field}={value}"


def magic():
    """11.1: LANC and nothing else, whatever the frame says it is."""
    values = {"second-byte": 0x434E404C, "third-byte": 0x434F414C, "lower-case": 0x636E616C, "reversed": 0x4C414E43,
              "zero": 0, "all-ones": 0xFFFFFFFF}
    for name, value in values.items():
        for kind in KINDS if name == "reversed" else ["keepalive"]:
            closes(kind, "magic", f"0x{value:08X}", f"11.1/grid-{kind}-magic-{name}",
                   f"with another magic ({name.replace('-', ' ')}) closes the connection.", "R11.1-magic, R11.1-no-error")


def version():
    """11.2: 1 and nothing else; 17 and 129 are 1 to who looks at some of the bits only."""
    for kind in KINDS:
        for value in (17, 129) if kind == "keepalive" else (0, 2, 255):
            closes(kind, "version", value, f"11.2/grid-{kind}-version-{value}",
                   f"of version {value} closes the connection.", "R11.2-version")


def header_crc():
    """11.3: compared in frames of every kind; keepalives are tried by hand."""
    for kind in KINDS:
        for value in ["max"] if kind == "keepalive" else ["wrong", "zero", "other-polynomial"]:
            if (kind, value) != ("ingest", "wrong"):
                closes(kind, "header_crc", value, f"11.3/grid-{kind}-header-crc-{value}",
                       f"whose header checksum is {CHECKSUMS[value]} closes the connection.",
                       "R11.3-header-checksum")


def stale_header_crc():
    """11.3: bytes 4 to 7 changed on the way, so that the checksum is that of the frame that was meant."""
    meant = {0x04: (0xDC38D405, 0x6CD8F03A), 0x08: (0x7AB74EDA, 0x65C2095E), 0x20: (0xA3A28B0B, 0x539C1E06),
             0x40: (0x8583F0C6, 0x1B4BD526)}
    rows = [("ack-into-keepalive", 0x08, "frame flags=0x20"), ("keepalive-into-ack", 0x20, "frame flags=0x08"),
            ("ingest-into-keepalive", 0x04, 'frame flags=0x20 topic_id=$t records=raw("hello")'),
            ("command-into-ingest", 0x40, 'frame flags=0x04 batch_id=3 topic_id=$t record_count=1 records=raw("hello")'),
            ("low-reserved-byte", 0x20, "frame flags=0x20 reserved=0x0001"),
            ("high-reserved-byte", 0x20, "frame flags=0x20 reserved=0x8000"),
            ("version-byte", 0x20, "frame flags=0x20 version=3")]
    for name, flags, sent in rows:
        given = ["given topic $t"] if "$t" in sent else []
        steps = [f"send[spec] {sent} header_crc=0x{meant[flags][0]:08X}",
                 f"send[lance,lance-py] {sent} header_crc=0x{meant[flags][1]:08X}", "expect close"]
        case(f"11.3/grid-damaged-{name}", "must",
             f"A header that was damaged on the way ({name.replace('-', ' ')}) is noticed: the connection closes.",
             "R11.3-header-checksum, R9-header-bytes", given + steps + (NOTHING_STORED if "command" in name else []))


def payload_crc():
    """11.3: compared in frames of every kind that have a payload, whether or not they may."""
    by_hand = {("ingest", "wrong"), ("ingest", "zero"), ("ingest", "other-polynomial"), ("command", "wrong"), ("keepalive", "wrong")}
    for kind in KINDS:
        for value in ("wrong", "zero", "max", "other-polynomial"):
            if (kind, value) not in by_hand:
                closes(kind, "payload_crc", value, f"11.3/grid-{kind}-payload-crc-{value}",
                       f"whose payload checksum is {CHECKSUMS[value]} closes the connection.", "R11.3-payload-checksum",
                       spec="close" if kind in ("command", "ingest") else "close | error-response")


def payload_length():
    """8.7 and 3.2: more than there may be, more than there is, less than there is."""
    for kind in KINDS:
        if kind != "ingest":
            closes(kind, "payload_length", 16777217, f"8.7/grid-{kind}-of-16777217-bytes",
                   "that claims a byte more than 16 MiB is refused as soon as the header tells.", "R8.7-limit", TOO_LARGE,
                   ["max-payload"])
        if kind != "command":
            closes(kind, "payload_length", "max", f"8.7/grid-{kind}-of-4-gib",
                   "that claims 4 GiB is refused as soon as the header tells.", "R8.7-limit", TOO_LARGE)
    closes("ingest", "payload_length", 0x80000000, "8.7/grid-ingest-of-2-gib",
           "that claims 2 GiB, a negative number to some, is refused as soon as the header tells.", "R8.7-limit", TOO_LARGE)
    for kind in ("keepalive", "command", "ack", "backpressure"):
        sent = KINDS[kind].send
        case(f"3.2/grid-{kind}-swallows-a-frame", "must",
             f"{KINDS[kind].words} whose length was damaged takes the next frame for its payload: the checksum tells.",
             "R3.2-payload-length, R11.3-payload-checksum",
             [f"send {sent} payload_length=44, keepalive"] + expects("close | error-response" if kind != "command" else "close", "close"))
    for kind, spec in (("ingest", "error-response | close"), ("command", "error-response | close")):
        given, sent = KINDS[kind].given, KINDS[kind].payload
        # The deployed server ignores the empty ingest and takes the command for one about topic 0.
        answer = ['expect[lance] error-response text="Topic not found"', "expect[lance-py] error-response"] if kind == "command" else []
        case(f"3.2/grid-{kind}-length-zero", "must",
             f"{KINDS[kind].words} whose length was damaged to 0 leaves its payload behind: it is no frame, the connection closes.",
             "R3.2-payload-length, R11.1-magic",
             given + [f"send {sent} payload_length=0 payload_crc=0, keepalive", f"expect[spec] {spec}"] + answer + ["expect close"])


def reserved():
    """3.2: both bytes are zero (D25); the deployed server does not look at them."""
    by_hand = {("keepalive", 0xBEEF), ("ingest", 1)}
    for kind in KINDS:
        for value in (0x0001, 0xFF00):
            if (kind, value) not in by_hand:
                refused(kind, f"reserved=0x{value:04X}", f"3.2/grid-{kind}-reserved-{value:04x}",
                        f"with the reserved bytes {value:04X} is refused; the deployed server does not look at them.", "R3.2-reserved")


def refused(kind, fields, identity, text, requirement, spec=REFUSED, level="must"):
    """The specification forbids it without a reaction; the deployed server takes the frame as it is."""
    row = KINDS[kind]
    steps = row.given + [f"send {row.send} {fields}"] + expects(spec, row.answer) + [row.fence]
    case(identity, level, f"{row.words} {text}", requirement, steps)


def unused_fields():
    """4.2 to 4.4 and 5.1: what a kind does not use of its header is zero."""
    sections = {"keepalive": "R4.3-keepalive-zero", "ack": "R4.2-ack-zero", "backpressure": "R4.4-backpressure-zero",
                "command": "R5.1-header-zero"}
    for kind, requirement in sections.items():
        section = requirement[1:4]
        fields = ["timestamp_ns", "record_count", "topic_id", "payload_crc"]
        fields += ["batch_id"] if kind in ("keepalive", "backpressure") else []
        for field in fields:
            if (kind, field) == ("keepalive", "payload_crc"):
                continue
            # Without a payload its checksum is 0; of the other fields damage can not be told from a value.
            lenient = "lenient " if field == "payload_crc" else ""
            normal = KINDS[kind].answer or "nothing"
            refused(kind, f"{field}=max", f"{section}/grid-{kind}-{field.replace('_', '-')}",
                    f"has zero in {field}; the deployed server does not look at it.",
                    requirement + (", R3.2-payload-crc-zero" if lenient else ", R3.2-unprotected-fields"),
                    f"error-response | close | {lenient}{normal}", "must" if lenient else "may")


def flags():
    """4: the flags are those of one kind (D26). The deployed server takes the first of control, keepalive, ack,
    backpressure, then any payload for an ingest; 01, 02 and 80 mean nothing to it."""
    by_hand = {0x06, 0x0C, 0x14, 0x18, 0x24, 0x44, 0x60, 0x84, 0xA0}
    pairs = {1 << a | 1 << b for a in range(8) for b in range(a)}
    for value in sorted(pairs - by_hand - {0x05} | {0x02, 0x07, 0x0D, 0x15, 0x25, 0x45, 0x7F}):
        kind = next((kind for bit, kind in ((0x40, "command"), (0x20, "keepalive"), (0x08, "ack"), (0x10, "backpressure"))
                     if value & bit), "ingest")
        answer = {"command": "topic-response", "ingest": "exactly ack batch_id=3"}.get(kind, KINDS[kind].answer)
        names = [name for bit, name in enumerate(["compressed", "encrypted", "batch", "ack", "backpressure", "keepalive",
                                                  "control", "bit 7"]) if value >> bit & 1]
        steps = ["given topic $t",
                 f"send frame flags=0x{value:02X} batch_id=3 topic_id=$t record_count=1 records="
                 + ('lz4(raw("hello"))' if value & 1 else 'raw("hello")')]
        steps += expects(REFUSED, answer)
        steps += ["fence list" if kind == "keepalive" else "fence ack topic_id=$t"]
        if kind != "ingest":
            # In spec the connection may have ended before its fence was stored.
            steps += ["connect c2", "send[c2] fetch topic_id=$t start_offset=0 max_bytes=64K"]
            steps += (["expect[c2] fetch-response bytes_returned=0"] if kind == "keepalive" else
                      expects('fetch-response records=raw("fence") | fetch-response bytes_returned=0',
                              'fetch-response records=raw("fence")', peer="c2"))
        case(f"4/grid-flags-{value:02x}", "must",
             f"A frame is of one kind. The deployed server takes {' + '.join(names)} with a payload for "
             f"{KINDS[kind].words.lower()}.",
             "R4-kinds" + (", R3.3-bit-7" if value & 0x80 else "") + (", R3.3-encrypted" if value & 2 else ""), steps)


def fields_of_an_ingest():
    """3.2, 4.1 and 4.2: values at the limits of what an ingest does use."""
    for name, value in (("33-bits", "0x100000000"), ("64-bits", "0x8000000000000000")):
        case(f"4.2/grid-batch-id-of-{name}", "must", f"A batch id of {name.replace('-', ' ')} comes back whole in its ack.",
             "R4.2-ack-batch-id, R3.2-batch-id",
             ["given topic $t", f'send ingest batch_id={value} topic_id=$t records=raw("hello")', f"expect exactly ack batch_id={value}",
              "fence ack topic_id=$t"], 'server "Ingests"')
    for name, count, records in (("one-too-many", 2, 'raw("hello")'), ("one-too-few", 1, 'raw("hello")*2')):
        case(f"3.2/grid-record-count-{name}", "must", f"record_count is the number of records; {name.replace('-', ' ')} is refused. "
             "The deployed server does not compare it.", "R3.2-record-count, R8.1-count",
             ["given topic $t", f"send ingest record_count={count} topic_id=$t records={records}"]
             + expects(REFUSED, "ack batch_id=1") + ["fence ack topic_id=$t"], 'server "Ingests"')
    for name, value in (("zero", "0"), ("negative", "0x8000000000000000")):
        case(f"3.2/grid-timestamp-{name}", "must", f"No checksum covers the timestamp: one that is {name} is no reason to refuse a batch.",
             "R3.2-unprotected-fields", ["given topic $t", f'send ingest timestamp_ns={value} topic_id=$t records=raw("hello")',
                                         "expect exactly ack batch_id=1", "fence ack topic_id=$t"], 'server "Ingests"')
    for value in ("0x7fffffff", "0x80000000"):
        case(f"3.2/grid-topic-id-{value[2:]}", "must", "A topic id around 2^31 is a topic that is not there, and no other.",
             "R3.2-topic-id", [f'send ingest topic_id={value} records=raw("hello")', "expect error-response code=topic-not-found",
                               "fence keepalive"], 'server "Ingests"', needs=["ingest"])


# 2. Control payloads.

SIZES = {"U8": 1, "U32": 4, "U64": 8, "TEXT16": 2}
VALUES = {"topic_id": "$t", "max_age_secs": "60", "max_bytes": "64K", "start_offset": "0", "max_batch_bytes": "64K",
          "consumer_id": "90", "offset": "10", "name": "$n"}
SHORT = {"get-topic": "Topic not found",
         "set-retention": "Invalid set retention payload", "create-topic-with-retention": "Invalid create topic payload",
         "fetch": "Protocol error: Fetch request payload too small", "subscribe": "Invalid subscribe payload",
         "unsubscribe": "Invalid unsubscribe payload", "commit-offset": "Invalid commit offset payload"}
GOOD = {"delete-topic": "topic-response json.deleted=$t", "get-topic": "topic-response json.id=$t",
        "set-retention": "topic-response json.topic_id=$t json.max_age_secs=60 json.max_bytes=64K",
        "create-topic-with-retention": "topic-response json.name=$n json.max_age_secs=60 json.max_bytes=64K",
        "fetch": 'fetch-response next_offset=10 records=raw("hello")', "subscribe": "subscribe-ack consumer_id=90 offset=0",
        "unsubscribe": "ack batch_id=90", "commit-offset": "commit-ack consumer_id=90 offset=10"}
FORMS = {"delete-topic": "R5.1-size, R5.6-form", "get-topic": "R5.1-size, R5.5-form", "set-retention": "R5.10-payload, R5.10-form",
         "create-topic-with-retention": "R5.11-payload, R5.11-form", "fetch": "R5.9-payload, R5.9-form",
         "subscribe": "R5.12-payload, R5.12-form", "unsubscribe": "R5.13-payload, R5.13-form",
         "commit-offset": "R5.14-payload, R5.14-form"}
STILL_THERE = ["connect c2", "send[c2] get-topic topic_id=$t", "expect[c2] topic-response json.id=$t"]


def commands():
    """The rows of commands.def that clients send and that have a fixed form: word, section, fields."""
    for word, section, sender, fields in re.findall(
            r'LWP_COMMAND\([^"]*"([^"]+)",\s*"([^"]+)",\s*(\w+),\s*0x?\w+,([^\n]*(?:\n {12}[^\n]*)?)\)\n', COMMANDS.read_text()):
        parsed = re.findall(r"F\((\w+), (\w+)\)", fields)
        if sender == "CLIENT" and word in GOOD:
            yield word, section, parsed


def sent_whole(word, fields):
    """The command with values in all its fields, and what must be there for it."""
    given = ["given name $n"] if any(kind == "TEXT16" for kind, _ in fields) else \
        ['given topic $t records=raw("hello")'] if word == "fetch" else ["given topic $t"]
    return given, f"{word} " + " ".join(f"{name}={VALUES[name]}" for _, name in fields)


def cut_payloads():
    """5: a payload that ends behind a field, or within the first. Empty and one byte short are tried by hand; so is
    DeleteTopic, which could delete somebody else's topic where a server fills up what is missing."""
    for word, section, fields in commands():
        given, sent = sent_whole(word, fields)
        ends, size = {1}, 0
        for kind, _ in fields[:-1]:
            size += SIZES[kind]
            ends.add(size)
        if word in ("create-topic-with-retention", "delete-topic"):
            continue
        for end in sorted(ends | ({2} if len(fields) == 1 else set())):
            text = SHORT[word]
            must = section == "5.10"
            means_0 = word == "get-topic"
            told = f'error-response text="{text}" | error-response json.message="{text}"'
            steps = given + [f"send {sent} size={end}"]
            steps += [f"expect {told}"] if must else expects(
                REFUSED, f'error-response text="{text}"', f"error-response code={'topic-not-found' if means_0 else 'invalid-payload'}")
            steps += ["fence keepalive"]
            case(f"{section}/grid-cut-at-{end}", "must" if must else "may",
                 f"{word} whose payload ends after {end} byte{'s' if end > 1 else ''} is refused"
                 + ("; the deployed server takes it for topic 0." if means_0 else "."),
                 FORMS[word], steps, source_of(section))


def source_of(section):
    return 'server "Consumers"' if section in ("5.9", "5.12", "5.13", "5.14") else 'server "Topics"'


def cut_create_with_retention():
    """5.11: the name's size in front, and two limits that must be whole behind the name."""
    too_short, too_long = "Invalid create topic payload", "Invalid payload length"
    name = b"lwpc-grid-cut"
    whole = len(name).to_bytes(2, "little") + name + (60).to_bytes(8, "little") * 2
    rows = [("cut-in-the-size", whole[:1], too_short, "inside the size of the name"), ("cut-behind-the-size", whole[:2], too_short, "behind that size"),
            ("cut-behind-the-name", whole[:-16], too_short, "behind the name"),
            ("cut-in-the-first-limit", whole[:-12], too_long, "in the first limit"),
            ("cut-behind-the-first-limit", whole[:-8], too_long, "behind the first limit"),
            ("cut-in-the-second-limit", whole[:-1], too_long, "a byte before its end"),
            ("name-of-65535-bytes", b"\xff\xff" + whole[2:], too_long, "long before the name that is promised"),
            ("size-one-too-large", (len(name) + 1).to_bytes(2, "little") + whole[2:], too_long, "a byte too early for its name's size")]
    for slug, payload, text, where in rows:
        told = f'error-response text="{text}" | error-response json.message="{text}"' if text == too_short else None
        steps = [f"send create-topic-with-retention payload=hex({payload.hex(' ')})"]
        steps += [f"expect {told}"] if told else expects("error-response code=invalid-payload", f'error-response text="{text}"',
                                                         "error-response code=invalid-payload")
        steps += ["send list-topics", f'expect topic-response json.topics.*.name!="{name.decode()}"']
        case(f"5.11/grid-{slug}", "must", f"CreateTopicWithRetention that ends {where} is refused, and makes no topic.",
             FORMS["create-topic-with-retention"], ["given topic $t"] + steps, 'server "Topics"')


def long_payloads():
    """5: 64 KiB behind the fields; one byte is tried by hand."""
    for word, section, fields in commands():
        given, sent = sent_whole(word, fields)
        good = GOOD[word]
        steps = given + [f"send {sent} size=64K"] + expects(REFUSED, good, "topic-response" if word == "unsubscribe" else good)
        steps += ["fence list" if word == "unsubscribe" else "fence keepalive"]
        if word == "delete-topic":
            steps += ["connect c2", "send[c2] get-topic topic_id=$t"]
            steps += expects("topic-response json.id=$t", "error-response code=topic-not-found", peer="c2")
        case(f"{section}/grid-64-kib-too-long", "may",
             f"{word} with 64 KiB behind its fields is refused; the deployed server does not look at them.",
             FORMS[word] + ("" if "R5.1-size" in FORMS[word] else ", R5.1-size"), steps, source_of(section))


def damaged_payloads():
    """11.3: a command whose payload is damaged is not carried out."""
    for word, _, fields in list(commands()) + [("create-topic", "5.3", [("TEXT", "name")])]:
        if word == "get-topic":
            continue
        given, sent = sent_whole(word, fields) if word != "create-topic" else (["given name $n"], "create-topic name=$n")
        after = []
        if "create" in word:
            given, after = ["given topic $t"] + given, ["connect c2", "send[c2] list-topics",
                                                        "expect[c2] topic-response json.topics.*.name!=$n"]
        elif word == "delete-topic":
            after = STILL_THERE
        elif word == "commit-offset":
            after = ["connect c2", "send[c2] subscribe topic_id=$t start_offset=0 max_batch_bytes=64K consumer_id=90",
                     "expect[c2] subscribe-ack consumer_id=90 offset=0"]
        case(f"11.3/grid-{word}-damaged", "must",
             f"{word} whose payload was damaged closes the connection{', and is not carried out' if after else ''}.",
             "R11.3-payload-checksum, R5.1-payload", given + [f"send {sent} payload_crc=wrong", "expect close"] + after)


def numbers_inside():
    """5.9, 5.12 and 5.14: numbers beyond 32 bits are not cut to them, and absurd ones do no harm."""
    for name, value in (("32-bits", "0x100000000"), ("63-bits", "0x7ffffffffffffff0")):
        case(f"5.9/grid-offset-beyond-{name}", "must", f"An offset beyond {name.replace('-', ' ')} lies beyond the end: no data comes.",
             "R5.9-beyond-end, R5.9-catching-up",
             ['given topic $t records=raw("hello")', f"send fetch topic_id=$t start_offset={value} max_bytes=64K"]
             + expects(f"fetch-response bytes_returned=0 next_offset=10 | fetch-response bytes_returned=0 next_offset={value}",
                       "catching-up server_offset=10", "error-response code=server-catching-up")
             + ["fence keepalive"], 'server "Consumers"')
    for name, value in (("zero", "0"), ("largest", "max")):
        case(f"5.12/grid-{name}-batch-size", "must", f"Subscribe with the {name} max_batch_bytes is acknowledged, and nothing is pushed.",
             "R5.12-subscribe", ['given topic $t records=raw("hello")',
                                 f"send subscribe topic_id=$t start_offset=10 max_batch_bytes={value} consumer_id=91"]
             + expects("subscribe-ack consumer_id=91 offset=10 | error-response", "exactly subscribe-ack consumer_id=91 offset=10")
             + ["fence keepalive"], 'server "Consumers"')
    case("5.14/grid-consumers-of-64-bits", "must", "Consumers whose ids differ in the upper half only are two.",
         "R5.14-kept, R5.14-commit",
         ["given topic $t", "send commit-offset topic_id=$t consumer_id=0x10000005c offset=10",
          "expect commit-ack consumer_id=0x10000005c offset=10",
          "send subscribe topic_id=$t start_offset=0 max_batch_bytes=64K consumer_id=0x5c",
          "expect subscribe-ack consumer_id=0x5c offset=0"], 'server "Consumers"')
    case("5.3/grid-name-of-254-bytes", "must", "A name of 254 bytes is valid.", "R5.3-name-length",
         ["given name $n size=254", "send create-topic name=$n", "expect topic-response json.name=$n"], 'server "Topics"')


# 3. Kinds of frames by the state of the connection.

class Sent:
    """What is sent in a state: what must be there, the frame, and its answers in spec, lance and lance-py."""

    def __init__(self, send, spec, lance=None, py=None, given=(), needs=()):
        self.send, self.given, self.needs = send, list(given), list(needs)
        self.answers = (spec, lance or spec, py or lance or spec)


FETCHED = 'fetch-response next_offset=10 records=raw("hello")'
ACTS = {
    "keepalive": Sent("keepalive", "exactly keepalive"),
    "list-topics": Sent("list-topics", "topic-response json.topics.*.id=$t"),
    "get-topic": Sent("get-topic topic_id=$t", "topic-response json.id=$t"),
    "create-topic": Sent("create-topic name=$n", "topic-response json.name=$n", given=["given name $n"]),
    "delete-topic": Sent("delete-topic topic_id=$u", "topic-response json.deleted=$u", given=["given topic $u"]),
    "set-retention": Sent("set-retention topic_id=$t max_age_secs=60 max_bytes=64K", "topic-response json.topic_id=$t json.max_age_secs=60"),
    "create-topic-with-retention": Sent("create-topic-with-retention name=$n max_age_secs=60 max_bytes=64K",
                                        "topic-response json.name=$n json.max_age_secs=60", given=["given name $n"]),
    "get-cluster-status": Sent("get-cluster-status", "cluster-status-response"),
    "authenticate": Sent('authenticate token="token"', "authenticate-response | error-response",
                         'authenticate-response ok=1 text="Authenticated"'),
    "fetch": Sent("fetch topic_id=$t start_offset=0 max_bytes=64K", FETCHED),
    "subscribe": Sent("subscribe topic_id=$t start_offset=10 max_batch_bytes=64K consumer_id=93", "subscribe-ack consumer_id=93 offset=10"),
    "unsubscribe": Sent("unsubscribe topic_id=$t consumer_id=92", "ack", "exactly ack batch_id=92", "topic-response"),
    "commit-offset": Sent("commit-offset topic_id=$t consumer_id=92 offset=10", "commit-ack consumer_id=92 offset=10"),
    "ingest": Sent('ingest topic_id=$t records=raw("world")', "ack"),
    "ack": Sent("ack batch_id=1", None),
    "backpressure": Sent("backpressure", None),
}
REPLIES = {"subscribe-ack": "subscribe-ack consumer_id=92 offset=0", "fetch-response": "fetch-response next_offset=0",
           "commit-ack": "commit-ack consumer_id=92 offset=10", "catching-up": "catching-up server_offset=10",
           "topic-response": 'topic-response json="{}"', "error-response": 'error-response text="Topic not found"'}
HELLO = 'given topic $t records=raw("hello")'
SUBSCRIBED = ["send subscribe topic_id=$t start_offset=0 max_batch_bytes=64K consumer_id=92", "expect subscribe-ack consumer_id=92 offset=0"]
UNSUBSCRIBED = SUBSCRIBED + ["send unsubscribe topic_id=$t consumer_id=92"] + expects("ack", "exactly ack batch_id=92", "topic-response")


def fence_behind(act):
    return "fence list" if act in ("keepalive", "ack", "backpressure") else "fence keepalive"


def after_an_error():
    """12.1: a refusal leaves the connection as it was for frames of every kind."""
    for act, sent in ACTS.items():
        case(f"12.1/grid-error-then-{act}", "should", f"A request that was refused does not spoil the one behind it: {act}.", "R12.1-open",
             [HELLO] + sent.given + ["send get-topic topic_id=max", "expect error-response", f"send {sent.send}"]
             + expects(*sent.answers) + [fence_behind(act)], 'server "Topics"', sent.needs)


def while_subscribed():
    """5.12: a subscription changes no other answer and takes none of a server's own frames for one."""
    for act, sent in ACTS.items():
        if act in ("ingest", "authenticate", "create-topic-with-retention", "get-cluster-status", "get-topic", "create-topic", "set-retention"):
            continue
        steps = [HELLO] + sent.given + SUBSCRIBED + [f"send {sent.send}"] + expects(*sent.answers) + [fence_behind(act)]
        case(f"5.12/grid-subscribed-then-{act}", "must", f"A subscription does not change what is answered to {act}.",
             "R5.12-subscribe", steps, 'server "Consumers"')
    again = "subscribe topic_id=$t start_offset=10 max_batch_bytes=64K consumer_id=92"
    case("5.12/grid-subscribed-then-subscribe-again", "must", "A consumer that subscribes twice is told the offset of the second time.",
         "R5.12-subscribe", [HELLO] + SUBSCRIBED + [f"send {again}"]
         + expects("subscribe-ack consumer_id=92 offset=10 | error-response", "exactly subscribe-ack consumer_id=92 offset=10")
         + ["fence keepalive"], 'server "Consumers"')
    case("5.12/grid-subscribed-then-ingest-elsewhere", "may", "Records of another connection are not pushed to a subscriber.",
         "R5.12-push", ["given topic $t", "connect c2"] + SUBSCRIBED + ['send[c2] ingest topic_id=$t records=raw("hello")',
                                                                        "expect[c2] ack batch_id=1", "fence[c2] ack topic_id=$t",
                                                                        "fence keepalive"], 'server "Consumers"')
    case("5.13/grid-subscribed-then-unsubscribe-elsewhere", "may", "A consumer may unsubscribe on another connection.",
         "R5.13-unsubscribe", ["given topic $t", "connect c2"] + SUBSCRIBED + ["send[c2] unsubscribe topic_id=$t consumer_id=92"]
         + expects("ack | error-response", "exactly ack batch_id=92", "topic-response", peer="c2") + ["fence keepalive"], 'server "Consumers"')


def replies_from_a_client():
    """5.2: what servers answer is refused from a client, also where it would be an answer."""
    states = {"subscribed": SUBSCRIBED, "fetched": ["send fetch topic_id=$t start_offset=0 max_bytes=64K", f"expect {FETCHED}"]}
    for state, steps in states.items():
        for reply, sent in REPLIES.items():
            if state == "fetched" and reply not in ("fetch-response", "error-response"):
                continue
            case(f"5.2/grid-{state}-then-{reply}", "must", f"{reply} is no answer to an answer: a client that sends it is refused.",
                 "R5.2-sender", [HELLO] + steps + [f"send {sent}"]
                 + expects(REFUSED, 'error-response text="Invalid client command"', "error-response") + ["fence keepalive"],
                 'server "Topics"')


def after_unsubscribing():
    """5.13: who has unsubscribed is as if it never had subscribed, but for what it committed."""
    for act in ("keepalive", "fetch", "ingest", "subscribe", "unsubscribe", "commit-offset"):
        sent = ACTS[act]
        answers = ("ack | error-response",) + sent.answers[1:] if act == "unsubscribe" else sent.answers
        case(f"5.13/grid-unsubscribed-then-{act}", "must", f"After Unsubscribe {act} is answered as before.", "R5.13-unsubscribe",
             [HELLO] + UNSUBSCRIBED + [f"send {sent.send}"] + expects(*answers)
             + ["fence ack topic_id=$t" if act == "ingest" else fence_behind(act)], 'server "Consumers"')


def behind_an_ingest():
    """2: in one write with an ingest that waits for its ack, in whatever order the two answers come."""
    for act, sent in ACTS.items():
        if act in ("ingest", "fetch", "authenticate"):
            continue
        steps = ["given topic $t"] + sent.given + [f'send ingest topic_id=$t records=raw("hello"), {sent.send}']
        if sent.answers[0] is None:
            steps += ["expect ack batch_id=1", "fence ack topic_id=$t"]
        else:
            spec, lance, py = sent.answers
            groups = [("", spec)] if spec == lance == py else [("[spec]", spec), ("[lance]", lance), ("[lance-py]", py)]
            steps += [f"any-order{tag} {{ ack batch_id=1 ; {answer} }}" for tag, answer in groups]
        if sent.answers[0] is not None:
            steps += ["send fetch topic_id=$t start_offset=0 max_bytes=64K", f"expect {FETCHED}"]
        case(f"2/grid-ingest-then-{act}", "must", f"{act} in one write with an ingest: both are carried out, and answered once.",
             "R2-many-frames, R2-stateless", steps, 'server "Order of answers"')


def after_deletion():
    """5.6: what still names a topic that is gone. The deployed server asks for the topic in Subscribe only."""
    gone = "error-response code=topic-not-found | error-response code=topic-deleted"
    rows = {"set-retention": (gone, "error-response code=topic-not-found", None),
            "subscribe": (gone, 'error-response text="Topic not found"', gone),
            "unsubscribe": (f"ack | {gone}", "exactly ack batch_id=92", "topic-response"),
            "commit-offset": (f"commit-ack consumer_id=92 offset=10 | {gone}", "commit-ack consumer_id=92 offset=10", None),
            "empty-ingest": ("error-response | close", 'error-response text="Unknown topic"', gone)}
    for act, (spec, lance, py) in rows.items():
        sent = "ingest record_count=0 topic_id=$t" if act == "empty-ingest" else ACTS[act].send
        before = SUBSCRIBED if act in ("unsubscribe", "commit-offset", "subscribe") else []
        case(f"5.6/grid-deleted-then-{act}", "must", f"{act} of a topic that was deleted finds none, or changes nothing.",
             "R5.6-delete-topic", [HELLO] + before + ["send delete-topic topic_id=$t", "expect topic-response json.deleted=$t", f"send {sent}"]
             + expects(spec, lance, py) + ["fence keepalive"], source_of("5.12" if before else "5.6"))


def before_authenticating():
    """7: what waits for a token. The deployed server lets nothing wait but ingests."""
    for act, sent in ACTS.items():
        if act in ("keepalive", "create-topic", "delete-topic", "fetch", "ingest", "authenticate"):
            continue
        spec, lance, py = sent.answers
        case(f"7/grid-locked-{act}", "may", f"{act} without authentication is answered, or refused; the deployed server guards only ingests.",
             "R7-ingest-only", [HELLO] + sent.given + [f"send {sent.send}"]
             + expects(f"{spec} | error-response" if spec else REFUSED.replace("lenient ", ""), lance, py) + [fence_behind(act)],
             'server "Tokens and access lists"', ["auth"])
    refusal = "error-response code=authentication-required | error-response code=access-denied"
    for name, sent in (("compressed-ingest", 'ingest topic_id=$t records=lz4(raw("hello"))'),
                       ("flags-00-with-payload", 'frame flags=0x00 batch_id=1 topic_id=$t record_count=1 records=raw("hello")')):
        case(f"7/grid-locked-{name}", "must", "However an ingest is dressed up, without authentication it is not stored.", "R7-refusal",
             ["given topic $t", f"send {sent}"] + expects(f"{refusal} | {REFUSED}" if "flags" in name else refusal,
                                                          'error-response text="Authentication required"', refusal)
             + ["fence keepalive", "connect c2", "send[c2] fetch topic_id=$t start_offset=0 max_bytes=64K"]
             + expects("fetch-response bytes_returned=0 | error-response", "fetch-response next_offset=0 bytes_returned=0", peer="c2"),
             'server "Tokens and access lists"', ["auth"])
    case("7/grid-locked-authenticate-response", "must", "A client that says itself that it is authenticated is not.", "R7-refusal",
         ["given topic $t", 'send authenticate-response ok=1 text="Authenticated", ingest topic_id=$t records=raw("hello")']
         + expects("error-response | close", 'error-response text="Authentication handled at connection level"', "error-response")
         + ["expect[lance,lance-py] error-response code=authentication-required", "connect c2",
            "send[c2] fetch topic_id=$t start_offset=0 max_bytes=64K"]
         + expects("fetch-response bytes_returned=0 | error-response", "fetch-response next_offset=0 bytes_returned=0", peer="c2"),
         'server "Tokens and access lists"', ["auth"])
    case("7/grid-unlocked-then-authenticate", "may", "Who is authenticated may authenticate again.", "R7-token",
         ["given topic $t", "send authenticate token=$token", "expect authenticate-response ok=1", "send authenticate token=$token"]
         + expects("authenticate-response ok=1 | error-response", "exactly authenticate-response ok=1 text=\"Authenticated\"")
         + ['send ingest topic_id=$t records=raw("hello")', "expect ack batch_id=1"], 'server "Tokens and access lists"')


GRIDS = (magic, version, header_crc, stale_header_crc, payload_crc, payload_length, reserved, unused_fields, flags, fields_of_an_ingest,
         cut_payloads, cut_create_with_retention, long_payloads, damaged_payloads, numbers_inside,
         after_an_error, while_subscribed, replies_from_a_client, after_unsubscribing, behind_an_ingest, after_deletion,
         before_authenticating)


def texts():
    """What each file holds."""
    found = {}
    for identity, text in cases:
        chapter = re.match(r"LWP-(\d+)", identity)[1]
        head = f"# Written by conformance/grid.py from its rules: section {chapter}. Change those, then run it.\n"
        found.setdefault(CASES / f"{FILES[chapter]}-grid.lwps", [head]).append(text)
    return {path: "\n".join(parts) for path, parts in found.items()}


def ids_of(text):
    return set(re.findall(r"^case (\S+)", text, re.MULTILINE))


def print_matrix():
    """The kinds of frames by the states of the connection."""
    states = {"after an error": "12.1/grid-error-then-", "subscribed": "5.12/grid-subscribed-then-", "unsubscribed": "5.13/grid-unsubscribed-then-",
              "behind an ingest": "2/grid-ingest-then-", "topic deleted": "5.6/grid-deleted-then-", "no token": "7/grid-locked-",
              "answers sent": "5.2/grid-subscribed-then-"}
    ids = {identity for identity, _ in cases}
    print(" " * 28 + "  ".join(states))
    for act in [*ACTS, *REPLIES]:
        print(f"{act:28}" + "  ".join(("x" if f"LWP-{prefix}{act}" in ids else ".").ljust(len(state))
                                      for state, prefix in states.items()).rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--matrix", action="store_true")
    arguments = parser.parse_args()
    for grid in GRIDS:
        grid()
    if arguments.matrix:
        return print_matrix()
    wanted = texts()
    there = {path: path.read_text() for path in CASES.glob("*-grid.lwps")}
    retired = {line.split()[0] for line in (HERE / "retired.txt").read_text().splitlines() if line and line[0] != "#"}
    lost = set().union(*map(ids_of, there.values())) - {identity for identity, _ in cases} - retired
    if lost:
        sys.exit("grid.py: ids that are written no longer and not in conformance/retired.txt: " + " ".join(sorted(lost)))
    stale = [path for path in {*wanted, *there} if wanted.get(path) != there.get(path)]
    if arguments.check and stale:
        sys.exit("grid.py: out of step with its rules (run it): " + " ".join(sorted(path.name for path in stale)))
    for path in stale:
        path.write_text(wanted[path]) if path in wanted else path.unlink()
    print(f"{len(cases)} cases in {len(wanted)} files")
    return None


if __name__ == "__main__":
    main()
