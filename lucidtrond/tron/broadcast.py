"""What a node said to a broadcast; meanings are in `sending.plan`."""

from attrs import frozen

from lucidtrond.tron.transaction import TxId

SUCCESS = "SUCCESS"


@frozen
class BroadcastAnswer:
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
