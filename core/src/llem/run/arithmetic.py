"""Floating-point operations of decoder inference, from the model's dimensions.

Counted for a prompt of *p* and an output of *n* tokens, padding left out:

- the body sees ``p + n - 1`` positions (the last token is never fed back), each through two
  operations per weight of attention projections, router and active MLPs;
- the output projection runs once per output token, ``2 · hidden · vocab`` each: engines project
  only the last prompt position;
- attention at a position with context *c* costs ``4 · layers · heads · head_dim · c``: two
  matrix products (scores, weighted values), two operations per multiply-add, causal.

Sources: Kaplan et al. 2020, arXiv:2001.08361, section 2.1 (two operations per weight and the
attention term); Chowdhery et al. 2022, arXiv:2204.02311, appendix B (the same for model FLOPs
utilization). Norms, activations, softmax and rotary embeddings are left out, as there.
"""

from __future__ import annotations

from collections.abc import Sequence

from llem.api.architecture import Architecture

_TERA = 1e12
_HALF = ("float16", "bfloat16")

# The first match wins, so longer names come first. TF32 is off by default, so float32 is the
# plain rate.
_PEAKS: tuple[tuple[str, dict[str, float]], ...] = (
    ("B200", {"half": 2250, "float32": 80}),
    ("H200", {"half": 989, "float32": 67}),
    ("H100 PCIe", {"half": 756, "float32": 51}),
    ("H100 NVL", {"half": 835, "float32": 60}),
    ("H100", {"half": 989, "float32": 67}),
    ("A100", {"half": 312, "float32": 19.5}),
    ("L40S", {"half": 362, "float32": 91.6}),
    ("L4", {"half": 121, "float32": 30.3}),
    ("T4", {"float16": 65, "float32": 8.1}),
    ("V100", {"float16": 125, "float32": 15.7}),
)


def peak_flops(device_name: str, dtype: str) -> float | None:
    """Return the stated operations per second, or ``None`` if there is no statement.

    Args:
        device_name: Product name from the driver, such as ``NVIDIA H100 80GB HBM3``.
        dtype: Data type of the arithmetic, such as ``bfloat16``.
    """
    words = device_name.replace("-", " ").split()
    for name, peaks in _PEAKS:
        if all(part in words for part in name.split()):
            peak = peaks.get(dtype, peaks.get("half") if dtype in _HALF else None)
            return None if peak is None else peak * _TERA
    return None


def fastest_flops(device_name: str) -> float | None:
    """Return the device's greatest stated rate in any format, or ``None`` if there is no statement.

    Formats of 8 bits run at twice the rate of 16 bits, and those of 4 bits on Blackwell at twice
    that. No quantization of the weights is faster.
    """
    half = peak_flops(device_name, "float16")
    if half is None:
        return None
    return half * (4 if "B200" in device_name else 2)


def workload_flops(architecture: Architecture, lengths: Sequence[tuple[int, int]]) -> float:
    """Return the operations of all requests.

    Args:
        architecture: The model's dimensions.
        lengths: Prompt and output tokens of each request.
    """
    return float(sum(request_flops(architecture, prompt, output) for prompt, output in lengths))


def request_flops(architecture: Architecture, input_tokens: int, output_tokens: int) -> int:
    """Return the operations of one request; 0 without an output token."""
    if output_tokens == 0:
        return 0
    positions = input_tokens + output_tokens - 1
    return (
        2 * body_parameters(architecture) * positions
        + 2 * architecture.hidden_size * architecture.vocab_size * output_tokens
        + 4
        * architecture.layers
        * architecture.heads
        * architecture.head_dim
        * attended_positions(positions, architecture.sliding_window_tokens)
    )


def body_parameters(architecture: Architecture) -> int:
    """Return the weights that every position passes through, without embeddings."""
    return architecture.layers * (
        architecture.attention_parameters
        + architecture.router_parameters
        + architecture.active_experts * architecture.mlp_parameters
    )


def attended_positions(positions: int, window: int | None) -> int:
    """Return the sum of context lengths over ``positions`` causal positions.

    Position *i* attends to ``min(i, window)`` positions, itself included.
    """
    if window is None or positions <= window:
        return positions * (positions + 1) // 2
    return window * (window + 1) // 2 + (positions - window) * window
