"""What a line to a node needs of a transport."""

from typing import Protocol

from msgspec import Struct


class Reply(Struct, frozen=True):
    """The head of an answer; its body went to the `Sink`."""

    status: int
    retry_after: str | None = None
    date: str | None = None
    """The headers of these names."""


class Sink(Protocol):
    """Takes the body of an answer while it comes."""

    def begin(self, encoding: str) -> None:
        """The body follows; *encoding* is its Content-Encoding, "" if none is told."""

    def take(self, chunk: bytes) -> None:
        """Some of the body; to refuse the rest, the sink cancels the request."""


class MessageSink(Sink, Protocol):
    """Takes the message of a response while it arrives."""

    def expect(self, size: int) -> None:
        """The message has *size* bytes, of which none was read yet.

        Raises:
            NodeError: it is too long for who takes it.
        """


class HttpTransport(Protocol):
    """The way to one base URL: connections that are kept, nothing else."""

    async def post(self, path: str, content: bytes, sink: Sink) -> Reply:
        """Send *content* to *path* below the base URL; the body goes to *sink*.

        Raises:
            NodeUnavailable: no answer, or one that breaks off.
        """


class MessageTransport(Protocol):
    """The way to one gRPC service: the same, with messages for bodies."""

    async def post(self, path: str, content: bytes, sink: MessageSink) -> Reply:
        """Call the method at *path* with the message *content*; the response's message
        goes to *sink*.

        Raises:
            NodeError: no whole message with status 0.
        """

    def close(self) -> None:
        """Close the connections that are kept."""
