from tests.daemon.conftest import daemon

__all__ = ["daemon"]
