"""What the pool needs of one endpoint, whatever it is asked by."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from lucidtrond.node.health.observed import ObservedClient
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockHeader, BlockId
from lucidtrond.tron.questions import NodeQuestions

T = TypeVar("T")


class EndpointClient(NodeQuestions, ObservedClient, Protocol):
    """All questions, those that only a pool asks, and what is observed of it.

    Answers were checked: whatever contradicts itself or the question is `NodeLied`.
    No retries here. Satisfied by `client.NodeClient`.
    """

    async def probe(self) -> BlockHeader:
        """The newest solidified header, over connections that are for probes."""

    async def fetch_genesis_id(self) -> BlockId:
        """The id of block 0, recomputed."""

    async def fetch_active_producers(self) -> frozenset[Address]:
        """Those that take turns now, as voted."""

    async def fetch_solid_header(self, number: int) -> BlockHeader | None:
        """Of the final block *number*; None: none is final there yet."""

    async def fetch_solid_id(self, number: int) -> BlockId | None:
        """The id of the final block *number*; None: none is final there yet."""


Question = Callable[[EndpointClient], Awaitable[T]]
"""Anything that one endpoint is asked, in one request or several."""
