"""It observes what the plan has no name for."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from llem.api.session import Observation
    from twins.parts import TwinSession

    class Faulty(TwinSession):
        def observe(self):
            return Observation({"threads": self.model.threads})

    return Faulty


@hookimpl
def llem_measurement():
    return faulty()
