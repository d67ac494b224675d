"""The desk: what is journaled as a payment, and when a dead one is drawn up anew.

Both ways end in one transaction that looks once more at what may have changed, takes
the money for it out of what is free, and writes the bytes. Only a transaction whose
death is proven (see `plan`) is followed by another one for the same intent, and both
are linked: same payment, next attempt.
"""

import logging
from collections.abc import Callable

from lucidtrond.errors import (
    AlreadyFinal,
    CallError,
    Conflict,
    DeadlinePassed,
    InDoubt,
    InsufficientFunds,
    KeystoreLocked,
    KeystoreMissing,
    NoSuchKey,
)
from lucidtrond.events.types import Emit, Payment, PaymentChanged, PaymentEstimate
from lucidtrond.ports import Clock, Store, Tx
from lucidtrond.sending import plan
from lucidtrond.sending.intent import Intent
from lucidtrond.sending.journal import queries, writes
from lucidtrond.sending.journal.entry import Draft, Entry
from lucidtrond.sending.kinds.table import kind_of
from lucidtrond.sending.limits import Limits, check_quote
from lucidtrond.sending.lookalike import check_look_alike, remember
from lucidtrond.sending.protocols import PaymentNode, Signer
from lucidtrond.sending.quote import Quote
from lucidtrond.sending.quoting import fetch_quote
from lucidtrond.sending.raw_transaction import build
from lucidtrond.sending.render import checked, estimated
from lucidtrond.sending.reserved import check_reserved, worst_beside
from lucidtrond.sending.terms import SHORTEST_MS, Terms, check_recipient
from lucidtrond.tron.block import BlockHeader, ChainPosition
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.units import Sun, UnixMillis

log = logging.getLogger(__name__)


class Desk:
    """Takes payments in; neither signs nor sends."""

    def __init__(
        self,
        store: Store,
        node: PaymentNode,
        *,
        signer: Signer,
        position: Callable[[], ChainPosition],
        emit: Emit,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._store = store
        self._node = node
        self._signer = signer
        self._position = position
        self._emit = emit
        self._clock = clock
        self._limits = limits

    async def accept(self, intent: Intent, terms: Terms) -> tuple[Entry, bool]:
        """Journal the intent with its bytes, unless its key is known; say if it is new.

        Raises:
            see `Sender.send`
        """
        known = await self._known(intent, terms)
        if known is not None:
            return known, False
        await self.check_open()
        head, solid = await self._chain_heads()
        quote = await self._quote(intent, head)
        try:
            return await self._write(intent, terms, quote, (head, solid))
        except InsufficientFunds:
            # Others are under way: look again, closer.
            quote = await self._quote(intent, head, solid=True)
            return await self._write(intent, terms, quote, (head, solid))

    async def check(self, intent: Intent, terms: Terms) -> Payment:
        """As `accept`, without writing anything."""
        known = await self._known(intent, terms)
        if known is not None:
            return known.payment
        await self.check_open()
        head, _ = await self._chain_heads()
        quote = await self._quote(intent, head, solid=True)
        await self._store.read(lambda tx: _check_room(tx, intent, quote))
        return checked(intent, quote)

    async def estimate(self, intent: Intent) -> PaymentEstimate:
        """What it would burn now."""
        head, _ = await self._chain_heads()
        return estimated(
            await fetch_quote(self._node, intent, self._limits, head=head, solid=False)
        )

    async def settle_dead(self, entry: Entry) -> Entry | None:
        """Draw up the next attempt of a dead one, or write that there is none.

        None: not now, since the nodes do not agree (yet) that it is dead.

        Raises:
            NodeError: nothing was decided.
            CommitUnknown
        """
        try:
            if entry.attempt.awaits_renewal:
                return await self.renew(entry)
            await self._check_death(entry)
        except InDoubt as doubt:
            extra = {"txid": entry.txid, "reason": doubt.message}
            log.info("not surely dead yet", extra=extra)
            return None
        except CallError as error:
            return await self._bury(entry, error.message)
        return await self._bury(entry)

    async def _check_death(self, entry: Entry) -> None:
        """Let the nodes confirm what our own blocks prove, or show more than they do.

        Raises:
            InDoubt
        """
        solid = self._position().solid
        if solid is None or solid.timestamp < entry.attempt.expiration:
            raise InDoubt("no final block of ours is past its expiration")
        agreement = await self._node.confirm_solid(solid.number, solid.id)
        if not agreement.holds:
            raise InDoubt(f"the nodes do not agree yet: {agreement.words}")
        seen = [
            each.endpoint
            for each in await self._node.look_for(entry.txid)
            if each.known
        ]
        if seen:
            # In a pool it may still be by neglect; in a block it would be a wonder.
            raise InDoubt(f"{', '.join(seen)} still knows it", txid=entry.txid)

    async def renew(self, entry: Entry, *, by_hand: bool = False) -> Entry:
        """Draw up the next attempt of a payment whose last one can't pay any more.

        *by_hand*: whatever its terms say, and also if it failed on the chain.

        Raises:
            InDoubt: the nodes do not agree that it is dead.
            CallError: it can't be paid (any more).
            NodeError
        """
        if entry.attempt.state == "expired":
            await self._check_death(entry)
        intent = entry.intent
        lifetime_ms, deadline = await self._store.read(
            lambda tx: queries.time_limits(tx, entry.payment_seq)
        )
        head, solid = await self._chain_heads()
        if deadline is not None and not by_hand:
            lifetime_ms = min(lifetime_ms, deadline - head.timestamp)
            if lifetime_ms < SHORTEST_MS:
                raise DeadlinePassed("the time it was given is over")
        quote = await self._quote(intent, head, solid=True)

        def renew(tx: Tx) -> Entry:
            known = _renewable(tx, entry.txid, by_hand=by_hand)
            burn = _check_room(tx, intent, quote, instead_of=known)
            writes.supersede(tx, known)
            drawn = _draw(
                tx, intent, quote, (head, solid), lifetime_ms=lifetime_ms, burn=burn
            )
            made = writes.insert_next(tx, known, drawn, now_ms=self._clock.now_ms())
            self._emit(tx, PaymentChanged(payment=made.payment))
            return made

        return await self._store.write(renew)

    async def check_renewal(self, entry: Entry) -> Payment:
        """As `renew` by hand, without writing anything.

        Raises:
            as `renew`
        """
        if entry.attempt.state == "expired":
            await self._check_death(entry)
        intent = entry.intent
        head, _ = await self._chain_heads()
        quote = await self._quote(intent, head, solid=True)

        def check(tx: Tx) -> None:
            known = _renewable(tx, entry.txid, by_hand=True)
            _check_room(tx, intent, quote, instead_of=known)

        await self._store.read(check)
        return checked(intent, quote, attempt=entry.payment.attempt + 1)

    async def _bury(self, entry: Entry, reason: str = "") -> Entry:

        def end(tx: Tx) -> Entry:
            known = queries.must_find(tx, entry.txid)
            ended = plan.after(known.attempt, plan.Abandoned(reason))
            if ended == known.attempt:
                return known
            noted = writes.update(tx, known, ended, now_ms=self._clock.now_ms())
            self._emit(tx, PaymentChanged(payment=noted.payment))
            return noted

        return await self._store.write(end)

    # -- what both need

    async def _known(self, intent: Intent, terms: Terms) -> Entry | None:

        def read(tx: Tx) -> Entry | None:
            known = self._look_up(tx, intent)
            if known is None:
                check_recipient(intent, terms)
                if not terms.allow_look_alike:
                    check_look_alike(tx, intent.to)
            return known

        return await self._store.read(read)

    def _look_up(self, tx: Tx, intent: Intent) -> Entry | None:
        found = queries.by_key(tx, intent.key)
        if found is None:
            if not self._signer.owns(tx, intent.owner):
                raise NoSuchKey("the paying address is none of ours")
            return None
        entry, content = found
        if content != intent.content:
            raise Conflict(
                "the idempotency key was used for another payment",
                payment_id=entry.payment.payment_id,
            )
        return entry

    async def check_open(self) -> None:
        """Raises KeystoreLocked, KeystoreMissing."""
        if not self._signer.is_locked:
            return
        if not (await self._signer.status()).exists:
            raise KeystoreMissing("no keystore yet: keystore.init makes it")
        raise KeystoreLocked("the keystore is locked: unlock it, then send again")

    async def _chain_heads(self) -> tuple[BlockHeader, BlockHeader]:
        """The newest head and solid block that we or a node know of."""
        position = self._position()
        if position.synced and position.head and position.solid:
            return position.head, position.solid
        solid = await self._node.fetch_head(solid=True)
        head = await self._node.fetch_head()
        return head, solid

    async def _quote(
        self, intent: Intent, head: BlockHeader, *, solid: bool = False
    ) -> Quote:
        quote = await fetch_quote(
            self._node, intent, self._limits, head=head, solid=solid
        )
        spending = kind_of(intent).spending(intent)
        check_quote(quote, self._limits, amount=spending.trx, max_burn=intent.max_burn)
        return quote

    async def _write(
        self,
        intent: Intent,
        terms: Terms,
        quote: Quote,
        stand: tuple[BlockHeader, BlockHeader],
    ) -> tuple[Entry, bool]:
        def accept(tx: Tx) -> tuple[Entry, bool]:
            known = self._look_up(tx, intent)
            if known is not None:
                return known, False
            burn = _check_room(tx, intent, quote)
            remember(tx, intent.to)
            drawn = _draw(
                tx, intent, quote, stand, lifetime_ms=terms.lifetime_ms, burn=burn
            )
            entry = writes.insert(
                tx,
                intent,
                terms,
                drawn,
                head_time=stand[0].timestamp,
                now_ms=self._clock.now_ms(),
            )
            self._emit(tx, PaymentChanged(payment=entry.payment))
            return entry, True

        return await self._store.write(accept)


def _renewable(tx: Tx, txid: TxId, *, by_hand: bool) -> Entry:
    """The payment's last attempt, which another may follow."""
    known = queries.must_find(tx, txid)
    last = queries.by_payment_id(tx, known.payment.payment_id)
    if last is None or last.txid != known.txid:
        raise AlreadyFinal("another transaction has followed it")
    if not known.attempt.may_be_renewed(by_hand=by_hand):
        raise InDoubt("its state has just changed", state=known.attempt.state)
    return known


def _draw(
    tx: Tx,
    intent: Intent,
    quote: Quote,
    stand: tuple[BlockHeader, BlockHeader],
    *,
    lifetime_ms: int,
    burn: Sun,
) -> Draft:
    """Fix the bytes; no other transaction of the owner has their timestamp.

    *burn* is set aside until it is settled.
    """
    head, solid = stand
    expiration = UnixMillis(head.timestamp + lifetime_ms)
    timestamp = writes.reserve_timestamp(tx, intent.owner, head.timestamp)
    raw = build(
        intent,
        kind_of(intent).contract(intent),
        solid=solid,
        expiration=expiration,
        timestamp=timestamp,
        fee_limit=quote.fee_limit,
    ).encode()
    return Draft(raw, expiration, solid.number, quote.fee_limit, burn)


def _check_room(
    tx: Tx, intent: Intent, quote: Quote, *, instead_of: Entry | None = None
) -> Sun:
    """See that it is covered; gives what is to be set aside for burning.

    What is set aside for the dead one that it comes *instead_of* is free again.
    """
    spending = kind_of(intent).spending(intent)
    under_way = queries.reserved(tx, intent.owner, instead_of=instead_of)
    worst = worst_beside(intent.to, quote.cost.worst, quote.joined, under_way)
    # What is free may be used up by the others.
    burn = worst if under_way else quote.cost.expected
    check_reserved(spending, burn, quote.views, under_way)
    return worst
