"""Nobody says what its field is."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from typing import Annotated

    from twins.parts import TwinConfig, setting

    class Faulty(TwinConfig):
        mystery: Annotated[bool | None, setting("mystery")] = None

    return Faulty


@hookimpl
def llem_config_model():
    return faulty()
