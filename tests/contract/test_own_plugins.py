"""The plugins of this repository pass the same suite as every other plugin, without exception.

What needs an engine is skipped where there is none: the environments `pytorch`, `vllm` and `zeus`
of tox ask for their own plugin once more.
"""

from __future__ import annotations

from llem.testing import PluginSuite


class TestSimulated(PluginSuite):
    plugin = "simulated"


class TestMeters(PluginSuite):
    plugin = "meters"


class TestImporters(PluginSuite):
    plugin = "importers"


class TestPyTorch(PluginSuite):
    plugin = "pytorch"


class TestVllm(PluginSuite):
    plugin = "vllm"


class TestTrt(PluginSuite):
    plugin = "trt"


class TestZeus(PluginSuite):
    plugin = "zeus"


class TestMlflow(PluginSuite):
    plugin = "mlflow"
