"""The rules by which the embedded chain has faults (`devnet.faults` explains each)."""

from typing import Annotated, Final, Literal

from msgspec import Meta
from msgspec.structs import force_setattr

from lucidtrond.api.params import Params

MAX_DELAY_S: Final = 3600

PortNumber = Annotated[int, Meta(ge=0)]
"""The order in which a chain's ports were opened; 0 is the main one."""


def one_port(port: int | None, door: int | None) -> int | None:
    """A port's number that may be given by its older name *door*.

    Raises:
        ValueError: by both, and they differ.
    """
    if port is not None and door is not None and port != door:
        raise ValueError(f"expected port or its older name door, got {port} and {door}")
    return door if port is None else port


FaultName = Literal[
    "status",
    "error",
    "text",
    "empty",
    "empty_list",
    "reset",
    "black_hole",
    "drop",
    "delay",
    "drip",
    "truncate",
    "cut",
    "lost_reply",
    "wrong_txid",
    "edit_amount",
    "edit_result",
    "no_logs",
    "wrong_id",
    "broadcast",
    "lag",
    "stop",
]


class FaultRule(Params, frozen=True):
    """One fault and when it strikes.

    *path* is matched as file names are (``/wallet/broadcast*``); *port* is the number
    of a port, None any, and *door* its older name. *status* and *retry_after_s* belong
    to ``status``; *text* to ``status``, ``error`` and ``text``; *code*, *message* and
    *carried_out* to ``broadcast``; *bytes_per_s* to ``drip``; *blocks* to ``lag``;
    *block* to ``stop``. *delay_s* goes before any fault.
    """

    fault: FaultName
    path: str = "*"
    port: PortNumber | None = None
    door: PortNumber | None = None
    count: Annotated[int, Meta(ge=1)] | None = None
    skip: Annotated[int, Meta(ge=0)] = 0
    chance: Annotated[float, Meta(ge=0, le=1)] = 1.0
    delay_s: Annotated[float, Meta(ge=0, le=MAX_DELAY_S)] = 0.0
    status: Annotated[int, Meta(ge=400, le=599)] = 503
    retry_after_s: Annotated[int, Meta(ge=0)] | None = None
    text: str | None = None
    code: str = "SERVER_BUSY"
    message: str = ""
    carried_out: bool = False
    bytes_per_s: Annotated[int, Meta(ge=1)] = 100
    blocks: Annotated[int, Meta(ge=0)] = 3
    block: Annotated[int, Meta(ge=0)] = 0

    def __post_init__(self) -> None:
        port = one_port(self.port, self.door)
        force_setattr(self, "port", port)
        force_setattr(self, "door", port)
