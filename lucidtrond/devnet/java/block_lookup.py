"""Blocks by what a caller calls them: Wallet.getBlock, behind HTTP and gRPC alike."""

import re
from typing import Final

from lucidtrond.devnet.java.values import is_long
from lucidtrond.devnet.state.blocks import BlockRow
from lucidtrond.devnet.state.view import ChainView

_ID: Final = re.compile(r"[0-9a-fA-F]{64}")


class BadBlockName(ValueError):
    """Neither a number nor an id; the text is java-tron's."""


def head_number(chain: ChainView, *, solid: bool) -> int:
    """Of the newest block of a side."""
    return (chain.solid if solid else chain.head).globals.number


def find_block(chain: ChainView, name: str, *, solid: bool) -> BlockRow | None:
    """By number or id; the newest one for an empty *name*.

    Raises:
        BadBlockName
    """
    head = head_number(chain, solid=solid)
    if not name:
        return chain.block(head, solid=solid)
    if is_long(name):
        if int(name) < 0:
            raise BadBlockName("num must be non-positive number.")
        return chain.block(int(name), solid=solid)
    if not _ID.fullmatch(name) or int(name[:16], 16) > head:
        raise BadBlockName("id must be legal block hash.")
    return find_block_by_id(chain, bytes.fromhex(name), solid=solid)


def find_block_by_id(
    chain: ChainView, block_id: bytes, *, solid: bool
) -> BlockRow | None:
    """None also for what is no id."""
    if len(block_id) != 32:
        return None
    row = chain.block(int.from_bytes(block_id[:8], "big"), solid=solid)
    return row if row is not None and row.id == block_id else None
