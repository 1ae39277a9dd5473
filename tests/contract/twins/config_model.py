"""One of its fields is required."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from typing import Annotated

    from pydantic import Field

    from llem.schema.base import EngineArg, Param
    from twins.parts import TwinConfig

    class Faulty(TwinConfig):
        threads: Annotated[
            int, Field(ge=1, le=64), Param(unit="threads", maps_to=(EngineArg("load", "threads"),))
        ]
        """Threads that compute."""

    return Faulty


@hookimpl
def llem_config_model():
    return faulty()
