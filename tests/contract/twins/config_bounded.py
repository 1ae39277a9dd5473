"""A number may be any."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from typing import Annotated

    from twins.parts import TwinConfig, setting

    class Faulty(TwinConfig):
        rows: Annotated[int | None, setting("rows", unit="rows", examples=(1,))] = None
        """Rows that are computed together."""

    return Faulty


@hookimpl
def llem_config_model():
    return faulty()
