"""Known tokens: found by address or symbol, never by accident."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.testing.strategies import addresses
from lucidtrond.tron.address import Address
from lucidtrond.tron.networks import NETWORKS
from lucidtrond.tron.tokens import AmbiguousTokens, KnownToken, KnownTokens

SYMBOLS = st.text("ABcd1", min_size=1, max_size=3)


@given(st.lists(st.tuples(addresses(), SYMBOLS), max_size=6))
def test_every_token_is_found_both_ways_or_the_list_is_refused(
    rows: list[tuple[Address, str]],
) -> None:
    tokens = [KnownToken(address, symbol, symbol, 6) for address, symbol in rows]
    unique = (
        len({e.address for e in tokens})
        == len(tokens)
        == len({e.symbol.upper() for e in tokens})
    )
    if not unique:
        with pytest.raises(AmbiguousTokens):
            KnownTokens(tokens)
        return
    listed = KnownTokens(tokens)
    assert list(listed) == tokens
    for token in tokens:
        assert listed.at(token.address.base58) is token
        assert listed.called(token.symbol.swapcase()) is token
        assert listed.at(token.symbol) is None


def test_no_token_may_be_called_trx() -> None:
    with pytest.raises(AmbiguousTokens, match="called trx"):
        KnownTokens([KnownToken(NETWORKS["nile"].usdt, "trx", "", 6)])


def test_each_public_network_knows_its_usdt() -> None:
    for network in NETWORKS.values():
        usdt = KnownTokens(network.tokens).called("usdt")
        assert usdt is not None
        assert (usdt.address, usdt.decimals) == (network.usdt, 6)
