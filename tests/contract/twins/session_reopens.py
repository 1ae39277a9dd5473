"""Reopening does not bring it back."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from twins.parts import TwinSession

    class Faulty(TwinSession):
        def reopen(self, plan):
            self.model = None

    return Faulty


@hookimpl
def llem_measurement():
    return faulty()
