"""What became of a transaction, and what it cost."""

from typing import Annotated, Literal

import msgspec
import trio

from lucidtrond.api import (
    Context,
    Expired,
    InDoubt,
    InvalidInput,
    NoConfig,
    NodeError,
    NotFound,
    Params,
    Plugin,
    TxIdText,
    read_txid,
)
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import TxId
from lucidtrond_receipts.views import (
    ReceiptView,
    TransactionView,
    read_transaction,
    view_receipt,
    view_transaction,
)

plugin = Plugin("receipts")

TIMEOUT_S = 180.0
"""A solidified answer takes about a minute on a real chain."""
BOOKED_S = 5.0
"""How long the ledger may take to hold a block that a node has."""
PATIENCE_S = 170.0
RAW_CHARACTERS = 1_024_000
_TXID = {"txid": "4f" * 32}
_RAW = (
    "0a0227102208a1b2c3d4e5f6071840c0f1e9e1c1335a67080112630a2d747970652e676f6f676c65"
    "617069732e636f6d2f70726f746f636f6c2e5472616e73666572436f6e747261637412320a154100"
    "0102030405060708090a0b0c0d0e0f10111213121541131211100f0e0d0c0b0a0908070605040302"
    "010018e0c65b7080c8e2e1c133"
)


class ByTxId(Params, frozen=True):
    txid: TxIdText


@plugin.method("tx.get", example=_TXID, errors=(NotFound, InvalidInput, NodeError))
async def get(ctx: Context[NoConfig], params: ByTxId) -> TransactionView:
    """Fetch a transaction, pending ones too, and decode it from its own bytes."""
    txid = read_txid(params.txid)
    included = await ctx.node.fetch_transaction(txid)
    if included is None:
        raise NotFound(f"no node knows the transaction {txid}")
    return view_transaction(included.transaction, ctx.tokens)


class Decode(Params, frozen=True):
    """A whole signed transaction, or its raw data alone."""

    raw_hex: Annotated[str, msgspec.Meta(max_length=RAW_CHARACTERS)]


@plugin.method("tx.decode", example={"raw_hex": _RAW}, errors=(InvalidInput,))
async def decode(ctx: Context[NoConfig], params: Decode) -> TransactionView:
    """Decode a transaction offline; txid and signers are computed here."""
    return read_transaction(params.raw_hex, ctx.tokens)


@plugin.method("tx.receipt", example=_TXID, errors=(NotFound, InvalidInput, NodeError))
async def receipt(ctx: Context[NoConfig], params: ByTxId) -> ReceiptView:
    """Say what became of an included transaction and what it cost."""
    txid = read_txid(params.txid)
    on_chain = await ctx.node.fetch_receipt(txid)
    if on_chain is not None:
        return await _view(ctx, on_chain)
    if await ctx.node.fetch_transaction(txid) is None:
        raise NotFound(f"no node knows the transaction {txid}")
    raise NotFound(f"transaction {txid} is in no block yet", retryable=True)


class Wait(ByTxId, frozen=True):
    until: Literal["included", "solidified"] = "solidified"


@plugin.method(
    "tx.wait",
    timeout_s=TIMEOUT_S,
    example={**_TXID, "until": "solidified"},
    errors=(InDoubt, Expired, NotFound, InvalidInput, NodeError),
)
async def wait(ctx: Context[NoConfig], params: Wait) -> ReceiptView:
    """Wait until a transaction is in a block, or in a final one."""
    txid = read_txid(params.txid)
    with trio.move_on_after(PATIENCE_S):
        return await _wait(ctx, txid, until=params.until)
    waited = f"not {params.until} after {PATIENCE_S:.0f} s"
    if await ctx.node.fetch_transaction(txid) is None:
        raise NotFound(f"{waited}: no node knows the transaction {txid}")
    raise InDoubt(f"{waited}: it may still land", txid=txid)


async def _wait(ctx: Context[NoConfig], txid: TxId, *, until: str) -> ReceiptView:
    """Ask once per block: between two blocks nothing changes."""
    while True:
        head = ctx.ledger.position().head
        on_chain = await ctx.node.fetch_receipt(txid)
        if on_chain is not None:
            view = await _view(ctx, on_chain)
            if view.solidified or until == "included":
                # The node may be a moment ahead of our own history of that block.
                with trio.move_on_after(BOOKED_S):
                    await ctx.ledger.wait_block_beyond(on_chain.block_number - 1)
                return view
        else:
            await _check_alive(ctx, txid)
        await ctx.ledger.wait_block_beyond(head.number if head else -1)


async def _check_alive(ctx: Context[NoConfig], txid: TxId) -> None:
    payment = await ctx.sender.find(txid=txid)
    if payment is not None and payment.state == "expired":
        raise Expired(f"transaction {txid} is proven dead", safe_to_retry=True)


async def _view(ctx: Context[NoConfig], on_chain: Receipt) -> ReceiptView:
    """Final is what lies below our solid block and is known to a node's final side."""
    position = ctx.ledger.position()
    solidified = False
    if position.solid is not None and on_chain.block_number <= position.solid.number:
        final = await ctx.node.fetch_receipt(on_chain.txid, solid=True)
        solidified = final is not None and final.block_number == on_chain.block_number
    return view_receipt(on_chain, position, ctx.tokens, solidified=solidified)
