"""Transactions and receipts as results: everything is decoded from their own bytes."""

import contextlib
from collections.abc import Iterator
from typing import Any, Literal

from lucidtrond.api import InvalidInput, Proof, Result
from lucidtrond.tron import contracts, trc20
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import ChainPosition
from lucidtrond.tron.contracts import Contract, Transfer, Trigger
from lucidtrond.tron.jsonformat import CONTRACT_TYPES
from lucidtrond.tron.keys import BadSignature
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.recovery import recover_signer
from lucidtrond.tron.tokens import KnownTokens
from lucidtrond.tron.transaction import (
    MalformedTransaction,
    Transaction,
    decode_raw,
)

_NAMES = {number: name for name, number in CONTRACT_TYPES.items()}


Function = Literal["transfer", "transferFrom", "approve"]


class TokenTransfer(Result, frozen=True):
    """What a TRC-20 contract says it moved. Only *known* vouches for *symbol* and
    *decimals*; of other contracts nothing but the address is told."""

    token: str
    known: bool
    symbol: str | None
    decimals: int | None
    from_address: str
    to_address: str
    amount_raw: str


class TokenCall(Result, frozen=True):
    """A call that asks a TRC-20 to move or approve *amount_raw*; what came of it, the
    receipt tells. *from_address* is whose tokens they are."""

    function: Function
    token: str
    known: bool
    symbol: str | None
    decimals: int | None
    from_address: str
    to_address: str
    amount_raw: str


class TransactionView(Result, frozen=True):
    """Amounts in sun (``amount_sun`` of a TRX transfer, ``call_value_sun`` of a call);
    *memo_hex* is arbitrary bytes. *contract_type* is java-tron's name, null for one we
    do not know. *signers* are who really signed, null for what is no signature; of one
    with more than 65 bytes the first 65 count, as on the network."""

    txid: str
    contract_type: str | None
    from_address: str | None
    to_address: str | None
    amount_sun: str | None
    contract_address: str | None
    call_value_sun: str | None
    data_hex: str | None
    token_call: TokenCall | None
    memo_hex: str
    fee_limit_sun: str
    expiration_ms: int
    timestamp_ms: int
    raw_data_hex: str
    signatures: list[str]
    signers: list[str | None]


class ReceiptView(Result, frozen=True):
    """Costs in sun, bandwidth in bytes, energy in units. *confirmations* counts the
    block itself and is for people; only *solidified* is final. *proof*: one
    node alone said so, and no block header commits to it; *single_source* is its older
    name."""

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
    token_transfers: list[TokenTransfer]
    proof: Proof = "one_source"
    single_source: bool = True


def view_receipt(
    receipt: Receipt, position: ChainPosition, tokens: KnownTokens, *, solidified: bool
) -> ReceiptView:
    """*position* is where we stand; it counts the confirmations."""
    head = position.head.number if position.head else receipt.block_number
    contract = receipt.contract_address
    return ReceiptView(
        txid=receipt.txid,
        block_number=receipt.block_number,
        block_timestamp_ms=receipt.block_timestamp,
        success=receipt.succeeded,
        solidified=solidified,
        confirmations=max(1, head - receipt.block_number + 1),
        fee_sun=str(receipt.fee),
        net_usage=receipt.net_usage,
        net_fee_sun=str(receipt.net_fee),
        energy_usage=receipt.energy_usage,
        energy_usage_total=receipt.energy_usage_total,
        energy_fee_sun=str(receipt.energy_fee),
        result=receipt.vm_result,
        message=receipt.message,
        contract_address=None if contract is None else contract.base58,
        token_transfers=_token_transfers(receipt, tokens) if receipt.succeeded else [],
    )


def _token_transfers(receipt: Receipt, tokens: KnownTokens) -> list[TokenTransfer]:
    moved = (trc20.parse_log(log) for log in receipt.logs)
    return [
        TokenTransfer(
            **_named(log.token, tokens),
            from_address=log.sender.base58,
            to_address=log.recipient.base58,
            amount_raw=str(log.amount),
        )
        for log in moved
        if isinstance(log, trc20.TransferLog)
    ]


def _token_call(trigger: Trigger, tokens: KnownTokens) -> TokenCall | None:
    match trc20.parse_call(trigger.data):
        case trc20.TransferCall(None, recipient, amount):
            called: tuple[Function, Address, Address, int]
            called = "transfer", trigger.owner, recipient, amount
        case trc20.TransferCall(Address() as sender, recipient, amount):
            called = "transferFrom", sender, recipient, amount
        case trc20.ApproveCall(spender, amount):
            called = "approve", trigger.owner, spender, amount
        case _:
            return None
    function, sender, recipient, amount = called
    return TokenCall(
        **_named(trigger.contract, tokens),
        function=function,
        from_address=sender.base58,
        to_address=recipient.base58,
        amount_raw=str(amount),
    )


def _named(token: Address, tokens: KnownTokens) -> dict[str, Any]:
    listed = tokens.at(token.base58)
    return {
        "token": token.base58,
        "known": listed is not None,
        "symbol": listed.symbol if listed else None,
        "decimals": listed.decimals if listed else None,
    }


def view_transaction(transaction: Transaction, tokens: KnownTokens) -> TransactionView:
    """Raises MalformedTransaction: its raw data can't be read."""
    raw = decode_raw(transaction.raw)
    contract = raw.contract
    owner = contracts.owner_of(contract)
    transfer = contract if isinstance(contract, Transfer) else None
    trigger = contract if isinstance(contract, Trigger) else None
    return TransactionView(
        txid=transaction.txid,
        contract_type=_name(contract),
        from_address=None if owner is None else owner.base58,
        to_address=transfer.to.base58 if transfer else None,
        amount_sun=str(transfer.amount) if transfer else None,
        contract_address=trigger.contract.base58 if trigger else None,
        call_value_sun=str(trigger.call_value) if trigger else None,
        data_hex=trigger.data.hex() if trigger else None,
        token_call=_token_call(trigger, tokens) if trigger else None,
        memo_hex=raw.memo.hex(),
        fee_limit_sun=str(raw.fee_limit),
        expiration_ms=raw.expiration,
        timestamp_ms=raw.timestamp,
        raw_data_hex=transaction.raw.hex(),
        signatures=[signature.hex() for signature in transaction.signatures],
        signers=[
            _signer(transaction, signature) for signature in transaction.signatures
        ],
    )


def read_transaction(text: str, tokens: KnownTokens) -> TransactionView:
    """Decode hex of a whole transaction, or of raw data alone.

    Raises:
        InvalidInput: neither.
    """
    try:
        data = bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        raise InvalidInput("raw_hex: expected hex digits only") from None
    for candidate in _candidates(data):
        with contextlib.suppress(MalformedTransaction):
            return view_transaction(candidate, tokens)
    raise InvalidInput(
        f"raw_hex: expected a transaction or its raw data, got {len(data)} other bytes"
    )


def _candidates(data: bytes) -> Iterator[Transaction]:
    with contextlib.suppress(MalformedTransaction):
        yield Transaction.from_bytes(data)
    yield Transaction(data)


def _name(contract: Contract) -> str | None:
    return _NAMES.get(contracts.encode(contract)[0])


def _signer(transaction: Transaction, signature: bytes) -> str | None:
    try:
        return recover_signer(transaction.digest, signature).base58
    except BadSignature:
        return None
