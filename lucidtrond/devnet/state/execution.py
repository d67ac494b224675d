"""One transaction against one world: what it costs, then what it does.

The order is Manager.processTransaction's: bandwidth, several signatures, memo, then the
contract's own check, which therefore sees what those have left.
"""

from msgspec.structs import replace

from lucidtrond.devnet.state.asset_bandwidth import charge_issuer
from lucidtrond.devnet.state.bandwidth import burn, charge
from lucidtrond.devnet.state.blocks import CallRow, ReceiptRow
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.invariants import present
from lucidtrond.devnet.state.kinds.table import kind_of
from lucidtrond.devnet.state.rejections import Invalid, Refused, too_poor
from lucidtrond.devnet.state.world import World
from lucidtrond.tron.address import Address
from lucidtrond.tron.transaction import RESULT_ALLOWANCE_BYTES
from lucidtrond.tron.units import Sun

SIGNATURE_BYTES = 65


def execute(world: World, candidate: Candidate, genesis: Genesis) -> ReceiptRow:
    """Change *world*, which is spoiled when this raises: run it on a fork.

    Raises:
        Refused: in the node's words.
    """
    kind = kind_of(candidate)
    parameters = genesis.parameters
    account = world.accounts.get(candidate.owner)
    if account is None:
        raise Invalid(f"account [{_base58(candidate.owner)}] does not exist")
    creating = kind.creates(world, candidate)
    if creating:
        _check_size_for_creation(candidate, parameters.max_create_account_bytes)
    size = candidate.size + RESULT_ALLOWANCE_BYTES
    bill = None
    if kind.issuer_pays and not creating:
        token = kind.issuer_pays(candidate.message)
        bill = charge_issuer(world, account, token, size, genesis)
    if bill is None:
        bill = charge(world, account, size, genesis, creating=creating)
    if bill is None:
        raise too_poor()
    extra = 0
    if len(candidate.transaction.signatures) > 1:
        extra += _burn_from(world, candidate.owner, parameters.multi_sign_fee)
    if candidate.memo:
        extra += _burn_from(world, candidate.owner, parameters.memo_fee)
    kind.validate(world, candidate, genesis)
    done = kind.execute(world, candidate, genesis)
    own = done if isinstance(done, ReceiptRow) else _receipt(done)
    return replace(
        own,
        fee=Sun(own.fee + bill.fee + extra),
        net_usage=bill.usage,
        net_fee=bill.fee,
    )


def _receipt(done: Sun | CallRow) -> ReceiptRow:
    if isinstance(done, CallRow):
        return ReceiptRow(fee=done.energy_fee, call=done)
    return ReceiptRow(fee=done)


def _check_size_for_creation(candidate: Candidate, limit: int) -> None:
    signatures = len(candidate.transaction.signatures)
    size = candidate.size - SIGNATURE_BYTES * signatures
    if size > limit:
        raise Refused(
            "TOO_BIG_TRANSACTION_ERROR",
            f"Too big new account transaction, TxId {candidate.txid.hex()},"
            f" the size is {size} bytes, maxTxSize {limit}",
        )


def _burn_from(world: World, owner: bytes, fee: Sun) -> Sun:
    account = present(world.accounts.get(owner))
    if account.balance < fee:
        raise too_poor()
    world.put_account(replace(account, balance=Sun(account.balance - fee)))
    burn(world, fee)
    return fee


def _base58(raw: bytes) -> str:
    try:
        return Address(raw).base58
    except ValueError:
        return raw.hex()
