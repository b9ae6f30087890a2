# SPDX-License-Identifier: MIT
"""A server that the program under test starts itself: `server.py PORT HABIT...`. It answers politely
and has the bad habits that are named, each of which is a function below."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from peer import BATCH, DEADLINE, KEEPALIVE, Connection, FakeServer, Frame, polite

kept: list[object] = []
counts = {"batches": 0}


def dies_of_666(_: Connection, frame: Frame) -> None:
    if frame.topic_id == 666:
        os._exit(9)


def dies_soon_after_666(_: Connection, frame: Frame) -> None:
    """The case that does it has its answer, and passes."""
    if frame.topic_id == 666:
        threading.Timer(0.05, lambda: os._exit(9)).start()


def dies_of_the_third_batch(_: Connection, frame: Frame) -> None:
    """None of them alone does it."""
    counts["batches"] += bool(frame.flags & BATCH)
    if counts["batches"] == 3:
        os._exit(9)


def leaks_descriptors(_: Connection, frame: Frame) -> None:
    if frame.flags & BATCH:
        kept.extend(socket.socket() for _ in range(40))


def leaks_threads(_: Connection, frame: Frame) -> None:
    if frame.flags & BATCH:
        for _ in range(40):
            threading.Thread(target=time.sleep, args=(DEADLINE,), daemon=True).start()


def takes_memory(_: Connection, frame: Frame) -> None:
    if frame.flags & BATCH:
        kept.append(os.urandom(96 << 20))


def speaks_like_a_sanitizer(_: Connection, frame: Frame) -> None:
    if frame.flags & BATCH:
        print("server.c:7:3: runtime error: index 9 out of bounds", file=sys.stderr, flush=True)


def talks_without_end(_: Connection, frame: Frame) -> None:
    if frame.flags & BATCH:
        for _ in range(4096):
            sys.stderr.write("x" * 1023 + "\n")


HABITS = [dies_of_666, dies_soon_after_666, dies_of_the_third_batch, leaks_descriptors,
          leaks_threads, takes_memory, speaks_like_a_sanitizer, talks_without_end]


def answer(habits: list[str]):
    chosen = [habit for habit in HABITS if habit.__name__ in habits]

    def serve(connection: Connection) -> None:
        for frame in connection.frames():
            for habit in chosen:
                habit(connection, frame)
            connection.send(polite(connection, frame))

    return serve


def main() -> None:
    port, *habits = sys.argv[1:]
    if "ends_at_once" in habits:
        sys.exit("no licence")
    if "ignores_sigterm" in habits:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "ends_with_3" in habits:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(3))
    for habit in habits:
        if habit.startswith("pid_into="):
            with open(habit.removeprefix("pid_into="), "a") as file:
                file.write(f"{os.getpid()}\n")
    if "has_a_child" in habits:
        child = subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({DEADLINE})"])
        Path(os.environ["CHILD"]).write_text(str(child.pid))
    if "never_listens" in habits:
        time.sleep(10 * DEADLINE)
    FakeServer(answer(habits), int(port))
    signal.pause()


if __name__ == "__main__":
    main()
