"""What a servlet is asked: a path's parameters by GET, a body by POST.

Request messages are those of api.proto that the servlets parse, made at import since
they are a handful of fields.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from attrs import field, frozen
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from lucidtrond.devnet.java.errors import (
    JavaError,
    not_a_number,
    null_pointer,
)
from lucidtrond.devnet.java.fastjson import parse_object
from lucidtrond.devnet.java.values import (
    decode_base58,
    decode_hex,
    is_long,
    merge,
)
from lucidtrond.devnet.state.view import ChainView
from lucidtrond.transports.http import HttpRequest

MAX_BODY_BYTES: Final = 4_194_304  # node.maxMessageSize
_FORM: Final = b"application/x-www-form-urlencoded"

_Type = descriptor_pb2.FieldDescriptorProto
_API: Final[Mapping[str, Mapping[str, Any]]] = {
    "BlockIdentifier": {"hash": _Type.TYPE_BYTES, "number": _Type.TYPE_INT64},
    "BytesMessage": {"value": _Type.TYPE_BYTES},
    "NumberMessage": {"num": _Type.TYPE_INT64},
    "BlockLimit": {"startNum": _Type.TYPE_INT64, "endNum": _Type.TYPE_INT64},
    "PaginatedMessage": {"offset": _Type.TYPE_INT64, "limit": _Type.TYPE_INT64},
    "BlockReq": {"id_or_num": _Type.TYPE_STRING, "detail": _Type.TYPE_BOOL},
    "Account": {"address": _Type.TYPE_BYTES, "account_id": _Type.TYPE_BYTES},
    "AccountIdentifier": {"address": _Type.TYPE_BYTES},
    "DelegatedResourceMessage": {
        "fromAddress": _Type.TYPE_BYTES,
        "toAddress": _Type.TYPE_BYTES,
    },
    "CanDelegatedMaxSizeRequestMessage": {
        "type": _Type.TYPE_INT32,
        "owner_address": _Type.TYPE_BYTES,
    },
    "GetAvailableUnfreezeCountRequestMessage": {"owner_address": _Type.TYPE_BYTES},
    "CanWithdrawUnfreezeAmountRequestMessage": {
        "owner_address": _Type.TYPE_BYTES,
        "timestamp": _Type.TYPE_INT64,
    },
    "MarketOrderPair": {
        "sell_token_id": _Type.TYPE_BYTES,
        "buy_token_id": _Type.TYPE_BYTES,
    },
    "AccountBalanceRequest": {
        "account_identifier": "AccountIdentifier",
        "block_identifier": "BlockIdentifier",
    },
}


def _make_messages() -> Mapping[str, type[Message]]:
    package = "lucidtron.devnet"
    file = descriptor_pb2.FileDescriptorProto(
        name="devnet_api.proto", package=package, syntax="proto3"
    )
    for name, fields in _API.items():
        message = file.message_type.add(name=name)
        for number, (field_name, kind) in enumerate(fields.items(), 1):
            if isinstance(kind, str):
                message.field.add(
                    name=field_name,
                    number=number,
                    label=_Type.LABEL_OPTIONAL,
                    type=_Type.TYPE_MESSAGE,
                    type_name=f".{package}.{kind}",
                )
            else:
                message.field.add(
                    name=field_name,
                    number=number,
                    label=_Type.LABEL_OPTIONAL,
                    type=kind,
                )
    pool = descriptor_pool.DescriptorPool()
    made = pool.AddSerializedFile(file.SerializeToString())
    del made
    return {
        name: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"{package}.{name}")
        )
        for name in _API
    }


MESSAGES: Final = _make_messages()


@frozen
class ServletRequest:
    """One request to one servlet. *solid* asks the solidity side."""

    chain: ChainView
    method: str
    solid: bool
    now_ms: Callable[[], int] = field(repr=False)
    parameters: Mapping[str, str] = field(factory=dict)
    """Of the query; the first of equal names."""
    text: str = ""
    """The body of a POST; a form comes as JSON here."""

    @property
    def posted(self) -> bool:
        return self.method == "POST"

    @property
    def queried_visible(self) -> bool:
        """Of the query, also of a POST whose body is not read."""
        return self.parameters.get("visible", "").lower() == "true"

    @property
    def visible(self) -> bool:
        """From the query of a GET, from the body of a POST."""
        if not self.posted:
            return self.queried_visible
        return bool(self.text.strip()) and is_visible(parse_object(self.text))

    def body(self) -> dict[str, Any]:
        """The posted object, as fastjson reads it; raises JavaError."""
        if not self.text.strip():
            raise null_pointer()
        return parse_object(self.text)

    def message(self, name: str) -> Any:
        """The posted body as one of `MESSAGES`."""
        return self.merge(MESSAGES[name]())

    def merge(self, message: Any) -> Any:
        """Read the posted body into *message*; raises JavaError."""
        visible = self.visible
        return merge(self.text, message, visible=visible)

    def from_parameter(self, name: str, field_name: str, value: str | None) -> Any:
        """A query parameter as the only field of one of `MESSAGES`."""
        given = {} if value is None else {field_name: value}
        text = msgspec.json.encode(given).decode()
        return merge(text, MESSAGES[name](), visible=self.visible)

    def from_query(self, name: str) -> Any:
        """Numbers and addresses of a query as one of `MESSAGES`; absent ones are 0."""
        message = MESSAGES[name]()
        for field_ in message.DESCRIPTOR.fields:
            if field_.type == _Type.TYPE_INT32:
                setattr(
                    message, field_.name, self.whole_number(field_.name, 0, bits=32)
                )
            elif field_.type == _Type.TYPE_INT64:
                setattr(message, field_.name, self.whole_number(field_.name, 0))
        for field_ in message.DESCRIPTOR.fields:
            if field_.type == _Type.TYPE_BYTES:
                given = self.parameters.get(field_.name, "")
                setattr(message, field_.name, self.decode_address(given))
        return message

    def decode_address(self, text: str) -> bytes:
        """As servlets decode by themselves: what does not fit is no address.

        Raises:
            JavaError: a letter that hex or base58 lacks.
        """
        if self.visible:
            return decode_base58(text) or b""
        return decode_hex(text)

    def whole_number(
        self, name: str, default: int | None = None, *, bits: int = 64
    ) -> int:
        """A query parameter as a long, or an int of 32 *bits*; raises JavaError."""
        text = self.parameters.get(name)
        if text is None and default is not None:
            return default
        if text is None or not is_long(text) or int(text).bit_length() >= bits:
            raise not_a_number(text)
        return int(text)


def read_request(
    request: HttpRequest, chain: ChainView, *, solid: bool, now_ms: Callable[[], int]
) -> ServletRequest:
    """Raises JavaError when the body is too long."""
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        parameters.setdefault(name, value)
    text = ""
    if request.method == "POST":
        if len(request.body) > MAX_BODY_BYTES:
            raise JavaError(
                "java.lang.Exception",
                f"body size is too big, the limit is {MAX_BODY_BYTES}",
            )
        text = request.body.decode("utf-8", "replace")
        # PostParams compares the header as a whole.
        kind = request.headers.get(b"content-type", b"")
        if kind == _FORM and not text.lstrip().startswith("{"):
            pairs = dict(parse_qsl(text, keep_blank_values=True))
            text = msgspec.json.encode(pairs).decode() if text else text
    return ServletRequest(chain, request.method, solid, now_ms, parameters, text)


def is_visible(body: Mapping[str, Any]) -> bool:
    """``true`` and the text count; the number 1 does not."""
    value = body.get("visible")
    return value is True or (isinstance(value, str) and value.lower() == "true")
