"""Accounts that were there: no node's ``{}`` takes them away again.

``{}`` is what a node says of an account that was never activated, and also when it lags
or fails. An account that was once there is never gone, unless its block is taken back;
so an endpoint without one that was seen has not answered. Of an account that was never
seen, where there are several endpoints, two have to say that there is none.
"""

from collections.abc import Callable, Hashable
from typing import Final, TypeVar

from lucidtrond.errors import NodeError, NodeUnavailable
from lucidtrond.node.health.policy import most_telling
from lucidtrond.node.questions.endpoint_client import EndpointClient, Question
from lucidtrond.node.questions.routing import EndpointRouter

ACCOUNTS: Final = 4096
"""So many are remembered, those that were seen last."""
SECOND_WITHIN_S: Final = 2.0
"""How long the other endpoints have to say something of an account without a trace."""

T = TypeVar("T")


class KnownAccounts:
    """The memory; *account* is whatever tells accounts apart."""

    def __init__(self, router: EndpointRouter) -> None:
        self._router = router
        self._accounts: dict[Hashable, None] = {}

    async def ask(
        self, account: Hashable, question: Question[T], *, exists: Callable[[T], bool]
    ) -> T:
        """An answer by which *account* *exists* outweighs one by which it does not."""
        checked = self._checked(account, question, exists)

        async def ask_two() -> T:
            answer = await self._router.ask_once(checked)
            if exists(answer) or len(self._router.endpoints) == 1:
                return answer
            return await self._second_answer(answer, checked, exists)

        return await self._router.retry(ask_two)

    def forget(self) -> None:
        """All of them: blocks were reverted, and what they activated with them."""
        self._accounts.clear()

    async def _second_answer(
        self, answer: T, checked: Question[T], exists: Callable[[T], bool]
    ) -> T:
        others = await self._router.ask_all(checked, within_s=SECOND_WITHIN_S)
        errors: list[NodeError] = []
        answers: list[T] = []
        for endpoint, (_, other) in zip(self._router.endpoints, others, strict=True):
            if not isinstance(other, NodeError):
                answers.append(other)
            elif not endpoint.is_given_up:
                errors.append(other)
        if errors and len(answers) < 2 and not any(map(exists, answers)):
            raise most_telling(errors)
        return next((other for other in answers if exists(other)), answer)

    def _checked(
        self, account: Hashable, question: Question[T], exists: Callable[[T], bool]
    ) -> Question[T]:
        """*question*; an answer without an account that was seen is none."""

        async def ask(node: EndpointClient) -> T:
            answer = await question(node)
            if exists(answer):
                self._note(account)
            elif account in self._accounts:
                reason = "an account that was there is unknown to it"
                raise NodeUnavailable(node.name, 1, reason)
            return answer

        return ask

    def _note(self, account: Hashable) -> None:
        self._accounts.pop(account, None)
        self._accounts[account] = None
        if len(self._accounts) > ACCOUNTS:
            del self._accounts[next(iter(self._accounts))]
