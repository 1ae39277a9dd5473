"""Its readings are of no time."""

from dataclasses import replace

from twins.healthy import *


def __getattr__(name):
    if name != "Faulty":
        raise AttributeError(name)
    from llem.api.meters import Reading
    from twins.parts import TwinMeter

    class Faulty(TwinMeter):
        def read(self):
            return (Reading(0, 0.0, 1.0),)

    return Faulty


@hookimpl
def llem_meters():
    return (replace(METER, factory=f"{__name__}.Faulty"),)
