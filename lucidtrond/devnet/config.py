"""What chain is opened, and where."""

from pathlib import Path

from msgspec import Struct

from lucidtrond.devnet.ports import HostPort
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.tron.block import BLOCK_INTERVAL_MS


class DevnetConfig(Struct, frozen=True, kw_only=True):
    """What chain, and where. *state_dir* None keeps nothing beyond the process.

    *block_time_s* 0 makes blocks on demand only; *genesis* replaces the default chain;
    *port* 0 is any free one.
    """

    block_time_s: float = 3.0
    witnesses: int = 27
    state_dir: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0
    solidity: HostPort | None = None
    jsonrpc: HostPort | None = None
    """Ports of their own for the solidity side and for /jsonrpc."""
    grpc: HostPort | None = None
    """Where gRPC is served, both services at one port; None serves none."""
    replicas: int = 0
    """So many further ports of the same chain, for faults of their own."""
    control: bool = False
    """Whether ``/devnet/*`` is answered."""
    genesis: Genesis | None = None
    fake_token: bool = False
    """Whether there is a second token with the first one's name and symbol."""
    tokens: tuple[str, ...] = ()
    """Symbols of odd sorts of tokens that are there, too (`token_sorts`), or all."""
    behind_s: int | None = None
    """How far behind the clock a new chain begins; None lets `timeline` choose."""

    @property
    def keeps_real_time(self) -> bool:
        return self.block_time_s * 1000 >= BLOCK_INTERVAL_MS
