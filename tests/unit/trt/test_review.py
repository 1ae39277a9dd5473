"""Check experiments against machines: devices, architectures, kernels."""

import pytest

from llem.api.capability import Gpu, HostInfo
from llem.config.rule_checks import unmet_conditions
from llem_trt.hardware import RUNS_ON, algorithm_runs_on, architecture_of
from llem_trt.review import review


def machine(*capabilities):
    gpus = tuple(
        Gpu(f"GPU-{at}", "a device", 80 * 2**30, capability)
        for at, capability in enumerate(capabilities)
    )
    return HostInfo("Linux", "cpu", 8, 2**34, gpus)


def codes(experiment, *capabilities):
    facts = machine(*capabilities)
    found = (*unmet_conditions(experiment, facts), *review(experiment, facts))
    return [(finding.code, finding.severity) for finding in found]


REFUSED = [("quantization-not-supported", "error")]
TOO_OLD = [("compute-capability", "error")]


@pytest.mark.parametrize(
    ("values", "capabilities", "found"),
    [
        ({}, [(9, 0)], []),
        ({}, [], [("no-nvidia-device", "warning")]),
        ({"trt.tensor_parallel_size": 2}, [(9, 0)], [("too-few-gpus", "error")]),
        ({"trt.tensor_parallel_size": 2}, [(9, 0), (9, 0)], []),
        (
            {"trt.tensor_parallel_size": 2, "trt.pipeline_parallel_size": 2},
            [(9, 0)] * 3,
            [("too-few-gpus", "error")],
        ),
        ({"trt.context_parallel_size": 4}, [(9, 0)] * 3, [("too-few-gpus", "error")]),
        ({"trt.checkpoint_quantization": "FP8"}, [(8, 0)], TOO_OLD),
        ({"trt.checkpoint_quantization": "FP8"}, [(8, 9)], []),
        ({"trt.checkpoint_quantization": "FP8_BLOCK_SCALES"}, [(8, 9)], TOO_OLD),
        ({"trt.checkpoint_quantization": "FP8_BLOCK_SCALES"}, [(9, 0)], []),
        ({"trt.checkpoint_quantization": "NVFP4"}, [(9, 0)], TOO_OLD),
        ({"trt.checkpoint_quantization": "NVFP4"}, [(10, 0)], []),
        ({"trt.checkpoint_quantization": "NVFP4"}, [(12, 0)], []),
        ({"trt.checkpoint_quantization": "W4A16_AWQ"}, [(8, 6)], []),
        ({"trt.checkpoint_quantization": "W4A16_AWQ"}, [(12, 0)], REFUSED),
        ({"trt.checkpoint_quantization": "W8A16"}, [(7, 5)], TOO_OLD),
        (
            {"trt.checkpoint_quantization": "FP8"},
            [(11, 0)],
            [("architecture-unknown", "warning")],
        ),
        (
            {
                "trt.surface": "1.2",
                "trt.execution": "tensorrt",
                "trt.quantization.quant_algo": "NVFP4",
            },
            [(9, 0)],
            TOO_OLD,
        ),
        ({"trt.kv_cache.dtype": "fp8"}, [(8, 0)], []),
        ({"trt.kv_cache.dtype": "nvfp4"}, [(12, 0)], REFUSED),
        ({"trt.kv_cache.dtype": "nvfp4"}, [(9, 0)], TOO_OLD),
        ({"trt.kv_cache.dtype": "nvfp4"}, [(10, 3)], []),
        ({"trt.checkpoint_quantization": "FP8_PER_CHANNEL_PER_TOKEN"}, [(10, 0)], REFUSED),
        ({"trt.use_cute_dsl_bf16_gemm": True}, [(9, 0)], TOO_OLD),
        ({"trt.use_cute_dsl_bf16_gemm": False}, [(9, 0)], []),
        ({"trt.use_cute_dsl_bf16_gemm": True}, [(10, 0)], []),
    ],
)
def test_what_the_machine_cannot_do_is_found(experiment, values, capabilities, found):
    assert codes(experiment(values), *capabilities) == found


def test_bfloat16_needs_ampere_before_1_3(experiment):
    model = {"id": "folder", "dtype": "bfloat16"}
    older = experiment({"trt.surface": "1.2"}, model=model)
    newer = experiment({"trt.surface": "1.3"}, model=model)
    assert codes(older, (7, 5)) == TOO_OLD
    assert codes(older, (8, 0)) == []
    assert codes(newer, (7, 5)) == []


def test_findings_say_what_to_do(experiment):
    for values in ({"trt.checkpoint_quantization": "NVFP4"}, {"trt.tensor_parallel_size": 8}):
        facts = machine((9, 0))
        found = (*unmet_conditions(experiment(values), facts), *review(experiment(values), facts))
        assert found
        for finding in found:
            assert finding.hint.endswith(".")
            assert finding.path


@pytest.mark.parametrize("algorithm", RUNS_ON)
def test_every_quantization_runs_somewhere(algorithm):
    known = {
        architecture_of(capability) for capability in [(8, 0), (8, 9), (9, 0), (10, 0), (12, 0)]
    }
    assert set(algorithm_runs_on(algorithm)) <= known
    assert algorithm_runs_on(algorithm)
