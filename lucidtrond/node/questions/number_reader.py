"""Numbers that a contract returns, on one endpoint's solid state, between two heads."""

from collections.abc import Sequence

from lucidtrond.errors import CallNotRun
from lucidtrond.node.questions.endpoint_client import EndpointClient
from lucidtrond.node.questions.routing import EndpointRouter
from lucidtrond.node.questions.solid_numbers import SolidNumbers
from lucidtrond.tron import trc20
from lucidtrond.tron.abi import encode_call
from lucidtrond.tron.abi_types import AbiError
from lucidtrond.tron.address import Address


async def read_solid_numbers(
    router: EndpointRouter, contract: Address, functions: Sequence[str]
) -> SolidNumbers:
    """Call *functions*, signatures without arguments, at one endpoint, in order.

    Raises:
        NodeError: none can be asked, or it runs no calls; nothing of it counts.
    """

    async def read(node: EndpointClient) -> SolidNumbers:
        before = await node.fetch_head(solid=True)
        numbers = [await _read(node, contract, function) for function in functions]
        after = await node.fetch_head(solid=True)
        return SolidNumbers(before, after, tuple(numbers))

    return await router.ask(read, last=lambda endpoint: not endpoint.simulates)


async def _read(node: EndpointClient, contract: Address, function: str) -> int | None:
    try:
        result = await node.call_constant(
            owner=contract,
            contract=contract,
            data=encode_call(function, ()),
            solid=True,
        )
        return None if result.reverted else trc20.parse_amount_result(result.result)
    except (CallNotRun, AbiError):
        return None
