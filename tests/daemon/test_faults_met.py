"""What the daemon does about each fault that a node can have.

One chain with two ports, and a daemon over both; between two faults the daemon starts
anew, so that nobody is left alone for the fault before. At the end the chain is
counted: whatever went wrong, each payment is on it once, and the daemon's history and
balance are what the chain's blocks say.
"""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from lucidtrond.cli.connection import RpcFailure
from lucidtrond.testing.fixtures import TronDevnet, running_devnet
from lucidtrond.tron import trc20
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import Trigger
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.transaction import RawData, Reference, Transaction
from lucidtrond.tron.units import Sun, UnixMillis
from tests.daemon.outside import (
    BROADCAST_FAULTS,
    BROADCASTS,
    Json,
    Paid,
    ask,
    check_books,
    config_over,
    hex_of,
    paid_on,
)
from tests.daemon.process import PASSPHRASE, DaemonProcess

pytestmark = pytest.mark.process

STRANGER = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH"
BLOCK_S = 0.1
OTHER_CHAIN = Path(__file__).parents[1] / "data/recordings/chain.json"
FUND_SUN = 1_000_000_000
FIRST_AMOUNT = 1_000_001
DEPOSIT_SUN = 2_500_000
PATIENCE_S = 30.0
RECIPIENT_REFUSED = 306
INSUFFICIENT = 300
RECEIPTS = "/wallet*/gettransactioninfobyblocknum"

NODE_FAULTS: dict[str, Json] = {
    "reset mid-body": {"fault": "cut"},
    "reset": {"fault": "reset"},
    "timeout": {"fault": "black_hole"},
    "slow drip": {"fault": "drip", "bytes_per_s": 20},
    "403": {"fault": "status", "status": 403},
    "403, later": {"fault": "status", "status": 403, "retry_after_s": 1},
    "429": {"fault": "status", "status": 429},
    "429, later": {"fault": "status", "status": 429, "retry_after_s": 1},
    "500": {"fault": "status", "status": 500},
    "502": {"fault": "status", "status": 502},
    "503": {"fault": "status", "status": 503},
    "503, later": {"fault": "status", "status": 503, "retry_after_s": 1},
    "200 with an Error": {"fault": "error"},
    "a lite node": {"fault": "text"},
    "truncated JSON": {"fault": "truncate"},
    "{} for every block": {"fault": "empty", "path": "/wallet*/getblock*"},
    "{} for everything": {"fault": "empty"},
    "no receipts": {"fault": "empty_list", "path": RECEIPTS},
    "a head that goes back and forth": {"fault": "lag", "blocks": 3, "chance": 0.5},
    "a head far behind": {"fault": "lag", "blocks": 30},
}
"""Of the first node, all the time; the second is well."""


@define
class Shop:
    """A daemon with a wallet, over both ports of *chain*."""

    chain: TronDevnet
    daemon: DaemonProcess
    config: Path
    wallet: dict[str, Any]
    asked: Counter[Paid] = field(factory=Counter)

    def pay(self, wait: str = "solidified", **more: Any) -> dict[str, Any]:
        """One more payment of its own amount, as often asked for as it takes."""
        number = sum(self.asked.values())
        amount = FIRST_AMOUNT + number
        params = {
            "from": self.wallet["wallet_id"],
            "to": STRANGER,
            "amount_sun": str(amount),
            "idempotency_key": f"payment-{number}",
            "expires_s": 3600,
            "wait": wait,
            **more,
        }
        self.asked[Paid(self.wallet["address"], STRANGER, "TRX", amount)] += 1
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                paid: dict[str, Any] = self.daemon.call("transfer.send", **params)
            except RpcFailure as failure:
                if failure.code not in range(200, 205) or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return paid

    def restart(self) -> None:
        """With faults gone, and nothing remembered of the nodes."""
        self.chain.clear()
        self.daemon.kill()
        self.daemon.start()
        self.daemon.call("keystore.unlock", passphrase=PASSPHRASE)
        # The chain is so quick that it is minutes ahead of the database by now.
        self.daemon.call("sending.acknowledge", restore=True)

    def endpoints(self) -> list[dict[str, Any]]:
        endpoints: list[dict[str, Any]] = self.daemon.call("network.endpoints")[
            "endpoints"
        ]
        return endpoints

    def history(self) -> list[dict[str, Any]]:
        """Its newest entries."""
        name = self.wallet["wallet_id"]
        entries: list[dict[str, Any]] = self.daemon.call("wallet.history", wallet=name)[
            "entries"
        ]
        return entries

    def until(self, met: Any) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while not (value := met()):
            assert time.monotonic() < deadline, self.daemon.tail()
            time.sleep(0.02)
        return value


@pytest.fixture(scope="module", name="open_shop")
def _open_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    directory = tmp_path_factory.mktemp("shop")
    with running_devnet(
        block_time_s=BLOCK_S, witnesses=5, replicas=1, fake_token=True
    ) as chain:
        config = config_over(
            chain,
            directory / "config.toml",
            timeout_s=0.5,
            block_time_s=BLOCK_S,
            restore_wait_s=3600,
        )
        daemon = DaemonProcess(directory, config=config).start()
        try:
            daemon.call("keystore.init", passphrase=PASSPHRASE)
            wallet = daemon.call("wallet.create", label="shop")
            txid = chain.fund(wallet["address"], FUND_SUN)
            daemon.call("tx.wait", txid=txid, until="solidified")
            shop = Shop(chain, daemon, config, wallet)
            yield shop
            shop.restart()
            assert shop.pay()["state"] == "solidified"
            assert paid_on(chain, {wallet["address"]}) == shop.asked
            check_books(daemon, chain, [wallet], {})
            assert daemon.stop() == 0
        finally:
            daemon.end()


@pytest.fixture(name="shop")
def _shop(open_shop: Shop) -> Shop:
    open_shop.restart()
    return open_shop


@pytest.mark.parametrize("fault", NODE_FAULTS.values(), ids=NODE_FAULTS.keys())
def test_it_pays_while_one_node_fails(fault: Json, shop: Shop) -> None:
    shop.chain.fault(**fault, port=0)
    deposit = shop.chain.fund(shop.wallet["address"], DEPOSIT_SUN)
    assert shop.pay()["state"] == "solidified"
    assert deposit in [row["txid"] for row in shop.history()]
    [rule] = shop.chain.faults()
    assert rule["struck"] >= 1


@pytest.mark.parametrize("name", BROADCAST_FAULTS)
def test_a_broadcast_that_meets_a_fault_at_both_nodes_is_paid_once(
    name: str, shop: Shop
) -> None:
    rule = BROADCAST_FAULTS[name]
    ports = (rule["port"],) if "port" in rule else (0, 1)
    for port in ports:
        shop.chain.fault(**{**rule, "path": BROADCASTS, "count": 1, "port": port})
    assert shop.pay()["state"] == "solidified"
    states = shop.chain.faults()
    assert [state["struck"] for state in states] == [1] * len(ports)


def test_a_node_that_is_down_is_done_without(shop: Shop) -> None:
    shop.chain.close_port(0, for_s=2)
    time.sleep(0.2)
    assert shop.pay()["state"] == "solidified"
    lines = [
        line for line in shop.daemon.log_lines() if line["event"] == "endpoint fails"
    ]
    assert any("can't connect" in line["reason"] for line in lines)
    # And when it is back it is asked again.
    shop.until(lambda: all(endpoint["state"] == "ok" for endpoint in shop.endpoints()))


@pytest.mark.slow
def test_a_node_whose_head_stands_still_is_left_for_the_other(shop: Shop) -> None:
    head = shop.chain.info()["head"]["number"]
    shop.chain.fault(fault="stop", block=head, port=0)
    shop.chain.mine(40)
    # Heads are compared when the one that is followed has not moved for 20 s.
    shop.until(lambda: shop.daemon.call("network.status")["head_number"] > head + 30)
    assert shop.pay()["state"] == "solidified"
    states = {endpoint["endpoint"]: endpoint["state"] for endpoint in shop.endpoints()}
    assert states[shop.chain.url.removeprefix("http://")] == "lagging"


def test_a_block_without_its_receipts_is_no_block_yet(shop: Shop) -> None:
    shop.chain.fault(fault="empty_list", path=RECEIPTS)
    before = shop.daemon.call("network.status")["head_number"]
    paid = shop.pay(wait="none")
    time.sleep(0.5)
    assert shop.daemon.call("network.status")["head_number"] <= before + 5
    assert shop.daemon.call("transfer.status", txid=paid["txid"])["state"] == "pending"
    shop.chain.clear()
    final = shop.daemon.call("tx.wait", txid=paid["txid"], until="solidified")
    assert final["solidified"]


def test_a_node_of_another_network_is_refused_at_the_start(
    shop: Shop, tmp_path: Path
) -> None:
    with running_devnet(genesis=OTHER_CHAIN) as other:
        assert other.genesis_id != shop.chain.genesis_id
        block = {"id_or_num": "0", "detail": False}
        assert ask(other, "/wallet/getblock", **block)["blockID"] == other.genesis_id
        config = tmp_path / "config.toml"
        replica = shop.chain.replica_urls[0]
        config.write_text(shop.config.read_text().replace(replica, other.url))
        daemon = DaemonProcess(tmp_path, config=config)
        code = daemon.spawn().wait(PATIENCE_S)
    assert code != 0
    said = daemon.tail()
    assert other.url.removeprefix("http://") in said
    assert shop.chain.genesis_id in said
    assert other.genesis_id in said


def test_a_fake_token_with_the_symbol_of_a_known_one_is_money_to_nobody(
    shop: Shop,
) -> None:
    [real], [fake] = shop.chain.tokens, shop.chain.fake_tokens
    assert fake["symbol"] == real["symbol"]
    wallet, address = shop.wallet["wallet_id"], shop.wallet["address"]
    txid = shop.chain.fund_token(address, fake["address"], 77)
    shop.daemon.call("tx.wait", txid=txid, until="solidified")
    [entry] = [row for row in shop.history() if row["txid"] == txid]
    assert entry["unknown_token"] is True
    assert entry["asset"] != real["symbol"]
    held = shop.daemon.call("token.balance", token=real["symbol"], address=address)
    assert held["balance_raw"] == "0"
    with pytest.raises(RpcFailure) as refused:
        shop.daemon.call(
            "transfer.send",
            **{"from": wallet, "to": STRANGER, "idempotency_key": "fake"},
            asset=real["symbol"],
            amount_raw="77",
        )
    assert refused.value.code == INSUFFICIENT


def test_a_planted_look_alike_is_not_paid_by_mistake(shop: Shop) -> None:
    shop.pay()
    raw = Address.from_base58(STRANGER).raw
    trap = Address(raw[:-1] + bytes([raw[-1] ^ 1])).base58
    assert trap[:20] == STRANGER[:20]
    [token] = shop.chain.tokens
    txid = shop.chain.zero_transfer(shop.wallet["address"], trap, token["address"])
    shop.daemon.call("tx.wait", txid=txid, until="solidified")
    [entry, *_] = shop.daemon.call("history.list", address=shop.wallet["address"])[
        "entries"
    ]
    assert (entry["txid"], entry["amount"]) == (txid, "0")
    with pytest.raises(RpcFailure, match="looks like") as refused:
        shop.daemon.call(
            "transfer.send",
            **{"from": shop.wallet["wallet_id"], "to": trap},
            amount_sun="1000000",
            idempotency_key="trap",
        )
    assert refused.value.code == RECIPIENT_REFUSED
    assert refused.value.data["resembles"] == STRANGER


def test_a_payment_that_runs_out_of_energy_has_failed_and_says_what_it_cost(
    tmp_path: Path,
) -> None:
    with running_devnet(witnesses=1) as chain:
        [token] = chain.tokens
        daemon = DaemonProcess(tmp_path, config=config_over(chain, tmp_path / "c.toml"))
        try:
            daemon.start()
            daemon.call("keystore.init", passphrase=PASSPHRASE)
            wallet = daemon.call("wallet.create", label="shop")
            chain.fund(wallet["address"], FUND_SUN)
            chain.fund_token(wallet["address"], token["address"], 100)
            friend = PrivateKey.from_hex(chain.accounts[-1]["private_key"])
            chain.fund_token(friend.address.base58, token["address"], 5)
            chain.mine(3)
            # The friend's last tokens are in the pool, on their way to somebody. Who
            # gives to one who has none writes to an empty slot, which costs more; the
            # node that is asked for the cost does not see its pool.
            empty(chain, friend, token["address"], 5)
            chain.fault(fault="lag", blocks=0, path="/wallet/triggerconstantcontract")
            params = {
                "from": wallet["wallet_id"],
                "to": friend.address.base58,
                "asset": token["symbol"],
                "amount_raw": "7",
                "idempotency_key": "poor",
            }
            planned = daemon.call("transfer.send", **params, check=True)
            limit = planned["fee_limit_sun"]
            sent = daemon.call("transfer.send", **params, fee_limit_sun=limit)
            chain.mine(3)
            failed = daemon.call(
                "transfer.send", **params, fee_limit_sun=limit, wait="solidified"
            )
            assert (failed["txid"], failed["state"]) == (sent["txid"], "failed")
            assert "OUT_OF_ENERGY" in failed["reason"]
            burned = int(failed["fee_sun"])
            assert int(limit) - 100 < burned <= int(limit)  # whole units of energy
            held = daemon.call(
                "token.balance", token=token["symbol"], address=wallet["address"]
            )
            assert held["balance_raw"] == "100"
        finally:
            daemon.end()


def empty(chain: TronDevnet, owner: PrivateKey, token: str, amount: int) -> None:
    """Send tokens away, as a plain client does; it stays in the pool."""
    head = ask(chain, "/wallet/getnowblock")
    now = head["block_header"]["raw_data"]["timestamp"]
    data = trc20.transfer(Address.from_base58(STRANGER), amount)
    raw = RawData(
        Trigger(owner.address, Address.from_base58(token), data),
        Reference.to_block(head["blockID"]),
        expiration=UnixMillis(now + 600_000),
        timestamp=UnixMillis(now),
        fee_limit=Sun(100_000_000),
    ).encode()
    made = Transaction(raw)
    signed = made.with_signature(owner.sign(made.digest))
    answer = ask(chain, "/wallet/broadcasthex", transaction=signed.encode().hex())
    assert answer["result"], answer
    assert hex_of(owner.address.base58)
