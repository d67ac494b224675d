"""secp256k1 from its definition, slow and plain: the second opinion on coincurve."""

import hashlib
import hmac

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)

Point = tuple[int, int] | None


def add(a: Point, b: Point) -> Point:
    if a is None:
        return b
    if b is None:
        return a
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    if a == b:
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(point: Point, factor: int) -> Point:
    result: Point = None
    while factor:
        if factor & 1:
            result = add(result, point)
        point = add(point, point)
        factor >>= 1
    return result


def encode_point(point: Point) -> bytes:
    assert point is not None
    return point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def public_key(secret: bytes) -> bytes:
    return encode_point(multiply(G, int.from_bytes(secret, "big")))


def nonce(secret: bytes, digest: bytes) -> int:
    """RFC 6979 with HMAC-SHA256."""
    key, value = bytes(32), b"\x01" * 32
    reduced = (int.from_bytes(digest, "big") % N).to_bytes(32, "big")
    for mark in (b"\0", b"\x01"):
        key = hmac.new(key, value + mark + secret + reduced, hashlib.sha256).digest()
        value = hmac.new(key, value, hashlib.sha256).digest()
    while True:
        value = hmac.new(key, value, hashlib.sha256).digest()
        candidate = int.from_bytes(value, "big")
        if 0 < candidate < N:
            return candidate
        key = hmac.new(key, value + b"\0", hashlib.sha256).digest()
        value = hmac.new(key, value, hashlib.sha256).digest()


def sign(secret: bytes, digest: bytes) -> bytes:
    k = nonce(secret, digest)
    point = multiply(G, k)
    assert point is not None
    r = point[0] % N
    z, d = int.from_bytes(digest, "big"), int.from_bytes(secret, "big")
    s = pow(k, -1, N) * (z + r * d) % N
    v = point[1] & 1 | (point[0] >= N) << 1
    if s > N // 2:
        s, v = N - s, v ^ 1
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v])


def recover(digest: bytes, signature: bytes) -> bytes | None:
    r, s = (
        int.from_bytes(signature[:32], "big"),
        int.from_bytes(signature[32:64], "big"),
    )
    v = signature[64]
    if not (0 < r < N and 0 < s < N):
        return None
    x = r + N * (v >> 1)
    if x >= P:
        return None
    y = pow(x * x * x + 7, (P + 1) // 4, P)
    if y * y % P != (x * x * x + 7) % P:
        return None
    if y & 1 != v & 1:
        y = P - y
    z = int.from_bytes(digest, "big")
    inverse = pow(r, -1, N)
    point = add(multiply((x, y), s * inverse % N), multiply(G, -z * inverse % N))
    return None if point is None else encode_point(point)
