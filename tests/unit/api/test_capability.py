"""What a machine must have for a capability, as a program can evaluate it."""

import pytest

from llem.api.capability import ComputeCapability, Gpu, Gpus, HostInfo, Installed, Platform


def facts(*capabilities, system="Linux-6.1", versions=()):
    gpus = tuple(Gpu(f"GPU-{i}", "any", 1, capability) for i, capability in enumerate(capabilities))
    return HostInfo(system, "any", 1, 1, gpus, dict(versions))


@pytest.mark.parametrize(
    ("condition", "words", "yes", "no"),
    [
        (ComputeCapability(8), "sm80+", facts((9, 0)), facts((7, 5))),
        (ComputeCapability(8, 9), "sm89+", facts((8, 9)), facts((8, 6), (9, 0))),
        (ComputeCapability(5), "sm50+", facts((5, 0)), facts()),
        (Gpus(), "an NVIDIA GPU", facts((8, 0)), facts()),
        (Gpus(2), "2+ NVIDIA GPUs", facts((8, 0), (8, 0)), facts((8, 0))),
        (Platform("Linux"), "Linux", facts(), facts(system="macOS-14")),
        (
            Installed("flash-attn"),
            "flash-attn installed",
            facts(versions={"flash-attn": "2"}),
            facts(),
        ),
    ],
)
def test_a_condition_is_said_and_evaluated(condition, words, yes, no):
    assert str(condition) == words
    assert condition.met(yes)
    assert not condition.met(no)
