"""A plugin whose import fails: it declares a method without a docstring."""

from lucidtrond.api import Context, NoConfig, Plugin, Result


class Answer(Result, frozen=True):
    number: int


plugin = Plugin("odd")


@plugin.method("odd.one")
async def one(_ctx: Context[NoConfig]) -> Answer:
    return Answer(number=1)
