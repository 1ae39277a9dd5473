"""Nobody knows a value for its field."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from typing import Annotated

    from twins.parts import TwinConfig, setting

    class Faulty(TwinConfig):
        label: Annotated[str | None, setting("label")] = None
        """A name for the log."""

    return Faulty


@hookimpl
def llem_config_model():
    return faulty()
