"""Where a new contract will live: known before it exists."""

from lucidtrond.tron.address import PREFIX, Address
from lucidtrond.tron.hashing import keccak256

_PREFIX: bytes = bytes([PREFIX])


def created_by_transaction(txid: bytes, owner: bytes) -> Address:
    """CreateSmartContract's: txid of 32 bytes, owner address of 21."""
    return _last_20(txid + owner)


def created_by_contract(root_txid: bytes, nonce: int) -> Address:
    """CREATE inside a call: *nonce* counts the internal transactions before it."""
    return _last_20(root_txid + nonce.to_bytes(8, "big"))


def created_with_salt(sender: Address, salt: bytes, init_code_hash: bytes) -> Address:
    """CREATE2: *salt* and the keccak-256 of the init code have 32 bytes.

    TRON puts its own prefix 41 where Ethereum has ff.
    """
    if len(salt) != 32 or len(init_code_hash) != 32:
        raise ValueError("CREATE2: expected 32 bytes of salt and 32 of hash")
    return _last_20(sender.raw + salt + init_code_hash)


def _last_20(data: bytes) -> Address:
    return Address(_PREFIX + keccak256(data)[12:])
