# SPDX-License-Identifier: MIT
"""The shared library and what is called in it; mock_server/lwpmock.h is its manual."""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import os
from pathlib import Path

OK, INVALID_ARGUMENT_TEXT = 0, b"the caller passed an invalid argument"


class CountsStruct(ctypes.Structure):
    """struct lwp_mock_counts"""

    _fields_ = [("accepted", ctypes.c_uint64), ("refused", ctypes.c_uint64),
                ("over_memory", ctypes.c_uint64)]


_TEXT, _TIME, _STATUS = ctypes.c_char_p, ctypes.c_uint64, ctypes.c_int
_MOCK = ctypes.c_void_p
_TEXT_OUT = ctypes.POINTER(ctypes.c_char_p)

# Name, what it returns, what it takes.
_CALLS = [
    ("lwp_mock_status_text", _TEXT, [_STATUS]),
    ("lwp_mock_new_from", _STATUS, [_TEXT_OUT, ctypes.POINTER(_MOCK), _TEXT_OUT]),
    ("lwp_mock_free", None, [_MOCK]),
    ("lwp_mock_start", _STATUS, [_MOCK]),
    ("lwp_mock_failed", _TEXT, [_MOCK]),
    ("lwp_mock_stop", _STATUS, [_MOCK]),
    ("lwp_mock_address", _TEXT, [_MOCK, _TEXT]),
    ("lwp_mock_control_address", _TEXT, [_MOCK]),
    ("lwp_mock_wait", _STATUS, [_MOCK, _TEXT, _TIME]),
    ("lwp_mock_reached", _STATUS, [_MOCK, _TEXT]),
    ("lwp_mock_connection_count", ctypes.c_size_t, [_MOCK]),
    ("lwp_mock_counts", CountsStruct, [_MOCK]),
    ("lwp_mock_down", _STATUS, [_MOCK, _TEXT]),
    ("lwp_mock_up", _STATUS, [_MOCK, _TEXT]),
    ("lwp_mock_advance", None, [_MOCK, _TIME]),
    ("lwp_mock_freeze", None, [_MOCK]),
    ("lwp_mock_thaw", None, [_MOCK]),
    ("lwp_mock_tag", _STATUS, [_MOCK, _TEXT, _TEXT]),
]


def library_path() -> str:
    """The one that LWPMOCK_LIBRARY names, else the package's own, else the system's."""
    given = os.environ.get("LWPMOCK_LIBRARY")
    own = Path(__file__).with_name("liblwpmock.so")
    found = given or (str(own) if own.exists() else ctypes.util.find_library("lwpmock"))
    if not found:
        raise OSError("liblwpmock.so is not there; LWPMOCK_LIBRARY can name it")
    return found


@functools.lru_cache(maxsize=None)
def library() -> ctypes.CDLL:
    loaded = ctypes.CDLL(library_path(), use_errno=True)
    for name, returned, taken in _CALLS:
        call = getattr(loaded, name)
        call.restype, call.argtypes = returned, taken
    return loaded
