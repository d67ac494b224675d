"""Names that were replaced by the field's own, and must not come back."""

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
MODULES: Final = (
    "lucidtrond/node/ways.py",
    "lucidtrond/node/plain.py",
    "lucidtrond/node/secure.py",
    "lucidtrond/node/gate.py",
    "lucidtrond/node/seen.py",
    "lucidtrond/node/member.py",
    "lucidtrond/node/flights.py",
    "lucidtrond/node/pacing.py",
    "lucidtrond/chain/pace.py",
    "lucidtrond/daemon/doors.py",
    "lucidtrond/daemon/gauges.py",
    "lucidtrond/daemon/places.py",
    "lucidtrond/daemon/nodewatch.py",
    "lucidtrond/devnet/doors.py",
    "lucidtrond/devnet/http/trouble.py",
    "lucidtrond/devnet/state/certain.py",
    "lucidtrond/devnet/state/refused.py",
    "lucidtrond/devnet/state/owners.py",
    "lucidtrond/sending/needs.py",
    "lucidtrond/sending/words.py",
    "lucidtrond/sending/funds.py",
    "lucidtrond/transports/unix_pump.py",
)
IDENTIFIERS: Final = (
    ("lucidtrond/daemon", "_House"),
    ("lucidtrond/sending", "Drawn"),
    ("lucidtrond/sending", "_stand"),
    ("lucidtrond/sending", "Buried"),
    ("lucidtrond/sending", "_Hand"),
    ("lucidtrond/node", "Pace"),
    ("lucidtrond/node", "Gate"),
    ("lucidtrond/node", "Member"),
    ("lucidtrond/chain", "Pace"),
    ("lucidtrond/devnet", "Ask"),
    ("lucidtrond/devnet", "Ruled"),
    ("lucidtrond/devnet", "ObstinateView"),
    ("lucidtrond", "_AT_ONCE"),
    ("lucidtrond", "Emitting"),
    ("lucidtrond", "RingingStore"),
)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_its_new_name_only(module: str) -> None:
    assert not (ROOT / module).exists()


@pytest.mark.parametrize(("folder", "name"), IDENTIFIERS)
def test_an_identifier_has_its_new_name_only(folder: str, name: str) -> None:
    code = re.compile(rf"(?<![\w`\"]){re.escape(name)}(?=[\s(\[,:)\]]|$)", re.MULTILINE)
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / folder).rglob("*.py")
        if code.search(_without_prose(path.read_text()))
    ]
    assert found == []


def _without_prose(source: str) -> str:
    return re.sub(r'"""(?:.|\n)*?"""|#.*', "", source)
