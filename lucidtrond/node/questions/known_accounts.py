"""Accounts that were there: no node's ``{}`` takes them away again.

``{}`` is what a node says of an account that was never activated, and also when it lags
or fails. An account that was once there is never gone, unless its block is taken back;
so who does not know one that we saw has not answered.
"""

from collections.abc import Callable, Hashable
from typing import Final, TypeVar

from lucidtrond.errors import NodeUnavailable
from lucidtrond.node.questions.client import NodeClient, Question

ACCOUNTS: Final = 4096
"""So many are remembered, those that were seen last."""

T = TypeVar("T")


class KnownAccounts:
    """The memory; *account* is whatever tells accounts apart."""

    def __init__(self) -> None:
        self._accounts: dict[Hashable, None] = {}

    def checked(
        self, account: Hashable, question: Question[T], knows: Callable[[T], bool]
    ) -> Question[T]:
        """*question*, but who does not know what was seen is as good as silent."""

        async def ask(node: NodeClient) -> T:
            answer = await question(node)
            if knows(answer):
                self._note(account)
            elif account in self._accounts:
                reason = "an account that was there is unknown to it"
                raise NodeUnavailable(node.endpoint.name, 1, reason)
            return answer

        return ask

    def forget(self) -> None:
        """All of them."""
        self._accounts.clear()

    def _note(self, account: Hashable) -> None:
        self._accounts.pop(account, None)
        self._accounts[account] = None
        if len(self._accounts) > ACCOUNTS:
            del self._accounts[next(iter(self._accounts))]
