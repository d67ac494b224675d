"""A whole recorded chain: every block checks, every transaction reads and prints."""

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron.address import Address
from lucidtrond.tron.block import (
    BadBlock,
    Block,
    BlockId,
    BlockTransaction,
    check_block,
)
from lucidtrond.tron.contract_address import created_by_transaction
from lucidtrond.tron.contracts import CreateSmart, RawContract
from lucidtrond.tron.jsonformat import parse_transaction, print_transaction
from lucidtrond.tron.receipt import Log
from lucidtrond.tron.transaction import Transaction, bandwidth_bytes, decode_raw
from lucidtrond.tron.trc20 import TransferLog, parse_log
from lucidtrond.tron.units import UnixMillis
from tests.tron.chainrun import (
    check_signed,
    load,
    make_block,
    make_transaction,
    printed_transactions,
    result_name,
)


def test_all_901_blocks_check_and_follow_one_another() -> None:
    parent: str | None = None
    for printed in load()["blocks"]:
        block = make_block(printed)
        assert check_block(block, expected_id=printed["blockID"]) == printed["blockID"]
        if parent is not None:
            assert block.header.parent_id == parent
            assert block.header.signer().raw == block.header.witness
        parent = printed["blockID"]
    assert len(load()["blocks"]) == 901


def test_block_0_has_no_signature_and_needs_none() -> None:
    genesis = make_block(load()["blocks"][0])
    assert genesis.header.witness_signature == b""
    check_block(genesis)


def test_every_txid_is_the_hash_of_the_raw_bytes() -> None:
    for printed in printed_transactions():
        assert make_transaction(printed).transaction.txid == printed["txID"]


def test_every_transaction_prints_as_the_node_printed_it() -> None:
    count = 0
    for printed in printed_transactions():
        transaction = make_transaction(printed).transaction
        ours = print_transaction(
            transaction.raw,
            transaction.signatures,
            visible=False,
            contract_ret=result_name(printed),
        )
        assert ours == printed
        count += 1
    assert count == 2433


def test_every_printed_transaction_reads_back_to_its_bytes() -> None:
    for printed in printed_transactions():
        transaction = make_transaction(printed).transaction
        assert parse_transaction(printed, visible=False) == transaction
        if not printed.get("signature"):
            continue  # block 0's owner is no address and has no visible form
        visible = print_transaction(
            transaction.raw, transaction.signatures, visible=True
        )
        assert parse_transaction(visible, visible=True) == transaction


def test_every_contract_is_understood_but_those_of_block_0() -> None:
    kinds: Counter[str] = Counter()
    for printed in printed_transactions():
        raw = bytes.fromhex(printed["raw_data_hex"])
        data = decode_raw(raw)
        assert data.encode() == raw
        kinds[type(data.contract).__name__] += 1
    unread = kinds.pop(RawContract.__name__)
    assert unread == len(load()["blocks"][0]["transactions"])
    assert len(kinds) == 19


def test_every_deployment_made_the_contract_we_foresee() -> None:
    count = 0
    for infos in load()["infos"].values():
        for info in infos:
            created = _created_by(info["id"])
            if created is not None:
                assert created.hex == info["contract_address"]
                count += 1
    assert count > 50


def _created_by(txid: str) -> Address | None:
    contract = _contracts()[txid]
    if not isinstance(contract, CreateSmart):
        return None
    return created_by_transaction(bytes.fromhex(txid), contract.owner.raw)


def _contracts() -> dict[str, object]:
    if not _CONTRACTS:
        for printed in printed_transactions():
            raw = bytes.fromhex(printed["raw_data_hex"])
            _CONTRACTS[printed["txID"]] = decode_raw(raw).contract
    return _CONTRACTS


_CONTRACTS: dict[str, object] = {}


def test_bandwidth_that_was_charged_is_the_size_we_compute() -> None:
    sizes = {
        printed["txID"]: bandwidth_bytes(
            bytes.fromhex(printed["raw_data_hex"]), len(printed.get("signature", ()))
        )
        for printed in printed_transactions()
    }
    used = [
        (info["receipt"]["net_usage"], sizes[info["id"]])
        for infos in load()["infos"].values()
        for info in infos
        if "net_usage" in info["receipt"]
    ]
    assert len(used) > 500
    assert all(charged == size for charged, size in used)


def test_transfer_logs_and_mints_end_in_the_recorded_token_balances() -> None:
    balances: Counter[tuple[str, str]] = Counter()
    for infos in load()["infos"].values():
        for info in infos:
            for log in info.get("log", ()):
                read = parse_log(
                    Log(
                        Address.from_evm(log["address"]),
                        tuple(bytes.fromhex(topic) for topic in log["topics"]),
                        bytes.fromhex(log.get("data", "")),
                    )
                )
                if isinstance(read, TransferLog):
                    balances[read.token.hex, read.sender.hex] -= read.amount
                    balances[read.token.hex, read.recipient.hex] += read.amount
    nobody = "41" + 40 * "0"
    for token, holders in load()["token_balances"].items():
        for holder, balance in holders.items():
            if holder != nobody:
                assert balances[token, holder] == int(balance)


# One bit. A block is header and transactions; every part of both is tried.

FULL = next(
    make_block(block)
    for block in load()["blocks"][1:]
    if len(block.get("transactions", ())) == 4
)


def _flip(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")


SPELLING = 2
"""The bit of a signature, counted from its end, that changes nothing: v and v + 4 name
one key, to the network too (test_block)."""


def flipped_headers(block: Block) -> Iterator[Block]:
    header = block.header

    def made(**changes: Any) -> Block:
        return Block(attrs.evolve(header, **changes), block.transactions)

    for bit in range(63):
        yield made(number=header.number ^ 1 << bit)
        yield made(timestamp=UnixMillis(header.timestamp ^ 1 << bit))
    for bit in range(31):
        yield made(version=header.version ^ 1 << bit)
    for bit in range(256):
        yield made(tx_trie_root=_flip(header.tx_trie_root, bit))
        parent = _flip(bytes.fromhex(header.parent_id), bit)
        yield made(parent_id=BlockId(parent.hex()))
    for bit in range(8 * len(header.witness)):
        yield made(witness=_flip(header.witness, bit))
    for bit in range(8 * len(header.witness_signature)):
        if bit == SPELLING:
            continue
        yield made(witness_signature=_flip(header.witness_signature, bit))


def flipped_transactions(block: Block) -> Iterator[Block]:
    for at, included in enumerate(block.transactions):
        transaction = included.transaction

        def made(changed: Transaction, result: int | None, at: int = at) -> Block:
            transactions = list(block.transactions)
            transactions[at] = BlockTransaction.with_code(changed, result)
            return Block(block.header, tuple(transactions))

        for bit in range(8 * len(transaction.raw)):
            changed = Transaction(_flip(transaction.raw, bit), transaction.signatures)
            yield made(changed, included.contract_ret)
        for place, signature in enumerate(transaction.signatures):
            for bit in range(8 * len(signature)):
                signatures = list(transaction.signatures)
                signatures[place] = _flip(signature, bit)
                changed = Transaction(transaction.raw, tuple(signatures))
                yield made(changed, included.contract_ret)
        for bit in range(4):
            yield made(transaction, (included.contract_ret or 0) ^ 1 << bit)
        yield made(transaction, None)


@pytest.mark.parametrize("flipped", [flipped_headers, flipped_transactions])
def test_one_flipped_bit_anywhere_in_a_block_is_noticed(
    flipped: Callable[[Block], Iterator[Block]],
) -> None:
    expected = check_block(FULL)
    count = 0
    for changed in flipped(FULL):
        with pytest.raises(BadBlock):
            check_signed(changed, expected_id=expected)
        count += 1
    assert count > 1000


def test_one_flipped_bit_is_noticed_even_when_no_id_was_stated() -> None:
    check_signed(FULL)
    for changed in flipped_headers(FULL):
        with pytest.raises(BadBlock):
            check_signed(changed)


@given(
    st.sampled_from(load()["blocks"][1:]),
    st.randoms(use_true_random=False),
)
def test_a_bit_flipped_at_random_in_any_block_is_noticed(
    printed: dict[str, Any], random: Random
) -> None:
    block = make_block(printed)
    header = block.header
    made = random.choice(
        [
            attrs.evolve(header, number=header.number ^ 1 << random.randrange(63)),
            attrs.evolve(
                header,
                witness_signature=_flip(
                    header.witness_signature,
                    random.choice([bit for bit in range(520) if bit != SPELLING]),
                ),
            ),
            attrs.evolve(
                header, tx_trie_root=_flip(header.tx_trie_root, random.randrange(256))
            ),
        ]
    )
    with pytest.raises(BadBlock):
        check_signed(Block(made, block.transactions))


def test_a_transaction_left_out_added_or_moved_is_noticed() -> None:
    transactions = FULL.transactions
    assert len(transactions) > 2
    for changed in (
        transactions[1:],
        transactions[:-1],
        (*transactions, transactions[-1]),
        transactions[::-1],
        (),
    ):
        with pytest.raises(BadBlock):
            check_block(Block(FULL.header, changed))
