"""Threads, precision of arithmetic, and determinism."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import BackendConfig, Param


class Numerics(BackendConfig, feeds="settings"):
    """Global switches of torch; an unset one is left as torch has it."""

    num_threads: Annotated[
        int | None, Field(ge=1, le=4096), Param(unit="threads", examples=(1, 8))
    ] = None
    """CPU threads of one torch operation; unset takes torch's default, one per core."""

    num_interop_threads: Annotated[
        int | None, Field(ge=1, le=4096), Param(unit="threads", examples=(1, 4))
    ] = None
    """CPU threads across operations."""

    float32_matmul_precision: Annotated[
        Literal["highest", "high", "medium"] | None,
        Param(conflicts_with=("pytorch.allow_tf32",), examples=("highest", "high")),
    ] = None
    """Precision of float32 matrix products: `high` allows TF32, `medium` bfloat16 inside."""

    allow_tf32: Annotated[bool | None, Param(neutral=(False,), examples=(True, False))] = None
    """Whether float32 matrix products and convolutions may use TF32 on GPUs of sm80 and up."""

    allow_reduced_precision_reduction: Annotated[
        bool | None, Param(neutral=(True,), examples=(True, False))
    ] = None
    """Whether float16 and bfloat16 matrix products on NVIDIA GPUs may add up in the same type."""

    deterministic_algorithms: Annotated[bool | None, Param(examples=(True, False))] = None
    """Whether only algorithms that give the same bits every time are allowed."""

    cudnn_benchmark: Annotated[bool | None, Param(neutral=(False,), examples=(True, False))] = None
    """Whether cuDNN tries its algorithms and keeps the fastest."""

    flush_denormal: Annotated[bool | None, Param(neutral=(False,), examples=(True, False))] = None
    """Whether the CPU takes denormal numbers as zero, which is faster where they occur."""

    mkldnn: Annotated[bool | None, Param(neutral=(True,), examples=(True, False))] = None
    """Whether the CPU may use the kernels of oneDNN; without them bfloat16 can be very slow."""
