"""All of /jsonrpc over one chain: bytes of a request in, bytes of an answer out."""

from collections.abc import Callable

import msgspec

from lucidtrond.devnet.ethereum.building import building_methods
from lucidtrond.devnet.ethereum.envelope import answer
from lucidtrond.devnet.ethereum.filters import Filters
from lucidtrond.devnet.ethereum.methods import METHODS
from lucidtrond.devnet.state.view import ChainView


class EthereumFace:
    """All methods; *filters* are a node's, whatever view of the chain it has."""

    def __init__(
        self, chain: ChainView, now_ms: Callable[[], int], filters: Filters
    ) -> None:
        self._chain = chain
        self._methods = {**METHODS, **filters.methods, **building_methods(now_ms)}

    def answer(self, body: bytes) -> bytes:
        """Empty for what takes no answer."""
        said = answer(self._chain, self._methods, body)
        return b"" if said is None else msgspec.json.encode(said)
