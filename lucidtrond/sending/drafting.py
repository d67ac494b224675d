"""Drafting: what an order costs now, whether that is covered, and the bytes it gets.

The first and every later attempt are drafted alike. Nodes are asked first, outside any
transaction; then, in the transaction that writes the attempt, what other payments have
reserved is taken off, and the bytes are fixed.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct

from lucidtrond.errors import InsufficientFunds
from lucidtrond.events.types import PaymentEstimate
from lucidtrond.ports import Tx
from lucidtrond.sending.authenticity import check_authentic
from lucidtrond.sending.comparison import check_bytes
from lucidtrond.sending.intent import Intent
from lucidtrond.sending.journal import queries
from lucidtrond.sending.journal.entry import Draft, Entry
from lucidtrond.sending.journal.fault import NotApproved, RowRefused
from lucidtrond.sending.kinds.table import kind_of
from lucidtrond.sending.limits import Limits, check_quote
from lucidtrond.sending.protocols import Authenticator, PaymentNode, Signer
from lucidtrond.sending.quote import Quote
from lucidtrond.sending.quoting import fetch_quote
from lucidtrond.sending.raw_transaction import build
from lucidtrond.sending.render import estimated
from lucidtrond.sending.reserved import Reserved, check_reserved, worst_beside
from lucidtrond.sending.tag import EXPIRATION_STEP_MS, PURPOSE, Tag, tag_of
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockHeader, ChainPosition
from lucidtrond.tron.transaction import Transaction
from lucidtrond.tron.units import Sun, UnixMillis


class ChainHeads(Struct, frozen=True):
    """The newest block and the newest solidified one."""

    head: BlockHeader
    solid: BlockHeader


class Drafting:
    """Quotes orders within *limits*; *position* gives the follower's position."""

    def __init__(
        self,
        node: PaymentNode,
        *,
        position: Callable[[], ChainPosition],
        limits: Limits,
    ) -> None:
        self._node = node
        self._position = position
        self._limits = limits

    async def fetch_heads(self) -> ChainHeads:
        """The newest that we or a node know of.

        Raises:
            NodeError
        """
        position = self._position()
        if position.synced and position.head and position.solid:
            return ChainHeads(position.head, position.solid)
        solid = await self._node.fetch_head(solid=True)
        return ChainHeads(await self._node.fetch_head(), solid)

    async def quote(
        self, intent: Intent, heads: ChainHeads, *, solid: bool = False
    ) -> Quote:
        """Ask what it costs, with the *solid* balances too; refuse what is too much.

        Raises:
            LimitTooLow, and as `fetch_quote`
        """
        quote = await fetch_quote(
            self._node, intent, self._limits, head=heads.head, solid=solid
        )
        spending = kind_of(intent).spending(intent)
        check_quote(quote, self._limits, amount=spending.trx, max_burn=intent.max_burn)
        return quote

    async def estimate(self, intent: Intent) -> PaymentEstimate:
        """What it would burn now, whatever the limits are.

        Raises:
            as `fetch_quote`
        """
        head = (await self.fetch_heads()).head
        return estimated(
            await fetch_quote(self._node, intent, self._limits, head=head, solid=False)
        )


def check_covered(
    tx: Tx,
    intent: Intent,
    quote: Quote,
    key: Authenticator,
    *,
    instead_of: Entry | None = None,
) -> Sun:
    """Refuse what the balance does not cover beside the payments under way.

    Gives what is to be reserved for burning. What is reserved for the dead attempt that
    it comes *instead_of* is free again.

    Raises:
        InsufficientFunds
        KeystoreLocked: it was locked meanwhile.
    """
    under_way = queries.reserved(tx, intent.owner, instead_of=instead_of)
    try:
        return _check_covered(intent, quote, under_way)
    except InsufficientFunds:
        # Rows that are set aside are not paid, whatever they say they need.
        entries = queries.under_way(tx, intent.owner, instead_of=instead_of)
        good = [_reserved_by(entry) for entry in entries if _is_payable(entry, key)]
        if len(good) == len(under_way):
            raise
        return _check_covered(intent, quote, good)


def _reserved_by(entry: Entry) -> Reserved:
    intent, payment = entry.intent, entry.payment
    return Reserved(
        kind_of(intent).spending(intent),
        Sun(int(payment.burn_sun or 0)),
        payment.block_number,
        intent.to,
    )


def _is_payable(entry: Entry, key: Authenticator) -> bool:
    try:
        check_bytes(entry)
        check_authentic(entry, key)
    except NotApproved:
        return True
    except RowRefused:
        return False
    return True


def _check_covered(intent: Intent, quote: Quote, under_way: Sequence[Reserved]) -> Sun:
    worst = worst_beside(intent.to, quote.cost.worst, quote.joined, under_way)
    # What is free may be used up by the others.
    burn = worst if under_way else quote.cost.expected
    spending = kind_of(intent).spending(intent)
    check_reserved(spending, burn, quote.views, under_way)
    return worst


async def make_tag(signer: Signer, owner: Address, key: str) -> Tag:
    """The tag of an idempotency key in transactions of *owner*.

    Raises:
        KeystoreLocked, NoSuchKey
        StoreError: a row of the keystore is damaged or was edited.
    """
    return tag_of(await signer.mac(owner, PURPOSE, key.encode()))


def draft(
    tx: Tx,
    intent: Intent,
    quote: Quote,
    heads: ChainHeads,
    *,
    tag: Tag,
    lifetime_ms: int,
    burn: Sun,
) -> Draft:
    """Fix the bytes, with the *tag*; no other transaction in the journal has them.

    *burn* is reserved until the attempt is settled.
    """
    head_time = heads.head.timestamp
    expiration = tag.expiration(UnixMillis(head_time + lifetime_ms))
    while True:
        raw = build(
            intent,
            kind_of(intent).contract(intent),
            solid=heads.solid,
            expiration=expiration,
            timestamp=tag.timestamp(head_time),
            fee_limit=quote.fee_limit,
        ).encode()
        if not queries.is_journaled(tx, Transaction(raw).digest):
            return Draft(raw, expiration, heads.solid.number, quote.fee_limit, burn)
        # Two keys with one tag (see `sending.tag`).
        expiration = UnixMillis(expiration - EXPIRATION_STEP_MS)
