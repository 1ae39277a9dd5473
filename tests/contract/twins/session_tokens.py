"""It generates more than it was asked for."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from dataclasses import replace

    from twins.parts import TwinSession

    class Faulty(TwinSession):
        def answer(self, request):
            longer = replace(request, max_new_tokens=request.max_new_tokens + 1)
            return super().answer(longer)

    return Faulty


@hookimpl
def llem_measurement():
    return faulty()
