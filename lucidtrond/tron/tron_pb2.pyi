from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AccountType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    Normal: _ClassVar[AccountType]
    AssetIssue: _ClassVar[AccountType]
    Contract: _ClassVar[AccountType]

class ResourceCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BANDWIDTH: _ClassVar[ResourceCode]
    ENERGY: _ClassVar[ResourceCode]
    TRON_POWER: _ClassVar[ResourceCode]
Normal: AccountType
AssetIssue: AccountType
Contract: AccountType
BANDWIDTH: ResourceCode
ENERGY: ResourceCode
TRON_POWER: ResourceCode

class Any(_message.Message):
    __slots__ = ("type_url", "value")
    TYPE_URL_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    type_url: str
    value: bytes
    def __init__(self, type_url: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...

class AccountId(_message.Message):
    __slots__ = ("name", "address")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    name: bytes
    address: bytes
    def __init__(self, name: _Optional[bytes] = ..., address: _Optional[bytes] = ...) -> None: ...

class authority(_message.Message):
    __slots__ = ("account", "permission_name")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    PERMISSION_NAME_FIELD_NUMBER: _ClassVar[int]
    account: AccountId
    permission_name: bytes
    def __init__(self, account: _Optional[_Union[AccountId, _Mapping]] = ..., permission_name: _Optional[bytes] = ...) -> None: ...

class Key(_message.Message):
    __slots__ = ("address", "weight")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    address: bytes
    weight: int
    def __init__(self, address: _Optional[bytes] = ..., weight: _Optional[int] = ...) -> None: ...

class Permission(_message.Message):
    __slots__ = ("type", "id", "permission_name", "threshold", "parent_id", "operations", "keys")
    class PermissionType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        Owner: _ClassVar[Permission.PermissionType]
        Witness: _ClassVar[Permission.PermissionType]
        Active: _ClassVar[Permission.PermissionType]
    Owner: Permission.PermissionType
    Witness: Permission.PermissionType
    Active: Permission.PermissionType
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    PERMISSION_NAME_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    type: Permission.PermissionType
    id: int
    permission_name: str
    threshold: int
    parent_id: int
    operations: bytes
    keys: _containers.RepeatedCompositeFieldContainer[Key]
    def __init__(self, type: _Optional[_Union[Permission.PermissionType, str]] = ..., id: _Optional[int] = ..., permission_name: _Optional[str] = ..., threshold: _Optional[int] = ..., parent_id: _Optional[int] = ..., operations: _Optional[bytes] = ..., keys: _Optional[_Iterable[_Union[Key, _Mapping]]] = ...) -> None: ...

class MarketOrderDetail(_message.Message):
    __slots__ = ("makerOrderId", "takerOrderId", "fillSellQuantity", "fillBuyQuantity")
    MAKERORDERID_FIELD_NUMBER: _ClassVar[int]
    TAKERORDERID_FIELD_NUMBER: _ClassVar[int]
    FILLSELLQUANTITY_FIELD_NUMBER: _ClassVar[int]
    FILLBUYQUANTITY_FIELD_NUMBER: _ClassVar[int]
    makerOrderId: bytes
    takerOrderId: bytes
    fillSellQuantity: int
    fillBuyQuantity: int
    def __init__(self, makerOrderId: _Optional[bytes] = ..., takerOrderId: _Optional[bytes] = ..., fillSellQuantity: _Optional[int] = ..., fillBuyQuantity: _Optional[int] = ...) -> None: ...

class Transaction(_message.Message):
    __slots__ = ("raw_data", "signature", "ret")
    class Contract(_message.Message):
        __slots__ = ("type", "parameter", "provider", "ContractName", "Permission_id")
        class ContractType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            AccountCreateContract: _ClassVar[Transaction.Contract.ContractType]
            TransferContract: _ClassVar[Transaction.Contract.ContractType]
            TransferAssetContract: _ClassVar[Transaction.Contract.ContractType]
            VoteAssetContract: _ClassVar[Transaction.Contract.ContractType]
            VoteWitnessContract: _ClassVar[Transaction.Contract.ContractType]
            WitnessCreateContract: _ClassVar[Transaction.Contract.ContractType]
            AssetIssueContract: _ClassVar[Transaction.Contract.ContractType]
            WitnessUpdateContract: _ClassVar[Transaction.Contract.ContractType]
            ParticipateAssetIssueContract: _ClassVar[Transaction.Contract.ContractType]
            AccountUpdateContract: _ClassVar[Transaction.Contract.ContractType]
            FreezeBalanceContract: _ClassVar[Transaction.Contract.ContractType]
            UnfreezeBalanceContract: _ClassVar[Transaction.Contract.ContractType]
            WithdrawBalanceContract: _ClassVar[Transaction.Contract.ContractType]
            UnfreezeAssetContract: _ClassVar[Transaction.Contract.ContractType]
            UpdateAssetContract: _ClassVar[Transaction.Contract.ContractType]
            ProposalCreateContract: _ClassVar[Transaction.Contract.ContractType]
            ProposalApproveContract: _ClassVar[Transaction.Contract.ContractType]
            ProposalDeleteContract: _ClassVar[Transaction.Contract.ContractType]
            SetAccountIdContract: _ClassVar[Transaction.Contract.ContractType]
            CustomContract: _ClassVar[Transaction.Contract.ContractType]
            CreateSmartContract: _ClassVar[Transaction.Contract.ContractType]
            TriggerSmartContract: _ClassVar[Transaction.Contract.ContractType]
            GetContract: _ClassVar[Transaction.Contract.ContractType]
            UpdateSettingContract: _ClassVar[Transaction.Contract.ContractType]
            ExchangeCreateContract: _ClassVar[Transaction.Contract.ContractType]
            ExchangeInjectContract: _ClassVar[Transaction.Contract.ContractType]
            ExchangeWithdrawContract: _ClassVar[Transaction.Contract.ContractType]
            ExchangeTransactionContract: _ClassVar[Transaction.Contract.ContractType]
            UpdateEnergyLimitContract: _ClassVar[Transaction.Contract.ContractType]
            AccountPermissionUpdateContract: _ClassVar[Transaction.Contract.ContractType]
            ClearABIContract: _ClassVar[Transaction.Contract.ContractType]
            UpdateBrokerageContract: _ClassVar[Transaction.Contract.ContractType]
            ShieldedTransferContract: _ClassVar[Transaction.Contract.ContractType]
            MarketSellAssetContract: _ClassVar[Transaction.Contract.ContractType]
            MarketCancelOrderContract: _ClassVar[Transaction.Contract.ContractType]
            FreezeBalanceV2Contract: _ClassVar[Transaction.Contract.ContractType]
            UnfreezeBalanceV2Contract: _ClassVar[Transaction.Contract.ContractType]
            WithdrawExpireUnfreezeContract: _ClassVar[Transaction.Contract.ContractType]
            DelegateResourceContract: _ClassVar[Transaction.Contract.ContractType]
            UnDelegateResourceContract: _ClassVar[Transaction.Contract.ContractType]
            CancelAllUnfreezeV2Contract: _ClassVar[Transaction.Contract.ContractType]
        AccountCreateContract: Transaction.Contract.ContractType
        TransferContract: Transaction.Contract.ContractType
        TransferAssetContract: Transaction.Contract.ContractType
        VoteAssetContract: Transaction.Contract.ContractType
        VoteWitnessContract: Transaction.Contract.ContractType
        WitnessCreateContract: Transaction.Contract.ContractType
        AssetIssueContract: Transaction.Contract.ContractType
        WitnessUpdateContract: Transaction.Contract.ContractType
        ParticipateAssetIssueContract: Transaction.Contract.ContractType
        AccountUpdateContract: Transaction.Contract.ContractType
        FreezeBalanceContract: Transaction.Contract.ContractType
        UnfreezeBalanceContract: Transaction.Contract.ContractType
        WithdrawBalanceContract: Transaction.Contract.ContractType
        UnfreezeAssetContract: Transaction.Contract.ContractType
        UpdateAssetContract: Transaction.Contract.ContractType
        ProposalCreateContract: Transaction.Contract.ContractType
        ProposalApproveContract: Transaction.Contract.ContractType
        ProposalDeleteContract: Transaction.Contract.ContractType
        SetAccountIdContract: Transaction.Contract.ContractType
        CustomContract: Transaction.Contract.ContractType
        CreateSmartContract: Transaction.Contract.ContractType
        TriggerSmartContract: Transaction.Contract.ContractType
        GetContract: Transaction.Contract.ContractType
        UpdateSettingContract: Transaction.Contract.ContractType
        ExchangeCreateContract: Transaction.Contract.ContractType
        ExchangeInjectContract: Transaction.Contract.ContractType
        ExchangeWithdrawContract: Transaction.Contract.ContractType
        ExchangeTransactionContract: Transaction.Contract.ContractType
        UpdateEnergyLimitContract: Transaction.Contract.ContractType
        AccountPermissionUpdateContract: Transaction.Contract.ContractType
        ClearABIContract: Transaction.Contract.ContractType
        UpdateBrokerageContract: Transaction.Contract.ContractType
        ShieldedTransferContract: Transaction.Contract.ContractType
        MarketSellAssetContract: Transaction.Contract.ContractType
        MarketCancelOrderContract: Transaction.Contract.ContractType
        FreezeBalanceV2Contract: Transaction.Contract.ContractType
        UnfreezeBalanceV2Contract: Transaction.Contract.ContractType
        WithdrawExpireUnfreezeContract: Transaction.Contract.ContractType
        DelegateResourceContract: Transaction.Contract.ContractType
        UnDelegateResourceContract: Transaction.Contract.ContractType
        CancelAllUnfreezeV2Contract: Transaction.Contract.ContractType
        TYPE_FIELD_NUMBER: _ClassVar[int]
        PARAMETER_FIELD_NUMBER: _ClassVar[int]
        PROVIDER_FIELD_NUMBER: _ClassVar[int]
        CONTRACTNAME_FIELD_NUMBER: _ClassVar[int]
        PERMISSION_ID_FIELD_NUMBER: _ClassVar[int]
        type: Transaction.Contract.ContractType
        parameter: Any
        provider: bytes
        ContractName: bytes
        Permission_id: int
        def __init__(self, type: _Optional[_Union[Transaction.Contract.ContractType, str]] = ..., parameter: _Optional[_Union[Any, _Mapping]] = ..., provider: _Optional[bytes] = ..., ContractName: _Optional[bytes] = ..., Permission_id: _Optional[int] = ...) -> None: ...
    class Result(_message.Message):
        __slots__ = ("fee", "ret", "contractRet", "assetIssueID", "withdraw_amount", "unfreeze_amount", "exchange_received_amount", "exchange_inject_another_amount", "exchange_withdraw_another_amount", "exchange_id", "shielded_transaction_fee", "orderId", "orderDetails", "withdraw_expire_amount", "cancel_unfreezeV2_amount")
        class code(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            SUCESS: _ClassVar[Transaction.Result.code]
            FAILED: _ClassVar[Transaction.Result.code]
        SUCESS: Transaction.Result.code
        FAILED: Transaction.Result.code
        class contractResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            DEFAULT: _ClassVar[Transaction.Result.contractResult]
            SUCCESS: _ClassVar[Transaction.Result.contractResult]
            REVERT: _ClassVar[Transaction.Result.contractResult]
            BAD_JUMP_DESTINATION: _ClassVar[Transaction.Result.contractResult]
            OUT_OF_MEMORY: _ClassVar[Transaction.Result.contractResult]
            PRECOMPILED_CONTRACT: _ClassVar[Transaction.Result.contractResult]
            STACK_TOO_SMALL: _ClassVar[Transaction.Result.contractResult]
            STACK_TOO_LARGE: _ClassVar[Transaction.Result.contractResult]
            ILLEGAL_OPERATION: _ClassVar[Transaction.Result.contractResult]
            STACK_OVERFLOW: _ClassVar[Transaction.Result.contractResult]
            OUT_OF_ENERGY: _ClassVar[Transaction.Result.contractResult]
            OUT_OF_TIME: _ClassVar[Transaction.Result.contractResult]
            JVM_STACK_OVER_FLOW: _ClassVar[Transaction.Result.contractResult]
            UNKNOWN: _ClassVar[Transaction.Result.contractResult]
            TRANSFER_FAILED: _ClassVar[Transaction.Result.contractResult]
            INVALID_CODE: _ClassVar[Transaction.Result.contractResult]
        DEFAULT: Transaction.Result.contractResult
        SUCCESS: Transaction.Result.contractResult
        REVERT: Transaction.Result.contractResult
        BAD_JUMP_DESTINATION: Transaction.Result.contractResult
        OUT_OF_MEMORY: Transaction.Result.contractResult
        PRECOMPILED_CONTRACT: Transaction.Result.contractResult
        STACK_TOO_SMALL: Transaction.Result.contractResult
        STACK_TOO_LARGE: Transaction.Result.contractResult
        ILLEGAL_OPERATION: Transaction.Result.contractResult
        STACK_OVERFLOW: Transaction.Result.contractResult
        OUT_OF_ENERGY: Transaction.Result.contractResult
        OUT_OF_TIME: Transaction.Result.contractResult
        JVM_STACK_OVER_FLOW: Transaction.Result.contractResult
        UNKNOWN: Transaction.Result.contractResult
        TRANSFER_FAILED: Transaction.Result.contractResult
        INVALID_CODE: Transaction.Result.contractResult
        class AmountEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: int
            def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
        FEE_FIELD_NUMBER: _ClassVar[int]
        RET_FIELD_NUMBER: _ClassVar[int]
        CONTRACTRET_FIELD_NUMBER: _ClassVar[int]
        ASSETISSUEID_FIELD_NUMBER: _ClassVar[int]
        WITHDRAW_AMOUNT_FIELD_NUMBER: _ClassVar[int]
        UNFREEZE_AMOUNT_FIELD_NUMBER: _ClassVar[int]
        EXCHANGE_RECEIVED_AMOUNT_FIELD_NUMBER: _ClassVar[int]
        EXCHANGE_INJECT_ANOTHER_AMOUNT_FIELD_NUMBER: _ClassVar[int]
        EXCHANGE_WITHDRAW_ANOTHER_AMOUNT_FIELD_NUMBER: _ClassVar[int]
        EXCHANGE_ID_FIELD_NUMBER: _ClassVar[int]
        SHIELDED_TRANSACTION_FEE_FIELD_NUMBER: _ClassVar[int]
        ORDERID_FIELD_NUMBER: _ClassVar[int]
        ORDERDETAILS_FIELD_NUMBER: _ClassVar[int]
        WITHDRAW_EXPIRE_AMOUNT_FIELD_NUMBER: _ClassVar[int]
        CANCEL_UNFREEZEV2_AMOUNT_FIELD_NUMBER: _ClassVar[int]
        fee: int
        ret: Transaction.Result.code
        contractRet: Transaction.Result.contractResult
        assetIssueID: str
        withdraw_amount: int
        unfreeze_amount: int
        exchange_received_amount: int
        exchange_inject_another_amount: int
        exchange_withdraw_another_amount: int
        exchange_id: int
        shielded_transaction_fee: int
        orderId: bytes
        orderDetails: _containers.RepeatedCompositeFieldContainer[MarketOrderDetail]
        withdraw_expire_amount: int
        cancel_unfreezeV2_amount: _containers.RepeatedCompositeFieldContainer[Transaction.Result.AmountEntry]
        def __init__(self, fee: _Optional[int] = ..., ret: _Optional[_Union[Transaction.Result.code, str]] = ..., contractRet: _Optional[_Union[Transaction.Result.contractResult, str]] = ..., assetIssueID: _Optional[str] = ..., withdraw_amount: _Optional[int] = ..., unfreeze_amount: _Optional[int] = ..., exchange_received_amount: _Optional[int] = ..., exchange_inject_another_amount: _Optional[int] = ..., exchange_withdraw_another_amount: _Optional[int] = ..., exchange_id: _Optional[int] = ..., shielded_transaction_fee: _Optional[int] = ..., orderId: _Optional[bytes] = ..., orderDetails: _Optional[_Iterable[_Union[MarketOrderDetail, _Mapping]]] = ..., withdraw_expire_amount: _Optional[int] = ..., cancel_unfreezeV2_amount: _Optional[_Iterable[_Union[Transaction.Result.AmountEntry, _Mapping]]] = ...) -> None: ...
    class raw(_message.Message):
        __slots__ = ("ref_block_bytes", "ref_block_num", "ref_block_hash", "expiration", "auths", "data", "contract", "scripts", "timestamp", "fee_limit")
        REF_BLOCK_BYTES_FIELD_NUMBER: _ClassVar[int]
        REF_BLOCK_NUM_FIELD_NUMBER: _ClassVar[int]
        REF_BLOCK_HASH_FIELD_NUMBER: _ClassVar[int]
        EXPIRATION_FIELD_NUMBER: _ClassVar[int]
        AUTHS_FIELD_NUMBER: _ClassVar[int]
        DATA_FIELD_NUMBER: _ClassVar[int]
        CONTRACT_FIELD_NUMBER: _ClassVar[int]
        SCRIPTS_FIELD_NUMBER: _ClassVar[int]
        TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
        FEE_LIMIT_FIELD_NUMBER: _ClassVar[int]
        ref_block_bytes: bytes
        ref_block_num: int
        ref_block_hash: bytes
        expiration: int
        auths: _containers.RepeatedCompositeFieldContainer[authority]
        data: bytes
        contract: _containers.RepeatedCompositeFieldContainer[Transaction.Contract]
        scripts: bytes
        timestamp: int
        fee_limit: int
        def __init__(self, ref_block_bytes: _Optional[bytes] = ..., ref_block_num: _Optional[int] = ..., ref_block_hash: _Optional[bytes] = ..., expiration: _Optional[int] = ..., auths: _Optional[_Iterable[_Union[authority, _Mapping]]] = ..., data: _Optional[bytes] = ..., contract: _Optional[_Iterable[_Union[Transaction.Contract, _Mapping]]] = ..., scripts: _Optional[bytes] = ..., timestamp: _Optional[int] = ..., fee_limit: _Optional[int] = ...) -> None: ...
    RAW_DATA_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    RET_FIELD_NUMBER: _ClassVar[int]
    raw_data: Transaction.raw
    signature: _containers.RepeatedScalarFieldContainer[bytes]
    ret: _containers.RepeatedCompositeFieldContainer[Transaction.Result]
    def __init__(self, raw_data: _Optional[_Union[Transaction.raw, _Mapping]] = ..., signature: _Optional[_Iterable[bytes]] = ..., ret: _Optional[_Iterable[_Union[Transaction.Result, _Mapping]]] = ...) -> None: ...

class BlockHeader(_message.Message):
    __slots__ = ("raw_data", "witness_signature")
    class raw(_message.Message):
        __slots__ = ("timestamp", "txTrieRoot", "parentHash", "number", "witness_id", "witness_address", "version", "accountStateRoot")
        TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
        TXTRIEROOT_FIELD_NUMBER: _ClassVar[int]
        PARENTHASH_FIELD_NUMBER: _ClassVar[int]
        NUMBER_FIELD_NUMBER: _ClassVar[int]
        WITNESS_ID_FIELD_NUMBER: _ClassVar[int]
        WITNESS_ADDRESS_FIELD_NUMBER: _ClassVar[int]
        VERSION_FIELD_NUMBER: _ClassVar[int]
        ACCOUNTSTATEROOT_FIELD_NUMBER: _ClassVar[int]
        timestamp: int
        txTrieRoot: bytes
        parentHash: bytes
        number: int
        witness_id: int
        witness_address: bytes
        version: int
        accountStateRoot: bytes
        def __init__(self, timestamp: _Optional[int] = ..., txTrieRoot: _Optional[bytes] = ..., parentHash: _Optional[bytes] = ..., number: _Optional[int] = ..., witness_id: _Optional[int] = ..., witness_address: _Optional[bytes] = ..., version: _Optional[int] = ..., accountStateRoot: _Optional[bytes] = ...) -> None: ...
    RAW_DATA_FIELD_NUMBER: _ClassVar[int]
    WITNESS_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    raw_data: BlockHeader.raw
    witness_signature: bytes
    def __init__(self, raw_data: _Optional[_Union[BlockHeader.raw, _Mapping]] = ..., witness_signature: _Optional[bytes] = ...) -> None: ...

class Block(_message.Message):
    __slots__ = ("transactions", "block_header")
    TRANSACTIONS_FIELD_NUMBER: _ClassVar[int]
    BLOCK_HEADER_FIELD_NUMBER: _ClassVar[int]
    transactions: _containers.RepeatedCompositeFieldContainer[Transaction]
    block_header: BlockHeader
    def __init__(self, transactions: _Optional[_Iterable[_Union[Transaction, _Mapping]]] = ..., block_header: _Optional[_Union[BlockHeader, _Mapping]] = ...) -> None: ...

class AccountCreateContract(_message.Message):
    __slots__ = ("owner_address", "account_address", "type")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    account_address: bytes
    type: AccountType
    def __init__(self, owner_address: _Optional[bytes] = ..., account_address: _Optional[bytes] = ..., type: _Optional[_Union[AccountType, str]] = ...) -> None: ...

class AccountUpdateContract(_message.Message):
    __slots__ = ("account_name", "owner_address")
    ACCOUNT_NAME_FIELD_NUMBER: _ClassVar[int]
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    account_name: bytes
    owner_address: bytes
    def __init__(self, account_name: _Optional[bytes] = ..., owner_address: _Optional[bytes] = ...) -> None: ...

class SetAccountIdContract(_message.Message):
    __slots__ = ("account_id", "owner_address")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    account_id: bytes
    owner_address: bytes
    def __init__(self, account_id: _Optional[bytes] = ..., owner_address: _Optional[bytes] = ...) -> None: ...

class AccountPermissionUpdateContract(_message.Message):
    __slots__ = ("owner_address", "owner", "witness", "actives")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    WITNESS_FIELD_NUMBER: _ClassVar[int]
    ACTIVES_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    owner: Permission
    witness: Permission
    actives: _containers.RepeatedCompositeFieldContainer[Permission]
    def __init__(self, owner_address: _Optional[bytes] = ..., owner: _Optional[_Union[Permission, _Mapping]] = ..., witness: _Optional[_Union[Permission, _Mapping]] = ..., actives: _Optional[_Iterable[_Union[Permission, _Mapping]]] = ...) -> None: ...

class TransferContract(_message.Message):
    __slots__ = ("owner_address", "to_address", "amount")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TO_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    to_address: bytes
    amount: int
    def __init__(self, owner_address: _Optional[bytes] = ..., to_address: _Optional[bytes] = ..., amount: _Optional[int] = ...) -> None: ...

class FreezeBalanceContract(_message.Message):
    __slots__ = ("owner_address", "frozen_balance", "frozen_duration", "resource", "receiver_address")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    FROZEN_BALANCE_FIELD_NUMBER: _ClassVar[int]
    FROZEN_DURATION_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    frozen_balance: int
    frozen_duration: int
    resource: ResourceCode
    receiver_address: bytes
    def __init__(self, owner_address: _Optional[bytes] = ..., frozen_balance: _Optional[int] = ..., frozen_duration: _Optional[int] = ..., resource: _Optional[_Union[ResourceCode, str]] = ..., receiver_address: _Optional[bytes] = ...) -> None: ...

class UnfreezeBalanceContract(_message.Message):
    __slots__ = ("owner_address", "resource", "receiver_address")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    resource: ResourceCode
    receiver_address: bytes
    def __init__(self, owner_address: _Optional[bytes] = ..., resource: _Optional[_Union[ResourceCode, str]] = ..., receiver_address: _Optional[bytes] = ...) -> None: ...

class WithdrawBalanceContract(_message.Message):
    __slots__ = ("owner_address",)
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    def __init__(self, owner_address: _Optional[bytes] = ...) -> None: ...

class FreezeBalanceV2Contract(_message.Message):
    __slots__ = ("owner_address", "frozen_balance", "resource")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    FROZEN_BALANCE_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    frozen_balance: int
    resource: ResourceCode
    def __init__(self, owner_address: _Optional[bytes] = ..., frozen_balance: _Optional[int] = ..., resource: _Optional[_Union[ResourceCode, str]] = ...) -> None: ...

class UnfreezeBalanceV2Contract(_message.Message):
    __slots__ = ("owner_address", "unfreeze_balance", "resource")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    UNFREEZE_BALANCE_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    unfreeze_balance: int
    resource: ResourceCode
    def __init__(self, owner_address: _Optional[bytes] = ..., unfreeze_balance: _Optional[int] = ..., resource: _Optional[_Union[ResourceCode, str]] = ...) -> None: ...

class WithdrawExpireUnfreezeContract(_message.Message):
    __slots__ = ("owner_address",)
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    def __init__(self, owner_address: _Optional[bytes] = ...) -> None: ...

class DelegateResourceContract(_message.Message):
    __slots__ = ("owner_address", "resource", "balance", "receiver_address", "lock", "lock_period")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    LOCK_FIELD_NUMBER: _ClassVar[int]
    LOCK_PERIOD_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    resource: ResourceCode
    balance: int
    receiver_address: bytes
    lock: bool
    lock_period: int
    def __init__(self, owner_address: _Optional[bytes] = ..., resource: _Optional[_Union[ResourceCode, str]] = ..., balance: _Optional[int] = ..., receiver_address: _Optional[bytes] = ..., lock: _Optional[bool] = ..., lock_period: _Optional[int] = ...) -> None: ...

class UnDelegateResourceContract(_message.Message):
    __slots__ = ("owner_address", "resource", "balance", "receiver_address")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    resource: ResourceCode
    balance: int
    receiver_address: bytes
    def __init__(self, owner_address: _Optional[bytes] = ..., resource: _Optional[_Union[ResourceCode, str]] = ..., balance: _Optional[int] = ..., receiver_address: _Optional[bytes] = ...) -> None: ...

class CancelAllUnfreezeV2Contract(_message.Message):
    __slots__ = ("owner_address",)
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    def __init__(self, owner_address: _Optional[bytes] = ...) -> None: ...

class VoteAssetContract(_message.Message):
    __slots__ = ("owner_address", "vote_address", "support", "count")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    VOTE_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    SUPPORT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    vote_address: _containers.RepeatedScalarFieldContainer[bytes]
    support: bool
    count: int
    def __init__(self, owner_address: _Optional[bytes] = ..., vote_address: _Optional[_Iterable[bytes]] = ..., support: _Optional[bool] = ..., count: _Optional[int] = ...) -> None: ...

class VoteWitnessContract(_message.Message):
    __slots__ = ("owner_address", "votes", "support")
    class Vote(_message.Message):
        __slots__ = ("vote_address", "vote_count")
        VOTE_ADDRESS_FIELD_NUMBER: _ClassVar[int]
        VOTE_COUNT_FIELD_NUMBER: _ClassVar[int]
        vote_address: bytes
        vote_count: int
        def __init__(self, vote_address: _Optional[bytes] = ..., vote_count: _Optional[int] = ...) -> None: ...
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    VOTES_FIELD_NUMBER: _ClassVar[int]
    SUPPORT_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    votes: _containers.RepeatedCompositeFieldContainer[VoteWitnessContract.Vote]
    support: bool
    def __init__(self, owner_address: _Optional[bytes] = ..., votes: _Optional[_Iterable[_Union[VoteWitnessContract.Vote, _Mapping]]] = ..., support: _Optional[bool] = ...) -> None: ...

class WitnessCreateContract(_message.Message):
    __slots__ = ("owner_address", "url")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    url: bytes
    def __init__(self, owner_address: _Optional[bytes] = ..., url: _Optional[bytes] = ...) -> None: ...

class WitnessUpdateContract(_message.Message):
    __slots__ = ("owner_address", "update_url")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    UPDATE_URL_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    update_url: bytes
    def __init__(self, owner_address: _Optional[bytes] = ..., update_url: _Optional[bytes] = ...) -> None: ...

class UpdateBrokerageContract(_message.Message):
    __slots__ = ("owner_address", "brokerage")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    BROKERAGE_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    brokerage: int
    def __init__(self, owner_address: _Optional[bytes] = ..., brokerage: _Optional[int] = ...) -> None: ...

class ProposalCreateContract(_message.Message):
    __slots__ = ("owner_address", "parameters")
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: int
        def __init__(self, key: _Optional[int] = ..., value: _Optional[int] = ...) -> None: ...
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    parameters: _containers.RepeatedCompositeFieldContainer[ProposalCreateContract.ParametersEntry]
    def __init__(self, owner_address: _Optional[bytes] = ..., parameters: _Optional[_Iterable[_Union[ProposalCreateContract.ParametersEntry, _Mapping]]] = ...) -> None: ...

class ProposalApproveContract(_message.Message):
    __slots__ = ("owner_address", "proposal_id", "is_add_approval")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PROPOSAL_ID_FIELD_NUMBER: _ClassVar[int]
    IS_ADD_APPROVAL_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    proposal_id: int
    is_add_approval: bool
    def __init__(self, owner_address: _Optional[bytes] = ..., proposal_id: _Optional[int] = ..., is_add_approval: _Optional[bool] = ...) -> None: ...

class ProposalDeleteContract(_message.Message):
    __slots__ = ("owner_address", "proposal_id")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PROPOSAL_ID_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    proposal_id: int
    def __init__(self, owner_address: _Optional[bytes] = ..., proposal_id: _Optional[int] = ...) -> None: ...

class AssetIssueContract(_message.Message):
    __slots__ = ("owner_address", "name", "abbr", "total_supply", "frozen_supply", "trx_num", "precision", "num", "start_time", "end_time", "order", "vote_score", "description", "url", "free_asset_net_limit", "public_free_asset_net_limit", "public_free_asset_net_usage", "public_latest_free_net_time", "id")
    class FrozenSupply(_message.Message):
        __slots__ = ("frozen_amount", "frozen_days")
        FROZEN_AMOUNT_FIELD_NUMBER: _ClassVar[int]
        FROZEN_DAYS_FIELD_NUMBER: _ClassVar[int]
        frozen_amount: int
        frozen_days: int
        def __init__(self, frozen_amount: _Optional[int] = ..., frozen_days: _Optional[int] = ...) -> None: ...
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ABBR_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SUPPLY_FIELD_NUMBER: _ClassVar[int]
    FROZEN_SUPPLY_FIELD_NUMBER: _ClassVar[int]
    TRX_NUM_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    NUM_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    VOTE_SCORE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    FREE_ASSET_NET_LIMIT_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_FREE_ASSET_NET_LIMIT_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_FREE_ASSET_NET_USAGE_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_LATEST_FREE_NET_TIME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    name: bytes
    abbr: bytes
    total_supply: int
    frozen_supply: _containers.RepeatedCompositeFieldContainer[AssetIssueContract.FrozenSupply]
    trx_num: int
    precision: int
    num: int
    start_time: int
    end_time: int
    order: int
    vote_score: int
    description: bytes
    url: bytes
    free_asset_net_limit: int
    public_free_asset_net_limit: int
    public_free_asset_net_usage: int
    public_latest_free_net_time: int
    id: str
    def __init__(self, owner_address: _Optional[bytes] = ..., name: _Optional[bytes] = ..., abbr: _Optional[bytes] = ..., total_supply: _Optional[int] = ..., frozen_supply: _Optional[_Iterable[_Union[AssetIssueContract.FrozenSupply, _Mapping]]] = ..., trx_num: _Optional[int] = ..., precision: _Optional[int] = ..., num: _Optional[int] = ..., start_time: _Optional[int] = ..., end_time: _Optional[int] = ..., order: _Optional[int] = ..., vote_score: _Optional[int] = ..., description: _Optional[bytes] = ..., url: _Optional[bytes] = ..., free_asset_net_limit: _Optional[int] = ..., public_free_asset_net_limit: _Optional[int] = ..., public_free_asset_net_usage: _Optional[int] = ..., public_latest_free_net_time: _Optional[int] = ..., id: _Optional[str] = ...) -> None: ...

class TransferAssetContract(_message.Message):
    __slots__ = ("asset_name", "owner_address", "to_address", "amount")
    ASSET_NAME_FIELD_NUMBER: _ClassVar[int]
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TO_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    asset_name: bytes
    owner_address: bytes
    to_address: bytes
    amount: int
    def __init__(self, asset_name: _Optional[bytes] = ..., owner_address: _Optional[bytes] = ..., to_address: _Optional[bytes] = ..., amount: _Optional[int] = ...) -> None: ...

class ParticipateAssetIssueContract(_message.Message):
    __slots__ = ("owner_address", "to_address", "asset_name", "amount")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TO_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ASSET_NAME_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    to_address: bytes
    asset_name: bytes
    amount: int
    def __init__(self, owner_address: _Optional[bytes] = ..., to_address: _Optional[bytes] = ..., asset_name: _Optional[bytes] = ..., amount: _Optional[int] = ...) -> None: ...

class UnfreezeAssetContract(_message.Message):
    __slots__ = ("owner_address",)
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    def __init__(self, owner_address: _Optional[bytes] = ...) -> None: ...

class UpdateAssetContract(_message.Message):
    __slots__ = ("owner_address", "description", "url", "new_limit", "new_public_limit")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    NEW_LIMIT_FIELD_NUMBER: _ClassVar[int]
    NEW_PUBLIC_LIMIT_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    description: bytes
    url: bytes
    new_limit: int
    new_public_limit: int
    def __init__(self, owner_address: _Optional[bytes] = ..., description: _Optional[bytes] = ..., url: _Optional[bytes] = ..., new_limit: _Optional[int] = ..., new_public_limit: _Optional[int] = ...) -> None: ...

class ExchangeCreateContract(_message.Message):
    __slots__ = ("owner_address", "first_token_id", "first_token_balance", "second_token_id", "second_token_balance")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    FIRST_TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_TOKEN_BALANCE_FIELD_NUMBER: _ClassVar[int]
    SECOND_TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    SECOND_TOKEN_BALANCE_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    first_token_id: bytes
    first_token_balance: int
    second_token_id: bytes
    second_token_balance: int
    def __init__(self, owner_address: _Optional[bytes] = ..., first_token_id: _Optional[bytes] = ..., first_token_balance: _Optional[int] = ..., second_token_id: _Optional[bytes] = ..., second_token_balance: _Optional[int] = ...) -> None: ...

class ExchangeInjectContract(_message.Message):
    __slots__ = ("owner_address", "exchange_id", "token_id", "quant")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    QUANT_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    exchange_id: int
    token_id: bytes
    quant: int
    def __init__(self, owner_address: _Optional[bytes] = ..., exchange_id: _Optional[int] = ..., token_id: _Optional[bytes] = ..., quant: _Optional[int] = ...) -> None: ...

class ExchangeWithdrawContract(_message.Message):
    __slots__ = ("owner_address", "exchange_id", "token_id", "quant")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    QUANT_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    exchange_id: int
    token_id: bytes
    quant: int
    def __init__(self, owner_address: _Optional[bytes] = ..., exchange_id: _Optional[int] = ..., token_id: _Optional[bytes] = ..., quant: _Optional[int] = ...) -> None: ...

class ExchangeTransactionContract(_message.Message):
    __slots__ = ("owner_address", "exchange_id", "token_id", "quant", "expected")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    QUANT_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    exchange_id: int
    token_id: bytes
    quant: int
    expected: int
    def __init__(self, owner_address: _Optional[bytes] = ..., exchange_id: _Optional[int] = ..., token_id: _Optional[bytes] = ..., quant: _Optional[int] = ..., expected: _Optional[int] = ...) -> None: ...

class MarketSellAssetContract(_message.Message):
    __slots__ = ("owner_address", "sell_token_id", "sell_token_quantity", "buy_token_id", "buy_token_quantity")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    SELL_TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    SELL_TOKEN_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    BUY_TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    BUY_TOKEN_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    sell_token_id: bytes
    sell_token_quantity: int
    buy_token_id: bytes
    buy_token_quantity: int
    def __init__(self, owner_address: _Optional[bytes] = ..., sell_token_id: _Optional[bytes] = ..., sell_token_quantity: _Optional[int] = ..., buy_token_id: _Optional[bytes] = ..., buy_token_quantity: _Optional[int] = ...) -> None: ...

class MarketCancelOrderContract(_message.Message):
    __slots__ = ("owner_address", "order_id")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    order_id: bytes
    def __init__(self, owner_address: _Optional[bytes] = ..., order_id: _Optional[bytes] = ...) -> None: ...

class SmartContract(_message.Message):
    __slots__ = ("origin_address", "contract_address", "abi", "bytecode", "call_value", "consume_user_resource_percent", "name", "origin_energy_limit", "code_hash", "trx_hash", "version")
    class ABI(_message.Message):
        __slots__ = ("entrys",)
        class Entry(_message.Message):
            __slots__ = ("anonymous", "constant", "name", "inputs", "outputs", "type", "payable", "stateMutability")
            class EntryType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
                __slots__ = ()
                UnknownEntryType: _ClassVar[SmartContract.ABI.Entry.EntryType]
                Constructor: _ClassVar[SmartContract.ABI.Entry.EntryType]
                Function: _ClassVar[SmartContract.ABI.Entry.EntryType]
                Event: _ClassVar[SmartContract.ABI.Entry.EntryType]
                Fallback: _ClassVar[SmartContract.ABI.Entry.EntryType]
                Receive: _ClassVar[SmartContract.ABI.Entry.EntryType]
                Error: _ClassVar[SmartContract.ABI.Entry.EntryType]
            UnknownEntryType: SmartContract.ABI.Entry.EntryType
            Constructor: SmartContract.ABI.Entry.EntryType
            Function: SmartContract.ABI.Entry.EntryType
            Event: SmartContract.ABI.Entry.EntryType
            Fallback: SmartContract.ABI.Entry.EntryType
            Receive: SmartContract.ABI.Entry.EntryType
            Error: SmartContract.ABI.Entry.EntryType
            class StateMutabilityType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
                __slots__ = ()
                UnknownMutabilityType: _ClassVar[SmartContract.ABI.Entry.StateMutabilityType]
                Pure: _ClassVar[SmartContract.ABI.Entry.StateMutabilityType]
                View: _ClassVar[SmartContract.ABI.Entry.StateMutabilityType]
                Nonpayable: _ClassVar[SmartContract.ABI.Entry.StateMutabilityType]
                Payable: _ClassVar[SmartContract.ABI.Entry.StateMutabilityType]
            UnknownMutabilityType: SmartContract.ABI.Entry.StateMutabilityType
            Pure: SmartContract.ABI.Entry.StateMutabilityType
            View: SmartContract.ABI.Entry.StateMutabilityType
            Nonpayable: SmartContract.ABI.Entry.StateMutabilityType
            Payable: SmartContract.ABI.Entry.StateMutabilityType
            class Param(_message.Message):
                __slots__ = ("indexed", "name", "type")
                INDEXED_FIELD_NUMBER: _ClassVar[int]
                NAME_FIELD_NUMBER: _ClassVar[int]
                TYPE_FIELD_NUMBER: _ClassVar[int]
                indexed: bool
                name: str
                type: str
                def __init__(self, indexed: _Optional[bool] = ..., name: _Optional[str] = ..., type: _Optional[str] = ...) -> None: ...
            ANONYMOUS_FIELD_NUMBER: _ClassVar[int]
            CONSTANT_FIELD_NUMBER: _ClassVar[int]
            NAME_FIELD_NUMBER: _ClassVar[int]
            INPUTS_FIELD_NUMBER: _ClassVar[int]
            OUTPUTS_FIELD_NUMBER: _ClassVar[int]
            TYPE_FIELD_NUMBER: _ClassVar[int]
            PAYABLE_FIELD_NUMBER: _ClassVar[int]
            STATEMUTABILITY_FIELD_NUMBER: _ClassVar[int]
            anonymous: bool
            constant: bool
            name: str
            inputs: _containers.RepeatedCompositeFieldContainer[SmartContract.ABI.Entry.Param]
            outputs: _containers.RepeatedCompositeFieldContainer[SmartContract.ABI.Entry.Param]
            type: SmartContract.ABI.Entry.EntryType
            payable: bool
            stateMutability: SmartContract.ABI.Entry.StateMutabilityType
            def __init__(self, anonymous: _Optional[bool] = ..., constant: _Optional[bool] = ..., name: _Optional[str] = ..., inputs: _Optional[_Iterable[_Union[SmartContract.ABI.Entry.Param, _Mapping]]] = ..., outputs: _Optional[_Iterable[_Union[SmartContract.ABI.Entry.Param, _Mapping]]] = ..., type: _Optional[_Union[SmartContract.ABI.Entry.EntryType, str]] = ..., payable: _Optional[bool] = ..., stateMutability: _Optional[_Union[SmartContract.ABI.Entry.StateMutabilityType, str]] = ...) -> None: ...
        ENTRYS_FIELD_NUMBER: _ClassVar[int]
        entrys: _containers.RepeatedCompositeFieldContainer[SmartContract.ABI.Entry]
        def __init__(self, entrys: _Optional[_Iterable[_Union[SmartContract.ABI.Entry, _Mapping]]] = ...) -> None: ...
    ORIGIN_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ABI_FIELD_NUMBER: _ClassVar[int]
    BYTECODE_FIELD_NUMBER: _ClassVar[int]
    CALL_VALUE_FIELD_NUMBER: _ClassVar[int]
    CONSUME_USER_RESOURCE_PERCENT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_ENERGY_LIMIT_FIELD_NUMBER: _ClassVar[int]
    CODE_HASH_FIELD_NUMBER: _ClassVar[int]
    TRX_HASH_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    origin_address: bytes
    contract_address: bytes
    abi: SmartContract.ABI
    bytecode: bytes
    call_value: int
    consume_user_resource_percent: int
    name: str
    origin_energy_limit: int
    code_hash: bytes
    trx_hash: bytes
    version: int
    def __init__(self, origin_address: _Optional[bytes] = ..., contract_address: _Optional[bytes] = ..., abi: _Optional[_Union[SmartContract.ABI, _Mapping]] = ..., bytecode: _Optional[bytes] = ..., call_value: _Optional[int] = ..., consume_user_resource_percent: _Optional[int] = ..., name: _Optional[str] = ..., origin_energy_limit: _Optional[int] = ..., code_hash: _Optional[bytes] = ..., trx_hash: _Optional[bytes] = ..., version: _Optional[int] = ...) -> None: ...

class CreateSmartContract(_message.Message):
    __slots__ = ("owner_address", "new_contract", "call_token_value", "token_id")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    NEW_CONTRACT_FIELD_NUMBER: _ClassVar[int]
    CALL_TOKEN_VALUE_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    new_contract: SmartContract
    call_token_value: int
    token_id: int
    def __init__(self, owner_address: _Optional[bytes] = ..., new_contract: _Optional[_Union[SmartContract, _Mapping]] = ..., call_token_value: _Optional[int] = ..., token_id: _Optional[int] = ...) -> None: ...

class TriggerSmartContract(_message.Message):
    __slots__ = ("owner_address", "contract_address", "call_value", "data", "call_token_value", "token_id")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CALL_VALUE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    CALL_TOKEN_VALUE_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    contract_address: bytes
    call_value: int
    data: bytes
    call_token_value: int
    token_id: int
    def __init__(self, owner_address: _Optional[bytes] = ..., contract_address: _Optional[bytes] = ..., call_value: _Optional[int] = ..., data: _Optional[bytes] = ..., call_token_value: _Optional[int] = ..., token_id: _Optional[int] = ...) -> None: ...

class ClearABIContract(_message.Message):
    __slots__ = ("owner_address", "contract_address")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    contract_address: bytes
    def __init__(self, owner_address: _Optional[bytes] = ..., contract_address: _Optional[bytes] = ...) -> None: ...

class UpdateSettingContract(_message.Message):
    __slots__ = ("owner_address", "contract_address", "consume_user_resource_percent")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CONSUME_USER_RESOURCE_PERCENT_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    contract_address: bytes
    consume_user_resource_percent: int
    def __init__(self, owner_address: _Optional[bytes] = ..., contract_address: _Optional[bytes] = ..., consume_user_resource_percent: _Optional[int] = ...) -> None: ...

class UpdateEnergyLimitContract(_message.Message):
    __slots__ = ("owner_address", "contract_address", "origin_energy_limit")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_ENERGY_LIMIT_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    contract_address: bytes
    origin_energy_limit: int
    def __init__(self, owner_address: _Optional[bytes] = ..., contract_address: _Optional[bytes] = ..., origin_energy_limit: _Optional[int] = ...) -> None: ...

class SpendDescription(_message.Message):
    __slots__ = ("value_commitment", "anchor", "nullifier", "rk", "zkproof", "spend_authority_signature")
    VALUE_COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_FIELD_NUMBER: _ClassVar[int]
    NULLIFIER_FIELD_NUMBER: _ClassVar[int]
    RK_FIELD_NUMBER: _ClassVar[int]
    ZKPROOF_FIELD_NUMBER: _ClassVar[int]
    SPEND_AUTHORITY_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    value_commitment: bytes
    anchor: bytes
    nullifier: bytes
    rk: bytes
    zkproof: bytes
    spend_authority_signature: bytes
    def __init__(self, value_commitment: _Optional[bytes] = ..., anchor: _Optional[bytes] = ..., nullifier: _Optional[bytes] = ..., rk: _Optional[bytes] = ..., zkproof: _Optional[bytes] = ..., spend_authority_signature: _Optional[bytes] = ...) -> None: ...

class ReceiveDescription(_message.Message):
    __slots__ = ("value_commitment", "note_commitment", "epk", "c_enc", "c_out", "zkproof")
    VALUE_COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    NOTE_COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    EPK_FIELD_NUMBER: _ClassVar[int]
    C_ENC_FIELD_NUMBER: _ClassVar[int]
    C_OUT_FIELD_NUMBER: _ClassVar[int]
    ZKPROOF_FIELD_NUMBER: _ClassVar[int]
    value_commitment: bytes
    note_commitment: bytes
    epk: bytes
    c_enc: bytes
    c_out: bytes
    zkproof: bytes
    def __init__(self, value_commitment: _Optional[bytes] = ..., note_commitment: _Optional[bytes] = ..., epk: _Optional[bytes] = ..., c_enc: _Optional[bytes] = ..., c_out: _Optional[bytes] = ..., zkproof: _Optional[bytes] = ...) -> None: ...

class ShieldedTransferContract(_message.Message):
    __slots__ = ("transparent_from_address", "from_amount", "spend_description", "receive_description", "binding_signature", "transparent_to_address", "to_amount")
    TRANSPARENT_FROM_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    FROM_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    SPEND_DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    BINDING_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    TRANSPARENT_TO_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TO_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    transparent_from_address: bytes
    from_amount: int
    spend_description: _containers.RepeatedCompositeFieldContainer[SpendDescription]
    receive_description: _containers.RepeatedCompositeFieldContainer[ReceiveDescription]
    binding_signature: bytes
    transparent_to_address: bytes
    to_amount: int
    def __init__(self, transparent_from_address: _Optional[bytes] = ..., from_amount: _Optional[int] = ..., spend_description: _Optional[_Iterable[_Union[SpendDescription, _Mapping]]] = ..., receive_description: _Optional[_Iterable[_Union[ReceiveDescription, _Mapping]]] = ..., binding_signature: _Optional[bytes] = ..., transparent_to_address: _Optional[bytes] = ..., to_amount: _Optional[int] = ...) -> None: ...

class EmptyMessage(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class NumberMessage(_message.Message):
    __slots__ = ("num",)
    NUM_FIELD_NUMBER: _ClassVar[int]
    num: int
    def __init__(self, num: _Optional[int] = ...) -> None: ...

class BytesMessage(_message.Message):
    __slots__ = ("value",)
    VALUE_FIELD_NUMBER: _ClassVar[int]
    value: bytes
    def __init__(self, value: _Optional[bytes] = ...) -> None: ...

class BlockLimit(_message.Message):
    __slots__ = ("startNum", "endNum")
    STARTNUM_FIELD_NUMBER: _ClassVar[int]
    ENDNUM_FIELD_NUMBER: _ClassVar[int]
    startNum: int
    endNum: int
    def __init__(self, startNum: _Optional[int] = ..., endNum: _Optional[int] = ...) -> None: ...

class BlockReq(_message.Message):
    __slots__ = ("id_or_num", "detail")
    ID_OR_NUM_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    id_or_num: str
    detail: bool
    def __init__(self, id_or_num: _Optional[str] = ..., detail: _Optional[bool] = ...) -> None: ...

class StoredTransaction(_message.Message):
    __slots__ = ("raw_data", "signature", "ret")
    RAW_DATA_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    RET_FIELD_NUMBER: _ClassVar[int]
    raw_data: bytes
    signature: _containers.RepeatedScalarFieldContainer[bytes]
    ret: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, raw_data: _Optional[bytes] = ..., signature: _Optional[_Iterable[bytes]] = ..., ret: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Return(_message.Message):
    __slots__ = ("result", "code", "message")
    class response_code(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SUCCESS: _ClassVar[Return.response_code]
        SIGERROR: _ClassVar[Return.response_code]
        CONTRACT_VALIDATE_ERROR: _ClassVar[Return.response_code]
        CONTRACT_EXE_ERROR: _ClassVar[Return.response_code]
        BANDWITH_ERROR: _ClassVar[Return.response_code]
        DUP_TRANSACTION_ERROR: _ClassVar[Return.response_code]
        TAPOS_ERROR: _ClassVar[Return.response_code]
        TOO_BIG_TRANSACTION_ERROR: _ClassVar[Return.response_code]
        TRANSACTION_EXPIRATION_ERROR: _ClassVar[Return.response_code]
        SERVER_BUSY: _ClassVar[Return.response_code]
        NO_CONNECTION: _ClassVar[Return.response_code]
        NOT_ENOUGH_EFFECTIVE_CONNECTION: _ClassVar[Return.response_code]
        BLOCK_UNSOLIDIFIED: _ClassVar[Return.response_code]
        OTHER_ERROR: _ClassVar[Return.response_code]
    SUCCESS: Return.response_code
    SIGERROR: Return.response_code
    CONTRACT_VALIDATE_ERROR: Return.response_code
    CONTRACT_EXE_ERROR: Return.response_code
    BANDWITH_ERROR: Return.response_code
    DUP_TRANSACTION_ERROR: Return.response_code
    TAPOS_ERROR: Return.response_code
    TOO_BIG_TRANSACTION_ERROR: Return.response_code
    TRANSACTION_EXPIRATION_ERROR: Return.response_code
    SERVER_BUSY: Return.response_code
    NO_CONNECTION: Return.response_code
    NOT_ENOUGH_EFFECTIVE_CONNECTION: Return.response_code
    BLOCK_UNSOLIDIFIED: Return.response_code
    OTHER_ERROR: Return.response_code
    RESULT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    result: bool
    code: Return.response_code
    message: bytes
    def __init__(self, result: _Optional[bool] = ..., code: _Optional[_Union[Return.response_code, str]] = ..., message: _Optional[bytes] = ...) -> None: ...

class TransactionExtention(_message.Message):
    __slots__ = ("transaction", "txid", "constant_result", "result")
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    TXID_FIELD_NUMBER: _ClassVar[int]
    CONSTANT_RESULT_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    transaction: bytes
    txid: bytes
    constant_result: _containers.RepeatedScalarFieldContainer[bytes]
    result: Return
    def __init__(self, transaction: _Optional[bytes] = ..., txid: _Optional[bytes] = ..., constant_result: _Optional[_Iterable[bytes]] = ..., result: _Optional[_Union[Return, _Mapping]] = ...) -> None: ...

class BlockExtention(_message.Message):
    __slots__ = ("transactions", "block_header", "blockid")
    TRANSACTIONS_FIELD_NUMBER: _ClassVar[int]
    BLOCK_HEADER_FIELD_NUMBER: _ClassVar[int]
    BLOCKID_FIELD_NUMBER: _ClassVar[int]
    transactions: _containers.RepeatedCompositeFieldContainer[TransactionExtention]
    block_header: bytes
    blockid: bytes
    def __init__(self, transactions: _Optional[_Iterable[_Union[TransactionExtention, _Mapping]]] = ..., block_header: _Optional[bytes] = ..., blockid: _Optional[bytes] = ...) -> None: ...

class BlockListExtention(_message.Message):
    __slots__ = ("block",)
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    block: _containers.RepeatedCompositeFieldContainer[BlockExtention]
    def __init__(self, block: _Optional[_Iterable[_Union[BlockExtention, _Mapping]]] = ...) -> None: ...

class ResourceReceipt(_message.Message):
    __slots__ = ("energy_usage", "energy_fee", "origin_energy_usage", "energy_usage_total", "net_usage", "net_fee", "result", "energy_penalty_total")
    ENERGY_USAGE_FIELD_NUMBER: _ClassVar[int]
    ENERGY_FEE_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_ENERGY_USAGE_FIELD_NUMBER: _ClassVar[int]
    ENERGY_USAGE_TOTAL_FIELD_NUMBER: _ClassVar[int]
    NET_USAGE_FIELD_NUMBER: _ClassVar[int]
    NET_FEE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ENERGY_PENALTY_TOTAL_FIELD_NUMBER: _ClassVar[int]
    energy_usage: int
    energy_fee: int
    origin_energy_usage: int
    energy_usage_total: int
    net_usage: int
    net_fee: int
    result: Transaction.Result.contractResult
    energy_penalty_total: int
    def __init__(self, energy_usage: _Optional[int] = ..., energy_fee: _Optional[int] = ..., origin_energy_usage: _Optional[int] = ..., energy_usage_total: _Optional[int] = ..., net_usage: _Optional[int] = ..., net_fee: _Optional[int] = ..., result: _Optional[_Union[Transaction.Result.contractResult, str]] = ..., energy_penalty_total: _Optional[int] = ...) -> None: ...

class InternalTransaction(_message.Message):
    __slots__ = ("hash", "caller_address", "transferTo_address", "callValueInfo", "note", "rejected", "extra")
    class CallValueInfo(_message.Message):
        __slots__ = ("callValue", "tokenId")
        CALLVALUE_FIELD_NUMBER: _ClassVar[int]
        TOKENID_FIELD_NUMBER: _ClassVar[int]
        callValue: int
        tokenId: str
        def __init__(self, callValue: _Optional[int] = ..., tokenId: _Optional[str] = ...) -> None: ...
    HASH_FIELD_NUMBER: _ClassVar[int]
    CALLER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TRANSFERTO_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CALLVALUEINFO_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    EXTRA_FIELD_NUMBER: _ClassVar[int]
    hash: bytes
    caller_address: bytes
    transferTo_address: bytes
    callValueInfo: _containers.RepeatedCompositeFieldContainer[InternalTransaction.CallValueInfo]
    note: bytes
    rejected: bool
    extra: str
    def __init__(self, hash: _Optional[bytes] = ..., caller_address: _Optional[bytes] = ..., transferTo_address: _Optional[bytes] = ..., callValueInfo: _Optional[_Iterable[_Union[InternalTransaction.CallValueInfo, _Mapping]]] = ..., note: _Optional[bytes] = ..., rejected: _Optional[bool] = ..., extra: _Optional[str] = ...) -> None: ...

class TransactionInfo(_message.Message):
    __slots__ = ("id", "fee", "blockNumber", "blockTimeStamp", "contractResult", "contract_address", "receipt", "log", "result", "resMessage", "assetIssueID", "withdraw_amount", "unfreeze_amount", "internal_transactions", "exchange_received_amount", "exchange_inject_another_amount", "exchange_withdraw_another_amount", "exchange_id", "shielded_transaction_fee", "orderId", "orderDetails", "packingFee", "withdraw_expire_amount", "cancel_unfreezeV2_amount")
    class code(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SUCESS: _ClassVar[TransactionInfo.code]
        FAILED: _ClassVar[TransactionInfo.code]
    SUCESS: TransactionInfo.code
    FAILED: TransactionInfo.code
    class Log(_message.Message):
        __slots__ = ("address", "topics", "data")
        ADDRESS_FIELD_NUMBER: _ClassVar[int]
        TOPICS_FIELD_NUMBER: _ClassVar[int]
        DATA_FIELD_NUMBER: _ClassVar[int]
        address: bytes
        topics: _containers.RepeatedScalarFieldContainer[bytes]
        data: bytes
        def __init__(self, address: _Optional[bytes] = ..., topics: _Optional[_Iterable[bytes]] = ..., data: _Optional[bytes] = ...) -> None: ...
    class CancelUnfreezeV2AmountEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    BLOCKNUMBER_FIELD_NUMBER: _ClassVar[int]
    BLOCKTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CONTRACTRESULT_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RESMESSAGE_FIELD_NUMBER: _ClassVar[int]
    ASSETISSUEID_FIELD_NUMBER: _ClassVar[int]
    WITHDRAW_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    UNFREEZE_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    INTERNAL_TRANSACTIONS_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_RECEIVED_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_INJECT_ANOTHER_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_WITHDRAW_ANOTHER_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    SHIELDED_TRANSACTION_FEE_FIELD_NUMBER: _ClassVar[int]
    ORDERID_FIELD_NUMBER: _ClassVar[int]
    ORDERDETAILS_FIELD_NUMBER: _ClassVar[int]
    PACKINGFEE_FIELD_NUMBER: _ClassVar[int]
    WITHDRAW_EXPIRE_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    CANCEL_UNFREEZEV2_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    fee: int
    blockNumber: int
    blockTimeStamp: int
    contractResult: _containers.RepeatedScalarFieldContainer[bytes]
    contract_address: bytes
    receipt: ResourceReceipt
    log: _containers.RepeatedCompositeFieldContainer[TransactionInfo.Log]
    result: TransactionInfo.code
    resMessage: bytes
    assetIssueID: str
    withdraw_amount: int
    unfreeze_amount: int
    internal_transactions: _containers.RepeatedCompositeFieldContainer[InternalTransaction]
    exchange_received_amount: int
    exchange_inject_another_amount: int
    exchange_withdraw_another_amount: int
    exchange_id: int
    shielded_transaction_fee: int
    orderId: bytes
    orderDetails: _containers.RepeatedCompositeFieldContainer[MarketOrderDetail]
    packingFee: int
    withdraw_expire_amount: int
    cancel_unfreezeV2_amount: _containers.ScalarMap[str, int]
    def __init__(self, id: _Optional[bytes] = ..., fee: _Optional[int] = ..., blockNumber: _Optional[int] = ..., blockTimeStamp: _Optional[int] = ..., contractResult: _Optional[_Iterable[bytes]] = ..., contract_address: _Optional[bytes] = ..., receipt: _Optional[_Union[ResourceReceipt, _Mapping]] = ..., log: _Optional[_Iterable[_Union[TransactionInfo.Log, _Mapping]]] = ..., result: _Optional[_Union[TransactionInfo.code, str]] = ..., resMessage: _Optional[bytes] = ..., assetIssueID: _Optional[str] = ..., withdraw_amount: _Optional[int] = ..., unfreeze_amount: _Optional[int] = ..., internal_transactions: _Optional[_Iterable[_Union[InternalTransaction, _Mapping]]] = ..., exchange_received_amount: _Optional[int] = ..., exchange_inject_another_amount: _Optional[int] = ..., exchange_withdraw_another_amount: _Optional[int] = ..., exchange_id: _Optional[int] = ..., shielded_transaction_fee: _Optional[int] = ..., orderId: _Optional[bytes] = ..., orderDetails: _Optional[_Iterable[_Union[MarketOrderDetail, _Mapping]]] = ..., packingFee: _Optional[int] = ..., withdraw_expire_amount: _Optional[int] = ..., cancel_unfreezeV2_amount: _Optional[_Mapping[str, int]] = ...) -> None: ...

class TransactionInfoList(_message.Message):
    __slots__ = ("transactionInfo",)
    TRANSACTIONINFO_FIELD_NUMBER: _ClassVar[int]
    transactionInfo: _containers.RepeatedCompositeFieldContainer[TransactionInfo]
    def __init__(self, transactionInfo: _Optional[_Iterable[_Union[TransactionInfo, _Mapping]]] = ...) -> None: ...
