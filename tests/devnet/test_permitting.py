"""Permissions: what may be set, and whose signatures then count."""

from functools import cache
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from lucidtrond.devnet.state import pool
from lucidtrond.devnet.state.account import Permission, Permissions
from lucidtrond.devnet.state.blocks import ReceiptRow
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.rejections import BadSignature, Refused
from lucidtrond.devnet.state.signatures import check_signatures
from lucidtrond.devnet.state.world import rows_of
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.transaction import RESULT_ALLOWANCE_BYTES, Transaction
from lucidtrond.tron.units import MAX_SUN, Sun
from tests.devnet.making import ALICE, BOB, CAROL, FIVE, NOVA, Lab, raw_transfer, sign
from tests.devnet.sending import account, contract, raw_contract, receipt, refused

UPDATE = "AccountPermissionUpdateContract"
SIGNERS = [ALICE, BOB, CAROL, NOVA, PrivateKey(b"\x12" * 32)]
TRANSFERS = bytes([1 << 1]) + bytes(31)


def keys(*weighed: tuple[PrivateKey, int]) -> list[pb.Key]:
    return [pb.Key(address=key.address.raw, weight=weight) for key, weight in weighed]


def owner(**changes: Any) -> pb.Permission:
    fields: dict[str, Any] = {
        "permission_name": "owner",
        "threshold": 1,
        "keys": keys((ALICE, 1)),
    }
    return pb.Permission(**(fields | changes))


def active(**changes: Any) -> pb.Permission:
    fields: dict[str, Any] = {
        "type": 2,
        "permission_name": "pay",
        "threshold": 2,
        "keys": keys((ALICE, 1), (BOB, 1), (CAROL, 1)),
        "operations": TRANSFERS,
    }
    return pb.Permission(**(fields | changes))


def update(lab: Lab, key: PrivateKey = ALICE, **changes: Any) -> Transaction:
    fields = {"owner": owner(), "actives": [active()]} | changes
    return contract(lab, key, UPDATE, **fields)


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.mine(3)
    return lab


# Signatures


@cache
def signed_by_all() -> tuple[Transaction, dict[PrivateKey, bytes]]:
    lab = Lab()
    raw = raw_transfer(lab.chain, ALICE.address, BOB.address, 1, permission_id=2)
    transaction = Transaction(raw.encode())
    return transaction, {signer: signer.sign(transaction.digest) for signer in SIGNERS}


@given(
    weights=st.lists(st.integers(1, 4) | st.just(2**40), min_size=1, max_size=5),
    threshold=st.integers(1, 12) | st.integers(2**40, 2**42),
    chosen=st.permutations(range(5)),
    count=st.integers(1, 5),
)
@example(weights=[1, 1, 1], threshold=2, chosen=[2, 0, 1, 3, 4], count=2)
@example(weights=[1, 1, 1], threshold=2, chosen=[0, 1, 2, 3, 4], count=1)
def test_signatures_pass_exactly_from_the_threshold_on(
    weights: list[int], threshold: int, chosen: list[int], count: int
) -> None:
    transaction, signatures = signed_by_all()
    signers = [signer for signer in chosen if signer < len(weights)][:count]
    permission = Permission(
        2,
        2,
        "pay",
        threshold,
        tuple(
            (key.address.raw, weight)
            for key, weight in zip(SIGNERS, weights, strict=False)
        ),
        TRANSFERS,
    )
    world = FIVE.world()
    held = world.accounts.get(ALICE.address.raw)
    assert held is not None
    held = replace(held, permissions=Permissions(permission, None, (permission,)))
    candidate = Candidate.read(
        Transaction(transaction.raw, tuple(signatures[SIGNERS[n]] for n in signers))
    )
    if sum(weights[signer] for signer in signers) >= threshold:
        check_signatures(candidate, held, FIVE.default_operations)
    else:
        with pytest.raises(BadSignature, match="sig error"):
            check_signatures(candidate, held, FIVE.default_operations)


def test_one_signature_of_a_group_is_not_enough_and_two_cost_a_trx(lab: Lab) -> None:
    change = update(lab)
    size = len(change.encode()) + RESULT_ALLOWANCE_BYTES
    paid = receipt(lab, change)
    assert paid == ReceiptRow(fee=Sun(100_000_000), net_usage=size)
    raw = raw_transfer(
        lab.chain,
        ALICE.address,
        NOVA.address,
        5,
        permission_id=2,
        timestamp=lab.chain.head.globals.timestamp,
    )
    with pytest.raises(BadSignature, match="sig error"):
        lab.send(sign(raw, BOB))
    with pytest.raises(BadSignature, match="is not contained of permission"):
        lab.send(sign(raw, BOB, NOVA))
    paid = receipt(lab, sign(raw, CAROL, BOB))
    assert paid.fee == 1_000_000 + 1_100_000


def test_what_the_owner_sends_after_an_update_waits_and_is_weighed_again(
    lab: Lab,
) -> None:
    change = update(lab, owner=owner(keys=keys((BOB, 1))))
    before = lab.transfer(ALICE, CAROL.address, 1)
    after = lab.transfer(ALICE, CAROL.address, 2)
    other = lab.transfer(CAROL, BOB.address, 3)
    for transaction in (before, change):
        lab.send(transaction)
    with pytest.raises(BadSignature):
        lab.send(after)
    follows = sign(
        raw_transfer(lab.chain, ALICE.address, CAROL.address, 4, timestamp=1), BOB
    )
    lab.send(follows)
    lab.send(other)
    lab.mine()
    head = lab.archive.read(lab.chain.head.globals.number)
    assert head is not None
    assert [included.transaction for included in head.transactions] == [
        before,
        change,
        other,
    ]
    lab.mine()
    located = lab.chain.find(follows.digest)
    assert located is not None
    assert located.block is not None
    assert located.block.number == head.number + 1


def test_who_waits_while_his_keys_change_is_weighed_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a node does with what is left in its pool after a block."""
    change = update(lab, owner=owner(keys=keys((BOB, 1))))
    bulky = lab.transfer(ALICE, CAROL.address, 1, memo=b"m" * 2000)
    for transaction in (bulky, change):
        lab.send(transaction)
    monkeypatch.setattr(pool, "MAX_BLOCK_BYTES", 1500)
    lab.mine()
    head = lab.archive.read(lab.chain.head.globals.number)
    assert head is not None
    assert [included.transaction for included in head.transactions] == [change]
    assert not lab.chain.pool


# Updates


def test_permissions_are_numbered_from_two_whatever_they_say(lab: Lab) -> None:
    assert account(lab, ALICE).permissions is None
    receipt(lab, update(lab, actives=[active(id=7), active(permission_name="two")]))
    stored = account(lab, ALICE).permissions
    assert stored is not None
    assert stored.owner == Permission(0, 0, "owner", 1, ((ALICE.address.raw, 1),))
    assert [permission.id for permission in stored.actives] == [2, 3]
    assert [permission.name for permission in stored.actives] == ["pay", "two"]
    assert stored.witness is None


def test_a_witness_names_its_block_keys_too(lab: Lab) -> None:
    maker = next(iter(FIVE.witness_keys.values()))
    lab.send(lab.transfer(ALICE, maker.address, 200_000_000))
    lab.mine()
    mine = owner(keys=keys((maker, 1)))
    text = "witness permission is missed"
    assert refused(lab, update(lab, maker, owner=mine)) == text
    two = pb.Permission(type="Witness", threshold=1, keys=keys((BOB, 1), (CAROL, 1)))
    text = "Witness permission's key count should be 1"
    assert refused(lab, update(lab, maker, owner=mine, witness=two)) == text
    wrong = pb.Permission(type="Active", threshold=1, keys=keys((BOB, 1)))
    text = "witness permission type is error"
    assert refused(lab, update(lab, maker, owner=mine, witness=wrong)) == text
    one = pb.Permission(type="Witness", threshold=1, keys=keys((BOB, 1)))
    receipt(lab, update(lab, maker, owner=mine, witness=one))
    stored = account(lab, maker).permissions
    assert stored is not None
    assert stored.witness is not None
    assert stored.witness.id == 1


def test_who_cannot_pay_the_update_keeps_his_permissions(lab: Lab) -> None:
    poor = PrivateKey(b"\x21" * 32)
    lab.send(lab.transfer(CAROL, poor.address, 99_999_999))
    lab.mine()
    before = rows_of(lab.chain.pending)
    with pytest.raises(Refused) as caught:
        lab.send(update(lab, poor, owner=owner(keys=keys((poor, 1)))))
    assert caught.value.code == "CONTRACT_EXE_ERROR"
    assert caught.value.text == (
        f"Contract execute error : {poor.address.raw.hex()} insufficient balance,"
        " balance: 99999999, amount: 100000000"
    )
    assert rows_of(lab.chain.pending) == before


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"owner": None}, "owner permission is missed"),
        ({"actives": [active()] * 9}, "active permission is too many"),
        ({"actives": [owner()]}, "active permission type is error"),
        ({"owner": owner(type=7)}, "owner permission type is error"),
        ({"owner": owner(parent_id=1)}, "permission's parent should be owner"),
        (
            {"owner": owner(permission_name="é" * 33)},
            "permission's name is too long",
        ),
        (
            {"owner": owner(permission_name="😀" * 17)},
            "permission's name is too long",
        ),
        (
            {"owner": owner(keys=[pb.Key(address=b"\x41", weight=1)])},
            "key is not a validate address",
        ),
        (
            {"owner": owner(keys=keys((ALICE, MAX_SUN), (BOB, 1)))},
            "long overflow",
        ),
        (
            {"owner": owner(keys=keys((ALICE, -1)))},
            "key's weight should be greater than 0",
        ),
        (
            {"owner": owner(threshold=2)},
            (
                "sum of all key's weight should not be less than threshold in"
                " permission Owner"
            ),
        ),
        (
            {"actives": [active(operations=b"\x80" + bytes(31))]},
            "7 isn't a validate ContractType",
        ),
    ],
)
def test_updates_are_refused_in_java_trons_words(
    lab: Lab, changes: dict[str, Any], text: str
) -> None:
    """Beside those that 09-permission-errors has."""
    assert refused(lab, update(lab, **changes)) == text


def test_an_active_permission_may_change_permissions(lab: Lab) -> None:
    may_update = bytes(5) + b"\x40" + bytes(26)
    receipt(lab, update(lab, actives=[active(threshold=1, operations=may_update)]))
    raw = raw_contract(
        lab,
        UPDATE,
        permission_id=2,
        owner_address=ALICE.address.raw,
        owner=owner(keys=keys((BOB, 1))),
        actives=[active()],
    )
    receipt(lab, sign(raw, BOB))
    stored = account(lab, ALICE).permissions
    assert stored is not None
    assert stored.owner.keys == ((BOB.address.raw, 1),)


def test_a_contract_that_is_no_message_inside_has_no_owner(lab: Lab) -> None:
    address = ALICE.address.raw
    spoiled = raw_contract(lab, UPDATE, owner_address=address, behind=b"\x12\x01\xff")
    with pytest.raises(Refused, match="but it is not contained of permission") as why:
        lab.send(sign(spoiled, ALICE))
    assert why.value.code == "SIGERROR"
