"""Who signed, or the node's refusal; see `tron.recovery`."""

from lucidtrond.devnet.state.rejections import BadSignature
from lucidtrond.tron import recovery
from lucidtrond.tron.address import Address
from lucidtrond.tron.keys import BadSignature as NobodySigned


def recover_signer(digest: bytes, signature: bytes) -> Address:
    """Say who signed.

    Raises:
        BadSignature: with the words of java-tron's ECKey.
    """
    try:
        return recovery.recover_signer(digest, signature)
    except NobodySigned as why:
        raise BadSignature(str(why)) from None
