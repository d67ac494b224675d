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
from lucidtrond.devnet.state.recovery import recover_signer
from lucidtrond.devnet.state.rejections import BadSignature

MAX_SIGNATURES: Final = 5  # DynamicPropertiesStore.getTotalSignNum


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
        return next(
            (permission for permission in assumed if permission.id == wanted), None
        )
    permissions = permissions_of(account, default_operations)
    if permissions is None:
        return owner_permission(account.address) if wanted == 0 else None
    named = [permissions.owner, *permissions.actives]
    if permissions.witness is not None:
        named.append(permissions.witness)
    return next((permission for permission in named if permission.id == wanted), None)


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
