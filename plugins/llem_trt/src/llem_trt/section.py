"""The config section of the backend: its fields, and the rules about them."""

from __future__ import annotations

from typing import Any, ClassVar

from llem.api import Rule
from llem_trt.config import TrtFields
from llem_trt.rules.generation import GENERATION_RULES
from llem_trt.rules.limits import LIMIT_RULES
from llem_trt.rules.memory import MEMORY_RULES
from llem_trt.rules.model import MODEL_RULES
from llem_trt.rules.parallelism import PARALLEL_RULES
from llem_trt.rules.speculation import SPECULATION_RULES
from llem_trt.rules.surface import SURFACE_RULES


class TrtConfig(TrtFields):
    """How TensorRT-LLM loads the model, schedules requests and generates."""

    rules: ClassVar[tuple[Rule[Any], ...]] = (
        *MODEL_RULES,
        *LIMIT_RULES,
        *MEMORY_RULES,
        *PARALLEL_RULES,
        *SPECULATION_RULES,
        *GENERATION_RULES,
        *SURFACE_RULES,
    )
