import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron import abi, trc20
from lucidtrond.tron.abi_types import AbiError
from lucidtrond.tron.address import Address
from lucidtrond.tron.receipt import Log
from tests.tron.strategies import addresses

amounts = st.integers(0, trc20.MAX_AMOUNT)
A, B, C = (Address(b"\x41" + bytes([n]) * 20) for n in (1, 2, 3))


def word(address: Address) -> bytes:
    return bytes(12) + address.raw[1:]


@given(addresses, addresses, amounts)
def test_calls_read_back(a: Address, b: Address, amount: int) -> None:
    calls = {
        trc20.transfer(a, amount): trc20.TransferCall(None, a, amount),
        trc20.transfer_from(a, b, amount): trc20.TransferCall(a, b, amount),
        trc20.approve(a, amount): trc20.ApproveCall(a, amount),
    }
    for data, call in calls.items():
        assert trc20.parse_call(data) == call


def test_selectors_are_the_standards() -> None:
    """tron-protocol: TRC-20 call data."""
    data = {
        "a9059cbb": trc20.transfer(A, 1),
        "095ea7b3": trc20.approve(A, 1),
        "23b872dd": trc20.transfer_from(A, B, 1),
        "70a08231": trc20.balance_of(A),
        "dd62ed3e": trc20.allowance(A, B),
        "06fdde03": abi.encode_call(trc20.NAME, ()),
        "95d89b41": abi.encode_call(trc20.SYMBOL, ()),
        "313ce567": abi.encode_call(trc20.DECIMALS, ()),
        "18160ddd": abi.encode_call(trc20.TOTAL_SUPPLY, ()),
    }
    assert {letter[:4].hex(): letter for letter in data.values()} == data
    assert trc20.balance_of(A)[4:] == word(A)
    assert trc20.allowance(A, B)[4:] == word(A) + word(B)


@given(st.binary(max_size=120))
def test_any_call_data_are_read_or_not(data: bytes) -> None:
    for head in (b"", trc20.transfer(A, 1)[:4], trc20.transfer_from(A, B, 1)[:4]):
        trc20.parse_call(head + data)


def test_a_prefix_byte_in_an_address_word_is_ignored_in_calls() -> None:
    """Older clients put the 41 into byte 11; the TVM masks it."""
    data = bytearray(trc20.transfer(A, 5))
    data[4 + 11] = 0x41
    assert trc20.parse_call(bytes(data)) == trc20.TransferCall(None, A, 5)


@pytest.mark.parametrize("amount", [-1, trc20.MAX_AMOUNT + 1])
def test_amounts_beyond_256_bits_are_refused(amount: int) -> None:
    with pytest.raises(AbiError):
        trc20.transfer(A, amount)


@given(addresses, addresses, addresses, amounts)
def test_events_are_read(token: Address, a: Address, b: Address, n: int) -> None:
    data = n.to_bytes(32, "big")
    transfer = Log(token, (trc20.TRANSFER_TOPIC, word(a), word(b)), data)
    assert trc20.parse_log(transfer) == trc20.TransferLog(token, a, b, n)
    approval = Log(token, (trc20.APPROVAL_TOPIC, word(a), word(b)), data)
    assert trc20.parse_log(approval) == trc20.ApprovalLog(token, a, b, n)


GOOD = (trc20.TRANSFER_TOPIC, word(A), word(B))
ONE = (1).to_bytes(32, "big")


@given(
    indexed=st.integers(0, 2),
    dirt=st.tuples(*[st.binary(min_size=12, max_size=12)] * 2),
    amount=amounts,
    tail=st.binary(max_size=70),
    transfer=st.booleans(),
)
def test_an_event_is_read_however_its_values_are_indexed(
    indexed: int,
    dirt: tuple[bytes, bytes],
    amount: int,
    tail: bytes,
    *,
    transfer: bool,
) -> None:
    """Dirty upper bytes of an address and data beyond the last value are ignored."""
    values = (dirt[0] + A.raw[1:], dirt[1] + B.raw[1:], amount.to_bytes(32, "big"))
    name = trc20.TRANSFER_TOPIC if transfer else trc20.APPROVAL_TOPIC
    data = b"".join(values[indexed:])
    kind = trc20.TransferLog if transfer else trc20.ApprovalLog
    for log in (data, data + tail):
        read = trc20.classify_log(Log(C, (name, *values[:indexed]), log))
        assert read == kind(C, A, B, amount)
    short = trc20.classify_log(Log(C, (name, *values[:indexed]), data[:-1]))
    assert isinstance(short, trc20.UnreadableLog)


@pytest.mark.parametrize(
    ("topics", "data", "reason"),
    [
        ((*GOOD, ONE), b"", "3 indexed values"),  # TRC-721
        ((*GOOD, ONE), ONE, "3 indexed values"),
        (GOOD, b"", "expected 32 bytes of data, got 0"),
        (GOOD, ONE[:31], "expected 32 bytes of data, got 31"),
        (GOOD[:2], ONE, "expected 64 bytes of data, got 32"),
        (GOOD[:1], ONE + ONE, "expected 96 bytes of data, got 64"),
        ((GOOD[0], GOOD[1][:31], GOOD[2]), ONE, "2 indexed values"),
    ],
)
def test_a_transfer_that_can_not_be_read_is_told_from_other_events(
    topics: tuple[bytes, ...], data: bytes, reason: str
) -> None:
    read = trc20.classify_log(Log(C, topics, data))
    assert isinstance(read, trc20.UnreadableLog)
    assert read.token == C
    assert reason in read.reason
    assert trc20.parse_log(Log(C, topics, data)) is None


@pytest.mark.parametrize("topics", [(), (ONE, *GOOD[1:]), (ONE,)])
def test_other_events_are_nothing_of_a_tokens(topics: tuple[bytes, ...]) -> None:
    assert trc20.classify_log(Log(C, topics, ONE * 3)) is None


def test_only_the_tokens_own_logs_between_the_two_say_what_moved() -> None:
    def log(token: Address, a: Address, b: Address, amount: int) -> Log:
        data = amount.to_bytes(32, "big")
        return Log(token, (trc20.TRANSFER_TOPIC, word(a), word(b)), data)

    def moved(*logs: Log) -> int:
        return trc20.amount_moved(logs, token=C, sender=A, recipient=B)

    assert moved() == 0
    assert moved(log(C, A, B, 5)) == 5
    assert moved(log(C, A, B, 5), log(C, A, C, 1), log(C, A, B, 3)) == 8
    others = [log(A, A, B, 5), log(C, B, A, 5), log(C, A, C, 5), log(C, C, B, 5)]
    assert moved(*others) == 0
    approval = Log(C, (trc20.APPROVAL_TOPIC, word(A), word(B)), ONE)
    assert moved(approval, Log(C, (*GOOD, ONE), b"")) == 0
    most = log(C, A, B, trc20.MAX_AMOUNT)
    assert moved(most, most) == trc20.MAX_AMOUNT


def test_what_getters_return() -> None:
    assert trc20.parse_amount_result(ONE) == 1
    with pytest.raises(AbiError):
        trc20.parse_amount_result(b"")
    assert trc20.parse_text_result(abi.encode(["string"], ["USDT"])) == "USDT"
    assert trc20.parse_text_result(b"MKR".ljust(32, b"\0")) == "MKR"
    assert trc20.parse_text_result(bytes(32)) == ""
    assert trc20.parse_text_result(abi.encode(["string"], [""])) == ""
    absurd = "A\n\x1b[31m\u202e" + "x" * 3000
    assert trc20.parse_text_result(abi.encode(["string"], [absurd])) == (
        "A\ufffd\ufffd[31m\ufffd" + "x" * 1016
    )
    with pytest.raises(AbiError):
        trc20.parse_text_result(b"")


@given(st.binary(max_size=200))
def test_a_tokens_text_is_printable_and_short_or_refused(data: bytes) -> None:
    for encoded in (data, abi.encode(["bytes"], [data * 20])):
        try:
            text = trc20.parse_text_result(encoded)
        except AbiError:
            continue
        assert len(text) <= 1024
        assert all(letter.isprintable() for letter in text)
