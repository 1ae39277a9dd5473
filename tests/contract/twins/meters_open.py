"""Opened, it reads another device."""

from dataclasses import replace

from twins.healthy import *


def __getattr__(name):
    if name != "Faulty":
        raise AttributeError(name)
    from dataclasses import replace

    from twins.parts import CHANNEL, TwinMeter

    class Faulty(TwinMeter):
        def open(self, devices):
            return (replace(CHANNEL, device="cpu"),)

    return Faulty


@hookimpl
def llem_meters():
    return (replace(METER, factory=f"{__name__}.Faulty"),)
