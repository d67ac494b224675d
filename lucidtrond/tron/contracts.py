"""What a transaction asks for: a class for each contract, `RawContract` for the rest.

Left out on purpose: ShieldedTransferContract (51), which no network accepts any more;
it stays raw, as CustomContract (20) and GetContract (32), which have no message.
"""

import contextlib
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any, Final

from google.protobuf.message import Message
from msgspec import Struct

from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.address import PREFIX, SIZE, Address
from lucidtrond.tron.contractfields import fill, read
from lucidtrond.tron.contracts_account import (
    AccountCreate,
    AccountPermissionUpdate,
    AccountUpdate,
    SetAccountId,
)
from lucidtrond.tron.contracts_smart import (
    ClearAbi,
    CreateSmart,
    Trigger,
    UpdateEnergyLimit,
    UpdateSetting,
)
from lucidtrond.tron.contracts_stake import (
    CancelAllUnfreezeV2,
    DelegateResource,
    FreezeBalance,
    FreezeBalanceV2,
    Transfer,
    UnDelegateResource,
    UnfreezeBalance,
    UnfreezeBalanceV2,
    VoteWitness,
    WithdrawBalance,
    WithdrawExpireUnfreeze,
)
from lucidtrond.tron.contracts_token import (
    AssetIssue,
    ExchangeCreate,
    ExchangeInject,
    ExchangeTransaction,
    ExchangeWithdraw,
    MarketCancelOrder,
    MarketSellAsset,
    ParticipateAssetIssue,
    TransferAsset,
    UnfreezeAsset,
    UpdateAsset,
    VoteAsset,
)
from lucidtrond.tron.contracts_witness import (
    ProposalApprove,
    ProposalCreate,
    ProposalDelete,
    UpdateBrokerage,
    WitnessCreate,
    WitnessUpdate,
)
from lucidtrond.tron.wirebytes import MalformedMessage, parse, walk

__all__ = [
    "TRANSFER",
    "TRIGGER",
    "TYPE_URL_PREFIX",
    "AccountCreate",
    "AccountPermissionUpdate",
    "AccountUpdate",
    "AssetIssue",
    "CancelAllUnfreezeV2",
    "ClearAbi",
    "Contract",
    "CreateSmart",
    "DelegateResource",
    "ExchangeCreate",
    "ExchangeInject",
    "ExchangeTransaction",
    "ExchangeWithdraw",
    "FreezeBalance",
    "FreezeBalanceV2",
    "KnownContract",
    "MarketCancelOrder",
    "MarketSellAsset",
    "ParticipateAssetIssue",
    "ProposalApprove",
    "ProposalCreate",
    "ProposalDelete",
    "RawContract",
    "SetAccountId",
    "Transfer",
    "TransferAsset",
    "Trigger",
    "UnDelegateResource",
    "UnfreezeAsset",
    "UnfreezeBalance",
    "UnfreezeBalanceV2",
    "UpdateAsset",
    "UpdateBrokerage",
    "UpdateEnergyLimit",
    "UpdateSetting",
    "VoteAsset",
    "VoteWitness",
    "WithdrawBalance",
    "WithdrawExpireUnfreeze",
    "WitnessCreate",
    "WitnessUpdate",
    "addresses_in",
    "decode",
    "encode",
    "owner_of",
]

HOST: Final = "type.googleapis.com/"
"""What java-tron writes in front of a name; any text will do for reading."""
PACKAGE: Final = "protocol."
TYPE_URL_PREFIX: Final = HOST + PACKAGE


class RawContract(Struct, frozen=True):
    """A contract that we do not read, kept byte for byte."""

    type: int
    type_url: str
    value: bytes


KnownContract = (
    AccountCreate
    | AccountPermissionUpdate
    | AccountUpdate
    | AssetIssue
    | CancelAllUnfreezeV2
    | ClearAbi
    | CreateSmart
    | DelegateResource
    | ExchangeCreate
    | ExchangeInject
    | ExchangeTransaction
    | ExchangeWithdraw
    | FreezeBalance
    | FreezeBalanceV2
    | MarketCancelOrder
    | MarketSellAsset
    | ParticipateAssetIssue
    | ProposalApprove
    | ProposalCreate
    | ProposalDelete
    | SetAccountId
    | Transfer
    | TransferAsset
    | Trigger
    | UnDelegateResource
    | UnfreezeAsset
    | UnfreezeBalance
    | UnfreezeBalanceV2
    | UpdateAsset
    | UpdateBrokerage
    | UpdateEnergyLimit
    | UpdateSetting
    | VoteAsset
    | VoteWitness
    | WithdrawBalance
    | WithdrawExpireUnfreeze
    | WitnessCreate
    | WitnessUpdate
)
Contract = KnownContract | RawContract

TRANSFER: Final = 1
TRIGGER: Final = 31


class _Kind(Struct, frozen=True):
    number: int
    name: str
    """With its package, as `type_url` ends."""
    struct: type[KnownContract]
    message: type[Message]


def _kind(
    name: str, struct: type[KnownContract], message: type[Message]
) -> tuple[int, _Kind]:
    number = pb.Transaction.Contract.ContractType.Value(name)
    return number, _Kind(number, PACKAGE + name, struct, message)


_KINDS: Final = MappingProxyType(
    dict(
        _kind(message.DESCRIPTOR.name, struct, message)
        for struct, message in (
            (AccountCreate, pb.AccountCreateContract),
            (AccountPermissionUpdate, pb.AccountPermissionUpdateContract),
            (AccountUpdate, pb.AccountUpdateContract),
            (AssetIssue, pb.AssetIssueContract),
            (CancelAllUnfreezeV2, pb.CancelAllUnfreezeV2Contract),
            (ClearAbi, pb.ClearABIContract),
            (CreateSmart, pb.CreateSmartContract),
            (DelegateResource, pb.DelegateResourceContract),
            (ExchangeCreate, pb.ExchangeCreateContract),
            (ExchangeInject, pb.ExchangeInjectContract),
            (ExchangeTransaction, pb.ExchangeTransactionContract),
            (ExchangeWithdraw, pb.ExchangeWithdrawContract),
            (FreezeBalance, pb.FreezeBalanceContract),
            (FreezeBalanceV2, pb.FreezeBalanceV2Contract),
            (MarketCancelOrder, pb.MarketCancelOrderContract),
            (MarketSellAsset, pb.MarketSellAssetContract),
            (ParticipateAssetIssue, pb.ParticipateAssetIssueContract),
            (ProposalApprove, pb.ProposalApproveContract),
            (ProposalCreate, pb.ProposalCreateContract),
            (ProposalDelete, pb.ProposalDeleteContract),
            (SetAccountId, pb.SetAccountIdContract),
            (Transfer, pb.TransferContract),
            (TransferAsset, pb.TransferAssetContract),
            (Trigger, pb.TriggerSmartContract),
            (UnDelegateResource, pb.UnDelegateResourceContract),
            (UnfreezeAsset, pb.UnfreezeAssetContract),
            (UnfreezeBalance, pb.UnfreezeBalanceContract),
            (UnfreezeBalanceV2, pb.UnfreezeBalanceV2Contract),
            (UpdateAsset, pb.UpdateAssetContract),
            (UpdateBrokerage, pb.UpdateBrokerageContract),
            (UpdateEnergyLimit, pb.UpdateEnergyLimitContract),
            (UpdateSetting, pb.UpdateSettingContract),
            (VoteAsset, pb.VoteAssetContract),
            (VoteWitness, pb.VoteWitnessContract),
            (WithdrawBalance, pb.WithdrawBalanceContract),
            (WithdrawExpireUnfreeze, pb.WithdrawExpireUnfreezeContract),
            (WitnessCreate, pb.WitnessCreateContract),
            (WitnessUpdate, pb.WitnessUpdateContract),
        )
    )
)
_KIND_OF: Final = MappingProxyType({kind.struct: kind for kind in _KINDS.values()})


def encode(contract: Contract) -> tuple[int, str, bytes]:
    """Give (ContractType number, type_url, value) for Transaction.Contract.

    Raises:
        ValueError: a number that its field can't hold.
    """
    if isinstance(contract, RawContract):
        return contract.type, contract.type_url, contract.value
    kind = _KIND_OF[type(contract)]
    message = kind.message()
    fill(message, contract)
    type_url = HOST + kind.name
    return kind.number, type_url, message.SerializeToString(deterministic=True)


def decode(number: int, type_url: str, value: bytes) -> Contract:
    """Read a contract as the network reads it; what it could not execute is raw.

    *value* is any protobuf of the message: fields in any order, a field twice (the
    last counts, messages merge), defaults written out, unknown fields, long varints.
    So `encode` need not give back the same bytes. Type and name must agree; of
    *type_url* only what follows its last ``/`` is a name, and there must be one
    (Any.is). Raw stay unknown types, values that are no message, addresses that are
    none (the genesis block has such owners), numbers outside their enum.
    """
    message = _unpack(number, type_url, value)
    if message is not None:
        with contextlib.suppress(ValueError):
            return read(_KINDS[number].struct, message)
    return RawContract(number, type_url, value)


def _unpack(number: int, type_url: str, value: bytes) -> Message | None:
    kind = _KINDS.get(number)
    _, slash, name = type_url.rpartition("/")
    if kind is None or not slash or name != kind.name:
        return None
    try:
        return parse(kind.message, value)
    except MalformedMessage:
        return None


def owner_of(contract: Contract) -> Address | None:
    """Who pays and signs; None when that can't be read."""
    match contract:
        case AccountPermissionUpdate():
            return contract.owner_address
        case RawContract():
            message = _unpack(contract.type, contract.type_url, contract.value)
            owner: bytes = getattr(message, "owner_address", b"")
            return Address(owner) if _looks_like_address(owner) else None
        case _:
            return contract.owner


def addresses_in(contract: Contract) -> frozenset[Address]:
    """All addresses that a contract names; of a raw one, those that look like one."""
    if isinstance(contract, RawContract):
        return frozenset(_addresses_in_bytes(contract.value))
    return frozenset(_addresses_in_value(contract))


def _addresses_in_value(value: Any) -> Iterator[Address]:
    if isinstance(value, Address):
        yield value
    elif isinstance(value, tuple):
        for element in value:
            yield from _addresses_in_value(element)
    elif isinstance(value, Struct):
        for name in value.__struct_fields__:
            yield from _addresses_in_value(getattr(value, name))


def _addresses_in_bytes(value: bytes) -> Iterator[Address]:
    try:
        for _, content in walk(value):
            if isinstance(content, bytes) and _looks_like_address(content):
                yield Address(content)
    except MalformedMessage:
        return


def _looks_like_address(content: bytes) -> bool:
    return len(content) == SIZE and content[0] == PREFIX
