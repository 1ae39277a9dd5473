"""It has a default of its own."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from typing import Annotated

    from pydantic import Field

    from twins.parts import TwinConfig, setting

    class Faulty(TwinConfig):
        batch_size: Annotated[
            int | None, Field(ge=1, le=64), setting("batch_size", unit="requests")
        ] = 8
        """Requests that are computed together."""

    return Faulty


@hookimpl
def llem_config_model():
    return faulty()
