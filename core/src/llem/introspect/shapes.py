"""Which model shapes are embedded, and how large they are."""

from __future__ import annotations

from dataclasses import dataclass

from llem.shapes import SHAPES, Shape

_BYTES_PER_BF16 = 2


@dataclass(frozen=True, slots=True)
class ShapeSummary:
    """One embedded shape.

    Attributes:
        model_id: What to write as ``model.id``.
        summary: What it resembles.
        parameters: Number of weights.
        weights_bytes: Memory its weights need in bfloat16.
        kv_bytes_per_token: Memory one token needs in a bfloat16 KV cache.
        layers: Decoder layers.
        hidden_size: Width of the residual stream.
        heads: Query heads per layer.
        kv_heads: Key/value heads per layer.
        head_dim: Width of one head.
        intermediate_size: Inner width of the MLP.
        vocab_size: Token ids.
    """

    model_id: str
    summary: str
    parameters: int
    weights_bytes: int
    kv_bytes_per_token: int
    layers: int
    hidden_size: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate_size: int
    vocab_size: int


def shapes() -> tuple[ShapeSummary, ...]:
    """Return every embedded shape, smallest first."""
    return tuple(_summary(shape) for shape in SHAPES.values())


def _summary(shape: Shape) -> ShapeSummary:
    dimensions = shape.architecture
    return ShapeSummary(
        model_id=f"shape:{shape.name}",
        summary=shape.summary,
        parameters=shape.parameters,
        weights_bytes=shape.parameters * _BYTES_PER_BF16,
        kv_bytes_per_token=dimensions.kv_bytes_per_token(_BYTES_PER_BF16),
        layers=dimensions.layers,
        hidden_size=dimensions.hidden_size,
        heads=dimensions.heads,
        kv_heads=dimensions.kv_heads,
        head_dim=dimensions.head_dim,
        intermediate_size=dimensions.intermediate_size,
        vocab_size=dimensions.vocab_size,
    )
