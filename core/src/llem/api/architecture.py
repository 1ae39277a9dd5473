"""A decoder's dimensions, as far as its arithmetic and memory depend on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Architecture:
    """Dimensions of a decoder-only transformer.

    Attributes:
        layers: Number of decoder layers.
        hidden_size: Width of the residual stream.
        heads: Query heads per layer.
        kv_heads: Key/value heads per layer (fewer than ``heads`` under GQA).
        head_dim: Width of one head.
        intermediate_size: Inner width of one MLP (one expert, under MoE).
        vocab_size: Rows of the output projection.
        gated_mlp: Whether the MLP has a gate projection (three matrices, not two).
        tied_embeddings: Whether input and output embeddings share weights.
        experts: MLPs per layer; 1 without MoE.
        active_experts: MLPs that one token passes through.
        sliding_window_tokens: Attention span, or ``None`` for full attention.
    """

    layers: int
    hidden_size: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate_size: int
    vocab_size: int
    gated_mlp: bool = True
    tied_embeddings: bool = False
    experts: int = 1
    active_experts: int = 1
    sliding_window_tokens: int | None = None

    @property
    def attention_parameters(self) -> int:
        """Weights of one layer's Q, K, V and output projections."""
        return self.hidden_size * self.head_dim * (2 * self.heads + 2 * self.kv_heads)

    @property
    def mlp_parameters(self) -> int:
        """Weights of one MLP (one expert)."""
        return (3 if self.gated_mlp else 2) * self.hidden_size * self.intermediate_size

    @property
    def router_parameters(self) -> int:
        """Weights of one layer's expert router; 0 without MoE."""
        return self.hidden_size * self.experts if self.experts > 1 else 0

    @property
    def parameters(self) -> int:
        """All weights: embeddings, layers, two norms a layer and the final norm."""
        layer = (
            self.attention_parameters
            + self.experts * self.mlp_parameters
            + self.router_parameters
            + 2 * self.hidden_size
        )
        embeddings = (1 if self.tied_embeddings else 2) * self.vocab_size * self.hidden_size
        return self.layers * layer + embeddings + self.hidden_size

    def kv_bytes_per_token(self, bytes_per_value: int = 2) -> int:
        """Bytes that one token occupies in the KV cache over all layers."""
        return 2 * self.layers * self.kv_heads * self.head_dim * bytes_per_value


# Families whose MLP has two matrices; every other family known here gates it with a third.
_UNGATED = frozenset({"gpt2", "gpt_neo", "gpt_neox", "gptj", "opt", "bloom", "falcon", "phi"})
_GATED = frozenset(
    {
        "llama", "mistral", "mixtral", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "gemma",
        "gemma2", "gemma3_text", "phi3", "olmo", "olmo2", "smollm3", "granite", "cohere",
        "cohere2", "stablelm", "deepseek_v2", "deepseek_v3", "gpt_oss", "glm", "glm4",
    }
)  # fmt: skip
# Latent attention and mixed dense/expert stacks do not fit the formula above.
_UNFIT = frozenset({"deepseek_v2", "deepseek_v3"})


def from_hf_config(config: Mapping[str, Any]) -> Architecture | None:
    """Read the dimensions from a Hugging Face ``config.json``.

    Returns:
        The dimensions, or ``None`` for a family whose arithmetic llem does not know: an
        unknown formula must yield "unavailable", never a guess.
    """
    family = config.get("model_type")
    if family in _UNFIT or family not in _UNGATED | _GATED:
        return None

    def first(*names: str) -> Any:
        return next((config[name] for name in names if config.get(name) is not None), None)

    hidden = first("hidden_size", "n_embd", "d_model")
    heads = first("num_attention_heads", "n_head")
    layers = first("num_hidden_layers", "n_layer")
    vocab = first("vocab_size")
    if None in (hidden, heads, layers, vocab):
        return None
    experts = first("num_local_experts", "num_experts", "n_routed_experts") or 1
    inner = first("moe_intermediate_size") if experts > 1 else None
    # OPT says ffn_dim, GPT-2 n_inner; where none is given these families use four times the width.
    inner = inner or first("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size")
    window = config.get("sliding_window") if config.get("use_sliding_window", True) else None
    return Architecture(
        layers=layers,
        hidden_size=hidden,
        heads=heads,
        kv_heads=first("num_key_value_heads", "num_kv_heads") or heads,
        head_dim=first("head_dim") or hidden // heads,
        intermediate_size=inner or 4 * hidden,
        vocab_size=vocab,
        gated_mlp=family in _GATED,
        tied_embeddings=bool(config.get("tie_word_embeddings", family in _UNGATED)),
        experts=experts,
        active_experts=first("num_experts_per_tok", "num_experts_per_token") or 1,
        sliding_window_tokens=window,
    )
