"""What the programs need of the Python that runs them."""

import sys
from typing import Final

USAGE: Final = 2


def refuse_optimized(program: str, *, debug: bool = __debug__) -> None:
    """End *program* with exit status 2 under ``python -O``, ``-OO``, PYTHONOPTIMIZE.

    These remove assertions, which guard the invariants of a program that spends money,
    and docstrings, which describe the methods and errors that `rpc.discover` lists.
    """
    if not debug:
        print(
            f"{program}: refused: python -O, -OO and PYTHONOPTIMIZE remove checks that"
            " this program relies on; run it without them",
            file=sys.stderr,
        )
        raise SystemExit(USAGE)
