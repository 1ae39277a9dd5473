"""The fields of a config model, nested ones included, and the engine arguments they set."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, TypeGuard, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from llem.schema.base import IS_SET, EngineArg, Param, Section

Marker = TypeVar("Marker")


def bare(annotation: Any) -> Any:
    """Return the annotation without its markers."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def members(annotation: Any) -> tuple[Any, ...]:
    """Return what a union allows besides ``None``, or the annotation itself."""
    stripped = bare(annotation)
    if get_origin(stripped) not in (Union, types.UnionType):
        return (annotation,)
    present = [member for member in get_args(stripped) if member is not types.NoneType]
    return tuple(kind for member in present for kind in members(member))


def is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    """Whether the annotation, without its markers, is a model."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def markers(info: FieldInfo, kind: type[Marker]) -> Iterator[Marker]:
    """Yield the markers of one ``kind`` of a field, wherever its annotation carries them."""
    return _of_kind((*info.metadata, info.annotation), kind)


def _of_kind(parts: tuple[Any, ...], kind: type[Marker]) -> Iterator[Marker]:
    for part in parts:
        if isinstance(part, kind):
            yield part
        yield from _of_kind(get_args(part), kind)


@dataclass(frozen=True, slots=True)
class ConfigField:
    """One field.

    Attributes:
        path: Its dotted path, as an experiment spells it; its name, seen from its own model.
        owner: The model that has it.
        info: What pydantic knows about it.
        param: What its author says besides.
        places: Engine arguments that take its value.
        inside: Where a model that is its value stands, by the models that it may be of.
    """

    path: str
    owner: type[BaseModel]
    info: FieldInfo
    param: Param
    places: tuple[EngineArg, ...]
    inside: Mapping[type[BaseModel], tuple[EngineArg, ...]]

    @property
    def maps_to(self) -> tuple[EngineArg, ...]:
        """Every engine argument that depends on it, those that a backend's own code sets too."""
        return (*self.places, *_several(self.param.affects))

    @property
    def is_section(self) -> bool:
        """Whether it holds fields of its own and never a plain value."""
        return all(map(is_model, map(bare, members(self.info.annotation))))

    @property
    def is_settable(self) -> bool:
        """Whether it is set as a whole: a section with examples or a place of its own is."""
        param = self.param
        return not self.is_section or bool(param.maps_to or param.affects or param.examples)

    def is_set(self, value: Any) -> bool:
        """Whether ``value`` was chosen and changes something: neither the default nor neutral."""
        if value is None or value == self.info.default or value in self.param.neutral:
            return False
        return not isinstance(value, BaseModel) or changes_something(value)


@cache
def walk(
    model: type[BaseModel], prefix: str = "", *, at: tuple[EngineArg, ...] = ()
) -> tuple[ConfigField, ...]:
    """Return every field of ``model``, each before those inside it.

    Where several models are allowed at one place, the fields of all of them are listed, so a
    path may come more than once, with another ``owner``. A model that contains itself is not
    entered again.

    Args:
        model: Where to start.
        prefix: Path of ``model``, with a final dot.
        at: The arguments that an object of ``model`` stands for, as for :func:`placed_fields`.
    """
    return tuple(_below(model, prefix, at, ()))


def _below(
    model: type[BaseModel],
    prefix: str,
    at: tuple[EngineArg, ...],
    above: tuple[type[BaseModel], ...],
) -> Iterator[ConfigField]:
    for field in placed_fields(model, at):
        path = f"{prefix}{field.path}"
        yield replace(field, path=path)
        for inner, stands_at in field.inside.items():
            if inner not in (*above, model):
                yield from _below(inner, f"{path}.", stands_at, (*above, model))


@cache
def placed_fields(
    model: type[BaseModel], at: tuple[EngineArg, ...] = ()
) -> tuple[ConfigField, ...]:
    """Return the fields of ``model``, each with the engine arguments that it sets.

    Args:
        model: The model.
        at: The arguments that an object of the model stands for; where it stands for none, its
            fields go where the class that defines them says.
    """
    return tuple(_placed(model, name, info, at) for name, info in model.model_fields.items())


def _placed(
    model: type[BaseModel], name: str, info: FieldInfo, at: tuple[EngineArg, ...]
) -> ConfigField:
    param = next(markers(info, Param), Param())
    kinds = [kind for kind in map(bare, members(info.annotation)) if is_model(kind)]
    if param.maps_to is not None:
        own = _several(param.maps_to)
    elif param.affects:
        own = ()
    else:
        own = tuple(place.inside(name) for place in at or _fed_by(model, name))
    inside = {kind: _stands_at(kind, own) for kind in kinds}
    if kinds and all(map(_feeds, kinds)) and param.maps_to is None and not param.affects:
        # What the models feed is told by themselves; a call as a whole is no argument.
        held = (replace(place, of="") for places in inside.values() for place in places)
        own = tuple(dict.fromkeys(place for place in held if place.name))
    return ConfigField(name, model, info, param, own, inside)


def _stands_at(kind: type[BaseModel], own: tuple[EngineArg, ...]) -> tuple[EngineArg, ...]:
    """Return where an object of ``kind`` stands that is the value of a field placed at ``own``."""
    if not issubclass(kind, Section):
        return ()
    feeds = _feeds(kind)
    of = kind.__builds__ if isinstance(kind.__builds__, str) else ""
    return tuple(replace(place, of=of) for place in ((feeds,) if feeds else own))


def _fed_by(model: type[BaseModel], name: str) -> tuple[EngineArg, ...]:
    """Return what is fed by the class that defines the field ``name`` of ``model``."""
    definer = next(
        kind
        for kind in reversed(model.__mro__)
        if issubclass(kind, BaseModel) and name in kind.model_fields
    )
    feeds = _feeds(definer)
    return () if feeds is None else _stands_at(definer, (feeds,))


def _feeds(kind: type[BaseModel]) -> EngineArg | None:
    return kind.__feeds__ if issubclass(kind, Section) else None


def _several(places: EngineArg | tuple[EngineArg, ...]) -> tuple[EngineArg, ...]:
    return (places,) if isinstance(places, EngineArg) else places


def changes_something(section: BaseModel) -> bool:
    """Whether a value of ``section`` changes something; an empty section counts, a neutral not."""
    fields = placed_fields(type(section))
    given = [field for field in fields if getattr(section, field.path) is not None]
    return not given or any(field.is_set(getattr(section, field.path)) for field in given)


def value_at(config: BaseModel, path: str) -> Any:
    """Return the value at a dotted ``path``; ``None`` where a section on the way has no such key.

    A section may be unset, or be of a kind that has other fields.
    """
    value: Any = config
    for name in _names(path):
        value = getattr(value, name, None)
        if value is None:
            break
    return value


@cache
def excluded(model: type[BaseModel]) -> Mapping[str, tuple[str, ...]]:
    """Return the paths of the fields that exclude each field, whichever of the two says so."""
    fields = walk(model)
    return both_ways(
        (field.path, other) for field in fields for other in field.param.conflicts_with
    )


def both_ways(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return what each member of ``pairs`` is paired with."""
    found: dict[str, dict[str, None]] = {}
    for path, other in pairs:
        found.setdefault(path, {})[other] = None
        found.setdefault(other, {})[path] = None
    return {path: tuple(others) for path, others in found.items()}


@cache
def _names(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def flat(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value of nested sections with its dotted path; an empty section is a value."""
    for key, value in section.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def acts(config: BaseModel, path: str) -> bool:
    """Whether the field at a dotted ``path`` has a value that changes something.

    It does not where the value is unset, the default, or neutral.
    """
    value = value_at(config, path)
    return value is not None and all(field.is_set(value) for field in _at(config.__class__, path))


@cache
def _at(model: type[BaseModel], path: str) -> tuple[ConfigField, ...]:
    return tuple(field for field in walk(model) if field.path == path)


def satisfies(value: Any, wanted: Any) -> bool:
    """Whether ``value`` is what a ``Param.requires`` entry asks for."""
    if wanted is IS_SET:
        return value is not None
    return value in wanted if isinstance(wanted, tuple) else bool(value == wanted)
