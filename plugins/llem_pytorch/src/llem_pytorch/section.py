"""The backend's section of an experiment."""

from __future__ import annotations

from typing import Any, ClassVar

from llem.api import Rule
from llem_pytorch.config import PyTorchFields
from llem_pytorch.rules import RULES


class PyTorchConfig(PyTorchFields):
    """How transformers loads the model and generates."""

    rules: ClassVar[tuple[Rule[Any], ...]] = RULES
