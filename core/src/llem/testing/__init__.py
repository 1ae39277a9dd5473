"""The conformance kit: does a plugin keep the contract of ``llem.api``?

On the command line ``llem plugins check NAME`` asks every question that this machine allows. In a
plugin's own tests the same questions are a class, which pytest finds::

    from llem.testing import PluginSuite

    class TestDemo(PluginSuite):
        plugin = "demo"

run with ``pytest -p llem.testing.pytest_plugin``. Without pytest, every one of :data:`CHECKS` can
be called with a :class:`PluginUnderTest`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llem.testing.check_definition import Check, ContractViolation
    from llem.testing.conformance import CHECKS, CheckResult, State, check_plugin
    from llem.testing.plugin_under_test import PluginUnderTest
    from llem.testing.prerequisites import Requires
    from llem.testing.pytest_plugin import PluginSuite

__all__ = [
    "CHECKS",
    "Check",
    "CheckResult",
    "ContractViolation",
    "PluginSuite",
    "PluginUnderTest",
    "Requires",
    "State",
    "check_plugin",
]

_MODULES = {
    "CHECKS": "conformance",
    "Check": "check_definition",
    "CheckResult": "conformance",
    "ContractViolation": "check_definition",
    "Requires": "prerequisites",
    "PluginSuite": "pytest_plugin",
    "State": "conformance",
    "PluginUnderTest": "plugin_under_test",
    "check_plugin": "conformance",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is used: only the suite needs pytest, `isolated` must load little."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
