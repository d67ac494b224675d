"""What a node said to a broadcast; meanings are in `sending.plan`."""

from typing import Final

from msgspec import Struct

from lucidtrond.tron.transaction import TxId

SUCCESS = "SUCCESS"
CODES: Final = {
    0: SUCCESS,
    1: "SIGERROR",
    2: "CONTRACT_VALIDATE_ERROR",
    3: "CONTRACT_EXE_ERROR",
    4: "BANDWITH_ERROR",
    5: "DUP_TRANSACTION_ERROR",
    6: "TAPOS_ERROR",
    7: "TOO_BIG_TRANSACTION_ERROR",
    8: "TRANSACTION_EXPIRATION_ERROR",
    9: "SERVER_BUSY",
    10: "NO_CONNECTION",
    11: "NOT_ENOUGH_EFFECTIVE_CONNECTION",
    12: "BLOCK_UNSOLIDIFIED",
    20: "OTHER_ERROR",
}
"""Names of numbers: api.proto, Return.response_code. Some gateways print the number."""


class BroadcastAnswer(Struct, frozen=True):
    """*code* is the name of response_code (api.proto), SUCCESS when omitted.

    *txid* is what the node computed from what it parsed; *message* is plain text.
    """

    code: str
    message: str
    txid: TxId
    endpoint: str = ""

    @property
    def accepted(self) -> bool:
        """Whether this node took it into its pool."""
        return self.code == SUCCESS
