"""Arithmetic from dimensions, against counting by hand and by the engine itself."""

import pytest

from llem.api.architecture import Architecture
from llem.run.arithmetic import (
    attended_positions,
    body_parameters,
    fastest_flops,
    peak_flops,
    request_flops,
    workload_flops,
)

SMALL = Architecture(
    layers=2, hidden_size=8, heads=2, kv_heads=1, head_dim=4, intermediate_size=16, vocab_size=32
)


def test_counted_by_hand():
    attention = 8 * 8 + 2 * 8 * 4 + 8 * 8
    body = 2 * (attention + 3 * 8 * 16)
    assert body_parameters(SMALL) == body
    positions, contexts = 3 + 2 - 1, 1 + 2 + 3 + 4
    expected = 2 * body * positions + 2 * 8 * 32 * 2 + 4 * 2 * 2 * 4 * contexts
    assert request_flops(SMALL, 3, 2) == expected
    assert workload_flops(SMALL, [(3, 2), (3, 2)]) == 2 * expected


def test_nothing_generated_is_nothing_computed():
    assert request_flops(SMALL, 3, 0) == 0


@pytest.mark.parametrize(("positions", "window"), [(5, None), (5, 8), (5, 5), (5, 2), (1, 1)])
def test_a_sliding_window_bounds_the_context(positions, window):
    counted = sum(min(i, window or i) for i in range(1, positions + 1))
    assert attended_positions(positions, window) == counted


@pytest.mark.engine
def test_the_engines_own_counter_agrees():
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        num_hidden_layers=2,
        hidden_size=32,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=48,
        vocab_size=64,
        attn_implementation="eager",
    )
    model = LlamaForCausalLM(config)
    architecture = Architecture(2, 32, 4, 2, 8, 48, 64)
    prompt = torch.randint(3, 64, (1, 10))
    with FlopCounterMode(display=False) as counter:
        model.generate(prompt, max_new_tokens=5, min_new_tokens=5, do_sample=False, pad_token_id=0)
    # Eager attention computes the prompt's whole square; causal counting leaves out the half
    # that is masked.
    masked = 4 * 2 * 4 * 8 * (10 * 10 - 10 * 11 // 2)
    # The rotary embedding multiplies positions by frequencies, which the formula leaves out.
    rotary = 2 * (8 // 2) * (10 + 4)
    ours = request_flops(architecture, 10, 5) + masked
    assert ours <= counter.get_total_flops() <= ours + rotary


@pytest.mark.parametrize(
    ("name", "dtype", "tera"),
    [
        ("NVIDIA H100 80GB HBM3", "bfloat16", 989),
        ("NVIDIA H100 PCIe", "float16", 756),
        ("NVIDIA A100-SXM4-80GB", "bfloat16", 312),
        ("Tesla V100-SXM2-16GB", "float16", 125),
    ],
)
def test_stated_peaks(name, dtype, tera):
    assert peak_flops(name, dtype) == tera * 1e12


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("Tesla V100-SXM2-16GB", "bfloat16"), ("NVIDIA L400", "float16"), ("Unknown", "bfloat16")],
)
def test_an_unknown_peak_is_none(name, dtype):
    assert peak_flops(name, dtype) is None


@pytest.mark.parametrize(
    ("name", "tera"), [("NVIDIA H100 80GB HBM3", 1978), ("NVIDIA B200", 9000), ("Tesla T4", 130)]
)
def test_no_format_is_faster_than_this(name, tera):
    assert fastest_flops(name) == tera * 1e12


def test_the_fastest_rate_of_an_unknown_device_is_none():
    assert fastest_flops("") is None
