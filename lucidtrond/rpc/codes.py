"""The one table from error classes to the numbers on the wire.

The numbers are promises: new ones go to the end of their block of a hundred.
"""

from collections.abc import Mapping
from typing import Any, Final

from lucidtrond import errors

CODES: Final[Mapping[type[errors.LucidError], int]] = {
    # A plugin's own kind of CallError or NodeError goes by its nearest base.
    errors.CallError: 100,
    errors.InvalidInput: 100,
    errors.NotFound: 101,
    errors.DeadlinePassed: 102,
    errors.Conflict: 103,
    errors.TooBusy: 104,
    errors.TooLarge: 105,
    errors.ShuttingDown: 106,
    errors.NodeError: 201,
    errors.NodeUnavailable: 200,
    errors.NodeTimeout: 200,
    errors.NodeRefused: 201,
    errors.NodeLied: 201,
    errors.CallNotRun: 201,
    errors.NodesDisagree: 202,
    errors.WrongNetwork: 203,
    errors.QuotaSpent: 204,
    errors.InsufficientFunds: 300,
    errors.LimitTooLow: 301,
    errors.InDoubt: 302,
    errors.FailedOnChain: 303,
    errors.Expired: 304,
    errors.AlreadyFinal: 305,
    errors.RecipientRefused: 306,
    errors.WouldFail: 307,
    errors.ForeignTransaction: 308,
    errors.PossibleRestore: 309,
    errors.KeystoreLocked: 400,
    errors.WrongPassphrase: 401,
    errors.NotPermitted: 402,
    errors.SpendCap: 403,
    errors.NoSuchKey: 404,
    errors.KeystoreMissing: 405,
    errors.PluginFailed: 500,
    errors.PluginDisabled: 501,
}

RETRYABLE: Final[tuple[type[errors.LucidError], ...]] = (
    errors.DeadlinePassed,
    errors.TooBusy,
    errors.ShuttingDown,
    errors.PossibleRestore,
    errors.NodeUnavailable,
    errors.NodesDisagree,
)
"""The same call, unchanged, may succeed a little later."""


def code_of(error: errors.CallError | errors.NodeError) -> int:
    """Find the number of the nearest class in the table."""
    return next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)


def data_of(error: errors.CallError | errors.NodeError) -> Mapping[str, Any] | None:
    """Give the machine-readable fields; ``retryable`` where it can be said."""
    data = dict(error.data) if isinstance(error, errors.CallError) else {}
    if isinstance(error, RETRYABLE):
        data.setdefault("retryable", True)
    elif isinstance(error, errors.NodeError):
        data.setdefault("retryable", False)
    return data or None
