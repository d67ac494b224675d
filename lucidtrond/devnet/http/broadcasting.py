"""Servlets that take signed transactions, and those that weigh signatures."""

import json
from typing import Any, Final

from lucidtrond.devnet.http.errors import JavaError, null_pointer
from lucidtrond.devnet.http.printing import Json, print_address, print_permission
from lucidtrond.devnet.http.requests import Ask, as_text, decode_hex, is_visible
from lucidtrond.devnet.state.account import ACTIVE_PERMISSION
from lucidtrond.devnet.state.candidate import TRUNCATED, Candidate
from lucidtrond.devnet.state.refused import BadSignature, Refused
from lucidtrond.devnet.state.signatures import (
    allows,
    permission_for,
    recover_signer,
    weigh,
)
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.jsonformat import (
    parse_transaction,
    print_message,
    print_transaction,
)
from lucidtrond.tron.jsontext import NullPointer
from lucidtrond.tron.transaction import MalformedTransaction, Transaction
from lucidtrond.tron.wirebytes import MalformedMessage, walk

# protobuf-java's own sentence.
ZERO_TAG: Final = "Protocol message contained an invalid tag (zero)."


def broadcast_transaction(ask: Ask) -> Json:
    transaction, visible = _posted(ask)
    refusal = _submit(ask, transaction)
    if refusal is None:
        return {"result": True, "txid": transaction.txid}
    text = refusal.text if visible else refusal.text.encode().hex()
    return {"code": refusal.code, "txid": transaction.txid, "message": text}


def broadcast_hex(ask: Ask) -> Json:
    data = decode_hex(as_text(ask.body().get("transaction")) or "")
    transaction = _decode(data)
    refusal = _submit(ask, transaction)
    return {
        "result": refusal is None,
        "code": "SUCCESS" if refusal is None else refusal.code,
        "txid": transaction.txid,
        "message": "" if refusal is None else refusal.text,
        "transaction": json.dumps(_print_protobuf(data), separators=(",", ":")),
    }


def _submit(ask: Ask, transaction: Transaction) -> Refused | None:
    try:
        ask.chain.submit(_candidate(transaction))
    except Refused as refusal:
        return refusal
    return None


def _candidate(transaction: Transaction) -> Candidate:
    try:
        return Candidate.read(transaction)
    except MalformedTransaction:
        raise _bad_protobuf(TRUNCATED) from None


def _posted(ask: Ask) -> tuple[Transaction, bool]:
    """The transaction in a body, and whether that is visible (Util.packTransaction)."""
    body = ask.body()
    visible = is_visible(body)
    try:
        return parse_transaction(body, visible=visible), visible
    except NullPointer:
        raise null_pointer() from None
    except MalformedTransaction as error:
        raise JavaError("com.alibaba.fastjson.JSONException", str(error)) from None


def _decode(data: bytes) -> Transaction:
    """protocol.Transaction, which may lack everything."""
    try:
        fields = [each for each in walk(data) if isinstance(each[1], bytes)]
    except MalformedMessage as error:
        words = ZERO_TAG if "tag" in str(error) else TRUNCATED
        raise _bad_protobuf(words) from None
    # A message that comes in parts is the parts one after the other (protobuf).
    raw = b"".join(bytes(value) for number, value in fields if number == 1)
    signatures = tuple(bytes(value) for number, value in fields if number == 2)
    return Transaction(raw, signatures)


def _bad_protobuf(words: str) -> JavaError:
    return JavaError("com.google.protobuf.InvalidProtocolBufferException", words)


def _print_protobuf(data: bytes) -> Json:
    """The message itself in visible style: the contract's value stays hex."""
    return print_message(pb.Transaction.FromString(data), visible=True)


def get_sign_weight(ask: Ask) -> Json:
    transaction, visible = _posted(ask)
    candidate = _candidate(transaction)
    printed: Json = {"transaction": _wrapped(transaction, visible=visible)}
    # TransactionUtil.getTransactionSignWeight
    account = ask.chain.pending.accounts.get(candidate.owner)
    if account is None:
        return printed | _weight_error("Account does not exist!")
    permission = permission_for(
        candidate, account, ask.chain.genesis.default_operations
    )
    if permission is None:
        return printed | _weight_error("Permission for this, does not exist!")
    if candidate.permission_id and permission.type != ACTIVE_PERMISSION:
        return printed | _weight_error("Permission type is wrong!")
    if candidate.permission_id and not allows(permission, candidate.type):
        return printed | _weight_error("Permission denied!")
    printed["permission"] = print_permission(permission, visible=visible)
    try:
        weight, signers = weigh(permission, transaction.signatures, candidate.txid)
    except BadSignature as refusal:
        return printed | _bad_signature(refusal)
    if signers:
        printed["approved_list"] = [
            print_address(each, visible=visible) for each in signers
        ]
        printed["current_weight"] = weight
    enough = weight >= permission.threshold
    printed["result"] = {} if enough else {"code": "NOT_ENOUGH_PERMISSION"}
    return printed


def _weight_error(message: str) -> Json:
    return {"result": {"code": "PERMISSION_ERROR", "message": message}}


def _bad_signature(refusal: BadSignature) -> Json:
    """What is said of signatures that nobody can have made, or nobody allowed."""
    java, _, words = refusal.reason.partition(": ")
    if java.startswith("Signature size"):
        code, words = "SIGNATURE_FORMAT_ERROR", refusal.reason
    elif java == "java.security.SignatureException":
        code = "COMPUTE_ADDRESS_ERROR"
    elif java == "java.lang.IllegalArgumentException":
        code, words = "OTHER_ERROR", f"class {java} : {words}"
    else:
        code, words = "PERMISSION_ERROR", refusal.reason
    return {"result": {"code": code, "message": words}}


def get_approved_list(ask: Ask) -> Json:
    """Whoever signed, be it allowed or not (Wallet.getTransactionApprovedList)."""
    transaction, visible = _posted(ask)
    candidate = _candidate(transaction)
    printed: Json = {"transaction": _wrapped(transaction, visible=visible)}
    if ask.chain.pending.accounts.get(candidate.owner) is None:
        java = "class org.tron.core.exception.PermissionException"
        text = f"{java} : Account does not exist!"
        return printed | {"result": {"code": "OTHER_ERROR", "message": text}}
    try:
        signers = [
            recover_signer(candidate.txid, each).raw for each in transaction.signatures
        ]
    except BadSignature as refusal:
        return printed | _bad_signature(refusal)
    if signers:
        printed["approved_list"] = [
            print_address(each, visible=visible) for each in signers
        ]
    return printed | {"result": {}}


def _wrapped(transaction: Transaction, *, visible: bool) -> dict[str, Any]:
    return {
        "result": {"result": True},
        "txid": transaction.txid,
        "transaction": print_transaction(
            transaction.raw, transaction.signatures, visible=visible
        ),
    }
