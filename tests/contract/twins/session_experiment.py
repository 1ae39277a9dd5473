"""It refuses the smallest model, and the suite names no other."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from llem.schema.experiment import Rule
    from twins.parts import TwinConfig

    class Faulty(TwinConfig):
        rules = (
            Rule(
                "twin-no-shapes",
                ("model.id",),
                "an embedded shape is too small",
                "Name another model.",
                lambda experiment, section: experiment.model.is_shape,
            ),
        )

    return Faulty


@hookimpl
def llem_config_model():
    return faulty()
