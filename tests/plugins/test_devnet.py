"""The embedded chain's verbs as methods."""

from trio.testing import MockClock

from lucidtrond import pluginhost
from lucidtrond.api import CallerClass
from lucidtrond.api.devnet import NAMES, VERBS
from tests.plugins.bench import SHIPPED, open_shipped

METHODS = {each.name: each for each in pluginhost.load(SHIPPED).methods()}


def test_each_name_of_a_verb_is_a_method_and_nothing_else_is() -> None:
    offered = {name for name in METHODS if name.startswith("devnet.")}
    assert offered == {f"devnet.{name}" for name in NAMES}
    for name, verb in NAMES.items():
        method = METHODS[f"devnet.{name}"]
        caller: CallerClass = "spend" if verb.changes else "read"
        assert method.caller == caller
        if name in VERBS:
            assert method.summary == verb.summary
        else:
            assert f"`devnet.{verb.name}`" in method.summary


async def test_what_a_verb_gives_is_what_its_method_gives(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        info = await bench.call("devnet.info")
        assert info.witness_keys.keys() == set(info.witnesses)
        assert isinstance(info, VERBS["info"].result)
