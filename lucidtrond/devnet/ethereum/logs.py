"""eth_getLogs: which blocks, which logs (LogFilterWrapper, LogFilter)."""

from typing import Any, Final

from msgspec import Struct

from lucidtrond.devnet.ethereum.errors import (
    RpcError,
    invalid_params,
    wrong_parameters,
)
from lucidtrond.devnet.ethereum.printing import Json, print_logs
from lucidtrond.devnet.ethereum.values import (
    HASH_SIZE,
    members,
    read_bytes,
    read_hash,
    read_long,
    text,
)
from lucidtrond.devnet.state.view import ChainView
from lucidtrond.tron.address import PREFIX, SIZE

FIELDS: Final = frozenset({"address", "fromBlock", "toBlock", "topics", "blockHash"})
"""Of FilterRequest."""
MAX_RANGE: Final = 5000  # node.jsonrpc.maxBlockRange
MAX_TOPICS: Final = 4
MAX_LOGS: Final = 10_000  # LogBlockQuery.MAX_RESULT


class LogFilter(Struct, frozen=True):
    """What a log must have; an empty tuple allows anything. Addresses: 21 bytes."""

    addresses: tuple[bytes, ...]
    topics: tuple[tuple[bytes, ...], ...]

    def matches(self, address: bytes, topics: tuple[bytes, ...]) -> bool:
        """Whether a log is wanted."""
        if self.addresses and address not in self.addresses:
            return False
        if len(self.topics) > len(topics):
            return False
        return all(
            not wanted or topic in wanted
            for wanted, topic in zip(self.topics, topics, strict=False)
        )


def get_logs(chain: ChainView, request: Any) -> list[Json]:
    """Logs in the order of the chain. Raises RpcError."""
    wanted = read_filter(request)
    start, end = read_span(chain, request)
    head = chain.head.globals.number
    end = head if end is None else min(end, head)
    return scan(chain, range(start, end + 1), wanted)


def scan(chain: ChainView, heights: range, wanted: LogFilter) -> list[Json]:
    """Wanted logs of some blocks. Raises RpcError for too many of one or the other."""
    if len(heights) > MAX_RANGE + 1:
        raise invalid_params(f"exceed max block range: {MAX_RANGE}")
    logs: list[Json] = []
    for number in heights:
        row = chain.block(number)
        if row is not None:
            logs += print_logs(row, lambda _, a, t: wanted.matches(a, t))
        if len(logs) > MAX_LOGS:
            raise RpcError(-32005, f"query returned more than {MAX_LOGS} results")
    return logs


def read_filter(request: Any) -> LogFilter:
    """What a request wants of a log. Raises RpcError."""
    address = members(request, FIELDS).get("address")
    addresses = address if isinstance(address, list) else [address] if address else []
    topics = request.get("topics") or []
    if not isinstance(topics, list):
        raise wrong_parameters()
    if len(topics) > MAX_TOPICS:
        raise invalid_params(f"topics size should be <= {MAX_TOPICS}")
    return LogFilter(
        tuple(_read_address(item) for item in addresses),
        tuple(_read_topics(item) for item in topics),
    )


def _read_address(value: Any) -> bytes:
    raw = read_bytes(value)
    if len(raw) != SIZE - 1:
        raise invalid_params(f"invalid address: {text(value)}")
    return bytes([PREFIX]) + raw


def _read_topics(value: Any) -> tuple[bytes, ...]:
    """One place: null for any, a topic, or a list of which one must be there."""
    if value is None:
        return ()
    given = value if isinstance(value, list) else [value]
    topics = tuple(read_bytes(item) for item in given)
    for raw_topic, topic in zip(given, topics, strict=True):
        if len(topic) != HASH_SIZE:
            raise invalid_params(f"invalid topic(s): {text(raw_topic)}")
    return topics


def read_span(chain: ChainView, request: dict[str, Any]) -> tuple[int, int | None]:
    """First and last height; None is the newest block, whatever that will be.

    Raises:
        RpcError: they contradict each other.
    """
    first, last = request.get("fromBlock"), request.get("toBlock")
    block_hash = request.get("blockHash")
    head = chain.head.globals.number
    if block_hash is not None:
        if first is not None or last is not None:
            raise invalid_params(
                "cannot specify both BlockHash and FromBlock/ToBlock, choose one or"
                " the other"
            )
        number = _height_of(chain, block_hash)
        return number, number
    end = _height(chain, last)
    start = _height(chain, first)
    if start is None:
        start = head if end is None or first is not None else min(end, head)
    if end is not None and start > end:
        raise invalid_params("please verify: fromBlock <= toBlock")
    return start, end


def _height_of(chain: ChainView, block_hash: Any) -> int:
    wanted = read_hash(block_hash)
    number = int.from_bytes(wanted[:8], "big")
    row = chain.block(number)
    if row is None or row.id != wanted:
        raise invalid_params("invalid blockHash")
    return number


def _height(chain: ChainView, value: Any) -> int | None:
    """None is the newest block, whatever it will be."""
    given = "latest" if value is None else text(value)
    match given.lower():
        case "latest" | "":
            return None
        case "earliest":
            return 0
        case "finalized":
            return chain.head.globals.solid
        case "pending":
            raise invalid_params("TAG pending not supported")
    return read_long(given)
