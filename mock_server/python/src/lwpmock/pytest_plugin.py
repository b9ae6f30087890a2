# SPDX-License-Identifier: MIT
"""The fixture `lwp_mock`: a mock that listens while the test runs.

    @pytest.mark.lwp_mock(dialect="spec")  # Only if it is to have options.
    def test_a_client(lwp_mock):
        client = connect_to(lwp_mock.address)
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lwpmock.mock import Mock


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "lwp_mock(**options): how the fixture lwp_mock is made, as lwpmock.Mock is")


@pytest.fixture
def lwp_mock(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """A mock for this test alone."""
    marker = request.node.get_closest_marker("lwp_mock")
    with Mock(**(marker.kwargs if marker else {})) as mock:
        yield mock
