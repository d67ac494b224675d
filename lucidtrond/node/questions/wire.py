"""A node's JSON as it is: foreign names, nothing checked yet. Pure.

Unknown fields are skipped (JsonFormat's keys change with every release), absent ones
are proto3's defaults. What the JSON says of a transaction's contents (``raw_data``) is
not used: `translate` goes by ``raw_data_hex``. Its amounts are read to be compared.

``{}`` is java's "there is none"; an object that has none of the fields we know and is
not ``{}`` is something else's answer, see `is_empty`.
"""

from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import field

T = TypeVar("T")

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""What protobuf's int64 can hold; anything beyond is not from a node."""
Name = str | int
"""An enum's name; a number where the node itself does not know the name."""

_BLANKS: Final = b" \t\r\n"


class Wire(msgspec.Struct, frozen=True, gc=False):
    """Tolerant; holds no cycles, so the collector need not look at it."""


class Answer(Wire, frozen=True, gc=False):
    """What may come in place of any answer, with status 200."""

    error: object = field(name="Error", default=None)
    error_of_gateway: object = field(name="error", default=None)


class HeaderRaw(Wire, frozen=True, gc=False):
    """BlockHeader.raw."""

    number: Int64 = 0
    tx_trie_root: str = field(name="txTrieRoot", default="")
    witness_address: str = ""
    parent_hash: str = field(name="parentHash", default="")
    version: Int64 = 0
    timestamp: Int64 = 0
    witness_id: Int64 = 0
    account_state_root: str = field(name="accountStateRoot", default="")


class Header(Wire, frozen=True, gc=False):
    """BlockHeader."""

    raw_data: HeaderRaw = HeaderRaw()
    witness_signature: str = ""


class OrderDetail(Wire, frozen=True, gc=False):
    """MarketOrderDetail."""

    maker_order_id: str = field(name="makerOrderId", default="")
    taker_order_id: str = field(name="takerOrderId", default="")
    fill_sell_quantity: Int64 = field(name="fillSellQuantity", default=0)
    fill_buy_quantity: Int64 = field(name="fillBuyQuantity", default=0)


class AmountEntry(Wire, frozen=True, gc=False):
    """One entry of a map of amounts."""

    key: str = ""
    value: Int64 = 0


class Result(Wire, frozen=True, gc=False):
    """Transaction.Result of a stored transaction: all that java-tron has a name for,
    since the block's root covers it."""

    contract_ret: Name = field(name="contractRet", default=0)
    ret: Name = 0
    fee: Int64 = 0
    asset_issue_id: str = field(name="assetIssueID", default="")
    withdraw_amount: Int64 = 0
    unfreeze_amount: Int64 = 0
    exchange_received_amount: Int64 = 0
    exchange_inject_another_amount: Int64 = 0
    exchange_withdraw_another_amount: Int64 = 0
    exchange_id: Int64 = 0
    shielded_transaction_fee: Int64 = 0
    order_id: str = field(name="orderId", default="")
    order_details: tuple[OrderDetail, ...] = field(name="orderDetails", default=())
    withdraw_expire_amount: Int64 = 0
    cancel_unfreeze_v2_amount: tuple[AmountEntry, ...] = field(
        name="cancel_unfreezeV2_amount", default=()
    )


class ValueJson(Wire, frozen=True, gc=False):
    """What a contract moves, as printed; absent, or of any type, in foreign kinds."""

    amount: object = None
    call_value: object = None
    data: object = None


class ParameterJson(Wire, frozen=True, gc=False):
    """google.protobuf.Any."""

    value: ValueJson = ValueJson()


class ContractJson(Wire, frozen=True, gc=False):
    """Transaction.Contract."""

    parameter: ParameterJson = ParameterJson()


class RawJson(Wire, frozen=True, gc=False):
    """Transaction.raw."""

    contract: tuple[ContractJson, ...] = ()


class TransactionJson(Answer, frozen=True, gc=False):
    """A transaction, in a block or alone."""

    txid: str = field(name="txID", default="")
    raw_data: RawJson = RawJson()
    raw_data_hex: str = ""
    signature: tuple[str, ...] = ()
    ret: tuple[Result, ...] = ()


class BlockJson(Answer, frozen=True, gc=False):
    """A block, with its transactions or without."""

    block_id: str = field(name="blockID", default="")
    block_header: Header | None = None
    transactions: tuple[TransactionJson, ...] = ()


class BlockList(Answer, frozen=True, gc=False):
    """getblockbylimitnext."""

    block: tuple[BlockJson, ...] | None = None


class Cost(Wire, frozen=True, gc=False):
    """ResourceReceipt."""

    energy_usage: Int64 = 0
    energy_fee: Int64 = 0
    origin_energy_usage: Int64 = 0
    energy_usage_total: Int64 = 0
    net_usage: Int64 = 0
    net_fee: Int64 = 0
    result: Name | None = None
    energy_penalty_total: Int64 = 0


class LogJson(Wire, frozen=True, gc=False):
    """TransactionInfo.Log; the address comes without its 41."""

    address: str = ""
    topics: tuple[str, ...] = ()
    data: str = ""


class CallValue(Wire, frozen=True, gc=False):
    """InternalTransaction.CallValueInfo."""

    call_value: Int64 = field(name="callValue", default=0)
    token_id: str = field(name="tokenId", default="")


class InternalJson(Wire, frozen=True, gc=False):
    """InternalTransaction."""

    hash: str = ""
    caller_address: str = ""
    transfer_to_address: str = field(name="transferTo_address", default="")
    call_value_info: tuple[CallValue, ...] = field(name="callValueInfo", default=())
    note: str = ""
    rejected: bool = False


class InfoJson(Answer, frozen=True, gc=False):
    """TransactionInfo."""

    id: str = ""
    fee: Int64 = 0
    block_number: Int64 = field(name="blockNumber", default=0)
    block_timestamp: Int64 = field(name="blockTimeStamp", default=0)
    contract_result: tuple[str, ...] = field(name="contractResult", default=())
    contract_address: str = ""
    receipt: Cost = Cost()
    log: tuple[LogJson, ...] = ()
    result: Name | None = None
    res_message: str = field(name="resMessage", default="")
    internal_transactions: tuple[InternalJson, ...] = ()


class Frozen(Wire, frozen=True, gc=False):
    """Stake 1.0."""

    frozen_balance: Int64 = 0


class FrozenV2(Wire, frozen=True, gc=False):
    """Stake 2.0; no type is BANDWIDTH (enum 0)."""

    type: Name = "BANDWIDTH"
    amount: Int64 = 0


class AccountResource(Wire, frozen=True, gc=False):
    """Account.AccountResource."""

    frozen_balance_for_energy: Frozen = Frozen()


class KeyJson(Wire, frozen=True, gc=False):
    """Key."""

    address: str = ""


class PermissionJson(Wire, frozen=True, gc=False):
    """Permission."""

    keys: tuple[KeyJson, ...] = ()


class AccountJson(Answer, frozen=True, gc=False):
    """Account."""

    address: str = ""
    type: Name = "Normal"
    balance: Int64 = 0
    create_time: Int64 | None = None
    frozen: tuple[Frozen, ...] = ()
    frozen_v2: tuple[FrozenV2, ...] = field(name="frozenV2", default=())
    account_resource: AccountResource = AccountResource()
    witness_permission: PermissionJson = PermissionJson()


class ResourcesJson(Answer, frozen=True, gc=False):
    """AccountResourceMessage."""

    free_net_used: Int64 = field(name="freeNetUsed", default=0)
    free_net_limit: Int64 = field(name="freeNetLimit", default=0)
    net_used: Int64 = field(name="NetUsed", default=0)
    net_limit: Int64 = field(name="NetLimit", default=0)
    energy_used: Int64 = field(name="EnergyUsed", default=0)
    energy_limit: Int64 = field(name="EnergyLimit", default=0)
    total_net_limit: Int64 = field(name="TotalNetLimit", default=0)
    """The chain's: says that this is such an answer at all."""


class Parameter(Wire, frozen=True, gc=False):
    """ChainParameters.ChainParameter."""

    key: str = ""
    value: Int64 = 0


class ParametersJson(Answer, frozen=True, gc=False):
    """getchainparameters."""

    chain_parameter: tuple[Parameter, ...] = field(name="chainParameter", default=())


class WitnessJson(Wire, frozen=True, gc=False):
    """Witness; false is left out."""

    address: str = ""
    is_jobs: bool = field(name="isJobs", default=False)


class WitnessesJson(Answer, frozen=True, gc=False):
    """listwitnesses."""

    witnesses: tuple[WitnessJson, ...] = ()


class ConfigNodeInfo(Wire, frozen=True, gc=False):
    """Part of getnodeinfo."""

    code_version: str = field(name="codeVersion", default="")


class NodeInfoJson(Answer, frozen=True, gc=False):
    """getnodeinfo; ``Num:N,ID:hex`` for blocks."""

    block: str = ""
    solidity_block: str = field(name="solidityBlock", default="")
    current_connect_count: Int64 = field(name="currentConnectCount", default=0)
    config_node_info: ConfigNodeInfo = field(
        name="configNodeInfo", default=ConfigNodeInfo()
    )


class BroadcastJson(Answer, frozen=True, gc=False):
    """broadcasthex and broadcasttransaction."""

    result: bool = False
    code: Name | None = None
    message: str = ""
    txid: str = ""


class SmartContractJson(Answer, frozen=True, gc=False):
    """getcontract; the ABI and the code are not read. 0 percent is left out."""

    origin_address: str = ""
    contract_address: str = ""
    consume_user_resource_percent: Int64 = 0
    origin_energy_limit: Int64 = 0


class CallResult(Wire, frozen=True, gc=False):
    """Return; *message* is hex."""

    result: bool = False
    code: Name | None = None
    message: str = ""


class ConstantJson(Answer, frozen=True, gc=False):
    """triggerconstantcontract."""

    outcome: CallResult | None = field(name="result", default=None)
    energy_used: Int64 = 0
    energy_penalty: Int64 = 0
    constant_result: tuple[str, ...] = ()
    logs: tuple[LogJson, ...] = ()
    """Left out by a node when there are none."""


def is_empty(body: bytes) -> bool:
    """Whether the answer is ``{}`` and nothing else."""
    return len(body) < 64 and body.translate(None, _BLANKS) == b"{}"
