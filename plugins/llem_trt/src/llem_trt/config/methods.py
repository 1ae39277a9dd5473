"""Methods of speculative decoding, and what the markers of their settings have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from llem.schema.base import Param
from llem_trt.config.markers import NEW, OLD, llm

Method = Literal[
    "eagle3", "mtp", "ngram", "draft_target", "pard", "auto", "eagle", "medusa", "lookahead"
]

LEGACY_METHODS: tuple[Method, ...] = ("eagle", "medusa", "lookahead")
"""Methods of the legacy TensorRT execution."""

DRAFT_MODEL_METHODS: tuple[Method, ...] = ("eagle3", "draft_target", "pard", "eagle", "medusa")
"""Methods with a draft model of its own, or heads that come like one."""

COUNTED_METHODS: tuple[Method, ...] = (
    "eagle3",
    "ngram",
    "draft_target",
    "pard",
    "eagle",
    "medusa",
)
"""Methods that must be told how many tokens to propose."""

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
"""A valid section of each kind, for the examples of its fields."""


def of(name: str, *methods: str, like: str = "", **options: Any) -> Param:
    """Return the marker of a field that some methods have; ``like`` is the one it is shown with."""
    extra = options.pop("example_context", {})
    return llm(
        f"speculative_config.{name}",
        requires={_METHOD: methods},
        example_context={**EXAMPLES[like or methods[0]], **extra},
        **options,
    )
