"""TRC-20: call data of its functions, its two events, what its getters return.

Amounts are raw integers of up to 256 bits; decimals are the token's own. A token's
``symbol`` proves nothing: only the address of the contract that wrote a log does.
"""

from typing import Final

from attrs import frozen

from lucidtrond.tron.abi import SELECTOR_SIZE, decode, encode_call, selector, topic
from lucidtrond.tron.abi_types import WORD, AbiError
from lucidtrond.tron.address import Address
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


@frozen
class TransferCall:
    """``transfer``, or ``transferFrom`` when *sender* is not None."""

    sender: Address | None
    recipient: Address
    amount: int


@frozen
class ApproveCall:
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


@frozen
class ApprovalLog:
    """An Approval event of *token*."""

    token: Address
    owner: Address
    spender: Address
    amount: int


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


def parse_log(log: Log) -> TransferLog | ApprovalLog | None:
    """Read a standard event: two indexed addresses, the amount as data.

    Anything else is None; so are TRC-721's, whose third value is indexed too, and
    address topics with dirt in their upper 12 bytes, which no compiler writes.
    """
    if len(log.topics) != 3 or len(log.data) != WORD:
        return None
    if log.topics[0] not in (TRANSFER_TOPIC, APPROVAL_TOPIC):
        return None
    try:
        first, second = decode(["address", "address"], b"".join(log.topics[1:]))
    except AbiError:
        return None
    amount = int.from_bytes(log.data, "big")
    if log.topics[0] == TRANSFER_TOPIC:
        return TransferLog(log.address, first, second, amount)
    return ApprovalLog(log.address, first, second, amount)


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
        each if each.isprintable() else "\ufffd" for each in text[:_MAX_TEXT]
    )
