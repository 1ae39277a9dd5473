"""The arithmetic of model families whose layers a formula describes exactly.

A formula speaks for a config only if it knows all of it: each key is read here, or is known to
change neither a weight nor an operation. One unknown key, and the formula is silent. The model is
then counted (``llem.api.meta_count``), or unknown; it is never a guess.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from llem.api.arithmetic import Arithmetic, Attention


@dataclass(frozen=True, slots=True)
class _Family:
    """Traits that the classes of one ``model_type`` have, whatever the config says.

    Attributes:
        gated: Whether an MLP has three matrices, or two.
        tied: Whether the output projection is the embedding where the config does not say.
        norms: Norms of the model's width in a layer.
        affine: Vectors of a norm: 1 scales, 2 shifts as well, 0 for none.
        qkv_bias: Bias of queries, keys and values: yes, no, or the key that says so.
        out_bias: The same for the output of attention.
        mlp_bias: The same for the MLP.
        head_norm: Whether queries and keys are normed within each head.
        width_norm: Whether they are normed over all heads.
        windows: Layers with a window where the config does not list them: ``all``, ``even``
            (0, 2, …), ``late`` (from ``max_window_layers`` on) or a period, of which the last
            layer has none.
        reads: Further keys of the config that the formula reads for this family.
        head_dim: Width of a head where the config does not say; 0 for the width by the heads.
        grouped: Whether the config must say the number of key/value heads.
        on: Biases that are there where the config does not say.
        sinks: Whether each head has a sink.
        positions: The key with the length of a learned table of positions; empty for none.
        classic: Whether the config has names of the first decoders besides today's.
    """

    gated: bool = True
    tied: bool = False
    norms: int = 2
    affine: int = 1
    qkv_bias: bool | str = False
    out_bias: bool | str = False
    mlp_bias: bool | str = False
    head_norm: bool = False
    width_norm: bool = False
    windows: str | int = ""
    reads: frozenset[str] = frozenset()
    head_dim: int = 0
    grouped: bool = True
    on: frozenset[str] = frozenset()
    sinks: bool = False
    positions: str = ""
    classic: bool = False

    @property
    def keys(self) -> frozenset[str]:
        """Keys of the config that the formula reads for this family and not for all."""
        traits = (self.qkv_bias, self.out_bias, self.mlp_bias, self.positions)
        names = {name for synonyms in _SYNONYMS for name in self.names(synonyms)}
        return self.reads | names | {trait for trait in traits if isinstance(trait, str)}

    def names(self, synonyms: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of ``synonyms`` that the family's config may use."""
        return synonyms if self.classic else synonyms[:1]


_BIASES = ("qkv_bias", "out_bias", "mlp_bias")


def _classic(**traits: Any) -> _Family:
    """Return a family in the manner of GPT-2: two matrices, and norms that shift."""
    common = {"classic": True, "gated": False, "affine": 2, "grouped": False}
    return _Family(**{**common, **dict.fromkeys(_BIASES, True), **traits})


_ATTENTION: dict[str, Any] = {"qkv_bias": "attention_bias", "out_bias": "attention_bias"}
_BIASED = frozenset({"attention_bias"})
_ALL_KEYED: dict[str, Any] = {**_ATTENTION, "mlp_bias": "mlp_bias"}
_USE_BIAS: dict[str, Any] = dict.fromkeys(_BIASES, "use_bias")
_SPARSE = frozenset(
    {"num_local_experts", "num_experts", "num_experts_per_tok", "experts_per_token"}
)
_MIXED = _SPARSE | {"decoder_sparse_step", "mlp_only_layers", "moe_intermediate_size"}
_LATE = frozenset({"max_window_layers", "use_sliding_window"})
_PATTERN = frozenset({"sliding_window_pattern", "_sliding_window_pattern"})
_PARALLEL = frozenset({"use_parallel_residual"})
_FALCON = frozenset(
    {"multi_query", "new_decoder_architecture", "parallel_attn", "num_ln_in_parallel_attn"}
)
_ENABLED: dict[str, Any] = {
    **dict.fromkeys(_BIASES, "enable_bias"),
    "on": frozenset({"enable_bias"}),
}
_OPT = frozenset({"word_embed_proj_dim", "do_layer_norm_before", "layer_norm_elementwise_affine"})

_FAMILIES: Mapping[str, _Family] = {
    "llama": _Family(**_ALL_KEYED, grouped=False),
    "mistral": _Family(windows="all"),
    "mixtral": _Family(windows="all", reads=_SPARSE),
    "ministral3": _Family(windows="all"),
    "qwen2": _Family(qkv_bias=True, windows="late", reads=_LATE),
    "qwen2_moe": _Family(
        qkv_bias="qkv_bias",
        on=frozenset({"qkv_bias"}),
        windows="late",
        reads=_LATE | _MIXED | {"shared_expert_intermediate_size"},
    ),
    "qwen3": _Family(**_ATTENTION, head_norm=True, windows="late", reads=_LATE, head_dim=128),
    "qwen3_moe": _Family(**_ATTENTION, head_norm=True, reads=_MIXED | _LATE),
    "gemma": _Family(**_ATTENTION, tied=True, head_dim=256),
    "gemma2": _Family(**_ATTENTION, tied=True, norms=4, windows="even", head_dim=256),
    "gemma3_text": _Family(
        **_ATTENTION, tied=True, norms=4, head_norm=True, windows=6, reads=_PATTERN, head_dim=256
    ),
    "phi3": _Family(windows="all", grouped=False),
    "olmo": _Family(**_ATTENTION, affine=0, grouped=False),
    "olmo2": _Family(**_ATTENTION, width_norm=True, grouped=False),
    "smollm3": _Family(**_ALL_KEYED, tied=True, windows="late", reads=_LATE),
    "granite": _Family(**_ALL_KEYED, grouped=False),
    "cohere": _Family(**_ATTENTION, tied=True, norms=1, grouped=False),
    "cohere2": _Family(
        **_ATTENTION, tied=True, norms=1, windows=4, reads=_PATTERN, grouped=False
    ),
    "stablelm": _Family(affine=2, qkv_bias="use_qkv_bias", reads=_PARALLEL),
    "glm": _Family(qkv_bias="attention_bias", on=_BIASED, head_dim=128),
    "glm4": _Family(qkv_bias="attention_bias", on=_BIASED, norms=4, head_dim=128),
    "gpt_oss": _Family(
        **_ATTENTION,
        mlp_bias=True,
        on=_BIASED,
        windows="even",
        reads=_SPARSE,
        head_dim=64,
        sinks=True,
    ),
    "olmoe": _Family(**_ATTENTION, width_norm=True, grouped=False, reads=_SPARSE),
    "minimax_m2": _Family(width_norm=True, reads=_SPARSE),
    "seed_oss": _Family(
        qkv_bias="attention_bias",
        on=_BIASED,
        out_bias="attention_out_bias",
        mlp_bias="mlp_bias",
        head_dim=128,
    ),
    "ernie4_5": _Family(**_USE_BIAS, tied=True, head_dim=128),
    "helium": _Family(**_ATTENTION, mlp_bias="mlp_bias", head_dim=128),
    "internlm3": _Family(**_ALL_KEYED, head_dim=128),
    "granitemoe": _Family(**_ATTENTION, grouped=False, reads=_SPARSE),
    "arcee": _Family(**_ALL_KEYED, gated=False),
    "nemotron": _Family(**_ALL_KEYED, gated=False, affine=2, grouped=False),
    "starcoder2": _Family(
        **_USE_BIAS, on=frozenset({"use_bias"}), tied=True, gated=False, affine=2, windows="all"
    ),
    "jais2": _Family(**_ALL_KEYED, on=_BIASED | {"mlp_bias"}, gated=False, affine=2),
    "gpt2": _classic(tied=True, positions="n_positions"),
    "gpt_bigcode": _classic(tied=True, positions="n_positions", reads=frozenset({"multi_query"})),
    "gpt_neox": _classic(**_ATTENTION, on=_BIASED, reads=_PARALLEL),
    "gptj": _classic(norms=1, qkv_bias=False, out_bias=False),
    "opt": _classic(**_ENABLED, tied=True, positions="max_position_embeddings", reads=_OPT),
    "bloom": _classic(tied=True),
    "falcon": _classic(**dict.fromkeys(_BIASES, "bias"), tied=True, reads=_FALCON),
    "phi": _classic(norms=1),
}  # fmt: skip

_WIDTH = ("hidden_size", "n_embd", "n_embed")
_LAYERS = ("num_hidden_layers", "n_layer", "num_layers")
_HEADS = ("num_attention_heads", "n_head", "num_heads")
_KV_HEADS = ("num_key_value_heads", "num_kv_heads")
_INNER = ("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size")
_SYNONYMS = (_WIDTH, _LAYERS, _HEADS, _KV_HEADS, _INNER)
_EXPERTS = ("num_local_experts", "num_experts")
_ACTIVE = ("num_experts_per_tok", "experts_per_token")
_READ = frozenset(
    {
        "model_type", "vocab_size", "head_dim", "tie_word_embeddings", "sliding_window",
        "layer_types", "max_position_embeddings", "n_positions",
    }
)  # fmt: skip

# Keys that change neither the number of a weight nor an operation that is counted: names, ids,
# training, number formats, and factors that elements are scaled with.
_INERT = frozenset(
    {
        "_attn_implementation", "_attn_implementation_autoset", "_experts_implementation",
        "_model_name_or_path", "_name_or_path", "activation", "activation_function", "alibi",
        "architectures", "attention_dropout", "attention_multiplier", "attention_softmax_in_fp32",
        "attn_logit_softcapping", "attn_pdrop", "auto_map", "bias_dropout_fusion", "bos_token_id",
        "cache_implementation", "chunk_size_feed_forward", "classifier_dropout", "clip_qkv",
        "dropout", "dtype", "embd_pdrop", "embed_dropout", "embedding_multiplier", "eos_token_id",
        "final_logit_softcapping", "full_attn_mod", "gradient_checkpointing", "hidden_act",
        "hidden_activation", "hidden_dropout", "id2label", "init_std", "initial_context_length",
        "initializer_range", "input_jitter_noise", "interpolate_factor", "is_decoder", "label2id",
        "layer_norm_eps", "layer_norm_epsilon", "layerdrop", "logit_scale", "logits_scaling",
        "masked_softmax_fusion", "max_sequence_length", "n_ctx", "no_rope_layer_interval",
        "no_rope_layers", "norm_eps", "norm_epsilon", "norm_topk_prob", "offset_alibi",
        "original_max_position_embeddings", "output_attentions", "output_hidden_states",
        "output_router_logits", "pad_token_id", "partial_rotary_factor", "prefix", "pretraining_tp",
        "problem_type", "quantization_config", "query_pre_attn_scalar", "reorder_and_upcast_attn",
        "resid_dropout", "resid_pdrop", "residual_dropout", "residual_multiplier", "return_dict",
        "rms_norm_eps", "rope_interleaved", "rope_local_base_freq", "rope_parameters", "rope_pct",
        "rope_scaling", "rope_theta", "rotary", "rotary_dim", "rotary_emb_base", "rotary_pct",
        "router_aux_loss_coef", "router_jitter_noise", "scale_attention_softmax_in_fp32",
        "scale_attn_by_inverse_layer_idx", "scale_attn_weights", "scoring_func", "skip_bias_add",
        "skip_bias_add_qkv", "slow_but_exact", "summary_activation", "summary_first_dropout",
        "summary_proj_to_labels", "summary_type", "summary_use_proj", "swiglu_alpha",
        "swiglu_limit", "task_specific_params", "tokenizer_class", "torch_dtype",
        "transformers_version", "unk_token_id", "unsloth_fixed", "unsloth_version", "use_cache",
    }
)  # fmt: skip


def from_hf_config(config: Mapping[str, Any]) -> Arithmetic | None:
    """Return the arithmetic of a decoder from its ``config.json``.

    Returns:
        Numbers that are exact, or ``None`` where the family or a key is not known here.
    """
    family = _FAMILIES.get(str(config.get("model_type")))
    if family is None:
        return None
    known = _READ | _INERT | family.keys
    if any(value and name not in known for name, value in config.items()):
        return None
    try:
        return _Dimensions(family, config).arithmetic()
    except (LookupError, TypeError, ValueError, ZeroDivisionError):
        return None


class _Dimensions:
    """The dimensions in a config, by the names that its family gives them.

    Raises:
        KeyError: The config lacks a number that does not follow from another.
        ValueError: It has a kind of layer that no formula here describes.
    """

    def __init__(self, family: _Family, config: Mapping[str, Any]) -> None:
        self.family, self.config = family, config
        self.width = self._number(family.names(_WIDTH))
        self.layers = self._number(family.names(_LAYERS))
        self.heads = self._number(family.names(_HEADS))
        self.vocabulary = self._number(("vocab_size",))
        self.kv_heads = self._kv_heads()
        self.head_dim = config.get("head_dim") or family.head_dim or self.width // self.heads
        self.embedding = config.get("word_embed_proj_dim") or self.width
        self.experts = self._number(_EXPERTS, None if family.reads >= _SPARSE else 1)

    def _number(self, names: Iterable[str], otherwise: int | None = None) -> int:
        found = {self.config[name] for name in names if self.config.get(name) is not None}
        if len(found) > 1 or not (found or otherwise):
            raise KeyError(*names)
        return int(found.pop() if found else otherwise or 0)

    def _kv_heads(self) -> int:
        config, type_name = self.config, self.config["model_type"]
        if type_name == "falcon" and not config.get("new_decoder_architecture", False):
            return 1 if config.get("multi_query", True) else self.heads
        if type_name == "gpt_bigcode":
            return 1 if config.get("multi_query", True) else self.heads
        return self._number(
            self.family.names(_KV_HEADS), None if self.family.grouped else self.heads
        )

    def _says(self, trait: bool | str) -> bool:
        """Whether ``trait`` holds; a key that is absent is the class's default."""
        if isinstance(trait, bool):
            return trait
        return bool(self.config.get(trait, trait in self.family.on))

    def arithmetic(self) -> Arithmetic:
        """Return operations and weights of the whole model."""
        queries, values = self.heads * self.head_dim, self.kv_heads * self.head_dim
        attention = self.width * (2 * queries + 2 * values)
        mlps = [self._mlp(layer) for layer in range(self.layers)]
        # Weights in a layer besides its matrices; they cost no operation that is counted.
        vectors = self._norms() * self.family.affine * self.width
        vectors += (queries + 2 * values) * self._says(self.family.qkv_bias)
        vectors += self.width * self._says(self.family.out_bias)
        vectors += 2 * self.head_dim * self.family.head_norm
        vectors += (queries + values) * self.family.width_norm
        vectors += self.heads * self.family.sinks
        projections = 2 * self.width * self.embedding * (self.embedding != self.width)
        total = sum(held for _, _, held in mlps) + self.layers * (attention + vectors)
        body = sum(used for used, _, _ in mlps) + self.layers * attention + projections
        idle = sum(held - passed for _, passed, held in mlps)
        total += projections + self._outside()
        return Arithmetic(
            method="analytic",
            parameters=total,
            active_parameters=total - idle,
            position_flops=2 * body,
            output_flops=2 * self.embedding * self.vocabulary,
            attention=self._attention(4 * queries, 2 * values),
        )

    def _mlp(self, layer: int) -> tuple[int, int, int]:
        """Return matrix weights used by a token, weights it passes through, and all weights."""
        otherwise = 4 * self.width if self.family.classic else None
        inner = self._number(self.family.names(_INNER), otherwise)
        sparse = self.experts > 1
        if sparse and "decoder_sparse_step" in self.family.reads:
            step = self.config.get("decoder_sparse_step", 1)
            dense = layer in (self.config.get("mlp_only_layers") or ())
            sparse = not dense and (layer + 1) % step == 0
        if not sparse:
            weights, biases = self._matrices(inner)
            return weights, weights + biases, weights + biases
        active = self._number(_ACTIVE)
        weights, biases = self._matrices(self.config.get("moe_intermediate_size") or inner)
        shared_inner = self.config.get("shared_expert_intermediate_size") or 0
        # A shared expert has a gate of one output.
        shared = self._matrices(shared_inner)[0] + self.width if shared_inner else 0
        router = self.width * self.experts
        always = shared + router + self.experts * self._says(self.family.mlp_bias)
        used = shared + router + active * weights
        each = weights + biases
        return used, always + active * each, always + self.experts * each

    def _matrices(self, inner: int) -> tuple[int, int]:
        """Return the weights of an MLP's matrices, and of its biases."""
        into = 2 if self.family.gated else 1
        biases = into * inner + self.width
        return (into + 1) * self.width * inner, biases * self._says(self.family.mlp_bias)

    def _norms(self) -> int:
        config, type_name = self.config, self.config["model_type"]
        if type_name == "falcon":
            if config.get("new_decoder_architecture", False):
                return int(config.get("num_ln_in_parallel_attn") or 2)
            return 1 if config.get("parallel_attn", True) else 2
        if type_name == "stablelm" and config.get("use_parallel_residual", False):
            return 1
        return self.family.norms

    def _outside(self) -> int:
        """Return the weights outside the layers."""
        config, type_name = self.config, self.config["model_type"]
        tied = config.get("tie_word_embeddings")
        tied = self.family.tied if tied is None else tied
        found = (1 if tied else 2) * self.vocabulary * self.embedding
        norms = 1
        if type_name == "opt":
            norms = int(config.get("do_layer_norm_before", True))
            if not config.get("layer_norm_elementwise_affine", True):
                raise ValueError("norms without weights")
        if type_name == "bloom":
            norms = 2
        found += norms * self.family.affine * self.width
        if type_name in ("phi", "gptj"):
            found += self.vocabulary  # the bias of the output projection
        positions = self.family.positions
        if positions:
            found += (self._number((positions,)) + 2 * (type_name == "opt")) * self.width
        return found

    def _attention(self, flops: int, kv_elements: int) -> tuple[Attention, ...]:
        """Return the layers by window, those without a window first."""
        layers = Counter(self._window(layer) for layer in range(self.layers))
        return tuple(
            Attention(flops * number, kv_elements * number, window)
            for window, number in sorted(layers.items(), key=lambda item: item[0] or 0)
        )

    def _window(self, layer: int) -> int | None:
        """Return the window of a layer, or ``None`` for full attention."""
        window: int | None = self.config.get("sliding_window") or None
        types, rule = self.config.get("layer_types"), self.family.windows
        if not self.config.get("use_sliding_window", rule != "late"):
            window = None
        if types:
            if types[layer] == "full_attention":
                return None
            if types[layer] != "sliding_attention" or window is None:
                raise ValueError(types[layer])
            return window
        if window is None or rule == "all":
            return window
        if rule == "even":
            return window if layer % 2 == 0 else None
        if rule == "late":
            return window if layer >= self._number(("max_window_layers",)) else None
        if isinstance(rule, int):
            names = ("sliding_window_pattern", "_sliding_window_pattern")
            return window if (layer + 1) % self._number(names, rule) else None
        raise ValueError(rule)
