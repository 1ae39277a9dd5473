"""A value that TensorRT-LLM documents as its default is accepted, on either surface."""

import pytest

from llem.config.rule_checks import rule_errors
from llem.schema.call_plan import Construct
from llem.testing.plugin_under_test import PluginUnderTest

from ...engine_defaults import documented_defaults
from .signature import faults

REFUSED_ON_PURPOSE = {"trt.sampling.return_perf_metrics"}
"""Without metrics llem could not see a repetition reuse the KV cache of an earlier one."""

DEFAULTS = documented_defaults("trt")
NEUTRAL_SPECULATION = {
    "trt.speculation.is_keep_all": True,
    "trt.speculation.use_rejection_sampling": False,
}
NGRAM = {"trt.speculation.method": "ngram", "trt.speculation.max_draft_len": 4}


@pytest.fixture(scope="module")
def subject():
    return PluginUnderTest("trt")


def refusals(subject, values):
    experiment = subject.experiment(values)
    return [str(finding) for finding in rule_errors(experiment, subject.required_backend.info)]


@pytest.mark.parametrize("surface", [None, "1.2", "1.3"])
@pytest.mark.parametrize(("path", "value"), DEFAULTS)
def test_every_documented_default_is_accepted_alone(subject, path, value, surface):
    values = {path: value} | ({"trt.surface": surface} if surface else {})
    if path in REFUSED_ON_PURPOSE:
        assert refusals(subject, values) != []
        return
    assert refusals(subject, values) == []
    assert faults(subject.plan(values)) == []


def test_the_list_of_defaults_covers_every_topic():
    topics = {path.split(".")[1] for path, _ in DEFAULTS}
    assert {"kv_cache", "speculation", "sparse_attention", "quantization", "sampling"} <= topics
    assert len(DEFAULTS) > 100


def loading(subject, values):
    assert refusals(subject, values) == []
    arguments = dict(subject.plan(values).call("load").kwargs)
    assert arguments.pop("model") == "org/model"
    return arguments


@pytest.mark.parametrize(
    ("values", "arguments"),
    [
        ({"trt.sampler_type": "auto", "trt.surface": "1.3"}, {}),
        ({"trt.sampler_type": "auto", "trt.surface": "1.2"}, {"sampler_type": "auto"}),
        ({"trt.kv_cache.onboard_blocks": True, "trt.surface": "1.3"}, {}),
        ({"trt.kv_cache.onboard_blocks": True, "trt.surface": "1.2"}, {
            "kv_cache_config": Construct(
                "tensorrt_llm.llmapi.KvCacheConfig", {"onboard_blocks": True})}),
        ({"trt.quantization.group_size": 128, "trt.calibration.calib_batches": 512}, {}),
        ({"trt.attention_dp.timeout_iters": 50, "trt.attention_dp.enable_balance": False}, {}),
        ({"trt.sparse_attention.page_size": 4}, {}),
        (NEUTRAL_SPECULATION, {}),
        ({**NEUTRAL_SPECULATION, **NGRAM}, {
            "speculative_config": Construct(
                "tensorrt_llm.llmapi.NGramDecodingConfig",
                {"max_draft_len": 4, "is_keep_all": True})}),
        ({"trt.cuda_graphs.max_batch_size": 0, "trt.cuda_graphs.batch_sizes": [1, 2]}, {
            "cuda_graph_config": Construct(
                "tensorrt_llm.llmapi.CudaGraphConfig",
                {"max_batch_size": 0, "batch_sizes": [1, 2]})}),
    ],
)  # fmt: skip
def test_the_engine_is_told_of_a_neutral_value_only_where_it_acts(subject, values, arguments):
    assert loading(subject, values) == arguments


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"trt.quantization.group_size": 64}, "trt.execution"),
        ({"trt.attention_dp.timeout_iters": 10}, "enable_attention_dp"),
        ({"trt.speculation.is_keep_all": False}, "source of draft tokens"),
        ({"trt.sparse_attention.page_size": 8}, "needs an algorithm"),
        ({"trt.sampling.early_stopping": 0, "trt.sampling.beam_width": 1}, "beam_width"),
    ],
)
def test_a_value_that_would_act_still_needs_its_feature(subject, values, reason):
    assert reason in " ".join(refusals(subject, values))


def test_a_beam_of_width_1_is_no_beam_search(subject):
    values = {
        "trt.sampling.beam_width": 1,
        "trt.sampling.beam_search_diversity_rate": 0,
        # None in the signature; these are the values that the engine then takes.
        "trt.sampling.length_penalty": 0,
        "trt.sampling.early_stopping": 1,
        "trt.sampling.top_p_decay": 1,
        "trt.sampling.top_p_min": 1e-6,
    }
    assert refusals(subject, values) == []
    assert subject.plan(values).call("sampling").kwargs.keys() == {
        "seed",
        "detokenize",
        "return_perf_metrics",
    }
