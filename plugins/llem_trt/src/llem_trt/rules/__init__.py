"""Combinations the backend refuses, each with its reason and the way out.

They follow the checks of TensorRT-LLM's own configuration classes, where those can be decided
without a GPU and without the model, and what it does silently instead of what was asked for.
"""

from __future__ import annotations

from llem_trt.rules.generation import GENERATION_RULES
from llem_trt.rules.limits import LIMIT_RULES
from llem_trt.rules.memory import MEMORY_RULES
from llem_trt.rules.model import MODEL_RULES
from llem_trt.rules.parallelism import PARALLEL_RULES
from llem_trt.rules.speculation import SPECULATION_RULES
from llem_trt.rules.surface import surface_rules

RULES = (
    *MODEL_RULES,
    *LIMIT_RULES,
    *MEMORY_RULES,
    *PARALLEL_RULES,
    *SPECULATION_RULES,
    *GENERATION_RULES,
)
"""Every rule that is written down; those of the markers come on top."""

__all__ = ["RULES", "surface_rules"]
