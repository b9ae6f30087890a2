# SPDX-License-Identifier: MIT
"""The shared library and what is called in it; mock_server/lwpmock.h is its manual."""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import os
from pathlib import Path

OK = 0
PROBLEM_SIZE = 512  # LWP_MOCK_PROBLEM_SIZE


class CountsStruct(ctypes.Structure):
    """struct lwp_mock_counts"""

    _fields_ = [("accepted", ctypes.c_uint64), ("refused", ctypes.c_uint64),
                ("over_memory", ctypes.c_uint64)]


_TEXT, _TIME, _STATUS = ctypes.c_char_p, ctypes.c_uint64, ctypes.c_int
_MOCK = ctypes.c_void_p
_TEXTS = ctypes.POINTER(ctypes.c_char_p)
_MADE = ctypes.POINTER(ctypes.c_void_p)  # A text that is ours to free.

# Name, what it returns, what it takes.
_CALLS = [
    ("lwp_mock_status_text", _TEXT, [_STATUS]),
    ("lwp_mock_new_from", _STATUS, [_TEXTS, ctypes.POINTER(_MOCK), _TEXT]),
    ("lwp_mock_free", None, [_MOCK]),
    ("lwp_mock_start", _STATUS, [_MOCK]),
    ("lwp_mock_failed", _TEXT, [_MOCK]),
    ("lwp_mock_stop", _STATUS, [_MOCK]),
    ("lwp_mock_node", _TEXT, [_MOCK, ctypes.c_size_t]),
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
    ("lwp_mock_restart", _STATUS, [_MOCK]),
    ("lwp_mock_leader", _STATUS, [_MOCK, _TEXT, _TEXT]),
    ("lwp_mock_lag", _STATUS, [_MOCK, _TEXT, ctypes.c_uint64]),
    ("lwp_mock_stale", _STATUS, [_MOCK, _TEXT, ctypes.c_uint64]),
    ("lwp_mock_ready", _STATUS, [_MOCK, _TEXT, ctypes.c_bool]),
    ("lwp_mock_scenario", _STATUS, [_MOCK, _TEXT, _TEXT, _TEXT]),
    ("lwp_mock_script_file", _STATUS, [_MOCK, _TEXT, _TEXT]),
    ("lwp_mock_problems", _TEXT, [_MOCK]),
    ("lwp_mock_arm", _STATUS, [_MOCK, _TEXT]),
    ("lwp_mock_disarm", _STATUS, [_MOCK, _TEXT]),
    ("lwp_mock_list", _STATUS, [_MOCK, _MADE]),
    ("lwp_mock_reset", None, [_MOCK]),
    ("lwp_mock_verdict", _STATUS, [_MOCK, ctypes.POINTER(ctypes.c_bool), _MADE]),
    ("lwp_mock_log", _STATUS, [_MOCK, _MADE, ctypes.POINTER(ctypes.c_size_t)]),
    ("lwp_mock_log_error", _TEXT, [_MOCK]),
    ("lwp_mock_free_text", None, [ctypes.c_void_p]),
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


def take_lines(made: ctypes.c_void_p) -> list[str]:
    """The lines of a text that the library has made, which is freed."""
    try:
        text = ctypes.string_at(made.value).decode() if made.value else ""
    finally:
        library().lwp_mock_free_text(made)
    return text.split("\n")[:-1]  # Their ends only: other ends of lines may stand in them.
