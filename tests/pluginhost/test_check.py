"""Before anything runs: every fault of every plugin, at once, by name."""

from importlib.metadata import EntryPoint
from typing import Annotated, Any

import msgspec
import pytest

from lucidtrond.api import Context, NoConfig, Params, Plugin, Result
from lucidtrond.errors import PluginError
from lucidtrond.pluginhost import load
from lucidtrond.testing import load_plugins


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    address: str
    every_s: Annotated[float, msgspec.Meta(gt=0)] = 60.0
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.address in self.names:
            raise ValueError("address: also among names")


class Ask(Params, frozen=True):
    number: int = 0


class Answer(Result, frozen=True):
    number: int


async def answer(_ctx: Context[Any], params: Ask) -> Answer:
    """Answer."""
    return Answer(number=params.number)


def offering(plugin_name: str, *methods: str) -> Plugin[NoConfig]:
    plugin = Plugin(plugin_name)
    for name in methods:
        plugin.method(name)(answer)
    return plugin


def faults(sections: dict[str, Any], *plugins: Plugin[Any]) -> str:
    with pytest.raises(PluginError) as caught:
        load_plugins(sections, plugins)
    return str(caught.value)


def test_all_faults_are_told_together_and_each_names_its_plugin() -> None:
    text = faults(
        {"nowhere": {}, "first": {"x": 1}, "second": {}, "third": {"grants": ["all"]}},
        offering("first", "rpc.take"),
        offering("second", "first.get", "daemon.stop"),
        offering("third", "first.get"),
    )
    lines = text.splitlines()
    assert lines[0] == "6 faults in plugins:"
    ours = "rpc., daemon., plugin., events. are the daemon's"
    grants = "expected some of devnet, keystore"
    assert [line.replace(" (from ? ?)", "") for line in lines[1:]] == [
        "plugin nowhere: enabled but not installed",
        "plugin first: [plugins.first] x: unknown key; there are enabled, grants",
        f"plugin first: method rpc.take: {ours}",
        f"plugin second: method daemon.stop: {ours}",
        f"plugin third: [plugins.third] grants: {grants}, got 'all'",
        "plugin third: method first.get: plugin second offers it too",
    ]


def test_a_single_fault_is_one_line() -> None:
    assert faults({"first": {}}, offering("first", "events.make")).count("\n") == 0


@pytest.mark.parametrize(
    ("section", "problems"),
    [
        ({}, ["address: missing"]),
        (
            {"address": 5, "every_s": "x", "port": 1},
            [
                "address: expected `str`, got `int`, came 5",
                "every_s: expected `float`, got `str`, came 'x'",
                "port: unknown key; there are address, every_s, names, enabled, grants",
            ],
        ),
        (
            {"address": "a", "every_s": 0},
            ["every_s: expected `float` > 0.0, came 0"],
        ),
        (
            {"address": "a", "names": ["b", 7]},
            ["names[1]: expected `str`, got `int`, came ['b', 7]"],
        ),
        ({"address": "a", "names": ["a"]}, ["address: also among names"]),
        (
            {"address": "a", "enabled": "no"},
            ["enabled: expected true or false, got 'no'"],
        ),
        (
            {"address": "a", "grants": "keystore"},
            ["grants: expected a list of texts, got 'keystore'"],
        ),
        (
            {"address": ["x" * 90]},
            ["address: expected `str`, got `array`, came a list"],
        ),
    ],
)
def test_a_bad_section_says_key_expectation_and_what_came(
    section: dict[str, Any], problems: list[str]
) -> None:
    text = faults({"some": section}, Plugin("some", Settings))
    lines = text.splitlines()[1:] if len(problems) > 1 else [text]
    assert lines == [
        f"plugin some (from ? ?): [plugins.some] {problem}" for problem in problems
    ]


def test_a_plugin_says_which_grant_it_can_not_work_without() -> None:
    opener = Plugin("opener", needs=["keystore"])
    assert "can't work without 'keystore'" in faults({"opener": {}}, opener)
    host = load_plugins({"opener": {"grants": ["keystore"]}}, [opener])
    assert [state.name for state in host.states()] == ["opener"]


def test_what_is_switched_off_is_not_even_imported() -> None:
    broken = EntryPoint("broken", "no_such_module:plugin", "lucidtrond.plugins")
    host = load({"broken": {"enabled": False}}, [broken])
    assert host.states() == []


def test_what_is_installed_and_has_no_section_is_not_imported() -> None:
    broken = EntryPoint("broken", "no_such_module:plugin", "lucidtrond.plugins")
    assert load({}, [broken]).methods() == []


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("no_such_module:plugin", "can't be imported: ModuleNotFoundError"),
        ("tests.pluginhost.test_check:no_such_name", "AttributeError"),
        ("tests.pluginhost.bad_declaration:plugin", "BadDeclaration: method odd.one:"),
        ("tests.pluginhost.test_check:offering", "is a function, expected a Plugin"),
        ("lucidtrond_network:plugin", "it calls itself 'network', its entry point"),
    ],
)
def test_what_can_not_be_imported_is_a_fault_and_no_crash(
    value: str, problem: str
) -> None:
    point = EntryPoint("odd", value, "lucidtrond.plugins")
    with pytest.raises(PluginError, match="plugin odd") as caught:
        load({"odd": {}}, [point])
    assert problem in str(caught.value)


def test_a_plugin_that_two_distributions_bring_is_refused() -> None:
    points = [
        EntryPoint("odd", f"no_such_module{number}:plugin", "lucidtrond.plugins")
        for number in range(2)
    ]
    with pytest.raises(PluginError, match="installed more than once"):
        load({"odd": {}}, points)


def test_faults_name_the_distribution_and_its_version() -> None:
    from importlib.metadata import version  # noqa: PLC0415 - only here

    with pytest.raises(PluginError) as caught:
        load({"history": {"x": 1}})
    wanted = f"plugin history (from lucidtrond {version('lucidtrond')}): "
    assert str(caught.value).startswith(wanted)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE others (k INT64)",
        "create table if not exists others (k INT64)",
        'CREATE TABLE "others" (k INT64)',
        "CREATE UNIQUE INDEX others ON some_row (k)",
        "ALTER TABLE others ADD COLUMN k INT64",
        "DROP TABLE chain_entry",
        "CREATE TABLE some_row (k INT64); CREATE TABLE somebody (k INT64)",
    ],
)
def test_a_plugins_tables_begin_with_its_name(sql: str) -> None:
    plugin = Plugin("some")
    plugin.migration(1, sql)
    assert "must start with some_" in faults({"some": {}}, plugin)


def test_good_tables_become_the_plugins_own_migrations() -> None:
    plugin = Plugin("some")
    plugin.migration(1, "CREATE TABLE some_row (k INT64)")
    plugin.migration(2, "CREATE INDEX some_row_k ON some_row (k)")
    host = load_plugins({"some": {}}, [plugin])
    steps = [(step.owner, step.version) for step in host.migrations()]
    assert steps == [("pluginhost", 1), ("some", 1), ("some", 2)]


def test_a_plugin_can_not_take_the_tables_of_a_floor() -> None:
    plugin = Plugin("chain")
    plugin.migration(1, "CREATE TABLE chain_mine (k INT64)")
    assert "are the daemon's own" in faults({"chain": {}}, plugin)
