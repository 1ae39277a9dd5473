"""Its probe raises where there is no device."""

from dataclasses import replace

from twins.healthy import *


def __getattr__(name):
    if name != "Faulty":
        raise AttributeError(name)
    from twins.parts import TwinMeter

    class Faulty(TwinMeter):
        def probe(self):
            raise OSError("no such device")

    return Faulty


@hookimpl
def llem_meters():
    return (replace(METER, factory=f"{__name__}.Faulty"),)
