# SPDX-License-Identifier: MIT
"""What the published Python client can do against our server, in both dialects it can speak to.

`lance` is the server as deployed, `lance-py` the one that this client needs. What the client gets
wrong is in test_findings.py.
"""

from __future__ import annotations

import asyncio
import json
import struct
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import lnc_client.consumer
import pytest
from lnc_client import (
    LanceClient,
    LanceError,
    Producer,
    RecordType,
    SeekPosition,
    ServerCatchingUpError,
    TlvRecord,
    TopicAlreadyExistsError,
    TopicNotFoundError,
)
from lnc_client.connection import LwpConnection
from lnc_client.protocol import ControlCommand, build_control_frame

from support import (
    ACK,
    COMMIT_ACK,
    COMPRESSED,
    CONTROL,
    ERROR,
    INGEST,
    SUBSCRIBE_ACK,
    TOPIC_RESPONSE,
    Address,
    Relay,
    connected_client,
    connected_consumer,
    connected_producer,
    make_topic,
    poll_to_end,
    produce,
    raw,
    record,
    within,
)

EVERY_BYTE = bytes(range(256))

# Made by the client, and the same by our own hand.
RECORDS: list[tuple[TlvRecord, bytes]] = [
    (TlvRecord.raw(EVERY_BYTE), record(0x01, EVERY_BYTE)),
    (TlvRecord.raw(b""), record(0x01, b"")),
    (TlvRecord.json(b'{"price":6942.25}'), record(0x02, b'{"price":6942.25}')),
    (TlvRecord(RecordType.MSGPACK, b"\x81\xa1a\x01"), record(0x03, b"\x81\xa1a\x01")),
    (TlvRecord(RecordType.PROTOBUF, b"\x08\x96\x01"), record(0x04, b"\x08\x96\x01")),
    (TlvRecord(RecordType.AVRO, b"\x06foo"), record(0x05, b"\x06foo")),
    (TlvRecord.key_value("ключ", b"value"), record(0x10, b"\x08\0" + "ключ".encode() + b"value")),
    (TlvRecord.timestamped(2**64 - 1, b"late"), record(0x11, b"\xff" * 8 + b"late")),
    (
        TlvRecord(RecordType.KEY_TIMESTAMPED, b"\x01\0k" + struct.pack("<Q", 7) + b"v"),
        record(0x12, b"\x01\0k" + b"\x07\0\0\0\0\0\0\0" + b"v"),
    ),
    (TlvRecord(0x80, b"the user's own"), record(0x80, b"the user's own")),
    (TlvRecord.null(), record(0xFF, b"")),
]


# Topics.


async def test_a_created_topic_has_an_id_a_name_and_its_time(either: Address) -> None:
    before = int(time.time())
    async with connected_client(either) as client:
        topic = await client.create_topic("orders-2024")
    assert (topic.id, topic.name, topic.topic_epoch) == (1, "orders-2024", 1)
    assert before <= topic.created_at <= int(time.time())


async def test_every_topic_gets_an_id_of_its_own_and_is_listed(either: Address) -> None:
    names = [f"topic-{i}" for i in range(40)]
    async with connected_client(either) as client:
        assert await client.list_topics() == []
        made = [await client.create_topic(name) for name in names]
        listed = await client.list_topics()
    assert len({topic.id for topic in made}) == len(names)
    assert sorted(listed, key=lambda topic: topic.id) == made


async def test_creating_what_exists_gives_the_same_topic(either: Address) -> None:
    first = await make_topic(either, "orders")
    async with connected_client(either) as other:
        again = await other.create_topic("orders")
        assert (again.id, again.name) == (first, "orders")
        assert len(await other.list_topics()) == 1


async def test_a_topic_is_found_by_id_and_by_name(either: Address) -> None:
    async with connected_client(either) as client:
        made = await client.create_topic("orders")
        assert await client.get_topic(made.id) == made
        assert await client.get_topic_by_name("orders") == made
        with pytest.raises(TopicNotFoundError, match="'missing' not found"):
            await client.get_topic_by_name("missing")


async def test_names_differ_by_case_and_may_be_dashes_or_digits(either: Address) -> None:
    names = ["a", "A", "-", "--help", "7"]
    async with connected_client(either) as client:
        made = [await client.create_topic(name) for name in names]
        assert [topic.name for topic in made] == names
        assert len({topic.id for topic in made}) == len(names)


async def test_a_name_of_255_bytes_is_taken_and_one_more_refused(either: Address) -> None:
    async with connected_client(either) as client:
        assert (await client.create_topic("n" * 255)).name == "n" * 255
        with pytest.raises(LanceError):
            await client.create_topic("n" * 256)
        assert len(await client.list_topics()) == 1


async def test_retention_is_set_with_the_answer_of_the_server(relay: Relay) -> None:
    async with connected_client(relay.address) as client:
        made = await client.create_topic("orders")
        kept = await client.set_retention(made.id, max_age_secs=86400, max_bytes=2**40)
    assert kept.id == made.id
    answer = json.loads(relay.answers(CONTROL, TOPIC_RESPONSE)[-1].payload)
    assert answer == {"max_age_secs": 86400, "max_bytes": 2**40, "topic_id": made.id}


async def test_a_topic_is_created_with_retention(relay: Relay) -> None:
    async with connected_client(relay.address) as client:
        made = await client.create_topic_with_retention("orders", 3600, 2**63)
        assert (await client.get_topic(made.id)).name == "orders"
    answer = json.loads(relay.answers(CONTROL, TOPIC_RESPONSE)[0].payload)
    assert answer == {
        "created_at": made.created_at,
        "id": made.id,
        "max_age_secs": 3600,
        "max_bytes": 2**63,
        "name": "orders",
        "topic_epoch": 1,
    }


async def test_a_deleted_topic_is_gone_and_its_name_free_and_empty(either: Address) -> None:
    async with connected_client(either) as client:
        kept = await client.create_topic("kept")
        first = await client.create_topic("orders")
        await produce(either, first.id, b"old")
        await client.delete_topic(first.id)
        assert await client.list_topics() == [kept]
        with pytest.raises(LanceError):
            await client.get_topic(first.id)
        second = await client.create_topic("orders")
        assert second.id != first.id
    async with connected_consumer(either, second.id) as consumer:
        assert await within(consumer.poll()) is None


async def test_a_ping_is_answered_between_other_calls(either: Address) -> None:
    async with connected_client(either) as client:
        for i in range(5):
            assert 0 < await client.ping() < 5
            assert len(await client.list_topics()) == i
            await client.create_topic(f"topic-{i}")


async def test_an_error_leaves_the_connection_usable(either: Address) -> None:
    async with connected_client(either) as client:
        for refused in (client.get_topic, client.delete_topic, client.set_retention):
            with pytest.raises(LanceError):
                await refused(99)
            assert await client.list_topics() == []


async def test_a_subscription_is_acknowledged_with_its_consumer_and_offset(relay: Relay) -> None:
    async with connected_client(relay.address) as client:
        topic = await client.create_topic("orders")
        await client.subscribe(topic.id, 0, 65536, consumer_id=2**64 - 1)
        await client.subscribe(topic.id, 12345, 65536, consumer_id=7)
    answers = [frame.payload for frame in relay.answers(CONTROL, SUBSCRIBE_ACK)]
    assert answers == [struct.pack("<QQ", 2**64 - 1, 0), struct.pack("<QQ", 7, 12345)]


# Producing and consuming.


async def test_each_send_is_acknowledged_with_its_own_number(either: Address) -> None:
    topic_id = await make_topic(either)
    async with connected_producer(either) as producer:
        ids = [await within(producer.send(topic_id, b"event")) for _ in range(20)]
    assert ids == list(range(1, 21))


@pytest.mark.parametrize("made, encoded", RECORDS, ids=[f"{r[1][0]:02x}" for r in RECORDS])
async def test_a_record_comes_back_as_it_was_sent(
    either: Address, made: TlvRecord, encoded: bytes
) -> None:
    topic_id = await make_topic(either)
    async with connected_producer(either) as producer:
        await within(producer.send(topic_id, made.value, record_type=made.record_type))
    async with connected_consumer(either, topic_id) as consumer:
        result = await within(consumer.poll())
    assert result is not None
    assert (result.data, result.records, result.end_offset) == (encoded, [made], len(encoded))


async def test_a_batch_of_all_types_comes_back_byte_by_byte(either: Address) -> None:
    topic_id = await make_topic(either)
    async with connected_producer(either) as producer:
        await within(producer.send_batch(topic_id, [made for made, _ in RECORDS]))
    async with connected_consumer(either, topic_id) as consumer:
        result = await within(consumer.poll())
        assert await within(consumer.poll()) is None
    assert result is not None
    assert result.data == b"".join(encoded for _, encoded in RECORDS)
    assert result.records == [made for made, _ in RECORDS]
    assert result.records[6].as_key_value() == ("ключ", b"value")
    assert result.records[7].as_timestamped() == (2**64 - 1, b"late")


async def test_records_sent_without_waiting_are_all_there_after_the_flush(either: Address) -> None:
    values = [b"%d" % i for i in range(500)]
    topic_id = await make_topic(either)
    async with connected_producer(either) as producer:
        for value in values:
            await producer.send_async(topic_id, value)
        await producer.flush(timeout=5)
    async with connected_consumer(either, topic_id) as consumer:
        results = await poll_to_end(consumer)
    assert b"".join(result.data for result in results) == raw(*values)
    assert [r.value for result in results for r in result.records] == values


async def test_acks_come_in_the_order_of_the_sends(either: Address) -> None:
    topic_id = await make_topic(either)
    async with Relay(either) as relay, connected_producer(relay.address) as producer:
        for _ in range(300):
            await producer.send_async(topic_id, b"event")
        await producer.flush(timeout=5)
        assert [frame.batch_id for frame in relay.answers(ACK)] == list(range(1, 301))


async def test_a_record_of_a_mebibyte_comes_back(either: Address) -> None:
    value = EVERY_BYTE * 4096
    topic_id = await make_topic(either)
    await produce(either, topic_id, value)
    async with connected_consumer(either, topic_id, max_fetch_bytes=2**21) as consumer:
        results = await poll_to_end(consumer)
    assert len(results) == 1 and results[0].data == raw(value)


async def test_fetches_of_the_size_of_a_record_give_them_one_by_one(either: Address) -> None:
    values = [b"%010d" % i for i in range(30)]
    topic_id = await make_topic(either)
    await produce(either, topic_id, *values)
    async with connected_consumer(either, topic_id, max_fetch_bytes=15) as consumer:
        results = await poll_to_end(consumer)
    assert [result.data for result in results] == [raw(value) for value in values]
    assert [result.end_offset for result in results] == list(range(15, 451, 15))


@pytest.mark.parametrize("size", [1, 2, 7, 64])
async def test_fetches_of_any_size_give_all_bytes_in_order(either: Address, size: int) -> None:
    values = [b"some record", EVERY_BYTE]
    topic_id = await make_topic(either)
    await produce(either, topic_id, *values)
    async with connected_consumer(either, topic_id, max_fetch_bytes=size) as consumer:
        results = await poll_to_end(consumer)
        assert consumer.current_offset == len(raw(*values))
    assert b"".join(result.data for result in results) == raw(*values)
    assert max(len(result.data) for result in results) <= size


async def test_an_empty_topic_gives_nothing_and_moves_nothing(either: Address) -> None:
    topic_id = await make_topic(either)
    async with connected_consumer(either, topic_id) as consumer:
        assert await within(consumer.poll()) is None
        assert consumer.current_offset == 0


async def test_a_consumer_at_the_end_gets_what_comes_later(either: Address) -> None:
    topic_id = await make_topic(either)
    await produce(either, topic_id, b"first")
    async with connected_consumer(either, topic_id) as consumer:
        assert [r.data for r in await poll_to_end(consumer)] == [raw(b"first")]
        await produce(either, topic_id, b"second")
        assert [r.data for r in await poll_to_end(consumer)] == [raw(b"second")]


async def test_a_consumer_reads_again_from_where_it_is_sent_back_to(either: Address) -> None:
    topic_id = await make_topic(either)
    await produce(either, topic_id, b"first", b"second", b"third")
    async with connected_consumer(either, topic_id) as consumer:
        await poll_to_end(consumer)
        consumer.seek(len(raw(b"first")))
        assert [r.data for r in await poll_to_end(consumer)] == [raw(b"second", b"third")]
        consumer.seek_to(SeekPosition.BEGINNING)
        assert [r.data for r in await poll_to_end(consumer)] == [raw(b"first", b"second", b"third")]
        consumer.seek_to(SeekPosition.offset(len(raw(b"first", b"second"))))
        assert [r.data for r in await poll_to_end(consumer)] == [raw(b"third")]


async def test_topics_do_not_mix(either: Address) -> None:
    first, second = await make_topic(either, "first"), await make_topic(either, "second")
    async with connected_producer(either) as producer:
        for _ in range(10):
            await producer.send_async(first, b"to the first")
            await producer.send_async(second, b"to the second")
        await producer.flush(timeout=5)
    for topic_id, value in ((first, b"to the first"), (second, b"to the second")):
        async with connected_consumer(either, topic_id) as consumer:
            results = await poll_to_end(consumer)
        assert b"".join(result.data for result in results) == raw(*[value] * 10)


async def test_producers_at_once_lose_and_reorder_nothing(either: Address) -> None:
    topic_id = await make_topic(either)
    names = [b"anna", b"bert", b"carl", b"dora"]

    async def run(name: bytes) -> None:
        await produce(either, topic_id, *[b"%s %d" % (name, i) for i in range(50)])

    await within(asyncio.gather(*[run(name) for name in names]))
    async with connected_consumer(either, topic_id) as consumer:
        values = [r.value for result in await poll_to_end(consumer) for r in result.records]
    assert len(values) == 200
    for name in names:
        own = [value for value in values if value.startswith(name)]
        assert own == [b"%s %d" % (name, i) for i in range(50)]


async def test_a_producer_makes_the_topic_that_it_is_told_by_name(either: Address) -> None:
    producer, topic_id = await within(Producer.connect_for_topic(str(either), "orders"))
    try:
        await within(producer.send("orders", b"by name"))
        await within(producer.send(topic_id, b"by id"))
        await within(producer.send("other", b"elsewhere"))
    finally:
        await producer.close()
    async with connected_consumer(either, topic_id) as consumer:
        assert [r.data for r in await poll_to_end(consumer)] == [raw(b"by name", b"by id")]


async def test_a_commit_is_answered_and_remembered_by_the_server(relay: Relay) -> None:
    topic_id = await make_topic(relay.address)
    await produce(relay.address, topic_id, b"event")
    async with connected_consumer(relay.address, topic_id) as consumer:
        await poll_to_end(consumer)
        await within(consumer.commit())
    committed = relay.answers(CONTROL, COMMIT_ACK)[0].payload
    consumer_id, offset = struct.unpack("<QQ", committed)
    assert offset == len(raw(b"event"))
    async with connected_client(relay.address) as client:
        await client.subscribe(topic_id, 0, 65536, consumer_id)
        await client.commit_offset(topic_id, consumer_id, 3)
        await client.subscribe(topic_id, 0, 65536, consumer_id)
    answers = [frame.payload for frame in relay.answers(CONTROL, SUBSCRIBE_ACK)]
    assert answers == [committed, struct.pack("<QQ", consumer_id, 3)]


async def test_a_consumer_with_an_offset_file_goes_on_after_its_last_commit(
    either: Address, tmp_path: Path
) -> None:
    topic_id = await make_topic(either)
    await produce(either, topic_id, b"first")
    async with connected_consumer(either, topic_id, offset_dir=tmp_path) as consumer:
        await poll_to_end(consumer)
        await within(consumer.commit())
    await produce(either, topic_id, b"second")
    async with connected_consumer(either, topic_id, offset_dir=tmp_path) as consumer:
        assert consumer.current_offset == len(raw(b"first"))
        assert [r.data for r in await poll_to_end(consumer)] == [raw(b"second")]
    stored = json.loads((tmp_path / f"reader_{topic_id}.offset").read_text())
    assert (stored["consumer"], stored["topic_id"], stored["offset"]) == ("reader", topic_id, 10)


async def test_a_poll_of_an_unknown_topic_is_an_error(either: Address) -> None:
    async with connected_consumer(either, 99) as consumer:
        with pytest.raises(LanceError, match=r"Fetch error: .*[Tt]opic.* not found"):
            await within(consumer.poll())
        assert consumer.current_offset == 0


# What the deployed server says, in its words.


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda client: client.get_topic(99), "Topic not found"),
        (lambda client: client.delete_topic(99), "Configuration error: Topic 99 not found"),
        (lambda client: client.set_retention(99, 1, 1), "Configuration error: Topic 99 not found"),
        (lambda client: client.create_topic_once("taken"), "Topic 'taken' already exists"),
        (
            lambda client: client.create_topic_with_retention("taken", 1, 1),
            "Topic 'taken' already exists",
        ),
        (
            lambda client: client.create_topic_once("n" * 256),
            "I/O error: File name too long (os error 36)",
        ),
    ],
    ids=["get", "delete", "set-retention", "create", "create-with-retention", "long-name"],
)
async def test_lance_refuses_in_the_words_of_the_deployed_server(
    lance: Address, call: Callable[[LanceClient], Awaitable[object]], text: str
) -> None:
    async with connected_client(lance) as client:
        await client.create_topic("taken")
        with pytest.raises(LanceError) as caught:
            await call(client)
    assert str(caught.value) == text


async def test_lance_answers_topic_calls_with_the_keys_of_the_deployed_server(relay: Relay) -> None:
    async with connected_client(relay.address) as client:
        made = await client.create_topic("orders")
        await client.list_topics()
        await client.delete_topic(made.id)
        await client.list_topics()
    at = made.created_at
    assert [frame.payload for frame in relay.answers(CONTROL, TOPIC_RESPONSE)] == [
        b'{"created_at":%d,"id":1,"name":"orders","topic_epoch":1}' % at,
        b'{"topics":[{"id":1,"name":"orders","created_at":%d,"topic_epoch":1}]}' % at,
        b'{"deleted":1}',
        b'{"topics":[]}',
    ]


# lance-py: what only a server made for this client can give it.


async def test_lance_py_types_the_errors_of_topic_calls(lance_py: Address) -> None:
    async with connected_client(lance_py) as client:
        await client.create_topic("taken")
        for refused in (client.get_topic, client.delete_topic, client.set_retention):
            with pytest.raises(TopicNotFoundError):
                await refused(99)
        with pytest.raises(TopicAlreadyExistsError):
            await client.create_topic_once("taken")
        with pytest.raises(TopicAlreadyExistsError):
            await client.create_topic_with_retention("taken", 1, 1)


async def test_lance_py_lets_a_consumer_unsubscribe(lance_py: Address) -> None:
    async with connected_client(lance_py) as client:
        topic = await client.create_topic("orders")
        await client.subscribe(topic.id, 0, 65536, consumer_id=7)
        await client.unsubscribe(topic.id, consumer_id=7)
        assert await client.list_topics() == [topic]


@pytest.mark.parametrize("name", ["pytest_orders", "a.b/c", "ключ", 'n\x00"\n'])
async def test_lance_py_takes_names_that_the_deployed_server_refuses(
    lance_py: Address, name: str
) -> None:
    """0.2.9 refuses such names itself (see P-21), so its connection class sends them here."""
    connection = LwpConnection(lance_py.host, lance_py.port)
    await within(connection.connect())
    frame = build_control_frame(ControlCommand.CREATE_TOPIC, name.encode())
    await within(connection.send_frame(frame))
    header, payload = await within(connection.recv_frame())
    await within(connection.close())
    assert header.batch_id == TOPIC_RESPONSE
    topic_id = json.loads(payload)["id"]
    async with connected_client(lance_py) as client:
        assert (await client.get_topic(topic_id)).name == name
        assert [topic.name for topic in await client.list_topics()] == [name]
    await produce(lance_py, topic_id, b"event")
    async with connected_consumer(lance_py, topic_id) as consumer:
        assert [r.data for r in await poll_to_end(consumer)] == [raw(b"event")]


async def test_lance_py_gives_no_rubbish_at_the_end_of_the_stream(lance_py: Address) -> None:
    topic_id = await make_topic(lance_py)
    await produce(lance_py, topic_id, b"x" * 22)
    async with connected_consumer(lance_py, topic_id) as consumer:
        consumer.seek_to(SeekPosition.END)
        assert await within(consumer.poll()) is None
        assert consumer.current_offset == 2**63 - 1
    async with connected_consumer(lance_py, topic_id, start_position=SeekPosition.END) as consumer:
        assert await within(consumer.poll()) is None


async def test_lance_py_tells_a_consumer_beyond_the_end_that_it_must_wait(
    lance_py: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lnc_client.consumer, "_CATCHING_UP_BACKOFF_S", 0.0)
    topic_id = await make_topic(lance_py)
    await produce(lance_py, topic_id, b"event")
    async with connected_consumer(lance_py, topic_id) as consumer:
        consumer.seek(1000)
        assert await within(consumer.poll()) is None
        assert await within(consumer.poll()) is None
        with pytest.raises(ServerCatchingUpError):
            await within(consumer.poll())
        assert consumer.current_offset == 1000


async def test_lance_py_gives_compressed_records_back_in_clear(lance_py: Address) -> None:
    values = [b"again and again " * 100, EVERY_BYTE * 64, b"\0" * 100000]
    topic_id = await make_topic(lance_py)
    async with Relay(lance_py) as relay:
        async with connected_producer(relay.address, compression=True) as producer:
            for value in values:
                await within(producer.send(topic_id, value))
            await within(producer.send_batch(topic_id, [TlvRecord.raw(v) for v in values]))
            await within(producer.send(topic_id, b"too short to gain"))
    assert [frame.flags for frame in relay.from_client] == [INGEST | COMPRESSED] * 4 + [INGEST]
    assert relay.answers(CONTROL, ERROR) == []
    async with connected_consumer(lance_py, topic_id) as consumer:
        results = await poll_to_end(consumer)
    expected = raw(*values, *values, b"too short to gain")
    assert b"".join(result.data for result in results) == expected
