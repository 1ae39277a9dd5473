"""Stated peak arithmetic of accelerators: dense, without sparsity, boost clocks.

Source: the vendors' data sheets (NVIDIA H200, H100, A100, V100, L40S, L4, T4, B200), where
figures given with sparsity are halved.
"""

from __future__ import annotations

_TERA = 1e12
_HALF = ("float16", "bfloat16")

# First match wins, so that the longer names stand first. TF32 is off unless asked for, so
# float32 is the plain rate.
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
    """Return operations per second, or ``None`` where no peak is stated.

    Args:
        device_name: Product name as the driver gives it, such as ``NVIDIA H100 80GB HBM3``.
        dtype: Data type of the arithmetic, such as ``bfloat16``.
    """
    words = device_name.replace("-", " ").split()
    for name, peaks in _PEAKS:
        if all(part in words for part in name.split()):
            peak = peaks.get(dtype, peaks.get("half") if dtype in _HALF else None)
            return None if peak is None else peak * _TERA
    return None


def fastest_flops(device_name: str) -> float | None:
    """Return the device's greatest stated rate in any format, or ``None`` where none is stated.

    Formats of 8 bits run at twice the rate of 16 bits, and those of 4 bits on Blackwell at twice
    that: whatever a model's weights are quantised to, nothing is faster.
    """
    half = peak_flops(device_name, "float16")
    if half is None:
        return None
    return half * (4 if "B200" in device_name else 2)
