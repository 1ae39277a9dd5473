"""How a mutant is made: the healthy plugin with a hook replaced, or a module of its own."""

from dataclasses import replace

from mutants.healthy import METER

from llem.api.hookspecs import hookimpl

HOOKS = {}
"""Hooks that replace those of the healthy plugin, by mutant and name of the hook."""

MODULES = {}
"""Source of a plugin's module, by mutant, where the module itself has the fault."""

INSTALLED = """from mutants.healthy import *
from mutants.{family} import HOOKS

globals().update(HOOKS[{name!r}])
"""


def mutant(hook, name=""):
    """Register a function as the hook of a mutant, or a class as what the hook returns."""

    def register(target):
        implementation = (lambda: target) if isinstance(target, type) else target
        HOOKS.setdefault(name or target.__name__, {})[hook] = hookimpl(implementation)
        return target

    return register


config = mutant("llem_config_model")
plan = mutant("llem_build_kwargs")
session = mutant("llem_measurement")
audit = mutant("llem_parameter_audit")
info = mutant("llem_capabilities")


def meter(target):
    """Register a class as the meter of a mutant."""
    spec = replace(METER, factory=f"{target.__module__}.{target.__name__}")
    HOOKS[target.__name__] = {"llem_meters": hookimpl(lambda: (spec,))}
    return target


def source(name):
    """Return the source of the module of the mutant called ``name``, a check's id."""
    family = name.partition("_")[0]
    return MODULES.get(name) or INSTALLED.format(family=family, name=name)
