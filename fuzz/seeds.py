#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the seeds of the fuzz targets into corpus/TARGET.

Nothing is random, so the files are always the same; two inputs are never. `--check` writes nothing
and fails if the folders hold anything else. Files named regress-* (past crashes, never removed),
case-* (from the conformance cases) and found-* (kept by `fuzz.py merge`) are left alone. The protocol is restated here from the
specification rather than read from the library, whose mistakes must not become the seeds'.
"""
import argparse
import json
import re
import struct
import sys
from pathlib import Path

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
EXEMPT = ("regress-", "case-", "found-")
MAX_FILES, MAX_TOTAL, MAX_SEED = 500, 1 << 20, 8192
MAX_LONG = 3  # Seeds of more than MAX_SEED bytes, per target.
MAX_ANSWERS = 2  # Of each recorded exchange: 300 acks differ in their batch ids only.

POLYNOMIALS = {"castagnoli": 0x82F63B78, "iso": 0xEDB88320}
INGEST, COMPRESSED, ACK, BACKPRESSURE, KEEPALIVE, CONTROL = 0x04, 0x05, 0x08, 0x10, 0x20, 0x40


def crc(polynomial, data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (POLYNOMIALS[polynomial] if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def frame(polynomial, flags, payload=b"", **fields):
    """A sound frame, but for the fields that are given."""
    front = struct.pack("<4sBBH", fields.get("magic", b"LANC"), fields.get("version", 1), flags,
                        fields.get("reserved", 0))
    return front + struct.pack(
        "<IQQIIII", fields.get("header_crc", crc(polynomial, front)), fields.get("batch_id", 0),
        fields.get("timestamp_ns", 0), fields.get("record_count", 0),
        fields.get("payload_length", len(payload)),
        fields.get("payload_crc", crc(polynomial, payload)), fields.get("topic_id", 0)) + payload


def record(kind, value, size=None):
    return struct.pack("<BI", kind, len(value) if size is None else size) + value


HELLO = record(1, b"hello")
PLAIN = {"batch_id": 1, "record_count": 1}


class Seeds:
    """A target's seeds by name; the first of two that are equal stays."""

    def __init__(self):
        self.files, self.seen, self.long = {}, set(), 0

    def add(self, name, data):
        data = bytes(data)
        too_long = len(data) > MAX_SEED
        if data in self.seen or (too_long and self.long == MAX_LONG):
            return
        assert name not in self.files, name
        self.long += too_long
        self.seen.add(data)
        self.files[name] = data


def received(text):
    """The bytes of an answer in the recordings; documents have no sizes there and get them."""
    if text == "closed":
        return b""
    parts = text.split("|", 2)
    if len(parts) == 1:
        return bytes.fromhex(text)
    payload = parts[2].encode()
    return bytes.fromhex(parts[0]) + struct.pack("<II", len(payload), crc("iso", payload)) + \
        bytes.fromhex(parts[1]) + payload


def golden():
    """Name and bytes of all that was recorded: each exchange's stream, segments and answers."""
    for path in sorted((CORPUS / "golden").glob("*.jsonl")):
        prefix = "golden-" + path.stem.removesuffix("-0.2.8")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            exchange = json.loads(line)
            name = f"{prefix}-{exchange['id']}"
            segments = [bytes.fromhex(text) for text in exchange["send"]]
            yield name, b"".join(segments)
            answers = [received(text) for text in exchange["recv"][:MAX_ANSWERS]]
            for kind, items in (("sent", segments), ("received", answers)):
                for index, item in enumerate(items):
                    if item:
                        yield f"{name}-{kind}-{number}-{index}", item


# The payload of each command, specification 5 and what is deployed besides.
COMMANDS = {
    0x01: b"events", 0x02: struct.pack("<I", 1), 0x03: b"", 0x04: struct.pack("<I", 1),
    0x05: struct.pack("<IQQ", 1, 86400, 1 << 30),
    0x06: struct.pack("<H6sQQ", 6, b"events", 3600, 0),
    0x07: b"", 0x08: b"secret", 0x09: b"\x00Invalid token", 0x10: struct.pack("<IQI", 1, 0, 4096),
    0x11: struct.pack("<QII", 10, 10, 1) + HELLO, 0x12: struct.pack("<Q", 10),
    0x20: struct.pack("<IQIQ", 1, 0, 65536, 7), 0x21: struct.pack("<IQ", 1, 7),
    0x22: struct.pack("<IQQ", 1, 7, 10), 0x23: struct.pack("<QQ", 7, 0),
    0x24: struct.pack("<QQ", 7, 10), 0x80: b'{"deleted":1}', 0x81: b'{"node_count":1}',
    0xFF: b"Topic not found", 0x30: b"unassigned",
}
TEXTS = (0x01, 0x08, 0x30, 0x80, 0x81, 0xFF)  # Of any size.


def header_seeds(seeds, polynomial):
    """The boundaries of each header field, everything else in order."""
    def add(name, *args, **fields):
        seeds.add(f"boundary-{polynomial}-{name}", frame(polynomial, *args, **fields))

    for magic in (b"\0ANC", b"LANX", b"CNAL"):
        add("magic-" + magic.hex(), KEEPALIVE, magic=magic)
    for version in (0, 2, 255):
        add(f"version-{version}", KEEPALIVE, version=version)
    for flags in (0, 1, 2, 4, 5, 6, 8, 9, 0x0C, 0x10, 0x18, 0x20, 0x24, 0x40, 0x41, 0x60, 0x7F,
                  0x80, 0xC0, 0xFF):
        add(f"flags-{flags:02x}", flags)
    for flags in (0, 4, 5, 8, 0x10, 0x24, 0x44, 0x80):
        add(f"flags-{flags:02x}-with-record", flags, HELLO, **PLAIN)
    for reserved in (1, 0x100, 0xFFFF):
        add(f"reserved-{reserved:04x}", KEEPALIVE, reserved=reserved)
    for header_crc in (0, 0xFFFFFFFF, crc(polynomial, b"LANC\1\x20\0\0") ^ 1):
        add(f"header-crc-{header_crc:08x}", KEEPALIVE, header_crc=header_crc)
    for name, size in (("batch-id", 8), ("timestamp-ns", 8), ("record-count", 4), ("topic-id", 4)):
        field = name.replace("-", "_")
        for value in (0, 1, 256, 1 << 8 * size - 1, (1 << 8 * size) - 1):
            add(f"{name}-{value}", INGEST, HELLO, **{**PLAIN, field: value})
    for batch_id in (0x103, 0xFFFFFFFFFFFFFF03, 0):
        add(f"command-{batch_id:x}", CONTROL, batch_id=batch_id)


def payload_seeds(seeds, polynomial):
    def add(name, *args, **fields):
        seeds.add(f"boundary-{polynomial}-{name}", frame(polynomial, *args, **fields))

    right = crc(polynomial, HELLO)
    other = crc("iso" if polynomial == "castagnoli" else "castagnoli", HELLO)
    for name, value in (("0", 0), ("max", 0xFFFFFFFF), ("off-by-a-bit", right ^ 1),
                        ("other-polynomial", other)):
        add(f"payload-crc-{name}", INGEST, HELLO, payload_crc=value, **PLAIN)
    add("payload-crc-without-payload", KEEPALIVE, payload_crc=1)
    for size in (0, 1, 15, 16, 1024, 1025, 4052):
        add(f"payload-length-{size}", INGEST, b"x" * size, **PLAIN)
    for length in (len(HELLO) - 1, len(HELLO) + 1):
        add(f"payload-length-{length}-for-{len(HELLO)}", INGEST, HELLO, payload_length=length,
            payload_crc=crc(polynomial, HELLO[:length]), **PLAIN)
    for length in (1024, 1025, 16777215, 16777216, 16777217, 0x7FFFFFFF, 0x80000000, 0xFFFFFFD4,
                   0xFFFFFFFF):
        add(f"payload-length-{length}-alone", INGEST, payload_length=length, **PLAIN)
    add("compressed", COMPRESSED, b"\xa0" + HELLO, **PLAIN)
    for kind, flags in (("ack", ACK), ("backpressure", BACKPRESSURE)):
        add(f"{kind}-with-payload", flags, b"abc", batch_id=1)


def message_seeds(seeds, polynomial):
    """Every command: right, and unless any size is right a byte short and a byte more; then texts
    and sizes that are wrong."""
    def add(name, code, payload):
        seeds.add(f"command-{polynomial}-{name}",
                  frame(polynomial, CONTROL, payload, batch_id=code))

    for code, payload in COMMANDS.items():
        add(f"{code:02x}", code, payload)
        if polynomial == "castagnoli" and code not in TEXTS:
            add(f"{code:02x}-short", code, payload[:-1])
            add(f"{code:02x}-more", code, payload + b"!")
    add("01-empty", 0x01, b"")
    add("01-not-utf8", 0x01, b"ab\xff\xfe")
    add("06-name-past-the-end", 0x06, struct.pack("<H6sQQ", 23, b"events", 3600, 0))
    add("06-name-size-max", 0x06, struct.pack("<H6sQQ", 65535, b"events", 3600, 0))
    add("11-size-off-by-one", 0x11, struct.pack("<QII", 10, 9, 1) + HELLO)
    add("11-cut-record", 0x11, struct.pack("<QII", 7, 7, 1) + HELLO[:7])


def stream_seeds(seeds, polynomial):
    one = frame(polynomial, KEEPALIVE)
    two = frame(polynomial, INGEST, HELLO, **PLAIN)
    for size in (0, 1, 4, 8, 12, 40, 43, 45, len(two) - 1):
        seeds.add(f"stream-{polynomial}-first-{size}", two[:size])
    seeds.add(f"stream-{polynomial}-two", two + one)
    seeds.add(f"stream-{polynomial}-two-and-a-byte", one + two + b"L")
    seeds.add(f"stream-{polynomial}-two-and-half", two + one + two[:50])
    seeds.add(f"stream-{polynomial}-second-bad", one + b"X" + two[1:])


def frame_seeds():
    seeds = Seeds()
    for name, data in golden():
        seeds.add(name, data)
    for polynomial in POLYNOMIALS:
        header_seeds(seeds, polynomial)
        payload_seeds(seeds, polynomial)
        message_seeds(seeds, polynomial)
        stream_seeds(seeds, polynomial)
    return seeds


def crc_seeds():
    """u32 start value, u8 alignment, four u8 sizes of pieces, bytes."""
    seeds = Seeds()

    def add(name, data, start=0, alignment=0, pieces=(255, 255, 255, 255)):
        seeds.add(name, struct.pack("<IB4B", start, alignment, *pieces) + data)

    count = bytes(range(256)) * 16
    seeds.add("head-too-short", b"\0" * 8)
    for name, text in (("nothing", b""), ("a", b"a"), ("hello", b"hello"), ("check", b"123456789")):
        add(f"vector-{name}", text)
    for size in (1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256,
                 257, 511, 512, 513, 1023, 1024, 1025, 4087):
        add(f"size-{size}", count[:size])
    for alignment in (*range(1, 16), 31, 63):
        add(f"alignment-{alignment}", count[:300], alignment=alignment)
    for pieces in ((0, 0, 0, 0), (1, 1, 1, 1), (0, 0, 0, 5), (15, 16, 17, 0), (7, 8, 9, 1),
                   (31, 32, 33, 1), (63, 64, 65, 1), (16, 16, 16, 16), (128, 1, 127, 255)):
        add("pieces-" + "-".join(map(str, pieces)), count[:520], pieces=pieces)
    for start in (1, 0x80000000, 0xFFFFFFFF, 0xDEADBEEF):
        add(f"start-{start:08x}", count[:40], start=start)
    for byte in (0, 0xFF):
        add(f"bytes-{byte:02x}", bytes([byte]) * 100)
    return seeds


def key_seeds(seeds):
    """The types with a key: its size right, at the edge, past the end."""
    for kind, stamp in ((0x10, b""), (0x12, struct.pack("<Q", 1700000000000000000))):
        name = "key-value" if kind == 0x10 else "key-timestamped"

        def add(what, value, kind=kind, name=name, stamp=stamp):
            seeds.add(f"{name}-{what}", record(kind, stamp + value))

        for what, value in (
                ("ordinary", b"\3\0keyvalue"), ("no-key", b"\0\0value"), ("nothing", b"\0\0"),
                ("no-value", b"\3\0key"), ("key-one-past", b"\4\0key"),
                ("key-max-past", b"\xff\xffkey"), ("key-size-cut", b"\3"), ("no-key-size", b""),
                ("key-256", b"\0\1" + b"k" * 256 + b"v"), ("key-255-past", b"\xff\0" + b"k" * 254),
                ("key-not-utf8", b"\2\0\xff\xfevalue"), ("key-overlong", b"\2\0\xc0\x80"),
                ("key-surrogate", b"\3\0\xed\xa0\x80"), ("key-cut", b"\2\0\xe2\x82\xacvalue"),
                ("key-past-unicode", b"\4\0\xf4\x90\x80\x80"),
                ("key-of-each-size", b"\x0a\0" + "\x7f\u0080\u0800\U00010000".encode() + b"v")):
            add(what, value)
    for size in (0, 7, 8, 9):
        seeds.add(f"timestamped-{size}", record(0x11, b"\xff" * size))


def tlv_seeds():
    seeds = Seeds()
    for kind in (*range(0x00, 0x14), 0x7F, 0x80, 0x81, 0xFD, 0xFE, 0xFF):
        seeds.add(f"type-{kind:02x}", record(kind, b"0123456789abcdef"))
        seeds.add(f"type-{kind:02x}-empty", record(kind, b""))
    key_seeds(seeds)
    seeds.add("nothing", b"")
    for size in range(1, 10):
        seeds.add(f"truncated-{size}", HELLO[:size])
    for length in (6, 0x100, 0x10000, 16777215, 16777216, 16777217, 0x7FFFFFFF, 0x80000000,
                   0xFFFFFFFA, 0xFFFFFFFB, 0xFFFFFFFF):
        seeds.add(f"length-{length}", record(1, b"hello", length))
        seeds.add(f"length-{length}-second", HELLO + record(2, b"", length))
    seeds.add("two-of-8.6", HELLO + record(1, b"world"))
    seeds.add("hundred", b"".join(record(1, b"%d" % i) for i in range(100)))
    seeds.add("empty-hundred", record(1, b"") * 100)
    seeds.add("size-256", record(1, b"x" * 256))
    seeds.add("size-4091", record(1, b"x" * 4091))
    for name, data in golden():
        while len(data) >= 44:
            end = 44 + struct.unpack_from("<I", data, 32)[0]
            if data[5] & INGEST and end <= len(data):
                seeds.add(f"{name}-at-{len(data)}", data[44:end])
            data = data[end:]
    return seeds


BROKEN = (
    "on ingest -> akc\n", "on ingest nth 3 every 2 -> ack\n", "at 5 -> keepalive",
    "scenario s\nscenario s\n", "on fetch -> redirect A, goto x, await y, release\n",
    "on ingest -> chop *,1\n", "on ingest p=1.0 -> ack\n", "on ingest -> xor -1 \"\"\n",
    "case LWP-1/a must client\non ingest -> ack\n", "on ingest -> ack; on ingest -> error 5\n",
    "node A; node A; topic t records=9999999\n", "on ingest -> raw \"\\x4", "on \\\n ingest -> ack",
    "expect ingest in [3,1]\nrate ack <= 5% of the 0s before", "on ingest -> fail \"\0\"\n",
)


def script_seeds():
    """The examples of the manual, the example of each action, and scripts with an error each."""
    seeds = Seeds()
    manual = (CORPUS.parent / "docs" / "script.md").read_text(encoding="utf-8")
    for number, text in enumerate(re.findall(r"```lwps\n(.*?)```", manual, re.DOTALL)):
        seeds.add(f"manual-{number}", text.encode())
    stage = "node A; node B; topic orders; state broken\non keepalive -> hold, barrier sent\n"
    for number, text in enumerate(re.findall(r"\| `([^`]*)` \|$", manual, re.MULTILINE)):
        seeds.add(f"action-{number}", f"{stage}on ingest -> {text}\n".encode())
    for number, text in enumerate(BROKEN):
        seeds.add(f"broken-{number}", text.encode())
    return seeds


# How fuzz/play_*.c read bytes: what clients do, with a mock that settles behind each operation.
CONNECT, END, LOAD, RESET = b"\x80\0\0\1", b"\x82\0\0", b"\x83\x0c\0", b"\x83\4"
TO_WHAT_IS_DUE, HEAR = b"\x84\5", b"\x86\0\3"
SEND_KEEPALIVE, SEND_INGEST, SEND_FETCH = (b"\x88\0\0\0", b"\x88\0\1\0\1\0",
                                            b"\x88\0\6\x09\1\1\x10\0\0")
TALK = (SEND_KEEPALIVE + SEND_INGEST + SEND_FETCH + HEAR) * 2
AT_TIME, ON_CONNECT = b"\0\1", b"\1\0"
ON_FRAME = {"I": b"\2\1\0\4\0", "O": b"\2\2\0\4\0"}
MAX_SAMPLES = 8


def play_rule(where, kind, sample):
    """The bytes of a rule with one action: how it is set off, and the action's choices."""
    if "I" in where or "O" in where:
        begin = ON_FRAME["I" if "I" in where else "O"]
    else:
        begin = ON_CONNECT if "C" in where else AT_TIME
    return begin + bytes((0, kind, sample))


def play_seeds():
    """Each action with each of its arguments, and the examples of the manual."""
    seeds = Seeds()
    table = (CORPUS.parent / "mock_server/script/actions.def").read_text(encoding="utf-8")
    row = r'^SCRIPT_ACTION\(\w+, *"([^"]+)", *\w+, *(\w+), *([ICOT|]+)\)'
    for kind, (word, form, where) in enumerate(re.findall(row, table, re.MULTILINE)):
        for sample in range(1 if form == "NONE" else MAX_SAMPLES):
            rule = play_rule(where, kind, sample)
            late_acks = sample % 4 == 1
            how = bytes((1 | 32 * (sample % 2) | 4 * late_acks,))
            seeds.add(f"{word}-{sample}", b"\x41" + rule + how + CONNECT + TALK +
                      (b"" if late_acks else TO_WHAT_IS_DUE + HEAR) +
                      (RESET + LOAD + TALK if sample % 3 else END + TO_WHAT_IS_DUE))
        for name, place in (("connect", ON_CONNECT), ("time", AT_TIME)):
            if name[0].upper() in where:
                seeds.add(f"{word}-at-{name}", b"\x41" + place + bytes((0, kind, 1)) + b"\1" +
                          CONNECT + TALK + TO_WHAT_IS_DUE + TALK + END)
    manual = (CORPUS.parent / "docs" / "script.md").read_text(encoding="utf-8")
    for number, text in enumerate(re.findall(r"```lwps\n(.*?)```", manual, re.DOTALL)):
        raw = text.encode()
        raw += b"\n" * (-len(raw) % 16)
        seeds.add(f"manual-{number}", bytes((0x80, len(raw) >> 4)) + raw + b"\1" + CONNECT + TALK +
                  TO_WHAT_IS_DUE + TALK + END)
    return seeds


def all_header_seeds():
    seeds = Seeds()
    for polynomial in POLYNOMIALS:
        header_seeds(seeds, polynomial)
    return seeds


def command_seeds():
    """The payload of each command: whole, cut at each of its bytes, and with one too many."""
    seeds = Seeds()
    for command, payload in COMMANDS.items():
        for size in range(min(len(payload), 24) + 1):
            seeds.add(f"{command:02x}-cut-{size}", bytes((command,)) + payload[:size])
        seeds.add(f"{command:02x}", bytes((command,)) + payload)
        seeds.add(f"{command:02x}-more", bytes((command,)) + payload + b"!")
        seeds.add(f"{command:02x}-ff", bytes((command,)) + b"\xff" * len(payload))
    seeds.add("nothing", b"")
    seeds.add("unknown", b"\x99hello")
    return seeds


def lz4_seeds():
    """Blocks by hand: literals, matches near and far, lengths of several bytes, and damage."""
    seeds = Seeds()
    zeros = b"\x1f\0\1\0" + b"\xff" * 3 + b"\x10\x50zeros"
    blocks = {"literals": b"\x50hello", "long": b"\xf0\x01" + b"x" * 16, "match": b"\x5f" + b"hello" +
              b"\5\0\x01" + b"\x50world", "zeros": zeros, "empty": b"\0", "far": b"\x12a\2\0\x50world",
              "distance-0": b"\x12a\0\0\x50world", "cut": b"\x50hel", "endless": b"\xff" * 40, "nothing": b""}
    for name, block in blocks.items():
        for limit, room in ((5, 5), (4, 4096), (4096, 4), (4096, 4096), (0, 0), (65535, 65535)):
            head = struct.pack("<HH", limit, room)
            seeds.add(f"block-{name}-{limit}-{room}", b"\0" + head + block)
            for told in (5, limit):
                framed = struct.pack("<BII", 1, told, told) + block
                seeds.add(f"library-{name}-{limit}-{room}-{told}", b"\1" + head + framed)
    seeds.add("library-two-sizes", b"\1" + struct.pack("<HHBII", 9, 9, 1, 5, 6) + blocks["literals"])
    seeds.add("library-zstd", b"\1" + struct.pack("<HHBII", 9, 9, 2, 5, 5) + blocks["literals"])
    return seeds


DOCUMENTS = (
    b"", b" ", b"{}", b"[]", b"null", b"true", b"0", b'""', b'{"id":1,"name":"events","created_at":1}',
    b'{"topics":[{"id":1,"name":"a","created_at":1,"topic_epoch":1}]}', b'{"id":18446744073709551615}',
    b'{"id":18446744073709551616}', b'{"id":-1}', b'{"id":1.0}', b'{"id":1e3}', b'{"id":1,"id":2}',
    b'{"code":20,"message":"NOT_LEADER","details":{"leader_addr":"127.0.0.1:1993"}}',
    b'{"code":31,"message":"slow","details":{"retry_after_ms":250}}', b'{"message":"no code"}',
    b'{"code":14,"message":"","details":{"server_offset":0}}', b'{"a":"\\ud800"}', b'{"a":"\\u0000"}',
    b'{"a":"\xff"}', b'{"a":"\xc0\x80"}', b"[" * 17 + b"]" * 17, b"[" * 16 + b"]" * 16, b'{"a":1,}',
    b"{'a':1}", b'{"a":NaN}', b"{}x", b"\xef\xbb\xbf{}", b'{"topics":[[["x"]]]}', b'{"":{"":1}}',
    b'{"node_count":3,"is_leader":false,"leader_id":null,"peer_states":{"2":"Connected"}}',
)


def json_seeds():
    seeds = Seeds()
    for number, document in enumerate(DOCUMENTS):
        seeds.add(f"document-{number}", document)
    for name, data in golden():
        brace = data.find(b"{", 44)
        if brace >= 0:
            seeds.add(name, data[brace:])
    return seeds


def offset_seeds():
    seeds = Seeds()
    right = b'{"consumer": "reader", "topic_id": 7, "topic_name": "events", "offset": %s}'
    for offset in (b"0", b"42", b"18446744073709551614", b"18446744073709551615", b"-1", b"1.5",
                   b'"9"', b"null"):
        seeds.add(f"python-{offset.decode().strip(chr(34))}", b"\0" + right % offset)
        seeds.add(f"rust-{offset.decode().strip(chr(34))}", b"\1" + offset + b"\n")
    whole = right % b"42"
    for size in range(0, len(whole), 7):
        seeds.add(f"python-cut-{size}", b"\0" + whole[:size])
    for name, old, new in (("consumer", b"reader", b"writer"), ("topic", b"7", b"8"),
                           ("name", b"events", b"event"), ("missing", b'"topic_id": 7, ', b"")):
        seeds.add(f"python-other-{name}", b"\0" + whole.replace(old, new))
    for text in (b"", b"42", b"42\n\n", b" 42\n", b"042\n", b"+42\n", b"4 2\n", b"42\r\n", b"0x2a\n"):
        seeds.add(f"rust-{text.hex()}", b"\1" + text)
    return seeds


def packet(data, port, sequence):
    """An Ethernet frame of a TCP segment, checksums left out."""
    tcp = struct.pack(">HHIIBBHHH", port, 1992, sequence, 1, 0x50, 0x18, 65535, 0, 0)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp) + len(data), 1, 0, 64, 6, 0,
                     b"\x7f\0\0\1", b"\x7f\0\0\1")
    return b"\0" * 12 + b"\x08\0" + ip + tcp + data


def capture(data):
    """A pcap file that holds the bytes as two segments of one stream."""
    half = len(data) // 2
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for part, sequence in ((data[:half], 100), (data[half:], 100 + half)):
        wire = packet(part, 40000, sequence)
        out += struct.pack("<IIII", 1, 0, len(wire), len(wire)) + wire
    return out


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    size = 12 + len(body)
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def capture_of_blocks(data):
    """The same as pcapng."""
    wire = packet(data, 40001, 7)
    return block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + \
        block(1, struct.pack("<HHI", 1, 0, 0)) + \
        block(6, struct.pack("<IIIII", 0, 0, 0, len(wire), len(wire)) + wire)


def dump_seeds():
    seeds = Seeds()
    streams = [(name, data) for name, data in golden() if len(data) <= 400][::9]
    streams += [("ingest", frame("iso", INGEST, HELLO, **PLAIN)), ("spec", frame("castagnoli", KEEPALIVE)),
                ("late", b"rest of a frame" + frame("iso", KEEPALIVE))]
    for name, data in streams:
        seeds.add(f"stream-{name}", b"\0" + data)
        seeds.add(f"hex-{name}", b"\1" + data.hex().encode())
        lines = [f"{at:08x}: {data[at:at + 16].hex(' ', 2)}  ." for at in range(0, len(data), 16)]
        seeds.add(f"xxd-{name}", b"\1" + "\n".join(lines).encode())
        seeds.add(f"pcap-{name}", b"\2" + capture(data))
        seeds.add(f"pcapng-{name}", b"\2" + capture_of_blocks(data))
    return seeds


# Between the frames of a session's input: fuzz/ops.def.
WAIT, CUT, FIN, RESET = b"\1\x64\0", b"\2\x2b", b"\4", b"\5"
DIALECTS = {"spec": (0, "castagnoli"), "lance": (1, "iso"), "lance-py": (2, "iso")}


def call(function, *arguments):
    return bytes((6, function, *arguments, 0, 0))[:4]


def control(polynomial, command, payload):
    return frame(polynomial, CONTROL, payload, batch_id=command)


TOPIC = b'{"id":1,"name":"events","created_at":1}'
REFUSALS = (b"Topic not found", b'{"code":20,"message":"x","details":{"leader_addr":"b:1992"}}',
            b"NOT_LEADER: leader is 127.0.0.1:1992", b"Rate limit exceeded", b"CATCHING_UP: 10")


def client_answers(polynomial):
    """What a server may say to a client, by name."""
    answers = {"topic": control(polynomial, 0x80, TOPIC),
               "topics": control(polynomial, 0x80, b'{"topics":[' + TOPIC + b"]}"),
               "deleted": control(polynomial, 0x80, b'{"deleted":1}'),
               "status": control(polynomial, 0x81, b'{"node_count":1,"is_leader":true}'),
               "place": control(polynomial, 0x23, struct.pack("<QQ", 7, 0)),
               "kept": control(polynomial, 0x24, struct.pack("<QQ", 7, 10)),
               "ack": frame(polynomial, ACK, batch_id=1), "keepalive": frame(polynomial, KEEPALIVE),
               "backpressure": frame(polynomial, BACKPRESSURE),
               "welcome": control(polynomial, 0x09, b"\1ok")}
    for number, text in enumerate(REFUSALS):
        answers[f"refusal-{number}"] = control(polynomial, 0xFF, text)
    return answers


def client_seeds():
    """Each request, with each answer: right, cut, late, twice, and with a lost connection."""
    seeds = Seeds()
    for dialect, (index, polynomial) in DIALECTS.items():
        head = bytes((index, 0, 0, 0))
        for number, (name, answer) in enumerate(client_answers(polynomial).items()):
            asked = b"".join(call(function, 1) + answer for function in range(10))
            seeds.add(f"{dialect}-all-{name}", head + asked)
            one = call(number % 10, 1)
            seeds.add(f"{dialect}-twice-{name}", head + one + answer + answer + one + answer)
            seeds.add(f"{dialect}-cut-{name}", head + one + CUT + answer + one + answer[:50] + FIN + answer)
            seeds.add(f"{dialect}-late-{name}", head + one + WAIT * 4 + answer + one + answer + RESET + one)
        token = bytes((index, 2, 1, 0))
        seeds.add(f"{dialect}-token", token + client_answers(polynomial)["welcome"] + call(2, 1))
    return seeds


def producer_seeds():
    seeds = Seeds()
    put, put_more, flush = call(1, 10), call(0xFF, 0x20), call(0, 100)
    for dialect, (index, polynomial) in DIALECTS.items():
        def ack(*ids, polynomial=polynomial):
            return b"".join(frame(polynomial, ACK, batch_id=number) for number in ids)
        answers = client_answers(polynomial)
        for option in (0x00, 0x1F, 0x20, 0x40):
            head = bytes((index, 0, option, option >> 4))
            name = f"{dialect}-{option:02x}"
            seeds.add(f"{name}-acked", head + put * 3 + WAIT + ack(1, 2, 3) + flush + ack(4))
            seeds.add(f"{name}-reverse", head + put_more * 3 + WAIT + ack(3, 2, 1) + flush)
            seeds.add(f"{name}-lost", head + put + WAIT + RESET + put + WAIT + ack(1, 2) + flush)
            seeds.add(f"{name}-slow", head + put + answers["backpressure"] + put * 4 + WAIT + ack(1, 2))
            for number in range(len(REFUSALS)):
                seeds.add(f"{name}-refused-{number}", head + put * 2 + WAIT +
                          answers[f"refusal-{number}"] + ack(1, 2) + put + flush + ack(3, 9))
    return seeds


def consumer_seeds():
    seeds = Seeds()
    poll, seek, to_end, commit, lag = (call(4, 100), call(0, 10), call(1), call(2), call(3))
    for dialect, (index, polynomial) in DIALECTS.items():
        def fetched(offset, data, polynomial=polynomial):
            return control(polynomial, 0x11, struct.pack("<QII", offset, len(data), 1) + data)
        answers = client_answers(polynomial)
        behind = control(polynomial, 0x12, struct.pack("<Q", 10))
        for option in (0x00, 0x0B, 0x1F, 0x20):
            head = bytes((index, 0, option, 0))
            name = f"{dialect}-{option:02x}"
            seeds.add(f"{name}-whole", head + (poll + fetched(10, HELLO)) * 2 + poll + fetched(20, HELLO) +
                      commit + answers["kept"] + lag + fetched(20, b""))
            seeds.add(f"{name}-torn", head + poll + fetched(7, HELLO[:7]) + poll + fetched(10, HELLO[7:]) + poll)
            seeds.add(f"{name}-back", head + poll + fetched(10, HELLO) + poll + fetched(5, HELLO) + poll)
            seeds.add(f"{name}-behind", head + (poll + behind) * 4 + seek + poll + behind)
            seeds.add(f"{name}-end", head + to_end + poll + fetched(30, b"") + poll + fetched(40, HELLO) + lag)
            seeds.add(f"{name}-lost", head + poll + CUT + fetched(10, HELLO)[:60] + RESET + poll +
                      fetched(10, HELLO) + commit + RESET)
            for number in range(len(REFUSALS)):
                seeds.add(f"{name}-refused-{number}", head + poll + answers[f"refusal-{number}"] + poll +
                          fetched(10, HELLO) + poll)
    return seeds


def mock_seeds():
    """What was recorded of clients, and frames of all commands by two clients in turn."""
    seeds = Seeds()
    for dialect, (index, polynomial) in DIALECTS.items():
        for option in (0, 1):
            head = bytes((index, option, 0, 0))
            every = [control(polynomial, command, payload) for command, payload in COMMANDS.items()]
            seeds.add(f"{dialect}-{option}-all", head + b"".join(every))
            seeds.add(f"{dialect}-{option}-turns", head + b"".join(
                call(number, 0) + one for number, one in enumerate(every)))
            for number, one in enumerate(every):
                seeds.add(f"{dialect}-{option}-{number}", head + every[0] + frame(
                    polynomial, INGEST, HELLO, topic_id=1, **PLAIN) + CUT + one + WAIT + one + FIN)
    for name, data in golden():
        if name.count("-") < 3 and len(data) <= 2000:
            seeds.add(f"lance-{name}", bytes((1, 0, 0, 0)) + data)
        if len(seeds.files) >= MAX_FILES:
            break
    return seeds


def update(target, seeds, check):
    """Makes the folder hold the seeds. With `check`, only tells whether it does."""
    total = sum(map(len, seeds.files.values()))
    assert len(seeds.files) <= MAX_FILES and total <= MAX_TOTAL, (target, len(seeds.files), total)
    folder = CORPUS / target
    folder.mkdir(exist_ok=True)
    present = {path.name: path for path in sorted(folder.iterdir())
               if not path.name.startswith(EXEMPT)}
    wrong = [name for name in present if name not in seeds.files]
    changed = [name for name, data in seeds.files.items()
               if name not in present or present[name].read_bytes() != data]
    if check:
        for name in wrong + changed:
            print(f"corpus/{target}/{name}: not what fuzz/seeds.py makes", file=sys.stderr)
        return not wrong and not changed
    for name in wrong:
        present[name].unlink()
    for name in changed:
        (folder / name).write_bytes(seeds.files[name])
    print(f"corpus/{target}: {len(seeds.files)} files, {total} bytes")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    check = parser.parse_args().check
    targets = {"frame": frame_seeds(), "crc": crc_seeds(), "tlv": tlv_seeds(),
               "script": script_seeds(), "play": play_seeds(), "header": all_header_seeds(),
               "payload": command_seeds(), "lz4": lz4_seeds(), "json": json_seeds(),
               "offsets": offset_seeds(), "dump": dump_seeds(), "client": client_seeds(),
               "producer": producer_seeds(), "consumer": consumer_seeds(), "mock": mock_seeds()}
    results = [update(target, seeds, check) for target, seeds in targets.items()]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
