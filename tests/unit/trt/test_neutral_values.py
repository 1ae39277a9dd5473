"""A value that TensorRT-LLM documents as its default is accepted, on either surface."""

import pytest

from llem.config.rule_checks import rule_errors
from llem.schema.call_plan import Construct
from llem.testing.plugin_under_test import PluginUnderTest

from ...engine_defaults import DECODER, documented_defaults, neutral_values
from ...engine_defaults import faults as neutral_faults
from .signature import faults

REFUSED_ON_PURPOSE = {"trt.sampling.return_perf_metrics"}
"""Without metrics llem could not see a repetition reuse the KV cache of an earlier one."""

DEFAULTS = documented_defaults("trt")
LEGACY = {"trt.surface": "1.2", "trt.execution": "tensorrt"}
DRAFTING = {"trt.speculation.max_draft_len": 4}
COMPILED = "trt.torch_compile."
"""Fields of a section that acts as soon as it is given: it turns compilation on."""

CHOICES = frozenset({"trt.prefill_cuda_graph_backend"})
BASES = {
    "greedy": {},
    "sampling": {"decoder.temperature": 0.7},
    "a share of tokens": {"decoder.temperature": 0.7, "decoder.top_p": 0.9},
    "synthetic prompts": {"workload": {"source": "synthetic"}},
    "random weights": {"model.weights": "random"},
    "a shape": {"model.id": "shape:tiny"},
    "1.2": {"trt.surface": "1.2"},
    "1.3": {"trt.surface": "1.3"},
    "legacy": LEGACY,
    "a built engine": {**LEGACY, "trt.engine_path": "engine"},
    "quantization while building": {**LEGACY, "trt.quantization.quant_algo": "FP8"},
    "beams": {
        "trt.sampling.beam_width": 2,
        "trt.max_beam_width": 2,
        "trt.disable_overlap_scheduler": True,
    },
    "n-grams": {"trt.speculation.method": "ngram", **DRAFTING},
    "a draft": {
        "trt.speculation.method": "eagle3",
        "trt.speculation.speculative_model": "draft",
        **DRAFTING,
    },
    "prediction layers": {"trt.speculation.method": "mtp"},
    "no graphs": {"trt.cuda_graphs.enabled": False},
    "not compiled": {"trt.torch_compile.enabled": False},
    "compiled": {"trt.torch_compile.enabled": True},
    "no reuse": {"trt.kv_cache.enable_block_reuse": False},
    "two devices": {"trt.tensor_parallel_size": 2},
    "shared sequences": {"trt.context_parallel_size": 2},
    "sparse attention": {"trt.sparse_attention.algorithm": "rocket"},
    "breakable graphs": {"trt.surface": "1.3", "trt.prefill_cuda_graph_backend": "breakable"},
    "a guide": {
        "trt.guided_decoding_backend": "xgrammar",
        "trt.sampling.guided_decoding": {"regex": "[a-z]+"},
    },
}
NEUTRAL = [
    (path, value)
    for path, value in [*DEFAULTS, *neutral_values("trt"), *DECODER]
    if path not in REFUSED_ON_PURPOSE and not path.startswith(COMPILED)
]
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


@pytest.mark.parametrize("base", BASES)
def test_what_is_documented_as_off_or_default_is_accepted_everywhere(subject, base):
    assert neutral_faults(subject, BASES[base], NEUTRAL, CHOICES) == []


@pytest.mark.parametrize(
    "base", ["greedy", "legacy", "a built engine", "breakable graphs", "1.2", "1.3"]
)
def test_settings_of_compilation_are_idle_where_it_is_off(subject, base):
    off = {f"{COMPILED}enabled": False}
    settings = {path: value for path, value in DEFAULTS if path.startswith(COMPILED)}
    assert len(settings) == 5
    assert neutral_faults(subject, {**BASES[base], **off}, list(settings.items())) == []
    assert refusals(subject, {**BASES[base], **off, **settings}) == []


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
