"""A copy of a database is another file, and the same file stays the same."""

import shutil
from pathlib import Path

from lucidtrond.daemon.identity import birth_of, identity_of


def test_a_copy_is_another_file_and_a_change_is_none(tmp_path: Path) -> None:
    original, copy = tmp_path / "original", tmp_path / "copy"
    original.write_bytes(b"one")
    before = identity_of(original)
    original.write_bytes(b"one and two")
    assert identity_of(original) == before
    shutil.copy(original, copy)
    assert identity_of(copy) != before
    copy.replace(original)
    assert identity_of(original) != before


def test_another_machine_is_another_one(tmp_path: Path) -> None:
    file, here, there = (tmp_path / name for name in ("file", "here", "there"))
    file.touch()
    here.write_text("1\n")
    there.write_text("2\n")
    assert identity_of(file, machine_id=here) != identity_of(file, machine_id=there)
    missing = identity_of(file, machine_id=tmp_path / "none")
    assert missing.endswith("machine ")


def test_where_nobody_knows_the_birth_it_is_empty(tmp_path: Path) -> None:
    assert birth_of(tmp_path / "none") == ""
    birth = birth_of(tmp_path)
    assert birth == "" or float(birth) >= 0
