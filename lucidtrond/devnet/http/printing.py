"""Blocks, receipts and accounts as the node prints them: defaults are left out."""

from collections.abc import Mapping
from typing import Any

from lucidtrond.devnet.state.account import (
    ACTIVE_PERMISSION,
    WITNESS_PERMISSION,
    Account,
    Permission,
    Permissions,
    Unfreezing,
    permissions_of,
)
from lucidtrond.devnet.state.assets import asset_of
from lucidtrond.devnet.state.bandwidth import (
    net_limit,
    net_used,
    recovered_net,
)
from lucidtrond.devnet.state.blocks import (
    SUCCESS,
    BlockRow,
    CallRow,
    LogRow,
    TransactionRow,
)
from lucidtrond.devnet.state.energy import energy_limit, energy_used, use_energy
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.invariants import present
from lucidtrond.devnet.state.rewards import running_own
from lucidtrond.devnet.state.stakes import ENERGY, tron_power
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.base58 import encode_check
from lucidtrond.tron.block import BLOCK_INTERVAL_MS
from lucidtrond.tron.jsonformat import print_message, print_transaction
from lucidtrond.tron.resources import recovered
from lucidtrond.tron.units import SUN_PER_TRX

Json = dict[str, Any]


def print_address(raw: bytes, *, visible: bool) -> str:
    """Base58 or hex, of any bytes."""
    return encode_check(raw) if visible else raw.hex()


def print_row(row: TransactionRow, *, visible: bool) -> Json:
    """A transaction of a block or of the pool."""
    printed = print_transaction(
        row.raw,
        row.signatures,
        visible=visible,
        contract_ret=None
        if row.contract_ret is None
        else print_result(row.contract_ret),
    )
    if row.results:
        printed["ret"] = [
            print_message(pb.Transaction.Result.FromString(result), visible=visible)
            for result in row.results
        ]
    return printed


def print_block(row: BlockRow, *, visible: bool, detail: bool = True) -> Json:
    """A block, without its transactions unless *detail*."""
    raw_data = _filled(
        number=row.number,
        txTrieRoot=row.root.hex(),
        witness_address=print_address(row.witness, visible=visible),
        parentHash=row.parent.hex(),
        version=row.version,
        timestamp=row.timestamp,
    )
    header = _filled(raw_data=raw_data, witness_signature=row.signature.hex())
    printed: Json = {"blockID": row.id.hex(), "block_header": header}
    if detail and row.transactions:
        printed["transactions"] = [
            print_row(included, visible=visible) for included in row.transactions
        ]
    return printed


def print_receipt(row: TransactionRow) -> Json:
    """What a transaction cost: ResourceReceipt."""
    receipt, call = row.receipt, row.receipt.call
    printed = _filled(net_usage=receipt.net_usage, net_fee=receipt.net_fee)
    if call is None:
        return printed
    return printed | _filled(
        energy_usage=call.energy_usage,
        energy_fee=call.energy_fee,
        origin_energy_usage=call.origin_usage,
        energy_usage_total=call.energy_total,
        result=print_result(call.result),
    )


def print_info(
    row: TransactionRow, block: BlockRow, *, visible: bool, bare_logs: bool = False
) -> Json:
    """TransactionInfo; *bare_logs* name contracts by 20 bytes, even for humans."""
    call = row.receipt.call
    return {
        "id": row.transaction.txid,
        **_filled(
            fee=row.receipt.fee,
            blockNumber=block.number,
            blockTimeStamp=block.timestamp,
        ),
        "contractResult": [call.returned.hex() if call else ""],
        "receipt": print_receipt(row),
        **(_print_call(call, visible=visible, bare_logs=bare_logs) if call else {}),
        **_filled(
            assetIssueID=row.receipt.asset_issue_id,
            withdraw_amount=row.receipt.withdrawn,
            withdraw_expire_amount=row.receipt.expired_unfreezing,
            cancel_unfreezeV2_amount=_print_cancelled(row.receipt.cancelled),
        ),
    }


def _print_cancelled(cancelled: tuple[int, int] | None) -> list[Json]:
    """A map in the order of its hashes."""
    if cancelled is None:
        return []
    net, energy = cancelled
    return _map({"ENERGY": energy, "TRON_POWER": 0, "BANDWIDTH": net})


def _print_call(call: CallRow, *, visible: bool, bare_logs: bool) -> Json:
    failed = call.result != SUCCESS
    return _filled(
        contract_address=print_address(call.contract, visible=visible),
        result="FAILED" if failed else None,
        resMessage=_text(call.message.encode(), visible=visible),
        log=[print_log(log, visible=visible, bare=bare_logs) for log in call.logs],
    )


def print_log(log: LogRow, *, visible: bool, bare: bool = False) -> Json:
    """An event; its address is without the prefix, for humans only if *bare*."""
    address = log.address if visible and not bare else log.address[1:]
    return _filled(
        address=print_address(address, visible=visible),
        topics=[topic.hex() for topic in log.topics],
        data=log.data.hex(),
    )


def print_account(
    account: Account, world: World, genesis: Genesis, *, visible: bool, by_id: bool
) -> Json:
    """An account as of the view's head; *by_id* leaves the list of stakes as stored."""
    now = genesis.slot(world.globals.timestamp)
    current = use_energy(recovered_net(account, now), 0, now)
    permissions = permissions_of(account, genesis.default_operations)
    printed = _filled(
        account_name=_text(account.name, visible=visible),
        type="Contract" if world.contracts.get(account.address) else None,
        address=print_address(account.address, visible=visible),
        balance=account.balance,
        net_usage=current.net_usage,
        create_time=account.created_ms,
        latest_opration_time=account.operation_ms,
        allowance=account.allowance + running_own(world, account, genesis),
        latest_withdraw_time=account.withdrawn_ms,
        is_witness=account.is_witness,
        votes=[
            {"vote_address": print_address(witness, visible=visible), "vote_count": n}
            for witness, n in account.votes
        ],
        free_net_usage=recovered(account.free_net_usage, account.free_net_slot, now),
        latest_consume_time=_slot_ms(account.net_slot, genesis),
        latest_consume_free_time=_slot_ms(account.free_net_slot, genesis),
        account_id=_text(account.account_id, visible=visible),
        net_window_size=current.net_window,
        net_window_optimized=True,
        delegated_frozenV2_balance_for_bandwidth=account.lent_net,
        acquired_delegated_frozenV2_balance_for_bandwidth=account.borrowed_net,
    )
    printed["account_resource"] = _filled(
        energy_usage=current.energy_usage,
        latest_consume_time_for_energy=_slot_ms(account.energy_slot, genesis),
        energy_window_size=current.energy_window,
        delegated_frozenV2_balance_for_energy=account.lent_energy,
        acquired_delegated_frozenV2_balance_for_energy=account.borrowed_energy,
        energy_window_optimized=True,
    )
    printed |= print_tokens(account, world, now, visible=visible)
    if permissions is not None:
        printed |= _print_permissions(permissions, visible=visible)
    if not by_id or tron_power(account):
        printed["frozenV2"] = [
            _filled(amount=account.staked_net),
            _filled(type="ENERGY", amount=account.staked_energy),
            {"type": "TRON_POWER"},
        ]
    if account.unfreezing:
        printed["unfrozenV2"] = [
            _print_unfreezing(unfreezing) for unfreezing in account.unfreezing
        ]
    return printed


def _print_unfreezing(entry: Unfreezing) -> Json:
    return _filled(
        type="ENERGY" if entry.resource == ENERGY else None,
        unfreeze_amount=entry.amount,
        unfreeze_expire_time=entry.expires_ms,
    )


def print_tokens(account: Account, world: World, now: int, *, visible: bool) -> Json:
    """TRC-10 of getaccount; the issued id is text (Util.convertOutput)."""
    issued = asset_of(world, account.issued)
    used = {
        holding.token.decode(): recovered(holding.net_usage, holding.net_slot, now)
        for holding in account.tokens
    }
    slots = {holding.token.decode(): holding.net_slot for holding in account.tokens}
    return _filled(
        asset_issued_name=_text(issued.name, visible=visible) if issued else "",
        asset_issued_ID=account.issued.decode(),
        assetV2=_map(
            {holding.token.decode(): holding.amount for holding in account.tokens}
        ),
        latest_asset_operation_timeV2=_map(
            {token: slot for token, slot in slots.items() if slot}
        ),
        free_asset_net_usageV2=_map(used),
        frozen_supply=[
            _filled(frozen_balance=amount, expire_time=expires)
            for amount, expires in account.frozen_supply
        ],
    )


def _map(entries: Mapping[str, int]) -> list[Json]:
    """A protobuf map as JsonFormat prints it, zeros too."""
    return [{"key": key, "value": value} for key, value in entries.items()]


def _print_token_net(account: Account, world: World, now: int) -> Json:
    limits = {
        holding.token.decode(): present(
            asset_of(world, holding.token)
        ).free_asset_net_limit
        for holding in account.tokens
    }
    used = {
        holding.token.decode(): recovered(holding.net_usage, holding.net_slot, now)
        for holding in account.tokens
    }
    return _filled(assetNetUsed=_map(used), assetNetLimit=_map(limits))


def print_net(account: Account, world: World, genesis: Genesis) -> Json:
    """Bandwidth: getaccountnet, and the first half of getaccountresource."""
    now = genesis.slot(world.globals.timestamp)
    return _filled(
        freeNetUsed=recovered(account.free_net_usage, account.free_net_slot, now),
        freeNetLimit=genesis.parameters.free_net_limit,
        NetUsed=net_used(account, now),
        NetLimit=net_limit(account, world, genesis),
        TotalNetLimit=genesis.parameters.total_net_limit,
        TotalNetWeight=world.globals.total_net_weight,
    ) | _print_token_net(account, world, now)


def print_resources(account: Account, world: World, genesis: Genesis) -> Json:
    """getaccountresource."""
    now = genesis.slot(world.globals.timestamp)
    return print_net(account, world, genesis) | _filled(
        tronPowerUsed=sum(count for _, count in account.votes),
        tronPowerLimit=tron_power(account) // SUN_PER_TRX,
        EnergyUsed=energy_used(account, now),
        EnergyLimit=energy_limit(account, world, genesis),
        TotalEnergyLimit=genesis.parameters.total_energy_limit,
        TotalEnergyWeight=world.globals.total_energy_weight,
    )


def print_permission(permission: Permission, *, visible: bool) -> Json:
    """One permission."""
    kinds = {WITNESS_PERMISSION: "Witness", ACTIVE_PERMISSION: "Active"}
    printed = _filled(
        type=kinds.get(permission.type),
        id=permission.id,
        permission_name=permission.name,
        threshold=permission.threshold,
        operations=permission.operations.hex(),
    )
    printed["keys"] = [
        _filled(address=print_address(address, visible=visible), weight=weight)
        for address, weight in permission.keys
    ]
    return printed


def _print_permissions(permissions: Permissions, *, visible: bool) -> Json:
    printed = {"owner_permission": print_permission(permissions.owner, visible=visible)}
    if permissions.witness is not None:
        witness = print_permission(permissions.witness, visible=visible)
        printed["witness_permission"] = witness
    actives = [
        print_permission(permission, visible=visible)
        for permission in permissions.actives
    ]
    return {**printed, "active_permission": actives}


def _slot_ms(slot: int, genesis: Genesis) -> int:
    # Wallet.getAccount turns slots into time, those of never (0) too.
    return genesis.timestamp + slot * BLOCK_INTERVAL_MS


def print_result(number: int) -> str:
    """A contractResult."""
    name: str = pb.Transaction.Result.contractResult.Name(number)
    return name


def _text(data: bytes, *, visible: bool) -> str:
    return data.decode("utf-8", "replace") if visible else data.hex()


def _filled(**fields: Any) -> Json:
    """Proto3: what equals its default is absent."""
    return {name: value for name, value in fields.items() if value}
