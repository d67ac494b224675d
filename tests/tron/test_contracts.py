from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.tron import contracts
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import (
    AccountPermissionUpdate,
    RawContract,
    Transfer,
    Trigger,
    VoteWitness,
    addresses_in,
    decode,
    encode,
    owner_of,
)
from lucidtrond.tron.contracts_stake import Vote
from lucidtrond.tron.jsonformat import CONTRACT_TYPES, message_class
from lucidtrond.tron.permissions import Key, Permission
from lucidtrond.tron.units import Sun
from tests.tron.strategies import addresses, messages, suns

A, B, C = (Address(b"\x41" + bytes([n]) * 20) for n in (1, 2, 3))
PREFIX = contracts.TYPE_URL_PREFIX
UNREAD = {"ShieldedTransferContract", "CustomContract", "GetContract"}
READ = sorted(set(CONTRACT_TYPES) - UNREAD)


def complete(message: Message) -> Message:
    """Give every address that must be there one, as an accepted contract has."""
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.type == field.TYPE_MESSAGE:
            for element in value if field.is_repeated else [value]:
                if field.is_repeated or message.HasField(field.name):
                    complete(element)
        elif not (value or field.is_repeated) and _is_required_address(
            message.DESCRIPTOR.name, field.name
        ):
            setattr(message, field.name, A.raw)
    return message


def _is_required_address(message: str, field: str) -> bool:
    if message == "SmartContract" or field == "receiver_address":
        return "Delegate" in message
    return field == "address" or field.endswith("_address")


@settings(max_examples=400)
@given(st.data())
def test_every_contract_reads_into_its_class_and_back(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(READ))
    made = message_class(name)
    assert made is not None
    value = complete(data.draw(messages(made))).SerializeToString(deterministic=True)
    given_ = (CONTRACT_TYPES[name], PREFIX + name, value)
    contract = decode(*given_)
    assert not isinstance(contract, RawContract), (
        f"{name}: expected a class in lucidtrond/tron/contracts.py, or an entry in"
        " UNREAD for a contract that no network accepts"
    )
    assert encode(contract) == given_


@given(
    st.integers(-(2**31), 2**31 - 1) | st.sampled_from(sorted(CONTRACT_TYPES.values())),
    st.text(max_size=10) | st.sampled_from([PREFIX + name for name in READ]),
    st.binary(max_size=60),
)
def test_whatever_comes_is_read_or_kept_as_it_is(
    number: int, url: str, value: bytes
) -> None:
    contract = decode(number, url, value)
    if isinstance(contract, RawContract):
        assert encode(contract) == (number, url, value)
    else:
        assert decode(*encode(contract)) == contract


def test_what_no_network_accepts_stays_raw() -> None:
    for name in UNREAD:
        contract = decode(CONTRACT_TYPES[name], PREFIX + name, b"")
        assert isinstance(contract, RawContract)


@given(addresses, addresses, suns)
def test_a_transfer_is_its_message(owner: Address, to: Address, amount: Sun) -> None:
    number, url, value = encode(Transfer(owner, to, amount))
    assert (number, url) == (1, "type.googleapis.com/protocol.TransferContract")
    message = pb.TransferContract.FromString(value)
    assert message.owner_address == owner.raw
    assert message.to_address == to.raw
    assert message.amount == amount


ODD = {
    "an owner of 20 bytes": pb.TransferContract(
        owner_address=bytes(20), to_address=A.raw
    ).SerializeToString(),
    "no owner": pb.TransferContract(to_address=A.raw).SerializeToString(),
    "another prefix": pb.TransferContract(
        owner_address=b"\xa0" + bytes(20), to_address=A.raw
    ).SerializeToString(),
    "cut off": encode(Transfer(A, B, Sun(1)))[2][:-1],
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD.keys())
def test_values_that_no_network_executes_stay_raw_and_keep_their_bytes(
    value: bytes,
) -> None:
    contract = decode(1, PREFIX + "TransferContract", value)
    assert contract == RawContract(1, PREFIX + "TransferContract", value)


def test_a_number_outside_its_enum_stays_raw() -> None:
    value = pb.FreezeBalanceV2Contract(owner_address=A.raw).SerializeToString()
    value += b"\x18\x09"
    url = PREFIX + "FreezeBalanceV2Contract"
    assert decode(54, url, value) == RawContract(54, url, value)


def test_a_type_url_of_another_contract_stays_raw() -> None:
    _, url, value = encode(Transfer(A, B, Sun(1)))
    for number, other in ((31, url), (1, PREFIX + "TriggerSmartContract"), (1, "")):
        assert isinstance(decode(number, other, value), RawContract)


def test_numbers_that_do_not_fit_are_refused_not_wrapped() -> None:
    for contract in (
        Transfer(A, B, Sun(2**63)),
        Trigger(A, B, call_token_value=-(2**63) - 1),
        VoteWitness(A, (Vote(B, 2**63),)),
    ):
        with pytest.raises(ValueError, match="out of range"):
            encode(contract)


def test_names_found_in_a_contract() -> None:
    update = AccountPermissionUpdate(
        A,
        Permission(keys=(Key(B, 1),)),
        actives=(Permission(keys=(Key(C, 1), Key(B, 1))),),
    )
    assert addresses_in(update) == {A, B, C}
    assert owner_of(update) == A
    assert addresses_in(VoteWitness(A, (Vote(B, 1),))) == {A, B}
    raw = RawContract(7, "", encode(Transfer(A, B, Sun(1)))[2])
    assert addresses_in(raw) == {A, B}
    assert owner_of(raw) is None
    assert owner_of(Transfer(A, B, Sun(1))) == A
    assert addresses_in(RawContract(7, "", b"\xff")) == frozenset()
    for odd in (b"\x42" + bytes(20), b"\x41" + bytes(19)):
        named = pb.TransferContract(owner_address=odd).SerializeToString()
        assert addresses_in(RawContract(1, "", named)) == frozenset()


def test_every_class_has_an_owner_and_a_docstring_with_its_number() -> None:
    for made in contracts.KnownContract.__args__:
        names = set(made.__struct_fields__)
        assert names & {"owner", "owner_address"}
        [number] = [
            number
            for name, number in CONTRACT_TYPES.items()
            if made.__doc__.startswith(name + " ")
        ]
        assert f"({number})" in made.__doc__.split("\n")[0]
        assert _number_of(made) == number


def _number_of(made: Any) -> int:
    return contracts._KIND_OF[made].number
