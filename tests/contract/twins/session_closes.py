"""It cannot be closed twice."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from twins.parts import TwinSession

    class Faulty(TwinSession):
        def close(self):
            if hasattr(self, "model"):
                del self.requests

    return Faulty


@hookimpl
def llem_measurement():
    return faulty()
