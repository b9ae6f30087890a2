# SPDX-License-Identifier: MIT
"""Short ways to the client's three classes, and a relay that sees what they say on the wire."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lnc_client import (
    ClientConfig,
    LanceClient,
    PollResult,
    Producer,
    ProducerConfig,
    StandaloneConfig,
    StandaloneConsumer,
)

DEADLINE = 5.0  # For what must happen.
PATIENCE = 0.3  # For what must not happen, after a fence has shown that it could have.

T = TypeVar("T")


@dataclass(frozen=True)
class Address:
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


async def within(work: Awaitable[T], seconds: float = DEADLINE) -> T:
    return await asyncio.wait_for(work, seconds)


async def is_stuck(task: asyncio.Task[Any]) -> bool:
    """Whether it is still waiting after a while; it is cancelled then."""
    done, _ = await asyncio.wait([task], timeout=PATIENCE)
    task.cancel()
    return not done


# The client.


@contextlib.asynccontextmanager
async def connected_client(address: Address, **config: Any) -> AsyncIterator[LanceClient]:
    config.setdefault("request_timeout_s", DEADLINE)
    async with LanceClient(ClientConfig(address.host, address.port, **config)) as client:
        yield client


@contextlib.asynccontextmanager
async def connected_producer(address: Address, **config: Any) -> AsyncIterator[Producer]:
    producer = await within(Producer.connect(str(address), ProducerConfig(**config)))
    try:
        yield producer
    finally:
        await within(producer.close())


@contextlib.asynccontextmanager
async def connected_consumer(
    address: Address, topic_id: int, **config: Any
) -> AsyncIterator[StandaloneConsumer]:
    # Its default of 0.1 s would make a busy machine look like finding P-14.
    config = {"consumer_name": "reader", "poll_timeout_s": DEADLINE, **config}
    made = StandaloneConfig(topic_id=topic_id, **config)
    consumer = await within(StandaloneConsumer.connect(str(address), made))
    async with consumer:
        yield consumer


async def make_topic(address: Address, name: str = "events") -> int:
    async with connected_client(address) as client:
        return (await within(client.create_topic(name))).id


async def produce(address: Address, topic_id: int, *values: bytes) -> None:
    """One raw record a value, one frame each."""
    async with connected_producer(address) as producer:
        for value in values:
            await within(producer.send(topic_id, value))


async def poll_to_end(consumer: StandaloneConsumer) -> list[PollResult]:
    results = []
    while (result := await within(consumer.poll())) is not None:
        results.append(result)
    return results


# The wire, by our own hand: nothing here is the client's.


def record(kind: int, value: bytes) -> bytes:
    return struct.pack("<BI", kind, len(value)) + value


def raw(*values: bytes) -> bytes:
    return b"".join(record(0x01, value) for value in values)


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


HEADER = struct.Struct("<4sBBHIQQIIII")
COMPRESSED, INGEST, ACK, BACKPRESSURE, KEEPALIVE, CONTROL = 0x01, 0x04, 0x08, 0x10, 0x20, 0x40
FETCH, FETCH_RESPONSE, CATCHING_UP = 0x10, 0x11, 0x12
COMMIT_OFFSET, SUBSCRIBE_ACK, COMMIT_ACK, TOPIC_RESPONSE, ERROR = 0x22, 0x23, 0x24, 0x80, 0xFF


@dataclass(frozen=True)
class Frame:
    flags: int
    batch_id: int = 0
    payload: bytes = b""
    version: int = 1
    record_count: int = 0
    topic_id: int = 0
    payload_crc: int | None = None  # None: the right one.
    raw: bytes = field(default=b"", compare=False)  # As it came.

    def encode(self) -> bytes:
        start = struct.pack("<4sBBH", b"LANC", self.version, self.flags, 0)
        crc = zlib.crc32(self.payload) if self.payload_crc is None else self.payload_crc
        rest = (self.batch_id, 0, self.record_count, len(self.payload), crc, self.topic_id)
        return start + struct.pack("<IQQIIII", zlib.crc32(start), *rest) + self.payload

    def is_control(self, command: int) -> bool:
        return self.flags == CONTROL and self.batch_id == command


async def read_frame(reader: asyncio.StreamReader) -> Frame:
    head = await reader.readexactly(HEADER.size)
    fields = HEADER.unpack(head)
    payload = await reader.readexactly(fields[8])
    return Frame(
        version=fields[1],
        flags=fields[2],
        batch_id=fields[5],
        record_count=fields[7],
        payload=payload,
        payload_crc=fields[9],
        topic_id=fields[10],
        raw=head + payload,
    )


class Relay:
    """Stands between one client and the server, and writes down the frames.

    `alter` turns a frame of the server into the bytes that the client gets instead of it. While
    `gate` is cleared the server's frames are held. `cut` ends all connections.
    """

    def __init__(self, server: Address) -> None:
        self.server = server
        self.from_client: list[Frame] = []
        self.from_server: list[Frame] = []
        self.delivered: list[Frame] = []
        self.alter: Callable[[Frame], bytes] = lambda frame: frame.raw
        self.gate = asyncio.Event()
        self.gate.set()
        self._changed = asyncio.Condition()
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Relay:
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = Address(*self._listener.sockets[0].getsockname()[:2])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        for writer in self._writers:
            writer.close()

    async def until(self, holds: Callable[[], bool]) -> None:
        async def wait() -> None:
            async with self._changed:
                await self._changed.wait_for(holds)

        await within(wait())

    def sent(self, flags: int, command: int | None = None) -> list[Frame]:
        """What the client sent of this kind."""
        frames = [frame for frame in self.from_client if frame.flags == flags]
        return [frame for frame in frames if command in (None, frame.batch_id)]

    def answers(self, flags: int, command: int | None = None) -> list[Frame]:
        """What the server sent of this kind, before `alter`."""
        frames = [frame for frame in self.from_server if frame.flags == flags]
        return [frame for frame in frames if command in (None, frame.batch_id)]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(self.server.host, self.server.port)
        self._writers += [writer, there[1]]
        self._start(self._to_server(reader, there[1]))
        self._start(self._to_client(there[0], writer))

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _note(self, frames: list[Frame], frame: Frame) -> None:
        async with self._changed:
            frames.append(frame)
            self._changed.notify_all()

    async def _to_server(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                frame = await read_frame(reader)
                await self._note(self.from_client, frame)
                writer.write(frame.raw)
                await writer.drain()
        writer.close()

    async def _to_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                frame = await read_frame(reader)
                await self._note(self.from_server, frame)
                await self.gate.wait()
                writer.write(self.alter(frame))
                await writer.drain()
                await self._note(self.delivered, frame)
        writer.close()
