"""What a node says of its chain, against what we hold: the next step. Pure.

Theory. We hold a *chain* of blocks linked by parent id. Its lower part, up to the
*solid* block, is final: nothing here ever reverts it. Above it there may be forks:
java-tron follows the longest branch, so what we applied may have to be reverted.

One round of the follower asks two questions, in this order: the newest solidified
header, then a *page* of blocks that starts right above our head (at most 100). `plan`
answers with one step:

    Begin           we hold nothing: take the solid block as our first one
    Fetch           the page does not link to our head: ask again further back
    Advance         revert above a number, apply a part of the page, solidify up to
    Wait            nothing to do
    Contradiction   the page contradicts itself or the question: ask again, later
    Another         at or below our solid head the node has other blocks: we must stop

What moves us:

- A page that links to our head extends us.
- A page that does not link is a fork. We ask further back (20, 40, 80 blocks and so
  on, never below the solid block) until a page links to a block of ours. The longest
  block number that both have in common is where the branches part.
- Another branch is taken only if it is longer than ours (the rule of java-tron's
  KhaosDatabase), or if the node calls a block of it final, or if the page is full, so
  that its end is not yet to be seen.
- A block becomes solid for us when the node's solidified number is at or above it and
  it is linked, by parent ids, below blocks which the node named *after* it named that
  number. A head that we applied before a pause is never solidified by its number alone.

A lagging node (its solidified number is below ours) moves nothing; the block it names
must still be ours.

Left out on purpose: time, retries, what is in the blocks, and who signed them.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct

from lucidtrond.tron.block import BlockHeader, BlockId

PAGE: Final = 100
"""Blocks per request (getblockbylimitnext answers ``{}`` to more)."""
_BACK: Final = 20
"""First look back at a fork; java-tron's forks are one or two blocks deep."""


class Unsettled(Exception):
    """The answers don't fit together; ask again."""


class Link(Struct, frozen=True):
    """A block as far as the plan is concerned."""

    number: int
    id: BlockId
    parent_id: BlockId

    @classmethod
    def of(cls, header: BlockHeader) -> "Link":
        """Compute the id, once."""
        return cls(header.number, header.id, header.parent_id)


class Held(Struct, frozen=True):
    """Ids of our blocks from the solid one to the head, without a gap."""

    solid: int
    ids: tuple[BlockId, ...]

    @property
    def head(self) -> int:
        return self.solid + len(self.ids) - 1

    def id_at(self, number: int) -> BlockId:
        """Of a block that we hold: ``solid <= number <= head``."""
        if not self.solid <= number <= self.head:
            raise AssertionError(f"block {number} is not held")
        return self.ids[number - self.solid]

    def extended(self, revert_to: int, ids: Sequence[BlockId], solid: int) -> "Held":
        """After an `Advance`."""
        kept = (*self.ids[: revert_to - self.solid + 1], *ids)
        return Held(solid, kept[solid - self.solid :])


class Range(Struct, frozen=True):
    """Which page was asked for; *end* is exclusive."""

    start: int
    end: int


class Begin(Struct, frozen=True):
    """Apply block *number* as the first one and call it solid."""

    number: int


class Fetch(Struct, frozen=True):
    """Ask for this page and plan again."""

    asked: Range


class Advance(Struct, frozen=True):
    """Revert our blocks above *revert_to*, apply the page from index *skip* on.

    *solid_to* is where our solid head is afterwards (never lower than before).
    """

    revert_to: int
    skip: int
    solid_to: int


class Wait(Struct, frozen=True):
    """Nothing to do; *behind* says that the node is at an older block than we are."""

    behind: bool = False


class Contradiction(Struct, frozen=True):
    """The answer can't be true; *reason* names block numbers."""

    reason: str


class Another(Struct, frozen=True):
    """The node is on another chain than what we hold as final."""

    number: int
    ours: BlockId
    theirs: BlockId


Step = Begin | Fetch | Advance | Wait | Contradiction | Another


def ask(held: Held | None, solid: Link) -> Range:
    """Say which page to ask for first."""
    if held is None:
        return Range(solid.number, solid.number + 1)
    return Range(held.head + 1, held.head + 1 + PAGE)


def plan(
    held: Held | None,
    *,
    solid: Link,
    asked: Range,
    page: Sequence[Link],
    stored: BlockId | None = None,
) -> Step:
    """Decide the next step.

    *solid* is the node's solidified head, asked before *page* was. *stored* is our
    block at ``solid.number`` when that is below our solid head (None: not kept).
    """
    fault = _fault(page, asked)
    if fault is not None:
        return Contradiction(fault)
    if held is None:
        return _begin(solid, page)
    if solid.number <= held.solid:
        ours = stored if solid.number < held.solid else held.ids[0]
        if ours is not None and ours != solid.id:
            return Another(solid.number, ours, solid.id)
    for link in page:
        if link.number == solid.number and link.id != solid.id:
            # The node moved, or several nodes answer under one name.
            return Contradiction(f"two solidified blocks {solid.number}")
    if not page:
        return _without_page(held, solid, asked)
    return _with_page(held, solid=solid, page=page)


def _fault(page: Sequence[Link], asked: Range) -> str | None:
    if not page:
        return None
    if page[0].number != asked.start:
        return f"asked for block {asked.start}, got {page[0].number}"
    if page[-1].number >= asked.end:
        return f"asked for blocks below {asked.end}, got {page[-1].number}"
    for lower, upper in pairwise(page):
        if upper.number != lower.number + 1 or upper.parent_id != lower.id:
            return f"block {upper.number} does not follow {lower.number}"
    return None


def _begin(solid: Link, page: Sequence[Link]) -> Step:
    if not page:
        return Contradiction(f"no block {solid.number}, which is solidified")
    if page[0].id != solid.id:
        return Contradiction(f"two solidified blocks {solid.number}")
    return Begin(solid.number)


def _without_page(held: Held, solid: Link, asked: Range) -> Step:
    if asked.start != held.head + 1 or solid.number > held.head:
        # What it stated a moment ago is gone, or a page is shorter than its chain.
        return Contradiction(f"no block {asked.start}")
    if solid.number <= held.solid:
        return Wait(behind=solid.number < held.solid)
    if held.id_at(solid.number) == solid.id:
        return Advance(held.head, 0, solid.number)
    # What it calls final is not ours: our branch is dead, however long it is.
    return _look_back(held, solid.number, solid)


def _with_page(held: Held, *, solid: Link, page: Sequence[Link]) -> Step:
    first, last = page[0], page[-1]
    below = first.number - 1
    if held.id_at(below) != first.parent_id:
        if below == held.solid:
            return Another(below, held.id_at(below), first.parent_id)
        return _look_back(held, below, solid)
    common = below
    for link in page:
        if link.number > held.head or held.id_at(link.number) != link.id:
            break
        common = link.number
    if held.solid < solid.number <= common and held.id_at(solid.number) != solid.id:
        return Contradiction(f"two solidified blocks {solid.number}")
    final = min(solid.number, last.number)
    if common == held.head or _is_taken(held, common, solid=solid, page=page):
        return Advance(common, common - below, max(held.solid, final))
    # Ours is at least as long; what both have may still be final.
    return Advance(held.head, len(page), max(held.solid, min(final, common)))


def _is_taken(held: Held, common: int, *, solid: Link, page: Sequence[Link]) -> bool:
    last = page[-1].number
    return common < last and (
        last > held.head or len(page) == PAGE or common < solid.number <= last
    )


def _look_back(held: Held, from_number: int, solid: Link) -> Step:
    """Ask for an older page, twice as far below our head as the last one."""
    depth = max(_BACK, 2 * (held.head - from_number + 1))
    start = max(held.solid + 1, min(from_number, held.head + 1 - depth))
    end = max(held.head, solid.number) + 2
    return Fetch(Range(start, min(end, start + PAGE)))
