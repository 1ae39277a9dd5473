"""A value is written as another one."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from pydantic import field_serializer

    from twins.parts import TwinConfig

    class Faulty(TwinConfig):
        @field_serializer("batch_size", when_used="json-unless-none")
        def _one_more(self, value):
            return value % 64 + 1

    return Faulty


@hookimpl
def llem_config_model():
    return faulty()
