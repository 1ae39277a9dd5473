"""Observing raises."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from twins.parts import TwinSession

    class Faulty(TwinSession):
        def observe(self):
            raise AttributeError("this version has no such attribute")

    return Faulty


@hookimpl
def llem_measurement():
    return faulty()
