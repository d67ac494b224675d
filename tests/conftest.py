"""Deselects what needs recorded data where there is none (see `tests.recorded`)."""

import pytest

from tests import recorded


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    if recorded.is_here():
        return
    wanting = [item for item in items if item.get_closest_marker("mainnet")]
    if wanting:
        items[:] = [item for item in items if item not in wanting]
        config.hook.pytest_deselected(items=wanting)
