"""Acceptance: a new order becomes a journaled payment, once for its key.

First the chain is asked, so to speak: a transaction there that a lost journal made for
the key is adopted. Then a wallet that has sent something else which the journal does
not know is refused (`foreign`), and everything is while the state may be an old copy
(`restore`). It ends in one transaction that looks for the key once more, reserves the
money beside what other payments have reserved, and writes the bytes. Nothing is signed
or sent here.
"""

from lucidtrond.errors import (
    AlreadyFinal,
    Conflict,
    ForeignTransaction,
    InDoubt,
    InsufficientFunds,
    KeystoreLocked,
    KeystoreMissing,
    NoSuchKey,
)
from lucidtrond.events.types import Payment
from lucidtrond.ports import Store, Tx
from lucidtrond.sending.adoption import Adoption, Tags
from lucidtrond.sending.authenticity import LABEL
from lucidtrond.sending.drafting import (
    ChainHeads,
    Drafting,
    check_covered,
    draft,
)
from lucidtrond.sending.foreign_book import ForeignBook
from lucidtrond.sending.intent import Intent
from lucidtrond.sending.journal import queries
from lucidtrond.sending.journal.entry import Entry
from lucidtrond.sending.lookalike import check_look_alike, remember
from lucidtrond.sending.protocols import Signer
from lucidtrond.sending.quote import Quote
from lucidtrond.sending.recorder import Recorder
from lucidtrond.sending.render import adoptable, checked
from lucidtrond.sending.renewal import Renewal
from lucidtrond.sending.restore_guard import RestoreGuard
from lucidtrond.sending.terms import Terms, check_lifetime, check_recipient


class Acceptance:
    """Takes new orders in."""

    def __init__(
        self,
        store: Store,
        *,
        drafting: Drafting,
        signer: Signer,
        recorder: Recorder,
        adoption: Adoption,
        renewal: Renewal,
        foreign: ForeignBook,
        guard: RestoreGuard,
        longest_ms: int,
    ) -> None:
        """*longest_ms*: the longest lifetime that a transaction may have."""
        self._store = store
        self._drafting = drafting
        self._signer = signer
        self._recorder = recorder
        self._adoption = adoption
        self._renewal = renewal
        self._foreign = foreign
        self._guard = guard
        self._longest_ms = longest_ms

    async def accept(self, intent: Intent, terms: Terms) -> tuple[Entry, bool]:
        """Journal the intent with its bytes, or find its key; say if it is new.

        Raises:
            see `Sender.send`
        """
        existing, tags = await self._find(intent), None
        if existing is None:
            existing, tags = await self._adopt(intent, terms)
        if existing is not None:
            return await self._followed(existing), False
        check_lifetime(terms, self._longest_ms)
        await self._check_recipient(intent, terms)
        await check_unlocked(self._signer)
        try:
            heads = await self._fetch_heads(intent)
        except ForeignTransaction:
            # A block may have shown the one that was made for this very key just now.
            existing, _ = await self._adopt(intent, terms, tags)
            existing = existing or await self._find(intent)
            if existing is None:
                raise
            return existing, False
        tags = await self._adoption.make_tags(intent, tags)
        quote = await self._drafting.quote(intent, heads)
        try:
            return await self._write(intent, terms, quote, heads, tags)
        except InsufficientFunds:
            # Others are under way: look again, closer.
            quote = await self._drafting.quote(intent, heads, solid=True)
            return await self._write(intent, terms, quote, heads, tags)

    async def check(self, intent: Intent, terms: Terms) -> Payment:
        """As `accept`, without writing anything."""
        existing = await self._find(intent)
        if existing is not None:
            return existing.payment
        if not self._signer.is_locked:
            tags = await self._adoption.make_tags(intent)
            foreign = await self._store.read(
                lambda tx: self._adoption.find(tx, intent, tags)
            )
            if foreign is not None:
                return adoptable(intent, foreign.txid)
        check_lifetime(terms, self._longest_ms)
        await self._check_recipient(intent, terms)
        await check_unlocked(self._signer)
        heads = await self._fetch_heads(intent)
        quote = await self._drafting.quote(intent, heads, solid=True)
        key = self._signer.authenticator(LABEL)
        await self._store.read(lambda tx: check_covered(tx, intent, quote, key))
        return checked(intent, quote)

    async def _find(self, intent: Intent) -> Entry | None:
        return await self._store.read(lambda tx: self._existing(tx, intent))

    async def _adopt(
        self, intent: Intent, terms: Terms, existing: Tags | None = None
    ) -> tuple[Entry | None, Tags | None]:
        """The payment that a transaction on the chain makes, and the tags made for it.

        Both None while locked. *existing* tags are not made again.
        """
        if self._signer.is_locked or not self._foreign.owners:
            return None, existing
        tags = await self._adoption.make_tags(intent, existing)
        foreign = await self._store.read(
            lambda tx: self._adoption.find(tx, intent, tags)
        )
        if foreign is None:
            return None, tags

        def adopt(tx: Tx) -> Entry | None:
            return self._existing(tx, intent) or self._adoption.adopt(
                tx, intent, terms, tags
            )

        return await self._store.write(adopt), tags

    async def _followed(self, existing: Entry) -> Entry:
        """What a lost journal made of a payment that is known to be dead here."""
        if not existing.attempt.safe_to_retry or self._signer.is_locked:
            return existing
        try:
            return await self._renewal.follow(existing, by_hand=True) or existing
        except (AlreadyFinal, InDoubt):  # another one has just followed it
            return existing

    async def _check_recipient(self, intent: Intent, terms: Terms) -> None:
        check_recipient(intent, terms)
        if terms.allow_look_alike:
            return
        # Locked, nothing is accepted whatever the recipient looks like.
        locked = self._signer.is_locked
        key = None if locked else self._signer.authenticator(LABEL)
        await self._store.read(lambda tx: check_look_alike(tx, intent.to, key))

    async def _fetch_heads(self, intent: Intent) -> ChainHeads:
        """The heads, where the state and the wallet may pay anything new.

        Raises:
            PossibleRestore, ForeignTransaction, NodeError
        """
        heads = await self._drafting.fetch_heads()
        await self._guard.check(heads.head.timestamp)
        if intent.owner in self._foreign.stopped:
            await self._store.read(lambda tx: self._foreign.check(tx, intent.owner))
        return heads

    def _existing(self, tx: Tx, intent: Intent) -> Entry | None:
        row = queries.by_key(tx, intent.key)
        if row is None:
            if not self._signer.owns(tx, intent.owner):
                raise NoSuchKey("the paying address is none of ours")
            return None
        entry, content = row
        if content != intent.content:
            raise Conflict(
                "the idempotency key was used for another payment",
                payment_id=entry.payment.payment_id,
            )
        return entry

    async def _write(
        self, intent: Intent, terms: Terms, quote: Quote, heads: ChainHeads, tags: Tags
    ) -> tuple[Entry, bool]:
        key = self._signer.authenticator(LABEL)

        def accept(tx: Tx) -> tuple[Entry, bool]:
            existing = self._existing(tx, intent)
            if existing is None:
                existing = self._adoption.adopt(tx, intent, terms, tags)
            if existing is not None:
                return existing, False
            self._foreign.check(tx, intent.owner)
            burn = check_covered(tx, intent, quote, key)
            remember(tx, intent.to, key)
            attempt = draft(
                tx,
                intent,
                quote,
                heads,
                tag=tags.own,
                lifetime_ms=terms.lifetime_ms,
                burn=burn,
            )
            head_time = heads.head.timestamp
            entry = self._recorder.accept(
                tx, intent, terms, attempt, head_time=head_time
            )
            return self._recorder.authenticate(tx, entry, key), True

        return await self._store.write(accept)


async def check_unlocked(signer: Signer) -> None:
    """Refuse what could not be signed. Raises KeystoreLocked, KeystoreMissing."""
    if not signer.is_locked:
        return
    if not (await signer.status()).exists:
        raise KeystoreMissing("no keystore yet: keystore.init makes it")
    raise KeystoreLocked("the keystore is locked: unlock it, then send again")
