# SPDX-License-Identifier: MIT
"""The published Python client, driven through what servers do to clients: a redirect, backpressure and
catching up. What it makes of each is seen twice, in what it says and in the mock's log."""

from __future__ import annotations

import asyncio
from typing import Any

import lnc_client.consumer
import pytest
from lnc_client import (
    ClientConfig,
    LanceClient,
    NotLeaderError,
    Producer,
    ProducerConfig,
    ServerCatchingUpError,
    StandaloneConfig,
    StandaloneConsumer,
)

from lwpmock import Mock

DEADLINE = 10.0
ITS_PAUSE_MS = 100.0  # Before a send while the server asks to slow down.

pytestmark = pytest.mark.lwp_mock(dialect="lance-py")


def client_of(address: str) -> LanceClient:
    host, _, port = address.rpartition(":")
    return LanceClient(ClientConfig(host, int(port), request_timeout_s=DEADLINE))


def frames(mock: Mock, direction: str, kind: str) -> list[dict[str, Any]]:
    """The frames of a kind, or with a command."""
    return [e for e in mock.log if e["event"] == "frame" and e["direction"] == direction
            and kind in (e["kind"], e.get("command"))]


async def seen_to_ask_for_less(producer: Producer) -> None:
    async def look() -> None:
        while not producer._conn.under_backpressure:
            await asyncio.sleep(0)

    await asyncio.wait_for(look(), DEADLINE)


TWO_NODES = """
    needs cluster
    node A
    node B
    on [A] create-topic times 2 -> redirect B as sent-away
"""


async def test_a_redirect_names_the_leader(lwp_mock: Mock) -> None:
    lwp_mock.script(TWO_NODES.replace("times 2", "") + "expect [B] create-topic = 1")
    lwp_mock.leader("*", "B")
    leader = lwp_mock.address_of("B")
    async with client_of(lwp_mock.address_of("A")) as client:
        with pytest.raises(NotLeaderError) as caught:
            await client.create_topic_once("events")
        assert caught.value.leader_addr == leader
    async with client_of(leader) as client:
        assert (await client.create_topic_once("events")).name == "events"
    asked = [event["node"] for event in frames(lwp_mock, "in", "create-topic")]
    assert asked == ["A", "B"]
    (refusal,) = frames(lwp_mock, "out", "error-response")
    assert (refusal["node"], refusal["rule"]) == ("A", "sent-away")


async def test_a_redirect_is_not_followed_but_asked_for_again(lwp_mock: Mock) -> None:
    lwp_mock.script(TWO_NODES + "never [B] frame")
    async with client_of(lwp_mock.address_of("A")) as client:
        made = await client.ensure_topic("events", max_attempts=3, base_backoff_ms=1)
        assert made.name == "events"
    assert [event["node"] for event in frames(lwp_mock, "in", "create-topic")] == ["A"] * 3


async def test_backpressure_slows_each_send_down_until_an_ack_comes(lwp_mock: Mock) -> None:
    lwp_mock.script("""
        topic orders id=1
        on ingest nth 2 -> ack, then backpressure after 1us as full
        expect ingest = 4
        expect out backpressure = 1
        never in close within 50ms after full
    """)
    producer = await Producer.connect(lwp_mock.address, ProducerConfig())
    try:
        for value in (b"one", b"two"):
            await asyncio.wait_for(producer.send(1, value), DEADLINE)
        await seen_to_ask_for_less(producer)
        for value in (b"three", b"four"):
            await asyncio.wait_for(producer.send(1, value), DEADLINE)
    finally:
        await producer.close()
    times_ms = [e["time_ms"] for e in frames(lwp_mock, "in", "ingest")]
    pauses_ms = [after - before for before, after in zip(times_ms, times_ms[1:])]
    assert pauses_ms[1] >= ITS_PAUSE_MS > pauses_ms[2]
    assert [e["header"]["batch_id"] for e in frames(lwp_mock, "out", "ack")] == [1, 2, 3, 4]


async def test_a_consumer_waits_while_the_server_catches_up_and_goes_on(
    lwp_mock: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lnc_client.consumer, "_CATCHING_UP_BACKOFF_S", 0.0)
    lwp_mock.script("""
        topic orders id=1 records=10
        on fetch times 2 -> catching-up 0 step 10 as behind
        expect fetch = 3
    """)
    config = StandaloneConfig(consumer_name="reader", topic_id=1, poll_timeout_s=DEADLINE)
    async with await StandaloneConsumer.connect(lwp_mock.address, config) as consumer:
        assert await consumer.poll() is None
        assert await consumer.poll() is None
        assert consumer.current_offset == 0
        result = await consumer.poll()
        assert result is not None and result.data.startswith(b"\x01\x08\0\0\0orders-0")
    behind = [e for e in frames(lwp_mock, "out", "error-response") if e["rule"] == "behind"]
    assert len(behind) == 2
    assert [e["message"]["start_offset"] for e in frames(lwp_mock, "in", "fetch")] == [0, 0, 0]


async def test_a_consumer_gives_up_on_a_server_that_never_catches_up(
    lwp_mock: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lnc_client.consumer, "_CATCHING_UP_BACKOFF_S", 0.0)
    lwp_mock.script("topic orders id=1 records=10\non fetch -> catching-up 5\nexpect fetch = 3")
    config = StandaloneConfig(consumer_name="reader", topic_id=1, poll_timeout_s=DEADLINE)
    async with await StandaloneConsumer.connect(lwp_mock.address, config) as consumer:
        assert [await consumer.poll() for _ in range(2)] == [None, None]
        with pytest.raises(ServerCatchingUpError):
            await consumer.poll()
