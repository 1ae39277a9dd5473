"""A mistyped key is dropped."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from pydantic import ConfigDict

    from twins.parts import TwinConfig

    class Faulty(TwinConfig):
        model_config = ConfigDict(extra="ignore")

    return Faulty


@hookimpl
def llem_config_model():
    return faulty()
