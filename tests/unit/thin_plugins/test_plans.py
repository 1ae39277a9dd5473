"""Plans of backends whose engine is not needed to make them."""

import pytest

from llem.api.errors import ConfigError
from llem.api.plan import CallPlan, Construct

BACKENDS = ["trt"]
PROMPTS = {"source": "prompts", "prompts": ["a"]}
OWNED = {"trt": {}}


def sampling(plan, backend, **decoder):
    return plan(backend, workload=PROMPTS, decoder=decoder).call("sampling").kwargs


@pytest.mark.parametrize("backend", BACKENDS)
def test_unset_fields_emit_nothing(plan, backend):
    built = plan(backend, workload=PROMPTS)
    assert built.call("load").kwargs == {"model": "folder", **OWNED[backend]}
    assert built.call("sampling").runtime == ("max_tokens",)
    assert built.call("generate").target == "llm.generate"
    assert built.call("load").assign == "llm"
    assert CallPlan.from_json(built.to_json()) == built


@pytest.mark.parametrize("backend", BACKENDS)
def test_everything_about_the_model_reaches_loading(plan, backend):
    model = {
        "id": "org/model",
        "revision": "abc",
        "dtype": "bfloat16",
        "weights": "random",
        "trust_remote_code": True,
    }
    assert plan(backend, model=model).call("load").kwargs == {
        "model": "org/model",
        "revision": "abc",
        "tokenizer_revision": "abc",
        "dtype": "bfloat16",
        "load_format": "dummy",
        "trust_remote_code": True,
        **OWNED[backend],
    }


@pytest.mark.parametrize("backend", BACKENDS)
def test_another_tokenizer_has_no_revision_of_the_model(plan, backend):
    model = {"id": "m", "revision": "abc", "tokenizer": "other"}
    kwargs = plan(backend, model=model).call("load").kwargs
    assert kwargs["tokenizer"] == "other"
    assert "tokenizer_revision" not in kwargs


def test_greedy_decoding_in_the_words_of_each_engine(plan):
    assert sampling(plan, "trt") == {}


@pytest.mark.parametrize("backend", BACKENDS)
def test_sampling_carries_what_is_set(plan, backend):
    decoder = {"temperature": 0.7, "top_p": 0.9, "top_k": 50, "min_p": 0.1}
    seed = {"trt": {"seed": 5}}[backend]
    assert sampling(plan, backend, **decoder, seed=5) == {**decoder, **seed}


@pytest.mark.parametrize("backend", BACKENDS)
def test_ends_of_a_request(plan, backend):
    kwargs = sampling(plan, backend, stop=["\n"], min_new_tokens=2, repetition_penalty=1.1)
    assert kwargs.items() >= {"min_tokens": 2, "repetition_penalty": 1.1}.items()
    assert kwargs["stop"] == ["\n"]
    assert plan(backend).call("sampling").kwargs["ignore_eos"] is True


def test_the_kv_cache_of_tensorrt_llm_is_one_object(plan):
    section = {"kv_cache_dtype": "fp8", "kv_cache_enable_block_reuse": False, "max_batch_size": 4}
    assert plan("trt", trt=section).call("load").kwargs == {
        "model": "folder",
        "max_batch_size": 4,
        "kv_cache_config": Construct(
            "tensorrt_llm.llmapi.KvCacheConfig", {"dtype": "fp8", "enable_block_reuse": False}
        ),
    }


@pytest.mark.parametrize("backend", BACKENDS)
def test_passthrough_reaches_its_call(plan, backend):
    extra = {"load": {"new_knob": 1}, "sampling": {"new_penalty": 0.5}}
    built = plan(backend, passthrough_kwargs=extra)
    assert built.call("load").kwargs["new_knob"] == 1
    assert built.call("sampling").kwargs["new_penalty"] == 0.5


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("call", "argument", "setter"),
    [
        ("load", "tensor_parallel_size", r"tensor_parallel_size \(set by trt\."),
        ("load", "dtype", r"dtype \(set by model\.dtype\)"),
        ("sampling", "temperature", r"temperature \(set by decoder\.temperature\)"),
        ("sampling", "max_tokens", "max_tokens"),
        ("generate", "use_tqdm", "use_tqdm"),
        ("prefill", "x", "no call of this name"),
    ],
)
def test_passthrough_is_refused_where_something_else_decides(plan, backend, call, argument, setter):
    with pytest.raises(ConfigError, match=setter):
        plan(backend, passthrough_kwargs={call: {argument: 1}})
