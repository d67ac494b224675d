"""A transfer of a TRC-20 token: proven by the Transfer log of its contract."""

from collections.abc import Mapping
from typing import Final

from lucidtrond.errors import InvalidInput, RecipientRefused
from lucidtrond.events.types import LedgerEntry
from lucidtrond.sending.intent import TRC20_TRANSFER, Intent, check_transfer
from lucidtrond.sending.kinds.trc20_quote import fetch_token_balance, fetch_token_quote
from lucidtrond.sending.limits import Limits
from lucidtrond.sending.protocols import PaymentNode
from lucidtrond.sending.quote import Quote
from lucidtrond.sending.reserved import Spending, View
from lucidtrond.tron import trc20
from lucidtrond.tron.address import Address, InvalidAddress
from lucidtrond.tron.block import BlockHeader
from lucidtrond.tron.contracts import Contract
from lucidtrond.tron.contracts_smart import Trigger
from lucidtrond.tron.receipt import Receipt


class Trc20Transfer:
    """A call of ``transfer``; satisfies `base.OrderKind`."""

    name: Final = TRC20_TRANSFER
    proven_by_log: Final = True

    def check(self, intent: Intent) -> None:
        try:
            token = _token(intent)
        except InvalidAddress as error:
            raise InvalidInput(
                f"asset: expected TRX or the address of a TRC-20 contract: {error}"
            ) from None
        if not 0 < intent.amount <= trc20.MAX_AMOUNT:
            raise InvalidInput("amount: expected 1 to 2**256 - 1 of the smallest units")
        if intent.to == token:
            raise RecipientRefused(
                "the recipient is the token's own contract: what it gets is lost"
            )
        check_transfer(intent)

    def contract(self, intent: Intent) -> Trigger:
        call = trc20.transfer(intent.to, intent.amount)
        return Trigger(intent.owner, _token(intent), call)

    def describe(self, contract: Contract) -> Mapping[str, str]:
        if not isinstance(contract, Trigger):
            return {}
        described = {
            "owner": contract.owner.base58,
            "asset": contract.contract.base58,
            "call value": str(contract.call_value),
        }
        call = trc20.parse_call(contract.data)
        if not isinstance(call, trc20.TransferCall) or call.sender is not None:
            return {**described, "call": contract.data.hex()}
        return {
            **described,
            "recipient": call.recipient.base58,
            "amount": str(call.amount),
        }

    def read(self, owner: Address, contract: Contract) -> Intent | None:
        if not isinstance(contract, Trigger):
            return None
        call = trc20.parse_call(contract.data)
        if not isinstance(call, trc20.TransferCall) or call.sender is not None:
            return None
        token = contract.contract.base58
        return Intent(self.name, "", owner, call.recipient, token, call.amount)

    def spending(self, intent: Intent) -> Spending:
        return Spending(token=intent.asset, token_amount=intent.amount)

    async def fetch_quote(
        self, node: PaymentNode, intent: Intent, limits: Limits, *, head: BlockHeader
    ) -> Quote:
        return await fetch_token_quote(
            node, intent, limits, call=self.contract(intent), head=head
        )

    async def fetch_solid_view(self, node: PaymentNode, intent: Intent) -> View:
        account = await node.fetch_account(intent.owner, solid=True)
        balance = await fetch_token_balance(
            node, _token(intent), intent.owner, solid=True
        )
        return View(account.value.balance, account.as_of_block, balance)

    def amount_arrived(self, intent: Intent, receipt: Receipt) -> int:
        return trc20.amount_moved(
            receipt.logs,
            token=_token(intent),
            sender=intent.owner,
            recipient=intent.to,
        )

    def is_shown_by(self, intent: Intent, row: LedgerEntry) -> bool:
        return (
            row.kind == "trc20"
            and row.asset == intent.asset
            and row.from_address == intent.owner.base58
            and row.to_address == intent.to.base58
            and row.amount == str(intent.amount)
        )


def _token(intent: Intent) -> Address:
    """The contract that keeps the asset. Raises InvalidAddress."""
    return Address.from_base58(intent.asset)
