"""hypothesis strategies for the words of the field; needs the package hypothesis."""

from hypothesis import strategies as st

from lucidtrond.tron.address import PREFIX, Address
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.units import MAX_SUN, Sun

__all__ = ["addresses", "amount_texts", "labels", "suns", "txids"]


def addresses() -> st.SearchStrategy[Address]:
    """Any address."""
    return st.binary(min_size=20, max_size=20).map(
        lambda body: Address(bytes([PREFIX]) + body)
    )


def suns(*, least: int = 0, most: int = MAX_SUN) -> st.SearchStrategy[Sun]:
    """Amounts that the chain can hold."""
    return st.integers(least, most).map(Sun)


def amount_texts() -> st.SearchStrategy[str]:
    """Amounts above zero as they stand on our wire."""
    return suns(least=1).map(str)


def txids() -> st.SearchStrategy[TxId]:
    """Any txid."""
    return st.binary(min_size=32, max_size=32).map(lambda digest: TxId(digest.hex()))


def labels() -> st.SearchStrategy[str]:
    """What a person may call a wallet."""
    return st.text(
        st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=40
    )
