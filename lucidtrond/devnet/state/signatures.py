"""Who signed, and whether that is enough (TransactionCapsule.validateSignature)."""

from typing import Final

from lucidtrond.devnet.state.account import (
    ACTIVE_PERMISSION,
    Account,
    Permission,
    active_permission,
    owner_permission,
    permissions_of,
)
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.refused import BadSignature
from lucidtrond.tron.address import Address
from lucidtrond.tron.keys import BadSignature as NobodysSignature
from lucidtrond.tron.keys import recover

MAX_SIGNATURES: Final = 5  # DynamicPropertiesStore.getTotalSignNum
SIGNATURE_SIZE: Final = 65
_FIELD: Final = 2**256 - 2**32 - 977  # secp256k1


def check_signatures(
    candidate: Candidate, account: Account | None, default_operations: bytes
) -> None:
    """Raises BadSignature with java-tron's words."""
    signatures = candidate.transaction.signatures
    if not signatures or not candidate.contracts:
        raise BadSignature("miss sig or contract")
    if len(signatures) > MAX_SIGNATURES:
        raise BadSignature("too many signatures")
    permission = permission_for(candidate, account, default_operations)
    if permission is None:
        raise BadSignature("permission isn't exit")
    if candidate.permission_id:
        if permission.type != ACTIVE_PERMISSION:
            raise BadSignature("Permission type is error")
        if not allows(permission, candidate.type):
            raise BadSignature("Permission denied")
    weight, _ = weigh(permission, signatures, candidate.txid)
    if weight < permission.threshold:
        raise BadSignature("sig error")


def permission_for(
    candidate: Candidate, account: Account | None, default_operations: bytes
) -> Permission | None:
    """The permission that the transaction names; None when there is none."""
    wanted = candidate.permission_id
    if account is None:
        # Assumed for an owner that does not exist yet; a later check refuses it.
        assumed = (
            owner_permission(candidate.owner),
            active_permission(candidate.owner, default_operations),
        )
        return next((each for each in assumed if each.id == wanted), None)
    permissions = permissions_of(account, default_operations)
    if permissions is None:
        return owner_permission(account.address) if wanted == 0 else None
    named = [permissions.owner, *permissions.actives]
    if permissions.witness is not None:
        named.append(permissions.witness)
    return next((each for each in named if each.id == wanted), None)


def allows(permission: Permission, contract_type: int) -> bool:
    """Whether the operation bit of a contract type is set."""
    at, bit = divmod(contract_type, 8)
    operations = permission.operations
    return at < len(operations) and bool(operations[at] >> bit & 1)


def weigh(
    permission: Permission, signatures: tuple[bytes, ...], digest: bytes
) -> tuple[int, list[bytes]]:
    """Sum of the signers' weights, and the signers.

    Raises:
        BadSignature: one of them does not belong.
    """
    if len(signatures) > len(permission.keys):
        raise BadSignature(
            f"Signature count is {len(signatures)} more than key counts of"
            f" permission : {len(permission.keys)}"
        )
    weights = dict(permission.keys)
    signers: list[bytes] = []
    for signature in signatures:
        signer = recover_signer(digest, signature)
        if not weights.get(signer.raw):
            raise BadSignature(
                f"{signature.hex()} is signed by {signer.base58} but it is not"
                " contained of permission."
            )
        if signer.raw in signers:
            raise BadSignature(f"{signer.base58} has signed twice!")
        signers.append(signer.raw)
    return sum(weights[signer] for signer in signers), signers


def recover_signer(digest: bytes, signature: bytes) -> Address:
    """Say who signed; bytes behind the first 65 are ignored, as the node does.

    Raises:
        BadSignature: with the words of java-tron's ECKey.
    """
    if len(signature) < SIGNATURE_SIZE:
        raise BadSignature(f"Signature size is {len(signature)}")
    header = signature[64] + (27 if signature[64] < 27 else 0)  # Rsv.fromSignature
    if not 27 <= header <= 34:
        raise BadSignature(
            f"java.security.SignatureException: Header byte out of range: {header}"
        )
    recovery = (header - 27) % 4
    try:
        return recover(digest, signature[:64] + bytes([recovery]))
    except NobodysSignature:
        x = int.from_bytes(signature[:32], "big")
        if x < _FIELD and recovery < 2 and not _on_curve(x):
            raise BadSignature(
                "java.lang.IllegalArgumentException: Invalid point compression"
            ) from None
        raise BadSignature(
            "java.security.SignatureException:"
            " Could not recover public key from signature"
        ) from None


def _on_curve(x: int) -> bool:
    return pow(x**3 + 7, (_FIELD - 1) // 2, _FIELD) == 1
