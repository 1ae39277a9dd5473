"""The session on the real engine, which stays in this process to start quickly."""

import pytest

from llem.api.session import Request
from llem.schema.call_plan import differences
from llem.schema.experiment import Experiment
from llem.workload.shape_folder import write_shape
from llem_vllm.plan import plan_of
from llem_vllm.section import VLLMConfig

pytestmark = pytest.mark.engine

LENGTHS = (5, 9, 7)
FEW = {"max_model_len": 256, "max_num_seqs": 4, "enforce_eager": True, "block_size": 32}
ONE_PROCESS = {"distributed_executor_backend": "uni"}
OUT_OF_SIGHT = None
"""Bytes of weights that a kernel has repacked, which depends on the CPU and on their type."""


class VLLMExperiment(Experiment):
    """The experiment model that core makes for vLLM."""

    backend: str = "vllm"
    vllm: VLLMConfig = VLLMConfig()


def planned(**sections):
    section = {**FEW, **ONE_PROCESS, **sections.pop("vllm", {})}
    return plan_of(VLLMExperiment.model_validate({"vllm": section, **sections}))


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Return a function that opens a session for sections; one engine lives at a time."""
    from llem_vllm.runtime.session import VLLMSession

    sessions = []

    def opened(**sections):
        while sessions:
            sessions.pop().close()
        session = VLLMSession()
        sessions.append(session)
        return session, session.open(planned(**sections))

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
        yield opened
    while sessions:
        sessions.pop().close()


def shape():
    return {"id": str(write_shape("shape:tiny")), "weights": "random"}


def requests(*, offset=0):
    """Return requests of 40 tokens that share nothing."""
    return [
        Request(index, [10 + offset + (7 * index + at) % 200 for at in range(40)], length)
        for index, length in enumerate(LENGTHS)
    ]


@pytest.fixture(scope="module")
def measured(opened, smollm2):
    """Return the session, its report and two repetitions of the same requests on SmolLM2."""
    session, report = opened(model={"id": str(smollm2), "dtype": "float32"})
    session.prepare(requests())
    return session, report, [session.run(), session.run()]


@pytest.mark.model
def test_the_report_describes_what_was_loaded(measured):
    _, report, _ = measured
    assert report.engine == "vllm"
    assert report.devices == ["cpu"]
    assert report.model.parameters == 134_515_008
    assert report.model.weights_bytes in {4 * 134_515_008, OUT_OF_SIGHT}
    assert report.model.dtype == "float32"
    assert report.model.eos_token_ids == [2]
    assert report.model.max_context_tokens == 256
    assert report.model.arithmetic.method == "analytic"


@pytest.mark.model
def test_greedy_tokens_are_those_of_transformers(measured, smollm2):
    """Float32 on both sides; kernels add up in another order, so the first 5 tokens count."""
    import torch
    from transformers import AutoModelForCausalLM

    _, _, (run, _) = measured
    model = AutoModelForCausalLM.from_pretrained(smollm2, dtype=torch.float32)
    for request, result in zip(requests(), run.requests, strict=True):
        ids = torch.tensor([request.prompt_ids])
        expected = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=request.max_new_tokens,
            do_sample=False,
            eos_token_id=[-1],
            pad_token_id=0,
        )[0, ids.shape[1] :].tolist()
        assert result.output_ids[:5] == expected[:5]


@pytest.mark.model
def test_ignored_eos_gives_every_request_its_length(measured):
    for run in measured[2]:
        assert [len(result.output_ids) for result in run.requests] == list(LENGTHS)
        assert {result.finish_reason for result in run.requests} == {"length"}
        assert [result.index for result in run.requests] == [0, 1, 2]


@pytest.mark.model
def test_repetitions_do_the_same_work_on_an_empty_cache(measured):
    session, _, (first, second) = measured
    assert [result.output_ids for result in first.requests] == [
        result.output_ids for result in second.requests
    ]
    for run in (first, second):
        assert run.counters["engine_prompt_tokens"] == 120
        assert run.counters["engine_output_tokens"] == sum(LENGTHS)
        assert run.counters["prefix_cache_queried_tokens"] == 120
        assert run.counters["prefix_cache_hit_tokens"] == 0
        assert run.counters["preemptions"] == 0
        assert run.counters["engine_steps"] >= max(LENGTHS)
    assert session.observe().reasons == {}


@pytest.mark.model
def test_times_are_in_order_and_inside_the_window(measured):
    for run in measured[2]:
        for result in run.requests:
            times = result.token_times_s
            assert len(times) == len(result.output_ids)
            assert times == sorted(times)
            assert run.started_s <= result.submitted_s < times[0]
            assert times[-1] == result.finished_s <= run.finished_s


@pytest.mark.model
def test_what_was_in_force_is_read_back(measured):
    observation = measured[0].observe()
    effective = observation.effective
    assert effective["load.dtype"] == "float32"
    assert effective["load.attention_backend"] == "CPU_ATTN"
    assert effective["load.max_num_seqs"] == 4
    assert effective["load.block_size"] == 32
    assert effective["load.compilation_config.mode"] == "NONE"
    assert effective["load.compilation_config.cudagraph_mode"] == "NONE"
    assert effective["load.max_num_batched_tokens"] > 0
    assert effective["sampling.temperature"] == 0.0
    assert effective["sampling.ignore_eos"] is True
    assert effective["settings.seed"] == 0
    assert observation.memory["kv_cache_bytes"] > 2**29


@pytest.mark.model
def test_the_tokenizer_comes_as_data(measured):
    exported = measured[0].tokenizer()
    assert '"model"' in exported.tokenizer_json
    assert "<|im_start|>" in exported.chat_template


def test_a_cache_that_is_kept_is_noticed(opened):
    session, report = opened(model=shape(), vllm={"reset_prefix_cache": False})
    assert report.model.parameters == report.model.arithmetic.parameters
    assert report.model.weights_bytes in {2 * report.model.parameters, OUT_OF_SIGHT}
    session.prepare(requests())
    first, second = session.run(), session.run()
    assert first.counters["prefix_cache_hit_tokens"] == 0
    assert second.counters["prefix_cache_hit_tokens"] == 3 * 32
    (message,) = session.observe().reasons.values()
    assert session.observe().reasons.keys() == {"prefix-cache-hits"}
    assert "96 prompt tokens" in message


def test_a_beginning_that_prompts_share_is_their_own_work(opened):
    session, _ = opened(model=shape(), vllm={"max_num_seqs": 1})
    same = [Request(index, list(range(20, 60)) + [70 + index] * 8, 2) for index in range(3)]
    session.prepare(same)
    runs = [session.run(), session.run()]
    assert [run.counters["prefix_cache_hit_tokens"] for run in runs] == [64, 64]
    assert session.observe().reasons == {}


def test_a_nested_setting_that_vllm_overrides_is_observed(opened):
    section = {
        "enforce_eager": None,
        "compilation_config": {"mode": "NONE", "cudagraph_mode": "FULL"},
    }
    sections = {"model": shape(), "vllm": section}
    session, _ = opened(**sections)
    session.prepare(requests())
    session.run()
    found = differences(planned(**sections).requested(), session.observe().effective)
    assert found == ("load.compilation_config.cudagraph_mode",)


def test_compiled_code_generates_and_says_that_it_is_compiled(opened):
    session, _ = opened(model=shape(), vllm={"enforce_eager": None})
    session.prepare(requests())
    run = session.run()
    assert [len(result.output_ids) for result in run.requests] == list(LENGTHS)
    observation = session.observe()
    # On a CPU, vLLM traces once instead of compiling piece by piece.
    assert observation.effective["load.compilation_config.mode"] == "DYNAMO_TRACE_ONCE"
    assert observation.effective["load.optimization_level"] == 2
    assert observation.reasons == {}


def test_sampling_repeats_itself_without_a_generator_for_each_request(opened):
    session, _ = opened(model=shape(), decoder={"temperature": 1.0, "seed": 3})
    session.prepare(requests())
    first, second = session.run(), session.run()
    ids = [result.output_ids for result in first.requests]
    assert ids == [result.output_ids for result in second.requests]
    assert session.observe().effective["sampling.temperature"] == 1.0


def test_beam_search_returns_the_best_sequence(opened):
    session, _ = opened(model=shape(), vllm={"beam_search": {"beam_width": 2}})
    session.prepare([Request(index, [20 + index] * 9, 4) for index in range(2)])
    run = session.run()
    assert [len(result.output_ids) for result in run.requests] == [4, 4]
    for result in run.requests:
        assert result.token_times_s is None
        assert (result.submitted_s, result.finished_s) == (run.started_s, run.finished_s)
    # Both beams of both requests, in every step but the first.
    assert run.counters["engine_output_tokens"] == 2 * (1 + 3 * 2)


def test_speculation_is_counted(opened):
    lookup = {"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_max": 3}
    session, _ = opened(model=shape(), vllm={"speculative_config": lookup})
    session.prepare([Request(index, [5, 6, 7, 8] * 8, 12) for index in range(2)])
    run = session.run()
    counters = run.counters
    assert [len(result.output_ids) for result in run.requests] == [12, 12]
    assert all(len(result.token_times_s) == 12 for result in run.requests)
    assert 0 < counters["speculation_accepted_tokens"] <= counters["speculation_drafted_tokens"]
    effective = session.observe().effective
    assert effective["load.speculative_config.num_speculative_tokens"] == 3
    assert effective["load.async_scheduling"] is False
