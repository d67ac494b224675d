"""Numbers of a token on the devnet's solid state, by HTTP."""

from lucidtrond.devnet.server import DevnetConfig, open_devnet
from lucidtrond.node.cache import CachedNode
from lucidtrond.node.pool import Endpoint, open_pool
from lucidtrond.testing.clocks import ManualClock
from lucidtrond.tron import abi
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import Trigger
from lucidtrond.tron.tokens import TETHER_CHECKS
from lucidtrond.tron.transaction import RawData, Reference
from lucidtrond.tron.units import Sun, UnixMillis
from tests.devnet.making import WHALE, Lab, sign


async def test_a_fee_that_is_set_shows_once_its_block_is_final() -> None:
    config = DevnetConfig(block_time_s=0, witnesses=5, tokens=("tether",))
    async with (
        open_devnet(config, clock=ManualClock()) as devnet,
        open_pool([Endpoint(devnet.url)], genesis_id=devnet.genesis_id) as pool,
    ):
        node = CachedNode(pool)
        await devnet.mine(8)
        rows = {row.symbol: row for row in devnet.chain.head.contracts.values()}
        token = Address(rows["TETHER"].address)
        read = await node.read_solid_numbers(token, (*TETHER_CHECKS, "strange()"))
        assert read.numbers == (0, 0, 0, None)
        assert read.before.number <= read.after.number < devnet.head_number
        lab = Lab()
        lab.chain = devnet.chain
        assert rows["TETHER"].origin == WHALE.address.raw
        properties = devnet.chain.head.globals
        call = Trigger(
            WHALE.address, token, abi.encode_call("setParams(uint256,uint256)", (10, 1))
        )
        raw = RawData(
            call,
            Reference.to_block(properties.block_id.hex()),
            expiration=UnixMillis(properties.timestamp + 60_000),
            timestamp=properties.timestamp,
            fee_limit=Sun(100_000_000),
        )
        lab.send(sign(raw, WHALE))
        await devnet.mine(1)
        again = await node.read_solid_numbers(token, TETHER_CHECKS)
        assert again.numbers == (0, 0, 0)
        await devnet.mine(8)
        after = await node.read_solid_numbers(token, TETHER_CHECKS)
        assert after.numbers == (10, 1_000_000, 0)
        absent = Address(b"\x41" + bytes(20))
        nothing = await node.read_solid_numbers(absent, TETHER_CHECKS)
        assert nothing.numbers == (None, None, None)
