"""What a chain of ours says of itself to those who test with it."""

from collections.abc import Mapping
from typing import Any

from lucidtrond.devnet.funding import balance_of
from lucidtrond.devnet.state.chain import Chain
from lucidtrond.tron.address import Address
from lucidtrond.tron.tokens import KnownToken


def describe(chain: Chain) -> Mapping[str, Any]:
    """Heads, witnesses, tokens, funded accounts with their test keys; JSON-able."""
    head, genesis = chain.head.globals, chain.genesis
    return {
        "genesis_id": genesis.id,
        "head": {
            "number": head.number,
            "id": head.block_id.hex(),
            "timestamp_ms": head.timestamp,
        },
        "solid_number": chain.solid.globals.number,
        "witnesses": [Address(each).base58 for each in genesis.schedule],
        "tokens": [
            {
                "address": each.address.base58,
                "symbol": each.symbol,
                "name": each.name,
                "decimals": each.decimals,
            }
            for each in tokens_of(chain)
        ],
        "accounts": [
            {
                "name": each.name,
                "address": each.key.address.base58,
                "private_key": each.key.secret.hex(),
                "balance_sun": str(balance_of(chain, each.key.address)),
            }
            for each in genesis.funded
        ],
    }


def tokens_of(chain: Chain) -> list[KnownToken]:
    """The tokens that are deployed."""
    return [
        KnownToken(Address(each.address), each.symbol, each.name, each.decimals)
        for each in chain.head.contracts.values()
    ]
