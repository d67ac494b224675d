"""What the command line says beyond the configuration."""

from pathlib import Path

from msgspec import Struct


class RunOptions(Struct, frozen=True):
    """Where the daemon's files are; the passphrase's source, if it is given."""

    state_dir: Path
    sockets: tuple[Path, ...]
    passphrase_file: Path | None = None
    passphrase_fd: int | None = None
