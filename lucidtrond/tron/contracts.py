"""What a transaction asks for: typed contracts, and `RawContract` for the others."""

from typing import Final

from attrs import frozen

from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.address import Address, InvalidAddress
from lucidtrond.tron.units import Sun

TYPE_URL_PREFIX: Final = "type.googleapis.com/protocol."


@frozen
class Transfer:
    """TransferContract (1): *amount* sun from *owner* to *to*."""

    owner: Address
    to: Address
    amount: Sun


@frozen
class Trigger:
    """TriggerSmartContract (31): call *contract* with *data*.

    *call_value* is sun; *call_token_value* and *token_id* name a TRC-10 sent along.
    """

    owner: Address
    contract: Address
    data: bytes = b""
    call_value: Sun = Sun(0)
    call_token_value: int = 0
    token_id: int = 0


@frozen
class RawContract:
    """A contract that we do not (yet) read, kept byte for byte."""

    type: int
    type_url: str
    value: bytes


Contract = Transfer | Trigger | RawContract

TRANSFER: Final = 1
TRIGGER: Final = 31


def encode(contract: Contract) -> tuple[int, str, bytes]:
    """Give (ContractType number, type_url, value) for Transaction.Contract."""
    match contract:
        case Transfer():
            transfer = pb.TransferContract(
                owner_address=contract.owner.raw,
                to_address=contract.to.raw,
                amount=contract.amount,
            )
            return TRANSFER, _url("TransferContract"), transfer.SerializeToString()
        case Trigger():
            trigger = pb.TriggerSmartContract(
                owner_address=contract.owner.raw,
                contract_address=contract.contract.raw,
                data=contract.data,
                call_value=contract.call_value,
                call_token_value=contract.call_token_value,
                token_id=contract.token_id,
            )
            return TRIGGER, _url("TriggerSmartContract"), trigger.SerializeToString()
        case RawContract():
            return contract.type, contract.type_url, contract.value


def decode(number: int, type_url: str, value: bytes) -> Contract:
    """Read a contract; what is unknown or odd comes back as `RawContract`.

    "Odd" is what we could not write again byte for byte: unknown fields, addresses of
    another length (the genesis block has such owners), non-canonical encodings.
    """
    raw = RawContract(number, type_url, value)
    try:
        contract = _read(number, value)
    except (ValueError, InvalidAddress):
        return raw
    if contract is None or encode(contract) != (number, type_url, value):
        return raw
    return contract


def _read(number: int, value: bytes) -> Contract | None:
    # DecodeError of the protobuf runtime is a ValueError.
    if number == TRANSFER:
        transfer = pb.TransferContract.FromString(value)
        return Transfer(
            Address(transfer.owner_address),
            Address(transfer.to_address),
            Sun(transfer.amount),
        )
    if number == TRIGGER:
        trigger = pb.TriggerSmartContract.FromString(value)
        return Trigger(
            Address(trigger.owner_address),
            Address(trigger.contract_address),
            data=trigger.data,
            call_value=Sun(trigger.call_value),
            call_token_value=trigger.call_token_value,
            token_id=trigger.token_id,
        )
    return None


def _url(name: str) -> str:
    return TYPE_URL_PREFIX + name
