"""Each kind of contract is declared once, and everything else is derived from that."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

import lucidtrond.devnet
from lucidtrond.devnet.ethereum.printing import print_pending
from lucidtrond.devnet.http.routes import ROUTES
from lucidtrond.devnet.state.blocks import TransactionRow
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.kinds.base import ContractKind, Get
from lucidtrond.devnet.state.kinds.table import BY_NAME, BY_NUMBER, KINDS, kind_of
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.contracts import TYPE_URL_PREFIX
from lucidtrond.tron.jsonformat import CONTRACT_TYPES, message_class
from lucidtrond.tron.transaction import Transaction

DEVNET: Final = Path(lucidtrond.devnet.__file__).parent
HOME: Final = DEVNET / "state" / "kinds"
MADE_OF_FIELDS: Final = {
    "AssetIssueContract": "the row of a token",
    "CreateSmartContract": "built from fields of other names",
    "TriggerSmartContract": "built from fields of other names",
    "TransferContract": "payments of the genesis block and of buildTransaction",
    "TransferAssetContract": "payments of buildTransaction",
}
"""Kinds whose message others than their module use, and why."""
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def second_homes(tree: ast.Module, kinds: tuple[ContractKind[Any], ...]) -> list[str]:
    """Where a module outside `state.kinds` names a kind as if declared there."""
    names = {kind.name for kind in kinds}
    numbers = {kind.number for kind in kinds}
    paths = {kind.path for kind in kinds if kind.path}
    constants = {name.removesuffix("Contract").upper() for name in names}
    return [
        f"line {getattr(node, 'lineno', 0)}: {why}"
        for node in ast.walk(tree)
        for why in _declares(node, names, numbers, paths, constants)
    ]


def _declares(
    node: ast.AST,
    names: set[str],
    numbers: set[int],
    paths: set[str],
    constants: set[str],
) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)) if text in names | paths:
            yield f"the text {text!r}"
        case ast.Attribute(attr=name) if name in names - MADE_OF_FIELDS.keys():
            yield f"the message {name}"
        case ast.Compare(left=ast.Attribute(attr="type"), comparators=[right]) if (
            isinstance(right, ast.Constant)
        ):
            yield f"the type {right.value!r}"
        case ast.Dict(keys=[_, _, *_] as keys) if all(
            isinstance(key, ast.Constant) and key.value in numbers for key in keys
        ):
            yield "a table by types"
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=int())):
            if name.replace("_", "") in constants:
                yield f"the number {name}"
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=int())):
            if name.replace("_", "") in constants:
                yield f"the number {name}"


def test_a_kind_is_declared_in_its_module_alone() -> None:
    modules = [path for path in DEVNET.rglob("*.py") if HOME not in path.parents]
    assert len(modules) > 50
    named = {
        str(path.relative_to(DEVNET)): homes
        for path in modules
        if (homes := second_homes(ast.parse(path.read_text()), KINDS))
    }
    assert named == {}, "what these lines say belongs into the kind's own module"


@pytest.mark.parametrize(
    "source",
    [
        'def freeze(ask):\n    return build(ask, "FreezeBalanceV2Contract")',
        'ROUTES = {"freezebalancev2": servlet}',
        "FREEZE_BALANCE_V2: Final = 54",
        "_TRANSFER_ASSET = 2",
        "CLEAR_ABI: Final = 48",
        "_AMOUNT: Final = {1: 3, 54: 2}",
        "if candidate.type == 54: ...",
        "pb.FreezeBalanceV2Contract()",
    ],
)
def test_a_second_declaration_is_seen(source: str) -> None:
    assert second_homes(ast.parse(source), KINDS)


def test_no_kind_is_declared_twice() -> None:
    paths = [kind.path for kind in KINDS if kind.path]
    assert len(KINDS) == len(BY_NUMBER) == len(BY_NAME)
    assert len(paths) == len(set(paths))


def test_messages_named_elsewhere_are_kinds() -> None:
    assert MADE_OF_FIELDS.keys() <= BY_NAME.keys()


@each_kind
def test_a_kind_has_the_names_of_its_message(kind: ContractKind[Any]) -> None:
    assert CONTRACT_TYPES[kind.name] == kind.number
    assert message_class(kind.name) is kind.message
    assert BY_NUMBER[kind.number] is BY_NAME[kind.name] is kind


@each_kind
def test_a_path_leads_to_its_builder(kind: ContractKind[Any]) -> None:
    if not kind.path:
        assert not kind.checked_by_builder
        return
    route = ROUTES[f"/wallet/{kind.path}"]
    assert route.get is kind.get
    assert route.get is not Get.ANSWERS
    assert f"/walletsolidity/{kind.path}" not in ROUTES


def _candidate(contract_type: int, name: str, value: bytes) -> Candidate:
    raw = pb.Transaction.raw()
    parameter = pb.Any(type_url=TYPE_URL_PREFIX + name, value=value)
    raw.contract.add(type=contract_type, parameter=parameter)
    return Candidate.read(Transaction(raw.SerializeToString(deterministic=True)))


@given(st.sampled_from(KINDS), st.binary(min_size=1, max_size=30))
def test_the_owner_is_found_by_name(kind: ContractKind[Any], owner: bytes) -> None:
    message: Message = kind.message(owner_address=owner)
    candidate = _candidate(kind.number, kind.name, message.SerializeToString())
    assert candidate.owner == owner
    assert candidate.message == message


@given(st.sampled_from(KINDS), st.binary(max_size=30))
def test_what_does_not_unpack_is_an_empty_message(
    kind: ContractKind[Any], value: bytes
) -> None:
    candidate = _candidate(kind.number, "Another", value)
    assert candidate.owner == b""
    assert candidate.message == kind.message()
    row = TransactionRow(candidate.transaction.raw, ())
    assert print_pending(row)["input"] == "0x"


NOT_EXECUTED = sorted(
    {*CONTRACT_TYPES.values(), 7, 99}
    - {kind.number for kind in KINDS if kind.is_executed}
)


@pytest.mark.parametrize("contract_type", NOT_EXECUTED)
def test_other_types_are_not_executed(contract_type: int) -> None:
    candidate = _candidate(contract_type, "Another", b"")
    with pytest.raises(Invalid, match=f"contract type {contract_type} is not executed"):
        kind_of(candidate)
