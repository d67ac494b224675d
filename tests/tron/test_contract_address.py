import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron.address import Address
from lucidtrond.tron.contract_address import (
    created_by_contract,
    created_by_transaction,
    created_with_salt,
)
from lucidtrond.tron.hashing import keccak256
from tests.tron.strategies import addresses, digests


@given(digests, addresses)
def test_a_deployment_hashes_txid_and_owner(txid: bytes, owner: Address) -> None:
    made = created_by_transaction(txid, owner.raw)
    assert made.raw == b"\x41" + keccak256(txid + owner.raw)[-20:]


@given(digests, st.integers(0, 2**63 - 1))
def test_a_creation_inside_a_call_hashes_root_and_nonce(
    txid: bytes, nonce: int
) -> None:
    made = created_by_contract(txid, nonce)
    assert made.raw[1:] == keccak256(txid + nonce.to_bytes(8, "big"))[-20:]


@given(addresses, digests, digests)
def test_create2_hashes_trons_prefix_sender_salt_and_code(
    sender: Address, salt: bytes, code: bytes
) -> None:
    made = created_with_salt(sender, salt, code)
    assert made.raw[1:] == keccak256(b"\x41" + sender.raw[1:] + salt + code)[-20:]


def test_create2_wants_whole_words() -> None:
    sender = Address(b"\x41" + bytes(20))
    for salt, code in ((bytes(31), bytes(32)), (bytes(32), bytes(33))):
        with pytest.raises(ValueError, match="CREATE2"):
            created_with_salt(sender, salt, code)
