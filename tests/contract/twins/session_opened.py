"""It does not say which engine it found."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from dataclasses import replace

    from twins.parts import TwinSession

    class Faulty(TwinSession):
        def open(self, plan):
            return replace(super().open(plan), engine_version="")

    return Faulty


@hookimpl
def llem_measurement():
    return faulty()
