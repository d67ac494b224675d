"""Adoption: a key asked again finds the transaction that a lost journal made for it.

It comes before everything that a new payment needs (money, limits, a certain state),
since nothing new is paid. See `foreign` for what fits.
"""

from collections.abc import Mapping
from contextlib import suppress

from attrs import evolve, frozen

from lucidtrond.errors import Conflict, NoSuchKey
from lucidtrond.ports import Store, Tx
from lucidtrond.sending import foreign_rows as rows
from lucidtrond.sending.authenticity import LABEL, check_authentic
from lucidtrond.sending.drafting import make_tag
from lucidtrond.sending.foreign import Foreign, fits
from lucidtrond.sending.foreign_book import ForeignBook
from lucidtrond.sending.intent import Intent
from lucidtrond.sending.journal.entry import Entry
from lucidtrond.sending.protocols import Authenticator, Signer
from lucidtrond.sending.recorder import Recorder
from lucidtrond.sending.tag import Tag
from lucidtrond.sending.terms import Terms
from lucidtrond.tron.address import Address


@frozen
class Tags:
    """The tags of one key: of its payer, and of others that may have paid it."""

    own: Tag
    others: Mapping[Address, Tag]
    key: Authenticator
    """Of the journal."""


class Adoption:
    """Finds the foreign transaction of a key, and makes it its payment's attempt."""

    def __init__(
        self, store: Store, *, signer: Signer, recorder: Recorder, book: ForeignBook
    ) -> None:
        self._store = store
        self._signer = signer
        self._recorder = recorder
        self._book = book

    async def make_tags(self, intent: Intent, existing: Tags | None = None) -> Tags:
        """The tags that transactions made for the key of *intent* have.

        Of other addresses only those whose transactions move and say the same: a tag
        is made by each one's private key. *existing* ones are not made again.

        Raises:
            KeystoreLocked, NoSuchKey, StoreError
        """
        if existing is None:
            own = await make_tag(self._signer, intent.owner, intent.key)
            existing = Tags(own, {}, self._signer.authenticator(LABEL))
        if not self._book.owners - {intent.owner}:
            return existing
        owners = await self._store.read(lambda tx: rows.owners_moving(tx, intent))
        others = dict(existing.others)
        for owner in sorted(owners - {intent.owner, *others}, key=_raw):
            # An address that is not given yet (`keystore.ahead`) has no key either.
            with suppress(NoSuchKey):
                others[owner] = await make_tag(self._signer, owner, intent.key)
        return evolve(existing, others=others)

    def find(self, tx: Tx, intent: Intent, tags: Tags) -> Foreign | None:
        """The foreign transaction that was made for the key of *intent*, if any.

        Raises:
            Conflict: it was made for the key and does something else.
        """
        made = rows.tagged(tx, intent.owner, tags.own)
        for foreign in made:
            if fits(foreign, intent):
                return foreign
        for owner, tag in tags.others.items():
            made += rows.tagged(tx, owner, tag)
        for foreign in made:
            raise Conflict(
                "the idempotency key was used for another payment, which the chain"
                " holds and the journal does not know",
                txid=foreign.txid,
                address=foreign.owner.base58,
            )
        return None

    def adopt(self, tx: Tx, intent: Intent, terms: Terms, tags: Tags) -> Entry | None:
        """Write the payment that its key's foreign transaction makes, if there is one.

        Raises:
            Conflict
        """
        foreign = self.find(tx, intent, tags)
        if foreign is None:
            return None
        entry = self._recorder.adopt(tx, intent, terms, foreign)
        self._book.adopted(tx, foreign)
        return self._recorder.authenticate(tx, entry, tags.key)

    def adopt_next(self, tx: Tx, dead: Entry, tags: Tags) -> Entry | None:
        """The same, as the attempt that follows a *dead* one of the key.

        Raises:
            Conflict
            InDoubt: the dead one's row was edited, or waits for approval.
        """
        foreign = self.find(tx, dead.intent, tags)
        if foreign is None:
            return None
        check_authentic(dead, tags.key)
        entry = self._recorder.adopt_next(tx, dead, foreign)
        self._book.adopted(tx, foreign)
        return self._recorder.authenticate(tx, entry, tags.key)


def _raw(address: Address) -> bytes:
    return address.raw
