"""What an experiment becomes: each wiring rule is a test about plain data."""

from __future__ import annotations

import pytest

NEUTRAL = {
    "do_sample": False,
    "repetition_penalty": 1.0,
    "num_beams": 1,
    "num_return_sequences": 1,
}
TEXTS = {"workload": {"source": "prompts", "prompts": ["A text."], "output_tokens": 8}}


def test_the_model_decides_nothing_about_decoding(llem_plan):
    plan = llem_plan("onnx", TEXTS)
    assert plan.call("load").kwargs == {"folder": "org/model"}
    assert plan.call("generate").kwargs == NEUTRAL
    assert plan.call("generate").runtime == ("model", "max_length")


def test_session_options_reach_the_session(llem_plan):
    settings = {"onnx.intra_op_num_threads": 2, "onnx.build": "int4"}
    assert llem_plan("onnx", settings).call("load").kwargs == {
        "folder": "org/model",
        "build": "int4",
        "session_options": {"intra_op_num_threads": 2},
    }


@pytest.mark.parametrize(
    ("decoder", "expected"),
    [
        (
            {"temperature": 0.7, "top_k": 5},
            {"temperature": 0.7, "top_k": 5, "top_p": 1.0, "random_seed": 0},
        ),
        (
            {"temperature": 0.7, "seed": 3},
            {"temperature": 0.7, "top_k": 0, "top_p": 1.0, "random_seed": 3},
        ),
        ({"repetition_penalty": 1.1}, {"repetition_penalty": 1.1}),
    ],
)
def test_decoding_is_handed_on(decoder, expected, llem_plan):
    chosen = {f"decoder.{name}": value for name, value in decoder.items()}
    sampled = "temperature" in decoder
    kwargs = llem_plan("onnx", chosen).call("generate").kwargs
    assert kwargs == {**NEUTRAL, "do_sample": sampled, **expected}


def test_an_ignored_eos_is_held_back(llem_plan):
    plan = llem_plan("onnx", {"workload": {"source": "synthetic"}})
    assert "min_length" in plan.call("generate").runtime
