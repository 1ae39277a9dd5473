"""TensorRT-LLM itself, for those who have it and a GPU."""

import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import pytest


def installed():
    try:
        return version("tensorrt-llm")
    except PackageNotFoundError:
        return None


pytestmark = [
    pytest.mark.gpu,
    pytest.mark.engine,
    pytest.mark.skipif(installed() is None, reason="tensorrt-llm is not installed"),
]
NEVER = {"simulated-engine", "effective-differs", "prefix-cache-hits", "device-unmetered"}


def measured(llem, **settings):
    done = llem(
        "run", "--backend", "trt", "--model", "shape:135m", "--json",
        **{
            "model__dtype": "bfloat16",
            "workload__requests": 8,
            "workload__input_tokens": 64,
            "workload__output_tokens": 16,
            "trt__kv_cache__free_gpu_memory_fraction": 0.3,
            "runner__timeouts__open_s": 1200,
            **settings,
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_shape_is_measured(llem):
    outcome = measured(llem)
    assert outcome["status"] == "done"
    assert outcome["environment"]["engine"] == "tensorrt_llm"
    assert outcome["environment"]["devices"]
    assert not {reason["code"] for reason in outcome["verdict"]["reasons"]} & NEVER
    for repetition in outcome["timing"]["repetitions"]:
        assert repetition["output_tokens"] == 8 * 16
    latency = outcome["latency"]
    assert 0 < latency["ttft_s"]["p50"] <= latency["e2e_s"]["p50"]
    assert outcome["counters"]["kv_cache_allocated_blocks"] > 0


@pytest.mark.parametrize(
    "settings",
    [
        {"trt__cuda_graphs__enabled": False},
        {"trt__attn_backend": "FLASHINFER"},
        {"trt__kv_cache__enable_block_reuse": False},
        {"trt__speculation__method": "ngram", "trt__speculation__max_draft_len": 3},
        {"trt__scheduler__capacity_scheduler_policy": "MAX_UTILIZATION"},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_an_implementation_choice_takes_effect(llem, settings):
    outcome = measured(llem, **settings)
    assert not {reason["code"] for reason in outcome["verdict"]["reasons"]} & NEVER


def test_every_parameter_of_the_installed_package_is_accounted_for():
    command = [sys.executable, "-m", "llem", "audit", "trt"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert "as installed" in done.stdout
    assert done.returncode == 0, done.stdout
