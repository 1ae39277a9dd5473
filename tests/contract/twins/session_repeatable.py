"""A repetition depends on those before it."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from dataclasses import replace

    from twins.parts import TwinSession

    class Faulty(TwinSession):
        count = 0

        def run(self):
            self.count += 1
            return super().run()

        def answer(self, request):
            found = super().answer(request)
            return replace(found, output_ids=[self.count for _ in found.output_ids])

        def reopen(self, plan):
            self.count = 0

    return Faulty


@hookimpl
def llem_measurement():
    return faulty()
