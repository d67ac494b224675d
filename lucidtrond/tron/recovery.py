"""Who signed, as java-tron's ECKey computes it, for signatures that no key made too.

Of transactions and of headers: TransactionCapsule and BlockCapsule read signatures the
same way. The first 65 bytes count, v is a signed byte, 27 is added to a smaller one.

Unlike libsecp256k1 it checks of r and s nothing but what its arithmetic stumbles over,
so r and s from n on count modulo n, s may be 0, and the point that comes out may be
infinity, of which it makes an address as of any key.
"""

from typing import Final

import coincurve

from lucidtrond.tron.address import Address
from lucidtrond.tron.keys import SIGNATURE_SIZE, BadSignature, address_of, recover

_P: Final = 2**256 - 2**32 - 977
_N: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
# Section 2.4.1 of SEC 2: secp256k1's field and the order of its base point.
_HEADERS: Final = range(27, 35)
_BASE: Final = 27


def recover_signer(digest: bytes, signature: bytes) -> Address:
    """Say who signed; bytes behind the first 65 are ignored, as the node does.

    Infinity is the account of keccak256(nothing), one like any other: nile 18278266
    holds its payment.

    Raises:
        BadSignature: with the words of java-tron's ECKey.
    """
    if len(signature) < SIGNATURE_SIZE:
        raise BadSignature(f"Signature size is {len(signature)}")
    # A byte of Java has a sign: Rsv.fromSignature, ECKey.signatureToKeyBytes.
    header = int.from_bytes(signature[64:65], signed=True)
    header += _BASE if header < _BASE else 0
    if header not in _HEADERS:
        raise BadSignature(
            f"java.security.SignatureException: Header byte out of range: {header}"
        )
    recovery = (header - _BASE) % 4
    try:
        return recover(digest, signature[:64] + bytes([recovery]))
    except BadSignature:
        r, s = (int.from_bytes(signature[at : at + 32]) for at in (0, 32))
        return _by_arithmetic(int.from_bytes(digest), r, s, recovery)


def _by_arithmetic(e: int, r: int, s: int, recovery: int) -> Address:
    """ECKey.recoverPubBytesFromSignature: (s / r) R - (e / r) G."""
    x = r + recovery // 2 * _N
    if x >= _P:
        raise BadSignature(
            "java.security.SignatureException:"
            " Could not recover public key from signature"
        )
    if pow(x**3 + 7, (_P - 1) // 2, _P) != 1:
        raise BadSignature(
            "java.lang.IllegalArgumentException: Invalid point compression"
        )
    if r % _N == 0:
        raise BadSignature("java.lang.ArithmeticException: BigInteger not invertible.")
    inverse = pow(r, -1, _N)
    by_g, by_r = -e * inverse % _N, s * inverse % _N
    parts = []
    if by_g:
        parts.append(coincurve.PrivateKey(by_g.to_bytes(32)).public_key)
    if by_r:
        point = coincurve.PublicKey(bytes([2 + recovery % 2]) + x.to_bytes(32))
        parts.append(point.multiply(by_r.to_bytes(32)))
    return address_of(_sum(parts))


def _sum(points: list[coincurve.PublicKey]) -> bytes:
    """x || y; nothing for infinity, which Java encodes in a single byte."""
    if not points:
        return b""
    try:
        total = coincurve.PublicKey.combine_keys(points)
    except ValueError:  # they cancel each other
        return b""
    return total.format(compressed=False)[1:]
