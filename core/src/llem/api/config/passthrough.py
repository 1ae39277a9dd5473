"""The last resort: engine arguments that no field covers, merged into a backend's calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from llem.api.config.experiment import Experiment
from llem.api.config.fields import walk
from llem.api.errors import ConfigError
from llem.api.plan import Call, Setters


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
