"""Passphrases come from the terminal, a file or a descriptor; never from argv."""

import getpass
import os
import sys
from pathlib import Path

MAX_BYTES = 1024
_NO_TEXT = "the passphrase: expected text in UTF-8"


def read_passphrase(*, file: str | None, fd: int | None, confirm: bool = False) -> str:
    """Read one passphrase; a trailing newline is not part of it.

    Raises:
        ValueError: nothing there, or the two typed ones differ.
    """
    if file is not None:
        return _strip(Path(file).read_bytes()[: MAX_BYTES + 2])
    if fd is not None:
        with os.fdopen(fd, "rb", closefd=False) as stream:
            return _strip(stream.read(MAX_BYTES + 2))
    if not sys.stdin.isatty():
        raise ValueError(
            "no terminal to ask for the passphrase: use --passphrase-file or "
            "--passphrase-fd"
        )
    typed = _ask("Passphrase: ")
    if confirm and _ask("Again: ") != typed:
        raise ValueError("the two passphrases differ")
    return typed


def _ask(prompt: str) -> str:
    try:
        typed = getpass.getpass(prompt)
        typed.encode()  # a terminal's stray bytes arrive as lone surrogates
    except EOFError:
        raise ValueError("no passphrase was typed") from None
    except UnicodeError:
        raise ValueError(_NO_TEXT) from None
    return typed


def _strip(data: bytes) -> str:
    try:
        text = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:  # its own text would show a byte
        raise ValueError(_NO_TEXT) from None
    if not text:
        raise ValueError("the passphrase is empty")
    return text
