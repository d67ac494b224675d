"""Methods of the keystore: make it, open it, close it."""

from typing import Annotated

import msgspec

from lucidtrond.api import (
    Conflict,
    Context,
    InvalidInput,
    KeystoreMissing,
    NoConfig,
    Params,
    Plugin,
    Result,
    TooBusy,
    WrongPassphrase,
)

plugin = Plugin("keystore", needs=["keystore"])

Passphrase = Annotated[
    str,
    msgspec.Meta(
        description="Not empty, at most 1,024 bytes; never logged.",
        min_length=1,
        max_length=1024,
    ),
]
LONGEST_S = 366 * 86_400


class Secret(Params, frozen=True):
    passphrase: Passphrase

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class Unlock(Secret, frozen=True):
    """*for_s* is how long it stays open, in seconds.

    null is until `keystore.lock`, or until nothing was signed for
    `[keystore] auto_lock_s`, where that is set.
    """

    for_s: Annotated[float, msgspec.Meta(gt=0, le=LONGEST_S)] | None = None

    def __repr__(self) -> str:
        return "Unlock(...)"


class Status(Result, frozen=True):
    """*keys* counts the addresses handed out so far."""

    exists: bool
    locked: bool
    unlocked_until_ms: int | None
    keys: int


class Mnemonic(Result, frozen=True):
    """The 24 words from which every key can be made again."""

    mnemonic: str

    def __repr__(self) -> str:
        return "Mnemonic(...)"


_EXAMPLE = {"passphrase": "correct horse battery staple"}


@plugin.method(
    "keystore.init",
    caller="admin",
    timeout_s=60,
    example=_EXAMPLE,
    errors=(Conflict, InvalidInput, TooBusy),
)
async def init(ctx: Context[NoConfig], params: Secret) -> Status:
    """Make the keystore with a new seed and leave it unlocked."""
    await ctx.keystore.init(params.passphrase)
    return await status(ctx)


@plugin.method(
    "keystore.unlock",
    caller="admin",
    timeout_s=60,
    example={**_EXAMPLE, "for_s": 600},
    errors=(WrongPassphrase, KeystoreMissing, InvalidInput, TooBusy),
)
async def unlock(ctx: Context[NoConfig], params: Unlock) -> Status:
    """Open the keystore for signing, for a while or until it is locked."""
    await ctx.keystore.unlock(params.passphrase, for_s=params.for_s)
    return await status(ctx)


@plugin.method("keystore.lock", caller="admin")
async def lock(ctx: Context[NoConfig]) -> Status:
    """Close the keystore; what was signed is finished all the same."""
    ctx.keystore.lock()
    return await status(ctx)


@plugin.method("keystore.status")
async def status(ctx: Context[NoConfig]) -> Status:
    """Say whether there is a keystore and whether it is open."""
    keystore = await ctx.keystore.status()
    return Status(
        exists=keystore.exists,
        locked=keystore.locked,
        unlocked_until_ms=keystore.unlocked_until_ms,
        keys=keystore.keys,
    )


@plugin.method(
    "keystore.reveal_mnemonic",
    caller="admin",
    timeout_s=60,
    example=_EXAMPLE,
    errors=(WrongPassphrase, KeystoreMissing, InvalidInput, TooBusy),
)
async def reveal_mnemonic(ctx: Context[NoConfig], params: Secret) -> Mnemonic:
    """Show the words to write down; needs the passphrase, also when unlocked."""
    return Mnemonic(mnemonic=await ctx.keystore.reveal_mnemonic(params.passphrase))
