"""Blocks and receipts, read: who moved what to whom. Pure.

Theory. Movements that a transaction itself orders (TransferContract,
TransferAssetContract, the call value of TriggerSmartContract) are read from its raw
bytes, which the block id commits to through the transaction root; whether they
happened, from the block's ``contractRet``, which the root covers too. What contracts
did (TRC-20 ``Transfer`` logs, internal transfers) and what it cost stand only in
receipts, to which headers do not commit. *proof* tells them apart; see `Proof`.

Identity of a movement is (txid, kind, index): index 0 for the transaction's own, the
log's index for a token's, the internal transaction's index for an internal one.

Deliberately left out: rewards and stake, which move nothing between two addresses;
what a CreateSmartContract gives to its contract; TRC-10 moved by contracts; TRC-721
(four topics); call values of delegate calls, which name the same address twice.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final, Literal

from msgspec import Struct

from lucidtrond.chain.committed import ExpectedLog
from lucidtrond.chain.compare import NOTHING_AGREED, Agreed
from lucidtrond.events.types import Proof
from lucidtrond.tron import trc20
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockTransaction
from lucidtrond.tron.contracts import (
    Contract,
    RawContract,
    Transfer,
    TransferAsset,
    Trigger,
    addresses_in,
    owner_of,
)
from lucidtrond.tron.receipt import InternalTransfer, Log, Receipt
from lucidtrond.tron.tokens import KnownTokens
from lucidtrond.tron.transaction import MalformedTransaction, TxId, decode_raw
from lucidtrond.tron.units import Sun

Kind = Literal["trx", "trc20", "trc10", "internal"]
TRX: Final = "TRX"
UNREAD: Final = -1
"""The index of a movement whose log is missing; see `chain.committed`."""
_SUCCESS: Final = 1
"""contractRet's number of SUCCESS (Tron.proto, contractResult)."""
_SYSTEM_DONE: Final = (None, 0, _SUCCESS)
"""A system contract is included only when it succeeded; block 0 carries no results,
the oldest blocks DEFAULT ones."""
_MOVING_NOTES: Final = ("call", "create", "suicide")
"""Notes of internal transactions that move their value (Program.java); the others
(freeze..., delegate..., vote...) stake or vote with it."""
_NAME_BYTES: Final = 32
"""The longest name of a TRC-10 token (TransactionUtil.validAssetName)."""


class ReceiptsMismatch(ValueError):
    """The receipts are not those of this block's transactions."""


class Movement(Struct, frozen=True):
    """One transfer in a block, watched or not. *place* orders them within it."""

    place: int
    txid: TxId
    kind: Kind
    index: int
    sender: Address
    recipient: Address
    asset: Address | str
    """`TRX`, a TRC-20 contract or a TRC-10 id; see `_trc10`."""
    amount: int
    success: bool
    fee: Sun
    memo: bytes
    proof: Proof
    cost_proof: Proof
    contradicted: bool
    """Of a token whose log is missing; see `chain.committed`."""
    energy: int | None
    """Of the whole transaction, as *bandwidth*; None without a receipt."""
    bandwidth: int | None
    receipt_proof: Proof | None = None
    """What its receipt alone proves, of a token's movement that a plain call in a block
    with a fitting root commits to; see `chain.exact`."""


class ReadBlock(Struct, frozen=True):
    """What the ledger keeps of a block; *touched* names all addresses in it."""

    movements: tuple[Movement, ...]
    touched: frozenset[Address]
    owners: frozenset[Address]
    """Who own a transaction, so pay fees; of contracts that we can't read, whoever
    they name."""


def read_block(
    block: Block,
    receipts: Sequence[Receipt],
    *,
    agreed: Agreed = NOTHING_AGREED,
    expected: Collection[ExpectedLog] = (),
    missing: Collection[ExpectedLog] = (),
) -> ReadBlock:
    """Read a verified block.

    *agreed*: of which receipts a second endpoint said the same. *expected*: logs that
    the receipts should hold, at most one of each transaction; *missing*: those of them
    that they do not.

    Raises:
        ReceiptsMismatch: not one receipt for each transaction, in order.
    """
    _check_receipts(block, receipts)
    movements: list[Movement] = []
    touched: set[Address] = set()
    owners: set[Address] = set()
    # Block 0 has no receipts and nothing that a receipt would tell.
    paired: Sequence[Receipt | None] = receipts or [None] * len(block.transactions)
    proofs = _Proofs(agreed, committed=block.root_proven)
    calls = {log.txid: log for log in expected}
    unread = {log.txid: log for log in missing}
    for included, receipt in zip(block.transactions, paired, strict=True):
        txid = included.transaction.txid
        owners |= _read_transaction(
            included,
            receipt,
            movements,
            touched,
            proofs=proofs,
            call=calls.get(txid),
            log=unread.get(txid),
        )
    return ReadBlock(tuple(movements), frozenset(touched), frozenset(owners))


def unreadable_logs(
    block: Block, receipts: Sequence[Receipt], tokens: KnownTokens
) -> tuple[TxId, ...]:
    """Transactions whose logs of a known token can't be read; see `UnreadableLog`."""
    done = {
        included.transaction.txid
        for included in block.transactions
        if included.contract_ret == _SUCCESS
    }
    return tuple(
        receipt.txid
        for receipt in receipts
        if receipt.txid in done and any(_is_unread(log, tokens) for log in receipt.logs)
    )


def _is_unread(log: Log, tokens: KnownTokens) -> bool:
    return tokens.at(log.address.base58) is not None and isinstance(
        trc20.classify_log(log), trc20.UnreadableLog
    )


def _check_receipts(block: Block, receipts: Sequence[Receipt]) -> None:
    number = block.header.number
    if number == 0:
        if receipts:
            raise ReceiptsMismatch("block 0 has no receipts")
        return
    ours = [included.transaction.txid for included in block.transactions]
    theirs = [receipt.txid for receipt in receipts]
    if ours != theirs:
        raise ReceiptsMismatch(
            f"block {number}: {len(ours)} transactions, {len(theirs)} receipts,"
            " not the same ids"
        )
    for receipt in receipts:
        if receipt.block_number != number:
            raise ReceiptsMismatch(
                f"block {number}: a receipt of block {receipt.block_number}"
            )


def _read_transaction(
    included: BlockTransaction,
    receipt: Receipt | None,
    movements: list[Movement],
    touched: set[Address],
    *,
    proofs: "_Proofs",
    call: ExpectedLog | None,
    log: ExpectedLog | None,
) -> frozenset[Address]:
    """Append what it moved and whom it touched; give its owners."""
    try:
        raw = decode_raw(included.transaction.raw)
    except MalformedTransaction:
        # java-tron accepts exactly one contract; whatever this is, it moves nothing
        # that we could read. Its logs are still read below.
        contract: Contract = RawContract(-1, "", b"")
        memo = b""
    else:
        contract, memo = raw.contract, raw.memo
    touched.update(addresses_in(contract))
    txid = included.transaction.txid
    fee = receipt.fee if receipt is not None else Sun(0)
    moves = list(_moves(contract, receipt, result=included.contract_ret))
    if log is not None:
        ends = log.sender, log.recipient
        moves.append(("trc20", UNREAD, *ends, log.token, log.amount, False))
    by_call = _index_of(call, moves) if proofs.committed else None
    for kind, index, sender, recipient, asset, amount, success in moves:
        touched.update((sender, recipient))
        proof = proofs.of(kind, txid)
        is_by_call = kind == "trc20" and index == by_call
        movements.append(
            Movement(
                place=len(movements),
                txid=txid,
                kind=kind,
                index=index,
                sender=sender,
                recipient=recipient,
                asset=asset,
                amount=amount,
                success=success,
                fee=fee,
                memo=memo,
                proof=proof,
                cost_proof=proofs.of_cost(txid, receipt),
                contradicted=index == UNREAD,
                energy=None if receipt is None else receipt.energy_usage_total,
                bandwidth=None if receipt is None else receipt.net_usage,
                receipt_proof=proof if is_by_call else None,
            )
        )
    if receipt is None:
        return frozenset()  # block 0, where nobody pays
    owner = owner_of(contract)
    return addresses_in(contract) if owner is None else frozenset((owner,))


class _Proofs(Struct, frozen=True):
    """What the movements and costs of one block rest on.

    *committed*: its transaction root was recomputed, so its id covers its bytes.
    """

    agreed: Agreed
    committed: bool

    def of(self, kind: Kind, txid: TxId) -> Proof:
        if kind in ("trx", "trc10"):
            return "signatures" if self.committed else "one_source"
        agreed = self.agreed.logs if kind == "trc20" else self.agreed.internal
        return "two_sources" if txid in agreed else "one_source"

    def of_cost(self, txid: TxId, receipt: Receipt | None) -> Proof:
        if receipt is None:  # block 0, where nothing costs anything
            return "signatures"
        return "two_sources" if txid in self.agreed.cost else "one_source"


_Move = tuple[Kind, int, Address, Address, Address | str, int, bool]


def _index_of(call: ExpectedLog | None, moves: Sequence[_Move]) -> int | None:
    """Of the first token movement that is what *call* says: a call moves it once."""
    if call is None:
        return None
    wanted = (call.sender, call.recipient, call.token, call.amount)
    for kind, index, sender, recipient, asset, amount, _ in moves:
        if kind == "trc20" and (sender, recipient, asset, amount) == wanted:
            return index
    return None


def _moves(
    contract: Contract, receipt: Receipt | None, *, result: int | None
) -> Iterator[_Move]:
    done = result == _SUCCESS
    match contract:
        case Transfer() | TransferAsset() if contract.amount < 0:
            # No network executes it, but a block whose root is not proven may show
            # it, and block 0 of mainnet begins one account so.
            pass
        case Transfer():
            kept = result in _SYSTEM_DONE
            yield "trx", 0, contract.owner, contract.to, TRX, contract.amount, kept
        case TransferAsset():
            kept = result in _SYSTEM_DONE
            token = _trc10(contract.asset_name)
            yield "trc10", 0, contract.owner, contract.to, token, contract.amount, kept
        case Trigger() if contract.call_value > 0:
            owner, to = contract.owner, contract.contract
            yield "trx", 0, owner, to, TRX, contract.call_value, done
        case _:
            pass
    if receipt is None or not done:
        # java-tron keeps no logs of a failed call, and marks its internal
        # transactions as rejected.
        return
    for index, log in enumerate(receipt.logs):
        moved = trc20.parse_log(log)
        if isinstance(moved, trc20.TransferLog):
            ends = moved.sender, moved.recipient
            yield "trc20", index, *ends, moved.token, moved.amount, True
    for index, internal in enumerate(receipt.internal):
        yield from _internal_moves(index, internal)


def _trc10(name: bytes) -> str:
    """The id of a TRC-10 token, or the name that stood for it until 2019.

    Anybody could issue one called TRX then, and a block whose root is not proven may
    show any bytes: what could be taken for another asset is marked.
    """
    text = name.decode("ascii", "backslashreplace")
    return f"trc10:{text}" if text == TRX or len(name) > _NAME_BYTES else text


def _internal_moves(index: int, internal: InternalTransfer) -> Iterator[_Move]:
    sender, recipient = internal.caller, internal.to
    if sender is None or recipient is None or sender == recipient:
        return
    if internal.note not in _MOVING_NOTES:
        return
    amount = sum(amount for amount, token in internal.values if not token)
    if amount > 0:
        yield "internal", index, sender, recipient, TRX, amount, not internal.rejected
