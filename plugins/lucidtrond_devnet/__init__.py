"""The embedded chain's control verbs as methods ``devnet.VERB``.

Parameters, results and texts are declared in `lucidtrond.api.devnet`; the chain carries
them out.
"""

from typing import Any

import msgspec

from lucidtrond.api import Context, NoConfig, Params, Plugin, Result
from lucidtrond.api.devnet import NAMES, ControlVerb

plugin = Plugin("devnet", needs=["devnet"], networks=["devnet"])


def _offer(name: str, verb: ControlVerb) -> None:
    """Declare a verb's method by its own name or by an older one."""

    async def run(ctx: Context[NoConfig], params: Params | None = None) -> Result:
        given = {} if params is None else msgspec.to_builtins(params)
        return msgspec.convert(await ctx.devnet.control(verb.name, given), verb.result)

    async def run_without(ctx: Context[NoConfig]) -> Result:
        return await run(ctx)

    handler: Any = run_without if verb.params is None else run
    handler.__annotations__ = {"params": verb.params, "return": verb.result}
    handler.__doc__ = verb.summary
    if name != verb.name:
        handler.__doc__ = f"Do what `devnet.{verb.name}` does, by its older name."
    plugin.method(
        f"devnet.{name}",
        caller="spend" if verb.changes else "read",
        example=verb.example,
        errors=verb.errors,
    )(handler)


for _name, _verb in NAMES.items():
    _offer(_name, _verb)
