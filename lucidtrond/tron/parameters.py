"""Chain parameters that cost money; voted values, so always read live."""

from collections.abc import Mapping

from msgspec import Struct

from lucidtrond.tron.units import Sun


class ChainParameters(Struct, frozen=True):
    """Prices in sun. *every* holds all parameters by the node's key."""

    transaction_fee: Sun
    """Per byte of bandwidth burned (getTransactionFee)."""
    energy_fee: Sun
    """Per unit of energy burned (getEnergyFee)."""
    create_account_fee: Sun
    """Burned in place of bandwidth when an account is created (getCreateAccountFee)."""
    activation_fee: Sun
    """getCreateNewAccountFeeInSystemContract."""
    memo_fee: Sun
    multi_sign_fee: Sun
    max_fee_limit: Sun
    free_net_limit: int
    every: Mapping[str, int]
