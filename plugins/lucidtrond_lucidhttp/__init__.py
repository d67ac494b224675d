"""The older Lucid service's HTTP routes, answered from the same methods as all else."""

from lucidtrond_lucidhttp.routes import plugin

__all__ = ["plugin"]
