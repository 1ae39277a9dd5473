"""Options of the PyTorch backend on a pretrained model: the run ends, and they were in force."""

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.model]

REQUESTS, TOKENS = 2, 4
OPTIONS = {
    "bfloat16": ({"model.dtype": "bfloat16"}, {"load.dtype": "torch.bfloat16"}),
    "float32": ({"model.dtype": "float32"}, {"load.dtype": "torch.float32"}),
    "sdpa": (
        {"pytorch.attn_implementation": "sdpa"},
        {"load.attn_implementation": "sdpa"},
    ),
    "eager": (
        {"pytorch.attn_implementation": "eager"},
        {"load.attn_implementation": "eager"},
    ),
    "int8": (
        {"pytorch.load_in_8bit": "true"},
        {"load.linear_layers": {"Linear8bitLt[int8]": 210, "Linear[bfloat16]": 1}},
    ),
    "nf4": (
        {"pytorch.load_in_4bit": "true", "pytorch.bnb_4bit_quant_type": "nf4"},
        {
            "load.linear_layers": {"Linear4bit[uint8]": 210, "Linear[bfloat16]": 1},
            "load.quantization_config.bnb_4bit_quant_type": "nf4",
        },
    ),
    "dynamic cache": ({}, {"generate.cache_class": "DynamicCache"}),
    "static cache": (
        {"pytorch.cache_implementation": "static"},
        {"generate.cache_class": "StaticCache"},
    ),
}


@pytest.mark.parametrize(("settings", "in_force"), OPTIONS.values(), ids=OPTIONS)
def test_an_option_is_in_force_and_every_token_counts(run, smollm2, settings, in_force):
    chosen = {
        "model.dtype": "bfloat16",
        "workload.requests": REQUESTS,
        "workload.input_tokens": 8,
        "workload.output_tokens": TOKENS,
        **settings,
    }
    outcome = run("--backend", "pytorch", "--model", smollm2, **chosen)
    repetitions = len(outcome["timing"]["repetitions"])
    assert outcome["tokens"]["output_tokens"] == REQUESTS * TOKENS * repetitions
    effective = outcome["effective"]
    assert {name: effective[name] for name in in_force} == in_force
    codes = {reason["code"] for reason in outcome["verdict"]["reasons"]}
    assert not codes & {"effective-differs", "quantisation-not-applied", "compile-failed"}
