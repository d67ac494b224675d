"""Filters of /jsonrpc: each log and each block is told once, in order."""

import json
from typing import Any

import pytest
from attrs import define, field

from lucidtrond.devnet.ethereum.errors import RpcError
from lucidtrond.devnet.ethereum.filters import LIFETIME_MS, MAX_FILTERS, Filters
from lucidtrond.devnet.router import Router
from lucidtrond.transports.http import HttpRequest
from lucidtrond.tron import trc20
from tests.devnet.making import BOB, Lab
from tests.devnet.sending import contract


@define
class Client:
    """Asks one chain's filters; *now_ms* is the time."""

    lab: Lab = field(factory=Lab)
    now_ms: int = 0
    filters: Filters = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.lab.mine(3)
        self.filters = Filters(lambda: self.now_ms)

    def call(self, method: str, *parameters: Any) -> Any:
        return self.filters.methods[method].answer(self.lab.chain, *parameters)

    def pay(self, amount: int) -> None:
        """A block with one Transfer log of the whale's."""
        whale = self.lab.genesis.funded[0].key
        (token,) = self.lab.chain.head.contracts.values()
        fields: dict[str, Any] = {
            "contract_address": token.address,
            "data": trc20.transfer(BOB.address, amount),
            "fee_limit": 10**8,
        }
        self.lab.send(contract(self.lab, whale, "TriggerSmartContract", **fields))
        self.lab.mine()


@pytest.fixture
def client() -> Client:
    return Client()


def amounts(logs: list[dict[str, Any]]) -> list[int]:
    return [int(log["data"], 16) for log in logs]


def test_each_log_is_told_once(client: Client) -> None:
    client.pay(1)
    name = client.call("eth_newFilter", {})
    assert client.call("eth_getFilterChanges", name) == []
    client.pay(2)
    client.pay(3)
    assert amounts(client.call("eth_getFilterChanges", name)) == [2, 3]
    assert client.call("eth_getFilterChanges", name) == []
    client.pay(4)
    assert amounts(client.call("eth_getFilterChanges", name)) == [4]
    assert amounts(client.call("eth_getFilterLogs", name)) == [1, 2, 3, 4]


def test_a_filter_ends_where_it_was_told_to(client: Client) -> None:
    head = client.lab.chain.head.globals.number
    span = {"fromBlock": hex(head + 2), "toBlock": hex(head + 3)}
    name = client.call("eth_newFilter", span)
    for amount in range(1, 5):
        client.pay(amount)
    assert amounts(client.call("eth_getFilterChanges", name)) == [2, 3]
    assert amounts(client.call("eth_getFilterLogs", name)) == [2, 3]
    elsewhere = {"address": "0x" + "11" * 20, "fromBlock": "0x0"}
    name = client.call("eth_newFilter", elsewhere)
    assert client.call("eth_getFilterLogs", name) == []


def test_each_block_is_told_once(client: Client) -> None:
    name = client.call("eth_newBlockFilter")
    client.lab.mine(2)
    numbers = (
        client.lab.chain.head.globals.number - 1,
        client.lab.chain.head.globals.number,
    )
    rows = [client.lab.archive.read(number) for number in numbers]
    changes = client.call("eth_getFilterChanges", name)
    assert changes == ["0x" + row.id.hex() for row in rows if row]
    assert client.call("eth_getFilterChanges", name) == []
    with pytest.raises(RpcError, match="filter not found"):
        client.call("eth_getFilterLogs", name)


def test_a_filter_that_nobody_asks_is_forgotten(client: Client) -> None:
    asked, forgotten = (client.call("eth_newFilter", {}) for _ in range(2))
    client.now_ms = LIFETIME_MS
    client.call("eth_getFilterChanges", asked)
    client.now_ms += 1
    client.call("eth_getFilterChanges", asked)
    with pytest.raises(RpcError, match="filter not found"):
        client.call("eth_getFilterChanges", forgotten)


def test_the_least_asked_filter_makes_room(client: Client) -> None:
    first, second = (client.call("eth_newBlockFilter") for _ in range(2))
    client.call("eth_getFilterChanges", first)
    for _ in range(MAX_FILTERS - 1):
        client.call("eth_newBlockFilter")
    client.call("eth_getFilterChanges", first)
    with pytest.raises(RpcError, match="filter not found"):
        client.call("eth_uninstallFilter", second)


def test_a_view_of_the_chain_shares_the_filters_of_its_node() -> None:
    client = Client()
    router = Router(client.lab.chain, lambda: 0)
    behind = router.seen(lambda chain: chain)

    def ask(router: Router, method: str, *parameters: Any) -> Any:
        body = {"id": 1, "method": method, "params": parameters}
        request = HttpRequest("POST", "/jsonrpc", "", {}, json.dumps(body).encode())
        return json.loads(router.answer(request).body)["result"]

    name = ask(behind, "eth_newFilter", {})
    client.pay(5)
    assert amounts(ask(router, "eth_getFilterChanges", name)) == [5]
    assert ask(behind, "eth_getFilterChanges", name) == []
