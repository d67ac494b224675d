"""Signed transactions as a node receives them, and what their contracts unpack to."""

from typing import Final

from google.protobuf.message import Message

from lucidtrond.devnet.state.javaproto import BadProtobuf, Parsed, parse
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.contracts import PACKAGE
from lucidtrond.tron.jsonformat import CONTRACT_TYPES, message_class
from lucidtrond.tron.transaction import Transaction

_MESSAGES: Final = {
    number: made
    for name, number in CONTRACT_TYPES.items()
    if (made := message_class(name))
}
_WITHOUT_ACTUATOR: Final = frozenset({"VoteAssetContract"})
"""Have a message, but TransactionFactory knows no class for it."""
_RAW_DATA: Final = 1
_SIGNATURE: Final = 2
_RESULT: Final = 5


def receive(data: bytes) -> tuple[Transaction, bytes]:
    """Read protocol.Transaction, which may lack everything, as a node does.

    Gives the transaction with its raw data serialised again, of which its id is made,
    and the whole message (results too) without its outermost unknown fields.

    Raises:
        BadProtobuf: some part of it is no message.
    """
    parsed = parse(data, pb.Transaction)
    raw = b"".join(parsed.content(_RAW_DATA))
    transaction = Transaction(raw, parsed.content(_SIGNATURE), parsed.unknown)
    return transaction, parsed.encode_fields()


def contract_message(contract_type: int) -> type[Message] | None:
    """The message of a ContractType by its number, if it has one."""
    return _MESSAGES.get(contract_type)


def results_in(message: bytes) -> tuple[bytes, ...]:
    """The results in a message that `receive` gave, each serialised again."""
    return parse(message, pb.Transaction).content(_RESULT)


def unpack(contract: pb.Transaction.Contract) -> Parsed | None:
    """The contract's value, as ``Any.unpack`` of its type's class reads it.

    None where java-tron finds no owner (TransactionCapsule.getOwner): a type that it
    has no class for, another name behind the last ``/``, a value that does not parse.
    """
    made = contract_message(contract.type)
    _, slash, stated = contract.parameter.type_url.rpartition("/")
    if made is None or not slash:
        return None
    name = made.DESCRIPTOR.name
    if name in _WITHOUT_ACTUATOR or stated != PACKAGE + name:
        return None
    return _parse_or_none(contract.parameter.value, made)


def _parse_or_none(value: bytes, made: type[Message]) -> Parsed | None:
    try:
        return parse(value, made)
    except BadProtobuf:
        return None
