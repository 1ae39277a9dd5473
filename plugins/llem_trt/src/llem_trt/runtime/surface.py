"""Read TensorRT-LLM's public parameters from the installed package."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from llem.api.parameter_audit import Found, FoundParameter
from llem.schema.call_plan import import_dotted
from llem_trt.audit import parameter_audit

ARGUMENTS = {
    "tensorrt_llm.LLM": "tensorrt_llm.llmapi.llm_args.TorchLlmArgs",
    "tensorrt_llm._tensorrt_engine.LLM": "tensorrt_llm.llmapi.llm_args.TrtLlmArgs",
}
"""Classes that validate the keyword arguments of a class whose signature is ``**kwargs``."""

FAMILIES = ("DecodingBaseConfig", "BaseSparseAttentionConfig")
"""Base classes to which a release may add a subclass."""


def introspect() -> Found:
    """Return the parameters of every known class, and of new subclasses of the known families."""
    known = [surface.name for surface in parameter_audit().surfaces]
    found = {name: parameters for name in known if (parameters := _parameters(name)) is not None}
    listed = {name.rpartition(".")[2] for name in known}
    for name, kind in _members_of_families():
        if name not in listed:
            found[f"tensorrt_llm.llmapi.llm_args.{name}"] = tuple(_of_class(kind))
    return found


def _parameters(name: str) -> tuple[FoundParameter, ...] | None:
    """Return the parameters of a class or method; ``None`` where this version lacks it."""
    try:
        target = import_dotted(ARGUMENTS.get(name, name))
    except (ImportError, AttributeError):
        return None
    if inspect.isclass(target):
        return tuple(_of_class(target))
    return tuple(_of_function(target))


def _of_class(kind: type) -> Iterator[FoundParameter]:
    """Yield the parameters of a pydantic model, a dataclass, or any other class."""
    if fields := getattr(kind, "model_fields", None):
        for name, field in fields.items():
            required = field.is_required()
            default = "" if required else repr(field.get_default(call_default_factory=True))
            yield FoundParameter(name, default, _type(field.annotation))
    elif dataclasses.is_dataclass(kind):
        for attribute in dataclasses.fields(kind):
            if attribute.init and not attribute.name.startswith("_"):
                required = attribute.default is dataclasses.MISSING
                default = "" if required else repr(attribute.default)
                yield FoundParameter(attribute.name, default, _type(attribute.type))
    else:
        yield from _of_function(kind)


def _of_function(function: Callable[..., Any]) -> Iterator[FoundParameter]:
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "self" or parameter.kind is parameter.VAR_KEYWORD:
            continue
        empty = parameter.default is parameter.empty
        yield FoundParameter(
            parameter.name, "" if empty else repr(parameter.default), _type(parameter.annotation)
        )


def _type(annotation: Any) -> str:
    if annotation is inspect.Parameter.empty:
        return ""
    return annotation.__name__ if inspect.isclass(annotation) else str(annotation)


def _members_of_families() -> Iterator[tuple[str, type]]:
    """Yield the classes of the known families that the installed package has."""
    arguments = importlib.import_module("tensorrt_llm.llmapi.llm_args")
    bases = tuple(kind for name in FAMILIES if (kind := getattr(arguments, name, None)))
    for name, kind in inspect.getmembers(arguments, inspect.isclass):
        if issubclass(kind, bases) and kind not in bases:
            yield name, kind
