"""What the backend says about a machine, and about its engine's errors."""

import pytest

from llem.api.capability import Gpu, HostInfo
from llem_pytorch import plugin
from llem_pytorch.plugin import llem_explain_error


def machine(*capabilities):
    gpus = [
        Gpu(uuid=f"GPU-{number}", name="made up", memory_bytes=2**34, compute_capability=capability)
        for number, capability in enumerate(capabilities)
    ]
    return HostInfo(
        system="Linux", cpu="made up", logical_cores=2, memory_bytes=2**34, gpus=tuple(gpus)
    )


def findings(experiment, facts):
    found = plugin.llem_preflight(experiment, facts)
    return [(finding.code, finding.severity) for finding in found]


@pytest.mark.parametrize(
    ("sections", "facts", "expected"),
    [
        ({}, machine(), []),
        ({"pytorch": {"device": "cuda"}}, machine(), [("no-cuda-device", "error")]),
        ({"pytorch": {"device": "cuda"}}, machine((8, 0)), []),
        (
            {"pytorch": {"attn_implementation": "flash_attention_2"}},
            machine(),
            [("kernel-not-supported", "error")],
        ),
        (
            {"pytorch": {"attn_implementation": "flash_attention_3"}},
            machine((8, 0)),
            [("kernel-not-supported", "error")],
        ),
        ({"pytorch": {"attn_implementation": "flash_attention_2"}}, machine((8, 6)), []),
        (
            {"model": {"id": "m", "dtype": "float16"}},
            machine(),
            [("float16-on-cpu", "warning")],
        ),
        ({"model": {"id": "m", "dtype": "float16"}}, machine((7, 5)), []),
        (
            {"model": {"id": "m", "dtype": "bfloat16"}},
            machine((7, 5)),
            [("bfloat16-emulated", "warning")],
        ),
        ({"model": {"id": "m", "dtype": "bfloat16"}}, machine(), []),
        (
            {"pytorch": {"batch_size": 8}, "workload": {"requests": 4}},
            machine(),
            [("batch-larger-than-workload", "warning")],
        ),
    ],
)
def test_findings(experiment, sections, facts, expected):
    assert findings(experiment(**sections), facts) == expected


def test_a_finding_names_its_field_and_a_way_out(experiment):
    sections = {"pytorch": {"device": "cuda"}}
    (finding,) = plugin.llem_preflight(experiment(**sections), machine())
    assert finding.path == "pytorch.device"
    assert finding.hint


@pytest.mark.parametrize(
    ("error_type", "message", "hint"),
    [
        ("torch.OutOfMemoryError", "CUDA out of memory. Tried to allocate", "batch_size"),
        (
            "builtins.OSError",
            "You are trying to access a gated repo.\nMake sure to have access to it",
            "HF_TOKEN",
        ),
        (
            "builtins.OSError",
            "We couldn't connect to 'https://huggingface.co' to load the files",
            "hf download",
        ),
        (
            "builtins.OSError",
            "x/y is not a local folder and is not a valid model identifier listed on",
            "model.id",
        ),
        ("ValueError", "requires you to execute ... `trust_remote_code=True`", "trust"),
        ("ImportError", "requires `accelerate`. You can install it", "pip install accelerate"),
        ("ImportError", "FlashAttention2 has been toggled on, but it cannot be used", "sdpa"),
        ("AssertionError", "Torch not compiled with CUDA enabled", "pytorch.device"),
        ("ValueError", "The following `model_kwargs` are not used by the model: ['x']", "passth"),
        ("ModuleNotFoundError", "No module named 'optimum.gptq'", "gptqmodel"),
        ("ImportError", "compressed-tensors>=0.15.0 is required for", "install compressed-tensors"),
        ("ValueError", "MXFP4 quantization requires Triton: CUDA requires", "triton"),
        ("RuntimeError", "A GPU or XPU is needed for FP8 quantization.", "pytorch.device"),
        ("ValueError", "AWQ does require the model to be pre-quantized. You", "model.id"),
        ("ValueError", "Group size (64) must be a divisor of (160)", "q_group_size"),
        ("NotImplementedError", "QuantizationMethod.HQQ is not available yet and", "quanto"),
        ("InductorError", "CppCompileError: C++ compile error", "pytorch.batch_size"),
        ("RuntimeError", "an error without a known cause", None),
    ],
)
def test_errors_are_explained(error_type, message, hint):
    explained = llem_explain_error(error_type, message)
    assert (hint is None) == (explained is None)
    assert hint is None or hint in explained
    assert plugin.llem_explain_error(error_type, message) == explained
