"""Who runs an endpoint, by default: the registrable part of its host name. Pure.

Two endpoints of one operator are one source. Where the name does not tell, the default
takes two for one rather than one for two: a wrong "the same" costs a proof, a wrong
"another" would make one. ``operator`` in the configuration says it outright.
"""

from ipaddress import ip_address
from typing import Final

THIS_MACHINE: Final = "localhost"
_COUNTRY_LETTERS: Final = 2
_SECOND_LEVEL: Final = frozenset(
    ("ac", "co", "com", "edu", "go", "gob", "gov", "gv", "ne", "net", "or", "org")
)
"""Labels under which countries register names (``example.co.uk``)."""


def default_operator(host: str) -> str:
    """The operator of *host*, a name or an address without brackets.

    >>> default_operator("api.shasta.trongrid.io")
    'trongrid.io'
    """
    host = host.rstrip(".").lower()
    try:
        address = ip_address(host)
    except ValueError:
        pass
    else:
        return THIS_MACHINE if address.is_loopback else str(address)
    labels = host.split(".")
    if labels[-1] == THIS_MACHINE:
        return THIS_MACHINE
    wanted = 2
    if len(labels[-1]) == _COUNTRY_LETTERS and labels[-2:-1]:
        wanted += labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-wanted:])
