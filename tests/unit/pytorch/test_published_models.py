"""Size and arithmetic of published models, against counts that were made without llem."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig

from llem.api.architecture import from_hf_config
from llem.api.meta_count import arithmetic_of

pytestmark = pytest.mark.engine

FILE = Path(__file__).parent / "published_models" / "models.jsonl"
MODELS = {model["name"]: model for model in map(json.loads, FILE.read_text().splitlines())}
EXACT = (
    "falcon-7b", "gemma2_2b", "gpt-oss-20b", "opt-350m", "qwen2moe", "Qwen3-30B-A3B", "smollm3-3b",
)  # fmt: skip
"""Models whose formula must not fall silent: each has a trait that was read wrongly once."""


def arithmetic(config):
    found, note = arithmetic_of(AutoConfig.for_model(**config))
    assert found is not None, note
    return found


@pytest.mark.parametrize("name", MODELS)
def test_parameters_of_the_published_model(name):
    model = MODELS[name]
    assert arithmetic(model["published"]).parameters == pytest.approx(model["parameters"], 0.001)


@pytest.mark.parametrize("name", MODELS)
def test_operations_and_cache_of_the_model_made_small(name):
    model = MODELS[name]
    found = arithmetic(model["scaled"])
    assert found.parameters == model["scaled_parameters"]
    assert found.flops(24, 17) == pytest.approx(model["scaled_flops"], 0.005)
    assert 4 * found.kv_elements(24 + 17 - 1) == pytest.approx(model["scaled_kv_bytes"], 0.01)


@pytest.mark.parametrize("name", MODELS)
def test_the_formula_is_exact_or_silent(name):
    """The text of a ``config.json`` is read as it is, without the defaults of a class."""
    model = MODELS[name]
    published, scaled = from_hf_config(model["published"]), from_hf_config(model["scaled"])
    assert name not in EXACT or (published and scaled)
    assert published is None or published.parameters == model["parameters"]
    if scaled is not None:
        assert scaled.parameters == model["scaled_parameters"]
        assert scaled.flops(24, 17) == model["scaled_flops"]
        assert 4 * scaled.kv_elements(40) == model["scaled_kv_bytes"]


@pytest.mark.parametrize(
    "name", ["gpt-oss-20b", "gemma2_2b", "Qwen3-30B-A3B", "qwen2moe", "falcon-7b"]
)
def test_formula_and_count_agree_at_any_length(name):
    config = AutoConfig.for_model(**MODELS[name]["scaled"])
    formula = arithmetic_of(config)[0]
    config.a_key_of_tomorrow = "set"
    counted = arithmetic_of(config)[0]
    assert (formula.method, counted.method) == ("analytic", "counted")
    assert formula.active_parameters == counted.active_parameters
    assert formula.kv_elements_per_token == counted.kv_elements_per_token
    for prompt, output in ((1, 1), (7, 3), (300, 40)):
        assert formula.flops(prompt, output) == counted.flops(prompt, output)
        assert formula.kv_elements(prompt) == counted.kv_elements(prompt)


def test_what_an_implementation_computes_in_vain_is_told_apart():
    config = AutoConfig.for_model(**MODELS["Llama-4-Scout-17B-16E-Instruct"]["scaled"])
    found, note = arithmetic_of(config)
    # Each of 4 layers has 16 experts of 3 · 256 · 640 weights, of which a token needs one.
    assert found.surplus_flops == 4 * 15 * 2 * 3 * 256 * 640
    assert found.parameters - found.active_parameters == 4 * 15 * 3 * 256 * 640
    assert "every expert" in note

    config = AutoConfig.for_model(**MODELS["DeepSeek-V3"]["scaled"])
    found, note = arithmetic_of(config)
    # Each of 4 layers makes keys (32) and values (32) of 8 heads from a latent vector of 64.
    assert sum(part.surplus_flops for part in found.attention) == 4 * 2 * 64 * 8 * (32 + 32)
    assert "compressed cache" in note


def test_a_config_that_breaks_costs_the_figure_and_not_the_run():
    config = AutoConfig.for_model(**MODELS["gpt2"]["scaled"])
    config.to_dict = lambda: {}["missing"]
    found, note = arithmetic_of(config)
    assert found is None
    assert "KeyError" in note


def test_random_numbers_of_the_run_are_those_without_a_count():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    arithmetic(MODELS["falcon-mamba-7b"]["scaled"])
    assert torch.equal(torch.rand(2), expected)


def test_what_cannot_be_counted_has_a_reason():
    found, note = arithmetic_of(AutoConfig.for_model("t5"))
    assert found is None
    assert note.startswith("the model's arithmetic could not be counted (")
