"""Plans with a fault each."""

from dataclasses import replace
from typing import Annotated

from mutants.mutation import HOOKS, config, mutant, plan
from mutants.parts import SampleConfig, build_plan, setting

from llem.schema.call_plan import CallPlan

__all__ = ["HOOKS"]

NAMES = {"north", "north-east", "east", "south-east", "south", "south-west", "west"}


def with_settings(plan, **settings):
    return CallPlan(plan.calls, {**plan.settings, **settings})


def with_load(plan, **kwargs):
    """Return ``plan`` with exactly these arguments of its only call."""
    (load,) = plan.calls
    return CallPlan((replace(load, kwargs=kwargs),), plan.settings)


@plan
def kwargs_plan(experiment):
    """Two of its calls have the same name."""
    found = build_plan(experiment)
    return CallPlan((*found.calls, *found.calls), found.settings)


@plan
def kwargs_builds(experiment):
    """It cannot plan what its config allows."""
    if experiment.sample.batch_size == 1:
        raise ZeroDivisionError
    return build_plan(experiment)


@plan
def kwargs_data(experiment):
    """Its plan holds an object instead of its name."""
    found = build_plan(experiment)
    if experiment.sample.threads is None:
        return found
    threads = {experiment.sample.threads}
    return with_load(found, **{**found.call("load").kwargs, "threads": threads})


@plan
def kwargs_repeatable(experiment):
    """Its plan has the order of a set."""
    return with_settings(build_plan(experiment), order=list(NAMES))


@plan
def kwargs_pure(experiment):
    """Planning imports a library of the engine's."""
    import markupsafe

    return with_settings(build_plan(experiment), safe=str(markupsafe.escape("&")))


@plan
def kwargs_unset(experiment):
    """An unset field comes out as a default."""
    found = build_plan(experiment)
    return with_load(found, **{"threads": 3, **found.call("load").kwargs})


@config
class kwargs_no_dead_field(SampleConfig):
    """A field reaches no call."""

    ghost: Annotated[bool | None, setting("ghost")] = None
    """Whether it haunts."""


@mutant("llem_build_kwargs", "kwargs_no_dead_field")
def without_ghost(experiment):
    found = build_plan(experiment)
    settings = {name: value for name, value in found.settings.items() if name != "ghost"}
    return CallPlan(found.calls, settings)


@plan
def kwargs_no_stray_effect(experiment):
    """A field sets more than it maps to."""
    return with_settings(build_plan(experiment), busy=experiment.sample.threads is not None)


@plan
def kwargs_shared_field(experiment):
    """It drops a field that all backends share."""
    found = build_plan(experiment)
    kwargs = found.call("load").kwargs
    return with_load(found, **{name: kwargs[name] for name in kwargs if name != "weights"})


@plan
def kwargs_shared_stray(experiment):
    """A shared field sets an argument that the audit's table does not know."""
    return with_settings(build_plan(experiment), dummy=experiment.model.random_weights)


@plan
def kwargs_passthrough(experiment):
    """It drops the user's last resort."""
    build_plan(experiment)  # refuses what it must
    return build_plan(experiment.model_copy(update={"passthrough_kwargs": {}}))


@plan
def kwargs_passthrough_guarded(experiment):
    """The user's last resort overrides a field."""
    passed = dict(experiment.passthrough_kwargs)
    arguments = passed.pop("load", {})
    found = build_plan(experiment.model_copy(update={"passthrough_kwargs": passed}))
    return with_load(found, **{**found.call("load").kwargs, **arguments})
