"""What a machine must have, and what excludes what, is declared once and listed everywhere."""

import re

import pytest

from llem import introspect
from llem.api.capability import Gpu, HostInfo
from llem.config.rule_checks import rules_of, unmet_conditions
from llem.introspect.config_parameters import parameter_table
from llem.registry import Registry
from llem.tables import render_text
from llem.testing.field_effects import candidates, surroundings
from llem.testing.plugin_under_test import PluginUnderTest

BACKENDS = ("pytorch", "vllm", "trt")
MACHINES = [(), ((6, 1),), ((8, 0),), ((9, 0),), ((12, 0),)]
ABOUT_MACHINES = re.compile("compute capability|NVIDIA|GPU|visible|package|installed")
OF_ARCHITECTURES = {"quantization-not-supported"}
"""Refusals of architectures, the documented ones of which the field's own text lists."""

EXCLUSIVE = re.compile(r"-or-(?!eight)|one-draft|greatest-graph|has-no-|beams-ignore|takes-one")
OF_SOME_VALUES = re.compile("-needs?-|continuous-batching|shape-has-no|trt-has-no|-bounds")


@pytest.fixture(scope="module")
def registry():
    return Registry.discover()


@pytest.fixture(scope="module", params=BACKENDS)
def subject(request):
    return PluginUnderTest(request.param)


def machine(*capabilities):
    gpus = tuple(Gpu(f"GPU-{n}", "a GPU", 2**34, each) for n, each in enumerate(capabilities))
    return HostInfo("Linux", "a CPU", 8, 2**34, gpus)


def trials(subject):
    """Yield an experiment for each value worth trying of each field of the backend."""
    shared = [subject.all_fields[path] for path in ("model.dtype", "model.gguf_file")]
    for field in (*shared, *subject.fields):
        for value in candidates(field) if field.is_settable else ():
            around = surroundings(subject, field)
            yield subject.experiment({**around, field.path: value})


def test_no_review_refuses_for_a_need_that_is_not_declared(subject):
    for experiment in trials(subject):
        for capabilities in MACHINES:
            host = machine(*capabilities)
            for finding in subject.required_backend.review(experiment, host):
                if finding.severity == "warning" or not ABOUT_MACHINES.search(finding.message):
                    continue
                assert finding.code in OF_ARCHITECTURES, finding
                assert "not documented for" in subject.all_fields[finding.path].param.ignored_when


def test_every_unmet_need_is_listed(subject, registry):
    listed = {skip.parameter for skip in introspect.skip_conditions(registry, subject.name)}
    found = {
        finding.path
        for experiment in trials(subject)
        for capabilities in MACHINES
        for finding in unmet_conditions(experiment, machine(*capabilities))
    }
    assert found <= listed
    assert "model.dtype" in found or subject.name == "trt"
    assert len(found) >= 3


def test_every_rule_that_says_an_exclusion_lists_it(subject):
    exclusive = [
        rule
        for rule in rules_of(subject.name, subject.section)
        if EXCLUSIVE.search(rule.name) and not OF_SOME_VALUES.search(rule.name)
    ]
    assert len(exclusive) >= 3
    assert [rule.name for rule in exclusive if not rule.excludes] == []


@pytest.mark.parametrize(
    ("backend", "path", "value", "needed", "emulated"),
    [
        ("pytorch", "pytorch.attn_implementation", "flash_attention_2", (8, 0), False),
        ("pytorch", "pytorch.attn_implementation", "flash_attention_3", (9, 0), False),
        ("pytorch", "pytorch.attn_implementation", "flash_attention_4", (9, 0), False),
        ("pytorch", "pytorch.quantization.method", "fp8", (8, 9), True),
        ("pytorch", "model.dtype", "bfloat16", (8, 0), True),
        ("vllm", "model.dtype", "bfloat16", (8, 0), False),
        ("vllm", "vllm.kv_cache_dtype", "fp8*", (8, 9), True),
        ("trt", "model.dtype", "bfloat16", (8, 0), False),
        ("trt", "trt.checkpoint_quantization", "FP8", (8, 9), False),
    ],
)
def test_compute_capability_is_listed(registry, backend, path, value, needed, emulated):
    found = introspect.compute_capability_needs(registry, backend)
    assert (path, value, needed, emulated, backend) in [
        (need.parameter, need.value, need.compute_capability, need.emulated, need.backend)
        for need in found
    ]
    assert set(found) <= set(introspect.compute_capability_needs(registry))


@pytest.mark.parametrize(
    ("backend", "pair"),
    [
        ("pytorch", {"pytorch.load_in_4bit", "pytorch.load_in_8bit"}),
        ("pytorch", {"pytorch.quantization", "pytorch.load_in_4bit"}),
        ("pytorch", {"pytorch.quantization", "pytorch.load_in_8bit"}),
        ("pytorch", {"pytorch.load_in_8bit", "model.gguf_file"}),
        ("pytorch", {"pytorch.num_beams", "pytorch.assistant_model"}),
        ("vllm", {"vllm.enforce_eager", "vllm.compilation_config.cudagraph_mode"}),
        ("vllm", {"decoder.stop", "vllm.beam_search.beam_width"}),
        ("trt", {"trt.quantization", "trt.engine_path"}),
        ("trt", {"trt.speculation.eagle_choices", "trt.speculation.use_dynamic_tree"}),
        (
            "trt",
            {"trt.sampling.guided_decoding.regex", "trt.sampling.guided_decoding.json_schema"},
        ),
    ],
)
def test_exclusions_are_listed(registry, backend, pair):
    pairs = [set(found.parameters) for found in introspect.mutual_exclusions(registry, backend)]
    assert pairs.count(pair) == 1


@pytest.mark.parametrize(
    ("backend", "path", "words"),
    [
        ("pytorch", "pytorch.load_in_4bit", "bitsandbytes"),
        ("pytorch", "pytorch.attn_implementation", "flash-attn or kernels"),
        ("pytorch", "pytorch.use_kernels", "kernels"),
        ("pytorch", "pytorch.quantization.method", "torchao"),
        ("pytorch", "pytorch.quantization.method", "hqq"),
        ("pytorch", "pytorch.cache_config.backend", "optimum-quanto"),
        ("pytorch", "pytorch.device_map", "2+ NVIDIA GPUs"),
        ("pytorch", "model.gguf_file", "gguf"),
        ("vllm", "vllm.tensor_parallel_size", "2+ NVIDIA GPUs"),
        ("trt", "trt.context_parallel_size", "2+ NVIDIA GPUs"),
    ],
)
def test_packages_and_gpus_are_among_the_conditions(registry, backend, path, words):
    conditions = [
        skip.condition
        for skip in introspect.skip_conditions(registry, backend)
        if skip.parameter == path
    ]
    assert any(words in condition for condition in conditions)


def test_the_listing_and_the_schema_say_the_needs(registry):
    found = introspect.parameters(registry, "pytorch")
    by_path = {parameter.path: parameter for parameter in found}
    text = render_text(parameter_table([by_path["pytorch.load_in_8bit"]]))
    assert "Needs the package bitsandbytes for true." in text
    assert "Not with pytorch.load_in_4bit, pytorch.quantization, model.gguf_file." in text
    assert by_path["pytorch.load_in_8bit"].packages == {"true": ("bitsandbytes",)}
    dtype = render_text(parameter_table([by_path["model.dtype"]]))
    assert "compute capability 8.0 for bfloat16 (older devices emulate it)" in dtype
    schema = introspect.schema(registry, "pytorch")["$defs"]["PyTorchConfig"]["properties"]
    assert "the package bitsandbytes for true" in str(schema["load_in_8bit"])
    assert "'notWith': ['pytorch.load_in_4bit'" in str(schema["load_in_8bit"])
    needs = "compute capability 8.0 for flash_attention_2, */flash-attn*"
    assert needs in str(schema["attn_implementation"])
