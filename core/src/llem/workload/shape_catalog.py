"""Embedded shapes: dimensions of published decoders, all in the Llama architecture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from llem.api.architecture import from_hf_config
from llem.api.arithmetic import Arithmetic


@dataclass(frozen=True, slots=True)
class Shape:
    """One embedded shape.

    Attributes:
        name: Name after ``shape:`` in ``model.id``.
        summary: The published model it resembles.
        config: Dimensions, by the keys of a Hugging Face ``config.json``.
    """

    name: str
    summary: str
    config: Mapping[str, Any]

    @property
    def arithmetic(self) -> Arithmetic:
        """Weights, operations and cache."""
        arithmetic = from_hf_config(self.config)
        assert arithmetic is not None
        return arithmetic

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return self.arithmetic.parameters


def _llama(
    layers: int,
    hidden: int,
    heads: int,
    kv_heads: int,
    inner: int,
    vocab: int,
    *,
    tied: bool,
    context: int = 8192,
) -> dict[str, Any]:
    return {
        "model_type": "llama",
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "head_dim": hidden // heads,
        "intermediate_size": inner,
        "vocab_size": vocab,
        "tie_word_embeddings": tied,
        "max_position_embeddings": context,
    }


_SHAPES = (
    Shape("tiny", "For a first run and for tests", _llama(4, 256, 4, 2, 688, 1024, tied=True)),
    Shape("135m", "As SmolLM2-135M", _llama(30, 576, 9, 3, 1536, 49152, tied=True)),
    Shape("360m", "As SmolLM2-360M", _llama(32, 960, 15, 5, 2560, 49152, tied=True)),
    Shape("1b", "As Llama-3.2-1B", _llama(16, 2048, 32, 8, 8192, 128256, tied=True)),
    Shape("3b", "As Llama-3.2-3B", _llama(28, 3072, 24, 8, 8192, 128256, tied=True)),
    Shape("8b", "As Llama-3.1-8B", _llama(32, 4096, 32, 8, 14336, 128256, tied=False)),
    Shape("70b", "As Llama-3.1-70B", _llama(80, 8192, 64, 8, 28672, 128256, tied=False)),
)

SHAPES: Mapping[str, Shape] = MappingProxyType({shape.name: shape for shape in _SHAPES})
"""All shapes by name, smallest first."""
