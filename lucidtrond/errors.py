"""Every exception that may leave a lucidtrond module; branches say who must act. Pure.

LucidError
├── OperatorError            the operator: configuration, machine, installed plugins
│   ├── ConfigError
│   ├── PluginError
│   ├── StoreError
│   │   ├── CommitUnknown    a commit's outcome is unknown: the daemon stops
│   │   └── ConstraintBroken a UNIQUE or other constraint refused a row
│   ├── AlreadyRunning
│   ├── AnotherChain
│   └── StartTimeout
├── CallError                the caller of one RPC method
│   ├── InvalidInput NotFound DeadlinePassed Conflict TooBusy TooLarge ShuttingDown
│   ├── InsufficientFunds LimitTooLow InDoubt FailedOnChain Expired AlreadyFinal
│   │   RecipientRefused WouldFail ForeignTransaction PossibleRestore
│   ├── KeystoreLocked WrongPassphrase NotPermitted SpendCap NoSuchKey KeystoreMissing
│   └── PluginFailed PluginDisabled
└── NodeError                a TRON node
    ├── NodeUnavailable      no answer (after retries)
    │   └── NodeTimeout
    ├── NodeRefused          it answered, with an error or with nonsense
    │   ├── NodeLied         its answer contradicts itself or what we computed
    │   └── CallNotRun       it did not simulate a call, for what the call is
    ├── NodesDisagree
    ├── WrongNetwork
    └── QuotaSpent

The text of a CallError and of a NodeError is shown to remote callers: it never holds
a secret, a path or another exception's text. ``data`` holds machine-readable fields.
Numbers for the wire are in ``rpc.codes``, nowhere else.
"""

from collections.abc import Mapping
from typing import Any


class LucidError(Exception):
    """Base of all errors raised on purpose."""


class OperatorError(LucidError):
    """The operator must act; the daemon does not start, or stops."""


class ConfigError(OperatorError):
    """A setting is unknown, of the wrong type or out of range."""


class PluginError(OperatorError):
    """A plugin can't be used; the text names plugin and distribution."""


class StoreError(OperatorError):
    """The database can't be opened, migrated or written."""


class CommitUnknown(StoreError):
    """A commit may or may not have happened; only a restart can tell."""


class ConstraintBroken(StoreError):
    """A UNIQUE, NOT NULL, CHECK or foreign key constraint refused a row."""


class AlreadyRunning(OperatorError):
    """Another daemon holds the state directory or the socket."""


class AnotherChain(OperatorError):
    """What is stored and what the node says differ at or below the solid head."""


class StartTimeout(OperatorError):
    """A service was not ready in time; the text names it."""


class CallError(LucidError):
    """The caller of one method must act.

    *data* is sent along as the error's ``data`` and must be JSON-encodable.
    """

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.data: Mapping[str, Any] = data


class InvalidInput(CallError):
    """A parameter has the right type and an impossible value."""


class NotFound(CallError):
    """There is no such thing."""


class DeadlinePassed(CallError):
    """The method took longer than it may."""


class Conflict(CallError):
    """Same idempotency key with other content, or it exists already."""


class TooBusy(CallError):
    """A bound was reached; retry later."""


class TooLarge(CallError):
    """More than a limit that is named in the text."""


class ShuttingDown(CallError):
    """The daemon is stopping."""


class InsufficientFunds(CallError):
    """The balance does not cover the payment and what it burns."""


class LimitTooLow(CallError):
    """Fee limit or burn limit is below what the payment would cost."""


class InDoubt(CallError):
    """It may still land; ``data["in_flight_until_ms"]`` says until when."""


class FailedOnChain(CallError):
    """The transaction was included and failed."""


class Expired(CallError):
    """The transaction is proven dead."""


class AlreadyFinal(CallError):
    """It is solidified; nothing can or must be done."""


class RecipientRefused(CallError):
    """Paying this recipient is refused (self, token contract, blacklist)."""


class WouldFail(CallError):
    """A node's simulation of the transaction fails; nothing was signed."""


class ForeignTransaction(CallError):
    """The wallet has sent what the journal does not know; ``data["txid"]`` names it."""


class PossibleRestore(CallError):
    """The state may be an old copy; ``data["held_until_ms"]`` says until when."""


class KeystoreLocked(CallError):
    """A signature needs the keystore unlocked."""


class WrongPassphrase(CallError):
    """The passphrase does not open the keystore."""


class NotPermitted(CallError):
    """The caller's class does not allow this method."""


class SpendCap(CallError):
    """The caller's spend cap would be exceeded."""


class NoSuchKey(CallError):
    """No key of ours belongs to that address or wallet."""


class KeystoreMissing(CallError):
    """No keystore yet; ``keystore.init`` makes it."""


class PluginFailed(CallError):
    """The plugin's service crashed too often; its methods answer this."""


class PluginDisabled(CallError):
    """The plugin is not enabled."""


class NodeError(LucidError):
    """A TRON node gave no answer, or not the answer we need."""


class NodeUnavailable(NodeError):
    """No answer from the endpoint; asking again is safe.

    *retry_after_s* is how long the node itself asked to be left alone, if it did.
    """

    def __init__(
        self,
        endpoint: str,
        attempts: int,
        reason: str = "no answer",
        *,
        retry_after_s: float | None = None,
    ) -> None:
        tried = "" if attempts == 1 else f" ({attempts} attempts)"
        super().__init__(f"{endpoint}: {reason}{tried}")
        self.endpoint, self.attempts, self.reason = endpoint, attempts, reason
        self.retry_after_s = retry_after_s


class NodeTimeout(NodeUnavailable):
    """The endpoint did not answer in time."""


class NodeRefused(NodeError):
    """The endpoint answered with an error; *reason* is its own text, shortened."""

    def __init__(self, endpoint: str, reason: str) -> None:
        super().__init__(f"{endpoint}: {reason}")
        self.endpoint, self.reason = endpoint, reason


class NodeLied(NodeRefused):
    """The answer contradicts itself or what we computed ourselves."""


class CallNotRun(NodeRefused):
    """A simulated call did not run to an end or a revert; another node says the same.

    There is no contract, or the machine stopped it (an invalid opcode, no energy).
    """


class NodesDisagree(NodeError):
    """Two endpoints gave answers that can't both be true."""


class WrongNetwork(NodeError):
    """The endpoint's genesis block is not the configured network's."""

    def __init__(self, endpoint: str, *, wanted: str, received: str) -> None:
        super().__init__(f"{endpoint}: genesis {received}, wanted {wanted}")
        self.endpoint, self.wanted, self.received = endpoint, wanted, received


class QuotaSpent(NodeError):
    """The endpoint's budget for today is used up."""
