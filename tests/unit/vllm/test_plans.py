"""From an experiment to the calls of vLLM; `tests/contract` asks every field where it goes."""

import pytest

from llem.errors import ConfigError
from llem.schema.call_plan import CallPlan, Construct

PROMPTS = {"source": "prompts", "prompts": ["a"]}
OWNED = {
    "seed": 0,
    "disable_log_stats": False,
    "worker_extension_cls": "llem_vllm.runtime.worker.WorkerExtension",
}


def sampling(plan, **decoder):
    return plan(workload=PROMPTS, decoder=decoder).call("sampling").kwargs


def test_unset_fields_emit_nothing(plan):
    built = plan(workload=PROMPTS)
    assert built.call("load").kwargs == {"model": "folder", **OWNED}
    assert built.call("sampling").kwargs == {"temperature": 0.0}
    assert built.call("generate").kwargs == {"use_tqdm": False}
    assert built.settings == {"seed": 0, "ignore_eos": False, "reset_prefix_cache": True}
    assert CallPlan.from_json(built.to_json()) == built


def test_everything_about_the_model_reaches_loading(plan):
    model = {
        "id": "org/model",
        "revision": "abc",
        "dtype": "bfloat16",
        "weights": "random",
        "trust_remote_code": True,
    }
    assert plan(model=model).call("load").kwargs == {
        "model": "org/model",
        "revision": "abc",
        "tokenizer_revision": "abc",
        "dtype": "bfloat16",
        "load_format": "dummy",
        "trust_remote_code": True,
        **OWNED,
    }


def test_another_tokenizer_has_no_revision_of_the_model(plan):
    model = {"id": "m", "revision": "abc", "tokenizer": "other"}
    kwargs = plan(model=model).call("load").kwargs
    assert kwargs["tokenizer"] == "other"
    assert "tokenizer_revision" not in kwargs


@pytest.mark.parametrize("greedy", [{}, {"do_sample": False, "temperature": None}])
def test_greedy_decoding_is_temperature_0_and_nothing_else(plan, greedy):
    assert sampling(plan, **greedy) == {"temperature": 0.0}
    # Core refuses it; should it come through, vLLM would drop it in silence.
    assert sampling(plan, **greedy, top_p=0.9, top_k=5, min_p=0.1) == {"temperature": 0.0}


def test_sampling_carries_what_is_set(plan):
    decoder = {"temperature": 0.7, "top_p": 0.9, "top_k": 50, "min_p": 0.1}
    built = plan(workload=PROMPTS, decoder={**decoder, "seed": 5})
    assert built.call("sampling").kwargs == decoder
    assert built.call("load").kwargs["seed"] == 5
    assert built.settings["seed"] == 5


def test_nothing_is_left_to_engine_or_checkpoint(plan):
    assert sampling(plan, temperature=None) == {"temperature": 0.0}
    explicit = {"temperature": 0.7, "top_p": 1.0, "top_k": 0}
    assert sampling(plan, temperature=0.7) == explicit


def test_ends_of_a_request(plan):
    kwargs = sampling(plan, stop=["\n"], min_new_tokens=2, repetition_penalty=1.1)
    assert kwargs == {
        "temperature": 0.0,
        "stop": ["\n"],
        "min_tokens": 2,
        "repetition_penalty": 1.1,
    }
    synthetic = plan()
    assert synthetic.call("sampling").kwargs["ignore_eos"] is True
    assert synthetic.settings["ignore_eos"] is True


def test_beam_search_takes_its_own_calls(plan):
    built = plan(
        workload=PROMPTS,
        vllm={"beam_search": {"beam_width": 3, "length_penalty": 0.5, "concurrency_limit": 2}},
    )
    assert built.call("sampling").target == "vllm.sampling_params.BeamSearchParams"
    assert built.call("sampling").kwargs == {
        "temperature": 0.0,
        "beam_width": 3,
        "length_penalty": 0.5,
    }
    assert built.call("generate").target == "llm.beam_search"
    assert built.call("generate").kwargs == {"use_tqdm": False, "concurrency_limit": 2}
    assert built.call("generate").runtime == ("prompts", "params")


def test_nested_configs_become_objects_of_vllm(plan):
    section = {
        "compilation_config": {"mode": "NONE", "pass_config": {"fuse_norm_quant": False}},
        "quantization_config": {"linear": {"weight": "mxfp8"}, "ignore": ["lm_head"]},
    }
    kwargs = plan(vllm=section).call("load").kwargs
    assert kwargs["compilation_config"] == Construct(
        "vllm.config.CompilationConfig",
        {
            "mode": "NONE",
            "pass_config": Construct("vllm.config.PassConfig", {"fuse_norm_quant": False}),
        },
    )
    assert kwargs["quantization_config"] == Construct(
        "vllm.config.quantization.QuantizationConfigArgs",
        {
            "linear": Construct("vllm.config.quantization.QuantSpec", {"weight": "mxfp8"}),
            "ignore": ["lm_head"],
        },
    )


def test_speculation_is_a_dictionary_because_vllm_completes_it(plan):
    section = {"speculative_config": {"method": "ngram", "num_speculative_tokens": 3}}
    assert plan(vllm=section).call("load").kwargs["speculative_config"] == {
        "method": "ngram",
        "num_speculative_tokens": 3,
    }


@pytest.mark.parametrize(
    ("call", "argument", "setter"),
    [
        ("load", "dtype", r"dtype \(set by model\.dtype\)"),
        ("sampling", "temperature", r"temperature \(set by decoder\.temperature\)"),
        ("sampling", "max_tokens", "max_tokens"),
        ("generate", "use_tqdm", "use_tqdm"),
    ],
)
def test_passthrough_is_refused_where_no_field_of_vllm_decides(plan, call, argument, setter):
    with pytest.raises(ConfigError, match=setter):
        plan(passthrough_kwargs={call: {argument: 1}})
