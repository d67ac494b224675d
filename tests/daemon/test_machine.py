import stat
from pathlib import Path

import pytest

from lucidtrond.daemon.machine import hold_state_dir, raise_file_limit
from lucidtrond.errors import AlreadyRunning, OperatorError


def test_a_held_state_directory_is_refused_to_others_and_named(tmp_path: Path) -> None:
    state = tmp_path / "a" / "state"
    with hold_state_dir(state):
        assert stat.S_IMODE(state.stat().st_mode) == 0o700
        with (
            pytest.raises(AlreadyRunning, match=str(state)),
            hold_state_dir(state),
        ):
            pass
    with hold_state_dir(state):
        pass


def test_a_file_in_the_place_of_the_directory_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with (
        pytest.raises(OperatorError, match="state directory"),
        hold_state_dir(tmp_path / "state"),
    ):
        pass


def test_raising_the_file_limit_twice_changes_nothing() -> None:
    assert raise_file_limit() == raise_file_limit()
