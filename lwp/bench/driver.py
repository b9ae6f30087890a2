# SPDX-License-Identifier: MIT
"""The published Python client as lwp-bench measures it: records of 100 bytes by send_async(), and a flush().

    driver.py HOST:PORT TOPIC_ID MILLISECONDS

Prints how many records warmed it up, how many were acknowledged then, and in how many nanoseconds.
"""

import asyncio
import sys
import time

from lnc_client import Producer

VALUE = bytes(range(100))
AT_ONCE = 32  # Between two looks at the clock.
WARM_UP = 500


async def send(producer: Producer, topic: int, count: int) -> None:
    for _ in range(count):
        await producer.send_async(topic, VALUE)


async def main(address: str, topic: int, milliseconds: int) -> None:
    producer = await Producer.connect(address)
    await send(producer, topic, WARM_UP)
    await producer.flush()
    count = 0
    begin = time.perf_counter_ns()
    while time.perf_counter_ns() - begin < milliseconds * 1_000_000:
        await send(producer, topic, AT_ONCE)
        count += AT_ONCE
    await producer.flush()
    nanoseconds = time.perf_counter_ns() - begin
    await producer.close()
    print(WARM_UP, count, nanoseconds)


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
