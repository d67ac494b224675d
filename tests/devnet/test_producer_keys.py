"""Witnesses that sign blocks with another key than their own, and change it."""

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from lucidtrond.devnet.describe import describe
from lucidtrond.devnet.http.printing import print_account
from lucidtrond.devnet.log import BlockLog
from lucidtrond.devnet.server import DevnetConfig, open_devnet
from lucidtrond.devnet.state.chain import Chain
from lucidtrond.devnet.state.default_chain import default_genesis_file
from lucidtrond.devnet.state.genesis import (
    Genesis,
    format_genesis,
    make_genesis,
    parse_genesis,
)
from lucidtrond.devnet.state.schedule import witness_at
from lucidtrond.errors import ConfigError
from lucidtrond.testing.clocks import ManualClock
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import check_block
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.transaction import Transaction
from tests.devnet.making import ALICE, BOB, FIVE, MANY, WHALE, Lab
from tests.devnet.sending import receipt, refused
from tests.devnet.test_permitting import active, keys, owner, update
from tests.tron.vectors import DATA

WITNESS = FIVE.witness_keys[FIVE.schedule[2]]
"""One that signs with its own key."""
UNKNOWN = PrivateKey(b"\x77" * 32)
"""A key that no definition names."""
CHAIN_JSON = DATA / "recordings" / "chain.json"


def signs_with(lab: Lab, witness: PrivateKey, key: PrivateKey) -> Transaction:
    """The witness's change of its witness permission to *key*."""
    lab.mine()
    lab.send(lab.transfer(WHALE, witness.address, 200_000_000))
    lab.mine()
    return update(
        lab,
        witness,
        owner=owner(keys=keys((witness, 1))),
        witness=pb.Permission(type="Witness", threshold=1, keys=keys((key, 1))),
        actives=[active(threshold=1, keys=keys((witness, 1)))],
    )


def signers(lab: Lab, witness: PrivateKey) -> dict[int, Address]:
    """Who signed each block of a witness, by number."""
    keys: dict[int, Address] = {}
    for number in range(1, lab.chain.head.globals.number + 1):
        row = lab.chain.block(number)
        assert row is not None
        check_block(row.block)
        if row.witness == witness.address.raw:
            keys[number] = row.header.signer()
    return keys


def test_seven_of_27_sign_with_the_key_of_a_witness_permission() -> None:
    lab = Lab(MANY)
    lab.mine(30)
    shown = describe(lab.chain)["witness_keys"]
    assert len(shown) == 27
    assert sum(key != witness for witness, key in shown.items()) == 7
    for number in range(1, 31):
        row = lab.chain.block(number)
        assert row is not None
        key = shown[Address(row.witness).base58]
        assert row.header.signer().base58 == key
    assert MANY.producers == {
        Address.from_base58(witness): Address.from_base58(key)
        for witness, key in shown.items()
    }


def test_the_account_of_such_a_witness_prints_its_permissions() -> None:
    lab = Lab()
    for at, address in enumerate(FIVE.schedule):
        account = lab.chain.head.accounts.get(address)
        assert account is not None
        printed = print_account(
            account, lab.chain.head, FIVE, visible=False, by_id=False
        )
        if at != 1:
            assert "witness_permission" not in printed
            continue
        key = FIVE.producers[Address(address)]
        assert printed["witness_permission"] == {
            "type": "Witness",
            "id": 1,
            "permission_name": "witness",
            "threshold": 1,
            "keys": [{"address": key.hex, "weight": 1}],
        }
        assert "owner_permission" in printed
        assert len(printed["active_permission"]) == 1


def test_a_change_counts_from_the_next_block_on() -> None:
    lab = Lab()
    receipt(lab, signs_with(lab, WITNESS, BOB))
    changed = lab.chain.head.globals.number
    lab.mine(15)
    made = signers(lab, WITNESS)
    assert len(made) >= 3
    for number, signer in made.items():
        assert signer == (BOB if number > changed else WITNESS).address


def test_the_block_that_holds_its_own_producers_change_is_signed_with_the_old_key() -> (
    None
):
    lab = Lab()
    change = signs_with(lab, WITNESS, BOB)
    while witness_at(FIVE, lab.chain.next_slot(0)) != WITNESS.address.raw:
        lab.mine()
    lab.send(change)
    lab.mine()
    number = lab.chain.head.globals.number
    assert lab.chain.find(change.digest) is not None
    assert signers(lab, WITNESS)[number] == WITNESS.address
    lab.mine(5)
    assert signers(lab, WITNESS)[number + 5] == BOB.address


def test_a_witness_whose_key_is_not_known_misses_its_slots() -> None:
    lab = Lab()
    lab.mine(5)
    receipt(lab, signs_with(lab, WITNESS, UNKNOWN))
    changed = lab.chain.head.globals.number
    record = lab.chain.head.witnesses.get(WITNESS.address.raw)
    assert record is not None
    lab.mine(20)
    assert not [n for n in signers(lab, WITNESS) if n > changed]
    after = lab.chain.head.witnesses.get(WITNESS.address.raw)
    assert after is not None
    assert after.missed - record.missed == 5
    assert after.produced == record.produced
    # The others still make a final block of what they built on.
    assert lab.chain.head.globals.solid > changed
    # It comes back with a key that is known.
    receipt(lab, signs_with(lab, WITNESS, ALICE))
    lab.mine(10)
    assert set(signers(lab, WITNESS).values()) == {WITNESS.address, ALICE.address}


def test_the_last_producer_with_a_known_key_keeps_one() -> None:
    lab = Lab()
    *others, last = (FIVE.witness_keys[maker] for maker in FIVE.schedule)
    for key in others:
        receipt(lab, signs_with(lab, key, UNKNOWN))
    text = "no producer of this chain could sign blocks any more"
    assert refused(lab, signs_with(lab, last, UNKNOWN)) == text
    receipt(lab, signs_with(lab, last, BOB))
    lab.mine(3)
    assert signers(lab, last)[lab.chain.head.globals.number] == BOB.address


def test_a_fork_takes_the_change_back() -> None:
    lab = Lab()
    lab.mine(10)
    receipt(lab, signs_with(lab, WITNESS, BOB))
    [lost] = lab.chain.revert(1, keep=False)
    assert lost.transactions
    lab.mine(6)
    assert set(signers(lab, WITNESS).values()) == {WITNESS.address}


def test_a_chain_read_from_its_log_goes_on_with_the_changed_key(tmp_path: Path) -> None:
    definition = format_genesis(FIVE)
    with BlockLog.open(tmp_path, definition, durable=False) as blocks:
        assert list(blocks.replay()) == []
        lab = Lab(archive=blocks)
        receipt(lab, signs_with(lab, WITNESS, BOB))
        lab.mine(5)
    with BlockLog.open(tmp_path, definition, durable=False) as blocks:
        again = Chain(parse_genesis(blocks.definition), blocks)
        for row in blocks.replay():
            again.replay(row)
        assert again.head.globals == lab.chain.head.globals
        while witness_at(FIVE, again.next_slot(0)) != WITNESS.address.raw:
            draft = again.draft(again.next_slot(0))
            blocks.append(draft.row)
            again.commit()
        assert again.draft(again.next_slot(0)).row.header.signer() == BOB.address


def test_a_recorded_definition_stays_as_it_is() -> None:
    genesis = parse_genesis(CHAIN_JSON.read_bytes())
    assert all(key == own for own, key in genesis.producers.items())
    kept = msgspec.json.decode(format_genesis(genesis))
    recorded = msgspec.json.decode(CHAIN_JSON.read_bytes())
    assert kept["witnesses"] == [
        {key: witness_row[key] for key in kept["witnesses"][0]}
        for witness_row in recorded["witnesses"]
    ]


def of_an_older_version(witnesses: int) -> Genesis:
    """As the default was before witnesses had keys to sign with."""
    file = default_genesis_file(witnesses)
    rows = tuple(replace(witness_row, signing_key="") for witness_row in file.witnesses)
    return make_genesis(replace(file, witnesses=rows))


async def test_a_kept_chain_of_an_older_version_goes_on_with_its_own_definition(
    tmp_path: Path,
) -> None:
    clock = ManualClock(1_800_000_000_000)
    older = DevnetConfig(
        block_time_s=0, state_dir=tmp_path, genesis=of_an_older_version(5), port=0
    )
    async with open_devnet(older, clock=clock) as devnet:
        await devnet.mine(7)
        head = devnet.chain.head.globals.block_id
    now = DevnetConfig(block_time_s=0, state_dir=tmp_path, witnesses=5, port=0)
    async with open_devnet(now, clock=clock) as devnet:
        assert devnet.chain.head.globals.block_id == head
        assert all(k == own for own, k in devnet.chain.genesis.producers.items())
        await devnet.mine(6)
    other = DevnetConfig(block_time_s=0, state_dir=tmp_path, witnesses=4, port=0)
    with pytest.raises(ConfigError, match="another chain"):
        async with open_devnet(other, clock=clock):
            pass
