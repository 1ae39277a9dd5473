"""No schema can be made of it."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from pydantic import ConfigDict

    from twins.parts import TwinConfig

    class Faulty(TwinConfig):
        model_config = ConfigDict(json_schema_extra=lambda schema: schema["no such key"])

    return Faulty


@hookimpl
def llem_config_model():
    return faulty()
