"""Numbers that a contract returns, as one endpoint's solid state has them. Pure."""

from msgspec import Struct

from lucidtrond.tron.block import BlockHeader


class SolidNumbers(Struct, frozen=True):
    """One for each function, as of a block from *before* to *after*, solid heads.

    None: it has no such function, or that returns no number.
    """

    before: BlockHeader
    after: BlockHeader
    numbers: tuple[int | None, ...]
