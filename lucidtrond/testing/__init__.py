"""Builders for tests, ours and those of plugin authors.

hypothesis strategies are in `lucidtrond.testing.strategies`: they need hypothesis.
"""

from lucidtrond.testing.clocks import ManualClock
from lucidtrond.testing.node import LocalNode
from lucidtrond.testing.workbench import Workbench, load_plugins, open_workbench

__all__ = ["LocalNode", "ManualClock", "Workbench", "load_plugins", "open_workbench"]
