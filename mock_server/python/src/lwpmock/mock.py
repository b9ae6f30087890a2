# SPDX-License-Identifier: MIT
"""A mock with a thread of its own."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Optional, Union

from lwpmock.library import OK, library

OptionValue = Union[str, int, Iterable[str]]
SECOND_NS = 1_000_000_000


class MockError(Exception):
    """A call failed; `status` is the library's."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


class MockTimeout(MockError, TimeoutError):
    """What was waited for did not happen in time."""


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
    """`max_payload=1024` is what `--max-payload 1024` is to lwp-mock; a list repeats the option."""
    for name, value in options.items():
        values = [str(value)] if isinstance(value, (str, int)) else list(value)
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
        made, problem = ctypes.c_void_p(), ctypes.c_char_p()
        status = library().lwp_mock_new_from(words, ctypes.byref(made), ctypes.byref(problem))
        if problem.value:
            raise ValueError(problem.value.decode())
        _raise_for(status, "the mock can not be made")
        self._mock = made.value

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
        """Waits for "connections N" or "idle", see lwp_mock_wait(); raises MockTimeout after
        `timeout` seconds."""
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
