"""One endpoint's version of a block, and who runs that endpoint. Pure."""

from msgspec import Struct

from lucidtrond.tron.block import Block
from lucidtrond.tron.receipt import Receipt


class Shown(Struct, frozen=True):
    """*receipts* are those that the same endpoint gives of the block's number."""

    operator: str
    block: Block
    receipts: tuple[Receipt, ...]
