"""Servlets of the balance history: accounts at a block, changes of a block."""

from typing import Any, Final

from lucidtrond.devnet.http.printing import Json, print_address, print_result
from lucidtrond.devnet.http.requests import ServletRequest
from lucidtrond.devnet.java.errors import JavaError
from lucidtrond.devnet.state.blocks import BlockRow, TransactionRow
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.invariants import present
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb

HASH_SIZE: Final = 32
_KIND: Final = pb.Transaction.Contract.ContractType


def get_account_balance(ask: ServletRequest) -> Json:
    """Balance at a block; states of genesis and from solid to head are kept."""
    request = ask.message("AccountBalanceRequest")
    if not request.HasField("account_identifier"):
        raise _bad_argument("account_identifier is null")
    address = request.account_identifier.address
    if not address:
        raise _bad_argument("account_identifier address is null")
    if not request.HasField("block_identifier"):
        raise _bad_argument("block_identifier null")
    row = _identified(ask, request.block_identifier)
    account = _world_at(ask, row).accounts.get(address)
    balance = account.balance if account else 0
    return {"block_identifier": _print_identifier(row), "balance": balance}


def get_block_balance(ask: ServletRequest) -> Json:
    """How each transaction of a block changed balances, one change after another."""
    row = _identified(ask, ask.message("BlockIdentifier"))
    visible = ask.visible
    return {
        "block_identifier": _print_identifier(row),
        "timestamp": row.timestamp,
        "transaction_balance_trace": [
            _print_moves(included, visible=visible)
            for included in row.transactions
            if included.moves
        ],
    }


def _print_moves(row: TransactionRow, *, visible: bool) -> Json:
    return {
        "transaction_identifier": row.transaction.txid,
        "operation": [
            {
                "operation_identifier": number,
                "address": print_address(address, visible=visible),
                "amount": amount,
            }
            for number, (address, amount) in enumerate(row.moves)
        ],
        "type": _KIND.Name(Candidate.read(row.transaction).type),
        "status": print_result(present(row.contract_ret)),
    }


def _print_identifier(row: BlockRow) -> Json:
    printed: Json = {"hash": row.id.hex()}
    return {**printed, "number": row.number} if row.number else printed


def _identified(ask: ServletRequest, identifier: Any) -> BlockRow:
    # Wallet.checkBlockIdentifier
    number, block_id = identifier.number, identifier.hash
    if number < 0:
        raise _bad_argument("block_identifier number less than 0")
    if len(block_id) != HASH_SIZE:
        raise _bad_argument("block_identifier hash length not equals 32")
    row = ask.chain.block(number)
    if row is None:
        raise JavaError(
            "org.tron.core.exception.ItemNotFoundException",
            f"number: {number} is not found!",
        )
    if row.id != block_id:
        raise _bad_argument("number and hash do not match")
    return row


def _world_at(ask: ServletRequest, row: BlockRow) -> World:
    world = ask.chain.state_at(row.number)
    if world is None:
        raise _bad_argument(f"the state of block {row.number} is not kept")
    return world


def _bad_argument(text: str) -> JavaError:
    return JavaError("java.lang.IllegalArgumentException", text)
