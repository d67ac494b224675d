"""Chain parameters: mainnet's values of 2026, and those that we compute with."""

from collections.abc import Mapping
from typing import Final, Self

from msgspec import Struct

from lucidtrond.tron.units import Sun

MAINNET_LIKE: Final[tuple[tuple[str, int | None], ...]] = (
    # In getchainparameters' own order; None is a value of 0, which it leaves out.
    ("getMaintenanceTimeInterval", 21_600_000),
    ("getAccountUpgradeCost", 9_999_000_000),
    ("getCreateAccountFee", 100_000),
    ("getTransactionFee", 1_000),
    ("getAssetIssueFee", 1_024_000_000),
    ("getWitnessPayPerBlock", 8_000_000),
    ("getWitnessStandbyAllowance", 115_200_000_000),
    ("getCreateNewAccountFeeInSystemContract", 1_000_000),
    ("getCreateNewAccountBandwidthRate", 1),
    ("getAllowCreationOfContracts", 1),
    ("getRemoveThePowerOfTheGr", None),
    ("getEnergyFee", 100),
    ("getExchangeCreateFee", 1_024_000_000),
    ("getMaxCpuTimeOfOneTx", 400),
    ("getAllowUpdateAccountName", 1),
    ("getAllowSameTokenName", 1),
    ("getAllowDelegateResource", 1),
    ("getTotalEnergyLimit", 180_000_000_000),
    ("getAllowTvmTransferTrc10", 1),
    ("getTotalEnergyCurrentLimit", 180_000_000_000),
    ("getAllowMultiSign", 1),
    ("getAllowAdaptiveEnergy", None),
    ("getTotalEnergyTargetLimit", 12_500_000),
    ("getTotalEnergyAverageUsage", None),
    ("getUpdateAccountPermissionFee", 100_000_000),
    ("getMultiSignFee", 1_000_000),
    ("getAllowAccountStateRoot", None),
    ("getAllowProtoFilterNum", None),
    ("getAllowTvmConstantinople", 1),
    ("getAllowTvmSolidity059", 1),
    ("getAllowTvmIstanbul", 1),
    ("getAllowShieldedTRC20Transaction", 1),
    ("getForbidTransferToContract", 1),
    ("getAdaptiveResourceLimitTargetRatio", 10),
    ("getAdaptiveResourceLimitMultiplier", 1_000),
    ("getChangeDelegation", 1),
    ("getWitness127PayPerBlock", 128_000_000),
    ("getAllowMarketTransaction", 1),
    ("getMarketSellFee", None),
    ("getMarketCancelFee", None),
    ("getAllowPBFT", None),
    ("getAllowTransactionFeePool", None),
    ("getMaxFeeLimit", 15_000_000_000),
    ("getAllowOptimizeBlackHole", 1),
    ("getAllowNewResourceModel", None),
    ("getAllowTvmFreeze", 1),
    ("getAllowTvmVote", 1),
    ("getAllowTvmLondon", 1),
    ("getAllowTvmCompatibleEvm", 1),
    ("getAllowAccountAssetOptimization", 1),
    ("getFreeNetLimit", 600),
    ("getTotalNetLimit", 43_200_000_000),
    ("getAllowHigherLimitForMaxCpuTimeOfOneTx", 1),
    ("getAllowAssetOptimization", 1),
    ("getAllowNewReward", 1),
    ("getMemoFee", 1_000_000),
    ("getAllowDelegateOptimization", 1),
    ("getUnfreezeDelayDays", 14),
    ("getAllowOptimizedReturnValueOfChainId", 1),
    ("getAllowDynamicEnergy", 1),
    ("getDynamicEnergyThreshold", 5_000_000_000),
    ("getDynamicEnergyIncreaseFactor", 2_000),
    ("getDynamicEnergyMaxFactor", 34_000),
    ("getAllowTvmShangHai", 1),
    ("getAllowCancelAllUnfreezeV2", 1),
    ("getMaxDelegateLockPeriod", 864_000),
    ("getAllowOldRewardOpt", 1),
    ("getAllowEnergyAdjustment", 1),
    ("getMaxCreateAccountTxSize", 1_000),
    ("getAllowStrictMath", 1),
    ("getConsensusLogicOptimization", 1),
    ("getAllowTvmCancun", 1),
    ("getAllowTvmBlob", 1),
)


class Parameters(Struct, frozen=True):
    """*every* in the node's order; the others are picked from it once."""

    every: tuple[tuple[str, int | None], ...]
    transaction_fee: Sun
    create_account_fee: Sun
    activation_fee: Sun
    create_account_rate: int
    memo_fee: Sun
    multi_sign_fee: Sun
    permission_fee: Sun
    asset_issue_fee: Sun
    free_net_limit: int
    total_net_limit: int
    total_energy_limit: int
    energy_fee: Sun
    max_fee_limit: Sun
    maintenance_ms: int
    max_create_account_bytes: int
    unfreeze_days: int
    max_lock_slots: int
    witness_fee: Sun
    exchange_fee: Sun
    market_sell_fee: Sun
    block_pay: Sun
    standby_pay: Sun

    @classmethod
    def of(cls, every: tuple[tuple[str, int | None], ...]) -> Self:
        """Raises KeyError when one that we compute with is missing."""
        values: Mapping[str, int] = {key: value or 0 for key, value in every}
        return cls(
            every,
            transaction_fee=Sun(values["getTransactionFee"]),
            create_account_fee=Sun(values["getCreateAccountFee"]),
            activation_fee=Sun(values["getCreateNewAccountFeeInSystemContract"]),
            create_account_rate=values["getCreateNewAccountBandwidthRate"],
            memo_fee=Sun(values["getMemoFee"]),
            multi_sign_fee=Sun(values["getMultiSignFee"]),
            permission_fee=Sun(values["getUpdateAccountPermissionFee"]),
            asset_issue_fee=Sun(values["getAssetIssueFee"]),
            free_net_limit=values["getFreeNetLimit"],
            total_net_limit=values["getTotalNetLimit"],
            total_energy_limit=values["getTotalEnergyCurrentLimit"],
            energy_fee=Sun(values["getEnergyFee"]),
            max_fee_limit=Sun(values["getMaxFeeLimit"]),
            maintenance_ms=values["getMaintenanceTimeInterval"],
            max_create_account_bytes=values["getMaxCreateAccountTxSize"],
            unfreeze_days=values["getUnfreezeDelayDays"],
            max_lock_slots=values["getMaxDelegateLockPeriod"],
            witness_fee=Sun(values["getAccountUpgradeCost"]),
            exchange_fee=Sun(values["getExchangeCreateFee"]),
            market_sell_fee=Sun(values["getMarketSellFee"]),
            block_pay=Sun(values["getWitnessPayPerBlock"]),
            standby_pay=Sun(values["getWitness127PayPerBlock"]),
        )
