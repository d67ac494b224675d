"""From a node's answers to our types, recomputing what can be recomputed. Pure.

Functions give None for what the node does not have.
"""

from lucidtrond.node.questions.translate.accounts import read_account, read_resources
from lucidtrond.node.questions.translate.blocks import (
    check_header,
    read_block,
    read_header,
    read_transaction,
)
from lucidtrond.node.questions.translate.calls import read_constant, read_contract
from lucidtrond.node.questions.translate.checks import (
    CallRefused,
    CallsUnsupported,
    Contradiction,
    InvalidAnswer,
    limited,
    unsigned,
)
from lucidtrond.node.questions.translate.network import (
    read_active_producers,
    read_broadcast,
    read_facts,
    read_parameters,
)
from lucidtrond.node.questions.translate.receipts import (
    check_receipts,
    consistent_receipts,
    read_receipt,
    read_receipts,
)

__all__ = [
    "CallRefused",
    "CallsUnsupported",
    "Contradiction",
    "InvalidAnswer",
    "check_header",
    "check_receipts",
    "consistent_receipts",
    "limited",
    "read_account",
    "read_active_producers",
    "read_block",
    "read_broadcast",
    "read_constant",
    "read_contract",
    "read_facts",
    "read_header",
    "read_parameters",
    "read_receipt",
    "read_receipts",
    "read_resources",
    "read_transaction",
    "unsigned",
]
