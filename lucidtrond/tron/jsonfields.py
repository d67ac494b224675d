"""Which bytes fields java-tron prints as addresses or text when ``visible`` is true.

HttpSelfFormatFieldName lists message and field; among the messages that we have, the
field's name alone decides.
"""

from typing import Final, Literal

from google.protobuf.descriptor import Descriptor, FieldDescriptor

ADDRESS_FIELDS: Final = frozenset(
    {
        "account_address",
        "address",
        "contract_address",
        "fromAddress",
        "origin_address",
        "owner_address",
        "receiver_address",
        "toAddress",
        "to_address",
        "transparent_from_address",
        "transparent_to_address",
        "vote_address",
        "witness_address",
    }
)
TEXT_FIELDS: Final = frozenset(
    {
        "ContractName",
        "abbr",
        "account_id",
        "account_name",
        "asset_name",
        "buy_token_id",
        "description",
        "first_token_id",
        "name",
        "permission_name",
        "second_token_id",
        "sell_token_id",
        "token_id",
        "update_url",
        "url",
    }
)


def bytes_form(field: FieldDescriptor) -> Literal["address", "text"] | None:
    """How visible mode spells this bytes field; None is hex."""
    if field.name in ADDRESS_FIELDS:
        return "address"
    if field.name in TEXT_FIELDS:
        return "text"
    return None


def is_map_entry(descriptor: Descriptor) -> bool:
    """Whether it stands for an entry of one of java-tron's maps (see tron.proto)."""
    return descriptor.name in ("ParametersEntry", "AmountEntry")


def is_repeated(field: FieldDescriptor) -> bool:
    """Whether the field is a list."""
    return bool(field.is_repeated)
