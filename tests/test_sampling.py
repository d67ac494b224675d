"""Which tests a second machine runs again."""

from pathlib import Path
from typing import cast

import attrs
import pytest

from tests import sampling

TESTS = Path("/checkout/tests")
NAMES = [f"tests/tron/test_abi.py::test_{number}" for number in range(4000)]


@attrs.frozen
class Item:
    """As much of a pytest.Item as is looked at."""

    path: Path
    nodeid: str
    marks: frozenset[str] = frozenset()

    def get_closest_marker(self, name: str) -> str | None:
        return name if name in self.marks else None


def item(where: str, *marks: str) -> pytest.Item:
    found = Item(TESTS / where, f"tests/{where}::test", frozenset(marks))
    return cast("pytest.Item", found)


def test_a_seed_draws_its_share_always_the_same_and_another_seed_another() -> None:
    drawn = {
        seed: {name for name in NAMES if sampling.is_drawn(name, seed=seed, share=0.15)}
        for seed in ("a", "b")
    }
    for seed, names in drawn.items():
        assert 0.12 < len(names) / len(NAMES) < 0.18
        assert names == {
            name
            for name in reversed(NAMES)
            if sampling.is_drawn(name, seed=seed, share=0.15)
        }
    assert len(drawn["a"] & drawn["b"]) / len(NAMES) < 0.05


def test_what_depends_on_the_machine_is_kept_whole() -> None:
    nothing_else = sampling.keeper(TESTS, "seed:0")
    everything = sampling.keeper(TESTS, "seed:100")
    for where, marks, kept in (
        ("store/test_migrate.py", (), (True, True)),
        ("cli/test_demo.py", ("process",), (True, True)),
        ("daemon/test_process.py", ("process",), (True, True)),
        ("daemon/test_kill.py", ("process", "slow"), (False, False)),
        ("tron/test_abi.py", (), (False, True)),
        ("test_repository.py", (), (True, True)),
        ("systemd/test_service.py", ("process",), (False, False)),
        ("interop_runner/test_interop.py", ("process",), (False, False)),
    ):
        each = item(where, *marks)
        assert (nothing_else(each), everything(each)) == kept, where


def test_the_folders_named_are_there() -> None:
    here = Path(__file__).parent
    for name in (*sampling.WHOLE, *sampling.NEVER):
        assert (here / name).exists(), name


@pytest.mark.parametrize("text", ["", "7", "7:", ":7", "7:-1", "7:101", "7:x", "7:1.5"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(pytest.UsageError, match="expected SEED:PERCENT"):
        sampling.parse(text)
    assert sampling.parse("a:b:15") == ("a:b", 0.15)
