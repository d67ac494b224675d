"""What transactions say of producers' keys, and what they do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.account import Account
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockTransaction
from lucidtrond.tron.producers import KeyChange, key_changes
from lucidtrond.tron.transaction import Transaction
from tests.chain.model import address, make_block
from tests.tron.test_contract_forms import lengthened

SUCCESS, REVERT = 1, 2
UPDATE = pb.Transaction.Contract.AccountPermissionUpdateContract
CREATE = pb.Transaction.Contract.WitnessCreateContract
PRODUCER, KEY = address(1), address(2)


def transaction(kind: int, value: bytes, *, name: str | None = None) -> Transaction:
    raw = pb.Transaction.raw()
    full_name = name or pb.Transaction.Contract.ContractType.Name(kind)
    raw.contract.add(
        type=kind,
        parameter=pb.Any(
            type_url=f"type.googleapis.com/protocol.{full_name}", value=value
        ),
    )
    return Transaction(raw.SerializeToString())


def update(*keys: Address, witness: bool = True) -> bytes:
    own = pb.Permission(keys=[pb.Key(address=PRODUCER.raw, weight=1)])
    asked = pb.AccountPermissionUpdateContract(
        owner_address=PRODUCER.raw, owner=own, actives=[own]
    )
    if witness:
        asked.witness.CopyFrom(
            pb.Permission(
                type=pb.Permission.Witness,
                keys=[pb.Key(address=key.raw, weight=1) for key in keys],
            )
        )
    return asked.SerializeToString()


def changes(*transactions: Transaction, result: int = SUCCESS) -> list[KeyChange]:
    block = make_block(None, transactions, results=[result] * len(transactions))
    return list(key_changes(block))


def test_a_change_of_permission_names_the_key_that_signs_from_now_on() -> None:
    assert changes(transaction(UPDATE, update(KEY))) == [KeyChange(PRODUCER, KEY)]


def test_a_change_counts_in_any_form_that_the_network_executes() -> None:
    asked = pb.AccountPermissionUpdateContract.FromString(update(KEY))
    value = lengthened(asked, (9, 9)) + b"\xfa\x3f\x01x"
    assert changes(transaction(UPDATE, value)) == [KeyChange(PRODUCER, KEY)]


def test_a_new_producer_signs_with_its_own_key() -> None:
    value = pb.WitnessCreateContract(owner_address=PRODUCER.raw, url=b"x")
    made = transaction(CREATE, value.SerializeToString())
    assert changes(made) == [KeyChange(PRODUCER, PRODUCER)]


def test_several_changes_come_in_their_order() -> None:
    made = [transaction(UPDATE, update(address(n))) for n in range(3, 6)]
    assert [number.key for number in changes(*made)] == [
        address(n) for n in range(3, 6)
    ]


def test_what_did_not_succeed_changes_nothing() -> None:
    assert changes(transaction(UPDATE, update(KEY)), result=REVERT) == []
    assert changes(transaction(UPDATE, update(KEY)), result=0) == []


@pytest.mark.parametrize(
    "value",
    [update(witness=False), update(), update(KEY, address(3)), b"\xff", b""],
    ids=["no producer", "no key", "two keys", "no message", "empty"],
)
def test_what_names_no_single_key_changes_nothing(value: bytes) -> None:
    assert changes(transaction(UPDATE, value)) == []


def test_the_last_of_two_owners_counts_as_the_network_reads_it() -> None:
    other = pb.AccountPermissionUpdateContract(owner_address=address(9).raw)
    value = update(KEY) + other.SerializeToString()
    assert changes(transaction(UPDATE, value)) == [KeyChange(address(9), KEY)]


@given(st.binary(max_size=200))
def test_no_bytes_raise(value: bytes) -> None:
    for kind in (UPDATE, CREATE):
        assert len(changes(transaction(kind, value))) <= 1
    name = b"AccountPermissionUpdateContract"
    block = Block(
        make_block(None).header,
        (BlockTransaction(Transaction(value + name), (b"\x18\x01",)),),
    )
    list(key_changes(block))


def test_an_account_without_a_witness_permission_signs_with_its_own_key() -> None:
    assert Account(PRODUCER, activated=True).block_key == PRODUCER
    assert Account(PRODUCER, activated=True, witness_key=KEY).block_key == KEY
