"""Whether our final blocks prove that none of them holds a transaction.

The proof is made anew from the tables of blocks and entries each time, and trusts no
row that says what became of the transaction:

- The block that the transaction refers to is ours: no chain without it can hold it.
- From there up to the final block *solid* no block is missing; each names the one
  before it, and the last is *solid*, whose id the nodes are asked to confirm. Its time
  is not before the expiration, and its id covers that time.
- What all those blocks hold was read from the reference block on, no block's content is
  one endpoint's word where it may be the transaction, and no entry of the ledger is of
  it. (Entries are kept of watched addresses; all our wallets are.)

Blocks below `tables.KEPT_BLOCKS` are forgotten, and links to them are not looked at.
"""

from collections.abc import Iterator

from lucidtrond.chain import tables, unproven
from lucidtrond.ports import AbsenceDoubt, Tx
from lucidtrond.tron.block import BlockHeader
from lucidtrond.tron.transaction import RawData, Reference, TxId


def find_doubt(
    tx: Tx,
    txid: TxId,
    raw: RawData,
    *,
    reference_number: int,
    solid: BlockHeader,
) -> AbsenceDoubt | None:
    """Why the blocks up to *solid* do not prove it, None where they do.

    *raw* is the transaction; *reference_number* the block that it refers to, which has
    only 16 bits there.
    """
    return next(_find_doubts(tx, txid, raw, reference_number, solid), None)


def _find_doubts(
    tx: Tx, txid: TxId, raw: RawData, reference_number: int, solid: BlockHeader
) -> Iterator[AbsenceDoubt]:
    row = tables.read_cursor(tx)
    if row is None or row[0].complete_from > reference_number + 1:
        yield AbsenceDoubt("not all blocks from its reference block on were read")
        return
    if solid.timestamp < raw.expiration:
        yield AbsenceDoubt(
            f"final block {solid.number}, of {solid.timestamp}, is before its"
            f" expiration {raw.expiration}"
        )
    oldest = row[0].solid - tables.KEPT_BLOCKS
    if reference_number >= oldest:
        ids = tables.read_ids(tx, reference_number, reference_number)
        if [Reference.to_block(block_id) for block_id in ids] != [raw.reference]:
            text = f"its reference block is not our block {reference_number}"
            yield AbsenceDoubt(text)
    first = max(reference_number, oldest)
    if not tables.are_linked(tx, first, solid.number, solid.id):
        yield AbsenceDoubt(f"our blocks {first} to {solid.number} have a gap")
    doubtful = unproven.around(tx, after=reference_number, number=None).may_hold(
        after=reference_number, expiration=raw.expiration
    )
    if doubtful is not None:
        yield AbsenceDoubt(
            f"block {doubtful} may hold it, whose transaction root could not be"
            " recomputed",
            is_edited=False,
        )
    holding = tables.block_of(tx, txid)
    if holding is not None:
        yield AbsenceDoubt(f"block {holding} holds it")
