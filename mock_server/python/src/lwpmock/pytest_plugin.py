# SPDX-License-Identifier: MIT
"""The fixture `lwp_mock`: a mock that listens while the test runs.

    @pytest.mark.lwp_mock(dialect="spec")  # Only if it is to have options.
    def test_a_client(lwp_mock):
        lwp_mock.script("on ingest nth 3 -> backpressure")
        client = connect_to(lwp_mock.address)

What its scripts expected and did not see, a rule that never fired for example, fails the test.
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
    """A mock for this test alone, whose scripts are judged at the end."""
    marker = request.node.get_closest_marker("lwp_mock")
    with Mock(**(marker.kwargs if marker else {})) as mock:
        yield mock
        verdict = mock.verdict()
        if not verdict:
            lines = "\n".join(f"  {line}" for line in verdict.failures)
            pytest.fail(f"the scripts of lwp_mock expected otherwise:\n{lines}", pytrace=False)
