"""Asking a person before money moves: on which network, and twice for real money."""

import sys
from typing import Any, Final

from lucidtrond.cli.connection import Connection
from lucidtrond.cli.outcome import printable

REAL_MONEY: Final = "mainnet"


def network_of(connection: Connection) -> str:
    """The name of the daemon's network."""
    info: dict[str, Any] = connection.call("daemon.info")
    return str(info["network"])


def consents(question: str, *, network: str) -> bool:
    """Ask on standard error, naming the network; on mainnet its name must be typed too.

    Raises:
        ValueError: nobody is there to answer.
    """
    if _ask(f"{network}: {question} [y/N] ") not in ("y", "yes"):
        return False
    if network != REAL_MONEY:
        return True
    return _ask(f"This is real money. Type {network} to go on: ") == network


def _ask(prompt: str) -> str:
    # Standard output is for the result alone.
    print(printable(prompt), end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        print(file=sys.stderr)
        raise ValueError("nobody answers: --yes pays without asking")
    return line.strip().lower()
