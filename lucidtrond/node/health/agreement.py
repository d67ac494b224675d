"""What several endpoints say of one thing, each for itself; whether they agree. Pure.

The proof that a transaction is dead rests on blocks: every block from its reference
block on up to a final one whose time is not before its expiration was read, verified
and does not hold it. A block's id binds all blocks before it with all they hold. So an
endpoint that confirms this final block confirms everything else as well, however little
it keeps: a node without ``transHistory`` or a lite one, which answers ``{}`` for every
receipt, may be asked all the same.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen
from msgspec import Struct

from lucidtrond.tron.address import Address
from lucidtrond.tron.transaction import TxId

SOURCES: Final = 2
"""So many have to agree, where there are so many."""


class Agreement(Struct, frozen=True):
    """Which endpoints have one block as final; made by `NodePool.confirm_solid`."""

    number: int
    block_id: str
    wanted: int
    """How many have to agree: two, or one where only one is configured. As many of
    them as there are operators, up to two, must be of different ones."""
    agreeing: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    """These have another final block of that number."""
    behind: tuple[str, ...] = ()
    """For these no block of that number is final yet."""
    silent: tuple[str, ...] = ()
    """No answer, or a refusal."""
    operators: Mapping[str, str] = {}
    """Of all endpoints that were asked, by name; of one left out, its name."""

    @property
    def holds(self) -> bool:
        """Enough agree and none contradicts; what does not hold now may later."""
        agreeing = {self.operators.get(name, name) for name in self.agreeing}
        operators = min(self.wanted, len(set(self.operators.values())))
        return (
            not self.differing
            and len(self.agreeing) >= self.wanted
            and len(agreeing) >= operators
        )

    def confirms(self, *, is_proven: bool) -> bool:
        """Whether nothing speaks against that block.

        Where signatures prove that it is final (*is_proven*), who differs is wrong and
        is left out.
        """
        if not is_proven:
            return self.holds
        return len(self.agreeing) >= max(1, self.wanted - len(self.differing))

    @property
    def reason(self) -> str:
        """For logs and errors: which endpoints say what."""
        groups = (
            ("agree", self.agreeing),
            ("differ", self.differing),
            ("not there yet", self.behind),
            ("no answer", self.silent),
        )
        parts = [f"{answer}: {', '.join(names)}" for answer, names in groups if names]
        return f"block {self.number}, {self.wanted} wanted; {'; '.join(parts)}"


class Sighting(Struct, frozen=True):
    """Whether one endpoint knows a transaction; made by `NodePool.look_for`.

    Not to know it proves nothing (``transHistory`` off, a lite node, one that lags).
    """

    endpoint: str
    txid: TxId
    solid: bool = False
    """In a final block."""
    is_present: bool = False
    """In a final block, another block, or the node's pool."""
    error: str | None = None
    """Why it could not be asked; then *is_present* says nothing at all."""


@frozen
class KeyReport:
    """Which key one endpoint names for a block producer; see `NodePool.report_keys`.

    The numbers are of blocks that the answers are at least as new as.
    """

    endpoint: str
    head: Address | None = None
    """In its newest state: the witness permission's key, or the producer's own address
    where the account has none. None: it has no such account, which tells nothing."""
    head_number: int = -1
    solid: Address | None = None
    """In its final state; not asked for where *head* is the key that was expected."""
    solid_number: int = -1
    error: str | None = None
    """Why it could not be asked; then all else says nothing."""


class ProducerReport(Struct, frozen=True):
    """Who makes blocks, says one endpoint; made by `NodePool.report_producers`."""

    endpoint: str
    operator: str
    keys: Mapping[Address, Address] | None = None
    """The active producers with the key that each signs with."""
    error: str | None = None
    """Why it could not be asked."""


def agreed_producers(
    reports: Sequence[ProducerReport],
) -> Mapping[Address, Address] | str:
    """What endpoints of two operators say and none contradicts; else why not."""
    answers = [report for report in reports if report.keys]
    distinct = {frozenset(report.keys.items()) for report in answers if report.keys}
    names = ", ".join(report.endpoint for report in answers) or "none"
    if len(distinct) > 1:
        return f"endpoints name different producers or keys ({names})"
    if len({report.operator for report in answers}) < SOURCES:
        return f"endpoints of {SOURCES} operators have to name the producers ({names})"
    return dict(distinct.pop())
