"""How the network stands, its endpoints, its blocks."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec

from lucidtrond.api import (
    Context,
    InvalidInput,
    LedgerHealth,
    NoConfig,
    NodeError,
    NotFound,
    Params,
    Plugin,
    Result,
)
from lucidtrond.tron.address import Address, InvalidAddress
from lucidtrond.tron.block import Block, BlockHeader, BlockId, ChainPosition
from lucidtrond_network.plan import Plan, make_plan

plugin = Plugin("network")


class Status(Result, frozen=True):
    """Where we stand on the chain. Heads are null before the first block.

    *not_synced_reason* names what keeps us from following, and the endpoint; *since_ms*
    is when *synced* became what it is. Nothing was missed from *complete_from* on.
    *internal_transactions*: where endpoints keep none (``missing``), TRX that contracts
    pay out is not in the ledger. *drifting* counts balances of watched accounts that
    are not what the ledger says; *unproven_blocks* those whose transaction root could
    not be recomputed (of the newest 70,000). *finality*: whether producers'
    ``signatures`` prove the solid head, or ``nodes`` say so; *finality_behind* counts
    blocks above it that an endpoint calls final and signatures do not prove yet.
    *warnings* say what to do.
    """

    network: str
    synced: bool
    not_synced_reason: str | None
    """What keeps us from following, with the endpoint's name; null when synced."""
    since_ms: int | None
    """When *synced* became what it is."""
    head_number: int | None
    head_id: str | None
    head_timestamp_ms: int | None
    solid_number: int | None
    solid_id: str | None
    solid_timestamp_ms: int | None
    finality: Literal["signatures", "nodes"]
    """Whether producers' signatures prove the solid head, or nodes say so."""
    finality_behind: int
    """Blocks above it that an endpoint calls final and signatures do not prove yet."""
    complete_from: int | None
    """Since this block nothing was missed."""
    internal_transactions: Literal["kept", "missing", "unknown"]
    """Whether the endpoints keep them; where they are missing, TRX that contracts pay
    out is not in the ledger."""
    warnings: list[str]
    """What keeps the ledger from being complete and what to do; text for people."""
    drifting: int
    """Balances of watched accounts that are not what the ledger says."""
    unproven_blocks: int
    """Blocks, of the newest 70,000, whose transaction root could not be recomputed:
    what they hold is one endpoint's word."""
    unproven_newest: list[int]
    """Numbers of the newest of them, ascending; at most 20."""


@plugin.method("network.status", inline=True)
async def status(ctx: Context[NoConfig]) -> Status:
    """Say how far we follow the chain and since when without a gap."""
    position, health = ctx.ledger.position(), ctx.ledger.health()
    head, solid = position.head, position.solid
    return Status(
        network=ctx.network,
        synced=position.synced,
        not_synced_reason=position.not_synced_reason,
        since_ms=position.since_ms,
        head_number=head.number if head else None,
        head_id=head.id if head else None,
        head_timestamp_ms=head.timestamp if head else None,
        solid_number=solid.number if solid else None,
        solid_id=solid.id if solid else None,
        solid_timestamp_ms=solid.timestamp if solid else None,
        finality=position.finality.basis,
        finality_behind=position.finality.unproven_blocks,
        complete_from=position.complete_from,
        internal_transactions=_internals(health),
        warnings=[
            *health.warnings,
            *_unproven_warnings(position),
            *_finality_warnings(position),
            *_endpoint_warnings(ctx.node.endpoints()),
        ],
        drifting=health.drifting,
        unproven_blocks=position.unproven.count,
        unproven_newest=list(position.unproven.newest),
    )


_WELL: Final = ("ok", "not asked yet", "left alone")
"""States of endpoints that need nobody."""


def _endpoint_warnings(endpoints: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"endpoint {endpoint['endpoint']}: {endpoint['state']}"
        + (f": {endpoint['trouble']}" if endpoint.get("trouble") else "")
        for endpoint in endpoints
        if endpoint["state"] not in _WELL
    ] + [
        f"endpoint {endpoint['endpoint']}: gRPC fails, blocks come by HTTP"
        for endpoint in endpoints
        if endpoint.get("grpc") == "failing"
    ]


def _unproven_warnings(position: ChainPosition) -> list[str]:
    unproven = position.unproven
    if not unproven.newest:
        return []
    warning = (
        f"{unproven.count} blocks, the newest {unproven.newest[-1]}, have a transaction"
        " root that could not be recomputed: payments that they may hold are not proven"
        " dead or failed; name the grpc_url of an endpoint: gRPC shows the bytes that"
        " HTTP leaves out"
    )
    return [warning]


def _finality_warnings(position: ChainPosition) -> list[str]:
    reason = position.finality.stalled_reason
    if reason is None:
        return []
    return [f"nothing becomes final: {reason}"]


def _internals(health: LedgerHealth) -> Literal["kept", "missing", "unknown"]:
    if health.without_internals:
        return "missing"
    return "kept" if health.internals_seen else "unknown"


class EndpointView(Result, frozen=True, kw_only=True):
    """One node we ask. Null is not known, or not bounded; counts are this process's.

    *operator*: who runs it; two endpoints of one operator are one source.
    *state* is ``ok``, ``not asked yet``, ``left alone`` (it asked for that, for
    *left_alone_s* more), ``lagging``, ``failing``, ``not asked: failing``, ``budget
    spent``, ``lied`` or ``wrong network``. *behind_blocks*: behind the best of all.
    *pace_per_second*: what it is slowed down to. *waiting*: requests in its queue.
    *trouble*: why it fails, for *trouble_s* seconds now. *silent_s*: for how long
    nothing came back of what it was asked. *simulates_calls*: false when its
    ``vm.supportConstant`` is. *grpc* is null without a ``grpc_url``, and ``failing``
    while its questions go to HTTP; *grpc_failures* counts those that did.
    """

    endpoint: str
    state: str
    operator: str = ""
    head_number: int | None = None
    solid_number: int | None = None
    behind_blocks: int | None = None
    requests: int = 0
    requests_today: int = 0
    left_today: int | None = None
    per_day: int | None = None
    per_second: float | None = None
    pace_per_second: float | None = None
    waiting: int = 0
    latency_ms: int | None = None
    errors: int = 0
    lies: int = 0
    failures_in_a_row: int = 0
    trouble: str | None = None
    trouble_s: float | None = None
    silent_s: float = 0.0
    left_alone_s: float = 0.0
    simulates_calls: bool = True
    grpc: Literal["ok", "failing"] | None = None
    grpc_failures: int = 0


class Endpoints(Result, frozen=True):
    """One object per configured node; never its key."""

    endpoints: list[EndpointView]


@plugin.method("network.endpoints", inline=True)
async def endpoints(ctx: Context[NoConfig]) -> Endpoints:
    """Show the state of each node we ask."""
    return msgspec.convert({"endpoints": ctx.node.endpoints()}, Endpoints)


@plugin.method("network.plan", inline=True)
async def plan(ctx: Context[NoConfig]) -> Plan:
    """Say how many requests a day following takes, and whether budgets hold them."""
    per_minute = ctx.ledger.health().reconcile_per_minute
    return make_plan(ctx.node.endpoints(), reconcile_per_minute=per_minute)


class BlockView(Result, frozen=True):
    """A verified block; *txids* in their order. The genesis block has no witness."""

    number: int
    block_id: str
    parent_id: str
    timestamp_ms: int
    witness: str | None
    version: int
    txids: list[str]
    solidified: bool
    root_proven: bool
    """Whether its transaction root was recomputed from what the endpoint shows."""


class GetBlock(Params, frozen=True):
    """Exactly one of *number* and *id*."""

    number: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    id: Annotated[str, msgspec.Meta(max_length=66)] | None = None


@plugin.method(
    "block.get", example={"number": 1}, errors=(InvalidInput, NotFound, NodeError)
)
async def get_block(ctx: Context[NoConfig], params: GetBlock) -> BlockView:
    """Fetch a block by number or id and verify it."""
    return await _fetch(ctx, _which(params))


@plugin.method("block.latest", errors=(NotFound, NodeError))
async def latest(ctx: Context[NoConfig]) -> BlockView:
    """Fetch the newest block that we follow."""
    head = ctx.ledger.position().head
    if head is None:
        raise NotFound("no block yet: the node has not answered")
    return await _fetch(ctx, head.id)


def _which(params: GetBlock) -> int | BlockId:
    match params:
        case GetBlock(number=int() as number, id=None):
            return number
        case GetBlock(number=None, id=str() as text):
            digits = text.lower().removeprefix("0x")
            if len(digits) != 64 or not set(digits) <= set("0123456789abcdef"):
                raise InvalidInput(f"id: expected 64 hex digits, got {text!r}")
            return BlockId(digits)
    given = "none" if params == GetBlock() else "both"
    raise InvalidInput(f"expected exactly one of number and id, got {given}")


async def _fetch(ctx: Context[NoConfig], which: int | BlockId) -> BlockView:
    block = await ctx.node.fetch_block(which)
    if block is None:
        raise NotFound(f"no block {which}")
    return _view(block, ctx.ledger.position().solid)


def _witness(header: BlockHeader) -> str | None:
    try:
        return Address(header.witness).base58
    except InvalidAddress:
        return None


def _view(block: Block, solid: BlockHeader | None) -> BlockView:
    header = block.header
    return BlockView(
        number=header.number,
        block_id=header.id,
        parent_id=header.parent_id,
        timestamp_ms=header.timestamp,
        witness=_witness(header),
        version=header.version,
        txids=[included.transaction.txid for included in block.transactions],
        solidified=solid is not None and header.number <= solid.number,
        root_proven=block.root_proven,
    )
