"""Whether an endpoint keeps internal transactions: decided by what receipts must hold.

java-tron records an internal transaction for every call from one contract to another,
also of value 0 (``Program.addInternalTx``), and hands them out only where
``vm.saveInternalTx = true``, which is not its default. A log is written by the contract
that runs; so a successful call whose receipt has a log of another contract than the one
that was called made such a call, and a receipt of it without any internal transaction
is that of a node that keeps none. TRX that contracts pay out are invisible there.

`EVIDENCE` such receipts in a row are wanted, since several nodes may answer under one
address; and as many with internal transactions to believe the contrary again.
"""

from collections.abc import Iterable
from typing import Final, Literal

from attrs import define

from lucidtrond.tron.receipt import Receipt

EVIDENCE: Final = 3
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
    _lacking: int = 0

    def note(self, receipts: Iterable[Receipt]) -> bool:
        """Take a block's receipts; say whether *keeping* changed."""
        before = self.keeping
        shown, without = evidence(receipts)
        if shown and not without:
            self._shown, self._lacking = self._shown + shown, 0
        elif without and not shown:
            self._shown, self._lacking = 0, self._lacking + without
        if self._lacking >= EVIDENCE:
            self.keeping = "missing"
        elif self._shown >= (1 if before == "unknown" else EVIDENCE):
            self.keeping = "kept"
        return self.keeping != before
