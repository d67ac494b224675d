"""The steps of `points`, told to a fuse that kills this process at one of them.

Nothing of it is in the shipped code, which has no fault points that anything could set
off: the functions that make the steps are wrapped here, in a process of the test's own.
"""

import ctypes
import mmap
import os
import signal
import struct
from collections.abc import Callable
from typing import Any, Final
from weakref import WeakSet

from attrs import define, field

from lucidtrond.errors import NodeError
from lucidtrond.keystore.vault import Vault
from lucidtrond.node.pool import NodePool
from lucidtrond.node.questions.client import NodeClient
from lucidtrond.node.transport.http_plain import PlainConnection
from lucidtrond.node.transport.protocol import Sink
from lucidtrond.sending import drafting, plan, recorder, renewal
from lucidtrond.sending.journal import writes
from lucidtrond.sending.journal.entry import Entry
from lucidtrond.store import engine
from tests.daemon.crash.points import FSYNC

PATH_BYTES: Final = 4096
_PADDING: Final = b"\0"


@define(eq=False)
class Fuse:
    """Reads the path from *memory*, which is shared with who sets it."""

    memory: mmap.mmap
    _set: bytes = field(init=False, default=b"")
    _left: list[str] = field(init=False, factory=list)

    def passed(self, point: str) -> None:
        """Die here, when this is the last one of the path."""
        now = self.memory[:PATH_BYTES].rstrip(_PADDING)
        if now != self._set:
            self._set, self._left = now, read_path(now)
        if not self._left or self._left[0] != point:
            return
        del self._left[0]
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._left == [FSYNC]:
            die_at_fsync()


def write_path(memory: mmap.mmap, path: tuple[str, ...], number: int) -> None:
    """Set the fuse, or with () no fuse; *number* tells it from an equal one before."""
    text = f"{number} {' '.join(path)}".encode()
    memory[:PATH_BYTES] = text.ljust(PATH_BYTES, _PADDING)


def read_path(text: bytes) -> list[str]:
    """What `write_path` wrote, without the number."""
    return text.decode().split()[1:]


def install(fuse: Fuse) -> None:
    """Wrap the functions; for ever, so only in a process of the test's own."""
    passed = fuse.passed
    _around(drafting, "build", "build", passed)
    _around(writes, "insert", "intent", passed)
    _around(writes, "insert_next", "resign", passed)
    _around(writes, "keep_signature", "signature", passed)
    _around_async(Vault, "sign", "sign", passed)
    _around_async(NodePool, "broadcast", "broadcast", passed, also=NodeError)
    _around_async(NodeClient, "broadcast", "reply", passed, also=NodeError, early=False)
    _around_async(renewal.Renewal, "_check_death", "death", passed)
    _around_commits(passed)
    _around_notes(passed)
    _around_bytes(passed)


Passed = Callable[[str], None]


def _replace(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    setattr(owner, name, wrap(getattr(owner, name)))


def _around(owner: Any, name: str, step: str, passed: Passed) -> None:
    def wrap(real: Any) -> Any:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            passed(f"{step}:before")
            done = real(*args, **kwargs)
            passed(f"{step}:after")
            return done

        return wrapped

    _replace(owner, name, wrap)


def _around_async(
    owner: Any,
    name: str,
    step: str,
    passed: Passed,
    *,
    also: type[Exception] | tuple[()] = (),
    early: bool = True,
) -> None:
    """*also*: an error that ends the step too; *early*: tell its beginning."""

    def wrap(real: Any) -> Any:
        async def wrapped(*args: Any, **kwargs: Any) -> Any:
            if early:
                passed(f"{step}:before")
            try:
                done = await real(*args, **kwargs)
            except also:
                passed(f"{step}:after")
                raise
            passed(f"{step}:after")
            return done

        return wrapped

    _replace(owner, name, wrap)


def _around_commits(passed: Passed) -> None:
    def wrap(real: Any) -> Any:
        def control(self: engine.Connection, sql: str) -> None:
            if sql == engine.COMMIT:
                passed("commit:before")
            real(self, sql)
            if sql == engine.COMMIT:
                passed("commit:after")

        return control

    _replace(engine.Connection, "control", wrap)


def _around_notes(passed: Passed) -> None:
    """What is learnt of an attempt is written in one function, whoever tells it."""

    def wrap(real: Any) -> Any:
        def note(
            self: recorder.Recorder, tx: Any, entry: Entry, fact: plan.Fact
        ) -> Any:
            step = _step_of(entry.attempt, fact)
            if step is None:
                return real(self, tx, entry, fact)
            passed(f"{step}:before")
            noted = real(self, tx, entry, fact)
            passed(f"{step}:after")
            return noted

        return note

    _replace(recorder.Recorder, "note", wrap)


def _step_of(attempt: plan.Attempt, fact: plan.Fact) -> str | None:
    after = plan.after(attempt, fact)
    if after == attempt:
        return None
    match fact:
        case plan.Answered() | plan.Unanswered():
            return "record"
        case plan.Included():
            return "inclusion"
        case plan.SolidUpTo():
            return "expiry" if after.state == "expired" else "solidification"
        case _:
            return None


_BROADCAST: Final = b"POST /wallet/broadcast"


def _around_bytes(passed: Passed) -> None:
    asked: WeakSet[PlainConnection] = WeakSet()

    def wrap_send(real: Any) -> Any:
        async def send(self: PlainConnection, request: bytes) -> None:
            asked.discard(self)
            if not request.startswith(_BROADCAST):
                await real(self, request)
                return
            asked.add(self)
            passed("byte:before")
            await real(self, request)
            passed("byte:after")

        return send

    def wrap_receive(real: Any) -> Any:
        async def receive(self: PlainConnection, sink: Sink) -> Any:
            if self in asked:
                passed("reply:before")
            return await real(self, sink)

        return receive

    _replace(PlainConnection, "send", wrap_send)
    _replace(PlainConnection, "receive", wrap_receive)


_SYNCS: Final = {"x86_64": (74, 75), "aarch64": (82, 83)}
"""The numbers of fsync and fdatasync."""
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2
_LOAD: Final = 0x20
_JUMP_IF_EQUAL: Final = 0x15
_RETURN: Final = 0x06
_KILL_PROCESS: Final = 0x8000_0000
_ALLOW: Final = 0x7FFF_0000


def die_at_fsync() -> None:
    """Let the kernel kill this process when this thread calls fsync or fdatasync."""
    fsync, fdatasync = _SYNCS[os.uname().machine]
    rules = (
        (_LOAD, 0, 0, 0),
        (_JUMP_IF_EQUAL, 1, 0, fsync),
        (_JUMP_IF_EQUAL, 0, 1, fdatasync),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_RETURN, 0, 0, _ALLOW),
    )
    # linux/filter.h: sock_filter and sock_fprog.
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *r) for r in rules))
    program = struct.pack("@HP", len(rules), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, program, 0, 0
    ):
        raise OSError(ctypes.get_errno(), "no seccomp here")
