"""Contracts of any kind on their way into a chain of `making`."""

from typing import Any

import pytest

from lucidtrond.devnet.state.account import Account
from lucidtrond.devnet.state.blocks import ReceiptRow
from lucidtrond.devnet.state.rejections import Refused
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.contracts import TYPE_URL_PREFIX, RawContract
from lucidtrond.tron.jsonformat import CONTRACT_TYPES
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.transaction import RawData, Reference, Transaction
from lucidtrond.tron.units import Sun, UnixMillis
from tests.devnet.making import Lab, sign


def raw_contract(
    lab: Lab,
    name: str,
    /,
    *,
    permission_id: int = 0,
    fee_limit: int = 0,
    behind: bytes = b"",
    **fields: Any,
) -> RawData:
    """A minute's transaction that differs from those before.

    *behind* goes after the contract's own bytes.
    """
    lab.nonce += 1
    properties = lab.chain.head.globals
    value = getattr(pb, name)(**fields).SerializeToString() + behind
    return RawData(
        RawContract(CONTRACT_TYPES[name], TYPE_URL_PREFIX + name, value),
        Reference.to_block(properties.block_id.hex()),
        expiration=UnixMillis(properties.timestamp + 60_000),
        timestamp=UnixMillis(properties.timestamp + lab.nonce),
        permission_id=permission_id,
        fee_limit=Sun(fee_limit),
    )


def contract(lab: Lab, key: PrivateKey, name: str, /, **fields: Any) -> Transaction:
    """Signed by the owner alone."""
    fields.setdefault("owner_address", key.address.raw)
    return sign(raw_contract(lab, name, **fields), key)


def refused(lab: Lab, transaction: Transaction) -> str:
    """What the contract's validation says."""
    with pytest.raises(Refused) as caught:
        lab.send(transaction)
    assert caught.value.code == "CONTRACT_VALIDATE_ERROR"
    return caught.value.text.removeprefix("Contract validate error : ")


def receipt(lab: Lab, transaction: Transaction) -> ReceiptRow:
    """Send it and make the block that holds it."""
    lab.send(transaction)
    lab.mine()
    located = lab.chain.find(transaction.digest)
    assert located is not None
    return located.transaction.receipt


def account(lab: Lab, key: PrivateKey) -> Account:
    holder = lab.chain.head.accounts.get(key.address.raw)
    assert holder is not None
    return holder
