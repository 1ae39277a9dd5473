"""A field needs one that does not exist."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from typing import Annotated

    from twins.parts import TwinConfig, setting

    class Faulty(TwinConfig):
        fast: Annotated[bool | None, setting("fast", requires={"twin.thread": 2})] = None
        """Whether it hurries."""

    return Faulty


@hookimpl
def llem_config_model():
    return faulty()
