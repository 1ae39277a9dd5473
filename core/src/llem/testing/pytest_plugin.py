"""The conformance suite under pytest: ``pytest -p llem.testing.pytest_plugin``.

This is no entry point, because users who only measure have no need of it. The kit is imported
inside functions, because the environment that a conftest sets has to come first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

if TYPE_CHECKING:
    from llem.schema.call_plan import CallPlan
    from llem.testing.check_definition import Check
    from llem.testing.plugin_under_test import PluginUnderTest

PYTEST_PLUGIN = "llem.testing.pytest_plugin"


@pytest.fixture(scope="class")
def plugin_under_test(request: pytest.FixtureRequest) -> PluginUnderTest:
    """The plugin that the class of the test names, shared by all tests of the class."""
    from llem.testing.plugin_under_test import PluginUnderTest

    suite = request.cls
    return PluginUnderTest(suite.plugin, suite.settings)


@pytest.fixture
def llem_plan() -> Callable[[str, Mapping[str, Any]], CallPlan]:
    """Return the function that plans an experiment: ``llem_plan("demo", {"demo.threads": 2})``.

    Values are given by dotted path; everything else is as small as possible.
    """
    from llem.testing.plugin_under_test import PluginUnderTest

    return lambda plugin, values: PluginUnderTest(plugin).plan(values)


class PluginSuite:
    """Every check of the catalog as a test. Derive from it, and name the plugin.

    Attributes:
        plugin: Name of the plugin's entry point.
        settings: Values by dotted path that its sessions need here, such as a model that it can
            load, ``{"model.id": "…"}``; the smallest embedded shape otherwise.
        known_failures: Checks that are known to fail, each with the reason. The suite fails if
            such a check passes, so that no entry outlives its reason.
    """

    plugin: ClassVar[str]
    settings: ClassVar[Mapping[str, Any]] = {}
    known_failures: ClassVar[Mapping[str, str]] = {}

    _asked: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def pytest_generate_tests(cls, metafunc: pytest.Metafunc) -> None:
        """Make a test of each check."""
        from llem.testing.conformance import CHECKS

        if not metafunc.config.pluginmanager.has_plugin(PYTEST_PLUGIN):
            raise pytest.UsageError(f"the suite needs its fixtures: pytest -p {PYTEST_PLUGIN}")
        if "check" in metafunc.fixturenames:
            metafunc.parametrize("check", [cls._parameter(check) for check in CHECKS])
            cls._asked = tuple(check.id for check in CHECKS)

    @classmethod
    def _parameter(cls, check: Check) -> Any:
        from llem.testing.check_definition import ContractViolation

        reason = cls.known_failures.get(check.id)
        marks = (
            []
            if reason is None
            else [pytest.mark.xfail(reason=reason, raises=ContractViolation, strict=True)]
        )
        return pytest.param(check, id=check.id, marks=marks)

    def test_contract(self, check: Check, plugin_under_test: PluginUnderTest) -> None:
        """The plugin keeps this rule."""
        from llem.testing.prerequisites import missing

        if lacking := missing(plugin_under_test, check.need):
            pytest.skip(lacking)
        check(plugin_under_test)

    def test_no_check_is_left_out(self) -> None:
        """Every check of the catalog runs, and known failures are checks, with reasons."""
        from llem.testing.conformance import CHECKS

        # Explicit failures, because `python -O` removes assert statements.
        catalog = tuple(check.id for check in CHECKS)
        if self._asked != catalog:
            pytest.fail("pytest_generate_tests was overridden")
        if type(self).test_contract is not PluginSuite.test_contract:
            pytest.fail("test_contract was overridden")
        if unknown := sorted(self.known_failures.keys() - set(catalog)):
            pytest.fail(f"known failures that name no check: {', '.join(unknown)}")
        if unexplained := [name for name, reason in self.known_failures.items() if not reason]:
            pytest.fail(f"known failures without a reason: {', '.join(unexplained)}")
