"""Rates that the devices' data sheets state, without sparsity."""

from __future__ import annotations

_TERA = 1e12
_HALF = ("float16", "bfloat16")

# The first match wins, so longer names come first. float32 is the rate of plain single precision;
# "tf32" that of float32 matrices on tensor cores, which the devices before Ampere do not have.
_PEAKS: tuple[tuple[str, dict[str, float]], ...] = (
    ("B200", {"half": 2250, "tf32": 1125, "float32": 80}),
    ("H200", {"half": 989, "tf32": 494, "float32": 67}),
    ("H100 PCIe", {"half": 756, "tf32": 378, "float32": 51}),
    ("H100 NVL", {"half": 835, "tf32": 417, "float32": 60}),
    ("H100", {"half": 989, "tf32": 494, "float32": 67}),
    ("A100", {"half": 312, "tf32": 156, "float32": 19.5}),
    ("L40S", {"half": 362, "tf32": 183, "float32": 91.6}),
    ("L4", {"half": 121, "tf32": 60, "float32": 30.3}),
    ("T4", {"float16": 65, "float32": 8.1}),
    ("V100", {"float16": 125, "float32": 15.7}),
)


def peak_flops(device_name: str, dtype: str, *, tf32: bool = False) -> float | None:
    """Return the stated operations per second, or ``None`` if there is no statement.

    Args:
        device_name: Product name from the driver, such as ``NVIDIA H100 80GB HBM3``.
        dtype: Data type of the arithmetic, such as ``bfloat16``.
        tf32: Whether matrices of float32 are multiplied in TF32 where the device can.
    """
    words = device_name.replace("-", " ").split()
    for name, peaks in _PEAKS:
        if all(part in words for part in name.split()):
            peak = peaks.get(dtype, peaks.get("half") if dtype in _HALF else None)
            if dtype == "float32" and tf32:
                peak = peaks.get("tf32", peak)
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
