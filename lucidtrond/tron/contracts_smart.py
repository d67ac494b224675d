"""Contracts about smart contracts: deploying, calling, settings."""

from enum import IntEnum

from msgspec import Struct

from lucidtrond.tron.address import Address
from lucidtrond.tron.units import Sun


class EntryType(IntEnum):
    """What an ABI entry describes."""

    UNKNOWN = 0
    CONSTRUCTOR = 1
    FUNCTION = 2
    EVENT = 3
    FALLBACK = 4
    RECEIVE = 5
    ERROR = 6


class StateMutability(IntEnum):
    """What a function may do."""

    UNKNOWN = 0
    PURE = 1
    VIEW = 2
    NONPAYABLE = 3
    PAYABLE = 4


class AbiParameter(Struct, frozen=True):
    """One input or output."""

    type: str
    name: str = ""
    indexed: bool = False


class AbiEntry(Struct, frozen=True):
    """One function, event, error."""

    type: EntryType
    name: str = ""
    inputs: tuple[AbiParameter, ...] = ()
    outputs: tuple[AbiParameter, ...] = ()
    constant: bool = False
    payable: bool = False
    anonymous: bool = False
    statemutability: StateMutability = StateMutability.UNKNOWN


class ContractAbi(Struct, frozen=True):
    """All entries (spelled so in the protocol)."""

    entrys: tuple[AbiEntry, ...] = ()


class NewContract(Struct, frozen=True):
    """SmartContract, as a deployment states it."""

    bytecode: bytes
    origin: Address | None = None
    contract: Address | None = None
    abi: ContractAbi | None = None
    call_value: Sun = Sun(0)
    consume_user_resource_percent: int = 0
    name: str = ""
    origin_energy_limit: int = 0
    code_hash: bytes = b""
    trx_hash: bytes = b""
    version: int = 0


class CreateSmart(Struct, frozen=True):
    """CreateSmartContract (30): deploy."""

    owner: Address
    new_contract: NewContract | None
    call_token_value: int = 0
    token_id: int = 0


class Trigger(Struct, frozen=True):
    """TriggerSmartContract (31): call *contract* with *data*.

    *call_value* is sun; *call_token_value* and *token_id* name a TRC-10 sent along.
    """

    owner: Address
    contract: Address
    data: bytes = b""
    call_value: Sun = Sun(0)
    call_token_value: int = 0
    token_id: int = 0


class UpdateSetting(Struct, frozen=True):
    """UpdateSettingContract (33): the caller's share of the energy, in percent."""

    owner: Address
    contract: Address
    consume_user_resource_percent: int


class UpdateEnergyLimit(Struct, frozen=True):
    """UpdateEnergyLimitContract (45): the most that the creator pays per call."""

    owner: Address
    contract: Address
    origin_energy_limit: int


class ClearAbi(Struct, frozen=True):
    """ClearABIContract (48)."""

    owner: Address
    contract: Address
