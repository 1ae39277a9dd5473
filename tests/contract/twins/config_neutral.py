"""Its bounds leave out the value that switches a field off."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from typing import Annotated

    from pydantic import Field

    from twins.parts import TwinConfig, setting

    class Faulty(TwinConfig):
        limit: Annotated[
            int | None, Field(ge=1, le=9), setting("limit", unit="tokens", neutral=(0,))
        ] = None
        """Tokens that it may look at; 0 is no limit."""

    return Faulty


@hookimpl
def llem_config_model():
    return faulty()
