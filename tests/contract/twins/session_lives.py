"""It cannot run."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from twins.parts import TwinSession

    class Faulty(TwinSession):
        def run(self):
            raise RuntimeError("out of order")

    return Faulty


@hookimpl
def llem_measurement():
    return faulty()
