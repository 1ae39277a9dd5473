"""A rule does not say the way out."""

from functools import cache

from twins.healthy import *


@cache
def faulty():
    from llem.schema.experiment import Rule
    from twins.parts import TwinConfig

    class Faulty(TwinConfig):
        rules = (
            Rule(
                "twin-never",
                ("twin.threads",),
                "it never works",
                "No way",
                lambda experiment, section: False,
            ),
        )

    return Faulty


@hookimpl
def llem_config_model():
    return faulty()
