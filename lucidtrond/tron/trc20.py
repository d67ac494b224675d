"""TRC-20: call data of its functions, its two events, what its getters return.

Amounts are raw integers of up to 256 bits; decimals are the token's own. A token's
``symbol`` proves nothing: only the address of the contract that wrote a log does.

Events. The standard form has two indexed addresses (three topics) and the amount as
data. Deployed tokens also write the same event with one or no indexed address; the
values that are not indexed then stand in the data, in the order of the declaration.
Which address is indexed when only one is cannot be told from a log; it is read as the
first, as Solidity code that indexes one of them has it. As an EVM reads its own
arguments, an address is the lower 20 bytes of its word and data beyond the last value
is ignored. Four topics are TRC-721's (an indexed token id) and no amount.
"""

from collections.abc import Iterable
from typing import Final

from attrs import evolve, frozen
from msgspec import Struct

from lucidtrond.tron.abi import SELECTOR_SIZE, decode, encode_call, selector, topic
from lucidtrond.tron.abi_types import WORD, AbiError
from lucidtrond.tron.address import PREFIX, Address
from lucidtrond.tron.receipt import Log

NAME: Final = "name()"
SYMBOL: Final = "symbol()"
DECIMALS: Final = "decimals()"
TOTAL_SUPPLY: Final = "totalSupply()"
BALANCE_OF: Final = "balanceOf(address)"
ALLOWANCE: Final = "allowance(address,address)"
TRANSFER: Final = "transfer(address,uint256)"
APPROVE: Final = "approve(address,uint256)"
TRANSFER_FROM: Final = "transferFrom(address,address,uint256)"

TRANSFER_TOPIC: Final = topic("Transfer(address,address,uint256)")
APPROVAL_TOPIC: Final = topic("Approval(address,address,uint256)")

MAX_AMOUNT: Final = (1 << 256) - 1
_MAX_TEXT: Final = 1024
ADDRESS_BYTES: Final = 20
"""Of an address word, the lower ones (an address without its network prefix)."""


class TransferCall(Struct, frozen=True):
    """``transfer``, or ``transferFrom`` when *sender* is not None."""

    sender: Address | None
    recipient: Address
    amount: int


class ApproveCall(Struct, frozen=True):
    """``approve``."""

    spender: Address
    amount: int


@frozen
class TransferLog:
    """A Transfer event of *token*."""

    token: Address
    sender: Address
    recipient: Address
    amount: int


class ApprovalLog(Struct, frozen=True):
    """An Approval event of *token*."""

    token: Address
    owner: Address
    spender: Address
    amount: int


class UnreadableLog(Struct, frozen=True):
    """An event of *token* that bears the name of a standard one and is not like it."""

    token: Address
    reason: str


def transfer(recipient: Address, amount: int) -> bytes:
    """Call data that pay *amount* to *recipient*.

    Raises:
        AbiError: an amount that is negative or above 256 bits.
    """
    return encode_call(TRANSFER, (recipient, amount))


def approve(spender: Address, amount: int) -> bytes:
    """Call data that let *spender* take up to *amount*."""
    return encode_call(APPROVE, (spender, amount))


def transfer_from(sender: Address, recipient: Address, amount: int) -> bytes:
    """Call data that move *amount* on an allowance."""
    return encode_call(TRANSFER_FROM, (sender, recipient, amount))


def balance_of(owner: Address) -> bytes:
    """Call data of ``balanceOf``."""
    return encode_call(BALANCE_OF, (owner,))


def allowance(owner: Address, spender: Address) -> bytes:
    """Call data of ``allowance``."""
    return encode_call(ALLOWANCE, (owner, spender))


def parse_call(data: bytes) -> TransferCall | ApproveCall | None:
    """Read call data as the TVM would; None when they are something else."""
    head, rest = data[:SELECTOR_SIZE], data[SELECTOR_SIZE:]
    try:
        if head == selector(TRANSFER):
            recipient, amount = decode(["address", "uint256"], rest, lenient=True)
            return TransferCall(None, recipient, amount)
        if head == selector(TRANSFER_FROM):
            types = ["address", "address", "uint256"]
            sender, recipient, amount = decode(types, rest, lenient=True)
            return TransferCall(sender, recipient, amount)
        if head == selector(APPROVE):
            spender, amount = decode(["address", "uint256"], rest, lenient=True)
            return ApproveCall(spender, amount)
    except AbiError:
        pass
    return None


def classify_log(log: Log) -> TransferLog | ApprovalLog | UnreadableLog | None:
    """Read an event of a token; None: it is another event.

    An `UnreadableLog` announces a transfer or an approval and cannot be read as one.
    Of a token that is known it is to be reported; TRC-721's are among them, too.
    """
    if not log.topics or log.topics[0] not in (TRANSFER_TOPIC, APPROVAL_TOPIC):
        return None
    name = "Transfer" if log.topics[0] == TRANSFER_TOPIC else "Approval"
    indexed = len(log.topics) - 1
    if indexed > 2:
        return UnreadableLog(log.address, f"{name} with {indexed} indexed values")
    data_words = 3 - indexed
    if len(log.data) < data_words * WORD or any(len(t) != WORD for t in log.topics):
        return UnreadableLog(
            log.address,
            f"{name} with {indexed} indexed values: expected {data_words * WORD} bytes"
            f" of data, got {len(log.data)}",
        )
    values = b"".join(log.topics[1:]) + log.data
    first, second = (
        Address(bytes([PREFIX]) + values[at + WORD - ADDRESS_BYTES : at + WORD])
        for at in (0, WORD)
    )
    amount = int.from_bytes(values[2 * WORD : 3 * WORD], "big")
    if name == "Transfer":
        return TransferLog(log.address, first, second, amount)
    return ApprovalLog(log.address, first, second, amount)


def parse_log(log: Log) -> TransferLog | ApprovalLog | None:
    """As `classify_log`, without those that cannot be read."""
    read = classify_log(log)
    return None if isinstance(read, UnreadableLog) else read


def amount_moved(
    logs: Iterable[Log], *, token: Address, sender: Address, recipient: Address
) -> int:
    """Sum what *token*'s own Transfer logs say went from *sender* to *recipient*.

    0: nothing did, by what these logs say. Of a token that takes a fee it is what
    arrived, not what was asked for. Never above `MAX_AMOUNT`.
    """
    moved = TransferLog(token, sender, recipient, amount=0)
    total = sum(
        read.amount
        for read in map(parse_log, logs)
        if isinstance(read, TransferLog) and evolve(read, amount=0) == moved
    )
    return min(total, MAX_AMOUNT)


def parse_amount_result(data: bytes) -> int:
    """Read what ``balanceOf``, ``allowance``, ``totalSupply`` or ``decimals`` gave.

    Raises:
        AbiError: nothing came back (no such function, no contract there).
    """
    [amount] = decode(["uint256"], data)
    return int(amount)


def parse_text_result(data: bytes) -> str:
    """Read what ``name`` or ``symbol`` gave; older tokens return bytes32.

    The text is the token's own claim: control characters become U+FFFD and it is cut
    at 1024 characters.

    Raises:
        AbiError: neither a string nor 32 bytes.
    """
    if len(data) == WORD:
        text = data.rstrip(b"\0").decode(errors="replace")
    else:
        [text] = decode(["string"], data, lenient=True)
    return "".join(
        character if character.isprintable() else "\ufffd"
        for character in text[:_MAX_TEXT]
    )
