"""Build the plan of an experiment: the engine's calls, and all that fields and passthrough add."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from llem.api.mapping import Arguments, section_arguments
from llem.errors import ConfigError
from llem.schema.call_plan import Call, CallPlan, Construct, Setters
from llem.schema.experiment import Experiment
from llem.schema.fields import walk


def build_plan(
    experiment: Experiment,
    calls: Iterable[Call],
    *,
    settings: Mapping[str, Any] | None = None,
    shared: Setters | None = None,
    arguments: Arguments | None = None,
) -> CallPlan:
    """Return the plan of ``calls``, each with what the backend's section and passthrough add.

    An argument that a field sets replaces the one in ``calls``; inside an object it joins those
    given there. A call that is not among ``calls`` is not made, whatever fields say about it.

    Args:
        experiment: The experiment.
        calls: The engine's calls, with the arguments that the shared sections decide.
        settings: Settings of the session, joined by those that fields set.
        shared: What sets arguments that no field of the backend's section does, for the refusal
            of ``passthrough_kwargs`` that would set them again.
        arguments: What the section sets: :func:`section_arguments`, unless a backend has
            changed it.

    Raises:
        ConfigError: ``passthrough_kwargs`` names an unknown call, or an argument set elsewhere.
    """
    own = section_arguments(experiment) if arguments is None else arguments
    joined = [
        replace(call, kwargs=_joined(call.kwargs, own[call.name])) if call.name in own else call
        for call in calls
    ]
    return CallPlan(
        calls=_with_passthrough(joined, experiment, shared or {}),
        settings={**(settings or {}), **own.get("settings", {})},
    )


def _joined(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with ``over`` laid over it; the parts of an object join."""
    joined = dict(base)
    for name, value in over.items():
        joined[name] = _join(joined[name], value) if name in joined else value
    return joined


def _join(base: Any, over: Any) -> Any:
    if isinstance(over, Construct) and isinstance(base, Construct | dict):
        inside = base.kwargs if isinstance(base, Construct) else base
        return Construct(over.target, _joined(inside, over.kwargs))
    if isinstance(base, Construct) and isinstance(over, dict):
        return Construct(base.target, _joined(base.kwargs, over))
    return over


def _with_passthrough(
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
        for engine in field.maps_to
    }
