from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Any(_message.Message):
    __slots__ = ("type_url", "value")
    TYPE_URL_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    type_url: str
    value: bytes
    def __init__(self, type_url: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...

class Transaction(_message.Message):
    __slots__ = ("raw_data", "signature", "ret")
    class Contract(_message.Message):
        __slots__ = ("type", "parameter", "provider", "ContractName", "Permission_id")
        TYPE_FIELD_NUMBER: _ClassVar[int]
        PARAMETER_FIELD_NUMBER: _ClassVar[int]
        PROVIDER_FIELD_NUMBER: _ClassVar[int]
        CONTRACTNAME_FIELD_NUMBER: _ClassVar[int]
        PERMISSION_ID_FIELD_NUMBER: _ClassVar[int]
        type: int
        parameter: Any
        provider: bytes
        ContractName: bytes
        Permission_id: int
        def __init__(self, type: _Optional[int] = ..., parameter: _Optional[_Union[Any, _Mapping]] = ..., provider: _Optional[bytes] = ..., ContractName: _Optional[bytes] = ..., Permission_id: _Optional[int] = ...) -> None: ...
    class Result(_message.Message):
        __slots__ = ("fee", "ret", "contractRet", "assetIssueID", "withdraw_amount", "unfreeze_amount", "exchange_received_amount", "exchange_inject_another_amount", "exchange_withdraw_another_amount", "exchange_id", "shielded_transaction_fee", "orderId", "withdraw_expire_amount", "cancel_unfreezeV2_amount")
        class CancelUnfreezeV2AmountEntry(_message.Message):
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
        WITHDRAW_EXPIRE_AMOUNT_FIELD_NUMBER: _ClassVar[int]
        CANCEL_UNFREEZEV2_AMOUNT_FIELD_NUMBER: _ClassVar[int]
        fee: int
        ret: int
        contractRet: int
        assetIssueID: str
        withdraw_amount: int
        unfreeze_amount: int
        exchange_received_amount: int
        exchange_inject_another_amount: int
        exchange_withdraw_another_amount: int
        exchange_id: int
        shielded_transaction_fee: int
        orderId: bytes
        withdraw_expire_amount: int
        cancel_unfreezeV2_amount: _containers.ScalarMap[str, int]
        def __init__(self, fee: _Optional[int] = ..., ret: _Optional[int] = ..., contractRet: _Optional[int] = ..., assetIssueID: _Optional[str] = ..., withdraw_amount: _Optional[int] = ..., unfreeze_amount: _Optional[int] = ..., exchange_received_amount: _Optional[int] = ..., exchange_inject_another_amount: _Optional[int] = ..., exchange_withdraw_another_amount: _Optional[int] = ..., exchange_id: _Optional[int] = ..., shielded_transaction_fee: _Optional[int] = ..., orderId: _Optional[bytes] = ..., withdraw_expire_amount: _Optional[int] = ..., cancel_unfreezeV2_amount: _Optional[_Mapping[str, int]] = ...) -> None: ...
    class raw(_message.Message):
        __slots__ = ("ref_block_bytes", "ref_block_num", "ref_block_hash", "expiration", "data", "contract", "scripts", "timestamp", "fee_limit")
        REF_BLOCK_BYTES_FIELD_NUMBER: _ClassVar[int]
        REF_BLOCK_NUM_FIELD_NUMBER: _ClassVar[int]
        REF_BLOCK_HASH_FIELD_NUMBER: _ClassVar[int]
        EXPIRATION_FIELD_NUMBER: _ClassVar[int]
        DATA_FIELD_NUMBER: _ClassVar[int]
        CONTRACT_FIELD_NUMBER: _ClassVar[int]
        SCRIPTS_FIELD_NUMBER: _ClassVar[int]
        TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
        FEE_LIMIT_FIELD_NUMBER: _ClassVar[int]
        ref_block_bytes: bytes
        ref_block_num: int
        ref_block_hash: bytes
        expiration: int
        data: bytes
        contract: _containers.RepeatedCompositeFieldContainer[Transaction.Contract]
        scripts: bytes
        timestamp: int
        fee_limit: int
        def __init__(self, ref_block_bytes: _Optional[bytes] = ..., ref_block_num: _Optional[int] = ..., ref_block_hash: _Optional[bytes] = ..., expiration: _Optional[int] = ..., data: _Optional[bytes] = ..., contract: _Optional[_Iterable[_Union[Transaction.Contract, _Mapping]]] = ..., scripts: _Optional[bytes] = ..., timestamp: _Optional[int] = ..., fee_limit: _Optional[int] = ...) -> None: ...
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
    type: int
    def __init__(self, owner_address: _Optional[bytes] = ..., account_address: _Optional[bytes] = ..., type: _Optional[int] = ...) -> None: ...

class TransferContract(_message.Message):
    __slots__ = ("owner_address", "to_address", "amount")
    OWNER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TO_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    owner_address: bytes
    to_address: bytes
    amount: int
    def __init__(self, owner_address: _Optional[bytes] = ..., to_address: _Optional[bytes] = ..., amount: _Optional[int] = ...) -> None: ...

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
