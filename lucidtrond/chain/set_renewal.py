"""Brings a set of producers that is too old to the present, by windows of headers.

Theory. Of a set that is known as of one block, most members are active long afterwards.
A window of consecutive headers far above is counted like any other blocks: what enough
members of the old set made final there is proven, and with it who else makes blocks and
who makes none. That gives the set as of that window, which is good for another one
further up. The nearer two windows are, the more producers they share, so a window that
proves too little is followed by one half as far away; where even neighbours share too
few, nobody but the operator can help.

Windows are not linked with one another, only each within itself: the set's age is in it
for good. Keys of producers that retired long ago could make a window of their own.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from lucidtrond.chain.finality import (
    Finality,
    NotLinked,
    ProducerSet,
    SignedBlock,
    final_rounds,
)
from lucidtrond.chain.finality_tables import FirstSet
from lucidtrond.chain.plan import Unsettled
from lucidtrond.tron.address import InvalidAddress
from lucidtrond.tron.block import BlockHeader
from lucidtrond.tron.keys import BadSignature

ROUNDS: Final = 4
"""Of headers in a window: two final ones tell who is absent, one to make these final,
and one for turns that are missed."""
MAX_WINDOWS: Final = 16
"""Asked for at one attempt; what these brought is kept for the next one."""

FetchHeaders = Callable[[int, int], Awaitable[Sequence[BlockHeader]]]
"""Headers from a number up to before another one, fewer where there are no more."""


def renewed(producers: ProducerSet, headers: Sequence[BlockHeader]) -> ProducerSet:
    """The set as of the end of a window.

    Raises:
        Unsettled: *producers* do not make enough of it final.
    """
    if not headers:
        raise Unsettled("no headers to count by")
    first = headers[0]
    finality = Finality.begin(
        producers, "headers", solid=first.number - 1, solid_id=first.parent_id
    )
    for header in headers:
        try:
            finality.observe(SignedBlock.of(header))
        except (NotLinked, BadSignature, InvalidAddress):
            break
        finality.advance(finality.head)
    if finality.solid < first.number - 1 + final_rounds(producers.n):
        proven = finality.solid - first.number + 1
        raise Unsettled(
            f"of {len(headers)} headers from block {first.number} on, the producers"
            f" that are known prove {proven} final"
        )
    keys = {member.producer: member.key for member in finality.members.values()}
    return ProducerSet(producers.n, keys)


def window_size(n: int) -> int:
    """Headers in a window."""
    return ROUNDS * n


class SetRenewal:
    """One per follower; keeps how far it has come."""

    def __init__(self, first: FirstSet) -> None:
        self.first = first

    async def renew(self, target: int, fetch: FetchHeaders) -> bool:
        """Renew the set up to a window that ends at block *target*.

        Gives whether there was anything to renew.

        Raises:
            NodeError: headers can't be had.
            Unsettled: neighbouring windows share too few producers, or *MAX_WINDOWS*
                were not enough; ask again.
        """
        size = window_size(self.first.producers.n)
        last = target - size + 1
        if self.first.as_of is None or last <= self.first.as_of:
            return False
        start = last
        for _ in range(MAX_WINDOWS):
            headers = await fetch(start, start + size)
            try:
                producers = renewed(self.first.producers, headers)
            except Unsettled:
                if start - self.first.as_of < size:
                    raise
                start = (self.first.as_of + start) // 2
                continue
            end = start + size - 1
            self.first = FirstSet(producers, "headers", as_of=end)
            if start == last:
                return True
            start = last
        raise Unsettled(
            f"the set of producers is renewed up to block {self.first.as_of}, which is"
            f" {target - (self.first.as_of or 0)} blocks behind"
        )
