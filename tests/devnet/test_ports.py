"""Ports of their own for what a node has on ports of its own."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
import trio

from lucidtrond.devnet.ports import open_ports, url_of
from lucidtrond.devnet.router import EVERYTHING, Router, Side
from lucidtrond.errors import ConfigError
from lucidtrond.transports.http import HttpRequest
from tests.devnet.making import Lab
from tests.devnet.test_server import running

FREE = ("127.0.0.1", 0)


def test_a_side_with_a_port_of_its_own_is_not_at_the_main_one() -> None:
    with open_ports(FREE) as (only,):
        assert only.sides == EVERYTHING
    with open_ports(FREE, solidity=FREE) as (main, solid):
        assert main.url != solid.url
        assert solid.sides == {Side.SOLIDITY}
        assert main.sides == EVERYTHING - {Side.SOLIDITY}
        assert url_of([main, solid], Side.JSONRPC) == main.url
        assert url_of([main, solid], Side.SOLIDITY) == solid.url
    with open_ports(FREE, solidity=FREE, jsonrpc=FREE) as ports:
        assert [port.sides for port in ports] == [{side} for side in Side]


def test_a_taken_port_is_named() -> None:
    with open_ports(FREE) as (taken,):
        place = ("127.0.0.1", taken.listener.getsockname()[1])
        with (
            pytest.raises(ConfigError, match=f"devnet: 127.0.0.1:{place[1]}: "),
            open_ports(FREE, solidity=place),
        ):
            raise AssertionError


@pytest.mark.parametrize("side", Side)
def test_a_router_knows_only_the_paths_of_its_sides(side: Side) -> None:
    lab = Lab()
    lab.mine(10)
    router = Router(lab.chain, lambda: 0, sides=frozenset({side}))
    for path in ("/wallet/getnowblock", "/walletsolidity/getnowblock", "/jsonrpc"):
        served = path.startswith(side.value)
        answer = router.answer(HttpRequest("POST", path, "", {}, b""))
        assert answer.status == (200 if served else 405)
    answer = router.answer(HttpRequest("GET", "/wallet/getnowblock", "", {}, b""))
    assert answer.status == (200 if side is Side.WALLET else 404)


async def test_a_chain_answers_at_both_of_its_ports() -> None:
    async with running(block_time_s=0, solidity=FREE, jsonrpc=FREE) as devnet:
        places = {devnet.url, devnet.solidity_url, devnet.jsonrpc_url}
        assert len(places) == 3

        def get(url: str) -> Any:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)

        head = await trio.to_thread.run_sync(get, f"{devnet.url}/wallet/getnowblock")
        assert head["block_header"]["raw_data"]["number"] == devnet.head_number
        path = "/walletsolidity/getnowblock"
        solid = await trio.to_thread.run_sync(get, devnet.solidity_url + path)
        properties = devnet.chain.solid.globals
        assert solid["block_header"]["raw_data"]["number"] == properties.number
        with pytest.raises(urllib.error.HTTPError) as caught:
            await trio.to_thread.run_sync(get, devnet.url + path)
        assert caught.value.code == 404
        caught.value.close()
