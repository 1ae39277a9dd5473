"""Methods of speculative decoding, and the markers of fields that only some of them have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from llem.api import Param
from llem_trt.versions import NEW, OLD

Method = Literal[
    "eagle3", "mtp", "ngram", "draft_target", "pard", "auto", "eagle", "medusa", "lookahead"
]

CLASSES: Mapping[Method, str] = {
    "eagle3": "tensorrt_llm.llmapi.Eagle3DecodingConfig",
    "mtp": "tensorrt_llm.llmapi.MTPDecodingConfig",
    "ngram": "tensorrt_llm.llmapi.NGramDecodingConfig",
    "draft_target": "tensorrt_llm.llmapi.DraftTargetDecodingConfig",
    "pard": "tensorrt_llm.llmapi.llm_args.PARDDecodingConfig",
    "auto": "tensorrt_llm.llmapi.AutoDecodingConfig",
    "eagle": "tensorrt_llm.llmapi.EagleDecodingConfig",
    "medusa": "tensorrt_llm.llmapi.MedusaDecodingConfig",
    "lookahead": "tensorrt_llm.llmapi.LookaheadDecodingConfig",
}
"""The engine's class for each method."""

LEGACY_METHODS: tuple[Method, ...] = ("eagle", "medusa", "lookahead")
"""Methods of the legacy TensorRT execution."""

DRAFT_MODEL_METHODS: tuple[Method, ...] = ("eagle3", "draft_target", "pard", "eagle", "medusa")
"""Methods with a draft model, or with heads that are loaded like one."""

COUNTED_METHODS: tuple[Method, ...] = (
    "eagle3",
    "ngram",
    "draft_target",
    "pard",
    "eagle",
    "medusa",
)
"""Methods that need a number of tokens to propose."""

REJECTION_METHODS: tuple[Method, ...] = ("eagle3", "mtp", "pard", "draft_target")
"""Methods that can sample exactly from rejected drafts."""

PYTORCH_METHODS: tuple[Method, ...] = ("eagle3", "mtp", "ngram", "draft_target", "pard")
"""Methods of the PyTorch execution that have settings."""

_METHOD = "trt.speculation.method"

EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "eagle3": {
        _METHOD: "eagle3",
        "trt.speculation.speculative_model": "draft",
        "trt.speculation.max_draft_len": 4,
    },
    "mtp": {_METHOD: "mtp"},
    "ngram": {_METHOD: "ngram", "trt.speculation.max_draft_len": 4},
    "pard": {
        **NEW,
        _METHOD: "pard",
        "trt.speculation.speculative_model": "draft",
        "trt.speculation.max_draft_len": 4,
    },
    "medusa": {
        **OLD,
        "trt.execution": "tensorrt",
        _METHOD: "medusa",
        "trt.speculation.speculative_model": "draft",
        "trt.speculation.max_draft_len": 4,
    },
    "lookahead": {**OLD, "trt.execution": "tensorrt", _METHOD: "lookahead"},
}
"""Context of the examples of a method's fields."""


def of_methods(*methods: Method, like: str = "", **options: Any) -> Param:
    """Return the marker of a field that only some methods have.

    Args:
        methods: The methods.
        like: The entry of :data:`EXAMPLES` to show the field with; the first method's if empty.
        options: Further attributes of the marker.
    """
    context = {**EXAMPLES[like or methods[0]], **options.pop("example_context", {})}
    return Param(requires={_METHOD: methods}, example_context=context, **options)
