"""What a transaction asks for: a class for each contract, `RawContract` for the rest.

Left out on purpose: ShieldedTransferContract (51), which no network accepts any more;
it stays raw, as CustomContract (20) and GetContract (32), which have no message.
"""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any, Final

from google.protobuf.message import DecodeError, Message
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
from lucidtrond.tron.wirebytes import MalformedMessage, walk

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

TYPE_URL_PREFIX: Final = "type.googleapis.com/protocol."


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
    type_url: str
    made: type[KnownContract]
    message: type[Message]


def _kind(
    name: str, made: type[KnownContract], message: type[Message]
) -> tuple[int, _Kind]:
    number = pb.Transaction.Contract.ContractType.Value(name)
    return number, _Kind(number, TYPE_URL_PREFIX + name, made, message)


_KINDS: Final = MappingProxyType(
    dict(
        _kind(message.DESCRIPTOR.name, made, message)
        for made, message in (
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
_KIND_OF: Final = MappingProxyType({kind.made: kind for kind in _KINDS.values()})


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
    return kind.number, kind.type_url, message.SerializeToString(deterministic=True)


def decode(number: int, type_url: str, value: bytes) -> Contract:
    """Read a contract; what is unknown or odd comes back as `RawContract`.

    "Odd" is what we could not write again byte for byte: unknown fields, addresses of
    another length (the genesis block has such owners), non-canonical encodings.
    """
    raw = RawContract(number, type_url, value)
    kind = _KINDS.get(number)
    if kind is None or type_url != kind.type_url:
        return raw
    try:
        contract = read(kind.made, kind.message.FromString(value))
    except (DecodeError, ValueError):
        return raw
    return contract if encode(contract) == (number, type_url, value) else raw


def owner_of(contract: Contract) -> Address | None:
    """Who pays and signs; None when that can't be read."""
    match contract:
        case AccountPermissionUpdate():
            return contract.owner_address
        case RawContract():
            return None
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
        for each in value:
            yield from _addresses_in_value(each)
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
