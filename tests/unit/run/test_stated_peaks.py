"""Rates of devices, against their data sheets."""

import pytest

from llem.run.stated_peaks import fastest_flops, peak_flops


@pytest.mark.parametrize(
    ("name", "dtype", "tera"),
    [
        ("NVIDIA H100 80GB HBM3", "bfloat16", 989),
        ("NVIDIA H100 PCIe", "float16", 756),
        ("NVIDIA A100-SXM4-80GB", "bfloat16", 312),
        ("Tesla V100-SXM2-16GB", "float16", 125),
    ],
)
def test_stated_peaks(name, dtype, tera):
    assert peak_flops(name, dtype) == tera * 1e12


@pytest.mark.parametrize(
    ("name", "tera"),
    [("NVIDIA A100-SXM4-80GB", 156), ("NVIDIA H100 80GB HBM3", 494), ("Tesla T4", 8.1)],
)
def test_single_precision_on_tensor_cores(name, tera):
    assert peak_flops(name, "float32", tf32=True) == tera * 1e12
    assert peak_flops(name, "float16", tf32=True) == peak_flops(name, "float16")


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("Tesla V100-SXM2-16GB", "bfloat16"), ("NVIDIA L400", "float16"), ("Unknown", "bfloat16")],
)
def test_an_unknown_peak_is_none(name, dtype):
    assert peak_flops(name, dtype) is None


@pytest.mark.parametrize(
    ("name", "tera"), [("NVIDIA H100 80GB HBM3", 1978), ("NVIDIA B200", 9000), ("Tesla T4", 130)]
)
def test_no_format_is_faster_than_this(name, tera):
    assert fastest_flops(name) == tera * 1e12


def test_the_fastest_rate_of_an_unknown_device_is_none():
    assert fastest_flops("") is None
