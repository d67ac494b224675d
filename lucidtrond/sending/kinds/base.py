"""What a kind of order declares: its contract, its cost, and what proves it. Pure.

Everything else (journal, signature, broadcasts, renewals) is the same for all kinds and
asks them through this Protocol. A kind has no state: what an order needs beside owner,
recipient, asset and amount is text or bytes of the kind's own in `Intent.details`.
"""

from collections.abc import Mapping
from typing import Protocol

from lucidtrond.events.types import LedgerEntry
from lucidtrond.sending.intent import Intent
from lucidtrond.sending.limits import Limits
from lucidtrond.sending.protocols import PaymentNode
from lucidtrond.sending.quote import Quote
from lucidtrond.sending.reserved import Spending, View
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockHeader
from lucidtrond.tron.contracts import Contract
from lucidtrond.tron.receipt import Receipt


class OrderKind(Protocol):
    """How an order of one kind is drafted, quoted, limited and judged."""

    @property
    def name(self) -> str:
        """As the journal has it; never changes."""

    @property
    def proven_by_log(self) -> bool:
        """Success of its transaction is not enough: a log has to show what moved."""

    # -- drafted

    def check(self, intent: Intent) -> None:
        """Refuse what can't be such an order, whatever the chain says.

        Raises:
            InvalidInput, RecipientRefused
        """

    def contract(self, intent: Intent) -> Contract:
        """What its transaction asks the chain for."""

    # -- compared, before a signature

    def describe(self, contract: Contract) -> Mapping[str, str]:
        """What a contract of this kind's type asks for, by the intent's names.

        Text for people, of any bytes: it names what differs from the intent. Whether
        anything differs is decided by comparing the contracts.
        """

    # -- quoted and limited

    def spending(self, intent: Intent) -> Spending:
        """What leaves the owner beside what is burned; reserved until it is settled."""

    async def fetch_quote(
        self, node: PaymentNode, intent: Intent, limits: Limits, *, head: BlockHeader
    ) -> Quote:
        """Ask what it would cost now, with the owner's balances at the head.

        Raises:
            RecipientRefused, InvalidInput, InsufficientFunds, WouldFail, TooLarge,
            NodeError
        """

    async def fetch_solid_view(self, node: PaymentNode, intent: Intent) -> View:
        """Ask for the owner's solidified balances of what it spends.

        Raises:
            InvalidInput, NodeError
        """

    def read(self, owner: Address, contract: Contract) -> Intent | None:
        """The order that *contract* may carry out, but for key, memo and limits.

        None: a contract of another kind, or one that `contract` never makes. An order
        that `check` refuses is read all the same.
        """

    # -- judged

    def amount_arrived(self, intent: Intent, receipt: Receipt) -> int | None:
        """What the receipt's logs prove to have moved, 0 where they prove nothing.

        None where the success of the transaction proves it (not `proven_by_log`).
        """

    def is_shown_by(self, intent: Intent, row: LedgerEntry) -> bool:
        """Whether *row*, of its transaction, is what the order asks for."""
