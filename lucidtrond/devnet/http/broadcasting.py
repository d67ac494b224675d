"""Servlets that take signed transactions, and those that weigh signatures."""

import json
from typing import Any

from lucidtrond.devnet.http.printing import Json, print_address, print_permission
from lucidtrond.devnet.http.requests import ServletRequest, is_visible
from lucidtrond.devnet.java.errors import JavaError, null_pointer
from lucidtrond.devnet.java.values import as_text, decode_hex
from lucidtrond.devnet.state.account import ACTIVE_PERMISSION, Permission
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.javaproto import BadProtobuf
from lucidtrond.devnet.state.received import receive, results_in
from lucidtrond.devnet.state.recovery import recover_signer
from lucidtrond.devnet.state.rejections import BadSignature, Refused
from lucidtrond.devnet.state.signatures import (
    allows,
    permission_for,
    weigh,
)
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.jsonformat import (
    parse_stored,
    print_message,
    print_transaction,
)
from lucidtrond.tron.jsontext import NullPointer
from lucidtrond.tron.transaction import MalformedTransaction, Transaction


def broadcast_transaction(ask: ServletRequest) -> Json:
    transaction, results, visible = _posted(ask)
    refusal = _submit(ask, transaction, results)
    if refusal is None:
        return {"result": True, "txid": transaction.txid}
    text = refusal.text if visible else refusal.text.encode().hex()
    return {"code": refusal.code, "txid": transaction.txid, "message": text}


def broadcast_hex(ask: ServletRequest) -> Json:
    data = decode_hex(as_text(ask.body().get("transaction")) or "")
    transaction, results, printed = _received(data)
    refusal = _submit(ask, transaction, results)
    return {
        "result": refusal is None,
        "code": "SUCCESS" if refusal is None else refusal.code,
        "txid": transaction.txid,
        "message": "" if refusal is None else refusal.text,
        "transaction": json.dumps(printed, separators=(",", ":")),
    }


def _submit(
    ask: ServletRequest, transaction: Transaction, results: tuple[bytes, ...]
) -> Refused | None:
    try:
        ask.chain.submit(Candidate.read(transaction, results))
    except Refused as refusal:
        return refusal
    return None


def _posted(ask: ServletRequest) -> tuple[Transaction, tuple[bytes, ...], bool]:
    """The transaction in a body, its results, and whether the body is visible
    (Util.packTransaction)."""
    body = ask.body()
    visible = is_visible(body)
    try:
        return *parse_stored(body, visible=visible), visible
    except NullPointer:
        raise null_pointer() from None
    except MalformedTransaction as error:
        raise JavaError("com.alibaba.fastjson.JSONException", str(error)) from None


def _received(data: bytes) -> tuple[Transaction, tuple[bytes, ...], Json]:
    """protocol.Transaction, which may lack everything, its results, and how it is
    printed: the message itself in visible style, so the contract's value stays hex."""
    try:
        transaction, message = receive(data)
    except BadProtobuf as error:
        raise JavaError(error.java_class, str(error)) from None
    printed = print_message(pb.Transaction.FromString(message), visible=True)
    return transaction, results_in(message), printed


class _Unweighed(Exception):
    """Why a transaction is not weighed: *code* and *message* as they are printed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message

    @property
    def printed(self) -> Json:
        return {"result": {"code": self.code, "message": self.message}}


def get_sign_weight(ask: ServletRequest) -> Json:
    transaction, _, visible = _posted(ask)
    candidate = Candidate.read(transaction)
    printed: Json = {"transaction": _wrapped(transaction, visible=visible)}
    try:
        permission = _permission_of(ask, candidate)
    except _Unweighed as problem:
        return printed | problem.printed
    printed["permission"] = print_permission(permission, visible=visible)
    try:
        weight, signers = weigh(permission, transaction.signatures, candidate.txid)
    except BadSignature as refusal:
        return printed | _bad_signature(refusal)
    if signers:
        printed["approved_list"] = [
            print_address(signer, visible=visible) for signer in signers
        ]
        printed["current_weight"] = weight
    enough = weight >= permission.threshold
    printed["result"] = {} if enough else {"code": "NOT_ENOUGH_PERMISSION"}
    return printed


def _permission_of(ask: ServletRequest, candidate: Candidate) -> Permission:
    """TransactionUtil.getTransactionSignWeight, before it looks at signatures."""
    if not candidate.contracts:
        raise _no_contract()
    account = ask.chain.pending.accounts.get(candidate.owner)
    if account is None:
        raise _Unweighed("PERMISSION_ERROR", "Account does not exist!")
    operations = ask.chain.genesis.default_operations
    permission = permission_for(candidate, account, operations)
    if permission is None:
        raise _Unweighed("PERMISSION_ERROR", "Permission for this, does not exist!")
    if candidate.permission_id and permission.type != ACTIVE_PERMISSION:
        raise _Unweighed("PERMISSION_ERROR", "Permission type is wrong!")
    if candidate.permission_id and not allows(permission, candidate.type):
        raise _Unweighed("PERMISSION_ERROR", "Permission denied!")
    return permission


def _no_contract() -> _Unweighed:
    return _Unweighed("OTHER_ERROR", "Invalid transaction: no valid contract")


def _bad_signature(refusal: BadSignature) -> Json:
    """What is said of signatures that nobody can have made, or nobody allowed."""
    # TransactionUtil tells SignatureFormatException, SignatureException (whatever
    # recovery throws is one) and PermissionException apart.
    if refusal.reason.startswith("Signature size"):
        code = "SIGNATURE_FORMAT_ERROR"
    elif refusal.reason.startswith("java."):
        code = "COMPUTE_ADDRESS_ERROR"
    else:
        code = "PERMISSION_ERROR"
    return {"result": {"code": code, "message": refusal.reason}}


def get_approved_list(ask: ServletRequest) -> Json:
    """Whoever signed, be it allowed or not (Wallet.getTransactionApprovedList)."""
    transaction, _, visible = _posted(ask)
    candidate = Candidate.read(transaction)
    printed: Json = {"transaction": _wrapped(transaction, visible=visible)}
    if not candidate.contracts:
        return printed | _no_contract().printed
    if ask.chain.pending.accounts.get(candidate.owner) is None:
        java = "class org.tron.core.exception.PermissionException"
        text = f"{java} : Account does not exist!"
        return printed | {"result": {"code": "OTHER_ERROR", "message": text}}
    try:
        signers = [
            recover_signer(candidate.txid, signature).raw
            for signature in transaction.signatures
        ]
    except BadSignature as refusal:
        return printed | _bad_signature(refusal)
    if signers:
        printed["approved_list"] = [
            print_address(signer, visible=visible) for signer in signers
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
