"""Does the plugin keep llem's contract, on the model that tests/build_model.py made?"""

from __future__ import annotations

import os

from llem.testing import PluginSuite


class TestOnnx(PluginSuite):
    plugin = "onnx"
    settings = {"model.id": os.environ["LLEM_ONNX_MODEL"], "onnx.build": "int4"}
