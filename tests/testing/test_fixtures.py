"""The pytest fixture as its users have it: another pytest, another folder, no trio."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

THEIRS = """
import json, urllib.error, urllib.request

def ask(url, path, **body):
    with urllib.request.urlopen(url + path, json.dumps(body).encode()) as answer:
        return json.load(answer)

def head(url):
    return ask(url, "/wallet/getnowblock")["block_header"]["raw_data"]["number"]

def test_blocks_come_when_told(tron_devnet):
    before = head(tron_devnet.url)
    assert tron_devnet.mine(3) == before + 3 == head(tron_devnet.url)

def test_the_replica_lags_alone(tron_devnet):
    tron_devnet.fault(fault="lag", port=1, blocks=2)
    assert head(tron_devnet.url) - head(tron_devnet.replica_urls[0]) == 2

def test_faults_end_with_their_test(tron_devnet):
    assert head(tron_devnet.url) == head(tron_devnet.replica_urls[0])

def test_a_snapshot_comes_back(tron_devnet):
    tron_devnet.snapshot("here")
    before = head(tron_devnet.url)
    tron_devnet.jump(86_400)
    tron_devnet.mine(5)
    tron_devnet.restore("here")
    assert head(tron_devnet.url) == before

def test_a_fork_replaces_the_head(tron_devnet):
    before = ask(tron_devnet.url, "/wallet/getnowblock")["blockID"]
    number = head(tron_devnet.url)
    tron_devnet.fork(1)
    block = ask(tron_devnet.url, "/wallet/getblockbynum", num=number)
    assert block["blockID"] != before

def test_money_comes_with_the_next_block(tron_devnet):
    txid = tron_devnet.fund("TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH", 1_500_000)
    tron_devnet.mine()
    paid = ask(tron_devnet.url, "/wallet/gettransactioninfobyid", value=txid)
    assert paid["fee"] == 1_000_000 and len(paid["id"]) == 64
    token = tron_devnet.tokens[0]["address"]
    txid = tron_devnet.fund_token("TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH", token, 5)
    tron_devnet.mine()
    paid = ask(tron_devnet.url, "/wallet/gettransactioninfobyid", value=txid)
    assert paid["receipt"]["result"] == "SUCCESS" and len(paid["log"]) == 1

def test_accounts_and_tokens_are_named(tron_devnet):
    account = tron_devnet.accounts[0]
    assert len(account["private_key"]) == 64
    assert tron_devnet.tokens[0]["symbol"] == "IUSD"
    try:
        tron_devnet.fork(10_000)
    except ValueError as refused:
        assert "expected a depth of 1 to" in str(refused)
    else:
        raise AssertionError("too deep")
"""


def test_another_projects_tests_get_a_chain(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        'pytest_plugins = ["lucidtrond.testing.fixtures"]\n'
    )
    (tmp_path / "test_theirs.py").write_text(THEIRS)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-p", "no:trio", "-p", "no:hypothesispytest", str(tmp_path)),
        ],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "7 passed" in done.stdout, done.stdout[-3000:] + done.stderr[-2000:]
