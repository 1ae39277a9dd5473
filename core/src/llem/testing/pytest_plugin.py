"""Fixtures for the tests of a plugin: ``pytest -p llem.testing.pytest_plugin``.

Not registered as an entry point: whoever installs llem for measuring has no use for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from llem.schema.call_plan import CallPlan
    from llem.testing.plugin_under_test import PluginUnderTest


@pytest.fixture(scope="class")
def plugin_under_test(request: pytest.FixtureRequest) -> PluginUnderTest:
    """The plugin that the class of the test names, asked each question once."""
    # Imported here: what a conftest sets in the environment has to come first.
    from llem.testing.plugin_under_test import PluginUnderTest

    suite = request.cls
    return PluginUnderTest(suite.plugin, suite.settings)


@pytest.fixture
def llem_plan() -> Callable[[str, Mapping[str, Any]], CallPlan]:
    """Return the function that plans an experiment: ``llem_plan("demo", {"demo.threads": 2})``.

    Values are given by dotted path; everything else is as small as can be.
    """
    from llem.testing.plugin_under_test import PluginUnderTest

    return lambda plugin, values: PluginUnderTest(plugin).plan(values)
