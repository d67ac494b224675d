from lucidtrond.tron.networks import NETWORKS


def test_networks_are_told_apart_by_everything_they_have() -> None:
    assert set(NETWORKS) == {"mainnet", "shasta", "nile"}
    for name in ("genesis_id", "chain_id", "endpoint", "explorer", "usdt"):
        assert len({getattr(network, name) for network in NETWORKS.values()}) == 3


def test_shasta_and_nile_are_not_swapped_as_some_published_tables_have_them() -> None:
    assert NETWORKS["mainnet"].chain_id == 728126428
    assert NETWORKS["shasta"].chain_id == 2494104990
    assert NETWORKS["nile"].chain_id == 3448148188


def test_usdt_contracts() -> None:
    """tron-protocol, Networks."""
    assert {name: network.usdt.base58 for name, network in NETWORKS.items()} == {
        "mainnet": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
        "shasta": "TG3XXyExBkPp9nzdajDZsozEu4BkaSJozs",
        "nile": "TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBf",
    }
