"""What became of a transaction, and what it cost."""

import contextlib
from typing import Annotated, Literal

import msgspec
import trio

from lucidtrond.api import (
    Context,
    InDoubt,
    InvalidInput,
    NoConfig,
    NotFound,
    Params,
    Plugin,
    Result,
    TxIdText,
    read_txid,
)
from lucidtrond.tron import contracts
from lucidtrond.tron.contracts import Transfer, Trigger
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import (
    MalformedTransaction,
    Transaction,
    TxId,
    decode_raw,
)

plugin = Plugin("receipts")

TIMEOUT_S = 180.0
PATIENCE_S = 170.0
RAW_CHARACTERS = 1_024_000
_TXID = {"txid": "0" * 64}


class ByTxId(Params, frozen=True):
    txid: TxIdText


class TransactionView(Result, frozen=True):
    """Amounts in sun (``amount_sun`` of a TRX transfer, ``call_value_sun`` of a call);
    *memo_hex* is arbitrary bytes. *contract_type* is ContractType's number."""

    txid: str
    contract_type: int | None
    from_address: str | None
    to_address: str | None
    amount_sun: str | None
    contract_address: str | None
    call_value_sun: str | None
    data_hex: str | None
    memo_hex: str
    fee_limit_sun: str
    expiration_ms: int
    timestamp_ms: int
    raw_data_hex: str
    signatures: int


@plugin.method("tx.get", example=_TXID)
async def get(ctx: Context[NoConfig], params: ByTxId) -> TransactionView:
    """Fetch a transaction, pending ones too, and decode it from its own bytes."""
    txid = read_txid(params.txid)
    found = await ctx.node.fetch_transaction(txid)
    if found is None:
        raise NotFound(f"no node knows the transaction {txid}")
    return _view(found.transaction)


class Decode(Params, frozen=True):
    """A whole signed transaction, or its raw data alone."""

    raw_hex: Annotated[str, msgspec.Meta(max_length=RAW_CHARACTERS)]


@plugin.method("tx.decode", example={"raw_hex": "0a02…"})
async def decode(_ctx: Context[NoConfig], params: Decode) -> TransactionView:
    """Decode a transaction offline; its txid is computed here."""
    try:
        data = bytes.fromhex(params.raw_hex.strip().removeprefix("0x"))
    except ValueError:
        raise InvalidInput("raw_hex: expected hex digits") from None
    for transaction in _candidates(data):
        try:
            return _view(transaction)
        except MalformedTransaction:
            continue
    raise InvalidInput("raw_hex: expected a transaction or its raw data")


class ReceiptView(Result, frozen=True):
    """Costs in sun, bandwidth in bytes, energy in units. *confirmations* are for
    people; only *solidified* is final. *single_source*: one node alone said so."""

    txid: str
    block_number: int
    block_timestamp_ms: int
    success: bool
    solidified: bool
    confirmations: int
    fee_sun: str
    net_usage: int
    net_fee_sun: str
    energy_usage: int
    energy_usage_total: int
    energy_fee_sun: str
    result: str | None
    message: str
    contract_address: str | None
    single_source: bool = True


@plugin.method("tx.receipt", example=_TXID)
async def receipt(ctx: Context[NoConfig], params: ByTxId) -> ReceiptView:
    """Say what became of an included transaction and what it cost."""
    txid = read_txid(params.txid)
    found = await ctx.node.fetch_receipt(txid)
    if found is None:
        pending = await ctx.node.fetch_transaction(txid)
        if pending is None:
            raise NotFound(f"no node knows the transaction {txid}")
        raise NotFound(f"transaction {txid} is in no block yet", retryable=True)
    return _receipt_view(ctx, found)


class Wait(ByTxId, frozen=True):
    until: Literal["included", "solidified"] = "solidified"


@plugin.method("tx.wait", timeout_s=TIMEOUT_S, example={**_TXID, "until": "solidified"})
async def wait(ctx: Context[NoConfig], params: Wait) -> ReceiptView:
    """Wait until a transaction is in a block, or in a final one."""
    txid = read_txid(params.txid)
    solid = params.until == "solidified"
    with trio.move_on_after(PATIENCE_S):
        return await _wait(ctx, txid, solid=solid)
    raise InDoubt(
        f"not {params.until} after {PATIENCE_S:.0f} s; it may still land", txid=txid
    )


async def _wait(ctx: Context[NoConfig], txid: TxId, *, solid: bool) -> ReceiptView:
    """Ask once per block: between two blocks nothing changes."""
    while True:
        head = ctx.ledger.position().head
        found = await ctx.node.fetch_receipt(txid)
        if found is not None:
            view = _receipt_view(ctx, found)
            if view.solidified or not solid:
                return view
        await ctx.ledger.wait_block_beyond(head.number if head else -1)


def _receipt_view(ctx: Context[NoConfig], found: Receipt) -> ReceiptView:
    position = ctx.ledger.position()
    head = position.head.number if position.head else found.block_number
    solid = position.solid.number if position.solid else -1
    contract = found.contract_address
    return ReceiptView(
        txid=found.txid,
        block_number=found.block_number,
        block_timestamp_ms=found.block_timestamp,
        success=found.succeeded,
        solidified=found.block_number <= solid,
        confirmations=max(0, head - found.block_number + 1),
        fee_sun=str(found.fee),
        net_usage=found.net_usage,
        net_fee_sun=str(found.net_fee),
        energy_usage=found.energy_usage,
        energy_usage_total=found.energy_usage_total,
        energy_fee_sun=str(found.energy_fee),
        result=found.vm_result,
        message=found.message,
        contract_address=None if contract is None else contract.base58,
    )


def _candidates(data: bytes) -> list[Transaction]:
    candidates = [Transaction(data)]
    with contextlib.suppress(MalformedTransaction):
        candidates.insert(0, Transaction.from_bytes(data))
    return candidates


def _view(transaction: Transaction) -> TransactionView:
    raw = decode_raw(transaction.raw)
    contract = raw.contract
    owner = contracts.owner_of(contract)
    transfer = contract if isinstance(contract, Transfer) else None
    trigger = contract if isinstance(contract, Trigger) else None
    return TransactionView(
        txid=transaction.txid,
        contract_type=contracts.encode(contract)[0],
        from_address=None if owner is None else owner.base58,
        to_address=transfer.to.base58 if transfer else None,
        amount_sun=str(transfer.amount) if transfer else None,
        contract_address=trigger.contract.base58 if trigger else None,
        call_value_sun=str(trigger.call_value) if trigger else None,
        data_hex=trigger.data.hex() if trigger else None,
        memo_hex=raw.memo.hex(),
        fee_limit_sun=str(raw.fee_limit),
        expiration_ms=raw.expiration,
        timestamp_ms=raw.timestamp,
        raw_data_hex=transaction.raw.hex(),
        signatures=len(transaction.signatures),
    )
