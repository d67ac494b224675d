"""Whether a start may be one on an old copy of the state, and for how long. Pure.

Theory. A database that was restored from a copy lacks what was paid since. What is in a
block is found there (`foreign`); what is in a pool is found nowhere. So after a start
that may be such a one nothing new is paid until a final block of ours is past

    head time at that start + the longest lifetime that a lost transaction may have
    (`wait_ms`: longer ones are refused on public networks; of another file or machine,
    the longest on record if that is longer)

since by then each of them is in a block that we have read, or dead. What the journal
holds is signed and sent all the same: the same bytes can't pay twice.

A start may be one on an old copy when

    the newest stored block is more than `stale_ms` older than the head found (60 s
    where blocks come every 3 s; on a faster chain as many blocks as come in 60 s),
    the database is another file (inode, time of birth) or on another machine than when
    it was last started, or that is not known,

unless there was no keystore at that start (nothing can have been signed), or this start
made the state. A head is compared with a block, never with a clock, so a chain that
stopped together with the daemon is no reason.

Not seen by this: a copy that is less than `stale_ms` old and was written over the very
file that it is a copy of; and two copies that run at once.
"""

from typing import Final

from attrs import frozen

from lucidtrond.sending.terms import LONGEST_MS
from lucidtrond.tron.units import UnixMillis

STALE_MS: Final = 60_000
WAIT_MS: Final = 600_000
"""Lifetime that a lost transaction may have, unless the journal holds longer ones."""


@frozen
class RestoreTerms:
    """What judging a start depends on.

    *identity* names the database's file and its machine; *wait_ms* is the longest
    lifetime that any transaction, so a lost one, may have, *stale_ms* how much older
    than the head the newest stored block may be, both of chain time; *head_at_start* is
    the head where it is known before anybody is asked: that of a chain which stops with
    this process.
    """

    identity: str = ""
    wait_ms: int = WAIT_MS
    stale_ms: int = STALE_MS
    bounds_lifetimes: bool = True
    """Whether a transaction's lifetime above *wait_ms* is refused."""
    head_at_start: UnixMillis | None = None

    @property
    def longest_ms(self) -> int:
        """The longest lifetime that a transaction may be given."""
        return self.wait_ms if self.bounds_lifetimes else LONGEST_MS


@frozen
class Hold:
    """No new payment before a final block is past *until*, which is chain time."""

    until: UnixMillis
    reason: str


@frozen
class Start:
    """What a start finds; *identity* is of the database's file and machine.

    *known_as* is the identity at the last start, None if there was none.
    """

    identity: str
    known_as: str | None
    newest_block: UnixMillis | None
    has_keystore: bool
    longest_lifetime_ms: int = 0
    """Of the payments in the journal."""

    @property
    def is_new(self) -> bool:
        """This start made the state."""
        return self.known_as is None and self.newest_block is None

    @property
    def needs_no_head(self) -> bool:
        """Whatever the head is, nothing is held back."""
        return self.is_new or not self.has_keystore

    def hold(
        self, head_time: UnixMillis, *, wait_ms: int, stale_ms: int = STALE_MS
    ) -> Hold | None:
        """What follows from the head that is found, if anything."""
        reason = self._reason(head_time, stale_ms)
        if reason is None or self.needs_no_head:
            return None
        if self.known_as != self.identity:
            wait_ms = max(wait_ms, self.longest_lifetime_ms)
        return Hold(UnixMillis(head_time + wait_ms), reason)

    def _reason(self, head_time: UnixMillis, stale_ms: int) -> str | None:
        if self.known_as is None:
            return "no start of this database is on record"
        if self.known_as != self.identity:
            return "the database is another file or on another machine than before"
        if self.newest_block is None:
            return "the database holds no block"
        behind_ms = head_time - self.newest_block
        if behind_ms <= stale_ms:
            return None
        return f"its newest block is {behind_ms // 1000} s older than the chain's"
