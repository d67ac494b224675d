"""Transactions that wait for a block, and which of them a block takes."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from lucidtrond.devnet.state.blocks import SUCCESS, Moves, ReceiptRow, TransactionRow
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.execution import execute
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.kinds.table import kind_of
from lucidtrond.devnet.state.rejections import Refused
from lucidtrond.devnet.state.world import World
from lucidtrond.tron.block import put_code
from lucidtrond.tron.transaction import RESULT_ALLOWANCE_BYTES
from lucidtrond.tron.units import UnixMillis

MAX_POOL: Final = 2000  # node.maxTransactionPendingSize
POOL_TIMEOUT_MS: Final = 60_000  # node.pendingTransactionTimeout
MAX_TRANSACTION_BYTES: Final = 512_000  # Constant.TRANSACTION_MAX_BYTE_SIZE
MAX_BLOCK_BYTES: Final = 2_000_000  # ChainConstant.BLOCK_SIZE


class Pooled(Struct, frozen=True):
    """A transaction in the pool with the result of its dry run."""

    candidate: Candidate
    receipt: ReceiptRow
    moves: Moves
    since_ms: UnixMillis

    @property
    def row(self) -> TransactionRow:
        """As it stands in a block."""
        transaction, receipt = self.candidate.transaction, self.receipt
        result = receipt.call.result if receipt.call else SUCCESS
        return TransactionRow(
            transaction.raw,
            transaction.signatures,
            receipt,
            result,
            self.moves,
            transaction.unknown,
            put_code(self.candidate.results, result),
        )

    def is_dropped_at(self, now: UnixMillis) -> bool:
        """Whether it leaves the pool, silently, after a block of that time."""
        late = self.candidate.expiration <= now
        return late or now - self.since_ms > POOL_TIMEOUT_MS


def choose(
    pool: Iterable[Pooled], timestamp: UnixMillis
) -> tuple[list[Pooled], list[Pooled]]:
    """Split the pool: what goes into the block of that time, what doesn't, in order."""
    chosen: list[Pooled] = []
    left: list[Pooled] = []
    room = MAX_BLOCK_BYTES
    changed: set[bytes] = set()
    for pooled in pool:
        candidate = pooled.candidate
        size = candidate.whole_size + RESULT_ALLOWANCE_BYTES
        late = candidate.expiration < timestamp
        if late or size > room or candidate.owner in changed:
            left.append(pooled)
            continue
        chosen.append(pooled)
        room -= size
        if kind_of(candidate).changes_signers:
            # Manager.generateBlock: what its owner sends later waits a block.
            changed.add(candidate.owner)
    return chosen, left


def rerun(
    top: World, chosen: Iterable[Pooled], genesis: Genesis
) -> tuple[World, list[Pooled]]:
    """Execute again on *top*, since some of those before them are left out."""
    world = top.fork()
    good: list[Pooled] = []
    for pooled in chosen:
        trial = world.fork()
        try:
            receipt = execute(trial, pooled.candidate, genesis)
        except Refused:
            continue  # it lived on one that was left out: the pool drops it
        world.absorb(trial)
        good.append(
            Pooled(pooled.candidate, receipt, tuple(trial.moves), pooled.since_ms)
        )
    return world, good


def check_size(candidate: Candidate) -> None:
    """Raises Refused."""
    # Manager.validateCommon
    size = candidate.whole_size + 2 * RESULT_ALLOWANCE_BYTES
    if size > MAX_TRANSACTION_BYTES:
        raise Refused(
            "TOO_BIG_TRANSACTION_ERROR",
            f"Too big transaction with result, TxId {candidate.txid.hex()},"
            f" the size is {size} bytes, maxTxSize {MAX_TRANSACTION_BYTES}",
        )
