"""The embedded chain opened: its files, its ports, its tasks."""

import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import trio

from lucidtrond.devnet.config import DevnetConfig
from lucidtrond.devnet.control import controlled
from lucidtrond.devnet.fault_injection import FaultyRouter
from lucidtrond.devnet.log import BlockLog
from lucidtrond.devnet.ports import open_ports, url_of
from lucidtrond.devnet.production import BlockProducer
from lucidtrond.devnet.router import Router, Side
from lucidtrond.devnet.running import Devnet
from lucidtrond.devnet.state.chain import Chain, ChainBroken
from lucidtrond.devnet.state.default_chain import (
    default_genesis_file,
    with_fake_token,
    with_tokens,
)
from lucidtrond.devnet.state.genesis import (
    Genesis,
    format_genesis,
    make_genesis,
    parse_genesis,
)
from lucidtrond.devnet.state.genesis_file import BadGenesis
from lucidtrond.devnet.state.world import world_of
from lucidtrond.devnet.timeline import (
    MOST_BEHIND_S,
    assumed_behind_ms,
    choose_behind_ms,
)
from lucidtrond.errors import ConfigError, StoreError
from lucidtrond.ports import Clock
from lucidtrond.transports.http import HttpLimits
from lucidtrond.tron.units import UnixMillis

__all__ = ["Devnet", "DevnetConfig", "open_devnet"]

LIMITS: Final = HttpLimits(body_bytes=8 << 20)
"""Above the node's own limit of 4 MiB, which answers in its own words."""


@contextlib.asynccontextmanager
async def open_devnet(config: DevnetConfig, *, clock: Clock) -> AsyncIterator[Devnet]:
    """A chain that runs and listens while the block is entered.

    Raises:
        ConfigError: the configured chain is not the one in the state directory, or
            its time is to be another.
        AlreadyRunning: another process has that directory open.
        StoreError: the chain there can't be read.
    """
    place = (config.host, config.port)
    with (
        _opened(config) as (chain, blocks),
        open_ports(
            place,
            solidity=config.solidity,
            jsonrpc=config.jsonrpc,
            replicas=config.replicas,
        ) as ports,
    ):
        behind_ms = _behind_ms(config, chain, blocks, clock)
        producer = BlockProducer(config, chain, blocks, clock, behind_ms)
        devnet = Devnet(
            config,
            chain,
            ports[0].url,
            url_of(ports, Side.SOLIDITY),
            url_of(ports, Side.JSONRPC) + Side.JSONRPC.value,
            ports,
            blocks,
            clock,
            producer,
        )
        devnet.opened_at = chain.top.globals.timestamp
        async with trio.open_nursery() as nursery:
            await producer.begin()
            for port in ports:
                router = Router(chain, clock.now_ms, sides=port.sides)
                faulty = FaultyRouter(router, devnet.faults, port.number)
                handler = controlled(devnet, faulty.handle, allowed=config.control)
                await nursery.start(port.serve, handler, LIMITS)
            await nursery.start(producer.run)
            try:
                async with _serving_grpc(devnet, chain):
                    yield devnet
            finally:
                nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):  # bounded by the disk
            await producer.checkpoint()


@contextlib.asynccontextmanager
async def _serving_grpc(devnet: Devnet, chain: Chain) -> AsyncIterator[None]:
    if devnet.config.grpc is None:
        yield
        return
    from lucidtrond.devnet.grpc.server import open_grpc  # noqa: PLC0415 - h2, 8 ms

    async with open_grpc(chain, devnet.config.grpc) as devnet.grpc_url:
        yield


@contextlib.contextmanager
def _opened(config: DevnetConfig) -> Iterator[tuple[Chain, BlockLog]]:
    with contextlib.ExitStack() as stack:
        durable = config.state_dir is not None
        directory = config.state_dir or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="lucidtrond-chain-"))
        )
        wanted = _genesis(config)
        blocks = stack.enter_context(
            BlockLog.open(directory, format_genesis(wanted), durable=durable)
        )
        genesis = wanted
        if blocks.definition != format_genesis(wanted):
            genesis = _of_an_older_version(config, wanted, blocks.definition)
        yield _started(genesis, blocks), blocks


def _of_an_older_version(
    config: DevnetConfig, wanted: Genesis, definition: bytes
) -> Genesis:
    """The kept chain's own definition, where an older version's default made it.

    Raises:
        ConfigError: it is not of the configured witnesses, or of another definition.
    """
    kept = parse_genesis(definition) if config.genesis is None else None
    if (
        kept is None
        or kept.schedule != wanted.schedule
        or (kept.fake is None) != (wanted.fake is None)
    ):
        raise ConfigError(
            f"{config.state_dir}: holds another chain than configured (other witnesses,"
            " or another definition); use another directory or delete it"
        )
    return kept


def _started(genesis: Genesis, blocks: BlockLog) -> Chain:
    chain = Chain(genesis, blocks)
    if blocks.base is not None:
        chain.restore(world_of(blocks.base))
    try:
        for row in blocks.replay():
            chain.replay(row)
    except ChainBroken as error:
        raise StoreError(f"the devnet's log: {error}") from error
    return chain


def _behind_ms(
    config: DevnetConfig, chain: Chain, blocks: BlockLog, clock: Clock
) -> int:
    """How far the chain's time is behind the clock: as kept, or kept from now on."""
    if config.behind_s is not None and not 0 <= config.behind_s <= MOST_BEHIND_S:
        raise ConfigError(
            f"behind the clock: expected 0 to {MOST_BEHIND_S} s, got {config.behind_s}"
        )
    chosen = None if config.behind_s is None else config.behind_s * 1000
    real_time = config.keeps_real_time
    if not chain.top.globals.number:
        now_ms = UnixMillis(clock.now_ms())
        fresh = choose_behind_ms(chain.genesis, now_ms, real_time=real_time)
        behind_ms = fresh if chosen is None else chosen
        blocks.files.store_behind(behind_ms)
        return behind_ms
    kept = blocks.files.read_behind()
    if kept is None:
        kept = assumed_behind_ms(real_time=real_time)
        blocks.files.store_behind(kept)
    if chosen not in (None, kept):
        raise ConfigError(
            f"the chain in {config.state_dir} is {kept // 1000} s behind the clock, not"
            f" {config.behind_s} s as configured; use another directory or delete it"
        )
    return kept


def _genesis(config: DevnetConfig) -> Genesis:
    try:
        made = config.genesis or make_genesis(default_genesis_file(config.witnesses))
        if config.fake_token:
            made = make_genesis(with_fake_token(made.file))
        if config.tokens:
            made = make_genesis(with_tokens(made.file, config.tokens))
    except BadGenesis as error:
        raise ConfigError(str(error)) from None
    return made
