"""Weights of a model that vLLM has loaded, from what its workers count."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

LLAMA = {
    "model_type": "llama",
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "intermediate_size": 16,
    "vocab_size": 10,
}
FORMULA = 2 * 10 * 8 + 8 * 4 * (2 * 2 + 2 * 1) + 3 * 8 * 16 + 3 * 8


@pytest.fixture
def model_info(monkeypatch):
    """Return the function under test, with the one function of vLLM that its module imports."""
    for name in ("vllm", "vllm.transformers_utils", "vllm.transformers_utils.config"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["vllm.transformers_utils.config"].try_get_generation_config = lambda *_, **__: None
    monkeypatch.delitem(sys.modules, "llem_vllm.runtime.model_info", raising=False)
    from llem_vllm.runtime.model_info import model_info

    yield model_info
    monkeypatch.delitem(sys.modules, "llem_vllm.runtime.model_info")


def engine(quantization=None):
    text = SimpleNamespace(to_dict=lambda: LLAMA, vocab_size=10)
    text.get_text_config = lambda decoder: text
    model = SimpleNamespace(
        hf_config=text,
        hf_text_config=text,
        hf_config_path=None,
        model="folder",
        trust_remote_code=False,
        revision=None,
        quantization=quantization,
        max_model_len=64,
        dtype="torch.bfloat16",
        try_get_generation_config=dict,
    )
    config = SimpleNamespace(model_config=model)
    return SimpleNamespace(
        llm_engine=SimpleNamespace(vllm_config=config),
        get_tokenizer=lambda: SimpleNamespace(eos_token_id=1),
    )


@pytest.mark.parametrize("counted", [FORMULA - 12, FORMULA, FORMULA + 12])
def test_a_count_of_the_engine_is_better_than_a_formula(counted, model_info):
    worker = {"parameters": counted, "weights_bytes": 2 * counted, "packed": False, "hidden": False}
    facts = model_info(engine(), [worker])
    assert facts.parameters == counted
    assert facts.weights_bytes == 2 * counted


def test_weights_that_the_device_hides_are_known_by_the_formula_alone(model_info):
    worker = {"parameters": 80, "weights_bytes": 160, "packed": False, "hidden": True}
    facts = model_info(engine(), [worker])
    assert facts.parameters == FORMULA
    assert facts.weights_bytes is None


@pytest.mark.parametrize(("quantization", "packed"), [("fp8", False), (None, True)])
def test_packed_weights_have_their_bytes_and_the_number_of_the_formula(
    quantization, packed, model_info
):
    worker = {"parameters": 80, "weights_bytes": 160, "packed": packed, "hidden": False}
    facts = model_info(engine(quantization), [worker])
    assert facts.parameters == FORMULA
    assert facts.weights_bytes == 160


def test_the_parts_of_a_split_model_add_up(model_info):
    part = {"parameters": 300, "weights_bytes": 700, "packed": False, "hidden": False}
    facts = model_info(engine(), [part, part])
    assert facts.parameters == FORMULA
    assert facts.weights_bytes == 1400
