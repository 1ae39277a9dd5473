"""From an experiment to the arguments of engine calls: the only place where fields become them.

A field sets the arguments that its marker names (``Param(maps_to=...)``), or else the argument of
its own name in the call or object that its section feeds. Sections become objects to build where
a class is declared for them (``builds``), and dictionaries elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter

from llem.schema.base import EngineArg, Param, Section
from llem.schema.call_plan import Construct, Symbol
from llem.schema.experiment import BackendConfig, Experiment
from llem.schema.fields import (
    ConfigField,
    acts,
    excluded,
    placed_fields,
    satisfies,
    value_at,
    walk,
)

Arguments = dict[str, dict[str, Any]]
"""Keyword arguments as plan values, by call."""

_JSON = TypeAdapter[Any](Any)
_PLAIN = frozenset((bool, int, float, str))


def section_arguments(
    experiment: Experiment, builds: Mapping[str, str] | None = None
) -> defaultdict[str, dict[str, Any]]:
    """Return the arguments that the fields of the backend's section set, by call.

    A field that is ``None`` sets nothing, nor does a neutral value whose field does not act
    there, nor a section of such values. The call ``settings`` stands for the session's settings.

    Args:
        experiment: The experiment.
        builds: Classes of objects by place (``load.cache_config``), over those that the section
            declares, for what depends on more than one field.
    """
    section = experiment.section
    found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    classes = dict(_declared_classes(type(section)))
    _place(section, f"{experiment.backend}.", (), experiment, found, classes)
    if builds:
        classes.update(builds)
    for call, values in found.items():
        for name, value in values.items():
            if isinstance(value, dict):
                values[name] = _built(value, f"{call}.{name}", classes)
    return found


class _Object(dict[str, Any]):
    """The arguments of one object, unlike a field's value that is a dictionary."""


@cache
def _by_name(model: type[BaseModel], at: tuple[EngineArg, ...]) -> Mapping[str, ConfigField]:
    return {field.path: field for field in placed_fields(model, at)}


@cache
def _sets_arguments(model: type[BaseModel], at: tuple[EngineArg, ...]) -> bool:
    """Whether any field of ``model`` is an argument by itself."""
    return any(field.places for field in walk(model, at=at))


@cache
def _declared_classes(model: type[BackendConfig]) -> Mapping[str, str]:
    """Return the class of each object that flat fields of ``model`` are parts of, by place."""
    classes: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if issubclass(kind, Section):
            # What it inherits has been declared further up.
            builds = vars(kind).get("__builds__", "")
            if isinstance(builds, str):
                classes |= {str(kind.__feeds__): builds} if builds else {}
            else:
                classes |= builds
    return classes


def _place(
    section: BaseModel,
    prefix: str,
    at: tuple[EngineArg, ...],
    experiment: Experiment,
    found: defaultdict[str, dict[str, Any]],
    classes: dict[str, str],
    *,
    can_act: bool = True,
) -> bool:
    """Put the values of ``section`` into ``found``, and the classes they choose into ``classes``.

    Returns whether it is to be told to the engine: it is empty, or not all its values are idle.

    Args:
        section: The section, which may be nested in another one.
        prefix: Its path in the experiment, with a final dot.
        at: The places for which it stands.
        experiment: The experiment.
        found: Arguments by call.
        classes: Classes of objects by place.
        can_act: Whether what the sections around it require holds.
    """
    fields = _by_name(type(section), at)
    told: list[bool] = []
    for name, value in section.__dict__.items():
        if value is None:
            continue
        field = fields[name]
        kind: type[BaseModel] = type(value)
        stands_at = field.inside.get(kind)
        if stands_at is not None and _sets_arguments(kind, stands_at):
            for place in field.places:
                _put(found, place, _Object())
            if isinstance(value, Section) and isinstance(value.__builds__, str):
                classes.update(dict.fromkeys(map(str, stands_at), value.__builds__))
            path = f"{prefix}{name}"
            told.append(
                _place(
                    value,
                    f"{path}.",
                    stands_at,
                    experiment,
                    found,
                    classes,
                    can_act=can_act and _can_act(path, field.param, experiment),
                )
            )
            if not told[-1]:
                for place in field.places:
                    _drop_empty(found, place)
            continue
        # An empty collection that is neutral stands for none, which is not passed.
        empty = value in ((), {})
        param = field.param
        idle = value in param.neutral and (
            empty or not (can_act and _can_act(f"{prefix}{name}", param, experiment))
        )
        told.append(not idle)
        if told[-1]:
            for place in field.places:
                _put(found, place, _plan_value(value, param.member_of))
    return not told or any(told)


def _can_act(path: str, param: Param, experiment: Experiment) -> bool:
    """Whether other fields have the values that a field requires, and none excludes it."""
    needs = param.requires.items()
    return all(satisfies(value_at(experiment, other), wanted) for other, wanted in needs) and not (
        any(acts(experiment, other) for other in excluded(type(experiment)).get(path, ()))
    )


def _put(found: defaultdict[str, dict[str, Any]], place: EngineArg, value: Any) -> None:
    *outer, name = place.name.split(".")
    at = found[place.call]
    for part in outer:
        inside = at.get(part)
        if not isinstance(inside, _Object):
            inside = at[part] = _Object()
        at = inside
    if not isinstance(value, _Object) or not isinstance(at.get(name), _Object):
        at[name] = value


def _drop_empty(found: defaultdict[str, dict[str, Any]], place: EngineArg) -> None:
    *outer, name = place.name.split(".")
    at = found[place.call]
    for part in outer:
        at = at[part]
    if not at[name]:
        del at[name]


def _plan_value(value: Any, member_of: str) -> Any:
    if member_of:
        if isinstance(value, tuple):
            return [Symbol(f"{member_of}.{item}") for item in value]
        return Symbol(f"{member_of}.{value}")
    return value if type(value) in _PLAIN else _JSON.dump_python(value, mode="json")


def _built(value: dict[str, Any], place: str, classes: Mapping[str, str]) -> Any:
    """Return an object's arguments as the object, those of objects inside it likewise."""
    inside = value
    if isinstance(value, _Object):
        inside = {
            name: _built(item, f"{place}.{name}", classes) if isinstance(item, dict) else item
            for name, item in value.items()
        }
    target = classes.get(place)
    return Construct(target, inside) if target else inside
