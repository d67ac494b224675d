"""What the command line says beyond the configuration."""

from pathlib import Path

from attrs import frozen


@frozen
class RunOptions:
    """Where the daemon's files are; the passphrase's source, if it is given."""

    state_dir: Path
    sockets: tuple[Path, ...]
    passphrase_file: Path | None = None
    passphrase_fd: int | None = None
