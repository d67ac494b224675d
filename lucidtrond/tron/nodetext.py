"""Texts that a node sends as hex or as they are, depending on ``visible``."""


def read_node_text(text: str) -> str:
    """Undo the hex of ``message``, ``resMessage`` and ``note`` if it is hex.

    Only an even number of hex digits that spell UTF-8 is taken for hex; a plain text
    that happens to look so is rare and harmless, since these texts are for people.
    """
    try:
        decoded = bytes.fromhex(text).decode()
    except ValueError:
        return text
    return decoded if decoded and " " not in text else text
