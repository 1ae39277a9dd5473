"""It prints inside windows."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from twins.parts import TwinSession

    class Faulty(TwinSession):
        def run(self):
            print("working hard")
            return super().run()

    return Faulty


@hookimpl
def llem_measurement():
    return faulty()
