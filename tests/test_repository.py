"""The tree, the lists that describe it, and what the methods promise must agree."""

import ast
import re
import statistics
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lucidtrond import errors
from lucidtrond.api.manifest import MethodSpec
from lucidtrond.pluginhost import PluginHost, installed, load
from lucidtrond.rpc.codes import CODES
from tests.plugins.bench import SHIPPED

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FOLDERS = sorted(path.parent.name for path in ROOT.glob("plugins/*/__init__.py"))
MOST_LINES = 600
MOST_LINES_OF_HALF = 150
GENERATED = {"tron_pb2.py", "tron_pb2.pyi"}
MOST_FILES_OF_A_PLUGIN = 4


def _ours(names: list[str]) -> list[str]:
    return [name for name in names if name.startswith("lucidtrond_")]


def _specs() -> Iterator[tuple[str, MethodSpec]]:
    for point in installed():
        if point.dist is not None and point.dist.name == "lucidtrond":
            for spec in point.load().lucidtrond_manifest().methods:
                yield point.name, spec


METHODS = [pytest.param(spec, id=spec.name) for _, spec in _specs()]


@pytest.fixture(name="host", scope="module")
def _host() -> PluginHost:
    return load(SHIPPED)


def test_each_plugin_folder_is_an_entry_point() -> None:
    points = PROJECT["project"]["entry-points"]["lucidtrond.plugins"]
    assert {f"lucidtrond_{name}:plugin" for name in points} == set(points.values())
    assert sorted(f"lucidtrond_{name}" for name in points) == FOLDERS


def test_each_plugin_folder_is_linted_and_typed() -> None:
    tool = PROJECT["tool"]
    lists = [tool["mypy"]["packages"], tool["importlinter"]["root_packages"]]
    lists += [
        contract[key]
        for contract in tool["importlinter"]["contracts"]
        for key in ("source_modules", "forbidden_modules", "modules")
        if _ours(contract.get(key, []))
    ]
    assert len(lists) == 5
    for names in lists:
        assert _ours(names) == FOLDERS


def test_the_shipped_configuration_enables_every_plugin_of_ours() -> None:
    assert sorted(f"lucidtrond_{name}" for name in SHIPPED) == FOLDERS


def test_each_plugin_is_typed_and_small() -> None:
    for name in FOLDERS:
        folder = ROOT / "plugins" / name
        assert (folder / "py.typed").exists(), name
        assert len(list(folder.rglob("*.py"))) <= MOST_FILES_OF_A_PLUGIN, name


def test_no_file_is_longer_than_600_lines() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for folder in ("lucidtrond", "plugins", "tests", "contrib")
        for path in (ROOT / folder).rglob("*.py")
        if path.name not in GENERATED
        and not {"interop", "data", ".venv"} & set(path.parts)
        and (lines := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert long == {}


def test_half_of_the_packages_files_have_at_most_150_lines() -> None:
    lengths = [
        lines
        for folder in ("lucidtrond", "plugins")
        for path in (ROOT / folder).rglob("*.py")
        if path.name not in GENERATED
        and (lines := len(path.read_text().splitlines())) > 0
    ]
    assert statistics.median(lengths) <= MOST_LINES_OF_HALF


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _contract(name: str) -> dict[str, Any]:
    [contract] = (
        contract
        for contract in PROJECT["tool"]["importlinter"]["contracts"]
        if contract["name"].startswith(name)
    )
    return dict(contract)


def _documented_as_pure() -> set[str]:
    """Modules and packages whose own docstring says so."""
    return {
        _module(path)
        for path in (ROOT / "lucidtrond").rglob("*.py")
        if path.name not in GENERATED
        and re.search(
            r"\bpure\b",
            ast.get_docstring(ast.parse(path.read_text())) or "",
            re.IGNORECASE,
        )
    }


def test_what_calls_itself_pure_is_held_to_it_and_says_so() -> None:
    listed = set(_contract("Purity")["source_modules"])
    documented = _documented_as_pure()
    inside = {
        name
        for name in documented
        for package in listed
        if name.startswith(f"{package}.")
    }
    assert documented - inside == listed


def test_the_architecture_names_pure_modules_only() -> None:
    text = (ROOT / "contrib/docs/architecture.md").read_text()
    [section] = re.findall(r"^## Pure cores\n(.*?)^## ", text, re.DOTALL | re.MULTILINE)
    named = re.findall(r"`([a-z_/]+)\.py`", section)
    assert named
    pure = _documented_as_pure()
    assert {
        name for name in named if f"lucidtrond.{name.replace('/', '.')}" not in pure
    } == set()


def test_tests_mirror_the_tree() -> None:
    packages = {
        path.parent.name
        for path in ROOT.glob("lucidtrond/*/__init__.py")
        if len(list(path.parent.glob("*.py"))) > 1
    }
    tested = {path.parent.name for path in ROOT.glob("tests/*/test_*.py")}
    assert packages - tested == set()


@pytest.mark.parametrize("spec", METHODS)
def test_each_method_can_be_read_about(spec: MethodSpec) -> None:
    assert re.fullmatch(r"[A-Z].*\.", spec.summary), "a sentence"
    documented = spec.result.__doc__
    assert spec.result.__struct_fields__, documented
    for error in spec.errors:
        assert issubclass(error, errors.CallError | errors.NodeError)
        assert error in CODES


@pytest.mark.parametrize("spec", METHODS)
def test_each_example_fits_its_params(spec: MethodSpec) -> None:
    if spec.params is None:
        assert spec.example == {}
        return
    assert spec.example, "with parameters there is something to show"
    decoded = msgspec.json.decode(msgspec.json.encode(spec.example), type=spec.params)
    assert isinstance(decoded, spec.params)


@pytest.mark.parametrize("spec", METHODS)
def test_each_method_has_a_schema_that_refuses_unknown_names(
    spec: MethodSpec,
) -> None:
    kinds: list[Any] = [spec.result, *([spec.params] if spec.params else [])]
    _, components = msgspec.json.schema_components(kinds)
    assert components[spec.result.__name__]["type"] == "object"
    if spec.params is not None:
        assert components[spec.params.__name__]["additionalProperties"] is False


@pytest.mark.parametrize("spec", METHODS)
def test_money_is_never_a_number_on_the_wire(spec: MethodSpec) -> None:
    kinds: list[Any] = [spec.result, *([spec.params] if spec.params else [])]
    _, components = msgspec.json.schema_components(kinds)
    for name, schema in components.items():
        for field, described in schema.get("properties", {}).items():
            forms = described.get("anyOf", [described])
            types = {form.get("type") for form in forms}
            if field.endswith(("_sun", "_raw")) or field == "amount":
                assert types <= {"string", "null"}, f"{name}.{field}"
            if field.endswith("_ms"):
                assert types <= {"integer", "null"}, f"{name}.{field}"


def test_the_names_of_methods_are_promises(host: PluginHost) -> None:
    names: dict[str, list[str]] = {}
    for method in sorted(host.methods(), key=lambda method: method.name):
        area, _, verb = method.name.partition(".")
        names.setdefault(area, []).append(verb)
    listed = {
        "account": "balance get resources",
        "address": "convert validate validate_many",
        "block": "get latest",
        "devnet": "clear close_port fault faults fork fund info jump mine nil restore"
        " rule seed shut snapshot stall zero_transfer",
        "history": "list",
        "keystore": "init lock reveal_mnemonic status unlock",
        "network": "endpoints plan status",
        "sending": "acknowledge approve foreign queued",
        "token": "allowance balance info list",
        "transfer": "estimate list send status",
        "tx": "broadcast decode get pending receipt retry wait",
        "wallet": "balance batch_create create export get history list",
    }
    offered = {area: " ".join(verbs) for area, verbs in names.items()}
    assert offered == listed, "a new method is listed here; none goes or is renamed"


def test_who_may_pay_and_who_may_open_the_keystore(host: PluginHost) -> None:
    classes = {method.name: method.caller for method in host.methods()}
    admin = {name for name, caller in classes.items() if caller == "admin"}
    spend = {name for name, caller in classes.items() if caller == "spend"}
    assert admin == {
        "keystore.init",
        "keystore.unlock",
        "keystore.lock",
        "keystore.reveal_mnemonic",
        "sending.acknowledge",
        "sending.approve",
    }
    assert spend == {
        "devnet.clear",
        "devnet.close_port",
        "devnet.fault",
        "devnet.fork",
        "devnet.fund",
        "devnet.jump",
        "devnet.mine",
        "devnet.nil",
        "devnet.restore",
        "devnet.rule",
        "devnet.seed",
        "devnet.shut",
        "devnet.snapshot",
        "devnet.stall",
        "devnet.zero_transfer",
        "transfer.send",
        "tx.broadcast",
        "tx.retry",
        "wallet.create",
        "wallet.batch_create",
    }


def test_methods_that_answer_inline_never_wait(host: PluginHost) -> None:
    inline = {method.name for method in host.methods() if method.inline}
    assert inline == {
        "address.convert",
        "network.endpoints",
        "network.plan",
        "network.status",
    }


def test_every_error_class_has_a_number() -> None:
    shown = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type)
        and issubclass(kind, errors.CallError | errors.NodeError)
    ]
    assert set(shown) == set(CODES)
