"""The chain as servlets see it, and as a node that lags behind would."""

from typing import Protocol

from attrs import frozen
from msgspec.structs import replace

from lucidtrond.devnet.state.blocks import BlockRow
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.chain import Found
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.invariants import present
from lucidtrond.devnet.state.pool import Pooled
from lucidtrond.devnet.state.rejections import Refused
from lucidtrond.devnet.state.world import World


class ChainView(Protocol):
    """What `state.chain.Chain` shows to readers."""

    @property
    def genesis(self) -> Genesis: ...
    @property
    def head(self) -> World: ...
    @property
    def solid(self) -> World: ...
    @property
    def pending(self) -> World: ...
    @property
    def pool(self) -> tuple[Pooled, ...]: ...

    def block(self, number: int, *, solid: bool = False) -> BlockRow | None: ...
    def state_at(self, number: int) -> World | None: ...
    def find(self, txid: bytes, *, solid: bool = False) -> Found | None: ...
    def submit(self, candidate: Candidate) -> None: ...


@frozen
class _Wrapped:
    """Another view, passed on."""

    chain: ChainView

    @property
    def genesis(self) -> Genesis:
        return self.chain.genesis

    @property
    def head(self) -> World:
        return self.chain.head

    @property
    def solid(self) -> World:
        return self.chain.solid

    @property
    def pending(self) -> World:
        return self.chain.pending

    @property
    def pool(self) -> tuple[Pooled, ...]:
        return self.chain.pool

    def block(self, number: int, *, solid: bool = False) -> BlockRow | None:
        return self.chain.block(number, solid=solid)

    def state_at(self, number: int) -> World | None:
        return self.chain.state_at(number)

    def find(self, txid: bytes, *, solid: bool = False) -> Found | None:
        return self.chain.find(txid, solid=solid)

    def submit(self, candidate: Candidate) -> None:
        self.chain.submit(candidate)


@frozen
class RejectingView(_Wrapped):
    """A node that says *answer* to every broadcast (None: that it took it), whether it
    took it (*carried_out*) or not."""

    answer: Refused | None
    carried_out: bool

    def submit(self, candidate: Candidate) -> None:
        if self.carried_out:
            self.chain.submit(candidate)
        if self.answer is not None:
            raise self.answer


@frozen
class LaggingView(_Wrapped):
    """A node that has not heard of the newest *lag* blocks, nor of the pool.

    Further back than states are kept, accounts are shown as of the oldest kept one;
    blocks and transactions are those of its head. What is handed in is passed on.
    """

    lag: int

    @property
    def head(self) -> World:
        return self._behind(self.chain.head)

    @property
    def solid(self) -> World:
        return self._behind(self.chain.solid)

    @property
    def pending(self) -> World:
        return self.head

    @property
    def pool(self) -> tuple[Pooled, ...]:
        return ()

    def block(self, number: int, *, solid: bool = False) -> BlockRow | None:
        top = self.solid if solid else self.head
        return self.chain.block(number) if number <= top.globals.number else None

    def find(self, txid: bytes, *, solid: bool = False) -> Found | None:
        located = self.chain.find(txid)
        if located is None or located.block is None:
            return None
        top = self.solid if solid else self.head
        return located if located.block.number <= top.globals.number else None

    def _behind(self, top: World) -> World:
        number = max(0, top.globals.number - self.lag)
        kept = self.chain.state_at(number)
        if kept is not None:
            return kept
        row = present(self.chain.block(number))
        world = self.chain.solid.fork()
        world.globals = replace(
            world.globals,
            number=number,
            timestamp=row.timestamp,
            block_id=row.id,
            solid=min(world.globals.solid, number),
        )
        return world
