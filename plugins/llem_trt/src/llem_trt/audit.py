"""Account for every parameter of TensorRT-LLM's public classes."""

from __future__ import annotations

from collections.abc import Sequence

from llem.api.parameter_audit import ParameterAudit, Surface
from llem.schema.fields import walk
from llem_trt import exclusions, reference
from llem_trt.config import TrtFields
from llem_trt.config.methods import CLASSES as SPECULATION
from llem_trt.config.sparse_attention import CLASSES as SPARSE_ATTENTION
from llem_trt.plan import SHARED
from llem_trt.versions import SURFACES

_PUBLIC = "tensorrt_llm.llmapi"

_DRAFT_NAME = {"speculative_model_dir": "the name of trt.speculation.speculative_model before 1.3"}
_TYPE = {"decoding_type": "follows from the class that the plan builds"}
_LAYERS = {"num_eagle_layers": "the engine sets it from max_draft_len"}

_EXCLUDED: dict[str, exclusions.Reasons] = {
    "tensorrt_llm.LLM": {**exclusions.COMMON, **exclusions.PYTORCH},
    "tensorrt_llm._tensorrt_engine.LLM": {**exclusions.COMMON, **exclusions.TENSORRT},
    "tensorrt_llm.LLM.generate": exclusions.GENERATE,
    "tensorrt_llm.SamplingParams": exclusions.SAMPLING,
    f"{_PUBLIC}.KvCacheConfig": exclusions.KV_CACHE,
    f"{_PUBLIC}.SchedulerConfig": {"dynamic_batch_config": "acts in the TensorRT execution only"},
    f"{_PUBLIC}.QuantConfig": {"mamba_ssm_cache_dtype": "trt.kv_cache sets it"},
    f"{_PUBLIC}.llm_args.MoeLoadBalancerConfig": {
        "initial_global_assignments": "needs a number for each expert of each layer"
    },
    f"{_PUBLIC}.EagleDecodingConfig": _LAYERS,
    f"{_PUBLIC}.Eagle3DecodingConfig": _LAYERS,
    f"{_PUBLIC}.MTPDecodingConfig": {
        "num_nextn_predict_layers_from_model_config": "the engine sets it from the checkpoint"
    },
}
"""Excluded parameters and reasons, by class."""


def parameter_audit() -> ParameterAudit:
    """Return the account of all known surfaces of TensorRT-LLM together."""
    places = {
        "tensorrt_llm.LLM": "load",
        "tensorrt_llm._tensorrt_engine.LLM": "load",
        "tensorrt_llm.LLM.generate": "generate",
        "tensorrt_llm.SamplingParams": "sampling",
        **{
            place.of: place.place for field in walk(TrtFields) for place in field.places if place.of
        },
        **dict.fromkeys(SPECULATION.values(), "load.speculative_config"),
        **dict.fromkeys(SPARSE_ATTENTION.values(), "load.sparse_attention_config"),
    }
    return ParameterAudit(
        surfaces=tuple(
            _surface(name, place, [other for other in places if places[other] == place])
            for name, place in places.items()
        ),
        introspect="llem_trt.runtime.surface.introspect",
        shared=SHARED,
        reference="llem_trt.reference.found",
    )


def _surface(name: str, place: str, neighbors: Sequence[str]) -> Surface:
    """Return the account of a class.

    Args:
        name: Its name.
        place: The place of its arguments in a plan.
        neighbors: All classes whose arguments may be at that place, including this class.
    """
    by_version = [reference.classes(surface) for surface in SURFACES]
    here: list[set[str]] = [
        {parameter for neighbor in neighbors for parameter in known.get(neighbor, ())}
        for known in by_version
    ]
    names = {parameter for known in by_version for parameter in known.get(name, ())}
    return Surface(
        name=name,
        at=(place,),
        owned={
            parameter: reason
            for parameter, reason in {**_DRAFT_NAME, **_TYPE}.items()
            if parameter in names
        },
        excluded=_EXCLUDED.get(name, {}),
        not_in_all_versions=frozenset(here[0].union(*here) - here[0].intersection(*here)),
        optional=any(name not in known for known in by_version),
    )
