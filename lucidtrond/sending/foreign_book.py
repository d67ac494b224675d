"""The book of foreign transactions: booked with the block, checked before each payment.

What is one, and what it does to its wallet: see `foreign`. All methods that take a `Tx`
run in the store's thread; what is kept in memory follows after the commit.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal

from attrs import evolve, frozen

from lucidtrond.errors import ForeignTransaction, NotFound
from lucidtrond.events.types import Emit, ForeignRow, ForeignSeen
from lucidtrond.ports import Clock, Store, Tx
from lucidtrond.sending import foreign_rows as rows
from lucidtrond.sending.foreign import (
    Foreign,
    ForeignPolicy,
    amount_arrived,
    by_spender,
    owner_in,
    recognize,
    shown,
    signers_of,
)
from lucidtrond.sending.journal import queries
from lucidtrond.sending.plan import Inclusion
from lucidtrond.sending.protocols import Signer
from lucidtrond.sending.render import result_of
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, BlockTransaction
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.trc20 import TransferLog
from lucidtrond.tron.units import Sun
from lucidtrond.tron.unproven import UnprovenBlocks

log = logging.getLogger(__name__)

Change = Literal["included", "reverted", "expired", "adopted", "acknowledged"]


@frozen
class BlockContents:
    """What an applied block says, as a `BlockObserver` is given it."""

    block: Block
    receipts: Mapping[TxId, Receipt]
    agreed: Collection[TxId]
    owners: Collection[Address]
    moved: Sequence[tuple[TxId, TransferLog]]


class ForeignBook:
    """One per sender; *policy* says which wallets it stops."""

    def __init__(
        self,
        store: Store,
        *,
        signer: Signer,
        emit: Emit,
        clock: Clock,
        policy: ForeignPolicy,
    ) -> None:
        self._store = store
        self._signer = signer
        self._emit = emit
        self._clock = clock
        self._policy = policy
        self._unexplained: Mapping[Address, int] = {}
        self.owners: frozenset[Address] = frozenset()
        """Addresses with transactions that a key may have been lost for."""

    async def load(self) -> None:
        """Take up what the database holds. Raises StoreError."""

        def read(tx: Tx) -> None:
            self._note(rows.count_unexplained(tx), rows.adoptable_owners(tx))

        await self._store.read(read)

    @property
    def stopped(self) -> Mapping[Address, int]:
        """Wallets that pay nothing, and how many transactions are to be explained."""
        return {
            owner: count
            for owner, count in self._unexplained.items()
            if self._policy.stops(owner)
        }

    @property
    def unexplained(self) -> int:
        """Foreign transactions that are to be explained, of all wallets."""
        return sum(self._unexplained.values())

    # -- blocks

    def applied(self, tx: Tx, contents: BlockContents) -> None:
        """Book what a new block holds of ours and the journal does not know."""
        senders = {movement.sender for _, movement in contents.moved}
        ours = self._signer.owned_among(tx, {*contents.owners, *senders})
        if not ours:
            return
        moved: dict[TxId, list[TransferLog]] = {}
        for txid, movement in contents.moved:
            moved.setdefault(txid, []).append(movement)
        booked: list[Foreign] = []
        for included in contents.block.transactions:
            transaction = included.transaction
            owner = owner_in(transaction)
            by_others = [
                movement
                for movement in moved.get(transaction.txid, ())
                if movement.sender in ours and movement.sender != owner
            ]
            if owner is None or (owner not in ours and not by_others):
                continue
            if queries.is_journaled(tx, transaction.digest):
                continue
            if owner in ours:
                outgoing = self._recognize(tx, contents, included, owner)
                if outgoing is not None:
                    booked.append(self._book(tx, contents, outgoing))
            for movement in by_others:
                inclusion = _inclusion(contents, included)
                foreign = by_spender(transaction, movement, inclusion=inclusion)
                booked.append(self._book(tx, contents, foreign))
        self._changed(tx, "included", booked)

    def _recognize(
        self,
        tx: Tx,
        contents: BlockContents,
        included: BlockTransaction,
        owner: Address,
    ) -> Foreign | None:
        transaction = included.transaction
        signers = signers_of(transaction)
        return recognize(
            transaction,
            owner,
            signers=signers,
            ours=self._signer.owned_among(tx, signers),
            inclusion=_inclusion(contents, included),
        )

    def _book(self, tx: Tx, contents: BlockContents, foreign: Foreign) -> Foreign:
        receipt = contents.receipts.get(foreign.txid)
        block, committed = foreign.inclusion, contents.block.root_proven
        if receipt is not None and block is not None:
            agreed = foreign.txid in contents.agreed
            arrived = amount_arrived(foreign, receipt)
            block = evolve(block, arrived=arrived)
            foreign = evolve(
                foreign,
                inclusion=block.with_proof(committed=committed, agreed=agreed),
                result=result_of(receipt),
            )
        foreign = evolve(foreign, committed=committed, seen_ms=self._clock.now_ms())
        rows.book(tx, foreign)
        return rows.as_booked(tx, foreign)

    def reverted(self, tx: Tx, number: int) -> None:
        """A fork took block *number* back."""
        taken = [evolve(foreign, inclusion=None) for foreign in rows.revert(tx, number)]
        self._changed(tx, "reverted", taken)

    def solidified(
        self,
        tx: Tx,
        header: BlockHeader,
        unproven: Callable[[int, int | None], UnprovenBlocks],
    ) -> None:
        """Forget what a fork took back and what is proven not to land again."""
        forgotten: list[Foreign] = []
        for foreign in rows.reverted_until(tx, header.timestamp):
            after = foreign.reference_number
            doubtful = unproven(after, None)
            if doubtful.may_hold(after=after, expiration=foreign.expiration) is None:
                rows.forget(tx, foreign)
                forgotten.append(foreign)
        self._changed(tx, "expired", forgotten)

    # -- payments

    def check(self, tx: Tx, owner: Address) -> None:
        """Refuse a new payment of a wallet that has something to be explained.

        Raises:
            ForeignTransaction
        """
        if not self._policy.stops(owner):
            return
        foreign = rows.unexplained(tx, owner)
        if foreign is not None:
            raise ForeignTransaction(
                f"{owner} has sent {foreign.txid}, which the journal does not know, so"
                " the journal may be an old copy: ask again under the key that it was"
                " made for, which adopts it, or acknowledge it (sending.acknowledge)",
                txid=foreign.txid,
                address=owner.base58,
                safe_to_retry=False,
            )

    def adopted(self, tx: Tx, foreign: Foreign) -> None:
        """A payment has it as its attempt now."""
        rows.mark_adopted(tx, foreign)
        self._changed(tx, "adopted", [evolve(foreign, adopted=True)])

    async def acknowledge(self, txids: Collection[TxId]) -> list[ForeignRow]:
        """They are meant: they stop no wallet any more; all of them or none.

        Raises:
            NotFound: one is none of the foreign transactions.
        """

        def write(tx: Tx) -> list[ForeignRow]:
            acknowledged: list[Foreign] = []
            changed: list[Foreign] = []
            for txid in dict.fromkeys(txids):
                booked = rows.by_txid(tx, txid)
                if not booked:
                    raise NotFound(f"no foreign transaction is {txid}", txid=txid)
                rows.mark_acknowledged(
                    tx, [booked[0].transaction.digest], self._clock.now_ms()
                )
                for foreign in booked:
                    after = evolve(foreign, acknowledged=True)
                    acknowledged.append(after)
                    if not foreign.acknowledged:
                        changed.append(after)
            self._changed(tx, "acknowledged", changed)
            return [shown(foreign, self._policy) for foreign in acknowledged]

        return await self._store.write(write)

    async def page(
        self,
        *,
        limit: int,
        cursor: str | None,
        owner: Address | None,
        unexplained: bool,
    ) -> tuple[list[ForeignRow], str | None]:
        """Newest seen first, with the cursor of the next page or None.

        Raises:
            InvalidInput
        """
        foreign, following = await self._store.read(
            lambda tx: rows.page(
                tx, limit=limit, cursor=cursor, owner=owner, unexplained=unexplained
            )
        )
        return [shown(row, self._policy) for row in foreign], following

    # -- inside

    def _changed(self, tx: Tx, change: Change, changed: Sequence[Foreign]) -> None:
        for foreign in changed:
            row = shown(foreign, self._policy)
            self._emit(tx, ForeignSeen(change=change, transaction=row))
            level = logging.WARNING if row.stops else logging.INFO
            extra = {"txid": row.txid, "address": row.from_address, "change": change}
            log.log(level, "foreign transaction", extra={**extra, "flag": row.flag})
        if all(foreign.flag not in (None, "co_signed") for foreign in changed):
            return
        # Once for all of them: both read the whole table.
        counts, owners = rows.count_unexplained(tx), rows.adoptable_owners(tx)
        tx.after_commit(lambda: self._note(counts, owners))

    def _note(
        self, unexplained: Mapping[Address, int], owners: frozenset[Address]
    ) -> None:
        self._unexplained, self.owners = unexplained, owners


def _inclusion(contents: BlockContents, included: BlockTransaction) -> Inclusion:
    header = contents.block.header
    receipt = contents.receipts.get(included.transaction.txid)
    return Inclusion(
        header.number,
        header.id,
        header.timestamp,
        contract_ret=included.contract_ret or 0,
        fee=Sun(0) if receipt is None else receipt.fee,
    )
