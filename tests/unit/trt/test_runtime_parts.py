"""What the session is made of, as far as it needs no engine."""

import json
from datetime import timedelta
from enum import Enum
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llem.api.session import Request
from llem.schema.call_plan import Call, CallPlan, Construct, Symbol, differences
from llem_trt.runtime import observe
from llem_trt.runtime.block_reuse import BlockReuseCheck, counters_of, shared_blocks
from llem_trt.runtime.open_report import is_native, model_folder, model_info
from llem_trt.runtime.outputs import results


def output(ids=(5, 6), reason="length", stop=None, times=(10.1, 10.2, 10.4), reused=0, drafts=0):
    metrics = None
    if times is not None:
        arrival, first, last = (timedelta(seconds=time_s) for time_s in times)
        metrics = SimpleNamespace(
            timing_metrics=SimpleNamespace(
                arrival_time=arrival, first_token_time=first, last_token_time=last
            ),
            kv_cache_metrics=SimpleNamespace(
                num_total_allocated_blocks=3, num_missed_blocks=2, num_reused_blocks=reused
            ),
            speculative_decoding=SimpleNamespace(
                total_draft_tokens=drafts, total_accepted_draft_tokens=drafts // 2
            ),
        )
    completion = SimpleNamespace(
        token_ids=list(ids), finish_reason=reason, stop_reason=stop, request_perf_metrics=metrics
    )
    return SimpleNamespace(outputs=[completion])


def result(made, eos=frozenset({2})):
    (found,) = results([Request(0, [1, 2, 3], 8)], [made], eos, 10.0, 11.0)
    return found


def test_times_of_the_engine_are_the_requests():
    found = result(output())
    assert (found.submitted_s, found.first_token_s, found.finished_s) == (10.1, 10.2, 10.4)
    assert found.output_ids == [5, 6]
    assert found.token_times_s is None


@pytest.mark.parametrize(
    "times",
    [None, (9.0, 10.2, 10.4), (10.1, 10.2, 11.5), (10.3, 10.2, 10.4), (0.1, 0.2, 0.4)],
    ids=["none", "early", "late", "unordered", "another clock"],
)
def test_times_that_cannot_be_are_not_used(times):
    found = result(output(times=times))
    assert (found.submitted_s, found.first_token_s, found.finished_s) == (10.0, None, 11.0)


@pytest.mark.parametrize(
    ("reason", "stop", "expected"),
    [
        ("length", None, "length"),
        ("stop", None, "eos"),
        ("stop", 2, "eos"),
        ("stop", 13, "stop"),
        ("stop", "END", "stop"),
    ],
)
def test_why_a_request_ended(reason, stop, expected):
    assert result(output(reason=reason, stop=stop)).finish_reason == expected


@pytest.mark.parametrize("reason", ["timeout", "cancelled", None])
def test_a_request_that_was_given_up_is_an_error(reason):
    with pytest.raises(RuntimeError, match="ended a request"):
        result(output(reason=reason))


def test_counters_add_up_and_speculation_appears_where_there_is_any():
    plain = counters_of([output(reused=1), output(reused=2)])
    assert plain["kv_cache_reused_blocks"] == 3
    assert plain["kv_cache_allocated_blocks"] == 6
    assert "speculation_drafted_tokens" not in plain
    drafted = counters_of([output(drafts=8), output(drafts=4)])
    assert drafted["speculation_drafted_tokens"] == 12
    assert drafted["speculation_accepted_tokens"] == 6
    assert counters_of([output(times=None)]) == {}


def test_shared_beginnings_count_once_for_each_later_prompt():
    assert shared_blocks([[1, 2, 3, 4], [1, 2, 3, 5], [9, 9]], 2) == 2
    assert shared_blocks([[1] * 64, [1] * 64, [1] * 64], 32) == 4
    assert shared_blocks([[1, 2], [3, 4]], 32) == 0


@given(st.lists(st.lists(st.integers(0, 2), max_size=12), max_size=6), st.integers(1, 4))
def test_no_order_of_arrival_reuses_more_than_is_shared(prompts, size):
    seen, reused = set(), 0
    for prompt in prompts:
        blocks = {tuple(prompt[:end]) for end in range(size, len(prompt) + 1, size)}
        reused += len(blocks & seen)
        seen |= blocks
    assert reused <= shared_blocks(prompts, size)


def test_the_check_gives_each_repetition_a_salt_and_tells_foreign_blocks():
    check = BlockReuseCheck([[1, 2, 3, 4], [1, 2, 3, 4]], 2)
    assert check.next_salt() != check.next_salt()
    check.check({"kv_cache_reused_blocks": 2})
    assert check.reasons() == {}
    check.check({"kv_cache_reused_blocks": 3})
    assert list(check.reasons()) == ["prefix-cache-hits"]


ARGS = SimpleNamespace(max_seq_len=None, dtype="auto")


def write_model(folder, config, generation=None):
    (folder / "config.json").write_text(json.dumps(config))
    if generation:
        (folder / "generation_config.json").write_text(json.dumps(generation))
    return folder


LLAMA = {
    "model_type": "llama",
    "hidden_size": 8,
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "intermediate_size": 16,
    "vocab_size": 32,
    "max_position_embeddings": 128,
    "eos_token_id": 3,
    "bos_token_id": 1,
    "torch_dtype": "bfloat16",
}


def test_facts_are_read_from_the_models_files(tmp_path):
    folder = write_model(tmp_path, LLAMA, {"eos_token_id": [2, 3]})
    facts = model_info(model_folder(str(folder), None), ARGS)
    assert facts.vocab_size == 32
    assert facts.eos_token_ids == [2, 3]
    assert facts.special_token_ids == [1, 2, 3]
    assert facts.max_context_tokens == 128
    assert facts.dtype == "bfloat16"
    assert facts.parameters == facts.arithmetic.parameters
    assert facts.weights_bytes is None


def test_facts_of_an_unknown_family_have_no_arithmetic(tmp_path):
    text = {**LLAMA, "model_type": "novel"}
    folder = write_model(tmp_path, {"model_type": "novel_vl", "text_config": text})
    facts = model_info(folder, SimpleNamespace(max_seq_len=64, dtype="float16"))
    assert facts.arithmetic is None
    assert facts.parameters is None
    assert (facts.max_context_tokens, facts.dtype) == (64, "float16")


def test_a_package_without_libraries_is_not_the_engine(tmp_path):
    package = ModuleType("tensorrt_llm")
    assert not is_native(package)
    package.__file__ = str(tmp_path / "__init__.py")
    assert not is_native(package)
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs" / "libtensorrt_llm.so").touch()
    assert is_native(package)


class Kind(Enum):
    DUMMY = 1


class Algorithm(Enum):
    FP8 = "FP8"


def test_values_are_read_back_by_the_names_they_were_asked_under():
    cache = SimpleNamespace(dtype="bfloat16", enable_block_reuse=True, host_cache_size=None)
    graphs = SimpleNamespace(batch_sizes=[1, 2, 8])
    args = SimpleNamespace(
        dtype="auto", load_format=Kind.DUMMY, kv_cache_config=cache, cuda_graph_config=graphs,
        model="/somewhere/else", quant_config=SimpleNamespace(quant_algo=Algorithm.FP8),
    )  # fmt: skip
    load = Call(
        "load",
        "tensorrt_llm.LLM",
        {
            "model": "org/model",
            "kv_cache_config": Construct("K", {"dtype": "fp8", "host_cache_size": None}),
            "cuda_graph_config": Construct("C", {"batch_sizes": [8, 2, 1]}),
            "quant_config": Construct("Q", {"quant_algo": Symbol("QuantAlgo.FP8")}),
        },
    )
    found = observe.effective(args, load)
    assert found["load.load_format"] == "dummy"
    assert found["load.kv_cache_config.enable_block_reuse"] is True
    assert "load.model" not in found
    assert found["load.quant_config.quant_algo"] == "QuantAlgo.FP8"
    assert differences(CallPlan((load,)).requested(), found) == ("load.kv_cache_config.dtype",)
    assert found["load.kv_cache_config.dtype"] == "bfloat16"


def test_quantization_is_named_even_where_there_is_none():
    none = SimpleNamespace(quant_config=SimpleNamespace(quant_algo=None))
    some = SimpleNamespace(quant_config=SimpleNamespace(quant_algo="NVFP4"))
    assert observe.quantization(none) == "NO_QUANT"
    assert observe.quantization(some) == "NVFP4"


@pytest.mark.engine
def test_a_nested_config_is_filled_with_the_defaults_of_its_class(tmp_path):
    """Gemma 3's text part names what differs, and the class knows its 262,208 token ids."""
    text = {
        "model_type": "gemma3_text", "hidden_size": 64, "intermediate_size": 128, "head_dim": 16,
        "num_hidden_layers": 6, "num_attention_heads": 4, "num_key_value_heads": 2,
        "sliding_window": 16,
    }  # fmt: skip
    vision = {
        "model_type": "siglip_vision_model", "hidden_size": 32, "intermediate_size": 64,
        "num_attention_heads": 2, "num_hidden_layers": 1, "image_size": 896, "patch_size": 14,
        "vision_use_head": False,
    }  # fmt: skip
    config = {"model_type": "gemma3", "text_config": text, "vision_config": vision}
    facts = model_info(write_model(tmp_path, config), ARGS)
    assert facts.vocab_size == 262_208
    assert facts.arithmetic.method == "counted"
    # Five of six layers have the window; keys and values of 2 heads of width 16.
    assert {part.window_tokens: part.kv_elements for part in facts.arithmetic.attention} == {
        16: 5 * 2 * 2 * 16,
        None: 2 * 2 * 16,
    }


def test_a_config_that_names_no_vocabulary_is_refused_in_words(tmp_path):
    folder = write_model(tmp_path, {"model_type": "novel"})
    with pytest.raises(ValueError, match=r"names no vocab_size"):
        model_info(folder, ARGS)
