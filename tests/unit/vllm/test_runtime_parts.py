"""Parts of the session that are plain Python, fed with records as vLLM hands them over."""

from enum import Enum
from types import SimpleNamespace

import pytest

from llem.api import Request
from llem.schema.call_plan import Call, Construct
from llem_vllm.runtime.engine_metrics import TokenTimes, delta, totals
from llem_vllm.runtime.observe import effective, speculation_differences
from llem_vllm.runtime.results import finish_reason, require_one_length


@pytest.mark.parametrize(
    ("reason", "stop", "expected"),
    [
        ("length", None, "length"),
        ("stop", None, "eos"),
        ("stop", 2, "eos"),
        ("stop", 7, "stop"),
        ("stop", "\n", "stop"),
    ],
)
def test_why_a_request_ended(reason, stop, expected):
    assert finish_reason(reason, stop, {2}) == expected


@pytest.mark.parametrize("reason", ["abort", "error", None])
def test_a_request_that_vllm_gave_up_is_no_result(reason):
    with pytest.raises(RuntimeError, match="vLLM ended a request"):
        finish_reason(reason, None, {2})


class Processor:
    """Records what comes through, as vLLM's output processor would work on it."""

    def __init__(self):
        self.seen = []

    def process_outputs(self, outputs, engine_core_timestamp=None, **more):
        self.seen.append((outputs, engine_core_timestamp, more))
        return "processed"


def output(request_id, *tokens):
    return SimpleNamespace(request_id=request_id, new_token_ids=list(tokens))


def test_each_token_has_the_time_of_its_step():
    processor = Processor()
    times = TokenTimes(processor)
    assert processor.process_outputs([output("0-ab", 5)], 1.0, iteration_stats=None) == "processed"
    processor.process_outputs([output("0-ab", 6, 7), output("1-cd", 8)], 2.0)
    processor.process_outputs([output("0-ab")], 3.0)
    assert [stamp for _, stamp, _ in processor.seen] == [1.0, 2.0, 3.0]
    assert processor.seen[0][2] == {"iteration_stats": None}
    assert times.of("0", 3) == [1.0, 2.0, 2.0]
    assert times.of("0", 2) == [1.0, 2.0]
    assert times.of("1", 1) == [2.0]


def test_times_that_are_not_all_there_are_none():
    times = TokenTimes(processor := Processor())
    processor.process_outputs([output("0-ab", 5)], None)
    assert times.of("0", 1) is None
    processor.process_outputs([output("0-ab", 5)], 1.0)
    times.clear()
    assert times.of("0", 1) is None


def metric(name, **values):
    return SimpleNamespace(name=name, **values)


def test_counters_are_what_a_repetition_added():
    before = totals([metric("vllm:generation_tokens", value=10)])
    now = totals(
        [
            metric("vllm:generation_tokens", value=25),
            metric("vllm:generation_tokens", value=5),
            metric("vllm:iteration_tokens_total", count=7, sum=99.0),
            metric("vllm:kv_cache_usage_perc", value=0.5),
        ]
    )
    assert delta(before, now) == {"engine_output_tokens": 20, "engine_steps": 7}


def test_settings_of_speculation_are_compared_with_those_in_force():
    settings = {"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_max": 4}
    load = Call("load", "vllm.LLM", {"max_num_seqs": 4, "speculative_config": settings})
    found = {
        "load.max_num_seqs": 2,
        "load.speculative_config.method": "ngram",
        "load.speculative_config.num_speculative_tokens": 5,
    }
    (difference,) = speculation_differences(load, found)
    assert difference == (
        "load.speculative_config.num_speculative_tokens was requested as 3 and is 5"
    )
    assert list(speculation_differences(Call("load", "vllm.LLM"), found)) == []


class Mode(Enum):
    """A compilation mode as vLLM keeps it."""

    NONE = 0


class DType:
    """A data type as torch spells it."""

    def __str__(self):
        return "torch.float16"


def test_effective_values_come_from_where_vllm_keeps_them():
    config = SimpleNamespace(
        optimization_level=2,
        cache_config=SimpleNamespace(cache_dtype="fp8", block_size=16),
        scheduler_config=SimpleNamespace(policy="fcfs", max_num_seqs=8),
        model_config=SimpleNamespace(dtype=DType()),
        offload_config=SimpleNamespace(uva=SimpleNamespace(cpu_offload_gb=4.0)),
        compilation_config=SimpleNamespace(mode=Mode.NONE),
    )
    compilation = Construct("vllm.config.CompilationConfig", {"mode": "NONE"})
    load = Call(
        "load",
        "vllm.LLM",
        {
            "cpu_offload_gb": 4.0,
            "compilation_config": compilation,
            "model": "folder",
            "unknown": 1,
        },
    )
    workers = [{"attention_backends": ["A"]}, {"attention_backends": ["A"]}]
    found = effective(config, workers, load)
    assert found == {
        "load.dtype": "float16",
        "load.kv_cache_dtype": "fp8",
        "load.block_size": 16,
        "load.scheduling_policy": "fcfs",
        "load.max_num_seqs": 8,
        "load.cpu_offload_gb": 4.0,
        "load.compilation_config.mode": "NONE",
        "load.optimization_level": 2,
        "load.attention_backend": "A",
    }


def test_beam_search_has_one_length():
    alike = [Request(index=0, prompt_ids=[1], max_new_tokens=4)] * 2
    assert require_one_length(alike) is None
    with pytest.raises(ValueError, match=r"workload\.row_lengths: false"):
        require_one_length([*alike, Request(index=2, prompt_ids=[1], max_new_tokens=5)])
