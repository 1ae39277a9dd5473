"""The config section of the backend: its fields, and the rules about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from llem.api import Param, Rule
from llem_vllm.config import VLLMFields
from llem_vllm.rules.compilation import COMPILATION_RULES
from llem_vllm.rules.decoding import DECODING_RULES
from llem_vllm.rules.loading import LOADING_RULES, REMOVED
from llem_vllm.rules.parallelism import PARALLELISM_RULES
from llem_vllm.rules.scheduling import SCHEDULING_RULES
from llem_vllm.rules.speculation import SPECULATION_RULES


class VLLMConfig(VLLMFields):
    """How vLLM loads the model, schedules requests and generates."""

    shared_needs: ClassVar[Mapping[str, Param]] = {
        # The first tensor cores that multiply bfloat16; vLLM refuses it on older ones.
        "model.dtype": Param(min_compute_capability={"bfloat16": (8, 0)}),
    }
    rules: ClassVar[tuple[Rule[Any], ...]] = (
        *SCHEDULING_RULES,
        *COMPILATION_RULES,
        *PARALLELISM_RULES,
        *SPECULATION_RULES,
        *DECODING_RULES,
        *LOADING_RULES,
    )
    removed: ClassVar[Mapping[str, str]] = REMOVED["load"]
