"""The matrix's column "restored from a copy": the copy is made at each step.

The daemon dies at a place and its state directory is copied. It goes on with the
payment from there, until the transaction is in a pool or in a final block, and dies
once more. Then the copy is put in place: the key is asked again, and another one, of
the same wallet. The audit at the end of a lane wants each key on the chain once.

Second and third broadcasts are left out: a copy made there is one of after the first.
"""

import shutil
from typing import Any, Final

from attrs import frozen

from lucidtrond.cli.connection import RpcFailure
from tests.daemon.crash.matrix import (
    FIRST_AMOUNT,
    HELD,
    SHORT_S,
    STRANGER,
    Asking,
    Cell,
    Lane,
)
from tests.daemon.crash.points import FAULTS, PLACES

FOREIGN: Final = 308
FATES: Final = ("in a pool", "final")


@frozen
class RestoredCell(Cell):
    """*fate* is how far the payment gets after the copy."""

    fate: str = "final"

    @property
    def name(self) -> str:
        return f"{self.place.name} / {self.fault} / restored, {self.fate}"


def restored() -> list[Cell]:
    """Every place with both fates; each fault some times."""
    faults = list(FAULTS)
    places = [place for place in PLACES if not place.rounds]
    return [
        RestoredCell(place, faults[number % len(faults)], locked=False, fate=fate)
        for number, place in enumerate(places)
        for fate in FATES
    ]


class RestoredLane(Lane):
    """Cells of this column, one after the other."""

    longest_s = SHORT_S

    def run(self, cell: Cell) -> None:
        """Die, copy, go on, die, restore, ask. AssertionError if anything is odd."""
        assert isinstance(cell, RestoredCell)
        params, other = self._payment(0), self._payment(1)
        self._die(cell, params)
        copy = self._state.with_name("copy")
        shutil.copytree(self._state, copy)
        self._chain.clear()
        self._start(locked=False)
        self._go_on(cell, params)
        self._launcher.kill()
        shutil.rmtree(self._state)
        copy.rename(self._state)
        self._start(locked=False)
        with_held = self._refusal(other)
        assert with_held in (HELD, FOREIGN), with_held
        for wanted in (params, other):
            self.paid[wanted["idempotency_key"]] = self._see_through(wanted, mine=3)

    def _payment(self, ahead: int) -> dict[str, Any]:
        number = len(self.paid) + ahead
        return {
            "from": self.wallet["wallet_id"],
            "to": STRANGER,
            "amount_sun": str(FIRST_AMOUNT + number),
            "idempotency_key": f"cell-{number}",
            "expires_s": SHORT_S,
            "attempts": 9,
        }

    def _go_on(self, cell: RestoredCell, params: dict[str, Any]) -> None:
        """Let the payment get as far as its fate says, in the state that is lost."""
        if cell.fate == "final":
            self._see_through(params, mine=1)
            return
        asking = Asking(self._socket, params)
        # What was dead is renewed once blocks have proven it.
        dies = cell.place.rounds is None
        self._until(lambda: asking.is_over, mine=int(dies))
        self._until(lambda: self._is_sent(params["idempotency_key"]), mine=int(dies))

    def _see_through(self, params: dict[str, Any], *, mine: int) -> dict[str, Any]:
        """Ask until it is paid; *mine* so many blocks at once."""
        asking = Asking(self._socket, {**params, "wait": "solidified"})
        self._until(lambda: asking.is_over, mine=mine)
        assert isinstance(asking.answer, dict), asking.answer
        assert asking.answer["state"] == "solidified", asking.answer
        return asking.answer

    def _is_sent(self, key: str) -> bool:
        payment = self._find(key)
        return payment is not None and payment["state"] in (
            *("pending", "included", "solidified"),
        )

    def _refusal(self, params: dict[str, Any]) -> int | None:
        try:
            self._call("transfer.send", **params)
        except RpcFailure as failure:
            return failure.code
        return None
