"""What each endpoint says for itself: all are asked at once, nothing is raised.

An endpoint that can't answer is named as such; see `health.agreement` for what the
answers prove.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from lucidtrond.errors import NodeError
from lucidtrond.node.health.agreement import (
    SOURCES,
    Agreement,
    KeyReport,
    ProducerReport,
    Sighting,
)
from lucidtrond.node.questions.endpoint_client import EndpointClient
from lucidtrond.node.questions.routing import EndpointRouter
from lucidtrond.node.questions.shown import Shown
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import TxId

REPORT_WITHIN_S: Final = 10.0
PRODUCERS_WITHIN_S: Final = 60.0

log = logging.getLogger(__name__)


async def confirm_solid(
    router: EndpointRouter, number: int, block_id: BlockId
) -> Agreement:
    """Whether *block_id* is the endpoints' final block *number*."""
    ids = await router.ask_all(lambda node: node.fetch_solid_id(number))

    def names(applies: Callable[[BlockId | NodeError | None], bool]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name, answer in ids if applies(answer)))

    agreement = Agreement(
        number,
        block_id,
        min(SOURCES, len({name for name, _ in ids})),
        agreeing=names(lambda answer: answer == block_id),
        differing=names(lambda answer: isinstance(answer, str) and answer != block_id),
        behind=names(lambda answer: answer is None),
        silent=names(lambda answer: isinstance(answer, NodeError)),
        operators={node.name: node.operator for node in router.endpoints},
    )
    if agreement.differing:
        extra = {"reason": agreement.reason, "block_id": block_id}
        log.error("endpoints disagree on a final block", extra=extra)
    return agreement


async def look_for(router: EndpointRouter, txid: TxId) -> list[Sighting]:
    """Whether the endpoints have *txid*, in their order; see `Sighting.error`."""

    async def look(node: EndpointClient) -> Sighting:
        if await node.fetch_receipt(txid, solid=True) is not None:
            return Sighting(node.name, txid, solid=True, is_present=True)
        transaction = await node.fetch_transaction(txid)
        return Sighting(node.name, txid, is_present=transaction is not None)

    return [
        Sighting(name, txid, error=str(answer))
        if isinstance(answer, NodeError)
        else answer
        for name, answer in await router.ask_all(look)
    ]


async def find_receipts(router: EndpointRouter, txid: TxId) -> list[Receipt]:
    """Each receipt of *txid* in a final block; endpoints without one are left out."""
    answers = await router.ask_all(lambda node: node.fetch_receipt(txid, solid=True))
    return [receipt for _, receipt in answers if isinstance(receipt, Receipt)]


async def show_block(router: EndpointRouter, block_id: BlockId) -> list[Shown]:
    """Each endpoint's version of a block, with its own receipts, in their order; those
    that have none or can't answer are left out."""

    async def show(node: EndpointClient) -> Shown | None:
        block = await node.fetch_block(block_id)
        if block is None or block.header.id != block_id:
            return None
        receipts = await node.fetch_receipts(block.header.number)
        return Shown(node.operator, block, receipts)

    answers = await router.ask_all(show, within_s=REPORT_WITHIN_S)
    return [answer for _, answer in answers if isinstance(answer, Shown)]


async def report_keys(
    router: EndpointRouter, producer: Address, *, expected: Address
) -> Sequence[KeyReport]:
    """Which key signs the blocks of *producer*; see `KeyReport.error`."""
    answers = await router.ask_all(
        lambda node: _report_key(node, producer, expected=expected),
        within_s=REPORT_WITHIN_S,
    )
    return [
        KeyReport(name, error=str(answer)) if isinstance(answer, NodeError) else answer
        for name, answer in answers
    ]


async def report_producers(router: EndpointRouter) -> Sequence[ProducerReport]:
    """Who makes blocks and with which keys; see `ProducerReport`."""
    answers = await router.ask_all(_read_producers, within_s=PRODUCERS_WITHIN_S)
    return [
        ProducerReport(name, endpoint.operator, error=str(answer))
        if isinstance(answer, NodeError)
        else ProducerReport(name, endpoint.operator, keys=answer)
        for endpoint, (name, answer) in zip(router.endpoints, answers, strict=True)
    ]


async def _read_producers(node: EndpointClient) -> Mapping[Address, Address]:
    """One endpoint's: a request for the list and one or two for each of them."""
    keys: dict[Address, Address] = {}
    for producer in sorted(await node.fetch_active_producers()):
        account = (await node.fetch_account(producer, solid=True)).value
        keys[producer] = account.block_key if account.activated else producer
    return keys


async def _report_key(
    node: EndpointClient, producer: Address, *, expected: Address
) -> KeyReport:
    """One endpoint's.

    The final state is asked for only where the newest does not name *expected*.
    """
    head = await node.fetch_account(producer)
    if not head.value.activated:
        return KeyReport(node.name, head_number=head.as_of_block)
    key = head.value.block_key
    if key == expected:
        return KeyReport(node.name, key, head.as_of_block)
    solid = await node.fetch_account(producer, solid=True)
    return KeyReport(
        node.name,
        key,
        head.as_of_block,
        solid=solid.value.block_key if solid.value.activated else None,
        solid_number=solid.as_of_block,
    )
