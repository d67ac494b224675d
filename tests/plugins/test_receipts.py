"""Transactions and receipts: decoded from their own bytes, final when they are."""

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from lucidtrond.api import (
    Expired,
    InDoubt,
    InvalidInput,
    NodeUnavailable,
    NotFound,
)
from lucidtrond.testing.strategies import addresses, suns
from lucidtrond.tron import trc20
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockTransaction, ChainPosition
from lucidtrond.tron.contracts import RawContract, Transfer, Trigger
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.receipt import Log, Receipt
from lucidtrond.tron.tokens import KnownToken, KnownTokens
from lucidtrond.tron.transaction import (
    RawData,
    Reference,
    Transaction,
    TxId,
    decode_raw,
)
from lucidtrond.tron.units import Sun, UnixMillis
from lucidtrond_receipts.views import read_transaction, view_receipt
from tests.plugins.bench import (
    ACTIVATION_BURN,
    NO_TXID,
    make_shop,
    open_shipped,
    payment,
)

KEY = PrivateKey(bytes([*bytes(31), 7]))
TOKEN = KnownToken(Address(b"\x41" + bytes(19) + b"\x01"), "IUSD", "Interop Dollar", 6)
FAKE = Address(b"\x41" + bytes(19) + b"\x02")
TOKENS = KnownTokens([TOKEN])


def raw_of(contract: Transfer | Trigger | RawContract, memo: bytes = b"") -> bytes:
    return RawData(
        contract,
        Reference(b"\x01\x02", bytes(8)),
        expiration=UnixMillis(1_700_000_060_000),
        timestamp=UnixMillis(1_700_000_000_000),
        memo=memo,
    ).encode()


@given(st.binary(max_size=3), st.binary(max_size=64))
def test_the_signer_of_a_long_signature_is_named(more: bytes, short: bytes) -> None:
    """65 bytes and more are valid on the network; the first 65 count."""
    unsigned = Transaction(raw_of(Transfer(KEY.address, FAKE, Sun(1))))
    signature = KEY.sign(unsigned.digest) + more
    signed = unsigned.with_signature(signature).with_signature(short)
    view = read_transaction(signed.encode().hex(), TOKENS)
    assert view.signers == [KEY.address.base58, None]
    assert view.signatures == [signature.hex(), short.hex()]


@given(addresses(), suns(least=1), st.binary(max_size=40))
def test_raw_data_and_the_signed_whole_decode_to_the_same(
    to: Address, amount: Sun, memo: bytes
) -> None:
    raw = raw_of(Transfer(KEY.address, to, amount), memo)
    unsigned = Transaction(raw)
    signed = unsigned.with_signature(KEY.sign(unsigned.digest))
    alone = read_transaction(raw.hex(), TOKENS)
    whole = read_transaction("0x" + signed.encode().hex(), TOKENS)
    assert alone.txid == whole.txid == unsigned.txid
    assert alone.raw_data_hex == whole.raw_data_hex == raw.hex()
    assert (whole.from_address, whole.to_address) == (KEY.address.base58, to.base58)
    assert (whole.amount_sun, whole.memo_hex) == (str(amount), memo.hex())
    assert whole.contract_type == "TransferContract"
    assert (alone.signers, whole.signers) == ([], [KEY.address.base58])


def test_a_signature_that_is_none_has_no_signer() -> None:
    raw = raw_of(Transfer(KEY.address, KEY.address, Sun(1)))
    bad = Transaction(raw, (bytes(65),))
    assert read_transaction(bad.encode().hex(), TOKENS).signers == [None]


def test_contracts_that_are_no_transfer_are_shown_as_far_as_they_go() -> None:
    call = Trigger(KEY.address, KEY.address, data=b"\xa9", call_value=Sun(3))
    shown = read_transaction(raw_of(call).hex(), TOKENS)
    assert shown.contract_type == "TriggerSmartContract"
    assert (shown.data_hex, shown.call_value_sun, shown.amount_sun) == ("a9", "3", None)
    unknown = read_transaction(raw_of(RawContract(999, "type", b"")).hex(), TOKENS)
    assert (unknown.contract_type, unknown.from_address) == (None, None)


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"raw_hex: expected a transaction"):
        read_transaction(data.hex(), TOKENS)


@pytest.mark.parametrize("text", ["xyz", "0", "0x0"])
def test_what_is_no_hex_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="raw_hex: expected hex digits only"):
        read_transaction(text, TOKENS)


async def test_a_pending_transaction_is_shown_before_it_has_a_receipt(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        sent = await bench.call("transfer.send", payment(shop))
        shown = await bench.call("tx.get", {"txid": sent.txid.upper()})
        assert (shown.from_address, shown.amount_sun) == (shop.address, "1000000")
        assert shown.signers == [shop.address]
        assert (
            decode_raw(bytes.fromhex(shown.raw_data_hex)).expiration
            == shown.expiration_ms
        )
        with pytest.raises(NotFound, match="is in no block yet") as caught:
            await bench.call("tx.receipt", {"txid": sent.txid})
        assert caught.value.data["retryable"] is True
        for method in ("tx.get", "tx.receipt"):
            with pytest.raises(NotFound, match=f"no node knows .*{NO_TXID}"):
                await bench.call(method, {"txid": NO_TXID})


async def test_a_receipt_counts_confirmations_until_it_is_final(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        sent = await bench.call("transfer.send", payment(shop))
        number = await bench.mine()
        seen = []
        for _ in range(6):
            got = await bench.call("tx.receipt", {"txid": sent.txid})
            assert (got.block_number, got.success) == (number, True)
            assert got.fee_sun == str(ACTIVATION_BURN)
            solid = bench.ledger.position().solid
            assert solid is not None
            assert got.solidified == (solid.number >= number)
            seen.append((got.confirmations, got.solidified))
            await bench.mine()
        assert [confirmations for confirmations, _ in seen] == [1, 2, 3, 4, 5, 6]
        assert {final for _, final in seen} == {False, True}


async def test_tx_get_names_the_signer_of_a_long_signature(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        sent = await bench.call("transfer.send", payment(shop))
        included = await bench.node.fetch_transaction(TxId(sent.txid))
        assert included is not None
        [signature] = included.transaction.signatures
        long = Transaction(included.transaction.raw, (signature + bytes(3),))

        async def fetch(_: object, txid: TxId) -> BlockTransaction:
            assert txid == sent.txid
            return BlockTransaction(long, included.results)

        monkeypatch.setattr(type(bench.node), "fetch_transaction", fetch)
        view = await bench.call("tx.get", {"txid": sent.txid})
        assert view.signers == [shop.address]
        assert view.signatures == [(signature + bytes(3)).hex()]


async def test_a_receipt_that_only_one_side_of_the_node_knows_is_not_final(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        sent = await bench.call("transfer.send", payment(shop))
        await bench.settle()
        assert (await bench.call("tx.receipt", {"txid": sent.txid})).solidified
        whole = bench.node.chain.find

        def find(txid: bytes, *, solid: bool = False) -> object:
            return None if solid else whole(txid)

        monkeypatch.setattr(type(bench.node.chain), "find", staticmethod(find))
        assert not (await bench.call("tx.receipt", {"txid": sent.txid})).solidified


@pytest.mark.parametrize("until", ["included", "solidified"])
async def test_waiting_for_a_foreign_transaction_ends_in_time(
    until: str, autojump_clock: MockClock
) -> None:
    async with open_shipped() as bench:
        shop = await bench.call("wallet.create")
        funded = await bench.call(
            "devnet.fund", {"address": shop.address, "amount_sun": "5000000"}
        )
        done = trio.Event()

        async def wait() -> None:
            got = await bench.call("tx.wait", {"txid": funded.txid, "until": until})
            assert got.txid == funded.txid
            assert got.solidified == (until == "solidified")
            done.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await bench.handled()
            assert not done.is_set()
            await bench.mine()
            await bench.handled()
            assert done.is_set() == (until == "included")
            await bench.settle()
            await done.wait()


async def test_waiting_asks_the_node_once_per_block(autojump_clock: MockClock) -> None:
    async with open_shipped(poll_s=1000) as bench:
        shop = await make_shop(bench)
        sent = await bench.call("transfer.send", payment(shop))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(
                bench.call, "tx.wait", {"txid": sent.txid, "until": "included"}
            )
            await bench.handled()
            before = bench.node.questions
            await trio.sleep(100)
            assert bench.node.questions == before
            nursery.cancel_scope.cancel()


async def test_waiting_in_vain_ends_with_what_is_known(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped(poll_s=5) as bench:
        with pytest.raises(NotFound, match="not solidified after 170 s: no node knows"):
            await bench.call("tx.wait", {"txid": NO_TXID})
        shop = await make_shop(bench)
        sent = await bench.call("transfer.send", payment(shop))
        with pytest.raises(InDoubt, match="not included after 170 s: it may still"):
            await bench.call("tx.wait", {"txid": sent.txid, "until": "included"})


async def test_waiting_for_a_dead_payment_ends_with_its_proof(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        bench.node.trouble_with_broadcasts = NodeUnavailable("local", 1)
        sent = await bench.call("transfer.send", payment(shop, expires_s=12))
        async with trio.open_nursery() as nursery:

            async def wait() -> None:
                with pytest.raises(Expired, match="proven dead") as caught:
                    await bench.call("tx.wait", {"txid": sent.txid})
                assert caught.value.data["safe_to_retry"] is True

            nursery.start_soon(wait)
            await bench.mine(10)
            await bench.settle()


AMOUNTS = st.integers(0, trc20.MAX_AMOUNT)


@given(addresses(), addresses(), AMOUNTS)
def test_a_call_of_a_token_says_whom_it_means(
    payer: Address, to: Address, amount: int
) -> None:
    calls = {
        "transfer": (trc20.transfer(to, amount), KEY.address),
        "approve": (trc20.approve(to, amount), KEY.address),
        "transferFrom": (trc20.transfer_from(payer, to, amount), payer),
    }
    for function, (data, sender) in calls.items():
        trigger = Trigger(KEY.address, TOKEN.address, data=data)
        call = read_transaction(raw_of(trigger).hex(), TOKENS).token_call
        assert call is not None
        assert call.function == function
        assert (call.from_address, call.to_address) == (sender.base58, to.base58)
        assert (call.amount_raw, call.symbol, call.decimals) == (str(amount), "IUSD", 6)


def test_other_calls_and_tokens_that_nobody_knows_are_not_embellished() -> None:
    other = Trigger(KEY.address, TOKEN.address, data=b"\1\2\3\4" + bytes(64))
    assert read_transaction(raw_of(other).hex(), TOKENS).token_call is None
    fake = Trigger(KEY.address, FAKE, data=trc20.transfer(KEY.address, 5))
    call = read_transaction(raw_of(fake).hex(), TOKENS).token_call
    assert call is not None
    assert (call.known, call.symbol, call.decimals) == (False, None, None)


def transfer_log(token: Address, sender: Address, to: Address, amount: int) -> Log:
    words = tuple(bytes(12) + end.raw[1:] for end in (sender, to))
    return Log(token, (trc20.TRANSFER_TOPIC, *words), amount.to_bytes(32, "big"))


def receipt_of(logs: tuple[Log, ...], *, failed: bool = False) -> Receipt:
    return Receipt(
        TxId(NO_TXID),
        block_number=7,
        block_timestamp=UnixMillis(1_700_000_000_000),
        vm_result="REVERT" if failed else "SUCCESS",
        failed=failed,
        logs=logs,
    )


MOVES = st.tuples(st.sampled_from([TOKEN.address, FAKE]), addresses(), AMOUNTS)


@given(st.lists(MOVES))
def test_a_receipt_lists_every_transfer_of_its_logs_in_order(
    moves: list[tuple[Address, Address, int]],
) -> None:
    logs = [transfer_log(token, KEY.address, to, much) for token, to, much in moves]
    words = (bytes(32), bytes(32))
    logs.insert(0, Log(FAKE, (trc20.APPROVAL_TOPIC, *words), bytes(32)))
    position = ChainPosition(head=None, solid=None, complete_from=None, synced=False)

    def shown(receipt: Receipt) -> list[tuple[str, bool, str, str]]:
        view = view_receipt(receipt, position, TOKENS, solidified=False)
        return [
            (transfer.token, transfer.known, transfer.to_address, transfer.amount_raw)
            for transfer in view.token_transfers
        ]

    assert shown(receipt_of(tuple(logs))) == [
        (token.base58, token == TOKEN.address, to.base58, str(amount))
        for token, to, amount in moves
    ]
    assert shown(receipt_of(tuple(logs), failed=True)) == []
