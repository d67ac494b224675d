"""Tell the service manager what we do (sd_notify(3)), if there is one."""

import os
import socket


def notify(state: str) -> bool:
    """Send e.g. ``READY=1``; says whether a service manager listens.

    Never raises: a lost notification must not stop a payment.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    if address.startswith("@"):  # abstract namespace
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0)
            sock.sendto(state.encode(), address)
    except OSError:
        return False
    return True
