"""Options of the PyTorch backend on a pretrained model: the run ends, and they were in force."""

import shutil

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.model]

REQUESTS, TOKENS = 2, 4
WORKLOAD = {
    "workload.requests": REQUESTS,
    "workload.input_tokens": 8,
    "workload.output_tokens": TOKENS,
}
MODEL = "the folder of the model"
PARAMETERS = 134_515_008
AGAINST_IT = {"effective-differs", "quantization-not-applied", "compile-failed", "dormant-setting"}
"""Codes of a verdict, each of which says that an option did not act."""

OPTIONS = {
    "bfloat16, sdpa, dynamic cache": (
        {
            "model.dtype": "bfloat16",
            "pytorch.attn_implementation": "sdpa",
            "pytorch.cache_implementation": "dynamic",
        },
        {
            "load.dtype": "torch.bfloat16",
            "load.attn_implementation": "sdpa",
            "generate.cache_class": "DynamicCache",
        },
    ),
    "float32, eager, static cache": (
        {
            "model.dtype": "float32",
            "pytorch.attn_implementation": "eager",
            "pytorch.cache_implementation": "static",
        },
        {
            "load.dtype": "torch.float32",
            "load.attn_implementation": "eager",
            "generate.cache_class": "StaticCache",
        },
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
    "beams": (
        {"pytorch.num_beams": 3},
        {"generate.mode": "beam_search", "generate.num_beams": 3},
    ),
    "sampling": (
        {"decoder.temperature": 0.7, "decoder.top_p": 0.9},
        {"generate.mode": "sample", "generate.temperature": 0.7, "generate.top_p": 0.9},
    ),
    "no repeated bigram": (
        {"pytorch.no_repeat_ngram_size": 2},
        {"generate.mode": "greedy_search", "generate.no_repeat_ngram_size": 2},
    ),
    "prompt lookup": (
        {"pytorch.prompt_lookup_num_tokens": 2},
        {"generate.mode": "assisted_generation", "generate.prompt_lookup_num_tokens": 2},
    ),
    "assistant": (
        {"pytorch.assistant_model": MODEL},
        {"generate.mode": "assisted_generation", "assistant.parameters": PARAMETERS},
    ),
    "continuous batching": (
        {"pytorch.batching": "continuous"},
        {"settings.batching": "continuous"},
    ),
}


@pytest.mark.parametrize(("settings", "in_force"), OPTIONS.values(), ids=OPTIONS)
def test_an_option_is_in_force_and_every_token_counts(run, smollm2, settings, in_force):
    settings = {name: smollm2 if value == MODEL else value for name, value in settings.items()}
    outcome = measured(run, smollm2, {"model.dtype": "bfloat16", **settings})
    assert {name: outcome["effective"][name] for name in in_force} == in_force
    if in_force.get("generate.mode") == "assisted_generation":
        # Each check of a draft yields one token besides those it accepts.
        assert sum(outcome["counters"].values()) == outcome["tokens"]["output_tokens"]
    else:
        assert outcome["counters"] == {}


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_model_runs_its_graphs(run):
    settings = {"pytorch.torch_compile": "true", "pytorch.cache_implementation": "static"}
    effective = measured(run, "shape:tiny", settings)["effective"]
    assert effective["settings.torch_compile"] is True
    assert effective["compile.graphs"] > 0
    assert effective["generate.cache_class"] == "StaticCache"


def measured(run, model, settings):
    """Return the outcome of a run that got every token, and that says of no option it is off."""
    outcome = run("--backend", "pytorch", "--model", model, **WORKLOAD, **settings)
    repetitions = len(outcome["timing"]["repetitions"])
    assert outcome["tokens"]["output_tokens"] == REQUESTS * TOKENS * repetitions
    assert not AGAINST_IT & {reason["code"] for reason in outcome["verdict"]["reasons"]}
    return outcome
