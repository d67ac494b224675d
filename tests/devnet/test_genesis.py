"""Chains are made from definitions: equal definitions, equal chains."""

import pytest

from lucidtrond.devnet.state.default_chain import default_genesis_file
from lucidtrond.devnet.state.genesis import format_genesis, make_genesis, parse_genesis
from lucidtrond.devnet.state.genesis_file import BadGenesis
from lucidtrond.tron.block import check_block


def test_a_definition_survives_writing_and_reading() -> None:
    genesis = make_genesis(default_genesis_file(5))
    assert parse_genesis(format_genesis(genesis)) == genesis


def test_the_default_chain_has_one_id_per_number_of_witnesses() -> None:
    # The witnesses are not part of block 0: the id is that of the funded accounts.
    ids = {make_genesis(default_genesis_file(count)).id for count in (1, 5, 27)}
    assert ids == {"0000000000000000b5fcf2924756dbe8b906421c5800cb8b0e758107ef6cd3b6"}


def test_block_zero_checks_like_any_block() -> None:
    genesis = make_genesis(default_genesis_file(1))
    assert check_block(genesis.block) == genesis.id


def test_a_definition_that_states_another_id_is_refused() -> None:
    data = format_genesis(make_genesis(default_genesis_file(1)))
    stated = data.replace(
        b'"genesis_block_id":""', b'"genesis_block_id":"' + b"0" * 64 + b'"'
    )
    assert stated != data
    with pytest.raises(BadGenesis, match="states block id"):
        parse_genesis(stated)


def test_a_key_that_is_not_its_addresss_is_refused() -> None:
    data = format_genesis(make_genesis(default_genesis_file(1)))
    key = make_genesis(default_genesis_file(1)).funded[1].key.secret.hex().encode()
    with pytest.raises(BadGenesis, match="another's"):
        parse_genesis(data.replace(key, b"11" * 32))
