"""From fields to engine arguments, along the fields' own markers."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel

from llem.schema.base import EngineArg, Param
from llem.schema.call_plan import Construct
from llem.schema.fields import markers

Arguments = dict[str, Any]

OBJECTS = {
    "continuous_batching_config": "transformers.ContinuousBatchingConfig",
    "distributed_config": "transformers.distributed.DistributedConfig",
    "kernel_config": "transformers.KernelConfig",
    "max_memory": "llem_pytorch.runtime.placement.memory_limits",
    "watermarking_config": "transformers.WatermarkingConfig",
}
"""The class of an argument whose parts are fields of their own."""


def placed(section: BaseModel) -> dict[str, Arguments]:
    """Return the arguments that the fields of ``section`` set, by call.

    A field that is ``None`` sets nothing. A dotted name becomes a dictionary inside the argument.
    The value goes to the first place that the field maps to; what follows from it at others is
    for the caller to say.
    """
    found: dict[str, Arguments] = {}
    _place(section, found)
    return found


def _place(section: BaseModel, found: dict[str, Arguments]) -> None:
    places = _places(type(section))
    for name, value in vars(section).items():
        if value is None:
            continue
        for engine in places[name]:
            arguments = found.setdefault(engine.call, {})
            *outer, last = engine.name.split(".")
            for part in outer:
                inside = arguments.get(part)
                arguments[part] = inside if isinstance(inside, dict) else {}
                arguments = arguments[part]
            if isinstance(value, BaseModel):
                arguments.setdefault(last, {})
            elif not isinstance(arguments.get(last), dict):
                # What is there already is an object, and the field names its class.
                arguments[last] = plain(value)
        if isinstance(value, BaseModel):
            _place(value, found)


@cache
def _places(model: type[BaseModel]) -> dict[str, tuple[EngineArg, ...]]:
    """Return the first place that each field maps to, of each of its markers."""
    return {
        name: tuple(param.maps_to[0] for param in markers(info, Param))  # type: ignore[index]
        for name, info in model.model_fields.items()
    }


def plain(value: Any) -> Any:
    """Return ``value`` as JSON has it: lists for tuples."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def with_objects(arguments: Arguments) -> Arguments:
    """Return ``arguments`` with those of :data:`OBJECTS` as what they construct."""
    return {
        name: Construct(OBJECTS[name], value) if name in OBJECTS else value
        for name, value in arguments.items()
    }
