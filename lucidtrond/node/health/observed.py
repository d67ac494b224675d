"""What health goes by: what is observed of one endpoint's client."""

from typing import Literal, Protocol, TypeVar

from lucidtrond.node.health.admission import Admission


class ObservedClient(Protocol):
    """Satisfied by a client of one endpoint."""

    @property
    def name(self) -> str:
        """The endpoint's: host and port."""

    @property
    def operator(self) -> str:
        """Who runs the endpoint: those of one operator are one source."""

    @property
    def requests(self) -> int:
        """Sent so far."""

    @property
    def waiting(self) -> int:
        """Questions that wait for a connection."""

    @property
    def admission(self) -> Admission:
        """Budget and breaker of this endpoint."""

    @property
    def head_number(self) -> int | None:
        """Of the newest head that this endpoint showed us."""

    @property
    def solid_number(self) -> int | None:
        """The same of the newest solidified head."""

    @property
    def grpc_state(self) -> Literal["ok", "failing"] | None:
        """How gRPC is doing; None where the endpoint has none."""

    @property
    def grpc_failures(self) -> int:
        """Questions that went to HTTP because gRPC failed."""


C = TypeVar("C", bound=ObservedClient)
