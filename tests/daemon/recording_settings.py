"""``lucidtrond`` whose configuration notes what is read of it.

``python -m tests.daemon.recording_settings FILE run …``: as the program, and FILE lists
each setting that was read after the configuration was loaded, one a line.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from lucidtrond.cli import operator
from lucidtrond.daemon import config as configuration


def recording(value: Any, name: str, read: set[str]) -> Any:
    """*value* again, but each read of a field below it adds its name to *read*."""
    if isinstance(value, tuple):
        return tuple(recording(item, f"{name}[]", read) for item in value)
    if not isinstance(value, msgspec.Struct):
        return value
    kind = type(value)
    fields = frozenset(kind.__struct_fields__)

    def get(self: Any, field: str) -> Any:
        if field in fields:
            read.add(f"{name}.{field}")
        return object.__getattribute__(self, field)

    recorder = msgspec.defstruct(
        kind.__name__, [], bases=(kind,), namespace={"__getattribute__": get}
    )
    return recorder(
        **{
            field: recording(getattr(value, field), f"{name}.{field}", read)
            for field in kind.__struct_fields__
        }
    )


def names(kind: type[msgspec.Struct], name: str = "") -> Iterator[str]:
    """Each setting below *kind*, as `recording` calls it."""
    for field in msgspec.structs.fields(kind):
        yield (where := f"{name}.{field.name}")
        for below in (field.type, *getattr(field.type, "__args__", ())):
            if isinstance(below, type) and issubclass(below, msgspec.Struct):
                yield from names(below, where + ("" if below is field.type else "[]"))


def main() -> int:
    target, *words = sys.argv[1:]
    read: set[str] = set()
    load = configuration.load_config

    def load_recording(**given: Any) -> configuration.Config:
        config: configuration.Config = recording(load(**given), "", read)
        return config

    configuration.load_config = load_recording
    try:
        return operator.main(words)
    finally:
        Path(target).write_text("".join(f"{name}\n" for name in sorted(read)))


if __name__ == "__main__":
    sys.exit(main())
