"""Names that were replaced by the field's own, and must not come back."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
MODULES: Final = (
    "lucidtrond/node/ways.py",
    "lucidtrond/node/plain.py",
    "lucidtrond/node/secure.py",
    "lucidtrond/node/gate.py",
    "lucidtrond/node/seen.py",
    "lucidtrond/node/member.py",
    "lucidtrond/node/flights.py",
    "lucidtrond/node/pacing.py",
    "lucidtrond/chain/pace.py",
    "lucidtrond/cli/reach.py",
    "lucidtrond/daemon/doors.py",
    "lucidtrond/daemon/ledgerchecks.py",
    "lucidtrond/daemon/gauges.py",
    "lucidtrond/daemon/places.py",
    "lucidtrond/daemon/nodewatch.py",
    "lucidtrond/devnet/doors.py",
    "lucidtrond/devnet/http/trouble.py",
    "lucidtrond/devnet/state/certain.py",
    "lucidtrond/devnet/state/refused.py",
    "lucidtrond/devnet/state/owners.py",
    "lucidtrond/sending/needs.py",
    "lucidtrond/sending/words.py",
    "lucidtrond/sending/funds.py",
    "lucidtrond/sending/desk.py",
    "lucidtrond/sending/order.py",
    "lucidtrond/sending/journal.py",
    "lucidtrond/sending/token_quote.py",
    "lucidtrond/transports/unix_pump.py",
)
IDENTIFIERS: Final = (
    ("lucidtrond/events", "ring"),
    ("lucidtrond/events", "let_go"),
    ("lucidtrond/events", "_bell"),
    ("lucidtrond/chain", "take_out"),
    ("lucidtrond/chain", "_for_each"),
    ("lucidtrond/chain", "_in_words"),
    ("lucidtrond/daemon", "_House"),
    ("lucidtrond/daemon", "House"),
    ("lucidtrond/daemon", "_open_house"),
    ("lucidtrond/daemon", "_furnish"),
    ("lucidtrond/daemon", "HttpDoor"),
    ("lucidtrond/daemon", "door"),
    ("lucidtrond/daemon", "doorway"),
    ("lucidtrond/daemon", "floor"),
    ("lucidtrond/testing", "_furnish"),
    ("lucidtrond/testing", "floor"),
    ("lucidtrond/cli", "room"),
    ("lucidtrond/cli", "_show_other_doors"),
    ("lucidtrond/cli", "_add_looking"),
    ("lucidtrond/cli", "_most"),
    ("lucidtrond/testing", "_Given"),
    ("lucidtrond/rpc", "GIVEN"),
    ("lucidtrond/pluginhost", "OURS"),
    ("lucidtrond/pluginhost", "Found"),
    ("lucidtrond/pluginhost", "_Known"),
    ("lucidtrond/api", "DevnetDoor"),
    ("lucidtrond/sending", "Drawn"),
    ("lucidtrond/sending", "_stand"),
    ("lucidtrond/sending", "Buried"),
    ("lucidtrond/sending", "_Hand"),
    ("lucidtrond/sending", "Desk"),
    ("lucidtrond/sending", "TakenBack"),
    ("lucidtrond/sending", "stand"),
    ("lucidtrond/sending", "drawn"),
    ("lucidtrond/sending", "_draw"),
    ("lucidtrond/sending", "_bury"),
    ("lucidtrond/sending", "unburied"),
    ("lucidtrond/sending", "_check_room"),
    ("lucidtrond/node", "Pace"),
    ("lucidtrond/node", "Gate"),
    ("lucidtrond/node", "Member"),
    ("lucidtrond/node", "_Flight"),
    ("lucidtrond/node", "_ways"),
    ("lucidtrond/node", "aboard"),
    ("lucidtrond/node", "hear"),
    ("lucidtrond/node", "words"),
    ("lucidtrond/devnet", "Meter"),
    ("lucidtrond/chain", "Pace"),
    ("lucidtrond/devnet", "Ask"),
    ("lucidtrond/devnet", "Ruled"),
    ("lucidtrond/devnet", "ObstinateView"),
    ("lucidtrond/devnet", "Door"),
    ("lucidtrond/devnet", "open_doors"),
    ("lucidtrond/devnet", "doors"),
    ("lucidtrond/devnet", "Place"),
    ("lucidtrond/devnet", "Troubled"),
    ("lucidtrond/devnet", "take_back"),
    ("lucidtrond/devnet", "transfer_nothing"),
    ("lucidtrond", "_AT_ONCE"),
    ("lucidtrond", "Emitting"),
    ("lucidtrond", "RingingStore"),
)

VAGUE: Final = frozenset({"each", "found", "came", "told", "known"})
"""Said of anything; a variable, parameter, field or function is named for its thing."""
NAMED_FOR_THEIR_THING: Final = (
    "tests/devnet",
    "tests/events",
    "tests/keystore",
    "tests/node",
    "tests/plugins",
    "tests/store",
    "tests/tron",
    "lucidtrond/api",
    "lucidtrond/cli",
    "lucidtrond/composition",
    "lucidtrond/daemon",
    "lucidtrond/node",
    "lucidtrond/pluginhost",
    "lucidtrond/rpc",
    "lucidtrond/testing",
    "lucidtrond/transports",
    "lucidtrond/tron",
    "tests/api",
    "tests/cli",
    "tests/daemon",
    "tests/pluginhost",
    "tests/rpc",
    "tests/test_composition",
    "tests/test_repository",
    "tests/testing",
    "plugins/lucidtrond_accounts",
    "plugins/lucidtrond_batchwallets",
    "plugins/lucidtrond_history",
    "plugins/lucidtrond_keystore",
    "plugins/lucidtrond_lucidhttp",
    "plugins/lucidtrond_network",
    "plugins/lucidtrond_receipts",
    "plugins/lucidtrond_retry",
    "plugins/lucidtrond_tokens",
    "plugins/lucidtrond_transfers",
    "plugins/lucidtrond_validation",
    "plugins/lucidtrond_wallets",
    "lucidtrond/errors",
    "lucidtrond/events",
    "lucidtrond/keystore",
    "lucidtrond/store",
    "lucidtrond/chain",
    "lucidtrond/orders",
    "lucidtrond/ports",
    "lucidtrond/sending",
    "lucidtrond/devnet",
    "plugins/lucidtrond_devnet",
)
"""Packages and modules without vague names."""
_WIRE: Final = frozenset({"Params", "Result"})
ON_THE_WIRE: Final = frozenset({"known"})
"""Fields of API.md that stay; only as fields of what a plugin takes or gives."""


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_its_new_name_only(module: str) -> None:
    assert not (ROOT / module).exists()


@pytest.mark.parametrize(("folder", "name"), IDENTIFIERS)
def test_an_identifier_has_its_new_name_only(folder: str, name: str) -> None:
    code = re.compile(rf"(?<![\w`\"]){re.escape(name)}(?=[\s(\[,:)\]]|$)", re.MULTILINE)
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / folder).rglob("*.py")
        if code.search(_without_prose(path.read_text()))
    ]
    assert found == []


@pytest.mark.parametrize("place", NAMED_FOR_THEIR_THING)
def test_a_name_says_what_it_holds(place: str) -> None:
    single = ROOT / f"{place}.py"
    paths = [single] if single.exists() else sorted((ROOT / place).rglob("*.py"))
    assert paths
    vague = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in paths
        for line, name in _bound_names(ast.parse(path.read_text()))
        if name in VAGUE
        and (line, name) not in _wire_fields(ast.parse(path.read_text()))
    ]
    assert vague == []


def _bound_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every name that the module gives to something, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name.lstrip("_")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name.lstrip("_")
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name


def _wire_fields(tree: ast.Module) -> set[tuple[int, str]]:
    """Fields in `ON_THE_WIRE` of classes made of `Params` or `Result`, with lines."""
    return {
        (field.lineno, field.target.id)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id in _WIRE for base in node.bases)
        for field in node.body
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and field.target.id in ON_THE_WIRE
    }


def _without_prose(source: str) -> str:
    return re.sub(r'"""(?:.|\n)*?"""|#.*', "", source)
