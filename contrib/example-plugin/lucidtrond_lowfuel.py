"""Say so when an address runs low on TRX."""

import msgspec

from lucidtrond import api


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    address: str
    floor_sun: int = 10_000_000


plugin = api.Plugin("lowfuel", Config)


class Fuel(api.Result, frozen=True):
    balance_sun: str
    low: bool


@plugin.method("lowfuel.check", timeout_s=5, errors=[api.NodeError])
async def check(ctx: api.Context[Config]) -> Fuel:
    """Say whether the address is below its floor."""
    address = api.read_address(ctx.config.address)
    balance = (await ctx.node.fetch_account(address)).value.balance
    return Fuel(balance_sun=str(balance), low=balance < ctx.config.floor_sun)


@plugin.on(api.TransferSeen)
async def watch(ctx: api.Context[Config], seen: api.TransferSeen) -> None:
    if seen.change != "included" or seen.entry.from_address != ctx.config.address:
        return
    fuel = await check(ctx)
    if fuel.low:
        low = api.PluginEvent(
            plugin=ctx.name, name="low", data={"balance_sun": fuel.balance_sun}
        )
        await ctx.store.write(lambda tx: ctx.emit(tx, low))
