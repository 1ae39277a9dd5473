"""Plans: which call gets what, for both surfaces and both executions."""

import pytest

from llem.errors import ConfigError
from llem.schema.call_plan import CallPlan, Construct, Symbol
from llem_trt import versions

TEXTS = {"source": "prompts", "prompts": ["a"]}
OWNED = {"seed": 0, "detokenize": False, "return_perf_metrics": True}
LEGACY = {"trt.surface": "1.2", "trt.execution": "tensorrt"}


def sampling(plan, **decoder):
    return plan(workload=TEXTS, decoder=decoder).call("sampling").kwargs


def load(plan, values):
    return plan(values, workload=TEXTS).call("load")


def test_unset_fields_emit_nothing(plan):
    built = plan(workload=TEXTS)
    assert built.call("load").target == "tensorrt_llm.LLM"
    assert built.call("load").kwargs == {"model": "folder"}
    assert built.call("sampling").kwargs == OWNED
    assert built.call("sampling").runtime == ("max_tokens",)
    assert built.call("generate").target == "llm.generate"
    assert built.call("generate").runtime == ("inputs", "sampling_params", "cache_salt")
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
    }


def test_another_tokenizer_has_no_revision_of_the_model(plan):
    kwargs = plan(model={"id": "m", "revision": "abc", "tokenizer": "other"}).call("load").kwargs
    assert kwargs["tokenizer"] == "other"
    assert "tokenizer_revision" not in kwargs


@pytest.mark.parametrize("decoder", [{}, {"do_sample": False, "temperature": None}])
def test_greedy_decoding_names_no_sampling_parameter(plan, decoder):
    assert not {"temperature", "top_p", "top_k", "min_p"} & sampling(plan, **decoder).keys()


def test_sampling_carries_what_is_set(plan):
    decoder = {"temperature": 0.7, "top_p": 0.9, "top_k": 50, "min_p": 0.1}
    assert sampling(plan, **decoder, seed=5) == {**OWNED, **decoder, "seed": 5}


def test_ends_of_a_request(plan):
    kwargs = sampling(plan, stop=["\n"], min_new_tokens=2, repetition_penalty=1.1)
    assert kwargs.items() >= {"min_tokens": 2, "repetition_penalty": 1.1}.items()
    assert kwargs["stop"] == ["\n"]
    assert kwargs["include_stop_str_in_output"] is True
    assert "detokenize" not in kwargs, "a stop text is looked for in the text"
    assert plan().call("sampling").kwargs["ignore_eos"] is True


def test_beam_search_asks_for_its_width_and_one_output(plan):
    kwargs = plan({"trt.sampling.beam_width": 4, "trt.max_beam_width": 4}).call("sampling").kwargs
    assert kwargs["use_beam_search"] is True
    assert kwargs["best_of"] == 4
    assert "n" not in kwargs


def test_nested_sections_become_objects_of_the_engine(plan):
    kwargs = load(
        plan,
        {
            "trt.kv_cache.dtype": "fp8",
            "trt.kv_cache.enable_block_reuse": False,
            "trt.max_batch_size": 4,
            "trt.experts.load_balancer.num_slots": 8,
        },
    ).kwargs
    assert kwargs == {
        "model": "folder",
        "max_batch_size": 4,
        "kv_cache_config": Construct(
            "tensorrt_llm.llmapi.KvCacheConfig", {"dtype": "fp8", "enable_block_reuse": False}
        ),
        "moe_config": Construct(
            "tensorrt_llm.llmapi.MoeConfig",
            {
                "load_balancer": Construct(
                    "tensorrt_llm.llmapi.llm_args.MoeLoadBalancerConfig", {"num_slots": 8}
                )
            },
        ),
    }


def test_graphs_are_switched_off_by_none(plan):
    assert load(plan, {"trt.cuda_graphs.enabled": False}).kwargs["cuda_graph_config"] is None
    made = load(plan, {"trt.cuda_graphs.enabled": True}).kwargs["cuda_graph_config"]
    assert made == Construct("tensorrt_llm.llmapi.CudaGraphConfig", {})


@pytest.mark.parametrize(
    ("surface", "target", "draft"),
    [
        ("1.2", "tensorrt_llm.llmapi.EagleDecodingConfig", "speculative_model_dir"),
        ("1.3", "tensorrt_llm.llmapi.Eagle3DecodingConfig", "speculative_model"),
    ],
)
def test_speculation_in_the_words_of_each_surface(plan, surface, target, draft):
    settings = {
        "trt.surface": surface,
        "trt.speculation.method": "eagle3",
        "trt.speculation.speculative_model": "draft",
        "trt.speculation.max_draft_len": 3,
    }
    assert load(plan, settings).kwargs["speculative_config"] == Construct(
        target, {draft: "draft", "max_draft_len": 3}
    )


def test_context_parallelism_is_a_plain_mapping_in_the_older_surface(plan):
    settings = {"trt.context_parallel.cp_type": "HELIX", "trt.context_parallel_size": 2}
    older = load(plan, {**settings, "trt.surface": "1.2"}).kwargs["cp_config"]
    newer = load(plan, {**settings, "trt.surface": "1.3"}).kwargs["cp_config"]
    assert older == {"cp_type": "HELIX"}
    assert newer == Construct("tensorrt_llm.llmapi.llm_args.CpConfig", older)


def test_a_built_engine_is_loaded_with_its_checkpoints_tokenizer(plan):
    built = plan({**LEGACY, "trt.engine_path": "engine"}, model={"id": "org/m", "revision": "abc"})
    assert built.call("load").target == "tensorrt_llm._tensorrt_engine.LLM"
    assert built.call("load").kwargs == {
        "model": "engine",
        "tokenizer": "org/m",
        "tokenizer_revision": "abc",
    }
    assert built.settings["execution"] == "tensorrt"
    assert built.settings["config_from"] == "org/m"


def test_quantization_while_building_is_an_object_with_members_of_an_enumeration(plan):
    settings = {**LEGACY, "trt.quantization.quant_algo": "FP8", "trt.calibration.calib_batches": 8}
    kwargs = load(plan, settings).kwargs
    assert kwargs["quant_config"] == Construct(
        "tensorrt_llm.llmapi.QuantConfig",
        {"quant_algo": Symbol("tensorrt_llm.llmapi.QuantAlgo.FP8")},
    )
    assert kwargs["calib_config"] == Construct(
        "tensorrt_llm.llmapi.CalibConfig", {"calib_batches": 8}
    )


def test_a_quantized_checkpoint_changes_no_argument(plan):
    built = plan({"trt.checkpoint_quantization": "NVFP4"}, workload=TEXTS)
    assert built.call("load").kwargs == {"model": "folder"}
    assert built.settings["quant_algo"] == "NVFP4"


def test_the_plan_says_which_surface_it_is_for(plan):
    assert versions.installed() is None, "this test describes an environment without the engine"
    assert plan().settings["surface"] == "1.3"
    assert plan({"trt.surface": "1.2"}).settings["surface"] == "1.2"


@pytest.mark.parametrize(
    ("version", "surface"),
    [("1.2.0", "1.2"), ("1.2.1", "1.2"), ("1.3.0rc24", "1.3"), ("1.4.0", "1.3"), ("2.0", "1.3")],
)
def test_a_version_has_a_surface(version, surface):
    assert versions.surface_of(version) == surface


@pytest.mark.parametrize(
    ("call", "argument", "setter"),
    [
        ("load", "dtype", r"set by model\.dtype"),
        ("sampling", "temperature", r"set by decoder\.temperature"),
        ("sampling", "max_tokens", "max_tokens"),
        ("generate", "use_tqdm", "use_tqdm"),
        ("generate", "cache_salt", "repetitions"),
    ],
)
def test_passthrough_is_refused_where_no_field_of_trt_decides(plan, call, argument, setter):
    with pytest.raises(ConfigError, match=setter):
        plan(passthrough_kwargs={call: {argument: 1}})
