"""Foreign transactions: what left our addresses and the journal does not know. Pure.

Theory. A transaction in a block whose owner is ours, signed by a key of this keystore,
was made by a state of this program that is lost (the database was restored from an
older copy, or another copy runs), or by somebody else who has the key. As long as that
is not explained, what the lost state was asked for may be asked for again; so the
wallet pays nothing new until each such transaction is

    adopted        a key is asked again that it was made for: owner, contract (so
                   recipient, asset and amount), memo and tag fit. The payment then has
                   that transaction as its attempt; one key per transaction.
    acknowledged   an operator says that it is meant. The key it was made for still
                   adopts it when it is asked again.

A wallet that the copy lacks is made again with the same address: what it paid is found
because addresses that are given next count as ours already (`keystore.ahead`).

A fork that takes its block back changes nothing of that until it is proven not to land
again: then it is forgotten.

What never stops a wallet, and is only flagged (`ForeignFlag`): what a key that is not
of this keystore signed as well, a token transfer of nothing, and what a spender moved
by an allowance. None of them can have been made here for a key.
"""

from collections.abc import Collection, Mapping
from typing import Final, Literal

from attrs import field, frozen

from lucidtrond.events.types import ForeignFlag, ForeignRow
from lucidtrond.sending.intent import Intent
from lucidtrond.sending.kinds.table import kind_of, read_contract
from lucidtrond.sending.plan import Inclusion
from lucidtrond.sending.tag import Tag, read_tag
from lucidtrond.tron.address import ZERO, Address
from lucidtrond.tron.contracts import owner_of
from lucidtrond.tron.keys import BadSignature
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.recovery import recover_signer
from lucidtrond.tron.transaction import (
    MalformedTransaction,
    RawData,
    Transaction,
    TxId,
    decode_raw,
)
from lucidtrond.tron.trc20 import TransferLog
from lucidtrond.tron.units import UnixMillis

Policy = Literal["stop", "warn"]
_REFERENCE_RANGE: Final = 1 << 16


@frozen
class ForeignPolicy:
    """What foreign transactions do to a wallet: *of* addresses, else the *default*."""

    default: Policy = "stop"
    of: Mapping[Address, Policy] = field(factory=dict)

    def stops(self, owner: Address) -> bool:
        return self.of.get(owner, self.default) == "stop"


@frozen
class Movement:
    """What it moved, where that can be told."""

    recipient: Address
    asset: str
    amount: int


@frozen
class Foreign:
    """A foreign transaction, as a block showed it."""

    owner: Address
    transaction: Transaction
    tag: Tag
    flag: ForeignFlag | None
    movement: Movement | None
    expiration: UnixMillis
    reference_number: int
    inclusion: Inclusion | None
    """None: a fork took the block back."""
    result: str = ""
    committed: bool = False
    """The transaction root of its block was recomputed."""
    seen_ms: int = 0
    adopted: bool = False
    acknowledged: bool = False

    @property
    def txid(self) -> TxId:
        return self.transaction.txid

    @property
    def needs_explanation(self) -> bool:
        """It stops its wallet, unless the policy only warns."""
        return self.flag is None and not self.adopted and not self.acknowledged


def owner_in(transaction: Transaction) -> Address | None:
    """Whose transaction it is; None where that can't be read."""
    try:
        return owner_of(decode_raw(transaction.raw).contract)
    except MalformedTransaction:
        return None


def signers_of(transaction: Transaction) -> frozenset[Address]:
    """Who signed it; a signature that recovers nobody counts as the zero address."""
    return frozenset(
        _signer(transaction.digest, signature) for signature in transaction.signatures
    )


def _signer(digest: bytes, signature: bytes) -> Address:
    try:
        return recover_signer(digest, signature)
    except BadSignature:
        return ZERO


def recognize(
    transaction: Transaction,
    owner: Address,
    *,
    signers: frozenset[Address],
    ours: Collection[Address],
    inclusion: Inclusion,
) -> Foreign | None:
    """Read an outgoing transaction of *owner*; None: no key of *ours* signed it.

    *signers* are those of the transaction: see `signers_of`.
    """
    if not signers & frozenset(ours):
        return None
    raw = decode_raw(transaction.raw)
    intent = read_contract(owner, raw.contract)
    movement = None
    if intent is not None:
        movement = Movement(intent.to, intent.asset, intent.amount)
    flag: ForeignFlag | None = None
    if not signers <= frozenset(ours):
        flag = "co_signed"
    elif movement is not None and movement.amount == 0:
        flag = "zero_value"
    return Foreign(
        owner,
        transaction,
        read_tag(raw),
        flag,
        movement,
        expiration=raw.expiration,
        reference_number=_referenced(raw, below=inclusion.number),
        inclusion=inclusion,
    )


def by_spender(
    transaction: Transaction, log: TransferLog, *, inclusion: Inclusion
) -> Foreign:
    """What somebody else's transaction moved of ours, by its *log*."""
    movement = Movement(log.recipient, log.token.base58, log.amount)
    flag: ForeignFlag = "spender" if log.amount else "zero_value"
    raw = decode_raw(transaction.raw)
    return Foreign(
        log.sender,
        transaction,
        read_tag(raw),
        flag,
        movement,
        expiration=raw.expiration,
        reference_number=_referenced(raw, below=inclusion.number),
        inclusion=inclusion,
    )


def _referenced(raw: RawData, *, below: int) -> int:
    """The newest block under number *below* that the reference may name.

    A reference (TAPOS) holds the lower 16 bits of the number, and names one of the
    newest 65,536 blocks.
    """
    newest = below - 1
    lower = int.from_bytes(raw.reference.block_bytes, "big")
    return max(newest - (newest - lower) % _REFERENCE_RANGE, 0)


def amount_arrived(foreign: Foreign, receipt: Receipt) -> int | None:
    """What the receipt proves to have moved, as its kind of order has it."""
    contract = decode_raw(foreign.transaction.raw).contract
    intent = read_contract(foreign.owner, contract)
    if intent is None:
        return None
    return kind_of(intent).amount_arrived(intent, receipt)


def fits(foreign: Foreign, intent: Intent) -> bool:
    """Whether it does what *intent* asks for, whatever its key is."""
    raw = decode_raw(foreign.transaction.raw)
    contract = kind_of(intent).contract(intent)
    return (raw.contract, raw.memo) == (contract, intent.memo)


def shown(foreign: Foreign, policy: ForeignPolicy) -> ForeignRow:
    """In wire form."""
    movement, block = foreign.movement, foreign.inclusion
    return ForeignRow(
        txid=foreign.txid,
        from_address=foreign.owner.base58,
        to_address=None if movement is None else movement.recipient.base58,
        asset=None if movement is None else movement.asset,
        amount=None if movement is None else str(movement.amount),
        memo_hex=decode_raw(foreign.transaction.raw).memo.hex(),
        block_number=None if block is None else block.number,
        block_id=None if block is None else block.block_id,
        block_timestamp_ms=None if block is None else block.timestamp,
        expiration_ms=foreign.expiration,
        flag=foreign.flag,
        stops=foreign.needs_explanation and policy.stops(foreign.owner),
        acknowledged=foreign.acknowledged,
        adopted=foreign.adopted,
        seen_ms=foreign.seen_ms,
    )
