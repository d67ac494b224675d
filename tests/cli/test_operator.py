"""The operator's command, as far as it needs no daemon."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from lucidtrond.cli.operator import main


@pytest.mark.usefixtures("thawed")
def test_garbage_is_looked_for_again_once_everything_is_imported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "none.toml"
    assert main(["run", "--config", str(missing)]) == 1
    assert str(missing) in capsys.readouterr().err
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_tokens_that_the_devnet_does_not_have_are_found_before_a_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[network]\ndevnet_tokens = ["ZERO", "NOPE"]\n')
    assert main(["check-config", "--config", str(config)]) == 1
    assert "[network] devnet_tokens: expected all or some" in capsys.readouterr().err
    config.write_text('[network]\ndevnet_tokens = ["zero", "all"]\n')
    assert main(["check-config", "--config", str(config)]) == 0


@pytest.fixture
def thawed() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()
