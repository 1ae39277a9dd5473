"""The conformance suite under pytest: a class to derive from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from llem.testing.check_definition import Check, ContractViolation
from llem.testing.conformance import CHECKS
from llem.testing.plugin_under_test import PluginUnderTest
from llem.testing.prerequisites import missing

PYTEST_PLUGIN = "llem.testing.pytest_plugin"


class PluginSuite:
    """Every check of the catalogue, asked of one plugin. Derive from it, and name the plugin.

    Attributes:
        plugin: Name of the plugin's entry point.
        settings: Values by dotted path that its sessions need here, such as a model that it can
            load, ``{"model.id": "…"}``; the smallest embedded shape otherwise.
        known_failures: Checks that are known to fail, each with the reason. One that passes
            after all fails the suite, so that no entry outlives its reason.
    """

    plugin: ClassVar[str]
    settings: ClassVar[Mapping[str, Any]] = {}
    known_failures: ClassVar[Mapping[str, str]] = {}

    _asked: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def pytest_generate_tests(cls, metafunc: pytest.Metafunc) -> None:
        """Make a test of each check."""
        if not metafunc.config.pluginmanager.has_plugin(PYTEST_PLUGIN):
            raise pytest.UsageError(f"the suite needs its fixtures: pytest -p {PYTEST_PLUGIN}")
        if "check" in metafunc.fixturenames:
            metafunc.parametrize("check", [cls._parameter(check) for check in CHECKS])
            cls._asked = tuple(check.id for check in CHECKS)

    @classmethod
    def _parameter(cls, check: Check) -> Any:
        reason = cls.known_failures.get(check.id)
        marks = (
            []
            if reason is None
            else [pytest.mark.xfail(reason=reason, raises=ContractViolation, strict=True)]
        )
        return pytest.param(check, id=check.id, marks=marks)

    def test_contract(self, check: Check, plugin_under_test: PluginUnderTest) -> None:
        """The plugin keeps this rule."""
        if lacking := missing(plugin_under_test, check.need):
            pytest.skip(lacking)
        check(plugin_under_test)

    def test_no_check_is_left_out(self) -> None:
        """Every check of the catalogue is asked, and known failures are checks, with reasons."""
        # Explicit failures, because `python -O` removes the asserts of a module that is no test.
        catalogue = tuple(check.id for check in CHECKS)
        if self._asked != catalogue:
            pytest.fail("pytest_generate_tests was overridden")
        if type(self).test_contract is not PluginSuite.test_contract:
            pytest.fail("test_contract was overridden")
        if unknown := sorted(self.known_failures.keys() - set(catalogue)):
            pytest.fail(f"known failures that name no check: {', '.join(unknown)}")
        if unexplained := [name for name, reason in self.known_failures.items() if not reason]:
            pytest.fail(f"known failures without a reason: {', '.join(unexplained)}")
