"""The call plan as plain data; no engine is needed for it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llem.schema.call_plan import CallPlan, Construct, Symbol, resolve
from llem_pytorch.config.quantization import METHODS

SAMPLING_ONLY = {"temperature", "top_p", "top_k", "min_p", "typical_p"}
RUNTIME = (
    "input_ids",
    "attention_mask",
    "max_new_tokens",
    "pad_token_id",
    "stopping_criteria",
    "streamer",
)
PROMPTS = {"source": "prompts", "prompts": ["a"]}


def test_unset_fields_emit_nothing(plan):
    built = plan(workload=PROMPTS)
    load, generate = built.call("load"), built.call("generate")
    assert load.target == "transformers.AutoModelForCausalLM.from_pretrained"
    assert load.args == ("folder",)
    assert load.kwargs == {}
    assert load.assign == "model"
    assert generate.target == "model.generate"
    assert generate.kwargs == {"do_sample": False}
    assert generate.runtime == RUNTIME
    assert built.settings == {"batch_size": 1, "seed": 0, "ignore_eos": False}


def test_everything_about_the_model_reaches_loading_and_tokenizer(plan):
    built = plan(
        model={
            "id": "org/model",
            "revision": "abc",
            "dtype": "bfloat16",
            "trust_remote_code": True,
        },
        workload=PROMPTS,
        pytorch={"attn_implementation": "sdpa", "device_map": "auto"},
    )
    assert built.call("load").kwargs == {
        "revision": "abc",
        "dtype": Symbol("torch.bfloat16"),
        "attn_implementation": "sdpa",
        "device_map": "auto",
        "trust_remote_code": True,
    }
    assert built.call("tokenizer").args == ("org/model",)
    assert built.call("tokenizer").kwargs == {"revision": "abc", "trust_remote_code": True}


def test_auto_dtype_is_left_to_the_checkpoint(plan):
    assert plan(model={"id": "m", "dtype": "auto"}).call("load").kwargs == {"dtype": "auto"}


def test_a_gguf_file_is_unpacked_and_brings_its_tokenizer(plan):
    built = plan(model={"id": "m", "gguf_file": "m.gguf"}, workload=PROMPTS)
    assert built.call("load").kwargs == {
        "gguf_file": "m.gguf",
        "quantization_config": Construct("transformers.GgufConfig", {"dequantize": True}),
    }
    assert built.call("tokenizer").kwargs == {"gguf_file": "m.gguf"}


def test_another_tokenizer_has_no_revision_of_the_model(plan):
    model = {"id": "m", "revision": "abc", "tokenizer": "other/tokenizer"}
    tokenizer = plan(model=model, workload=PROMPTS).call("tokenizer")
    assert tokenizer.args == ("other/tokenizer",)
    assert tokenizer.kwargs == {}


def test_no_text_no_tokenizer(plan):
    assert "tokenizer" not in [call.name for call in plan().calls]


@pytest.mark.parametrize("dtype", [None, "auto"])
def test_random_weights_come_from_the_config_alone(plan, dtype):
    built = plan(
        model={"id": "m", "weights": "random", "revision": "abc", "dtype": dtype},
        pytorch={"attn_implementation": "eager"},
    )
    config, load = built.call("load_config"), built.call("load")
    assert config.target == "transformers.AutoConfig.from_pretrained"
    assert config.kwargs == {"revision": "abc"}
    assert load.target == "transformers.AutoModelForCausalLM.from_config"
    assert load.args == ()
    assert load.kwargs == {"attn_implementation": "eager"}
    assert load.runtime == (config.assign,)


def test_greedy_carries_no_sampling_settings(plan):
    kwargs = (
        plan(
            workload=PROMPTS,
            decoder={"repetition_penalty": 1.1, "min_new_tokens": 4},
            pytorch={"use_cache": False},
        )
        .call("generate")
        .kwargs
    )
    assert kwargs == {
        "do_sample": False,
        "repetition_penalty": 1.1,
        "min_new_tokens": 4,
        "use_cache": False,
    }


def test_sampling_carries_what_is_set(plan):
    decoder = {"temperature": 0.7, "top_p": 0.9, "top_k": 50, "min_p": 0.1, "typical_p": 0.9}
    kwargs = plan(workload=PROMPTS, decoder=decoder).call("generate").kwargs
    assert kwargs == {"do_sample": True, **decoder}


def test_nothing_is_left_to_the_checkpoint(plan):
    unset = plan(workload=PROMPTS, decoder={"temperature": None})
    assert unset.call("generate").kwargs == {"do_sample": False}
    sampling = plan(workload=PROMPTS, decoder={"do_sample": True, "temperature": None})
    assert sampling.call("generate").kwargs == {
        "do_sample": True,
        "temperature": 1.0,
        "top_p": 1.0,
        "top_k": 0,
    }


def test_defaults_of_a_checkpoint_are_dropped_before_anything_is_generated(plan):
    assert [call.name for call in plan(workload=PROMPTS).calls] == [
        "load",
        "generation_defaults",
        "tokenizer",
        "generate",
    ]
    drafting = plan(pytorch={"assistant_model": "other"})
    assert drafting.call("generation_defaults").runtime == ("model", "assistant_model")


def test_ignoring_eos_names_an_id_that_no_token_has(plan):
    built = plan()
    assert built.call("generate").kwargs["eos_token_id"] == [-1]
    assert built.settings["ignore_eos"] is True


def test_settings_of_the_session(plan):
    built = plan(
        decoder={"seed": 7, "stop": ["\n"]},
        pytorch={"batch_size": 4, "device": "cpu", "num_threads": 2},
    )
    assert built.settings == {
        "batch_size": 4,
        "seed": 7,
        "ignore_eos": True,
        "device": "cpu",
        "num_threads": 2,
        "stop": ["\n"],
    }
    assert built.call("tokenizer").args == ("folder",)


def test_quantization_is_an_object_and_never_a_switch(plan):
    section = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "load_in_8bit": False}
    kwargs = plan(pytorch=section).call("load").kwargs
    assert kwargs == {
        "quantization_config": Construct(
            "transformers.BitsAndBytesConfig", {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}
        )
    }
    assert plan(pytorch={"load_in_4bit": False}).call("load").kwargs == {}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_of_quantization_builds_its_own_class(plan, method):
    load = plan(pytorch={"quantization": {"method": method}}).call("load")
    assert load.kwargs["quantization_config"].target == METHODS[method]
    assert "method" not in load.kwargs["quantization_config"].kwargs


def test_torchao_takes_an_object_of_its_own(plan):
    chosen = {"method": "torchao", "quant_type": "Int4WeightOnlyConfig", "group_size": 32}
    config = plan(pytorch={"quantization": chosen}).call("load").kwargs["quantization_config"]
    inner = Construct("torchao.quantization.Int4WeightOnlyConfig", {"group_size": 32})
    assert config.kwargs == {"quant_type": inner}


def test_greedy_keeps_beams_cache_and_penalties(plan):
    section = {"num_beams": 4, "cache_implementation": "static", "no_repeat_ngram_size": 3}
    decoder = {"repetition_penalty": 1.1, "min_new_tokens": 4, "do_sample": False}
    generate = plan(workload=PROMPTS, decoder=decoder, pytorch=section).call("generate")
    assert generate.kwargs == {**decoder, **section}
    assert "streamer" not in generate.runtime


def test_compiling_is_a_call_of_its_own_before_generating(plan):
    built = plan(pytorch={"torch_compile": True, "torch_compile_mode": "default"})
    names = [call.name for call in built.calls]
    assert names.index("load") < names.index("compile") < names.index("generate")
    assert built.call("compile").target == "model.compile"
    assert built.call("compile").kwargs == {"mode": "default", "backend": "inductor"}
    assert built.call("generate").kwargs["disable_compile"] is True
    held_back = plan(pytorch={"torch_compile": False})
    assert "compile" not in [call.name for call in held_back.calls]
    assert held_back.call("generate").kwargs["disable_compile"] is True


def test_draft_settings_go_to_the_model_that_drafts(plan):
    settings = {"num_assistant_tokens": 5}
    assisted = plan(pytorch={"assistant_model": "small", **settings})
    assert assisted.call("draft_settings").target == "assistant_model.generation_config.update"
    assert assisted.call("draft_settings").kwargs == settings
    assert "num_assistant_tokens" not in assisted.call("generate").kwargs
    assert "assistant_model" in assisted.call("generate").runtime
    alone = plan(pytorch={"assistant_early_exit": 2, **settings})
    assert alone.call("draft_settings").target == "model.generation_config.update"


def test_continuous_batching_keeps_decoding_and_takes_the_seed(plan):
    built = plan(
        decoder={"temperature": 0.7, "top_k": 5, "seed": 3},
        pytorch={"batching": "continuous", "attn_implementation": "sdpa"},
    )
    kwargs = built.call("generate").kwargs
    assert kwargs["temperature"] == 0.7
    assert kwargs["continuous_batching_config"] == Construct(
        "transformers.ContinuousBatchingConfig", {"auto_switch_to_flash": False, "seed": 3}
    )


def test_devices_in_memory_limits_are_numbers_again_in_the_worker(plan):
    limits = {"0": "10GiB", "cpu": 1024}
    built = plan(pytorch={"device_map": "auto", "max_memory": limits})
    plain = CallPlan.from_json(json.loads(json.dumps(built.to_json())))
    assert resolve(plain.call("load").kwargs["max_memory"]) == {0: "10GiB", "cpu": 1024}


optional = st.none() | st.floats(0.01, 1)


@given(
    temperature=st.none() | st.floats(0, 2),
    do_sample=st.none() | st.booleans(),
    top_p=optional,
    min_p=optional,
    top_k=st.none() | st.integers(0, 100),
    dtype=st.sampled_from([None, "auto", "float32", "float16", "bfloat16"]),
    weights=st.sampled_from(["pretrained", "random"]),
)
def test_any_plan_is_data_and_never_mixes_greedy_with_sampling(plan, dtype, weights, **decoder):
    built = plan(decoder=decoder, model={"id": "m", "dtype": dtype, "weights": weights})
    assert CallPlan.from_json(built.to_json()) == built
    generate = built.call("generate").kwargs
    if generate.get("do_sample") is not True:
        assert not SAMPLING_ONLY & generate.keys()
    assert None not in generate.values()
    assert built == plan(decoder=decoder, model={"id": "m", "dtype": dtype, "weights": weights})
