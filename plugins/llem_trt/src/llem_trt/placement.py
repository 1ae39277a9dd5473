"""Put each field of a section where its marker says."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from llem.schema.base import EngineArg, Param
from llem.schema.fields import markers

Placed = dict[str, dict[str, Any]]
"""Values by call and argument; an object that a section stands for is a dictionary so far."""


def place(section: BaseModel) -> Placed:
    """Return every value of ``section`` that is set, by the call and argument it belongs to.

    A section inside that is given makes the object it stands for, even if nothing in it is set.
    A field of it that goes to the object as a whole says which object it is: ``method`` chooses
    its class, and ``enabled: false`` puts ``None`` in its place.
    """
    placed: Placed = {}
    _place(section, placed, ())
    return placed


def _place(section: BaseModel, placed: Placed, whole: tuple[EngineArg, ...]) -> None:
    for name, info in type(section).model_fields.items():
        value = getattr(section, name)
        if value is None:
            continue
        targets = next(markers(info, Param), Param()).maps_to or ()
        assert isinstance(targets, tuple)
        if isinstance(value, BaseModel):
            for engine in targets:
                _put(placed, engine, {})
            _place(value, placed, targets)
            continue
        for engine in targets:
            if engine not in whole:
                _put(placed, engine, _plain(value))
    if getattr(section, "enabled", None) is False:
        for engine in whole:
            _put(placed, engine, None)


def _put(placed: Placed, engine: EngineArg, value: Any) -> None:
    *above, last = engine.name.split(".")
    at = placed.setdefault(engine.call, {})
    for name in above:
        at = at.setdefault(name, {})
    at[last] = value


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON data: sequences are tuples in a frozen model."""
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
