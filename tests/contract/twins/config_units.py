"""A number has no unit."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from typing import Annotated

    from pydantic import Field

    from twins.parts import TwinConfig, setting

    class Faulty(TwinConfig):
        depth: Annotated[int | None, Field(ge=1, le=9), setting("depth")] = None
        """How deep it looks."""

    return Faulty


@hookimpl
def llem_config_model():
    return faulty()
