"""The backend's section of an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from llem.api import Param, Rule
from llem_pytorch.config import PyTorchFields
from llem_pytorch.rules import RULES


class PyTorchConfig(PyTorchFields):
    """How transformers loads the model and generates."""

    shared_needs: ClassVar[Mapping[str, Param]] = {
        # The first tensor cores that multiply bfloat16; a processor is another matter.
        "model.dtype": Param(
            native_compute_capability={"bfloat16": (8, 0)},
            requires={"pytorch.device": (None, "cuda")},
        ),
        "model.gguf_file": Param(packages=("gguf",)),
    }
    rules: ClassVar[tuple[Rule[Any], ...]] = RULES
