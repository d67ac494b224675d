"""Wallets: an address of ours with an id and a label."""

from lucidtrond_wallets.methods import plugin

__all__ = ["plugin"]
