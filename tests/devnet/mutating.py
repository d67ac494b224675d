"""Signed transactions with one byte changed, put in or taken away, and what is right.

The oracle is not the chain's own parser: what a transaction means is read from the
bytes that its id is made of by google's protobuf library, who signed by libsecp256k1.
"""

import contextlib
import json
import random
from collections.abc import Sequence
from typing import Any, Final

from attrs import define, field, frozen
from google.protobuf.message import DecodeError

from lucidtrond.devnet.router import Router
from lucidtrond.devnet.state.blocks import TransactionRow
from lucidtrond.devnet.state.javaproto import BadProtobuf
from lucidtrond.devnet.state.received import receive
from lucidtrond.transports.http_messages import HttpRequest
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.hashing import sha256
from lucidtrond.tron.keys import PrivateKey, recover
from lucidtrond.tron.transaction import Transaction
from lucidtrond.tron.wirebytes import fields, length_field, varint
from tests.devnet.making import ALICE, BOB, CAROL, NOVA, PLENTY, WHALE, Lab, sign
from tests.devnet.sending import raw_contract

PATH: Final = "/wallet/broadcasthex"
HEADERS: Final = {b"content-type": b"application/json"}
MANY: Final = 9
"""Of mutants that are signed after the byte was changed: one in so many is signed as it
stands, the others as the node will write it again."""


@frozen
class Original:
    """A transaction as its owner would send it; *others* is who else it pays what."""

    transaction: Transaction
    key: PrivateKey
    others: dict[bytes, int]


def originals(lab: Lab) -> list[Original]:
    """A signed transaction of several kinds, each of which the chain takes."""
    token = next(iter(lab.chain.head.contracts.values())).address
    transfer = bytes.fromhex("a9059cbb") + bytes(12) + BOB.address.raw[1:] + bytes(31)
    pay = {"to_address": BOB.address.raw, "amount": 1_234_567}
    stake = {"frozen_balance": 5_000_000, "resource": 1}
    create = {"account_address": NOVA.address.raw}
    call = {"contract_address": token, "data": transfer + b"\x05"}
    permission = {"threshold": 1, "keys": [{"address": CAROL.address.raw, "weight": 1}]}
    active = {**permission, "type": 2, "operations": b"\x7f" + bytes(31)}
    powers = {"owner": permission, "actives": [active]}
    made: list[tuple[PrivateKey, str, dict[str, Any], dict[bytes, int]]] = [
        (ALICE, "TransferContract", pay, {BOB.address.raw: 1_234_567}),
        (BOB, "FreezeBalanceV2Contract", stake, {}),
        (CAROL, "AccountCreateContract", create, {}),
        (WHALE, "TriggerSmartContract", {**call, "fee_limit": PLENTY}, {}),
        (ALICE, "AccountPermissionUpdateContract", powers, {}),
    ]
    rows = []
    for key, name, values, others in made:
        raw = raw_contract(lab, name, owner_address=key.address.raw, **values)
        rows.append(Original(sign(raw, key), key, others))
    return rows


@define
class Mutants:
    """Sends mutants to a chain, which forgets those that it took."""

    chance: random.Random
    lab: Lab = field(init=False, factory=Lab)
    router: Router = field(init=False)
    originals: Sequence[Original] = field(init=False)
    taken: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self.lab.mine(3)
        now_ms = self.lab.chain.head.globals.timestamp
        self.router = Router(self.lab.chain, lambda: now_ms)
        self.originals = originals(self.lab)

    def next(self) -> tuple[Original, bytes]:
        """A mutant, of the signed bytes or of what is signed afterwards."""
        original = self.chance.choice(self.originals)
        if self.chance.random() < 0.5:
            return original, self._mutated(original.transaction.encode())
        raw = original.transaction.raw
        if self.chance.random() < 0.5:
            raw = self._respelled(raw)
        if self.chance.random() < 0.75:
            raw = self._mutated(raw)
        data = length_field(1, raw)
        signed = sha256(raw)
        if self.chance.randrange(MANY):
            with contextlib.suppress(BadProtobuf):
                signed = receive(data)[0].digest
        return original, data + length_field(2, original.key.sign(signed))

    def _respelled(self, raw: bytes) -> bytes:
        """The same in another form: a node writes all of them alike."""
        written = [parsed_field.written for parsed_field in fields(raw)]
        match self.chance.randrange(4):
            case 0:
                self.chance.shuffle(written)
            case 1:  # the last timestamp counts
                other = varint(14 << 3) + varint(self.chance.randrange(2**40))
                written.insert(0, other)
            case 2:
                written.append(varint(3 << 3) + b"\x00")
            case _:  # a longer tag
                first = written[0]
                written[0] = bytes([first[0] | 0x80, 0]) + first[1:]
        return b"".join(written)

    def _mutated(self, data: bytes) -> bytes:
        at, byte = self.chance.randrange(len(data)), self.chance.randrange(256)
        match self.chance.randrange(4):
            case 0:
                return data[:at] + bytes([byte]) + data[at + 1 :]
            case 1:
                flipped = data[at] ^ 1 << self.chance.randrange(8)
                return data[:at] + bytes([flipped]) + data[at + 1 :]
            case 2:
                return data[:at] + bytes([byte]) + data[at:]
            case _:
                return data[:at] + data[at + 1 :]

    def send(self, original: Original, data: bytes) -> None:
        """Broadcast; whatever is taken must mean what its signature covers."""
        body = b'{"transaction":"%b"}' % data.hex().encode()
        response = self.router.answer(HttpRequest("POST", PATH, "", HEADERS, body))
        assert response.status == 200, data.hex()
        answer = json.loads(response.body)
        if answer.get("result") is True:
            self.taken += 1
            located = self.lab.chain.find(bytes.fromhex(answer["txid"]))
            assert located is not None
            row = located.transaction
            check_meaning(original, row, answer["txid"])
            check_reading(data, row)
            self.lab.chain._pending = None
            self.lab.chain._repool([])


def check_meaning(original: Original, row: TransactionRow, txid: str) -> None:
    """What was taken says what its signature covers, and was carried out so."""
    digest = sha256(row.raw)
    assert digest.hex() == txid
    assert recover(digest, row.signatures[0][:65]) == original.key.address
    raw = pb.Transaction.raw.FromString(row.raw)
    assert raw.SerializeToString(deterministic=True) == row.raw  # one form, one id
    [contract] = raw.contract
    name = pb.Transaction.Contract.ContractType.Name(contract.type)
    _, slash, stated = contract.parameter.type_url.rpartition("/")
    assert (slash, stated) == ("/", f"protocol.{name}")
    value = getattr(pb, name).FromString(contract.parameter.value)
    assert value.owner_address == original.key.address.raw
    changes: dict[bytes, int] = {}
    for address, amount in row.moves:
        changes[address] = changes.get(address, 0) + amount
    changes.pop(original.key.address.raw, None)
    if isinstance(value, pb.TransferContract):
        assert changes == {value.to_address: value.amount}
    if row.raw == original.transaction.raw:
        assert {path: changes[path] for path in original.others} == original.others


def check_reading(data: bytes, row: TransactionRow) -> None:
    """What was taken is what google's library reads in the bytes that came."""
    try:
        theirs = pb.Transaction.FromString(data).raw_data
    except DecodeError:
        return  # it takes no varint that is longer than it need be
    ours = pb.Transaction.raw.FromString(row.raw)
    for message in (ours, theirs):
        message.DiscardUnknownFields()
    assert ours == theirs
