"""Meters with a fault each."""

from dataclasses import replace

from mutants.healthy import METER
from mutants.mutation import HOOKS, meter, mutant
from mutants.parts import CHANNEL, SampleMeter

from llem.api.meters import Reading

__all__ = ["HOOKS"]


@mutant("llem_meters")
def meters_described():
    """It does not say what it reads."""
    return (replace(METER, summary=""),)


@meter
class meters_probe(SampleMeter):
    """Its probe raises where there is no device."""

    def probe(self):
        raise OSError("no such device")


@meter
class meters_open(SampleMeter):
    """Open, it reads another device."""

    def open(self, devices):
        return (replace(CHANNEL, device="cpu"),)


@meter
class meters_read(SampleMeter):
    """Its readings have no time."""

    def read(self):
        return (Reading(0, 0.0, 1.0),)


@meter
class meters_close(SampleMeter):
    """It cannot be closed twice."""

    def open(self, devices):
        self.source = [CHANNEL]
        return (CHANNEL,)

    def close(self):
        self.source.pop()
