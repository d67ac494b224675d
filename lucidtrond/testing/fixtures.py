"""A pytest fixture: a real TRON chain in a process of its own, for anybody's tests.

In a ``conftest.py``::

    pytest_plugins = ["lucidtrond.testing.fixtures"]

and in a test, with whatever client library::

    def test_it_pays(tron_devnet):
        client = tronpy.Tron(HTTPProvider(tron_devnet.url))
        tron_devnet.fault(fault="lost_reply", path="/wallet/broadcast*", count=1)
        ...
        tron_devnet.mine()

The chain is another process, so the test may be of any kind. One chain serves a whole
session and makes blocks only when told to (`mine`); take a `snapshot` where a test must
not be seen by others.
"""

import contextlib
import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

_TIMEOUT_S = 30


class TronDevnet:
    """A running chain. What `info` tells at the start are attributes.

    *url* speaks java-tron's HTTP API; *replica_urls* are the same chain on other ports;
    *grpc_url* speaks gRPC and is None without `running_devnet`'s *grpc*;
    *accounts* are funded, each with ``address`` and ``private_key`` (hex); *tokens*
    are the TRC-20 tokens deployed there.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        info = self.info()
        self.genesis_id: str = info["genesis_id"]
        self.replica_urls: list[str] = info["replicas"]
        self.grpc_url: str | None = info["grpc_url"]
        self.accounts: list[dict[str, Any]] = info["accounts"]
        self.tokens: list[dict[str, Any]] = info["tokens"]
        self.fake_tokens: list[dict[str, Any]] = info["fake_tokens"]

    def control(self, verb: str, **params: Any) -> dict[str, Any]:
        """Carry out a verb of ``/devnet/``.

        Raises:
            ValueError: it was refused; the chain's own words.
        """
        data = json.dumps(params).encode()
        try:
            with urllib.request.urlopen(  # noqa: S310 - our own process
                f"{self.url}/devnet/{verb}", data, timeout=_TIMEOUT_S
            ) as answer:
                result: dict[str, Any] = json.load(answer)
                return result
        except urllib.error.HTTPError as refused:
            with refused:
                raise ValueError(json.load(refused)["Error"]) from None

    def info(self) -> dict[str, Any]:
        """Heads, URLs, accounts with their keys, tokens: as they are now."""
        return self.control("info")

    def mine(self, count: int = 1) -> int:
        """Make blocks now; gives the head's number."""
        return int(self.control("mine", count=count)["head_number"])

    def fund(self, address: str, amount_sun: int) -> str:
        """Pay from an account of the chain's own, in the next block; gives the txid."""
        return self._fund(address, amount_sun=str(amount_sun))

    def fund_token(self, address: str, token: str, amount_raw: int) -> str:
        """The same with a token, by its contract's address."""
        return self._fund(address, asset=token, amount_raw=str(amount_raw))

    def _fund(self, address: str, **what: str) -> str:
        flag = {"allow_unchecked_recipient": True}  # addresses of a test's own making
        return str(self.control("fund", address=address, **what, **flag)["txid"])

    def jump(self, seconds: float) -> int:
        """Make a block so much later than the head."""
        return int(self.control("jump", seconds=seconds)["head_number"])

    def fork(self, depth: int = 1, *, keep: bool = True) -> int:
        """Replace the newest blocks by others."""
        return int(self.control("fork", depth=depth, keep=keep)["head_number"])

    def stall(self, *, stalled: bool = True) -> None:
        """Keep blocks from being solidified, or let them again."""
        self.control("stall", stalled=stalled)

    def close_port(self, port: int = 0, *, for_s: float) -> None:
        """Refuse connections at one port for a while."""
        self.control("close_port", port=port, for_s=for_s)

    def shut(self, door: int = 0, *, for_s: float) -> None:
        """Do what `close_port` does, by its older name."""
        self.close_port(door, for_s=for_s)

    def zero_transfer(self, sender: str, recipient: str, token: str) -> str:
        """Plant a transfer of 0 tokens that *sender* never made; gives the txid."""
        parties = {"sender": sender, "recipient": recipient}
        return str(self.control("zero_transfer", **parties, token=token)["txid"])

    def nil(self, sender: str, recipient: str, token: str) -> str:
        """Do what `zero_transfer` does, by its older name."""
        return self.zero_transfer(sender, recipient, token)

    def rule(self, token: str, *, honest: bool) -> None:
        """Let an odd token move what it is asked to, or show that and move nothing."""
        self.control("rule", token=token, honest=honest)

    def fault(self, **rule: Any) -> int:
        """Put a fault in force (see `lucidtrond.devnet.faults`); gives its number."""
        return int(self.control("fault", **rule)["number"])

    def faults(self) -> list[dict[str, Any]]:
        """Those in force: ``number``, ``rule``, ``seen``, ``struck``."""
        faults: list[dict[str, Any]] = self.control("faults")["faults"]
        return faults

    def seed(self, seed: int) -> None:
        """Lift all faults; those that follow strike by chances of this seed."""
        self.control("seed", seed=seed)

    def clear(self) -> None:
        """Lift all faults."""
        self.control("clear")

    def snapshot(self, name: str) -> None:
        """Remember the chain as it is."""
        self.control("snapshot", name=name)

    def restore(self, name: str) -> None:
        """Be that chain again."""
        self.control("restore", name=name)


@contextlib.contextmanager
def running_devnet(
    *,
    block_time_s: float = 0,
    witnesses: int = 3,
    replicas: int = 1,
    genesis: Path | None = None,
    fake_token: bool = False,
    behind_s: int | None = None,
    tokens: Sequence[str] = (),
    grpc: bool = False,
) -> Iterator[TronDevnet]:
    """A chain of one's own, in a process of its own, as long as the block lasts.

    *block_time_s* is of real time, on the chain it is 3 s; 0 makes blocks on demand.
    *genesis* is the file of another chain, whose witnesses are its own; *fake_token*
    adds a second token with the first one's name and symbol, *tokens* those of odd
    sorts (symbols, or ``all``). *behind_s* is how far behind the clock the chain
    begins, 22 hours or more where it is None. *grpc* lets it serve gRPC too.
    """
    chain = ["--witnesses", str(witnesses)]
    if genesis is not None:
        chain = ["--genesis", str(genesis)]
    if fake_token:
        chain.append("--fake-token")
    if behind_s is not None:
        chain += ["--behind", str(behind_s)]
    if tokens:
        chain += ["--tokens", ",".join(tokens)]
    if grpc:
        chain += ["--listen-grpc", "127.0.0.1:0"]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [
            *(sys.executable, "-m", "lucidtrond.cli.operator", "devnet", "--control"),
            *("--listen", "127.0.0.1:0", "--block-time", str(block_time_s)),
            *("--replicas", str(replicas), *chain),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            if process.stdout is None:
                raise AssertionError("its output is a pipe")
            first = process.stdout.readline().split()
            if len(first) != 2 or first[0] != "URL":
                raise RuntimeError(f"lucidtrond devnet did not start: {first}")
            yield TronDevnet(first[1])
        finally:
            process.terminate()


@pytest.fixture(scope="session", name="tron_devnet_chain")
def _chain() -> Iterator[TronDevnet]:
    """The session's chain, with whatever tests did to it."""
    with running_devnet() as chain:
        yield chain


@pytest.fixture
def tron_devnet(tron_devnet_chain: TronDevnet) -> Iterator[TronDevnet]:
    """The session's chain, without faults before and after the test."""
    tron_devnet_chain.clear()
    tron_devnet_chain.stall(stalled=False)
    yield tron_devnet_chain
    tron_devnet_chain.clear()
