"""Its values can be changed."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from pydantic import ConfigDict

    from twins.parts import TwinConfig

    class Faulty(TwinConfig):
        model_config = ConfigDict(frozen=False)

    return Faulty


@hookimpl
def llem_config_model():
    return faulty()
