# SPDX-License-Identifier: MIT
"""A mock with a thread of its own."""

from __future__ import annotations

import ctypes
import json
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Optional, Union

from lwpmock.library import OK, PROBLEM_SIZE, library, take_lines

OptionValue = Union[str, int, os.PathLike, Iterable[str]]
SECOND_NS = 1_000_000_000


class MockError(Exception):
    """A call failed; `status` is the library's."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


class MockTimeout(MockError, TimeoutError):
    """What was waited for did not happen in time."""


class ScriptError(MockError):
    """A script was not loaded; `problems` has a line for each thing that is wrong with it."""

    def __init__(self, status: int, problems: str) -> None:
        super().__init__(status, problems.rstrip("\n"))
        self.problems = problems.rstrip("\n").split("\n")


@dataclass(frozen=True)
class Verdict:
    """What scripts make of what was seen; true if all of it is as they say."""

    passed: bool
    failures: list[str] = field(default_factory=list)  # A line for each thing that did not happen.

    def __bool__(self) -> bool:
        return self.passed


@dataclass(frozen=True)
class Counts:
    """What has happened since the mock was made."""

    accepted: int
    refused: int
    over_memory: int


def _status_text(status: int) -> str:
    return library().lwp_mock_status_text(status).decode()


def _raise_for(status: int, about: str) -> None:
    if status == OK:
        return
    said = _status_text(status)
    error = MockTimeout if said == "the deadline has passed" else MockError
    raise error(status, f"{about}: {said}")


def _names_and_values(options: dict[str, OptionValue]) -> Iterator[bytes]:
    """`max_payload=1024` is what `--max-payload 1024` is to lwp-mock; a list repeats the option, and
    True is for those that have no value."""
    for name, value in options.items():
        if isinstance(value, bool):
            values = [""] if value else []
        elif isinstance(value, (str, int, os.PathLike)):
            values = [os.fspath(value) if isinstance(value, os.PathLike) else str(value)]
        else:
            values = list(value)
        for each in values:
            yield name.replace("_", "-").encode()
            yield os.fsencode(each)


class Mock:
    """A server that listens from `start()`, or the begin of a `with` block, until `close()`.

    The options are those of `lwp-mock --help`, with _ for -: `Mock(dialect="spec",
    auth_token="sesame", node=["a=127.0.0.1:0", "b=127.0.0.1:0"])`. Any thread may call it.
    """

    def __init__(self, **options: OptionValue) -> None:
        self._mock: Optional[int] = None
        self._texts = [*_names_and_values(options)]  # The mock looks at them as long as it lives.
        words = (ctypes.c_char_p * (len(self._texts) + 1))(*self._texts, None)
        made, problem = ctypes.c_void_p(), ctypes.create_string_buffer(PROBLEM_SIZE)
        status = library().lwp_mock_new_from(words, ctypes.byref(made), problem)
        if status != OK:
            raise ValueError(problem.value.decode(errors="replace"))
        self._mock = made.value
        self._loading = threading.Lock()  # Problems are those of the last load.

    @property
    def _handle(self) -> int:
        if self._mock is None:
            raise ValueError("the mock is closed")
        return self._mock

    def start(self) -> "Mock":
        """Listens, and serves in a thread of its own."""
        status = library().lwp_mock_start(self._handle)
        if status != OK:
            errno = ctypes.get_errno()
            where = library().lwp_mock_failed(self._handle).decode()
            why = os.strerror(errno) if where and errno else _status_text(status)
            raise MockError(status, f"can not listen on {where}: {why}" if where else why)
        return self

    def stop(self) -> None:
        """Ends all connections and closes the ports; `start()` takes the same ones again."""
        _raise_for(library().lwp_mock_stop(self._handle), "the mock can not be stopped")

    def close(self) -> None:
        """Stops and forgets all; may be called again."""
        mock, self._mock = self._mock, None
        if mock is not None:
            library().lwp_mock_free(mock)

    def __enter__(self) -> "Mock":
        return self.start()

    def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    @property
    def nodes(self) -> list[str]:
        """The names of all nodes; one empty name if nobody has named the only one."""
        names: list[str] = []
        while (name := library().lwp_mock_node(self._handle, len(names))) is not None:
            names.append(name.decode())
        return names

    def address_of(self, node: Optional[str]) -> str:
        """HOST:PORT of a node, or of the first one."""
        name = None if node is None else node.encode()
        address = library().lwp_mock_address(self._handle, name)
        if address is None:
            raise MockError(-1, "there is no such node, or it has no port yet")
        return address.decode()

    @property
    def address(self) -> str:
        """HOST:PORT of the only node, or the first one."""
        return self.address_of(None)

    @property
    def host(self) -> str:
        return self.address.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def wait(self, what: str, timeout: float = 10.0) -> None:
        """Waits for "connections N", "idle", "decided" or the name of a rule or barrier, see
        lwp_mock_wait(); raises MockTimeout after `timeout` seconds."""
        status = library().lwp_mock_wait(self._handle, what.encode(), int(timeout * SECOND_NS))
        _raise_for(status, what)

    @property
    def connection_count(self) -> int:
        return library().lwp_mock_connection_count(self._handle)

    @property
    def counts(self) -> Counts:
        counts = library().lwp_mock_counts(self._handle)
        return Counts(counts.accepted, counts.refused, counts.over_memory)

    def down(self, node: Optional[str] = None) -> None:
        """Resets the node's connections and refuses new ones."""
        _raise_for(library().lwp_mock_down(self._handle, node and node.encode()), f"down {node}")

    def up(self, node: Optional[str] = None) -> None:
        """Lets the node listen again, on the same port."""
        _raise_for(library().lwp_mock_up(self._handle, node and node.encode()), f"up {node}")

    def advance(self, seconds: float) -> None:
        """Moves the mock's clock forward at once."""
        library().lwp_mock_advance(self._handle, int(seconds * SECOND_NS))

    def freeze(self) -> None:
        """Holds the mock's clock until `thaw()`."""
        library().lwp_mock_freeze(self._handle)

    def thaw(self) -> None:
        library().lwp_mock_thaw(self._handle)

    def tag(self, label: str, connection: Union[str, int] = "next") -> None:
        """Labels a connection: "next", "port N" or its number."""
        status = library().lwp_mock_tag(self._handle, str(connection).encode(), label.encode())
        _raise_for(status, f"tag {connection} {label}")

    def restart(self) -> None:
        """Ends the server's process and starts it anew, as far as clients can see."""
        _raise_for(library().lwp_mock_restart(self._handle), "restart")

    # The cluster.

    def leader(self, topic: str, node: Optional[str]) -> None:
        """Who leads the topic, or with "*" all that have no leader of their own; None is nobody."""
        status = library().lwp_mock_leader(self._handle, topic.encode(), (node or "none").encode())
        _raise_for(status, f"leader {topic} {node}")

    def lag(self, node: str, size: int) -> None:
        """Keeps the node so many bytes behind in each log."""
        _raise_for(library().lwp_mock_lag(self._handle, node.encode(), size), f"lag {node}")

    def stale(self, count: int, node: Optional[str] = None) -> None:
        """Lets the next answers of the node, or of each, name the leader before the last change."""
        name = node and node.encode()
        _raise_for(library().lwp_mock_stale(self._handle, name, count), f"stale {node}")

    def ready(self, node: str, ready: bool = True) -> None:
        """Whether the node is ready to lead."""
        _raise_for(library().lwp_mock_ready(self._handle, node.encode(), ready), f"ready {node}")

    # Scripts.

    def script(self, text: str, name: str = "script", scenario: Optional[str] = None) -> None:
        """Loads a script (docs/script.md), or one scenario of it; raises ScriptError."""
        with self._loading:
            status = library().lwp_mock_scenario(
                self._handle, name.encode(), text.encode(), scenario and scenario.encode())
            self._raise_for_script(status)

    def script_file(self, path: Union[str, os.PathLike], scenario: Optional[str] = None) -> None:
        """The same with a file."""
        with self._loading:
            status = library().lwp_mock_script_file(
                self._handle, os.fsencode(path), scenario and scenario.encode())
            self._raise_for_script(status)

    def _raise_for_script(self, status: int) -> None:
        if status != OK:
            problems = library().lwp_mock_problems(self._handle).decode(errors="replace")
            raise ScriptError(status, problems or _status_text(status))

    def arm(self, name: str) -> None:
        """Lets a rule, or all of a scenario or script, fire."""
        _raise_for(library().lwp_mock_arm(self._handle, name.encode()), f"arm {name}")

    def disarm(self, name: str) -> None:
        """Keeps them from it."""
        _raise_for(library().lwp_mock_disarm(self._handle, name.encode()), f"disarm {name}")

    def list(self) -> list[str]:
        """All rules: name, place, armed or not, how often each matched and fired."""
        text = ctypes.c_void_p()
        _raise_for(library().lwp_mock_list(self._handle, ctypes.byref(text)), "list")
        return take_lines(text)

    def reset(self) -> None:
        """Unloads all scripts and forgets what they have seen."""
        library().lwp_mock_reset(self._handle)

    def verdict(self) -> Verdict:
        """Judges the scripts by what was seen so far."""
        passed, text = ctypes.c_bool(), ctypes.c_void_p()
        status = library().lwp_mock_verdict(
            self._handle, ctypes.byref(passed), ctypes.byref(text))
        _raise_for(status, "verdict")
        return Verdict(passed.value, take_lines(text))

    # What happened.

    @property
    def log(self) -> list[dict[str, Any]]:
        """The events so far (docs/events.md), the newest last."""
        text, size = ctypes.c_void_p(), ctypes.c_size_t()
        status = library().lwp_mock_log(self._handle, ctypes.byref(text), ctypes.byref(size))
        _raise_for(status, "log")
        return [json.loads(line) for line in take_lines(text)]

    @property
    def log_error(self) -> str:
        """What went wrong when events were written; empty if nothing has."""
        return library().lwp_mock_log_error(self._handle).decode(errors="replace")
