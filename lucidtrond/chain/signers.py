"""Checks that blocks are signed by their producers' keys, asking for keys it lacks.

What is decided is in `chain.producers`. Endpoints are asked only about a signer that no
row names: at the start once for each producer, later when one begins to produce; what
blocks change is read from blocks. That is bounded to `LOOKUPS` a minute, each of which
costs one or two requests to each endpoint.
"""

import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, assert_never

import trio

from lucidtrond.chain.plan import Unsettled
from lucidtrond.chain.producers import (
    KeyChange,
    KeyRow,
    KeyTable,
    NeedsHistory,
    Refused,
    Signed,
    Taken,
    Unknown,
    genesis_rows,
    judge,
)
from lucidtrond.errors import NodesDisagree
from lucidtrond.node.health.agreement import KeyReport
from lucidtrond.node.questions.pool_questions import KeyQuestions
from lucidtrond.tron.address import Address, InvalidAddress
from lucidtrond.tron.block import Block, BlockHeader
from lucidtrond.tron.keys import BadSignature
from lucidtrond.tron.producers import key_changes

log = logging.getLogger(__name__)

LOOKUPS: Final = 60
"""A minute at most; mainnet has 27 producers at a time."""
_MINUTE_S: Final = 60.0
_KEPT: Final = 128
"""Lookups whose result is reused for a minute, for a page that has to be read again."""


class SignerCheck:
    """Decides on signatures of blocks and holds what is known of producers' keys.

    *producers*, where the network's definition names them, are the only ones who make
    blocks, with the key that each begins with. *proven_key* gives a producer's key
    where that is proven as of our solid head: it needs nobody's word.
    """

    def __init__(
        self,
        node: KeyQuestions,
        *,
        producers: Mapping[Address, Address] | None = None,
        proven_key: Callable[[Address], Address | None] = lambda _: None,
    ) -> None:
        self._node = node
        self._producers = producers
        self._proven_key = proven_key
        self._lookups: deque[float] = deque(maxlen=LOOKUPS)
        self._confirmed: OrderedDict[
            tuple[Address, Address], tuple[float, Sequence[KeyReport]]
        ] = OrderedDict()
        self._stored: Sequence[KeyRow] = ()
        self.table = KeyTable()

    def load(self, rows: Sequence[KeyRow]) -> None:
        """Begin with what the database holds."""
        self._stored = rows
        self.table = KeyTable.of(rows)
        for row in genesis_rows(self._producers or {}):
            if not self.table.knows(row.producer):
                self.table.put(row)

    def change_to(self, table: KeyTable) -> KeyChange:
        """What is to be written so that *table* is stored."""
        return KeyChange(self._stored, table.rows())

    def keep(self, table: KeyTable) -> None:
        """*table* is stored now."""
        stored = set(self._stored)
        self._stored = table.rows()
        for row in self._stored:
            if row not in stored:
                _log_row(row, self.table)
        self.table = table

    async def check(
        self, blocks: Iterable[Block], *, reverted: Iterable[int] = ()
    ) -> KeyTable:
        """Judge blocks that follow one another, above blocks that are *reverted*.

        Gives the table as it is after them; nothing changes until `keep`.

        Raises:
            NodeLied: a block is not signed by its producer's key.
            NodesDisagree: the endpoints name different keys.
            NodeError, Unsettled: it can't be said now; ask again.
        """
        table = self.table.copy()
        for number in reverted:
            table.revert(number)
        for block in blocks:
            await self.check_header(block.header, table)
            if not block.root_proven:
                continue  # what it holds is one node's word: look the key up instead
            number = block.header.number + 1
            for change in key_changes(block):
                table.put(KeyRow(change.producer, change.key, number, "block"))
        return table

    async def check_header(
        self, header: BlockHeader, table: KeyTable | None = None
    ) -> None:
        """Judge one header by *table*, and add to that what was learned.

        Raises:
            As `check`.
        """
        if table is None:
            table = self.table.copy()
        if header.number == 0:
            return  # unsigned; its id is the network's
        try:
            signed = Signed.of(header)
        except (BadSignature, InvalidAddress):
            reason = f"block {header.number}: no producer, or no signature"
            raise self._node.note_lie(header.id, reason) from None
        if self._producers is not None and signed.producer not in self._producers:
            reason = f"block {signed.number}: {signed.producer} is no producer"
            raise self._node.note_lie(header.id, reason)
        row = table.at(signed.producer, signed.number)
        if row is not None and row.key == signed.signer:
            return
        is_proven = self._proven_key(signed.producer) == signed.signer
        if is_proven and (row is None or row.origin != "block"):
            # Nobody is asked: who contradicts it is wrong. A block of our own branch
            # that changed the key since is another matter.
            fresh = KeyRow(signed.producer, signed.signer, signed.number, "set")
        else:
            fresh = await self._look_up(header, signed, row)
        table.put(fresh)

    async def _look_up(
        self, header: BlockHeader, signed: Signed, row: KeyRow | None
    ) -> KeyRow:
        reports = await self._reports(signed)
        match judge(signed, row, reports):
            case Taken(row=fresh):
                self._remember(signed, reports)
            case NeedsHistory(row=fresh, refusal=refusal):
                agreement = await self._node.confirm_solid(signed.number, header.id)
                if not agreement.holds:
                    raise self._node.note_lie(header.id, refusal.reason)
            case Refused(reason=reason, disputed=True):
                if self._proven_key(signed.producer) is not None:
                    # One names the proven key; no block of ours says that it changed.
                    raise self._node.note_lie(header.id, reason)
                raise NodesDisagree(reason)
            case Refused(reason=reason):
                raise self._node.note_lie(header.id, reason)
            case Unknown(reason=reason):
                raise Unsettled(reason)
            case _ as never:
                assert_never(never)
        return fresh

    async def _reports(self, signed: Signed) -> Sequence[KeyReport]:
        now = trio.current_time()
        asked = signed.producer, signed.signer
        lookup = self._confirmed.get(asked)
        if lookup is not None and now - lookup[0] < _MINUTE_S:
            return lookup[1]
        if len(self._lookups) == LOOKUPS and now - self._lookups[0] < _MINUTE_S:
            raise Unsettled(
                f"block {signed.number}: more than {LOOKUPS} lookups of producers'"
                " keys within a minute"
            )
        self._lookups.append(now)
        return await self._node.report_keys(signed.producer, expected=signed.signer)

    def _remember(self, signed: Signed, reports: Sequence[KeyReport]) -> None:
        now = trio.current_time()
        self._confirmed[signed.producer, signed.signer] = now, reports
        self._confirmed.move_to_end((signed.producer, signed.signer))
        if len(self._confirmed) > _KEPT:
            self._confirmed.popitem(last=False)


def _log_row(row: KeyRow, before: KeyTable) -> None:
    extra = {
        "producer": row.producer.base58,
        "key": row.key.base58,
        "number": row.from_block,
        "origin": row.origin,
    }
    if row.origin == "genesis":
        log.debug("key of a producer", extra=extra)
    elif row.origin == "block" or not before.knows(row.producer):
        log.info("key of a producer", extra=extra)
    else:
        log.warning("key of a producer is not the one that was known", extra=extra)
