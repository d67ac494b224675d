"""The crash matrix: a payment, a kill at one place, a restart, an audit of the chain.

A cell is a place to die at, a fault that broadcasts meet, and whether the restarted
daemon finds its keystore open. Cells follow one another in a lane: one chain in one
process, one state directory, one daemon after the other; each life ends a cell and
begins the next one. The audit reads the chain's own blocks over HTTP.
"""

import math
import signal
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import define, field, frozen

from lucidtrond.cli.connection import Connection, RpcFailure, Unreachable
from lucidtrond.testing.fixtures import TronDevnet, running_devnet
from tests.daemon.crash.launcher import Launcher
from tests.daemon.crash.points import FAULTS, FSYNC, PLACES, Place, rounds_of
from tests.daemon.outside import (
    BROADCASTS,
    Paid,
    ask,
    blocks_of,
    config_over,
    hex_of,
    paid_on,
)
from tests.daemon.process import PASSPHRASE

STRANGER: Final = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH"
FUND_SUN: Final = 10_000_000_000_000
FIRST_AMOUNT: Final = 1_000_001
PATIENCE_S: Final = 30.0
BREATH_S: Final = 0.3
"""So long a block of 3 s takes here at most: it is over when the daemon holds it."""
LIFETIME_S: Final = 36_000
"""Longer than the chain's time in which two rounds of broadcasting find no answer."""
SHORT_S: Final = 60
"""Of what is to die."""
LOCKED_BLOCKS: Final = 4
"""Made while nothing may be signed."""
LOCKED: Final = 400
HELD: Final = 309
SOLID_BLOCKS: Final = 8
TIMEOUT_S: Final = 0.5
_TOLD_BY_BLOCKS: Final = ("inclusion:", "solidification:")
"""Steps for which blocks must come. For earlier ones they must not: a payment that is
in a block before its broadcast is over has no answer to record."""
MORE: Final = """
[retry]
initial_delay_s = 0.05
[http]
enabled = false
[log]
level = "warning"
[sending]
restore_wait_s = {}
"""
_SIGSYS: Final = signal.SIGSYS
"""What seccomp's kill looks like to who waits."""


@frozen
class Cell:
    place: Place
    fault: str
    locked: bool

    @property
    def name(self) -> str:
        keystore = "locked" if self.locked else "open"
        return f"{self.place.name} / {self.fault} / {keystore}"


def diagonal() -> list[Cell]:
    """Every place once, every fault some times, locked and open in turn."""
    faults = list(FAULTS)
    return [
        Cell(
            place,
            faults[number % len(faults)],
            # Each fault is met both ways, however many there are.
            locked=(number + number // len(faults)) % 2 == 0,
        )
        for number, place in enumerate(PLACES)
    ]


def product() -> list[Cell]:
    """Every place with every fault, locked and open in turn."""
    return [
        Cell(place, fault, locked=(row + column) % 2 == 0)
        for row, place in enumerate(PLACES)
        for column, fault in enumerate(FAULTS)
    ]


def everything() -> list[Cell]:
    """Every place with every fault, locked and open."""
    return [
        Cell(place, fault, locked)
        for place in PLACES
        for fault in FAULTS
        for locked in (False, True)
    ]


@define(eq=False)
class Asking:
    """A caller in a thread of his own; *answer* is what it got, if anything."""

    socket: Path
    params: dict[str, Any]
    answer: dict[str, Any] | RpcFailure | None = None
    _thread: threading.Thread = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self._ask_once() and time.monotonic() < deadline:
            time.sleep(0.01)

    def _ask_once(self) -> bool:
        """Whether to ask again: the start was late, and the state may be a copy."""
        try:
            with Connection.open([self.socket], timeout_s=PATIENCE_S) as connection:
                self.answer = connection.call("transfer.send", self.params)
        except RpcFailure as failure:
            self.answer = failure
            return failure.code == HELD
        except (Unreachable, ValueError):
            pass
        return False

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()


class Lane:
    """Cells one after the other."""

    longest_s = LIFETIME_S
    """Of the transactions; so long a start on what may be an old copy pays nothing."""

    def __init__(self, directory: Path, chain: TronDevnet, launcher: Launcher) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._chain, self._launcher = chain, launcher
        self._state, self._socket = directory / "state", directory / "rpc.sock"
        self._config, self._phrase = directory / "daemon.toml", directory / "phrase"
        self._phrase.write_text(PASSPHRASE)
        config_over(chain, self._config, timeout_s=TIMEOUT_S)
        with self._config.open("a") as config:
            config.write(MORE.format(self.longest_s))
        self.wallet: dict[str, Any] = {}
        self.paid: dict[str, dict[str, Any]] = {}
        """What the daemon says of each payment, by idempotency key."""

    def prepare(self) -> None:
        """A daemon with a wallet that has money."""
        self._start(locked=True)
        self._call("keystore.init", passphrase=PASSPHRASE)
        self.wallet = self._call("wallet.create", label="payer")
        self._chain.fund(self.wallet["address"], FUND_SUN)
        self._chain.mine(SOLID_BLOCKS)
        self._until(lambda: self._funds() == FUND_SUN)

    def run(self, cell: Cell) -> None:
        """Kill, restart, and see the payment through. AssertionError if it is not."""
        number = len(self.paid)
        key, amount = f"cell-{number}", FIRST_AMOUNT + number
        params = {
            "from": self.wallet["wallet_id"],
            "to": STRANGER,
            "amount_sun": str(amount),
            "idempotency_key": key,
            "expires_s": LIFETIME_S if cell.place.rounds is not None else SHORT_S,
            "attempts": 9,
        }
        caller = self._die(cell, params)
        if cell.place.rounds is None:
            self._chain.clear()
            self._strike(cell.fault)
        self._start(locked=cell.locked)
        # It is no old copy, however late it is.
        self._call("sending.acknowledge", restore=True)
        if cell.locked:
            self._stay_locked(key, params, dies=cell.place.rounds is None)
            self._call("keystore.unlock", passphrase=PASSPHRASE)
        again = Asking(self._socket, {**params, "wait": "solidified"})
        self._until(lambda: again.is_over, mine=1)
        assert isinstance(again.answer, dict), again.answer
        assert again.answer["state"] == "solidified", again.answer
        if isinstance(caller.answer, dict) and cell.place.rounds is not None:
            assert caller.answer["txid"] == again.answer["txid"]
        self.paid[key] = again.answer

    def _die(self, cell: Cell, params: dict[str, Any]) -> Asking:
        """Ask for a payment, and see the daemon die where the cell says."""
        # Both nodes are asked only if neither is still left alone for the last cell.
        self._until(self._nodes_are_asked)
        self._set_faults(cell)
        self._launcher.set_fuse(cell.place.path)
        caller = Asking(self._socket, params)
        # Where a good deal of chain time has to pass, it passes faster.
        step = 0
        if cell.place.rounds != 0:
            step = 3
        elif cell.place.path[0].startswith(_TOLD_BY_BLOCKS):
            step = 1
        how = self._until(self._launcher.ended, mine=step)
        wanted = _SIGSYS if cell.place.path[-1] == FSYNC else signal.SIGKILL
        assert how == wanted, f"ended by {how}"
        self._until(lambda: caller.is_over)
        return caller

    def _stay_locked(self, key: str, params: dict[str, Any], *, dies: bool) -> None:
        """Nothing is signed anew while locked; what is signed is sent and lands.

        What *dies* was kept from every block until its expiration. It may be open yet
        when nodes that answer 429 keep us from following for a moment.
        """
        payment = self._find(key)
        if dies and payment is not None and payment["state"] != "queued":
            payment = self._until(
                lambda: self._in_state(key, "included", "solidified", "expired"), mine=1
            )
        if payment is None:
            with pytest.raises(RpcFailure) as refused:
                self._call("transfer.send", **params)
            assert refused.value.code == LOCKED
            assert self._find(key) is None
        elif payment["state"] in ("queued", "expired"):
            for _ in range(LOCKED_BLOCKS):
                self._mine()
            later = self._find(key)
            assert later is not None
            assert later["txid"] == payment["txid"], later
            assert later["state"] in ("queued", "expired"), later
            assert payment["txid"] not in self._chain_txids(LOCKED_BLOCKS + 2)
        else:
            landed = self._until(
                lambda: self._in_state(key, "included", "solidified"), mine=1
            )
            assert landed["txid"] == payment["txid"]
        status = self._call("keystore.status")
        assert status["locked"], status

    def _in_state(self, key: str, *states: str) -> dict[str, Any] | None:
        payment = self._find(key)
        return payment if payment is not None and payment["state"] in states else None

    def _find(self, key: str) -> dict[str, Any] | None:
        try:
            return dict(self._call("transfer.status", idempotency_key=key))
        except RpcFailure as failure:
            if failure.data.get("name") not in (None, "NotFound"):
                raise
            return None

    # -- the chain

    def _set_faults(self, cell: Cell) -> None:
        self._chain.clear()
        rounds = cell.place.rounds
        if rounds != 0:
            for port in (0, 1):
                count = {} if rounds is None else {"count": rounds}
                rule = {"fault": "drop", "path": BROADCASTS, "port": port, **count}
                self._chain.fault(**rule)
        self._strike(cell.fault)

    def _strike(self, fault: str) -> None:
        rule = FAULTS[fault]
        for port in (0, 1):
            if rule.get("port") in (None, port):
                count = rounds_of(rule)
                where = {"path": BROADCASTS, "port": port, "count": count}
                self._chain.fault(**{**rule, **where})

    def _mine(self, count: int = 1) -> None:
        """Some blocks, and the daemon's time to see them."""
        head = self._chain.mine(count)
        deadline = time.monotonic() + BREATH_S
        while time.monotonic() < deadline and self._head() < head:
            time.sleep(0.005)

    def _nodes_are_asked(self) -> bool:
        shown = self._call("network.endpoints")["endpoints"]
        return all(row["state"] != "left alone" for row in shown)

    def _head(self) -> float:
        """The daemon's; infinite where there is no daemon."""
        try:
            return self._call("network.status")["head_number"] or 0
        except (Unreachable, ValueError):
            return math.inf

    def _until(self, met: Callable[[], Any], *, mine: int = 0) -> Any:
        """What *met* gives once that is neither None nor False."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            value = met()
            if value is not None and value is not False:
                return value
            assert time.monotonic() < deadline, f"not within {PATIENCE_S:.0f} s"
            if mine:
                self._mine(mine)
            else:
                time.sleep(0.005)

    def _chain_txids(self, blocks: int) -> set[str]:
        newest = ask(self._chain, "/wallet/getblockbylatestnum", num=blocks)
        return {
            transaction["txID"]
            for block in newest["block"]
            for transaction in block.get("transactions", ())
        }

    # -- the daemon

    def _start(self, *, locked: bool) -> None:
        phrase = None if locked else self._phrase
        self._launcher.start(
            self._config, self._state, socket=self._socket, phrase=phrase
        )
        self._until(self._answers)

    def _answers(self) -> bool:
        assert self._launcher.ended() is None, "the daemon ended by itself"
        try:
            Connection.open([self._socket]).close()
        except Unreachable:
            return False
        return True

    def _call(self, method: str, **params: Any) -> Any:
        with Connection.open([self._socket], timeout_s=PATIENCE_S) as connection:
            return connection.call(method, params)

    def _funds(self) -> int:
        wallet = self.wallet["wallet_id"]
        return int(self._call("wallet.balance", wallet=wallet)["balance_sun"])

    # -- the audit

    def audit(self) -> None:
        """Each key is on the chain once, and the daemon's books are the chain's."""
        mine = self.wallet["address"]
        paid = paid_on(self._chain, {mine})
        assert paid == Counter(
            Paid(mine, STRANGER, "TRX", int(payment["amount"]))
            for payment in self.paid.values()
        )
        there = {
            transaction["txID"]
            for block in blocks_of(self._chain)
            for transaction in block.get("transactions", ())
        }
        for key, payment in self.paid.items():
            row = self._find(key)
            assert row is not None
            assert (row["state"], row["txid"]) == ("solidified", payment["txid"])
            assert row["txid"] in there
        account = ask(self._chain, "/walletsolidity/getaccount", address=hex_of(mine))
        assert self._funds() == account["balance"]


def run_cells(cells: list[Cell], directory: Path, kind: type[Lane]) -> list[str]:
    """Run *cells* in one lane, a new one after a failure; the failures in words."""
    failures: list[str] = []
    left = list(cells)
    lanes = 0
    while left:
        lanes += 1
        place = directory / f"lane-{lanes}"
        place.mkdir(parents=True)
        log = place / "daemon.log"
        with running_devnet() as chain, Launcher(log) as launcher:
            lane = kind(place, chain, launcher)
            lane.prepare()
            cell = None
            try:
                while left:
                    cell = left.pop(0)
                    lane.run(cell)
                cell = None
                lane.audit()
            except (AssertionError, OSError, ValueError) as error:
                where = "the audit" if cell is None else cell.name
                at = "".join(traceback.format_tb(error.__traceback__))
                tail = log.read_text()[-1500:]
                failures.append(f"{where}: {error!r}\n{at}{tail}")
    return failures


def run_lanes(
    cells: Sequence[Cell], directory: Path, lanes: int = 2, *, kind: type[Lane] = Lane
) -> list[str]:
    """The same in several lanes at once."""
    shares = [list(cells[lane::lanes]) for lane in range(lanes)]
    failures: list[list[str]] = [["never ran"] for _ in shares]

    def work(number: int) -> None:
        failures[number] = run_cells(shares[number], directory / str(number), kind)

    threads = [
        threading.Thread(target=work, args=(lane,)) for lane in range(len(shares))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [failure for lane_failures in failures for failure in lane_failures]
