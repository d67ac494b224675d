"""``lucidtrond demo``: two real payments, verified step by step, with no network.

Starts the daemon as a process of its own on the embedded chain in a fresh
directory, then does what a user would do, through the Unix socket. Each step checks
what came back against what was asked; the first that does not hold ends the demo with
exit code 1 and the daemon's log.
"""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from lucidtrond.cli import show, websocket
from lucidtrond.cli.amounts import Assets, show_sun
from lucidtrond.cli.connection import Connection, RpcFailure, Unreachable
from lucidtrond.errors import OperatorError

BLOCK_TIME_S: Final = 0.3
WITNESSES: Final = 5
START_S: Final = 30.0
STOP_S: Final = 15.0
SETTLE_S: Final = 45.0
STATE: Final = "state"
"""The state's name in the demo's directory."""
HTTP_S: Final = 10.0
FUNDS_SUN: Final = 100_000_000
PAYMENT_SUN: Final = 12_345_678
TOKEN_FUNDS_RAW: Final = 250_000_000
TOKEN_PAYMENT_RAW: Final = 12_500_000
ACTIVATION_SUN: Final = 1_100_000
"""1 TRX and 0.1 TRX in place of bandwidth (tron-protocol: activation)."""


class StepFailed(Exception):
    """A step did not hold; the text says what was expected and what came."""


def demo(*, keep: str | None) -> int:
    """Run it all; gives the exit code.

    Raises:
        OperatorError: directory *keep* has the state of an earlier run.
    """
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        if keep is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        else:
            directory = Path(keep).absolute()
            directory.mkdir(parents=True, exist_ok=True)
            if (directory / STATE).exists():
                raise OperatorError(
                    f"{directory} holds the state of an earlier run, whose passphrase"
                    " is forgotten: choose another directory"
                )
        try:
            with _daemon(directory) as connection:
                _pay(connection)
        except (StepFailed, RpcFailure, Unreachable) as exc:
            print(f"\nNOT VERIFIED: {exc}\n\nThe daemon's last log lines:")
            print(_tail(directory / "daemon.log"))
            return 1
    print(f"\nEvery step was verified, in {time.monotonic() - started:.1f} s.")
    return 0


@contextlib.contextmanager
def _daemon(directory: Path) -> Iterator[Connection]:
    """A real daemon process; stopped by SIGTERM, and its exit code is checked too."""
    socket_path = directory / "rpc.sock"
    # Everything the operator set is left out: the demo is the same on every machine.
    environ = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")}
    environ["SERVICE_PORT"] = "0"  # another daemon may have the usual one
    with (directory / "daemon.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [
                *(sys.executable, "-m", "lucidtrond.cli.operator", "run"),
                *("--config", os.devnull, "--network", "devnet"),
                *("--block-time", str(BLOCK_TIME_S), "--witnesses", str(WITNESSES)),
                *(
                    "--state-dir",
                    str(directory / STATE),
                    "--socket",
                    str(socket_path),
                ),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environ,
        )
    print(
        f"Starting lucidtrond on its embedded chain: a block every {BLOCK_TIME_S} s "
        f"(a real one takes 3 s), {WITNESSES} witnesses (a real one has 27)."
    )
    try:
        with _connect(process, socket_path) as connection:
            yield connection
        process.send_signal(signal.SIGTERM)
        code = process.wait(STOP_S)
        if code != 0:
            raise StepFailed(f"the daemon ended with exit code {code}, expected 0")
    except subprocess.TimeoutExpired:
        raise StepFailed(f"the daemon did not stop within {STOP_S:.0f} s") from None
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _connect(process: subprocess.Popen[bytes], path: Path) -> Connection:
    deadline = time.monotonic() + START_S
    while True:
        try:
            return Connection.open([path], timeout_s=SETTLE_S)
        except Unreachable:
            if process.poll() is not None:
                raise StepFailed(
                    f"the daemon ended at start with exit code {process.returncode}"
                ) from None
            if time.monotonic() > deadline:
                raise StepFailed(f"no daemon after {START_S:.0f} s") from None
            time.sleep(0.02)


def _pay(connection: Connection) -> None:
    call = connection.call
    assets = Assets(call("token.list")["tokens"])

    _step("Making a keystore (the passphrase is made up here and forgotten)")
    call("keystore.init", {"passphrase": secrets.token_urlsafe(24)})
    _expect("keystore locked", call("keystore.status")["locked"], wanted=False)

    _step("Creating two wallets")
    shop = call("wallet.create", {"label": "shop"})
    supplier = call("wallet.create", {"label": "supplier"})
    for wallet in (shop, supplier):
        print("   ", show.wallet(wallet))

    _step(f"Funding the shop with {show_sun(FUNDS_SUN)} from the devnet")
    funded = call(
        "devnet.fund", {"address": shop["address"], "amount_sun": str(FUNDS_SUN)}
    )
    _until_solid(connection, funded["txid"])
    _expect("balance of the shop", _balance(connection, shop), wanted=FUNDS_SUN)

    _step(f"Paying {show_sun(PAYMENT_SUN)} from the shop to the supplier")
    request = {
        "from": shop["wallet_id"],
        "to": supplier["address"],
        "amount_sun": str(PAYMENT_SUN),
        "idempotency_key": "demo-invoice-1",
        "wait": "solidified",
    }
    payment = call("transfer.send", request)
    print(_indent(show.payment(payment, assets)))
    _expect("state", payment["state"], wanted="solidified")

    _step("Asking for the same payment again with the same idempotency key")
    again = call("transfer.send", request)
    _expect("txid of the repeated call", again["txid"], wanted=payment["txid"])

    _step("Its receipt")
    receipt = call("tx.receipt", {"txid": payment["txid"]})
    print(_indent(show.receipt(receipt, assets)))
    _expect("solidified", receipt["solidified"], wanted=True)
    _expect("fee (activation)", int(receipt["fee_sun"]), wanted=ACTIVATION_SUN)
    _expect(
        "balance of the supplier", _balance(connection, supplier), wanted=PAYMENT_SUN
    )
    _expect(
        "balance of the shop",
        _balance(connection, shop),
        wanted=FUNDS_SUN - PAYMENT_SUN - ACTIVATION_SUN,
    )

    deposit, bill = _pay_token(connection, assets, shop, supplier)
    left = FUNDS_SUN - PAYMENT_SUN - ACTIVATION_SUN - int(bill["fee_sun"])
    _expect("balance of the shop", _balance(connection, shop), wanted=left)

    _step("The shop's history, newest first")
    history = call("history.list", {"address": shop["address"]})
    print(_indent(show.history(history, assets)))
    seen = [(entry["txid"], entry["amount"]) for entry in history["entries"]]
    wanted = [
        (bill["txid"], str(TOKEN_PAYMENT_RAW)),
        (deposit, str(TOKEN_FUNDS_RAW)),
        (payment["txid"], str(PAYMENT_SUN)),
        (funded["txid"], str(FUNDS_SUN)),
    ]
    _expect("history", seen, wanted=wanted)
    _show_other_transports(call("daemon.info")["http_url"], shop, seen)


def _pay_token(
    connection: Connection,
    assets: Assets,
    shop: dict[str, Any],
    supplier: dict[str, Any],
) -> tuple[str, dict[str, Any]]:
    """Give the shop tokens and let it pay some: (the deposit's txid, the receipt)."""
    call = connection.call
    [token] = [row["token"] for row in call("token.list")["tokens"]]
    have, pay = (assets.show(e, token) for e in (TOKEN_FUNDS_RAW, TOKEN_PAYMENT_RAW))

    _step(f"Giving the shop {have}, a TRC-20 token of the devnet")
    asked = {"address": shop["address"], "asset": token}
    given = call("devnet.fund", {**asked, "amount_raw": str(TOKEN_FUNDS_RAW)})
    _until_solid(connection, given["txid"])

    _step(f"Paying {pay} from the shop to the supplier")
    payment = call(
        "transfer.send",
        {
            "from": shop["wallet_id"],
            "to": supplier["address"],
            "asset": token,
            "amount_raw": str(TOKEN_PAYMENT_RAW),
            "idempotency_key": "demo-invoice-2",
            "wait": "solidified",
        },
    )
    print(_indent(show.payment(payment, assets)))
    _expect("state", payment["state"], wanted="solidified")

    _step("Its receipt, with what the token's contract logged")
    receipt = call("tx.receipt", {"txid": payment["txid"]})
    print(_indent(show.receipt(receipt, assets)))
    moved = [(e["to_address"], e["amount_raw"]) for e in receipt["token_transfers"]]
    wanted = [(supplier["address"], str(TOKEN_PAYMENT_RAW))]
    _expect("transfers of the receipt", moved, wanted=wanted)
    for name, wallet, left in (
        ("supplier", supplier, TOKEN_PAYMENT_RAW),
        ("shop", shop, TOKEN_FUNDS_RAW - TOKEN_PAYMENT_RAW),
    ):
        held = call("token.balance", {"token": token, "address": wallet["address"]})
        _expect(f"tokens of the {name}", int(held["balance_raw"]), wanted=left)
    return given["txid"], receipt


def _show_other_transports(
    url: str, shop: dict[str, Any], seen: list[tuple[str, str]]
) -> None:
    _step(f"The same history over HTTP, as the older Lucid service told it ({url})")
    path = f"{url}/api/v1/tron/wallets/{shop['wallet_id']}/history"
    with urllib.request.urlopen(path, timeout=HTTP_S) as answer:  # noqa: S310 - ours
        rows = json.load(answer)["transactions"]
    transfers = [(row["txid"], row["amount_raw"]) for row in rows]
    _expect("history over HTTP", transfers, wanted=seen)

    _step("The same history over a websocket")
    with websocket.connect(url, timeout_s=HTTP_S) as ws:
        asked = {"address": shop["address"]}
        entries = ws.call("history.list", asked)["entries"]
    transfers = [(entry["txid"], entry["amount"]) for entry in entries]
    _expect("history over a websocket", transfers, wanted=seen)


def _balance(connection: Connection, wallet: dict[str, Any]) -> int:
    answer = connection.call("wallet.balance", {"wallet": wallet["wallet_id"]})
    return int(answer["balance_sun"])


def _until_solid(connection: Connection, txid: str) -> None:
    connection.call("tx.wait", {"txid": txid, "until": "solidified"})


def _step(text: str) -> None:
    print(f"\n• {text}", flush=True)


def _expect(what: str, actual: object, *, wanted: object) -> None:
    if actual != wanted:
        raise StepFailed(f"{what}: expected {wanted}, got {actual}")
    print(f"    ✓ {what}: {actual if not isinstance(actual, list) else 'as expected'}")


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _tail(path: Path, count: int = 25) -> str:
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-count:])
    except OSError:
        return "(no log)"
