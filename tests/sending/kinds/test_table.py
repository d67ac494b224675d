"""A kind of order is one class: nothing outside its module knows it."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

import lucidtrond.sending
from lucidtrond.errors import Conflict, InsufficientFunds, InvalidInput
from lucidtrond.events.types import LedgerEntry
from lucidtrond.orders import PaymentOrder
from lucidtrond.sending.cost import PaymentShape, cost_of
from lucidtrond.sending.intent import TRC20_TRANSFER, TRX_TRANSFER, Intent
from lucidtrond.sending.kinds.base import OrderKind
from lucidtrond.sending.kinds.table import BY_NAME, KINDS, read_intent
from lucidtrond.sending.limits import Limits
from lucidtrond.sending.protocols import PaymentNode
from lucidtrond.sending.quote import Quote
from lucidtrond.sending.raw_transaction import size_of
from lucidtrond.sending.reserved import Spending, View
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockHeader
from lucidtrond.tron.contracts import Contract, FreezeBalanceV2, KnownContract
from lucidtrond.tron.contracts_stake import Resource
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import TxId, decode_raw
from lucidtrond.tron.units import Sun
from tests.chain.model import address
from tests.sending.model import OWNERS, TO, TOKEN, PayingChain, process

SENDING: Final = Path(lucidtrond.sending.__file__).parent
HOME: Final = SENDING / "kinds"
NAMES: Final = {
    "TRX",
    "trc20",
    *(kind.name.upper() for kind in KINDS),
    *(type(kind).__name__ for kind in KINDS),
    *(contract.__name__ for contract in KnownContract.__args__),
}
"""What only a kind's own module may name: kinds, their contracts and assets."""
DEFINED_ELSEWHERE: Final = {
    "intent.py": "the digest of a transfer is older than its kind's name",
}


def branches(tree: ast.Module) -> Iterator[str]:
    """Where a module asks what kind an order is, or names one."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) if name in NAMES:
                yield f"line {node.lineno}: {name}"
            case ast.alias(name=name) if name in NAMES:
                yield f"line {node.lineno}: imports {name}"
            case ast.Compare():
                for side in (node.left, *node.comparators):
                    match side:
                        case ast.Attribute(attr="asset" | "kind" as name):
                            yield f"line {node.lineno}: compares .{name}"
                        case ast.Name(id="asset" | "kind" as name):
                            yield f"line {node.lineno}: compares {name}"
                        case ast.Constant(value="TRX"):
                            yield f"line {node.lineno}: compares with TRX"
            case ast.Match(subject=ast.Attribute(attr="asset" | "kind" as name)):
                yield f"line {node.lineno}: matches .{name}"


def test_no_module_outside_the_kinds_asks_what_kind_an_order_is() -> None:
    modules = [path for path in SENDING.rglob("*.py") if HOME not in path.parents]
    assert len(modules) > 20
    places = {
        str(path.relative_to(SENDING)): list(branches(ast.parse(path.read_text())))
        for path in modules
    }
    assert all(places.pop(name) for name in DEFINED_ELSEWHERE)
    branching = {name: lines for name, lines in places.items() if lines}
    assert branching == {}, "what differs by kind is a part of OrderKind"


@pytest.mark.parametrize(
    "source",
    [
        'if intent.asset == "TRX": ...',
        "burn = 0 if asset != other else 1",
        'if "TRX" == name: ...',
        "match intent.kind:\n    case _: ...",
        "if entry.intent.kind in names: ...",
        "from lucidtrond.tron import trc20",
        "Transfer(owner, to, amount)",
        "FreezeBalanceV2(owner, amount, resource)",
    ],
)
def test_a_branch_is_seen(source: str) -> None:
    assert list(branches(ast.parse(source)))


def test_kinds_are_distinct() -> None:
    assert set(BY_NAME) == {kind.name for kind in KINDS}
    assert len(BY_NAME) == len(KINDS)


@pytest.mark.parametrize(
    ("asset", "kind"), [("TRX", TRX_TRANSFER), (TOKEN.base58, TRC20_TRANSFER)]
)
def test_an_order_that_names_no_kind_is_a_transfer_of_its_asset(
    asset: str, kind: str
) -> None:
    order = PaymentOrder(key="k", owner=OWNERS[0], to=TO, asset=asset, amount=5)
    assert read_intent(order).kind == kind


@pytest.mark.parametrize(
    ("kind", "details", "text"),
    [
        ("stake", b"", "expected one of trx_transfer, trc20_transfer, got stake"),
        (TRC20_TRANSFER, b"", "expected TRX or the address"),
        (TRX_TRANSFER, b"x", "a transfer has none"),
    ],
)
def test_an_order_that_does_not_fit_its_kind_is_refused(
    kind: str, details: bytes, text: str
) -> None:
    order = PaymentOrder(
        key="k",
        owner=OWNERS[0],
        to=TO,
        asset="TRX",
        amount=5,
        kind=kind,
        details=details,
    )
    with pytest.raises(InvalidInput, match=text):
        read_intent(order)


class Stake:
    """A kind that is nowhere but here: TRX are staked for a resource in *details*."""

    name: Final = "stake"
    proven_by_log: Final = False

    def check(self, intent: Intent) -> None:
        if intent.details not in {b"bandwidth", b"energy"}:
            raise InvalidInput("details: expected bandwidth or energy")

    def contract(self, intent: Intent) -> FreezeBalanceV2:
        resource = Resource[intent.details.decode().upper()]
        return FreezeBalanceV2(intent.owner, Sun(intent.amount), resource)

    def read(self, owner: Address, contract: Contract) -> Intent | None:
        if not isinstance(contract, FreezeBalanceV2):
            return None
        details = contract.resource.name.lower().encode()
        amount = contract.frozen_balance
        return Intent("stake", "", owner, owner, "TRX", amount, details=details)

    def spending(self, intent: Intent) -> Spending:
        return Spending(trx=Sun(intent.amount))

    async def fetch_quote(
        self,
        node: PaymentNode,
        intent: Intent,
        limits: Limits,  # noqa: ARG002 - the Protocol's
        *,
        head: BlockHeader,
    ) -> Quote:
        prices = (await node.fetch_parameters()).value
        resources = (await node.fetch_resources(intent.owner)).value
        size = size_of(intent, self.contract(intent), head, fee_limit=None)
        shape = PaymentShape(size, has_memo=False)
        cost = cost_of(shape, prices, creates=False, resources=resources)
        return Quote(size, cost, (await self.fetch_solid_view(node, intent),))

    async def fetch_solid_view(self, node: PaymentNode, intent: Intent) -> View:
        account = await node.fetch_account(intent.owner)
        return View(account.value.balance, account.as_of_block)

    def describe(self, contract: Contract) -> Mapping[str, str]:
        assert isinstance(contract, FreezeBalanceV2)
        return {"owner": contract.owner.base58, "amount": str(contract.frozen_balance)}

    def amount_arrived(
        self,
        intent: Intent,  # noqa: ARG002 - the Protocol's
        receipt: Receipt,  # noqa: ARG002 - the Protocol's
    ) -> None:
        return None

    def is_shown_by(
        self,
        intent: Intent,  # noqa: ARG002 - a kind's
        row: LedgerEntry,  # noqa: ARG002
    ) -> bool:
        return False


def staking(key: str, amount: int = 7, details: bytes = b"energy") -> PaymentOrder:
    return PaymentOrder(
        key=key,
        owner=OWNERS[0],
        to=address(90),
        asset="TRX",
        amount=amount,
        kind="stake",
        details=details,
    )


async def test_a_new_kind_is_sent_renewed_and_settled_by_its_class_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind: OrderKind = Stake()
    monkeypatch.setitem(BY_NAME, kind.name, kind)
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        sent = await made.sender.send(staking("a"))
        with pytest.raises(Conflict):
            await made.sender.send(staking("a", details=b"bandwidth"))
        with pytest.raises(Conflict):
            await made.sender.send(
                PaymentOrder(
                    key="a", owner=OWNERS[0], to=address(90), asset="TRX", amount=7
                )
            )
        with pytest.raises(InsufficientFunds) as caught:
            await made.sender.send(staking("b", PayingChain().balance - 5))
        assert caught.value.data["available_sun"] == str(
            PayingChain().balance - 7 - int(sent.burn_sun or 0)
        )
        await made.mine(62)
        assert sent.txid is not None
        dead = await made.sender.find(key="a")
        assert dead is not None
        assert (dead.state, dead.safe_to_retry) == ("expired", True)
        made.chain.reply = lambda _: "take"
        renewed = await made.sender.renew(TxId(sent.txid))
        await made.mine(25)
        settled = await made.sender.find(key="a")
        assert settled is not None
        assert (settled.state, settled.attempt) == ("solidified", 2)
        assert (settled.txid, settled.arrived_raw) == (renewed.txid, None)
        [included] = [
            transaction.transaction
            for block in made.chain.blocks
            for transaction in block.transactions
        ]
        assert decode_raw(included.raw).contract == FreezeBalanceV2(
            OWNERS[0], Sun(7), Resource.ENERGY
        )
