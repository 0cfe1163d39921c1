"""Tests with credentials of real key services run when they are asked for, and say so if not."""

import pytest

MARKER = "credentials"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what calls real key services, unless ``-m credentials`` asks for it."""
    if MARKER in str(config.getoption("-m")):
        return
    left_out = [item for item in items if item.get_closest_marker(MARKER) is not None]
    items[:] = [item for item in items if item.get_closest_marker(MARKER) is None]
    config.hook.pytest_deselected(items=left_out)
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if left_out and isinstance(terminal, pytest.TerminalReporter):
        terminal.write_line(
            f"{len(left_out)} tests of real key services left out: they want credentials, see "
            "docs/how-to/choose-a-key-service.md, and run by -m credentials"
        )
