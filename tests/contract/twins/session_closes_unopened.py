"""It cannot be closed when opening failed."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from twins.parts import TwinSession

    class Faulty(TwinSession):
        def close(self):
            self.model.threads = 0

    return Faulty


@hookimpl
def llem_measurement():
    return faulty()
