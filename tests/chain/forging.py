"""Five producers, an honest chain of theirs, and branches that somebody else makes."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from attrs import evolve

from lucidtrond.chain.finality import ProducerSet
from lucidtrond.chain.finality_tables import FirstSet
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import (
    BLOCK_INTERVAL_MS,
    Block,
    BlockHeader,
    BlockTransaction,
    tx_trie_root,
)
from lucidtrond.tron.jsonformat import print_transaction
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.transaction import Transaction
from lucidtrond.tron.units import UnixMillis
from tests import mainnet
from tests.chain.branch_node import BranchNode
from tests.chain.model import make_block, producer_key, transfer
from tests.tron.test_producers import UPDATE, transaction

Json = Any
PRODUCERS = [producer_key(number) for number in range(5)]
FIRST_SET = FirstSet(
    ProducerSet(5, {each.address: each.address for each in PRODUCERS}), "pin"
)
THIEF = [producer_key(100 + number) for number in range(40)]
OURS = producer_key(50).address
"""Watched."""
FORK = 28
"""The newest block that honest and forged branches share; 26 is final there."""
LENGTH = 70


def signed(
    parent: BlockHeader,
    producer: Address,
    key: PrivateKey,
    *,
    transactions: Sequence[Transaction] = (),
    late_ms: int = 0,
) -> Block:
    """The block after *parent*."""
    inside = tuple(BlockTransaction.with_code(each, 1) for each in transactions)
    header = BlockHeader(
        number=parent.number + 1,
        timestamp=UnixMillis(parent.timestamp + BLOCK_INTERVAL_MS + late_ms),
        parent_id=parent.id,
        tx_trie_root=tx_trie_root(inside),
        witness=producer.raw,
        version=34,
    )
    return Block(
        evolve(header, witness_signature=key.sign(header.digest)),
        inside,
    )


def deposit(nonce: int) -> Transaction:
    """To us; *nonce* makes it another one."""
    return transfer(owner=producer_key(60).address, to=OURS, amount=7, nonce=nonce)


@cache
def honest() -> list[Block]:
    """All five in turn; block 40 holds a deposit."""
    blocks = [make_block(None)]
    for number in range(1, LENGTH + 1):
        key = PRODUCERS[number % 5]
        inside = [deposit(1)] if number == 40 else []
        blocks.append(signed(blocks[-1].header, key.address, key, transactions=inside))
    return blocks


Turn = Callable[[int], tuple[Address, PrivateKey, Sequence[Transaction], int]]
"""Of the block so many above the fork: producer, key, transactions, lateness."""


def update(producer: Address, key: Address) -> Transaction:
    asked = pb.AccountPermissionUpdateContract(owner_address=producer.raw)
    asked.witness.keys.add(address=key.raw, weight=1)
    return transaction(UPDATE, asked.SerializeToString())


def _random_keys(turn: int) -> tuple[Address, PrivateKey, Sequence[Transaction], int]:
    return PRODUCERS[turn % 5].address, THIEF[turn % 5], (), 0


def _few_keys(turn: int) -> tuple[Address, PrivateKey, Sequence[Transaction], int]:
    key = PRODUCERS[turn % 3]
    return key.address, key, (), 0


def _strangers(turn: int) -> tuple[Address, PrivateKey, Sequence[Transaction], int]:
    key = [*PRODUCERS[:3], *THIEF[:2]][turn % 5]
    return key.address, key, (), 0


def _key_changes(turn: int) -> tuple[Address, PrivateKey, Sequence[Transaction], int]:
    """The thief names its keys in the first block, then signs with them."""
    if turn == 1:
        key = PRODUCERS[0]
        changes = [
            update(each.address, THIEF[at].address)
            for at, each in enumerate(PRODUCERS)
            if at >= 3
        ]
        return key.address, key, changes, 0
    at = turn % 5
    return PRODUCERS[at].address, (PRODUCERS[at] if at < 3 else THIEF[at]), (), 0


def _departures(turn: int) -> tuple[Address, PrivateKey, Sequence[Transaction], int]:
    """Two are absent for rounds, another one is there instead of each."""
    key = [*PRODUCERS[:3], THIEF[turn % 10], THIEF[10]][turn % 5]
    return key.address, key, (), 0


def _far_ahead(turn: int) -> tuple[Address, PrivateKey, Sequence[Transaction], int]:
    key = PRODUCERS[turn % 3]
    return key.address, key, (), 10**9 if turn == 1 else 0


FORGERIES: dict[str, Turn] = {
    "random keys": _random_keys,
    "too few real keys": _few_keys,
    "real keys and strangers": _strangers,
    "key changes in unproven blocks": _key_changes,
    "departures in unproven blocks": _departures,
    "far ahead": _far_ahead,
}


@cache
def forged(kind: str, fork: int, length: int = LENGTH + 60) -> list[Block]:
    """The honest chain up to *fork*, then a tail that pays us."""
    blocks = honest()[: fork + 1]
    for turn in range(1, length - fork + 1):
        producer, key, inside, late_ms = FORGERIES[kind](turn)
        if turn == 2:
            inside = [*inside, deposit(1000)]
        blocks.append(
            signed(
                blocks[-1].header, producer, key, transactions=inside, late_ms=late_ms
            )
        )
    return blocks


@cache
def signed_anew() -> list[Block]:
    """The honest chain; the last producer's blocks with the thief's signature."""
    return [
        block
        if block.header.witness != PRODUCERS[4].address.raw
        else Block(
            evolve(block.header, witness_signature=THIEF[4].sign(block.header.digest)),
            block.transactions,
        )
        for block in honest()
    ]


def tail_by_replaced_key(blocks: Sequence[Block]) -> list[Block]:
    """By three real keys, and the thief's for the last producer, above the fork."""
    tail = list(blocks[: FORK + 1])
    keys = [*PRODUCERS[:3], THIEF[4]]
    for turn in range(1, LENGTH):
        key = keys[turn % 4]
        producer = PRODUCERS[4] if turn % 4 == 3 else key
        inside = [deposit(1000)] if turn == 2 else []
        tail.append(signed(tail[-1].header, producer.address, key, transactions=inside))
    return tail


def printed(block: Block) -> Json:
    """As a node prints it."""
    header = block.header
    found = mainnet.header_json(
        {
            "number": header.number,
            "txTrieRoot": header.tx_trie_root.hex(),
            "witness_address": header.witness.hex(),
            "parentHash": header.parent_id,
            "version": header.version,
            "timestamp": header.timestamp,
            "witness_signature": header.witness_signature.hex(),
        },
        header.id,
    )
    if block.transactions:
        found["transactions"] = [_transaction(each) for each in block.transactions]
    return found


def _transaction(included: BlockTransaction) -> Json:
    stored = included.transaction
    made = print_transaction(stored.raw, list(stored.signatures), visible=False)
    results = [mainnet.result_json(each.hex()) for each in included.results]
    return {**made, "ret": results}


def _receipts(block: Block) -> Json:
    return [
        {
            "id": each.transaction.txid,
            "blockNumber": block.header.number,
            "blockTimeStamp": block.header.timestamp,
            "contractResult": [""],
            "receipt": {"net_usage": 200},
        }
        for each in block.transactions
    ]


def node(blocks: Iterable[Block], *, head: int, solid: int) -> BranchNode:
    """It shows *blocks*, and accounts that name whoever signs on its branch."""
    shown = list(blocks)
    keys: dict[str, list[tuple[int, Address]]] = {}
    for block in shown[1:]:
        header = block.header
        named = keys.setdefault(header.witness.hex(), [])
        named.append((header.number, header.signer()))

    def account(address: str, number: int) -> Json:
        signers = keys.get(address)
        if not signers:
            return {}
        key = next((key for at, key in reversed(signers) if at <= number), None)
        key = key or signers[0][1]
        if key.hex == address:
            return {"address": address}
        permission = {
            "type": "Witness",
            "id": 1,
            "permission_name": "witness",
            "threshold": 1,
            "keys": [{"address": key.hex, "weight": 1}],
        }
        return {"address": address, "witness_permission": permission}

    return BranchNode(
        {block.header.number: printed(block) for block in shown},
        head=head,
        solid=solid,
        receipts={
            str(block.header.number): _receipts(block)
            for block in shown
            if block.transactions
        },
        account=account,
    )
