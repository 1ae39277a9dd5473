"""The parameters of an experiment, with everything that config models say about them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from llem.config.core_rules import RULES
from llem.config.rule_checks import in_words, rules_of
from llem.introspect.json_schema import bounds, choices, kind, unit_of
from llem.registry import Backend, Registry
from llem.schema.base import by_value
from llem.schema.experiment import BackendConfig, Experiment, Rule
from llem.schema.fields import ConfigField, both_ways, walk
from llem.tables import Table


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    Attributes:
        path: Its dotted path in an experiment.
        backend: The backend it belongs to; ``None`` for a shared parameter.
        models: Names of the models that have it, where a section is one of several.
        kind: The type of its value in words, bounds included.
        default: Its default as JSON data; ``None`` also where it is required.
        required: Whether its section needs it.
        bounds: Bounds of its numbers, by JSON schema's names (``exclusiveMinimum``).
        choices: Values that are listed.
        unit: Unit of its numbers, ``1`` for none, or empty.
        maps_to: Engine parameters it sets, for each backend that says so.
        requires: Values of other parameters without which it has no effect, in words.
        conflicts_with: Parameters that cannot be set together with it.
        ignored_when: Further conditions under which it has no effect, in words.
        min_compute_capability: Least NVIDIA compute capability by value; ``*`` is any value.
        native_compute_capability: The same, below which a device emulates it.
        gpus: Number of NVIDIA GPUs by value; ``each`` is the value itself.
        packages: Distributions that the engine does not bring along, by value.
        needs: The four before, in words.
        examples: Values worth trying.
        description: Its purpose.
    """

    path: str
    backend: str | None
    models: tuple[str, ...]
    kind: str
    default: Any
    required: bool
    bounds: Mapping[str, float]
    choices: tuple[Any, ...]
    unit: str
    maps_to: Mapping[str, tuple[str, ...]]
    requires: Mapping[str, str]
    conflicts_with: tuple[str, ...]
    ignored_when: str
    min_compute_capability: Mapping[str, tuple[int, int]]
    native_compute_capability: Mapping[str, tuple[int, int]]
    gpus: Mapping[str, int | str]
    packages: Mapping[str, tuple[str, ...]]
    needs: tuple[str, ...]
    examples: tuple[Any, ...]
    description: str


def parameters(registry: Registry, backend: str | None = None) -> tuple[Parameter, ...]:
    """Return the shared parameters, then those of each backend or of the one called ``backend``.

    Raises:
        BackendUnavailable: That backend cannot be used.
    """
    if backend is not None:
        chosen = registry.backend(backend)
        return (*shared_parameters((chosen,)), *section_parameters(chosen))
    sections = registry.ask_all(lambda usable: (usable, section_parameters(usable)))
    return (
        *shared_parameters([usable for usable, _ in sections]),
        *(parameter for _, section in sections for parameter in section),
    )


def section_parameters(backend: Backend) -> tuple[Parameter, ...]:
    """Return the parameters of a backend's own section."""
    section: type[BackendConfig] = backend.config_model()
    rules = rules_of(backend.name, section)
    return _merged(_described(walk(section, f"{backend.name}."), backend.name, rules))


def shared_parameters(backends: Sequence[Backend]) -> tuple[Parameter, ...]:
    """Return the parameters that all backends share, and where each of ``backends`` puts them."""
    setters = {backend.name: _arguments_by_field(backend) for backend in backends}
    needs: dict[str, tuple[str, ...]] = {}
    for backend in backends:
        for path, param in backend.config_model().shared_needs.items():
            own = (f"{need} (backend {backend.name})" for need in param.needs_in_words())
            needs[path] = (*needs.get(path, ()), *own)
    return tuple(
        replace(parameter, needs=(*parameter.needs, *needs.get(parameter.path, ())))
        for parameter in _merged(_described(walk(Experiment), None, RULES, setters))
    )


def _merged(found: Iterable[Parameter]) -> tuple[Parameter, ...]:
    """Return ``found`` with the parameters that several models share listed once."""
    merged: list[Parameter] = []
    for parameter in found:
        for index, known in enumerate(merged):
            if replace(known, models=()) == replace(parameter, models=()):
                models = dict.fromkeys((*known.models, *parameter.models))
                merged[index] = replace(known, models=tuple(models))
                break
        else:
            merged.append(parameter)
    return tuple(merged)


def _arguments_by_field(backend: Backend) -> dict[str, tuple[str, ...]]:
    """Return the engine arguments that a backend sets, by the shared field that does."""
    audit = backend.parameter_audit()
    found: dict[str, tuple[str, ...]] = {}
    for (call, argument), setter in audit.shared.items() if audit else ():
        found[setter] = (*found.get(setter, ()), f"{call}.{argument}")
    return found


def _described(
    fields: Sequence[ConfigField],
    backend: str | None,
    rules: Sequence[Rule[Any]],
    setters: Mapping[str, Mapping[str, tuple[str, ...]]] | None = None,
) -> Iterator[Parameter]:
    """Yield a parameter for every field that holds a value; the other fields are sections."""
    excluded = both_ways((rule.fields[0], other) for rule in rules for other in rule.excludes)
    for field in fields:
        if not field.is_settable:
            continue
        own = tuple(map(str, field.maps_to))
        maps_to = {backend: own} if backend and own else {}
        for name, arguments in (setters or {}).items():
            if field.path in arguments:
                maps_to[name] = arguments[field.path]
        yield _parameter(field, backend, maps_to, excluded.get(field.path, ()))


def _parameter(
    field: ConfigField,
    backend: str | None,
    maps_to: Mapping[str, tuple[str, ...]],
    conflicts_with: tuple[str, ...],
) -> Parameter:
    info, param = field.info, field.param
    name = field.path.rpartition(".")[2]
    schema, definitions = schema_of(field)
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    return Parameter(
        path=field.path,
        backend=backend,
        models=(field.owner.__name__,),
        kind=kind(schema, definitions),
        default=to_jsonable_python(default),
        required=info.is_required(),
        bounds=bounds(schema),
        choices=choices(schema, definitions),
        unit=param.unit or unit_of(name),
        maps_to=maps_to,
        requires={other: in_words(wanted) for other, wanted in param.requires.items()},
        conflicts_with=conflicts_with,
        ignored_when=param.ignored_when,
        min_compute_capability=by_value(param.min_compute_capability),
        native_compute_capability=by_value(param.native_compute_capability),
        gpus=by_value(param.gpus),
        packages=by_value(param.packages),
        needs=param.needs_in_words(),
        examples=param.examples,
        description=" ".join((info.description or "").split()),
    )


def schema_of(field: ConfigField) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the JSON schema of a field's value, and what its references point to."""
    schema = _schema(field.owner)
    definitions = schema.get("$defs", {})
    # A model that contains itself is among its own definitions.
    properties = schema.get("properties") or definitions[field.owner.__name__]["properties"]
    return properties[field.path.rpartition(".")[2]], definitions


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def parameter_table(parameters: Sequence[Parameter], *, plain: bool = False) -> Table:
    """Return a row for each parameter; conditions stand with the description.

    Args:
        parameters: The parameters.
        plain: Whether values are written without Markdown's backticks.
    """
    return Table.of_texts(
        ("parameter", "type", "unit", "default", "sets", "what it is"),
        [
            [text.replace("`", "") if plain else text for text in _row(parameter)]
            for parameter in parameters
        ],
    )


def _row(parameter: Parameter) -> tuple[str, ...]:
    default = "required" if parameter.required else _value(parameter.default)
    return (
        parameter.path,
        parameter.kind,
        parameter.unit,
        default,
        "; ".join(_targets(parameter)),
        " ".join((parameter.description, *conditions(parameter))),
    )


def _targets(parameter: Parameter) -> Iterator[str]:
    for backend, names in parameter.maps_to.items():
        listed = ", ".join(names)
        # A backend's own parameter cannot go anywhere else.
        yield listed if parameter.backend else f"{backend}: {listed}"


def conditions(parameter: Parameter) -> Iterator[str]:
    """Yield a sentence for each condition under which the parameter acts, and its examples."""
    if parameter.requires:
        requires = ", ".join(f"{other}: {wanted}" for other, wanted in parameter.requires.items())
        yield f"Needs {requires}."
    if parameter.conflicts_with:
        yield f"Not with {', '.join(parameter.conflicts_with)}."
    if parameter.ignored_when:
        yield f"Skipped when {parameter.ignored_when}."
    if parameter.needs:
        yield f"Needs {'; '.join(parameter.needs)}."
    if parameter.examples:
        yield f"Such as {', '.join(map(_value, parameter.examples))}."


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
