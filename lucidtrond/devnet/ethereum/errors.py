"""Errors of /jsonrpc: code and message; those of java-tron's own carry data."""

from typing import Any, Final

EMPTY: Final = "{}"


class RpcError(Exception):
    """*data* None is absent: the errors of the JSON-RPC library itself."""

    def __init__(self, code: int, message: str, data: str | None = EMPTY) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data

    def printed(self) -> dict[str, Any]:
        """The member ``error``."""
        said: dict[str, Any] = {"code": self.code, "message": self.message}
        return said if self.data is None else {**said, "data": self.data}


def invalid_params(message: str) -> RpcError:
    return RpcError(-32602, message)


def invalid_request(message: str) -> RpcError:
    return RpcError(-32600, message)


def internal(message: str) -> RpcError:
    return RpcError(-32000, message)


def wrong_parameters() -> RpcError:
    """Too many, too few, or of another type."""
    return RpcError(-32602, "method parameters invalid", None)


def unavailable(method: str) -> RpcError:
    """Methods that a node knows by name only."""
    return RpcError(-32601, f"the method {method} does not exist/is not available")
