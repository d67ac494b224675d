"""Whose an endpoint is, by its host's name."""

import pytest

from lucidtrond.node.endpoint import Endpoint
from lucidtrond.node.operators import default_operator


@pytest.mark.parametrize(
    ("host", "operator"),
    [
        ("api.trongrid.io", "trongrid.io"),
        ("API.Shasta.TronGrid.io.", "trongrid.io"),
        ("trongrid.io", "trongrid.io"),
        ("node0", "node0"),
        ("tron.example.co.uk", "example.co.uk"),
        ("example.co.uk", "example.co.uk"),
        ("co.uk", "co.uk"),
        ("a.b.example.de", "example.de"),
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("127.0.0.1", "localhost"),
        ("127.0.0.9", "localhost"),
        ("::1", "localhost"),
        ("localhost", "localhost"),
        ("tron.localhost", "localhost"),
    ],
)
def test_the_registrable_name_is_the_operator(host: str, operator: str) -> None:
    assert default_operator(host) == operator


def test_what_the_configuration_says_counts_for_more() -> None:
    assert Endpoint("https://api.trongrid.io:443/x").operator == "trongrid.io"
    assert Endpoint("http://[::1]:8090").operator == "localhost"
    named = Endpoint("https://api.trongrid.io", operator=" Example Ltd ")
    assert named.operator == "example ltd"
