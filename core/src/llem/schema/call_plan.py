"""Engine calls as data: what will be called, with which arguments.

A plan is built without the engine installed, printed by ``llem explain``, stored in the
outcome, and resolved by the worker: what was shown is what ran.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

_SYMBOL = "$symbol"
_CONSTRUCT = "$construct"
RESERVED_KEYS = frozenset({_SYMBOL, _CONSTRUCT})
"""Keys that user data may not contain, because they name objects to import."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A named object of the engine, such as ``Symbol("torch.bfloat16")``."""

    path: str


@dataclass(frozen=True, slots=True)
class Construct:
    """An object to build, such as ``Construct("transformers.BitsAndBytesConfig", {...})``."""

    target: str
    kwargs: Mapping[str, Value] = field(default_factory=dict)


_Scalar = None | bool | int | float | str
Value = _Scalar | list[Any] | Mapping[str, Any] | Symbol | Construct
"""A plan value: JSON, or one of the two markers, nested to any depth."""

Setters = Mapping[tuple[str, str], str]
"""What sets an argument, by call and argument: the dotted path of a config field, or a reason."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the engine.

    Attributes:
        name: Short name by which outcome and passthrough refer to it (``load``).
        target: Dotted name to call; its first part may be the ``assign`` of an
            earlier call (``model.generate``).
        kwargs: Keyword arguments, as plan values.
        args: Positional arguments, as plan values.
        runtime: Names of keyword arguments that exist only at run time
            (``input_ids``); shown as bare names, filled in by the session.
        assign: Name that the result is bound to, or empty.
    """

    name: str
    target: str
    kwargs: Mapping[str, Value] = field(default_factory=dict)
    args: tuple[Value, ...] = ()
    runtime: tuple[str, ...] = ()
    assign: str = ""


@dataclass(frozen=True, slots=True)
class CallPlan:
    """Everything the worker is told: calls in order, and settings of the session itself.

    Attributes:
        calls: Engine calls in the order in which they are made.
        settings: JSON settings that steer the session rather than the engine
            (batch size, seed, threads).
    """

    calls: tuple[Call, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def call(self, name: str) -> Call:
        """Return the call named ``name``.

        Raises:
            KeyError: The plan has no such call.
        """
        for call in self.calls:
            if call.name == name:
                return call
        raise KeyError(name)

    def requested(self) -> dict[str, Any]:
        """Return what the plan asks for, by ``<call>.<argument>`` or ``settings.<name>``.

        An object is asked for by its parts (``load.quantization_config.bits``), a symbol by its
        name. ``"auto"`` leaves the choice to the engine, so it asks for nothing.
        """
        values = {f"settings.{name}": value for name, value in self.settings.items()}
        for call in self.calls:
            values.update(_parts(call.name, call.kwargs))
        return {name: value for name, value in values.items() if value != "auto"}

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON data, markers as one-key objects."""
        return {
            "calls": [
                {part.name: encode(getattr(call, part.name)) for part in fields(call)}
                for call in self.calls
            ],
            "settings": dict(self.settings),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CallPlan:
        """Rebuild a plan from :meth:`to_json`.

        Raises:
            KeyError: ``data`` is not a plan.
        """
        calls = tuple(
            Call(
                name=item["name"],
                target=item["target"],
                kwargs={key: decode(value) for key, value in item.get("kwargs", {}).items()},
                args=tuple(decode(value) for value in item.get("args", ())),
                runtime=tuple(item.get("runtime", ())),
                assign=item.get("assign", ""),
            )
            for item in data["calls"]
        )
        return cls(calls=calls, settings=data.get("settings", {}))


def _parts(place: str, arguments: Mapping[str, Value]) -> Iterator[tuple[str, Any]]:
    """Yield the arguments at ``place`` by dotted name, those of objects one by one."""
    for name, value in arguments.items():
        match value:
            case Construct(_, kwargs):
                yield from _parts(f"{place}.{name}", kwargs)
            case Symbol(path):
                yield f"{place}.{name}", path
            case _:
                yield f"{place}.{name}", encode(value)


def differences(requested: Mapping[str, Any], effective: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of what was requested, was observed, and had another value."""
    return tuple(
        name for name, value in requested.items() if name in effective and effective[name] != value
    )


def drop_none(**values: Any) -> dict[str, Any]:
    """Return those ``values`` that are not ``None``: an unset field puts nothing into a plan."""
    return {name: value for name, value in values.items() if value is not None}


def encode(value: Value) -> Any:
    """Return ``value`` as JSON data."""
    match value:
        case Symbol(path):
            return {_SYMBOL: path}
        case Construct(target, kwargs):
            return {_CONSTRUCT: target, "kwargs": encode(kwargs)}
        case Mapping():
            return {key: encode(item) for key, item in value.items()}
        case list() | tuple():
            return [encode(item) for item in value]
        case _:
            return value


def decode(data: Any) -> Any:
    """Return the plan value that :func:`encode` made ``data`` from."""
    if isinstance(data, dict):
        if _SYMBOL in data:
            return Symbol(data[_SYMBOL])
        if _CONSTRUCT in data:
            return Construct(data[_CONSTRUCT], decode(data["kwargs"]))
        return {key: decode(value) for key, value in data.items()}
    if isinstance(data, list):
        return [decode(item) for item in data]
    return data


def import_dotted(path: str) -> Any:
    """Import the object at a dotted ``path``, module part first.

    When: in the worker only; this is what brings the engine in.

    Raises:
        ImportError: No such module.
        AttributeError: The module has no such name.
    """
    module_name, _, attribute = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except ModuleNotFoundError as error:
        # ``a.B.c``: ``a.B`` is a class, not a module. A missing dependency stays an error.
        if "." not in module_name or error.name != module_name:
            raise
        return getattr(import_dotted(module_name), attribute)


def resolve(value: Value, find: Callable[[str], Any] = import_dotted) -> Any:
    """Turn a plan value into the objects it names.

    Args:
        value: The plan value.
        find: Looks up a dotted name; :func:`import_dotted` outside tests.
    """
    match value:
        case Symbol(path):
            return find(path)
        case Construct(target, kwargs):
            return find(target)(**resolve(kwargs, find))
        case Mapping():
            return {key: resolve(item, find) for key, item in value.items()}
        case list() | tuple():
            return [resolve(item, find) for item in value]
        case _:
            return value


def resolve_kwargs(call: Call, find: Callable[[str], Any] = import_dotted) -> dict[str, Any]:
    """Return the keyword arguments of ``call`` with every marker resolved."""
    return {key: resolve(value, find) for key, value in call.kwargs.items()}
