"""It claims a data type in which it cannot run."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from twins.parts import TwinSession

    class Faulty(TwinSession):
        def run(self):
            if self.model.dtype == "float16":
                raise RuntimeError("not implemented for 'Half'")
            return super().run()

    return Faulty


@hookimpl
def llem_measurement():
    return faulty()
