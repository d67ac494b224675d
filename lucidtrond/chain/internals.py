"""Whether an endpoint keeps internal transactions, by what receipts must hold. Pure.

java-tron records an internal transaction for every call from one contract to another,
also of value 0 (``Program.addInternalTx``), and hands them out only where
``vm.saveInternalTx = true``, which is not its default. A log is written by the contract
that runs; so a successful call whose receipt has a log of another contract than the one
that was called made such a call, and a receipt of it without any internal transaction
is that of a node that keeps none. TRX that contracts pay out are invisible there.

One such receipt decides, since none can come of a node that keeps them; several nodes
may answer under one address, so `RECOVERED` with internal transactions in a row are
wanted to believe the contrary again. Where no receipt decides, a balance does: TRX that
arrived and is no row (`chain.reconcile`), after `CALLS` calls of contracts without one
internal transaction among them.
"""

from collections.abc import Iterable
from typing import Final, Literal

from attrs import define

from lucidtrond.tron.receipt import Receipt

RECOVERED: Final = 20
CALLS: Final = 20
Keeping = Literal["kept", "missing", "unknown"]


def lacking(endpoints: str) -> str:
    """Say what it means that *endpoints* keep none, and what to do."""
    return (
        f"{endpoints}: no internal transactions, so TRX paid out by contracts is not"
        " seen; set vm.saveInternalTx = true in the node's configuration and restart"
        " it, or follow another endpoint"
    )


def evidence(receipts: Iterable[Receipt]) -> tuple[int, int]:
    """Receipts with internal transactions, and those that lack theirs."""
    shown = without = 0
    for receipt in receipts:
        if receipt.internal:
            shown += 1
        elif _called_another(receipt):
            without += 1
    return shown, without


def _called_another(receipt: Receipt) -> bool:
    called = receipt.contract_address
    return called is not None and any(log.address != called for log in receipt.logs)


@define
class InternalsOf:
    """One endpoint's evidence so far."""

    keeping: Keeping = "unknown"
    _shown: int = 0
    """Receipts with internal transactions since the last that lacked them."""
    _calls: int = 0
    """Calls of contracts."""

    def note(self, receipts: Iterable[Receipt]) -> bool:
        """Take a block's receipts; say whether *keeping* changed."""
        before, receipts = self.keeping, list(receipts)
        self._calls += sum(receipt.contract_address is not None for receipt in receipts)
        shown, without = evidence(receipts)
        self._shown = 0 if without else self._shown + shown
        if without:
            self.keeping = "missing"
        elif self._shown >= (1 if before == "unknown" else RECOVERED):
            self.keeping = "kept"
        return self.keeping != before

    def note_unexplained_income(self) -> bool:
        """TRX arrived somewhere that no row explains; say whether *keeping* changed."""
        if self.keeping != "unknown" or self._calls < CALLS:
            return False
        self.keeping = "missing"
        return True
