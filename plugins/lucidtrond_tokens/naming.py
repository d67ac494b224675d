"""Which known asset a contract's name or symbol reads like."""

from lucidtrond.tron.imitation import skeleton
from lucidtrond.tron.tokens import KnownTokens

TRX = "TRX"
_NATIVE = ("TRX", "TRON", "Tronix")
"""The symbol and the names of TRX."""


def imitated(tokens: KnownTokens, *claims: str | None) -> str | None:
    """The known token (its address), or TRX, that one of *claims* reads like.

    Names and symbols are compared with names and symbols alike: whoever sees one of
    them takes it for the other.
    """
    read = {skeleton(claim) for claim in claims if claim} - {""}
    for token in tokens:
        if not read.isdisjoint({skeleton(token.symbol), skeleton(token.name)}):
            return token.address.base58
    if not read.isdisjoint(map(skeleton, _NATIVE)):
        return TRX
    return None
