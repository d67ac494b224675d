"""Results as text for people; everything here takes what the daemon answered."""

import json
from datetime import UTC, datetime
from typing import Any

from lucidtrond.cli.amounts import Assets, show_sun
from lucidtrond.cli.connection import RpcFailure
from lucidtrond.tron.units import format_decimal

Result = dict[str, Any]


def time(ms: int | None) -> str:
    """A time of the chain, in UTC."""
    if not ms:
        return "-"
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def lines(*rows: tuple[str, Any]) -> str:
    """Names and values in two columns; None values are left out."""
    shown = [(name, value) for name, value in rows if value is not None]
    width = max((len(name) for name, _ in shown), default=0)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in shown)


def failure(exc: RpcFailure) -> str:
    """The error with what its data adds for a person."""
    text = str(exc)
    for key, value in exc.data.items():
        shown = show_sun(value) if key.endswith("_sun") else value
        text += f"\n  {key.removesuffix('_sun').replace('_', ' ')}: {shown}"
    return text


def status(result: Result) -> str:
    """Daemon, network and keystore in one view."""
    daemon, network = result["daemon"], result["network"]
    keystore = result["keystore"]
    if not keystore["exists"]:
        key_state = "none yet: lucidtron init"
    else:
        key_state = "locked" if keystore["locked"] else "unlocked"
    return lines(
        ("daemon", f"lucidtrond {daemon['version']}, up {daemon['uptime_s']:.0f} s"),
        ("network", network["network"]),
        ("head", network.get("head_number")),
        ("solidified", network.get("solid_number")),
        ("synced", _synced(network)),
        *(("warning", text) for text in network.get("warnings") or ()),
        ("keystore", key_state),
        *(("problem", text) for text in result["health"]["problems"]),
    )


def _synced(network: Result) -> str:
    if network.get("synced"):
        return "yes"
    since, reason = network.get("since_ms"), network.get("not_synced_reason")
    words = "no" if since is None else f"no, since {time(since)}"
    return words if reason is None else f"{words}: {reason}"


def wallet(result: Result) -> str:
    """One wallet on one line."""
    return f"{result['wallet_id']}  {result['address']}  {result.get('label') or ''}"


def wallets(result: Result) -> str:
    """A list of wallets."""
    return "\n".join(wallet(row) for row in result["wallets"]) or "no wallets yet"


def balance(result: Result) -> str:
    """What an address has."""
    return lines(
        ("address", result["address"]),
        ("balance", show_sun(result["balance_sun"])),
        ("activated", "yes" if result.get("activated") else "no"),
    )


def tokens(result: Result) -> str:
    """The known tokens."""
    return (
        "\n".join(
            f"{token['symbol']:<8}  {token['token']}  {token['decimals']} decimals  "
            f"{token['name']}"
            for token in result["tokens"]
        )
        or "no token is known on this network"
    )


def token(result: Result) -> str:
    """What a contract says of itself, and what we know of it."""
    if result["known"]:
        standing = "known"
    elif result["imitates"]:
        standing = f"UNKNOWN; is called like {result['imitates']}, do not trust it"
    else:
        standing = "unknown"
    decimals = result["decimals"]
    supply = int(result["total_supply_raw"])
    return lines(
        ("token", result["token"]),
        ("standing", standing),
        ("symbol", result["symbol"]),
        ("name", result["name"]),
        ("decimals", decimals),
        ("supply", format_decimal(supply, decimals or 0)),
    )


def token_balance(result: Result, assets: Assets) -> str:
    """What an address has of a token."""
    return lines(
        ("address", result["address"]),
        ("balance", assets.show(result["balance_raw"], result["token"])),
    )


_WORDS = {
    "queued": "accepted, not signed yet",
    "signed": "signed, about to be sent",
    "pending": "sent; not in a block yet",
    "included": "in a block; not final yet",
    "reverted": "a fork took it back; it may land again",
    "solidified": "paid, final",
    "failed": "failed",
    "unproven": "in a final block; nothing proves that it paid or failed",
    "expired": "not paid; it can't land any more",
    "checked": "could be paid; nothing was sent",
}
"""The states of a payment, for a shopkeeper."""

_UNPROVEN = "it may have paid: do not pay again, compare balances"


def pending(result: Result, assets: Assets) -> str:
    """Payments that are not settled, and what can be done about each."""
    blocks = []
    for row in result["pending"]:
        payment = row["payment"]
        if row["safe_to_retry"]:
            advice = "it did not pay and can't any more: you may pay anew"
        elif row["in_flight_until_ms"]:
            until = time(row["in_flight_until_ms"])
            advice = f"it may still land until {until}: do not pay again, wait"
        elif payment["state"] == "unproven":
            advice = _UNPROVEN
        else:
            advice = "do not pay again, wait"
        amount = assets.show(payment["amount"], payment["asset"])
        blocks.append(
            f"{payment['payment_id']}  {amount} to {payment['to_address']}\n"
            f"    {_WORDS[payment['state']]}\n    {advice}"
        )
    return "\n".join(blocks) or "nothing is pending"


def queued(result: Result, assets: Assets) -> str:
    """Payments that wait for approval, with totals, and what can't be approved."""
    lines = [
        f"{payment['payment_id']}  {assets.show(payment['amount'], payment['asset'])}"
        f" from {payment['from_address']} to {payment['to_address']}"
        for payment in result["payments"]
    ]
    lines += [
        f"{total['payments']} payments, {assets.show(total['amount'], total['asset'])}"
        for total in result["totals"]
    ]
    lines += [
        f"set aside: {fault['payment_id'] or fault['txid']}: {fault['field']}:"
        f" expected {fault['wanted']}, stored {fault['stored']}"
        for fault in result["set_aside"]
    ]
    return "\n".join(lines) or "nothing waits for approval"


def foreign(result: Result, assets: Assets) -> str:
    """Transactions that the journal does not know, and what they stop."""
    shown = []
    held = result["held_back"]
    if held is not None:
        shown.append(
            f"nothing new is paid before a final block is past {time(held['until_ms'])}"
            f" (chain time): {held['reason']}"
        )
    for row in result["transactions"]:
        what = "no plain transfer"
        if row["asset"] is not None:
            amount = assets.show(row["amount"], row["asset"])
            what = f"{amount} to {row['to_address']}"
        place = row["block_number"]
        block = "in no block any more" if place is None else f"in block {place}"
        shown.append(
            f"{row['txid']}  {row['from_address']}  {what}  {block}  {_why(row)}"
        )
    return "\n".join(shown) or "the journal knows all transactions"


def _why(row: Result) -> str:
    if row["stops"]:
        return "stops its wallet"
    if row["adopted"]:
        return "adopted"
    return "acknowledged" if row["acknowledged"] else row["flag"] or "warned of"


def acknowledged(result: Result) -> str:
    """What an operator has explained."""
    parts = [f"acknowledged: {row['txid']}" for row in result["transactions"]]
    if result["released"]:
        parts.append("new payments are not held back any more")
    return "\n".join(parts) or "nothing was held back"


_DONE = {
    "sent_again": "the same transaction was sent again; it can't pay twice",
    "paid_anew": "the last one can't pay any more, so a new transaction pays",
    "nothing": "it is in a block already, nothing was done; wait until it is final",
}
_WOULD = {
    "sent_again": "the same transaction would be sent again; it can't pay twice",
    "paid_anew": "the last one can't pay any more; a new transaction would pay",
    "nothing": "it is in a block already; nothing would be done",
}
"""What tx.retry did, or would do, for a shopkeeper."""


def retried(result: Result, assets: Assets) -> str:
    """What asking once more came to."""
    words = (_WOULD if result["checked"] else _DONE)[result["action"]]
    code = result["broadcast_code"]
    if result["payment"] is None:
        said = lines(("txid", result["txid"]), ("the node says", code))
        return f"{words}\n{said}"
    return f"{words}\n{payment(result['payment'], assets)}"


def retry_refused(refused: RpcFailure) -> str | None:
    """Why nothing is done, and what to do instead; None: it needs no other words.

    The numbers are those of `rpc.codes`.
    """
    until = time(refused.data.get("in_flight_until_ms"))
    match refused.code:
        case 305:
            return "it is paid, final: there is nothing to do"
        case 302 if until != "-":
            return (
                f"it may have been paid: no block can take it from {until} on, which"
                " final blocks have yet to prove (about a minute later). Do not pay"
                " again, wait, then ask once more"
            )
        case 302 if refused.data.get("state") == "unproven":
            return f"{refused}\n{_UNPROVEN}"
        case 302:
            return "it may still land: do not pay again, wait, then ask once more"
        case 303:
            fee = show_sun(refused.data.get("fee_sun"))
            return (
                f"{refused}\nit did not pay, and cost {fee}. To pay with a new"
                " transaction, which may cost as much again:"
                " lucidtron retry TXID --pay-again"
            )
        case _:
            return None


def proposal(result: Result, assets: Assets) -> str:
    """A payment that was only checked, to be agreed to; addresses are base58."""
    amount = assets.show(result["amount"], result["asset"])
    text = f"{amount} from {result['from_address']} to {result['to_address']}"
    cost = _highest_cost(result)
    return f"{text}, at a cost of up to {cost}" if cost else text


def payment(result: Result, assets: Assets, network: str | None = None) -> str:
    """What became of a payment, in a shopkeeper's words."""
    return lines(
        ("network", network),
        ("payment", result["payment_id"]),
        ("state", f"{result['state']}: {_WORDS[result['state']]}"),
        ("from", result["from_address"]),
        ("to", result["to_address"]),
        ("amount", assets.show(result["amount"], result["asset"])),
        ("txid", result.get("txid")),
        ("block", result.get("block_number")),
        ("fee", show_sun(result["fee_sun"]) if result.get("fee_sun") else None),
        ("costs up to", _highest_cost(result)),
        ("reason", result.get("reason")),
        ("sent", _times(result.get("broadcasts"))),
        (
            "may land until",
            time(result.get("in_flight_until_ms"))
            if result.get("in_flight_until_ms")
            else None,
        ),
    )


def _times(broadcasts: int | None) -> str | None:
    """How often it was sent, if that is worth a word."""
    return f"{broadcasts} times" if broadcasts and broadcasts > 1 else None


def _highest_cost(result: Result) -> str | None:
    """What a payment may burn, while it is not known what it did."""
    if result.get("fee_sun") or not result.get("burn_sun"):
        return None
    return show_sun(result["burn_sun"])


def progress(result: Result) -> str:
    """One line while waiting."""
    return f"… {result['state']}"


def _moved(transfer: Result, assets: Assets) -> str:
    amount = assets.show(transfer["amount_raw"], transfer["token"])
    return f"{transfer['from_address']} → {transfer['to_address']}  {amount}"


def receipt(result: Result, assets: Assets) -> str:
    """What a transaction did and cost."""
    moved = [
        ("moved", _moved(transfer, assets)) for transfer in result["token_transfers"]
    ]
    ran = result.get("contract_address") and result.get("energy_usage_total")
    if result.get("success") and ran and not moved:
        moved = [("moved", "no Transfer log: no token is proven to have moved")]
    return lines(
        ("txid", result["txid"]),
        ("block", result.get("block_number")),
        ("time", time(result.get("block_timestamp_ms"))),
        ("success", "yes" if result.get("success") else "no"),
        ("solidified", "yes" if result.get("solidified") else "no"),
        ("confirmations", result.get("confirmations")),
        ("fee", show_sun(result.get("fee_sun"))),
        ("bandwidth", result.get("net_usage")),
        ("energy", result.get("energy_usage_total") or None),
        ("reason", result.get("message") or None),
        *moved,
    )


def history(result: Result, assets: Assets) -> str:
    """Transfers, newest first."""
    rows = []
    for entry in result["entries"]:
        amount = assets.show(entry["amount"], entry["asset"])
        final = "" if entry["solidified"] else "  (not final)"
        failed = "" if entry["success"] else "  FAILED"
        if entry.get("contradicted"):
            failed = "  (unproven: call and receipt contradict each other)"
        unknown = "  (unknown token)" if entry["unknown_token"] else ""
        rows.append(
            f"{time(entry['block_timestamp_ms'])}  {entry['from_address']} → "
            f"{entry['to_address']}  {amount}{unknown}{failed}{final}"
        )
    return "\n".join(rows) or "nothing yet"


def event(message: Result, assets: Assets) -> str:
    """One event on one line."""
    body = message.get("params", {})
    if message.get("method") == "events.lagged":
        return f"fell behind; resume with --since {body.get('resume_from')}"
    happened = body.get("event", {})
    if "payment" in happened:
        text = _payment_event(happened["payment"], assets)
    elif "entry" in happened:
        text = _transfer_event(happened, assets)
    else:
        text = " ".join(f"{key}={_plain(value)}" for key, value in happened.items())
    return f"{body.get('seq')}  {body.get('topic')}  {text}"


def _payment_event(row: Result, assets: Assets) -> str:
    amount = assets.show(row["amount"], row["asset"])
    return (
        f"{time(row.get('updated_ms'))}  {row['payment_id']} {row['state']}  {amount}"
        f" to {row['to_address']}  {row.get('txid') or ''}"
    ).rstrip()


def _transfer_event(happened: Result, assets: Assets) -> str:
    row = happened["entry"]
    amount = assets.show(row["amount"], row["asset"])
    unknown = "  (unknown token)" if row.get("unknown_token") else ""
    return (
        f"{time(row.get('block_timestamp_ms'))}  {happened['change']}"
        f" {row['from_address']} → {row['to_address']}  {amount}{unknown}"
        f"  {row['txid']}"
    )


def _plain(value: Any) -> str:
    """A value of an event as its JSON, texts without quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
