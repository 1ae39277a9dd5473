"""The fields of the backend's config section, one file per topic.

Fields carry vLLM's own names: arguments of ``EngineArgs`` are fields of the section itself, and
those of vLLM's nested configs are fields of the sections inside it.
"""

from __future__ import annotations

from llem_vllm.config.compilation import CompilationFields
from llem_vllm.config.decoding import DecodingFields
from llem_vllm.config.kernels import KernelFields
from llem_vllm.config.kv_cache import KvCacheFields, MambaFields
from llem_vllm.config.parallelism import ParallelismFields
from llem_vllm.config.scheduling import SchedulingFields
from llem_vllm.config.speculation import SpeculationFields
from llem_vllm.config.weights import LoadingFields, OffloadingFields, PrecisionFields


# pydantic lists the fields of the last base first.
class VLLMFields(
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
    """Every field of the section; rules are about these."""
