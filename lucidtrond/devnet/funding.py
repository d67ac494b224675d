"""Test money: signed payments out of accounts whose keys are known."""

from collections.abc import Callable
from typing import Final

from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.chain import Chain
from lucidtrond.devnet.state.rejections import Refused
from lucidtrond.devnet.state.triggering import Call, call_constant
from lucidtrond.errors import InsufficientFunds, TooBusy
from lucidtrond.tron import abi
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import Contract, Transfer, Trigger
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.transaction import RawData, Reference, Transaction, TxId
from lucidtrond.tron.units import SUN_PER_TRX, Sun, UnixMillis

LIFETIME_MS: Final = 600_000
TOKEN_FEE_LIMIT: Final = Sun(100 * SUN_PER_TRX)


def fund(chain: Chain, to: Address, amount: Sun, *, now_ms: int) -> TxId:
    """Put a payment from the richest known account into the pool; dated *now_ms*.

    Raises:
        InsufficientFunds: nobody here has that much, or the chain refuses it.
        TooBusy: the pool is full.
    """
    payer = _richest(chain, lambda holder: balance_of(chain, holder))
    return _submit(chain, payer, Transfer(payer.address, to, amount), now_ms=now_ms)


def fund_token(
    chain: Chain, token: Address, to: Address, amount: int, *, now_ms: int
) -> TxId:
    """The same with a token; *amount* counts its smallest units.

    Raises:
        InsufficientFunds: as above, or there is no such token.
        TooBusy: the pool is full.
    """
    if chain.pending.contracts.get(token.raw) is None:
        raise InsufficientFunds(f"the devnet has no token {token.base58}")
    payer = _richest(chain, lambda holder: token_balance(chain, token, holder))
    held = token_balance(chain, token, payer.address)
    if held < amount:
        raise InsufficientFunds(
            f"the devnet refused: nobody whose key is known has {amount} of"
            f" {token.base58}; the most is {held}"
        )
    data = abi.encode_call("transfer(address,uint256)", (to, amount))
    return _submit(chain, payer, Trigger(payer.address, token, data), now_ms=now_ms)


def plant_zero_transfer(
    chain: Chain, token: Address, sender: Address, recipient: Address, *, now_ms: int
) -> TxId:
    """Have *token* log a transfer of 0 from *sender* to *recipient*.

    No allowance is needed for 0, so neither has to agree.

    Raises:
        InsufficientFunds: there is no such token.
        TooBusy: the pool is full.
    """
    if chain.pending.contracts.get(token.raw) is None:
        raise InsufficientFunds(f"the devnet has no token {token.base58}")
    payer = _richest(chain, lambda holder: balance_of(chain, holder))
    data = abi.encode_call(
        "transferFrom(address,address,uint256)", (sender, recipient, 0)
    )
    return _submit(chain, payer, Trigger(payer.address, token, data), now_ms=now_ms)


def set_rule(chain: Chain, token: Address, *, honest: bool, now_ms: int) -> TxId:
    """Have its owner change the rule of a token that has one (`Moves.SIMULATED`).

    Raises:
        InsufficientFunds: there is no such token, or its owner's key is not known.
        TooBusy: the pool is full.
    """
    contract = chain.pending.contracts.get(token.raw)
    keys = {account.key.address.raw: account.key for account in chain.genesis.funded}
    if contract is None or contract.origin not in keys:
        raise InsufficientFunds(f"the devnet has no token {token.base58} of its own")
    owner = keys[contract.origin]
    data = abi.encode_call("setRule(uint256)", (int(honest),))
    return _submit(chain, owner, Trigger(owner.address, token, data), now_ms=now_ms)


def balance_of(chain: Chain, holder: Address) -> Sun:
    """Sun, with what the pool does to it."""
    account = chain.pending.accounts.get(holder.raw)
    return account.balance if account else Sun(0)


def token_balance(chain: Chain, token: Address, holder: Address) -> int:
    """Smallest units of a token that is deployed, with what the pool does to it."""
    data = abi.encode_call("balanceOf(address)", (holder,))
    call = Call(holder.raw, contract=token.raw, data=data)
    return int.from_bytes(call_constant(chain.pending, call).data, "big")


def _richest(chain: Chain, balance: Callable[[Address], int]) -> PrivateKey:
    keys = (account.key for account in chain.genesis.funded)
    return max(keys, key=lambda key: balance(key.address))


def _submit(
    chain: Chain, payer: PrivateKey, contract: Contract, *, now_ms: int
) -> TxId:
    head = chain.head.globals
    while True:
        raw = RawData(
            contract,
            Reference.to_block(head.block_id.hex()),
            expiration=UnixMillis(head.timestamp + LIFETIME_MS),
            timestamp=UnixMillis(now_ms),
            fee_limit=TOKEN_FEE_LIMIT if isinstance(contract, Trigger) else Sun(0),
        )
        transaction = Transaction(raw.encode())
        if chain.find(transaction.digest) is None:
            break
        now_ms += 1  # two equal payments in a millisecond have one id
    signed = transaction.with_signature(payer.sign(transaction.digest))
    try:
        chain.submit(Candidate.read(signed))
    except Refused as refusal:
        if refusal.code == "SERVER_BUSY":
            raise TooBusy("the devnet's pool is full") from None
        raise InsufficientFunds(f"the devnet refused: {refusal.text}") from None
    return signed.txid
