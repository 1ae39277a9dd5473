"""Does the plugin keep llem's contract? Every check of the catalog is a test of its own."""

from __future__ import annotations

from llem.testing import PluginSuite


class TestMinimal(PluginSuite):
    plugin = "minimal"
