"""Questions to one endpoint in JSON: how they are put, and what is no answer."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
from msgspec import Struct

from lucidtrond.errors import NodeRefused, NodeUnavailable
from lucidtrond.node.questions import wire
from lucidtrond.node.questions.block_source import SMALL_BYTES
from lucidtrond.node.questions.judging import judging
from lucidtrond.node.transport.line import SOLID, Lane, NodeLine
from lucidtrond.node.transport.refusals import refusal_in_json, shown

T = TypeVar("T")
A = TypeVar("A", bound=wire.Answer)
R = TypeVar("R")


class JsonQuestions(Struct, frozen=True):
    """Puts questions over *line*; *large_bytes* bounds answers with blocks.

    JSON that is cut off is `NodeUnavailable`: a later answer may be whole.
    """

    line: NodeLine
    large_bytes: int

    @property
    def name(self) -> str:
        """The endpoint's: host and port."""
        return self.line.endpoint.name

    async def ask_for(
        self,
        kind: type[A],
        path: str,
        question: Mapping[str, object],
        read: Callable[[A], R],
        *,
        large: bool = False,
        lane: Lane = Lane.QUESTIONS,
    ) -> R | None:
        """Ask for a thing that may not exist; None: there is none."""
        body = await self.post(path, question, large=large, lane=lane)
        if wire.is_empty(body):
            return None
        answer = self.decode(body, kind)
        with judging(self.name):
            return read(answer)

    async def ask(
        self,
        kind: type[A],
        path: str,
        question: Mapping[str, object],
        read: Callable[[A], R],
        *,
        lane: Lane = Lane.QUESTIONS,
    ) -> R:
        """Ask for a thing that exists; *read* makes our type of what was decoded."""
        answer = self.decode(await self.post(path, question, lane=lane), kind)
        with judging(self.name):
            return read(answer)

    async def post(
        self,
        path: str,
        question: Mapping[str, object],
        *,
        large: bool = False,
        lane: Lane = Lane.QUESTIONS,
    ) -> bytes:
        """Ask, and give the answer's JSON, not yet decoded."""
        return await self.line.ask(
            path,
            msgspec.json.encode(question),
            limit_bytes=self.large_bytes if large else SMALL_BYTES,
            solid=path.startswith(SOLID),
            lane=lane,
            brief=not large,
        )

    def decode(self, body: bytes, kind: type[A]) -> A:
        """Read an answer that may be an error instead."""
        answer = self.decode_any(body, kind)
        for error in (answer.error, answer.error_of_gateway):
            if error is not None:
                raise refusal_in_json(self.name, str(error))
        return answer

    def decode_any(self, body: bytes, kind: type[T]) -> T:
        """Read an answer that is no `wire.Answer`."""
        name = self.name
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.ValidationError as why:
            raise NodeRefused(name, shown(f"an unexpected answer: {why}")) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise NodeUnavailable(name, 1, "an answer cut short or damaged") from None
        except RecursionError:
            raise NodeRefused(name, "an unexpected answer: nested too deep") from None


def view(name: str, *, solid: bool) -> str:
    """The path of a question to the newest state, or to the solidified one."""
    return f"{SOLID}{name}" if solid else f"/wallet/{name}"
