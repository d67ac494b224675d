"""Which socket a state directory's daemon serves, as a file that nobody is to trust."""

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lucidtrond.daemon.socket_record import (
    RECORD,
    BadRecord,
    read_record,
    record_socket,
)


def test_it_is_there_while_the_daemon_runs_for_its_user_only(tmp_path: Path) -> None:
    assert read_record(tmp_path) is None
    with record_socket(tmp_path, Path("/run/x/rpc.sock"), instance="abc"):
        assert read_record(tmp_path) == (Path("/run/x/rpc.sock"), "abc", os.getpid())
        assert stat.S_IMODE((tmp_path / RECORD).stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_daemon_left_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / RECORD).write_text("half a rec")
    (tmp_path / (RECORD + ".new")).write_text("half a draft")
    with record_socket(tmp_path, Path("/s"), instance="new"):
        record = read_record(tmp_path)
    assert record is not None
    assert record.instance == "new"


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_text(json.dumps({"socket": "/s", "instance": "i", "pid": 1}))
    (tmp_path / RECORD).symlink_to(target)
    with pytest.raises(OSError, match="symbolic links"):
        read_record(tmp_path)


def test_a_pipe_in_its_place_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / RECORD)
    with pytest.raises(BadRecord, match="regular file"):
        read_record(tmp_path)


fields = st.fixed_dictionaries(
    {},
    optional={
        "socket": st.sampled_from(["/run/rpc.sock", "rpc.sock", "/\0", "", None, 1]),
        "instance": st.sampled_from(["ab", "", None, 1]),
        "pid": st.sampled_from([1, 0, -1, "1", None, 1.5]),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary() | fields.map(lambda value: json.dumps(value).encode()))
def test_whatever_stands_there_is_a_record_or_named_as_none(
    tmp_path: Path, data: bytes
) -> None:
    (tmp_path / RECORD).write_bytes(data)
    try:
        record = read_record(tmp_path)
    except BadRecord:
        pass
    else:
        assert record is not None
        assert record.path.is_absolute()
        assert record.instance
        assert record.pid > 0
