"""Config section of the vLLM backend.

Fields carry the names vLLM gives its own parameters: those of ``EngineArgs`` stand in the section
itself, those of vLLM's nested configs in sections inside it. A file holds the fields of one idea.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from llem.schema.experiment import Rule
from llem_vllm.config.compilation import CompilationFields
from llem_vllm.config.decoding import DecodingFields
from llem_vllm.config.kernels import KernelFields
from llem_vllm.config.kv_cache import KvCacheFields, MambaFields
from llem_vllm.config.loading import LoadingFields
from llem_vllm.config.offloading import OffloadingFields
from llem_vllm.config.parallelism import ParallelismFields
from llem_vllm.config.precision import PrecisionFields
from llem_vllm.config.scheduling import SchedulingFields
from llem_vllm.config.speculation import SpeculationFields
from llem_vllm.rules import RULES
from llem_vllm.rules.loading import REMOVED


# pydantic lists the fields of the last base first.
class VLLMConfig(
    LoadingFields,
    DecodingFields,
    SpeculationFields,
    ParallelismFields,
    CompilationFields,
    KernelFields,
    MambaFields,
    OffloadingFields,
    KvCacheFields,
    PrecisionFields,
    SchedulingFields,
):
    """How vLLM loads the model, schedules requests and generates."""

    rules: ClassVar[tuple[Rule[Any], ...]] = RULES
    removed: ClassVar[Mapping[str, str]] = REMOVED["load"]
