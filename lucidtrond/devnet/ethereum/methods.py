"""Which methods there are, and how many parameters they take."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from lucidtrond.devnet.ethereum import calls
from lucidtrond.devnet.ethereum.errors import (
    RpcError,
    invalid_params,
    unavailable,
)
from lucidtrond.devnet.ethereum.logs import get_logs
from lucidtrond.devnet.ethereum.printing import (
    Json,
    print_block,
    print_pending,
    print_receipt,
    print_transaction,
)
from lucidtrond.devnet.ethereum.storage import storage_at
from lucidtrond.devnet.ethereum.values import (
    block_number,
    check_latest,
    hex_address,
    hex_bytes,
    hex_number,
    read_address,
    read_bytes,
    read_hash,
    read_long,
)
from lucidtrond.devnet.state.blocks import BlockRow
from lucidtrond.devnet.state.deployed import artifact
from lucidtrond.devnet.state.invariants import present
from lucidtrond.devnet.state.view import ChainView
from lucidtrond.tron.hashing import keccak256

Answer = Callable[..., Any]
"""Takes the chain and the parameters; gives what is printed as JSON."""


class Method(Struct, frozen=True):
    """*parameters* must all be there."""

    parameters: int
    answer: Answer


def _chain_id(chain: ChainView) -> str:
    return hex_bytes(bytes.fromhex(chain.genesis.id)[-4:])


def _client_version(chain: ChainView) -> str:
    return f"TRON/v{chain.genesis.file.code_version}/lucidtrond devnet"


def _sha3(_chain: ChainView, data: Any) -> str:
    try:
        return hex_bytes(keccak256(read_bytes(data)))
    except RpcError:
        raise invalid_params("invalid input value") from None


def _balance(chain: ChainView, address: Any, tag: Any) -> str:
    check_latest(tag)
    account = chain.pending.accounts.get(read_address(address))
    return hex_number(account.balance if account else 0)


def _code(chain: ChainView, address: Any, tag: Any) -> str:
    check_latest(tag)
    contract = chain.pending.contracts.get(read_address(address))
    return "0x" + (artifact().runtime if contract else "")


# Blocks


def _by_number(chain: ChainView, number: Any) -> BlockRow | None:
    return chain.block(block_number(chain, number))


def _by_hash(chain: ChainView, block_hash: Any) -> BlockRow | None:
    wanted = read_hash(block_hash)
    row = chain.block(int.from_bytes(wanted[:8], "big"))
    return row if row is not None and row.id == wanted else None


def _block(
    find: Callable[[ChainView, Any], BlockRow | None],
) -> Callable[[ChainView, Any, Any], Json | None]:
    def answer(chain: ChainView, which: Any, full: Any) -> Json | None:
        row = find(chain, which)
        fee = chain.genesis.parameters.energy_fee
        return None if row is None else print_block(row, fee, full=bool(full))

    return answer


def _count(
    find: Callable[[ChainView, Any], BlockRow | None],
) -> Callable[[ChainView, Any], str | None]:
    def answer(chain: ChainView, which: Any) -> str | None:
        row = find(chain, which)
        return None if row is None else hex_number(len(row.transactions))

    return answer


def _member(
    find: Callable[[ChainView, Any], BlockRow | None],
) -> Callable[[ChainView, Any, Any], Json | None]:
    def answer(chain: ChainView, which: Any, index: Any) -> Json | None:
        row = find(chain, which)
        if row is None:
            return None
        try:
            place = read_long(index)
        except RpcError:
            place = -1
        if not 0 <= place < 2**31:
            raise invalid_params("invalid index value")
        if place >= len(row.transactions):
            return None
        return print_transaction(row, place, chain.genesis.parameters.energy_fee)

    return answer


# Transactions


def _transaction(chain: ChainView, txid: Any) -> Json | None:
    wanted = read_hash(txid)
    located = chain.find(wanted)
    if located is None:
        return None
    if located.block is None:
        return print_pending(located.transaction)
    place = _place(located.block, wanted)
    return print_transaction(located.block, place, chain.genesis.parameters.energy_fee)


def _receipt(chain: ChainView, txid: Any) -> Json | None:
    wanted = read_hash(txid)
    located = chain.find(wanted)
    if located is None or located.block is None:
        return None
    place = _place(located.block, wanted)
    return print_receipt(located.block, place, chain.genesis.parameters.energy_fee)


def _place(row: BlockRow, txid: bytes) -> int:
    digests = (included.transaction.digest for included in row.transactions)
    return next(place for place, digest in enumerate(digests) if digest == txid)


def _refuse(name: str) -> Answer:
    def answer(*_: Any) -> Any:
        raise unavailable(name)

    return answer


_NAMES_ONLY: Final = {
    "eth_submitWork": 3,
    "eth_sendRawTransaction": 1,
    "eth_sendTransaction": 1,
    "eth_sign": 2,
    "eth_signTransaction": 1,
    "parity_nextNonce": 1,
    "eth_getTransactionCount": 2,
    "eth_getCompilers": 0,
    "eth_compileSolidity": 1,
    "eth_compileLLL": 1,
    "eth_compileSerpent": 1,
    "eth_submitHashrate": 2,
}
"""Methods that a node refuses, and how many parameters they want before that."""
METHODS: Final[Mapping[str, Method]] = {
    "web3_clientVersion": Method(0, _client_version),
    "web3_sha3": Method(1, _sha3),
    "net_version": Method(0, _chain_id),
    "net_listening": Method(0, lambda _chain: False),
    "net_peerCount": Method(0, lambda _chain: "0x0"),
    "eth_chainId": Method(0, _chain_id),
    "eth_protocolVersion": Method(
        0, lambda chain: hex_number(chain.genesis.file.block_version)
    ),
    "eth_syncing": Method(0, lambda _chain: False),
    "eth_blockNumber": Method(0, lambda chain: hex_number(chain.head.globals.number)),
    "eth_gasPrice": Method(
        0, lambda chain: hex_number(chain.genesis.parameters.energy_fee)
    ),
    "eth_accounts": Method(0, lambda _chain: []),
    "eth_coinbase": Method(
        0, lambda chain: present(hex_address(chain.genesis.schedule[0]))
    ),
    "eth_getBalance": Method(2, _balance),
    "eth_getCode": Method(2, _code),
    "eth_getBlockByNumber": Method(2, _block(_by_number)),
    "eth_getBlockByHash": Method(2, _block(_by_hash)),
    "eth_getBlockTransactionCountByNumber": Method(1, _count(_by_number)),
    "eth_getBlockTransactionCountByHash": Method(1, _count(_by_hash)),
    "eth_getTransactionByHash": Method(1, _transaction),
    "eth_getTransactionByBlockNumberAndIndex": Method(2, _member(_by_number)),
    "eth_getTransactionByBlockHashAndIndex": Method(2, _member(_by_hash)),
    "eth_getTransactionReceipt": Method(1, _receipt),
    "eth_call": Method(2, calls.call),
    "eth_estimateGas": Method(1, calls.estimate),
    "eth_getLogs": Method(1, get_logs),
    "eth_getStorageAt": Method(3, storage_at),
    "eth_getUncleByBlockHashAndIndex": Method(2, lambda *_: None),
    "eth_getUncleByBlockNumberAndIndex": Method(2, lambda *_: None),
    "eth_getUncleCountByBlockHash": Method(1, lambda *_: "0x0"),
    "eth_getUncleCountByBlockNumber": Method(1, lambda *_: "0x0"),
    "eth_getWork": Method(
        0, lambda chain: [hex_bytes(chain.head.globals.block_id), None, None]
    ),
    "eth_hashrate": Method(0, lambda _chain: "0x0"),
    "eth_mining": Method(0, lambda _chain: True),
    **{name: Method(count, _refuse(name)) for name, count in _NAMES_ONLY.items()},
}
"""All of TronJsonRpc (4.8.0) but those of `filters` and `building`."""
