"""A request ends after its window."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from dataclasses import replace

    from twins.parts import TwinSession

    class Faulty(TwinSession):
        def run(self):
            return replace(super().run(), finished_s=0.0)

    return Faulty


@hookimpl
def llem_measurement():
    return faulty()
