# SPDX-License-Identifier: MIT
"""A Lance server in your process, to test clients against.

    from lwpmock import Mock

    with Mock(dialect="lance") as mock:
        client = connect_to(mock.address)

With pytest there is the fixture `lwp_mock`, see lwpmock.pytest_plugin.
"""

from lwpmock.mock import Counts, Mock, MockError, MockTimeout

__all__ = ["Counts", "Mock", "MockError", "MockTimeout"]
