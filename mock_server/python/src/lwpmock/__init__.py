# SPDX-License-Identifier: MIT
"""A Lance server in your process, to test clients against.

    from lwpmock import Mock

    with Mock(dialect="lance") as mock:
        mock.script("on ingest nth 3 -> backpressure")
        client = connect_to(mock.address)
        ...
        assert mock.verdict()

With pytest there is the fixture `lwp_mock`, see lwpmock.pytest_plugin.
"""

from lwpmock.mock import Counts, Mock, MockError, MockTimeout, ScriptError, Verdict

__all__ = ["Counts", "Mock", "MockError", "MockTimeout", "ScriptError", "Verdict"]
