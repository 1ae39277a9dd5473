"""Which NVIDIA devices an engine would see."""

import pytest

from llem.api.facts import Gpu
from llem.run.facts import host_facts, visible

GPUS = [Gpu(f"GPU-{letter}{letter}", "H100", 80 << 30, (9, 0)) for letter in "abc"]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (None, ["GPU-aa", "GPU-bb", "GPU-cc"]),
        ("2,0", ["GPU-cc", "GPU-aa"]),
        ("GPU-bb", ["GPU-bb"]),
        ("GPU-b", ["GPU-bb"]),
        ("", []),
        ("-1", []),
        ("0,7,1", ["GPU-aa"]),
        ("GPU-", []),
    ],
)
def test_cuda_visible_devices_is_read_as_cuda_reads_it(selection, expected):
    assert [gpu.uuid for gpu in visible(GPUS, selection)] == expected


def test_this_machine_is_described():
    facts = host_facts()
    assert facts.logical_cores >= 1
    assert facts.memory_bytes > 1 << 28
    assert facts.cpu
