"""Claims that do not hold."""

from dataclasses import replace

from mutants.healthy import INFO, YES
from mutants.mutation import HOOKS, info, session
from mutants.parts import SampleSession

from llem.api.capability import Capability, Claim, Support

__all__ = ["HOOKS"]


def claiming(capability, claim):
    return replace(INFO, claims={**INFO.claims, capability: claim})


@info
def claims_stated():
    """It supports a capability partly, and does not say how far."""
    return claiming(Capability.LORA, Claim(Support.PARTIAL))


@info
def claims_accepted():
    """It refuses what it claims."""
    return claiming(Capability.BFLOAT16, YES)


@info
def claims_refused():
    """It accepts what it claims not to support."""
    return claiming(Capability.FLOAT16, Claim(Support.NO))


@info
def claims_streaming():
    """It reports token times, and claims not to."""
    return claiming(Capability.STREAMING_LATENCY, Claim(Support.NO))


@session
class claims_work(SampleSession):
    """It claims a data type in which it cannot run."""

    def run(self):
        if self.model.dtype == "float16":
            raise RuntimeError("not implemented for 'Half'")
        return super().run()
