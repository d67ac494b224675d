"""Why a transaction is not taken, in the node's own codes and words (api.proto)."""


class Refused(Exception):
    """*code* is the name of the response code, *text* what stands beside it."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


class Invalid(Refused):
    """A contract that its actuator refuses; *reason* is without the prefix."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            "CONTRACT_VALIDATE_ERROR", f"Contract validate error : {reason}"
        )
        self.reason = reason


class Failed(Refused):
    """A contract that fails where its actuator no longer expects it."""

    def __init__(self, reason: str) -> None:
        super().__init__("CONTRACT_EXE_ERROR", f"Contract execute error : {reason}")


class BadSignature(Refused):
    """Signatures that do not carry the transaction."""

    def __init__(self, reason: str) -> None:
        super().__init__("SIGERROR", f"Validate signature error: {reason}")
        self.reason = reason


def expired() -> Refused:
    """Also said of an expiration that is too far ahead."""
    return Refused("TRANSACTION_EXPIRATION_ERROR", "Transaction expired")


def too_poor() -> Refused:
    """TRX for bandwidth, activation, memo or several signatures is missing."""
    return Refused("BANDWITH_ERROR", "Account resource insufficient error.")
