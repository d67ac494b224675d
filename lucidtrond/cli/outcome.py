"""How a verb of the client ends: its exit code, and its result as JSON or text."""

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any, Final

DONE, FAILED, USAGE, UNREACHABLE, IN_FLIGHT = range(5)
INTERRUPTED: Final = 130
"""128 and SIGINT's number, as shells have it."""


def complain(text: str, code: int) -> int:
    """Say on standard error what is wrong; give *code* back."""
    print(f"lucidtron: {printable(text)}", file=sys.stderr, flush=True)
    return code


def print_result(
    args: argparse.Namespace, result: Any, text: Callable[[Any], str]
) -> None:
    """Print a result as JSON where ``--json`` asked for it, else as *text* has it."""
    print(json.dumps(result) if args.json else printable(text(result)), flush=True)


def printable(text: str) -> str:
    """Escape what a terminal would obey or hide: labels and tokens' names are foreign.

    Control characters, zero-width marks and changes of direction become ``\\x1b``,
    ``\\u200b``.
    """
    if text.isprintable():
        return text
    return "".join(
        letter
        if letter.isprintable() or letter == "\n"
        else letter.encode("unicode_escape").decode()
        for letter in text
    )
