"""The last resort: engine arguments that no field covers, merged into a backend's calls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from llem.errors import ConfigError
from llem.schema.base import BackendConfig
from llem.schema.call_plan import Call, Setters
from llem.schema.experiment import Experiment
from llem.schema.fields import value_at, walk

_JSON = TypeAdapter[Any](Any)


def section_arguments(section: BackendConfig) -> defaultdict[str, dict[str, Any]]:
    """Return the arguments that the fields of ``section`` set, by call; none for other calls.

    A field that is ``None`` sets nothing. A dotted name (``Engine("load", "cache.size")``) becomes
    a mapping inside the argument. A section nested in ``section`` is its fields' values.

    Args:
        section: The backend's own section of an experiment.
    """
    found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for field in walk(type(section)):
        value = value_at(section, field.path)
        if value is None:
            continue
        for engine in field.param.maps_to:
            *inside, name = engine.name.split(".")
            place = found[engine.call]
            for part in inside:
                place = place.setdefault(part, {})
            place[name] = _JSON.dump_python(value, mode="json")
    return found


def merge_passthrough(
    calls: Sequence[Call], experiment: Experiment, shared: Setters
) -> tuple[Call, ...]:
    """Return ``calls`` with the experiment's ``passthrough_kwargs`` added.

    Args:
        calls: The backend's calls.
        experiment: The experiment.
        shared: Arguments set by the sections all backends share, or by the session; those of
            the backend's own section follow from its fields' :class:`Param`.

    Raises:
        ConfigError: A call has no such name, or an argument is set by something else.
    """
    if not experiment.passthrough_kwargs:
        return tuple(calls)
    setters = {**shared, **_section_setters(experiment)}
    names = [call.name for call in calls]
    for name, extra in experiment.passthrough_kwargs.items():
        if name not in names:
            raise ConfigError(
                f"passthrough_kwargs.{name}: the plan has no call of this name",
                hint=f"Its calls are {', '.join(names)}." if names else "It makes no calls.",
            )
        call = calls[names.index(name)]
        taken = dict.fromkeys((*call.kwargs, *call.runtime), "the session")
        taken |= {argument: setter for (at, argument), setter in setters.items() if at == name}
        if refused := [key for key in extra if key in taken]:
            listed = ", ".join(f"{key} (set by {taken[key]})" for key in refused)
            raise ConfigError(
                f"passthrough_kwargs.{name} may not set {listed}",
                hint="Passthrough is for arguments that nothing else sets; use the field named.",
            )
    return tuple(
        replace(call, kwargs={**call.kwargs, **experiment.passthrough_kwargs.get(call.name, {})})
        for call in calls
    )


def _section_setters(experiment: Experiment) -> Setters:
    """Return the argument that each field goes into; a nested one blocks the whole argument."""
    return {
        (engine.call, engine.name.partition(".")[0]): field.path
        for field in walk(type(experiment.section), f"{experiment.backend}.")
        for engine in field.param.maps_to
    }
