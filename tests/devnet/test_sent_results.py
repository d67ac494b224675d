"""What a sender puts into ``ret`` beside the code stays there, as on a node."""

from pathlib import Path

import msgspec
import pytest

from lucidtrond.devnet.http.printing import print_block, print_row
from lucidtrond.devnet.log import BlockLog
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.pool import MAX_TRANSACTION_BYTES
from lucidtrond.devnet.state.received import receive, results_in
from lucidtrond.devnet.state.rejections import Refused
from lucidtrond.node.questions import translate, wire
from lucidtrond.tron.block import Block, check_block
from lucidtrond.tron.jsonformat import parse_stored
from lucidtrond.tron.transaction import Transaction
from tests.devnet.making import ALICE, BOB, FIVE, Lab, raw_transfer, sign
from tests.devnet.test_log import DEFINITION, reopen

HIDDEN = "d23e0cc83e81f6a50cd03ed4b6a20f"
"""Field 1002 of a result in mainnet's block 79072107."""
SENT = [
    ([], ["1801"]),
    ([""], ["1801"]),
    (["1802"], ["1801"]),
    (["0807"], ["08071801"]),
    (["18020807"], ["08071801"]),
    ([HIDDEN], ["1801" + HIDDEN]),
    (["1801", "80018094ebdc03"], ["1801", "80018094ebdc03"]),
]
"""Results as sent, and as they stand in the block. The last is the form of mainnet's
transaction 29bf216f of block 18214173 (its second result: unfreeze_amount)."""


@pytest.fixture(name="lab")
def _lab() -> Lab:
    lab = Lab()
    lab.mine(3)
    return lab


def signed(lab: Lab) -> Transaction:
    return sign(raw_transfer(lab.chain, ALICE.address, BOB.address, 7), ALICE)


def send(lab: Lab, results: list[str]) -> None:
    data = signed(lab).encode([bytes.fromhex(result) for result in results])
    transaction, message = receive(data)
    lab.chain.submit(Candidate.read(transaction, results_in(message)))


@pytest.mark.parametrize(("sent", "kept"), SENT)
def test_a_block_keeps_all_but_the_code_and_outlives_a_restart(
    tmp_path: Path, sent: list[str], kept: list[str]
) -> None:
    with BlockLog.open(tmp_path, DEFINITION, durable=False) as blocks:
        assert list(blocks.replay()) == []
        lab = Lab(FIVE, blocks)
        lab.mine(3)
        send(lab, sent)
        lab.mine()
        row = lab.chain.block(4)
        assert row is not None
        check_block(row.block)
        [stored] = row.block.transactions
        assert [result.hex() for result in stored.results] == kept
        # The results are not paid for (BandwidthProcessor.consume clears them).
        assert row.transactions[0].receipt.net_usage < 300
    _, rows = reopen(tmp_path)
    assert rows[-1].block == row.block


@pytest.mark.parametrize(("sent", "kept"), SENT)
def test_a_client_rebuilds_it_unless_it_has_unknown_fields(
    lab: Lab, sent: list[str], kept: list[str]
) -> None:
    send(lab, sent)
    lab.mine()
    row = lab.chain.block(4)
    assert row is not None
    printed = msgspec.json.encode(print_block(row, visible=False))
    shown = translate.read_block(msgspec.json.decode(printed, type=wire.BlockJson))
    if sent == [HIDDEN]:
        assert not shown.root_proven
    else:
        assert shown == Block(row.header, row.block.transactions)
    assert [included.contract_ret for included in shown.transactions] == [1]
    assert len(shown.transactions[0].results) == len(kept)


def test_a_fork_takes_it_back_to_the_pool_with_them(lab: Lab) -> None:
    send(lab, ["0807"])
    lab.mine()
    lab.chain.revert(1, keep=True)
    lab.mine()
    row = lab.chain.block(4)
    assert row is not None
    [stored] = row.block.transactions
    assert stored.results == (bytes.fromhex("08071801"),)


def test_results_in_json_are_read_too(lab: Lab) -> None:
    transaction = signed(lab)
    lab.chain.submit(Candidate.read(transaction))
    lab.mine()
    row = lab.chain.block(4)
    assert row is not None
    whole = print_row(row.transactions[0], visible=False)
    whole["ret"] = [{"fee": 7, "contractRet": "REVERT"}, {}]
    again, results = parse_stored(whole, visible=False)
    assert again == transaction
    assert [result.hex() for result in results] == ["08071802", ""]


def test_results_count_in_the_largest_size(lab: Lab) -> None:
    with pytest.raises(Refused, match="Too big"):
        send(lab, ["d23e80a01f" + "00" * MAX_TRANSACTION_BYTES])
