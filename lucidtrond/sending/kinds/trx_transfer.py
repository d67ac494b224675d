"""A transfer of TRX: proven by the success of its transaction."""

from collections.abc import Mapping
from typing import Final

from lucidtrond.errors import InvalidInput, RecipientRefused, TooLarge
from lucidtrond.events.types import LedgerEntry
from lucidtrond.sending.cost import PaymentShape, cost_of
from lucidtrond.sending.intent import TRX, TRX_TRANSFER, Intent, check_transfer
from lucidtrond.sending.limits import Limits
from lucidtrond.sending.protocols import PaymentNode
from lucidtrond.sending.quote import Quote
from lucidtrond.sending.raw_transaction import size_of
from lucidtrond.sending.reserved import Spending, View
from lucidtrond.tron.account import Account
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockHeader
from lucidtrond.tron.contracts import Contract, Transfer
from lucidtrond.tron.parameters import ChainParameters
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import RESULT_ALLOWANCE_BYTES
from lucidtrond.tron.units import MAX_SUN, Sun

_CREATION_KEY: Final = "getMaxCreateAccountTxSize"
_CREATION_BYTES: Final = 1000
"""java-tron's default of it (DynamicPropertiesStore)."""
_SIGNATURE_BYTES: Final = 65


class TrxTransfer:
    """TransferContract; satisfies `base.OrderKind`."""

    name: Final = TRX_TRANSFER
    proven_by_log: Final = False

    def check(self, intent: Intent) -> None:
        if intent.asset != TRX:
            raise InvalidInput(f"asset: expected TRX, got {intent.asset}")
        if not 0 < intent.amount <= MAX_SUN:
            raise InvalidInput(f"amount: expected 1 to {MAX_SUN} sun")
        if intent.fee_limit is not None:
            raise InvalidInput(
                "fee limit: TRX payments use no energy; max_burn limits them"
            )
        check_transfer(intent)

    def contract(self, intent: Intent) -> Transfer:
        return Transfer(intent.owner, intent.to, Sun(intent.amount))

    def describe(self, contract: Contract) -> Mapping[str, str]:
        if not isinstance(contract, Transfer):
            return {}
        return {
            "owner": contract.owner.base58,
            "recipient": contract.to.base58,
            "amount": str(contract.amount),
        }

    def read(self, owner: Address, contract: Contract) -> Intent | None:
        if not isinstance(contract, Transfer):
            return None
        return Intent(self.name, "", owner, contract.to, TRX, contract.amount)

    def spending(self, intent: Intent) -> Spending:
        return Spending(trx=Sun(intent.amount))

    async def fetch_quote(
        self,
        node: PaymentNode,
        intent: Intent,
        limits: Limits,  # noqa: ARG002 - it has no fee limit
        *,
        head: BlockHeader,
    ) -> Quote:
        """Four questions, all cached.

        Raises:
            RecipientRefused: a contract, which the chain refuses.
            TooLarge: no account may be made by so big a transaction.
            NodeError
        """
        payer = await node.fetch_account(intent.owner)
        prices = (await node.fetch_parameters()).value
        size = size_of(intent, self.contract(intent), head, fee_limit=None)
        recipient = (await node.fetch_account(intent.to)).value
        _check_recipient(recipient, prices, size)
        shape = PaymentShape(size, has_memo=bool(intent.memo))
        view = View(payer.value.balance, payer.as_of_block)
        resources = (await node.fetch_resources(intent.owner)).value
        creates = not recipient.activated
        cost = cost_of(shape, prices, creates=creates, resources=resources)
        later = cost_of(shape, prices, creates=False, resources=resources)
        return Quote(
            size,
            cost,
            (view,),
            creates=creates,
            joined=later.worst if creates else None,
        )

    async def fetch_solid_view(self, node: PaymentNode, intent: Intent) -> View:
        account = await node.fetch_account(intent.owner, solid=True)
        return View(account.value.balance, account.as_of_block)

    def amount_arrived(
        self,
        intent: Intent,  # noqa: ARG002 - success is the proof
        receipt: Receipt,  # noqa: ARG002
    ) -> None:
        return None

    def is_shown_by(
        self,
        intent: Intent,  # noqa: ARG002 - a kind's
        row: LedgerEntry,
    ) -> bool:
        return row.kind == "trx"  # its transaction has no other


def _check_recipient(recipient: Account, prices: ChainParameters, size: int) -> None:
    if recipient.is_contract:
        # TransferActuator.validate refuses it at every node.
        raise RecipientRefused("the recipient is a contract, which takes no plain TRX")
    if recipient.activated:
        return
    # BandwidthProcessor.consume: the transaction without its signatures.
    most = prices.every.get(_CREATION_KEY, _CREATION_BYTES)
    counted = size - RESULT_ALLOWANCE_BYTES - _SIGNATURE_BYTES
    if counted > most:
        raise TooLarge(
            f"the recipient has no account yet, and a transaction that makes one may"
            f" have {most} bytes; this has {counted}: shorten the memo",
            bytes=counted,
            most_bytes=most,
        )
