"""Which key a block producer signs with, as far as transactions and accounts say it.

The producer's account has a witness permission with exactly one key
(AccountPermissionUpdateActuator.checkPermission); a block is signed by that key, or by
the producer's own where there is no such permission (BlockCapsule.validateSignature,
AccountCapsule.getWitnessPermissionAddress). A change made by block n holds for block
n + 1: a block is validated against the state that its parent left.
"""

from collections.abc import Iterator
from typing import Final, TypeVar

from google.protobuf.message import DecodeError, Message
from msgspec import Struct

from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.address import Address, InvalidAddress
from lucidtrond.tron.block import Block
from lucidtrond.tron.wirebytes import parse

M = TypeVar("M", bound=Message)

_SUCCESS: Final = 1
"""contractRet of what took effect (Tron.proto, contractResult)."""
_CREATE: Final = pb.Transaction.Contract.WitnessCreateContract
_UPDATE: Final = pb.Transaction.Contract.AccountPermissionUpdateContract
_NAMES: Final = (b"WitnessCreateContract", b"AccountPermissionUpdateContract")


class KeyChange(Struct, frozen=True):
    """*producer*'s blocks are signed by *key* from the next block on."""

    producer: Address
    key: Address


def key_changes(block: Block) -> Iterator[KeyChange]:
    """Changes of producers' keys that *block* made, in order.

    A new producer signs with its own key (WitnessCreateActuator sets the default
    witness permission); an update without a witness permission is of no producer.
    """
    for included in block.transactions:
        raw = included.transaction.raw
        # The type's name is part of every such transaction: Any.unpack compares it.
        if included.contract_ret == _SUCCESS and any(name in raw for name in _NAMES):
            change = _change(raw)
            if change is not None:
                yield change


def _change(raw: bytes) -> KeyChange | None:
    try:
        [contract] = pb.Transaction.raw.FromString(raw).contract
        if contract.type == _CREATE:
            created = _unpack(contract, pb.WitnessCreateContract)
            owner = Address(created.owner_address)
            return KeyChange(owner, owner)
        if contract.type == _UPDATE:
            update = _unpack(contract, pb.AccountPermissionUpdateContract)
            if update.HasField("witness"):
                [key] = update.witness.keys
                return KeyChange(Address(update.owner_address), Address(key.address))
    except (DecodeError, InvalidAddress, ValueError):
        # The chain takes in no such transaction, so it can't have succeeded.
        return None
    return None


def _unpack(contract: pb.Transaction.Contract, message_type: type[M]) -> M:
    return parse(message_type, contract.parameter.value)
