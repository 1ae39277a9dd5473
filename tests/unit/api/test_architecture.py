"""The formula for known families: exact by hand, and silent about what it does not know."""

import pytest

from llem.api.architecture import from_hf_config

LLAMA = {
    "model_type": "llama",
    "hidden_size": 8,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "intermediate_size": 16,
    "vocab_size": 32,
}
ATTENTION = 8 * 8 + 2 * 8 * 4 + 8 * 8
MLP = 3 * 8 * 16
SPARSE = {
    **LLAMA,
    "model_type": "qwen3_moe",
    "head_dim": 4,
    "num_experts": 6,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 10,
}
EXPERT = 3 * 8 * 10


def windows(**changes):
    """Return the number of layers by window."""
    found = from_hf_config({**LLAMA, "sliding_window": 5, **changes})
    return {part.window_tokens: part.flops // (4 * 2 * 4) for part in found.attention}


def test_a_dense_model_by_hand():
    found = from_hf_config(LLAMA)
    layers = 4 * (ATTENTION + MLP)
    assert found.method == "analytic"
    assert found.parameters == layers + 4 * 2 * 8 + 2 * 32 * 8 + 8
    assert found.active_parameters == found.parameters
    assert found.position_flops == 2 * layers
    assert found.output_flops == 2 * 8 * 32
    assert found.kv_elements_per_token == 4 * 2 * 1 * 4
    assert found.flops(3, 2) == 2 * layers * 4 + 2 * 2 * 8 * 32 + 4 * 4 * 2 * 4 * (1 + 2 + 3 + 4)


@pytest.mark.parametrize(("family", "tied"), [("gemma", True), ("cohere", True), ("llama", False)])
def test_embeddings_that_the_config_does_not_mention_are_those_of_the_class(family, tied):
    silent = from_hf_config({**LLAMA, "model_type": family, "head_dim": 4})
    said = {
        answer: from_hf_config(
            {**LLAMA, "model_type": family, "head_dim": 4, "tie_word_embeddings": answer}
        )
        for answer in (True, False)
    }
    assert silent == said[tied]
    assert said[False].parameters - said[True].parameters == 32 * 8


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"model_type": "mistral"}, {5: 4}),
        ({"model_type": "mistral", "sliding_window": None}, {None: 4}),
        ({"model_type": "gemma2", "head_dim": 4}, {None: 2, 5: 2}),
        ({"model_type": "gemma3_text", "head_dim": 4, "num_hidden_layers": 7}, {None: 1, 5: 6}),
        (
            {"model_type": "gemma3_text", "head_dim": 4, "sliding_window_pattern": 2},
            {None: 2, 5: 2},
        ),
        ({"model_type": "qwen2", "use_sliding_window": False, "max_window_layers": 1}, {None: 4}),
        (
            {"model_type": "qwen2", "use_sliding_window": True, "max_window_layers": 3},
            {None: 3, 5: 1},
        ),
        (
            {"model_type": "cohere2", "layer_types": ["sliding_attention", "full_attention"] * 2},
            {None: 2, 5: 2},
        ),
    ],
)  # fmt: skip
def test_a_window_is_that_of_its_layer(changes, expected):
    assert windows(**changes) == expected


def test_a_token_passes_through_its_experts_and_what_all_share():
    found = from_hf_config(SPARSE)
    assert found.position_flops == 2 * 4 * (ATTENTION + 6 * 8 + 2 * EXPERT)
    assert found.parameters - found.active_parameters == 4 * 4 * EXPERT
    shared = from_hf_config(
        {**SPARSE, "model_type": "qwen2_moe", "shared_expert_intermediate_size": 20}
    )
    # The shared expert, and its gate of one output.
    assert shared.position_flops - found.position_flops == 2 * 4 * (3 * 8 * 20 + 8)


@pytest.mark.parametrize(
    "changes", [{"mlp_only_layers": [1, 3]}, {"decoder_sparse_step": 2, "num_hidden_layers": 4}]
)
def test_some_layers_of_a_mixture_are_dense(changes):
    found = from_hf_config({**SPARSE, **changes})
    assert found.position_flops == 2 * (4 * ATTENTION + 2 * (6 * 8 + 2 * EXPERT) + 2 * MLP)


@pytest.mark.parametrize(
    ("changes", "heads"),
    [
        ({"multi_query": True, "num_kv_heads": 2}, 1),
        ({"num_kv_heads": 2}, 1),
        ({"multi_query": False, "num_kv_heads": 2}, 2),
        ({"multi_query": True, "new_decoder_architecture": True, "num_kv_heads": 2}, 2),
    ],
)
def test_key_value_heads_of_falcon_follow_its_flags(changes, heads):
    falcon = {
        name: value
        for name, value in LLAMA.items()
        if name not in ("num_key_value_heads", "intermediate_size")
    }
    found = from_hf_config({**falcon, "model_type": "falcon", **changes})
    assert found.kv_elements_per_token == 4 * 2 * heads * 4


def test_opt_may_project_its_embeddings():
    opt = {
        "model_type": "opt", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
        "ffn_dim": 16, "vocab_size": 32, "max_position_embeddings": 10, "word_embed_proj_dim": 4,
        "do_layer_norm_before": False,
    }  # fmt: skip
    found = from_hf_config(opt)
    matrices, biases, norms = 4 * 8 * 8 + 2 * 8 * 16, 4 * 8 + 16 + 8, 2 * 2 * 8
    projections, tables = 2 * 4 * 8, 32 * 4 + (10 + 2) * 8
    assert found.parameters == matrices + biases + norms + projections + tables
    assert found.position_flops == 2 * (matrices + projections)
    assert found.output_flops == 2 * 4 * 32


@pytest.mark.parametrize(
    "changes",
    [
        {"model_type": "novel"},
        {"model_type": "gpt_neo"},
        {"a_key_of_tomorrow": 4},
        {"num_local_experts": 8},  # no family of dense models reads it
        {"first_k_dense_replace": 1},
        {"kv_lora_rank": 64},
        {"sliding_window": 8},  # Llama's class does not read it
        {"layer_types": ["linear_attention"] * 4},
        {"hidden_size": None},
        {"hidden_size": "wide"},
        {"hidden_size": [8]},
        {"model_type": "cohere2", "layer_types": ["full_attention"]},
        {"intermediate_size": None},
        {"model_type": "mistral", "num_key_value_heads": None},  # the class has a default of 8
        {"model_type": "mixtral"},  # and of 8 experts
        {"model_type": "phi", "qk_layernorm": True},
        {"model_type": "gpt2", "n_positions": 8, "n_embd": 9},  # two widths
        {"model_type": "opt", "layer_norm_elementwise_affine": False},
    ],
)
def test_what_the_formula_does_not_know_it_does_not_guess(changes):
    assert from_hf_config({**LLAMA, **changes}) is None


@pytest.mark.parametrize(
    "changes",
    [{"a_key_of_tomorrow": value} for value in (None, False, 0, [], {})]
    + [
        {"rope_scaling": {"factor": 8}},
        {"pretraining_tp": 2},
        {"quantization_config": {"bits": 4}},
    ],
)
def test_what_is_off_or_changes_no_operation_is_let_pass(changes):
    assert from_hf_config({**LLAMA, **changes}) == from_hf_config(LLAMA)
