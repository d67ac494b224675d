"""Balances of several accounts on one endpoint's solid state, between two solid heads.

java-tron does not say of which block ``/walletsolidity/getaccount`` answers. The solid
head before and the one after bound it: an account that no block between them touches
has its balance of all of them.
"""

from collections.abc import Sequence

from lucidtrond.errors import NodeRefused
from lucidtrond.node.questions.balances import (
    BalanceQuestion,
    SolidBalance,
    SolidBalances,
)
from lucidtrond.node.questions.endpoint_client import EndpointClient
from lucidtrond.node.questions.routing import EndpointRouter
from lucidtrond.tron import trc20
from lucidtrond.tron.abi_types import AbiError


async def read_solid_balances(
    router: EndpointRouter, questions: Sequence[BalanceQuestion]
) -> SolidBalances:
    """Ask one endpoint, in order: two requests beside one for each question.

    Raises:
        NodeError: it can't be asked; nothing of it counts.
    """
    return await router.ask(lambda node: _read_all(node, questions))


async def _read_all(
    node: EndpointClient, questions: Sequence[BalanceQuestion]
) -> SolidBalances:
    before = await node.fetch_head(solid=True)
    answers = [await _read(node, question) for question in questions]
    after = await node.fetch_head(solid=True)
    return SolidBalances(before.number, after.number, tuple(answers))


async def _read(node: EndpointClient, question: BalanceQuestion) -> SolidBalance:
    owner, token = question.address, question.token
    if token is None:
        account = (await node.fetch_account(owner, solid=True)).value
        return SolidBalance(account.balance, account)
    try:
        result = await node.call_constant(
            owner=owner, contract=token, data=trc20.balance_of(owner), solid=True
        )
        if result.reverted:
            return SolidBalance(None)
        return SolidBalance(trc20.parse_amount_result(result.result))
    except (NodeRefused, AbiError):
        return SolidBalance(None)
