# SPDX-License-Identifier: MIT
"""Frames by hand, and servers that misbehave as a test tells them to. Nothing here shares code with
the programs under test."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

DEADLINE = 20.0  # For whatever must happen; reached only if it does not.

HEADER = struct.Struct("<4sBBHIQQIIII")
BATCH, ACK, KEEPALIVE, CONTROL = 0x04, 0x08, 0x20, 0x40
CREATE_TOPIC, DELETE_TOPIC, LIST_TOPICS, AUTHENTICATE = 0x01, 0x02, 0x03, 0x08
TOPIC_RESPONSE, ERROR_RESPONSE = 0x80, 0xFF


@dataclass(frozen=True)
class Frame:
    flags: int
    batch_id: int = 0
    payload: bytes = b""
    topic_id: int = 0
    record_count: int = 0

    def sealed(self, payload_length: int | None = None, checksum: int = 0) -> bytes:
        """On the wire; `checksum` is what the header's checksum is wrong by."""
        begin = struct.pack("<4sBBH", b"LANC", 1, self.flags, 0)
        header = HEADER.pack(
            b"LANC", 1, self.flags, 0, zlib.crc32(begin) ^ checksum, self.batch_id, 0,
            self.record_count, len(self.payload) if payload_length is None else payload_length,
            zlib.crc32(self.payload) if self.payload else 0, self.topic_id)
        return header + self.payload


KEEPALIVE_WIRE = Frame(KEEPALIVE).sealed()


def control(command: int, payload: bytes = b"") -> Frame:
    return Frame(CONTROL, command, payload)


def raw_record(value: bytes) -> bytes:
    return struct.pack("<BI", 1, len(value)) + value


def ingest(topic_id: int, payload: bytes, batch_id: int = 1) -> Frame:
    return Frame(BATCH, batch_id, payload, topic_id, 1)


def read_exactly(sock: socket.socket, size: int) -> bytes | None:
    """None if the other side ends first, in whatever way."""
    parts = bytearray()
    while len(parts) < size:
        try:
            part = sock.recv(size - len(parts))
        except ConnectionError:
            return None
        if not part:
            return None
        parts += part
    return bytes(parts)


def read_head(sock: socket.socket) -> tuple[Frame, int] | None:
    """A frame without its payload, and how long that is."""
    head = read_exactly(sock, HEADER.size)
    if head is None:
        return None
    fields = HEADER.unpack(head)
    return Frame(fields[2], fields[5], b"", fields[10], fields[7]), fields[8]


def read_frame(sock: socket.socket) -> Frame | None:
    head = read_head(sock)
    if head is None:
        return None
    payload = read_exactly(sock, head[1])
    return None if payload is None else replace(head[0], payload=payload)


Answer = Callable[["Connection", Frame], "bytes | None"]


class Connection:
    """One connection of a fake server."""

    def __init__(self, server: FakeServer, sock: socket.socket) -> None:
        self.server = server
        self.sock = sock
        self.received = bytearray()

    def frames(self) -> Iterator[Frame]:
        while (frame := read_frame(self.sock)) is not None:
            self.received += frame.sealed()
            yield frame

    def send(self, wire: bytes) -> None:
        """To somebody who may have gone, which is fine."""
        with contextlib.suppress(ConnectionError):
            self.sock.sendall(wire)

    def send_slowly(self, wire: bytes, pause: float) -> None:
        for at in range(len(wire)):
            self.send(wire[at : at + 1])
            if self.server.stopping.wait(pause):
                return

    def wait_for_the_end(self) -> None:
        """Reads nothing more; returns when the test is over."""
        self.server.stopping.wait(DEADLINE)

    def answer_all(self, answer: Answer) -> None:
        for frame in self.frames():
            wire = answer(self, frame)
            if wire is not None:
                self.send(wire)


class FakeServer:
    """Accepts connections and lets `serve` do what it likes on each, in a thread of its own."""

    def __init__(self, serve: Callable[[Connection], None], port: int = 0) -> None:
        self.serve = serve
        self.stopping = threading.Event()
        self.connections: list[Connection] = []
        self.threads: list[threading.Thread] = []
        self.listener = socket.create_server(("127.0.0.1", port))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.accepting = threading.Thread(target=self._accept)
        self.accepting.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            if self.stopping.is_set():
                sock.close()
                return
            sock.settimeout(DEADLINE)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self, sock)
            thread = threading.Thread(target=self._run, args=(connection,))
            self.connections.append(connection)
            self.threads.append(thread)
            thread.start()

    def _run(self, connection: Connection) -> None:
        with connection.sock, contextlib.suppress(ConnectionError, TimeoutError):
            self.serve(connection)

    def die(self) -> None:
        """From now on connections are refused, and those that are open end."""
        self.stopping.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def received(self) -> list[bytes]:
        """What came on each connection that has ended, in the order of accepting."""
        for thread in self.threads:
            thread.join(DEADLINE)
            assert not thread.is_alive(), "a connection of the fake server does not end"
        return [bytes(connection.received) for connection in self.connections]

    def stop(self) -> None:
        self.die()
        for thread in [self.accepting, *self.threads]:
            thread.join(DEADLINE)
            assert not thread.is_alive(), "a thread of the fake server does not end"


def polite(connection: Connection, frame: Frame) -> bytes | None:
    """Right answers, for as much as the cases of these tests ask."""
    if frame.flags == KEEPALIVE:
        return KEEPALIVE_WIRE
    if frame.flags & BATCH:
        return Frame(ACK, frame.batch_id).sealed()
    if frame.batch_id == CREATE_TOPIC:
        document = {"id": 1, "name": frame.payload.decode(), "created_at": 0}
        return control(TOPIC_RESPONSE, json.dumps(document).encode()).sealed()
    if frame.batch_id == DELETE_TOPIC:
        return control(TOPIC_RESPONSE, b'{"deleted":1}').sealed()
    return control(TOPIC_RESPONSE, b'{"topics":[]}').sealed()


def answering(answer: Answer) -> Callable[[Connection], None]:
    """Serves with `answer`; what it has none for is answered politely. b"" is silence."""

    def either(connection: Connection, frame: Frame) -> bytes | None:
        wire = answer(connection, frame)
        return polite(connection, frame) if wire is None else wire

    return lambda connection: connection.answer_all(either)
