"""It cannot be closed twice."""

from dataclasses import replace

from twins.healthy import *


def __getattr__(name):
    if name != "Faulty":
        raise AttributeError(name)
    from twins.parts import CHANNEL, TwinMeter

    class Faulty(TwinMeter):
        def open(self, devices):
            self.source = [CHANNEL]
            return (CHANNEL,)

        def close(self):
            self.source.pop()

    return Faulty


@hookimpl
def llem_meters():
    return (replace(METER, factory=f"{__name__}.Faulty"),)
