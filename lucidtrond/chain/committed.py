"""What a block commits to, against what a receipt says of it. Pure.

Theory. A block's id covers each transaction's call data and its ``contractRet``. A call
of a known TRC-20 contract whose data are exactly ``transfer(to, amount)`` or
``transferFrom(from, to, amount)``, which carries no TRX and ended in SUCCESS, moves
those tokens, and an honest receipt holds the Transfer log that says so. A receipt
without it contradicts the call: either the node withholds the log, or the token
succeeds without moving anything. Nothing here can tell which, so the movement is
*contradicted*: never a deposit, never a failure.

Left out on purpose: data that a contract would read in the same way but no wallet
writes (dirt in an address's upper bytes, bytes behind the arguments), tokens that take
a fee of each transfer (``fee_on_transfer``), and calls through other contracts.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from lucidtrond.tron import trc20
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block
from lucidtrond.tron.contracts import Trigger
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.tokens import KnownTokens
from lucidtrond.tron.transaction import MalformedTransaction, TxId, decode_raw

_SUCCESS: Final = 1
"""contractRet's number of SUCCESS (Tron.proto, contractResult)."""


class ExpectedLog(Struct, frozen=True):
    """The Transfer log that a committed call must have left."""

    txid: TxId
    token: Address
    sender: Address
    recipient: Address
    amount: int


def expected_logs(block: Block, tokens: KnownTokens) -> tuple[ExpectedLog, ...]:
    """One for each plain, successful call of a known token, in the block's order."""
    logs: list[ExpectedLog] = []
    for included in block.transactions:
        if included.contract_ret != _SUCCESS:
            continue
        try:
            contract = decode_raw(included.transaction.raw).contract
        except MalformedTransaction:
            continue
        if isinstance(contract, Trigger) and contract.call_value == 0:
            log = _log_of(contract, included.transaction.txid, tokens)
            if log is not None:
                logs.append(log)
    return tuple(logs)


def missing_logs(
    expected: Iterable[ExpectedLog], receipts: Iterable[Receipt]
) -> tuple[ExpectedLog, ...]:
    """Those of *expected* that no receipt of their transaction holds."""
    by_txid: Mapping[TxId, Receipt] = {receipt.txid: receipt for receipt in receipts}
    return tuple(log for log in expected if not _holds(by_txid.get(log.txid), log))


def _log_of(call: Trigger, txid: TxId, tokens: KnownTokens) -> ExpectedLog | None:
    token = tokens.at(call.contract.base58)
    if token is None or token.fee_on_transfer:
        return None
    parsed = trc20.parse_call(call.data)
    if not isinstance(parsed, trc20.TransferCall):
        return None
    to, amount = parsed.recipient, parsed.amount
    if parsed.sender is None:
        sender, plain = call.owner, trc20.transfer(to, amount)
    else:
        sender = parsed.sender
        plain = trc20.transfer_from(sender, to, amount)
    if plain != call.data:
        return None
    return ExpectedLog(txid, call.contract, sender, to, amount)


def _holds(receipt: Receipt | None, wanted: ExpectedLog) -> bool:
    if receipt is None:
        return False
    log = trc20.TransferLog(
        wanted.token, wanted.sender, wanted.recipient, wanted.amount
    )
    return any(trc20.parse_log(held) == log for held in receipt.logs)
