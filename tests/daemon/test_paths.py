from pathlib import Path

from lucidtrond.daemon.paths import SYSTEM_SOCKET, socket_paths, state_dir


def test_a_named_socket_is_the_only_candidate() -> None:
    environ = {"LUCIDTROND_SOCKET": "/a/s", "XDG_RUNTIME_DIR": "/run/user/1"}
    assert socket_paths("/b/s", Path("/st"), environ) == [Path("/b/s")]
    assert socket_paths(None, Path("/st"), environ) == [Path("/a/s")]


def test_unnamed_sockets_are_tried_user_first_state_last() -> None:
    environ = {"XDG_RUNTIME_DIR": "/run/user/1"}
    assert socket_paths(None, Path("/st"), environ) == [
        Path("/run/user/1/lucidtrond/rpc.sock"),
        SYSTEM_SOCKET,
        Path("/st/rpc.sock"),
    ]
    assert socket_paths(None, Path("/st"), {}) == [SYSTEM_SOCKET, Path("/st/rpc.sock")]


def test_state_is_where_systemd_xdg_or_the_home_say() -> None:
    environ = {"STATE_DIRECTORY": "/s:/t", "XDG_STATE_HOME": "/x", "HOME": "/h"}
    assert state_dir("/f", environ) == Path("/f")
    assert state_dir(None, environ) == Path("/s")
    del environ["STATE_DIRECTORY"]
    assert state_dir(None, environ) == Path("/x/lucidtrond")
    del environ["XDG_STATE_HOME"]
    assert state_dir(None, environ) == Path("/h/.local/state/lucidtrond")
