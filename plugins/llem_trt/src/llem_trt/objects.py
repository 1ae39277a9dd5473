"""The objects of TensorRT-LLM that nested arguments stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llem.schema.call_plan import Construct, Symbol, Value
from llem_trt.config.methods import Method
from llem_trt.config.trt import TrtConfig
from llem_trt.versions import SurfaceName

_PUBLIC = "tensorrt_llm.llmapi"
_ARGUMENTS = "tensorrt_llm.llmapi.llm_args"

OBJECTS: Mapping[str, str] = {
    "kv_cache_config": f"{_PUBLIC}.KvCacheConfig",
    "scheduler_config": f"{_PUBLIC}.SchedulerConfig",
    "cuda_graph_config": f"{_PUBLIC}.CudaGraphConfig",
    "torch_compile_config": f"{_PUBLIC}.TorchCompileConfig",
    "moe_config": f"{_PUBLIC}.MoeConfig",
    "moe_config.load_balancer": f"{_ARGUMENTS}.MoeLoadBalancerConfig",
    "nvfp4_gemm_config": f"{_ARGUMENTS}.Nvfp4GemmConfig",
    "attention_dp_config": f"{_PUBLIC}.AttentionDpConfig",
    "cp_config": f"{_ARGUMENTS}.CpConfig",
    "quant_config": f"{_PUBLIC}.QuantConfig",
    "calib_config": f"{_PUBLIC}.CalibConfig",
    "guided_decoding": f"{_PUBLIC}.GuidedDecodingParams",
}
"""Class by dotted argument, where there is one class."""

SPECULATION: Mapping[Method, str] = {
    "eagle3": f"{_PUBLIC}.Eagle3DecodingConfig",
    "mtp": f"{_PUBLIC}.MTPDecodingConfig",
    "ngram": f"{_PUBLIC}.NGramDecodingConfig",
    "draft_target": f"{_PUBLIC}.DraftTargetDecodingConfig",
    "pard": f"{_ARGUMENTS}.PARDDecodingConfig",
    "auto": f"{_PUBLIC}.AutoDecodingConfig",
    "eagle": f"{_PUBLIC}.EagleDecodingConfig",
    "medusa": f"{_PUBLIC}.MedusaDecodingConfig",
    "lookahead": f"{_PUBLIC}.LookaheadDecodingConfig",
}
"""Class by method of speculation."""

SPARSE_ATTENTION: Mapping[str, str] = {
    "rocket": f"{_PUBLIC}.RocketSparseAttentionConfig",
    "dsa": f"{_PUBLIC}.DeepSeekSparseAttentionConfig",
    "skip_softmax": f"{_PUBLIC}.SkipSoftmaxAttentionConfig",
}
"""Class by algorithm of sparse attention."""

ENUMS: Mapping[str, str] = {
    "quant_config.quant_algo": f"{_PUBLIC}.QuantAlgo",
    "quant_config.kv_cache_quant_algo": f"{_PUBLIC}.QuantAlgo",
}
"""Enumeration by dotted argument, where the engine compares members and not their names."""


def with_objects(
    arguments: Mapping[str, Any], section: TrtConfig, surface: SurfaceName
) -> dict[str, Value]:
    """Return ``arguments`` with each dictionary that stands for an object made one.

    Args:
        arguments: Arguments of one call.
        section: The backend's section, which chooses among several classes.
        surface: The surface the plan is for.
    """
    classes = {**OBJECTS, **_chosen(section, surface)}
    if surface == "1.2":
        # A plain dictionary there.
        del classes["cp_config"]
    return {name: _made(name, value, classes) for name, value in _renamed(arguments, surface)}


def _chosen(section: TrtConfig, surface: SurfaceName) -> dict[str, str]:
    chosen = {}
    if section.speculation is not None:
        method = section.speculation.method
        # Before 1.3 EAGLE 3 has no class of its own.
        of_method: Method = "eagle" if method == "eagle3" and surface == "1.2" else method
        chosen["speculative_config"] = SPECULATION[of_method]
    if section.sparse_attention is not None:
        chosen["sparse_attention_config"] = SPARSE_ATTENTION[section.sparse_attention.algorithm]
    return chosen


def _renamed(arguments: Mapping[str, Any], surface: SurfaceName) -> list[tuple[str, Any]]:
    """Return the arguments under the names they have in ``surface``."""
    draft = arguments.get("speculative_config")
    if surface != "1.2" or not draft or "speculative_model" not in draft:
        return list(arguments.items())
    older = {
        "speculative_model_dir" if name == "speculative_model" else name: value
        for name, value in draft.items()
    }
    return list({**arguments, "speculative_config": older}.items())


def _made(path: str, value: Any, classes: Mapping[str, str]) -> Value:
    if isinstance(value, dict):
        inside = {name: _made(f"{path}.{name}", item, classes) for name, item in value.items()}
        return Construct(classes[path], inside) if path in classes else inside
    if path in ENUMS and value is not None:
        return Symbol(f"{ENUMS[path]}.{value}")
    return value  # type: ignore[no-any-return]
