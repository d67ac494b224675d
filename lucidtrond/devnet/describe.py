"""What a chain of ours says of itself to those who test with it."""

from collections.abc import Mapping
from typing import Any

from lucidtrond.devnet.funding import balance_of
from lucidtrond.devnet.state.account import block_key
from lucidtrond.devnet.state.chain import Chain
from lucidtrond.devnet.state.deployed import Contract
from lucidtrond.devnet.state.invariants import present
from lucidtrond.devnet.state.token_sorts import PLAIN, SORTS
from lucidtrond.tron.address import Address
from lucidtrond.tron.tokens import TETHER_CHECKS, KnownToken


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
        "witness_keys": _witness_keys(chain),
        "witnesses": [Address(maker).base58 for maker in genesis.schedule],
        "tokens": [
            _token(contract)
            for contract in _contracts(chain)
            if not _is_fake(chain, contract)
        ],
        "fake_tokens": [
            _token(contract)
            for contract in _contracts(chain)
            if _is_fake(chain, contract)
        ],
        "accounts": [
            {
                "name": account.name,
                "address": account.key.address.base58,
                "private_key": account.key.secret.hex(),
                "balance_sun": str(balance_of(chain, account.key.address)),
            }
            for account in genesis.funded
        ],
    }


def _witness_keys(chain: Chain) -> Mapping[str, str]:
    """Whose key signs the next block of each producer; mostly its own."""
    return {
        Address(maker).base58: Address(
            block_key(present(chain.head.accounts.get(maker)))
        ).base58
        for maker in chain.genesis.schedule
    }


def tokens_of(chain: Chain) -> list[KnownToken]:
    """The tokens that are deployed, but for a fake one."""
    return [
        _known_token(contract)
        for contract in _contracts(chain)
        if not _is_fake(chain, contract)
    ]


def _contracts(chain: Chain) -> list[Contract]:
    return list(chain.head.contracts.values())


def _is_fake(chain: Chain, contract: Contract) -> bool:
    return contract.address == chain.genesis.fake


def _known_token(contract: Contract) -> KnownToken:
    sort = SORTS.get(contract.sort, PLAIN)
    return KnownToken(
        Address(contract.address),
        contract.symbol,
        contract.name,
        contract.decimals,
        fee_on_transfer=sort.fee_percent > 0,
        zero_while_exact=TETHER_CHECKS if sort is PLAIN or sort.has_params else None,
    )


def _token(contract: Contract) -> Mapping[str, Any]:
    token, sort = _known_token(contract), SORTS.get(contract.sort)
    return {
        "about": sort.about if sort else "",
        "address": token.address.base58,
        "symbol": token.symbol,
        "name": token.name,
        "decimals": token.decimals,
    }
