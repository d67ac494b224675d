"""Fetches receipts of a block and sees how far they can be believed.

Three checks, in this order, and none of them keeps following from going on:

1. Against the block (`chain.committed`). A log that is missing is asked for once more:
   public endpoints are many nodes, and another may answer. Then from a second endpoint.
2. Against a second endpoint's receipts (`chain.compare`), if there is one that can be
   asked at no harm (`node.questions.second_source`), for blocks in which a watched
   address or a known token has a part.
3. For internal transactions that a node does not keep (`chain.internals`).

What is wrong then is a `LedgerProblem`: written with the block, counted, logged.
"""

from collections.abc import Collection, Sequence
from typing import Final

from msgspec import Struct

from lucidtrond.chain.committed import ExpectedLog, expected_logs, missing_logs
from lucidtrond.chain.compare import NOTHING_AGREED, Agreed, compare
from lucidtrond.chain.internals import InternalsOf, lacking
from lucidtrond.chain.read import ReceiptsMismatch, read_block, unreadable_logs
from lucidtrond.chain.tables import watched_among
from lucidtrond.errors import NodeError, StoreError
from lucidtrond.events.types import LedgerProblem, Problem
from lucidtrond.node.questions.pool_questions import ReceiptSources
from lucidtrond.ports import Store
from lucidtrond.tron.block import Block
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.tokens import KnownTokens
from lucidtrond.tron.transaction import TxId

NAMED: Final = 20
"""Transactions that one problem names; the text tells how many there are."""
ENDPOINTS: Final = 64
"""Endpoints whose evidence is kept; configurations have fewer."""


class CheckedReceipts(Struct, frozen=True):
    """Receipts to book, what they rest on, and what is wrong with them."""

    receipts: tuple[Receipt, ...]
    agreed: Agreed = NOTHING_AGREED
    expected: tuple[ExpectedLog, ...] = ()
    missing: tuple[ExpectedLog, ...] = ()
    problems: tuple[LedgerProblem, ...] = ()


NO_RECEIPTS: Final = CheckedReceipts(())
"""Of a block without transactions."""


class ReceiptReader:
    """One per follower. *internals* is each endpoint's evidence, by its name."""

    def __init__(
        self,
        node: ReceiptSources,
        store: Store,
        *,
        tokens: KnownTokens,
        internals: dict[str, InternalsOf],
    ) -> None:
        self._node = node
        self._store = store
        self._tokens = tokens
        self._internals = internals

    async def fetch(self, block: Block) -> CheckedReceipts:
        """Ask for the receipts of *block*, and check them.

        Raises:
            NodeError: nobody has them.
        """
        expected = expected_logs(block, self._tokens)
        name, receipts = await self._node.fetch_receipts_by(block)
        missing = missing_logs(expected, receipts)
        if missing:
            name, receipts, missing = await self._again(
                block, expected, (name, receipts, missing)
            )
        internals = self._note_internals(name, block, receipts)
        agreed = NOTHING_AGREED
        differing: tuple[TxId, ...] = ()
        if await self._wants_second(block, name, expected, receipts):
            second = await self._node.fetch_second_receipts(block, besides=name)
            if second is not None:
                compared = compare(
                    receipts,
                    second,
                    missing=_txids(missing),
                    missing_in_second=_txids(missing_logs(expected, second)),
                )
                receipts, agreed = compared.receipts, compared.agreed
                differing = compared.differing
                missing = missing_logs(expected, receipts)
        return CheckedReceipts(
            receipts,
            agreed,
            expected,
            missing,
            (*self._problems(block, receipts, missing, differing), *internals),
        )

    async def _again(
        self,
        block: Block,
        expected: Sequence[ExpectedLog],
        first: tuple[str, tuple[Receipt, ...], tuple[ExpectedLog, ...]],
    ) -> tuple[str, tuple[Receipt, ...], tuple[ExpectedLog, ...]]:
        """Ask once more; the answer that lacks less counts."""
        try:
            name, receipts = await self._node.fetch_receipts_by(block)
        except NodeError:
            return first
        missing = missing_logs(expected, receipts)
        return (name, receipts, missing) if len(missing) < len(first[2]) else first

    async def _wants_second(
        self,
        block: Block,
        name: str,
        expected: Sequence[ExpectedLog],
        receipts: Sequence[Receipt],
    ) -> bool:
        if not self._node.has_second_source(name):
            return False
        if expected or self._names_known_token(receipts):
            return True
        try:
            read = read_block(block, receipts)
        except ReceiptsMismatch:
            return False  # the follower says so
        ends = {movement.sender for movement in read.movements}
        ends.update(movement.recipient for movement in read.movements)
        try:
            return bool(await self._store.read(lambda tx: watched_among(tx, ends)))
        except StoreError:
            return False  # the step that writes meets it too, and is tried again

    def _names_known_token(self, receipts: Sequence[Receipt]) -> bool:
        return any(
            self._tokens.at(log.address.base58) is not None
            for receipt in receipts
            for log in receipt.logs
        )

    def _note_internals(
        self, name: str, block: Block, receipts: Sequence[Receipt]
    ) -> tuple[LedgerProblem, ...]:
        of_endpoint = self._internals.get(name)
        if of_endpoint is None:
            if len(self._internals) >= ENDPOINTS:
                return ()
            of_endpoint = self._internals[name] = InternalsOf()
        changed = of_endpoint.note(receipts)
        if not changed or of_endpoint.keeping != "missing":
            return ()
        return (_problem("no_internal_transactions", lacking(name), block),)

    def _problems(
        self,
        block: Block,
        receipts: Sequence[Receipt],
        missing: Sequence[ExpectedLog],
        differing: Sequence[TxId],
    ) -> list[LedgerProblem]:
        problems: list[LedgerProblem] = []
        if missing:
            reason = (
                "known tokens' transfers ended in SUCCESS, and their receipts hold no"
                f" log of it: {len(missing)}, of {_tokens(missing)}"
            )
            txids = [log.txid for log in missing]
            problems.append(_problem("log_missing", reason, block, txids))
        if differing:
            reason = f"two endpoints gave different receipts: {len(differing)}"
            problems.append(_problem("receipts_differ", reason, block, differing))
        if unreadable := unreadable_logs(block, receipts, self._tokens):
            reason = (
                "transactions with a log of a known token that can't be read:"
                f" {len(unreadable)}"
            )
            problems.append(_problem("log_unreadable", reason, block, unreadable))
        return problems


def _problem(
    problem: Problem, reason: str, block: Block, txids: Sequence[TxId] = ()
) -> LedgerProblem:
    return LedgerProblem(
        problem=problem,
        reason=reason,
        block_number=block.header.number,
        block_id=block.header.id,
        txids=tuple(txids[:NAMED]),
    )


def _tokens(logs: Sequence[ExpectedLog]) -> str:
    """The tokens concerned, by address, a few of them."""
    tokens = sorted({log.token.base58 for log in logs})
    more = ", …" if len(tokens) > NAMED else ""
    return f"{', '.join(tokens[:NAMED])}{more}"


def _txids(logs: Collection[ExpectedLog]) -> frozenset[TxId]:
    return frozenset(log.txid for log in logs)
