"""Global switches of torch: threads, precision, determinism, attention kernels."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch

_SDPA_SWITCHES = {
    "math": (torch.backends.cuda.enable_math_sdp, torch.backends.cuda.math_sdp_enabled),
    "flash": (torch.backends.cuda.enable_flash_sdp, torch.backends.cuda.flash_sdp_enabled),
    "mem_efficient": (
        torch.backends.cuda.enable_mem_efficient_sdp,
        torch.backends.cuda.mem_efficient_sdp_enabled,
    ),
    "cudnn": (torch.backends.cuda.enable_cudnn_sdp, torch.backends.cuda.cudnn_sdp_enabled),
}
"""How each kernel of scaled dot product attention is allowed, and asked about. The switches say
cuda, and the CPU heeds those of math and flash as well."""


def apply(settings: Mapping[str, Any]) -> None:
    """Set what ``settings`` names, and leave the rest as torch has it.

    When: before the first operation, because torch fixes some of it then.
    """
    if threads := settings.get("num_threads"):
        torch.set_num_threads(threads)
    if threads := settings.get("num_interop_threads"):
        torch.set_num_interop_threads(threads)
    if precision := settings.get("float32_matmul_precision"):
        torch.set_float32_matmul_precision(precision)
    if (allowed := settings.get("allow_tf32")) is not None:
        torch.backends.cuda.matmul.allow_tf32 = allowed
        torch.backends.cudnn.allow_tf32 = allowed
    if (allowed := settings.get("allow_reduced_precision_reduction")) is not None:
        torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = allowed
        torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = allowed
    if (wanted := settings.get("deterministic_algorithms")) is not None:
        # cuBLAS is deterministic only with a workspace of fixed size, named before its first use.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(wanted)
    if (wanted := settings.get("cudnn_benchmark")) is not None:
        torch.backends.cudnn.benchmark = wanted
    if (wanted := settings.get("flush_denormal")) is not None:
        torch.set_flush_denormal(wanted)
    if (allowed := settings.get("mkldnn")) is not None:
        torch.backends.mkldnn.enabled = allowed
    if kernels := settings.get("sdpa_kernels"):
        for name, (allow, _) in _SDPA_SWITCHES.items():
            allow(name in kernels)


def effective(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is in force, by ``settings.<name>``; kernels in the order asked for."""
    allowed = [name for name, (_, asked) in _SDPA_SWITCHES.items() if asked()]
    order = {name: at for at, name in enumerate(settings.get("sdpa_kernels", ()))}
    found = {
        "num_threads": torch.get_num_threads(),
        "num_interop_threads": torch.get_num_interop_threads(),
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
        "allow_tf32": torch.backends.cuda.matmul.allow_tf32,
        "allow_reduced_precision_reduction": (
            torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction
        ),
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "flush_denormal": _flushes_denormals(),
        "mkldnn": torch.backends.mkldnn.enabled,
        "sdpa_kernels": sorted(allowed, key=lambda name: order.get(name, len(order))),
    }
    return {f"settings.{name}": value for name, value in found.items()}


def _flushes_denormals() -> bool:
    """Ask the processor itself, because torch cannot be asked."""
    smallest = torch.finfo(torch.float32).tiny
    return bool((torch.tensor([smallest]) / 2 == 0).item())
