# SPDX-License-Identifier: MIT
"""What the published Python client gets wrong, asserted as it is.

Each test has the number of its finding and what a user suffers from it. A test that fails here
means that the client, or what our server says to it, has changed. The server is `lance`, the one
that is deployed, unless a test says otherwise.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import struct
import sys
import time
import zlib
from pathlib import Path

import lnc_client
import lz4.block
import pytest
from lnc_client import (
    FileOffsetStore,
    InvalidTopicNameError,
    LanceError,
    SeekPosition,
    StandaloneConfig,
    StandaloneConsumer,
    TopicNotFoundError,
)
from lnc_client.connection import LwpConnection
from lnc_client.protocol import ControlCommand, build_control_frame

from conftest import StartMock
from support import (
    ACK,
    BACKPRESSURE,
    CATCHING_UP,
    COMMIT_ACK,
    COMMIT_OFFSET,
    COMPRESSED,
    CONTROL,
    ERROR,
    FETCH,
    FETCH_RESPONSE,
    INGEST,
    KEEPALIVE,
    TOPIC_RESPONSE,
    Address,
    Frame,
    Relay,
    connected_client,
    connected_consumer,
    connected_producer,
    crc32c,
    is_stuck,
    make_topic,
    poll_to_end,
    produce,
    raw,
    record,
    within,
)

# Checks.


async def test_its_crc32c_is_the_crc32_of_zlib(relay: Relay) -> None:
    """P-01. A user who builds a server after the specification can not be spoken to."""
    await produce(relay.address, await make_topic(relay.address), b"event")
    for frame in relay.from_client + relay.from_server:
        (header_crc,) = struct.unpack_from("<I", frame.raw, 8)
        assert header_crc == zlib.crc32(frame.raw[:8])
        assert header_crc != crc32c(frame.raw[:8])
    ingest = relay.sent(INGEST)[0]
    assert ingest.payload_crc == zlib.crc32(ingest.payload) != crc32c(ingest.payload)


async def test_a_server_true_to_the_specification_hangs_up_on_it(start_mock: StartMock) -> None:
    """P-01. The user sees a lost connection and no reason."""
    async with connected_client(start_mock("spec")) as client:
        with pytest.raises(lnc_client.ConnectionError):
            await client.list_topics()


async def test_it_takes_frames_of_any_version(relay: Relay) -> None:
    """P-02. A user of a later protocol gets its frames misread instead of an error."""
    relay.alter = lambda frame: Frame(
        frame.flags, frame.batch_id, frame.payload, version=99
    ).encode()
    async with connected_client(relay.address) as client:
        assert (await client.create_topic("orders")).name == "orders"


async def test_it_takes_a_damaged_payload_if_the_checksum_is_zero(relay: Relay) -> None:
    """P-03. The user is handed damaged data as good."""
    topic_id = await make_topic(relay.address)
    await produce(relay.address, topic_id, b"right")

    def damage(frame: Frame, payload_crc: int | None) -> bytes:
        payload = frame.payload.replace(b"right", b"wrong")
        return Frame(frame.flags, frame.batch_id, payload, payload_crc=payload_crc).encode()

    async with connected_consumer(relay.address, topic_id) as consumer:
        relay.alter = lambda frame: damage(frame, payload_crc=1)
        with pytest.raises(lnc_client.InvalidFrameError, match="CRC"):
            await within(consumer.poll())
        relay.alter = lambda frame: damage(frame, payload_crc=0)
        assert [r.data for r in await poll_to_end(consumer)] == [raw(b"wrong")]


# The connection.


async def test_keepalives_answer_each_other_without_end(relay: Relay) -> None:
    """P-04. After 10 s a user's idle producer loads processor and network for good.

    The interval is shortened to 0.5 s, in which an honest client sends one. The connection is cut
    before the close, which can hang for ever in the storm (seen with Python 3.11).
    """
    async with connected_producer(relay.address, keepalive_interval_s=0.5):
        try:
            await relay.until(lambda: len(relay.sent(KEEPALIVE)) >= 1)
            started = time.monotonic()
            await relay.until(lambda: len(relay.sent(KEEPALIVE)) >= 500)
            assert 500 > 10 * (2 + (time.monotonic() - started) / 0.5)
        finally:
            relay.cut()


async def test_an_idle_client_sends_its_keepalives_in_time(relay: Relay) -> None:
    """The other side of P-04: who does not read does not answer."""
    async with connected_client(relay.address, keepalive_interval_s=0.2):
        started = time.monotonic()
        await relay.until(lambda: len(relay.answers(KEEPALIVE)) >= 3)
        assert time.monotonic() - started > 0.3
    assert {frame.payload for frame in relay.answers(KEEPALIVE)} == {b""}
    assert {frame.raw[12:] for frame in relay.answers(KEEPALIVE)} == {b"\0" * 32}


async def test_a_backpressure_frame_with_a_payload_puts_it_out_of_step(relay: Relay) -> None:
    """P-05. Every later send of the user hangs until its time-out, although all is stored."""
    topic_id = await make_topic(relay.address)
    pressure = Frame(BACKPRESSURE, payload=b"too much").encode()
    relay.alter = lambda frame: pressure + frame.raw
    async with connected_producer(relay.address) as producer:
        sends = [asyncio.create_task(producer.send(topic_id, b"event")) for _ in range(2)]
        await relay.until(lambda: len([f for f in relay.delivered if f.flags == ACK]) == 2)
        assert [await is_stuck(send) for send in sends] == [True, True]
    async with connected_consumer(relay.server, topic_id) as consumer:
        assert [r.data for r in await poll_to_end(consumer)] == [raw(b"event", b"event")]


async def test_a_backpressure_frame_without_a_payload_does_no_harm(relay: Relay) -> None:
    """The other side of P-05: it only delays the next send by 0.1 s."""
    topic_id = await make_topic(relay.address)
    relay.alter = lambda frame: Frame(BACKPRESSURE).encode() + frame.raw
    async with connected_producer(relay.address) as producer:
        assert [await within(producer.send(topic_id, b"event")) for _ in range(2)] == [1, 2]


async def test_a_lost_connection_is_not_reopened_and_its_sends_hang(start_mock: StartMock) -> None:
    """P-13. After a broken connection the user's producer is dead for good, without saying so.

    The server is given a frame over its limit and hangs up, as the deployed one does.
    """
    async with Relay(start_mock("lance", "--max-payload", "1000")) as relay:
        topic_id = await make_topic(relay.address)
        async with connected_producer(relay.address, auto_reconnect=True) as producer:
            await within(producer.send(topic_id, b"event"))
            pending = asyncio.create_task(producer.send(topic_id, b"x" * 2000))
            assert await is_stuck(pending)
            with pytest.raises(lnc_client.ConnectionError, match="Not connected"):
                await within(producer.send(topic_id, b"event"))
        assert len(relay.sent(INGEST)) == 2 and len(relay.answers(ACK)) == 1


async def test_the_late_answer_to_a_poll_is_taken_for_the_answer_to_the_next(relay: Relay) -> None:
    """P-14. A slow answer makes the user read the wrong place of the stream."""
    topic_id = await make_topic(relay.address)
    await produce(relay.address, topic_id, b"first", b"second")
    async with connected_consumer(relay.address, topic_id, poll_timeout_s=0.1) as consumer:
        relay.gate.clear()
        with pytest.raises(lnc_client.TimeoutError):
            await within(consumer.poll())
        relay.gate.set()
        consumer.seek(len(raw(b"first")))
        result = await within(consumer.poll(timeout=5))
    assert result is not None
    assert result.data == raw(b"first", b"second")


async def test_a_ping_after_a_pause_reads_the_answer_to_an_old_keepalive(relay: Relay) -> None:
    """P-14. The user's latency is fiction: the ping is over before its answer has come."""
    async with connected_client(relay.address, keepalive_interval_s=0.5) as client:
        await relay.until(lambda: any(frame.flags == KEEPALIVE for frame in relay.delivered))
        relay.gate.clear()
        delivered = len(relay.delivered)
        await within(client.ping())
        assert len(relay.delivered) == delivered


# Topics.


async def test_unsubscribe_raises_on_the_ack(relay: Relay) -> None:
    """P-06. The user's unsubscribe always fails, although the server did it."""
    async with connected_client(relay.address) as client:
        topic = await client.create_topic("orders")
        await client.subscribe(topic.id, 0, 65536, consumer_id=7)
        with pytest.raises(LanceError, match="Expected control frame, got flags=0x8"):
            await client.unsubscribe(topic.id, consumer_id=7)
    assert [(f.batch_id, f.payload) for f in relay.answers(ACK)] == [(7, b"")]


async def test_the_errors_of_the_deployed_server_have_no_type(lance: Address) -> None:
    """P-07. The user can tell a missing topic from a broken disk only by reading the text."""
    async with connected_client(lance) as client:
        await client.create_topic("taken")
        calls = [
            client.get_topic(99),
            client.delete_topic(99),
            client.set_retention(99),
            client.create_topic_once("taken"),
        ]
        for call in calls:
            with pytest.raises(LanceError) as caught:
                await call
            assert type(caught.value) is LanceError
            assert not caught.value.is_retryable()


async def test_a_redirect_in_the_servers_words_is_not_retryable(relay: Relay) -> None:
    """P-07. In a cluster the user's call fails for good where it had only to ask another node."""
    text = b"NOT_LEADER: redirect to 10.0.0.2:1992"
    relay.alter = lambda frame: Frame(CONTROL, ERROR, text).encode()
    async with connected_client(relay.address) as client:
        with pytest.raises(LanceError, match="NOT_LEADER") as caught:
            await client.list_topics()
    assert type(caught.value) is LanceError
    assert not caught.value.is_retryable()


async def test_the_errors_of_a_poll_have_no_type_even_as_json(lance_py: Address) -> None:
    """P-07. A user who catches TopicNotFoundError around a poll catches nothing."""
    async with connected_client(lance_py) as client:
        with pytest.raises(TopicNotFoundError):
            await client.get_topic(99)
    async with connected_consumer(lance_py, 99) as consumer:
        with pytest.raises(LanceError, match=r'Fetch error: \{"code":') as caught:
            await within(consumer.poll())
        assert type(caught.value) is LanceError


@pytest.mark.parametrize("name", ["pytest_orders", "a.b", "a b", "ключ", ""])
async def test_names_with_underscores_can_not_be_used(lance: Address, name: str) -> None:
    """P-21. A user's topic `my_events` can not be created.

    python-client.md says that names go out unchecked; 0.2.9 as published refuses them itself.
    """
    async with Relay(lance) as relay, connected_client(relay.address) as client:
        for call in (client.create_topic, client.create_topic_once, client.get_topic_by_name):
            with pytest.raises(InvalidTopicNameError):
                await call(name)
        with pytest.raises(InvalidTopicNameError):
            await client.create_topic_with_retention(name, 1, 1)
        assert await client.list_topics() == []
    assert len(relay.from_client) == 1


async def test_the_deployed_server_refuses_underscores_too(lance: Address) -> None:
    """P-21. What the user of an older client, which does not check, is told."""
    connection = LwpConnection(lance.host, lance.port)
    await within(connection.connect())
    frame = build_control_frame(ControlCommand.CREATE_TOPIC, b"pytest_orders")
    await within(connection.send_frame(frame))
    header, payload = await within(connection.recv_frame())
    await within(connection.close())
    assert header.batch_id == ERROR
    assert payload == (
        b"Invalid data: Topic name 'pytest_orders' contains invalid characters. "
        b"Only alphanumeric characters (a-z, A-Z, 0-9) and dashes (-) are allowed"
    )


async def test_a_retention_that_was_set_is_not_shown(relay: Relay) -> None:
    """No number yet. The user sees no retention on any topic: it is looked for elsewhere."""
    async with connected_client(relay.address) as client:
        made = await client.create_topic_with_retention("orders", 3600, 1000)
        kept = await client.set_retention(made.id, 60, 2000)
    assert (made.retention, kept.retention, kept.name) == (None, None, "")
    answers = [json.loads(frame.payload) for frame in relay.answers(CONTROL, TOPIC_RESPONSE)]
    assert [a["max_age_secs"] for a in answers] == [3600, 60]


async def test_a_consumer_can_not_be_opened_by_topic_name(either: Address) -> None:
    """No number yet. The way that its own documentation prefers raises a TypeError, always."""
    await make_topic(either, "orders")
    config = StandaloneConfig(consumer_name="reader", topic_name="orders")
    with pytest.raises(TypeError, match="not subscriptable"):
        await within(StandaloneConsumer.connect(str(either), config))


# Producing.


async def test_a_send_to_an_unknown_topic_hangs(
    relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    """P-08. The user waits 30 s for a refusal that was there at once and went to the log."""
    topic_id = await make_topic(relay.address)
    async with connected_producer(relay.address) as producer:
        refused = asyncio.create_task(producer.send(99, b"lost"))
        await relay.until(lambda: len(relay.delivered) == 2)  # The topic's answer, and the error.
        assert await within(producer.send(topic_id, b"event")) == 2
        assert await is_stuck(refused)
    assert [frame.payload for frame in relay.answers(CONTROL, ERROR)] == [b"Unknown topic"]
    assert [frame.batch_id for frame in relay.answers(ACK)] == [2]
    errors = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert errors == ["Server error: Unknown topic"]


async def test_a_send_without_authentication_hangs(
    start_mock: StartMock, caplog: pytest.LogCaptureFixture
) -> None:
    """P-08. The user of a guarded server can send nothing, and the call does not say why."""
    async with Relay(start_mock("lance", "--auth-token", "secret")) as relay:
        topic_id = await make_topic(relay.address)
        async with connected_producer(relay.address) as producer:
            refused = asyncio.create_task(producer.send(topic_id, b"lost"))
            await relay.until(lambda: len(relay.delivered) == 2)
            assert await is_stuck(refused)
        assert relay.answers(ACK) == []
    assert "Server error: Authentication required" in caplog.text


async def test_a_flush_after_a_refused_send_hangs_too(relay: Relay) -> None:
    """P-08. The user learns from flush that something is missing, but not what or why."""
    async with connected_producer(relay.address) as producer:
        await producer.send_async(99, b"lost")
        await relay.until(lambda: len(relay.delivered) == 1)
        with pytest.raises(LanceError, match="Flush timed out with 1 pending ACKs"):
            await within(producer.flush(timeout=0.2))


async def test_batch_size_and_linger_batch_nothing(relay: Relay) -> None:
    """P-12. The user who asks for batches sends a frame of 49 bytes overhead for every record."""
    topic_id = await make_topic(relay.address)
    options = {"batch_size": 1000000, "linger_ms": 60000}
    async with connected_producer(relay.address, **options) as producer:
        for _ in range(50):
            await producer.send_async(topic_id, b"event")
        await relay.until(lambda: len(relay.sent(INGEST)) == 50)
    assert {(f.record_count, f.payload) for f in relay.sent(INGEST)} == {(1, raw(b"event"))}


async def test_the_time_out_of_requests_does_not_reach_a_send(relay: Relay) -> None:
    """P-12. The user's request_timeout_s of 50 ms is 30 s."""
    async with connected_producer(relay.address, request_timeout_s=0.05) as producer:
        assert await is_stuck(asyncio.create_task(producer.send(99, b"lost")))


async def test_pending_acks_have_no_limit(start_mock: StartMock) -> None:
    """P-22. Against a slow server the memory of the user's program grows without bound."""
    async with Relay(start_mock("lance", "--ack-delay", "60000")) as relay:
        topic_id = await make_topic(relay.address)
        async with connected_producer(relay.address, max_pending_acks=1) as producer:
            for i in range(200):
                assert await within(producer.send_async(topic_id, b"event")) == i + 1
            await relay.until(lambda: len(relay.sent(INGEST)) == 200)
            assert relay.answers(ACK) == []


async def test_close_drops_what_is_not_acknowledged_and_flush_then_agrees(
    start_mock: StartMock,
) -> None:
    """P-19. The user closes, flushes, gets no error, and nothing was ever confirmed."""
    async with Relay(start_mock("lance", "--ack-delay", "60000")) as relay:
        topic_id = await make_topic(relay.address)
        async with connected_producer(relay.address) as producer:
            pending = asyncio.create_task(producer.send(topic_id, b"event"))
            await relay.until(lambda: len(relay.sent(INGEST)) == 1)
            await within(producer.close())
            with pytest.raises(lnc_client.ConnectionError, match="Producer closed"):
                await within(pending)
            await within(producer.flush())
        assert relay.answers(ACK) == []


async def test_compressed_records_vanish_on_their_way_to_a_consumer(relay: Relay) -> None:
    """P-15. The user who turns compression on reads no record of what was acknowledged."""
    value = b"again and again " * 100
    topic_id = await make_topic(relay.address)
    async with connected_producer(relay.address, compression=True) as producer:
        assert await within(producer.send(topic_id, value)) == 1
    ingest = relay.sent(INGEST | COMPRESSED)[0]
    assert lz4.block.decompress(ingest.payload, uncompressed_size=len(value) + 5) == raw(value)
    async with connected_consumer(relay.address, topic_id) as consumer:
        result = await within(consumer.poll())
        assert result is not None
        assert result.data == ingest.payload
        assert result.records == []
        assert consumer.current_offset == len(ingest.payload)
        assert await within(consumer.poll()) is None


# Consuming.


async def test_the_catching_up_frame_is_taken_for_records(relay: Relay) -> None:
    """P-09. The user gets a record that nobody wrote, and a position that never was."""
    topic_id = await make_topic(relay.address)
    await produce(relay.address, topic_id, b"x" * 22)
    async with connected_consumer(relay.address, topic_id) as consumer:
        consumer.seek(1000)
        result = await within(consumer.poll())
        assert result is not None
        assert result.data == struct.pack("<Q", 27)
        assert [(r.record_type, r.value) for r in result.records] == [(27, b"")]
        assert consumer.current_offset == 1008
    catching_up = relay.answers(CONTROL, CATCHING_UP)
    assert [frame.payload for frame in catching_up] == [struct.pack("<Q", 27)]


@pytest.mark.parametrize("by", ["seek_to", "start_position"])
async def test_the_end_of_the_stream_is_2_to_the_63_less_1_and_gives_rubbish(
    relay: Relay, by: str
) -> None:
    """P-10. The user who wants only new data gets 8 bytes of rubbish, again and again."""
    topic_id = await make_topic(relay.address)
    await produce(relay.address, topic_id, b"x" * 22)
    config = {"start_position": SeekPosition.END} if by == "start_position" else {}
    async with connected_consumer(relay.address, topic_id, **config) as consumer:
        if by == "seek_to":
            consumer.seek_to(SeekPosition.END)
        first, second = await within(consumer.poll()), await within(consumer.poll())
        assert first is not None and second is not None
        assert first.data == second.data == struct.pack("<Q", 27)
        assert [r.record_type for r in first.records] == [27]
        assert consumer.current_offset == 2**63 - 1 + 16
    asked = [struct.unpack("<IQI", f.payload)[1] for f in relay.sent(CONTROL, FETCH)]
    assert asked == [2**63 - 1, 2**63 - 1 + 8]


async def test_at_the_end_of_the_stream_nothing_new_is_ever_seen(lance_py: Address) -> None:
    """No number yet. Even from a server made for it the user at END gets no new data.

    An empty answer does not move its offset (python-client.md), so it asks for 2^63-1 for ever.
    """
    topic_id = await make_topic(lance_py)
    await produce(lance_py, topic_id, b"old")
    async with connected_consumer(lance_py, topic_id) as consumer:
        consumer.seek_to(SeekPosition.END)
        assert await within(consumer.poll()) is None
        await produce(lance_py, topic_id, b"new")
        assert await within(consumer.poll()) is None
        assert consumer.current_offset == 2**63 - 1


async def test_there_is_never_any_lag(relay: Relay) -> None:
    """P-11. The user's dashboard says that all is read, whatever is left; no start is known."""
    topic_id = await make_topic(relay.address)
    await produce(relay.address, topic_id, *[b"%010d" % i for i in range(10)])
    async with connected_consumer(relay.address, topic_id, max_fetch_bytes=15) as consumer:
        results = await poll_to_end(consumer)
    assert [result.lag for result in results] == [0] * 10
    assert [result.start_offset for result in results] == [0] * 10
    assert [result.end_offset for result in results] == list(range(15, 151, 15))
    assert [struct.unpack_from("<Q", f.payload)[0] for f in relay.answers(CONTROL, FETCH_RESPONSE)][
        :10
    ] == list(range(15, 151, 15))


async def test_a_record_cut_by_a_fetch_is_lost(lance: Address) -> None:
    """P-16. The user misses records whenever a fetch ends inside one, and is not told.

    Six records of 15 bytes in fetches of 20: only those that begin where a fetch does are seen.
    """
    values = [bytes([letter]) * 10 for letter in b"ABCDEF"]
    topic_id = await make_topic(lance)
    await produce(lance, topic_id, *values)
    async with connected_consumer(lance, topic_id, max_fetch_bytes=20) as consumer:
        results = await poll_to_end(consumer)
        assert consumer.current_offset == 90
    assert b"".join(result.data for result in results) == raw(*values)
    assert [[r.value for r in result.records] for result in results] == [
        [values[0]],
        [],
        [],
        [values[4]],
        [],
    ]


async def test_the_rest_of_a_cut_record_is_taken_for_a_record(lance: Address) -> None:
    """P-16. The user is handed a record that nobody wrote, out of the middle of another."""
    inside = record(0x02, b'{"forged":1}')
    topic_id = await make_topic(lance)
    await produce(lance, topic_id, b"0123456789" + inside)
    async with connected_consumer(lance, topic_id, max_fetch_bytes=len(inside)) as consumer:
        consumer.seek(15)
        result = await within(consumer.poll())
    assert result is not None
    assert [(r.record_type, r.value) for r in result.records] == [(0x02, b'{"forged":1}')]


async def test_the_number_of_a_consumer_changes_with_every_process(relay: Relay) -> None:
    """P-17. What the user's program committed is out of reach for its next run."""
    topic_id = await make_topic(relay.address)
    program = (
        "import asyncio, sys\n"
        "from lnc_client import StandaloneConfig, StandaloneConsumer\n"
        "async def main():\n"
        "    config = StandaloneConfig(consumer_name='reader', topic_id=int(sys.argv[2]))\n"
        "    async with await StandaloneConsumer.connect(sys.argv[1], config) as consumer:\n"
        "        await consumer.commit()\n"
        "asyncio.run(main())\n"
    )
    arguments = ["-c", program, str(relay.address), str(topic_id)]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONHASHSEED"}
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(sys.executable, *arguments, env=environment)
        assert await within(process.wait()) == 0
    commits = [struct.unpack("<IQQ", f.payload) for f in relay.sent(CONTROL, COMMIT_OFFSET)]
    assert [(topic, offset) for topic, _, offset in commits] == [(topic_id, 0)] * 2
    assert commits[0][1] != commits[1][1]


async def test_offset_files_of_different_consumers_are_one(lance: Address, tmp_path: Path) -> None:
    """P-18. Two consumers of the user move each other's position."""
    topic_id = await make_topic(lance)
    await produce(lance, topic_id, b"event")
    config = {"offset_dir": tmp_path}
    async with connected_consumer(lance, topic_id, consumer_name="a/b", **config) as consumer:
        await poll_to_end(consumer)
        await within(consumer.commit())
    async with connected_consumer(lance, topic_id, consumer_name="a_b", **config) as consumer:
        assert consumer.current_offset == len(raw(b"event"))
        assert await within(consumer.poll()) is None


async def test_a_damaged_offset_file_starts_over(lance: Address, tmp_path: Path) -> None:
    """P-18. The user processes everything again after a power cut."""
    topic_id = await make_topic(lance)
    await FileOffsetStore(tmp_path).save("reader", topic_id, 10)
    (tmp_path / f"reader_{topic_id}.offset").write_text('{"offset": 1')
    async with connected_consumer(lance, topic_id, offset_dir=tmp_path) as consumer:
        assert consumer.current_offset == 0


async def test_a_commit_takes_any_answer(relay: Relay, tmp_path: Path) -> None:
    """P-20. The user's commit was refused, and all the same it returns and writes its file."""
    topic_id = await make_topic(relay.address)
    await produce(relay.address, topic_id, b"event")

    def refuse_commits(frame: Frame) -> bytes:
        refusal = Frame(CONTROL, ERROR, b"Rate limit exceeded")
        return (refusal if frame.is_control(COMMIT_ACK) else frame).encode()

    relay.alter = refuse_commits
    async with connected_consumer(relay.address, topic_id, offset_dir=tmp_path) as consumer:
        await poll_to_end(consumer)
        await within(consumer.commit())
    assert await FileOffsetStore(tmp_path).load("reader", topic_id) == len(raw(b"event"))


async def test_nothing_is_committed_by_itself(relay: Relay) -> None:
    """P-12. The user who counts on auto_commit_interval_s has committed nothing."""
    topic_id = await make_topic(relay.address)
    await produce(relay.address, topic_id, b"first", b"second")
    options = {"auto_commit_interval_s": 0.001, "max_fetch_bytes": 15}
    async with connected_consumer(relay.address, topic_id, **options) as consumer:
        started = time.monotonic()
        while time.monotonic() - started < 0.2:
            await within(consumer.poll())
    assert len(relay.sent(CONTROL, FETCH)) > 2
    assert relay.sent(CONTROL, COMMIT_OFFSET) == []
