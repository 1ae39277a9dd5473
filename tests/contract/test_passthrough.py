"""What each backend does with arguments that are passed on unchecked."""

from __future__ import annotations

import pytest

from llem.api.config.fields import walk
from llem.api.errors import ConfigError
from llem.registry import Registry

from .effects import experiment

ENGINES = {
    backend.name: backend
    for backend in Registry.discover().backends()
    if backend.info.engine is not None
}


def passed(backend, call, arguments):
    """Return the plan of an experiment that passes arguments on to a call."""
    return backend.build_plan(experiment(backend, {"passthrough_kwargs": {call: arguments}}))


def calls(backend):
    """Return the names of the calls of an experiment without settings."""
    return [call.name for call in backend.build_plan(experiment(backend, {})).calls]


def arguments(backend):
    """Return every argument that a field sets, with its call."""
    engines = (
        engine
        for field in walk(backend.config_model(), f"{backend.name}.")
        for engine in field.param.maps_to
    )
    return sorted({(one.call, one.name.partition(".")[0]) for one in engines})


SET_BY_FIELDS = [
    pytest.param(backend, call, argument, id=f"{backend.name}-{call}-{argument}")
    for backend in ENGINES.values()
    for call, argument in arguments(backend)
    if call in calls(backend)
]


@pytest.mark.parametrize("backend", ENGINES.values(), ids=ENGINES)
def test_an_argument_that_nothing_sets_reaches_its_call(backend):
    for call in calls(backend):
        assert passed(backend, call, {"new_knob": 1}).call(call).kwargs["new_knob"] == 1


@pytest.mark.parametrize(("backend", "call", "argument"), SET_BY_FIELDS)
def test_an_argument_that_a_field_sets_is_refused(backend, call, argument):
    with pytest.raises(ConfigError) as refused:
        passed(backend, call, {argument: 1, "harmless": 2})
    assert f"{call} may not set {argument} (set by {backend.name}." in str(refused.value)


@pytest.mark.parametrize("backend", ENGINES.values(), ids=ENGINES)
def test_a_call_that_the_plan_lacks_is_refused(backend):
    with pytest.raises(ConfigError, match=r"passthrough_kwargs\.prefill: .* no call of this name"):
        passed(backend, "prefill", {"new_knob": 1})
