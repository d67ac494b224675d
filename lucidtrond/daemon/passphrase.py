"""Unlocking the keystore at start, where the operator asked for it.

The passphrase is read from ``--passphrase-file``, else from ``--passphrase-fd``, else
from the credential ``keystore.passphrase`` of systemd.
"""

import logging
import os
from pathlib import Path
from typing import Final

from lucidtrond.daemon.options import RunOptions
from lucidtrond.errors import KeystoreMissing, OperatorError, WrongPassphrase
from lucidtrond.keystore.vault import Vault

log = logging.getLogger("lucidtrond.daemon")

PASSPHRASE_BYTES: Final = 1024


async def unlock_at_start(vault: Vault, options: RunOptions) -> None:
    """Unlock without a deadline, if there is a passphrase.

    Raises:
        OperatorError: it can't be read, or is not the keystore's.
    """
    phrase = _read_passphrase(options)
    if phrase is None:
        return
    try:
        await vault.unlock(phrase, for_s=None)
    except KeystoreMissing:
        log.warning("no keystore to unlock yet")
    except WrongPassphrase:
        raise OperatorError("the given passphrase does not open the keystore") from None


def _read_passphrase(options: RunOptions) -> str | None:
    source: Path | int
    if options.passphrase_file is not None:
        source = options.passphrase_file
    elif options.passphrase_fd is not None:
        source = options.passphrase_fd
    elif directory := os.environ.get("CREDENTIALS_DIRECTORY"):
        source = Path(directory) / "keystore.passphrase"
        if not source.exists():
            return None
    else:
        return None
    try:
        with open(source, "rb") as stream:  # noqa: PTH123 - a path or a descriptor
            data = stream.read(PASSPHRASE_BYTES + 2)
        return data.decode().removesuffix("\n").removesuffix("\r")
    except OSError as exc:
        raise OperatorError(f"passphrase: can't be read ({exc.strerror})") from None
    except UnicodeDecodeError:
        raise OperatorError("passphrase: expected UTF-8 text") from None
