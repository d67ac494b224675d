"""Deselects tests: what needs recorded data where there is none (`tests.recorded`), and
all but a part of the rest with ``--sample`` (`tests.sampling`).
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import recorded, sampling

# Time judges nothing here: a busy machine must not fail what is right.
settings.register_profile(
    "project", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("project")


def pytest_addoption(parser: pytest.Parser) -> None:
    sampling.add_option(parser)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    if not recorded.is_here():
        _deselect(config, items, lambda item: not item.get_closest_marker("mainnet"))
    sample: str | None = config.getoption("--sample")
    if sample is not None:
        _deselect(config, items, sampling.keeper(Path(__file__).parent, sample))


def _deselect(
    config: pytest.Config,
    items: list[pytest.Item],
    keep: Callable[[pytest.Item], bool],
) -> None:
    gone = [item for item in items if not keep(item)]
    if gone:
        items[:] = [item for item in items if item not in set(gone)]
        config.hook.pytest_deselected(items=gone)
