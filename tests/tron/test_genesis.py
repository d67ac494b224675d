from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockId, check_block
from lucidtrond.tron.genesis import GenesisAsset, make_genesis
from lucidtrond.tron.jsonformat import print_transaction
from lucidtrond.tron.networks import NETWORKS
from lucidtrond.tron.units import Sun, UnixMillis
from tests.tron.chainrun import load

PARENT = BlockId("e58f33f9baf9305dc6f82b9f1934ea8f0ade2defb951258d50167028c780351f")
"""genesis.block.parentHash of java-tron's config.conf."""


def test_mainnets_genesis_id_follows_from_its_configuration() -> None:
    """genesis.block.assets of java-tron's config.conf: Zion, Sun, Blackhole."""
    block = make_genesis(
        [
            GenesisAsset(Address.from_base58(text), Sun(balance))
            for text, balance in (
                ("TLLM21wteSPs4hKjbxgmH1L6poyMjeTbHm", 99_000_000_000_000_000),
                ("TXmVpin5vq5gdZsciyyjdZgKRUju4st1wM", 0),
                ("TLsV52sRDL79HXGGm9yzwKibb6BeruhUzy", -(2**63)),
            )
        ],
        parent_id=PARENT,
        timestamp=UnixMillis(0),
    )
    assert check_block(block) == NETWORKS["mainnet"].genesis_id


def test_a_recorded_block_0_is_rebuilt_transaction_by_transaction() -> None:
    recorded = load()["blocks"][0]
    values = [
        transaction["raw_data"]["contract"][0]["parameter"]["value"]
        for transaction in recorded["transactions"]
    ]
    block = make_genesis(
        [
            GenesisAsset(
                Address.from_hex(value["to_address"]), Sun(value.get("amount", 0))
            )
            for value in values
        ],
        parent_id=BlockId(recorded["block_header"]["raw_data"]["parentHash"]),
        timestamp=UnixMillis(recorded["block_header"]["raw_data"].get("timestamp", 0)),
    )
    assert check_block(block, expected_id=recorded["blockID"]) == recorded["blockID"]
    witness = recorded["block_header"]["raw_data"]["witness_address"]
    assert block.header.witness.hex() == witness
    assert [
        print_transaction(included.transaction.raw, (), visible=False)
        for included in block.transactions
    ] == recorded["transactions"]
