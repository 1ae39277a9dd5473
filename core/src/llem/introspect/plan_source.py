"""A call plan as Python source, which `llem explain` prints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from keyword import iskeyword
from math import isfinite
from typing import Any
from unicodedata import is_normalized

from llem.config.redact import redact
from llem.schema.call_plan import Call, CallPlan, Construct, Symbol

_WIDTH = 88
_INDENT = "    "


def render_plan(plan: CallPlan) -> str:
    """Return ``plan`` as Python source.

    Arguments of the run time are bare names; settings are comments; secrets are left out.
    """
    plan = CallPlan.from_json(redact(plan.to_json()))
    blocks = [_settings(plan.settings), _imports(plan.calls), *map(_statement, plan.calls)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _settings(settings: Mapping[str, Any]) -> str:
    lines = [f"#   {name} = {json.dumps(value)}" for name, value in settings.items()]
    return "\n".join(["# settings of the session", *lines]) if lines else ""


def _imports(calls: Sequence[Call]) -> str:
    """Return an import of every module that a call names."""
    results = {call.assign for call in calls}
    modules = {_module(path) for call in calls for path in _paths(call)}
    return "\n".join(
        f"import {module}"
        for module in sorted(modules)
        if module and module.partition(".")[0] not in results
    )


def _module(path: str) -> str:
    """Return the leading part of a dotted path that is spelled as a module."""
    return ".".join(takewhile(lambda part: not part[:1].isupper(), path.split(".")[:-1]))


def _paths(value: Any) -> Iterator[str]:
    """Yield every dotted name inside ``value``."""
    match value:
        case Call():
            yield value.target
            yield from _paths(list(value.args))
            yield from _paths(dict(value.kwargs))
        case Symbol(path):
            yield path
        case Construct(target, kwargs):
            yield target
            yield from _paths(dict(kwargs))
        case dict():
            for item in value.values():
                yield from _paths(item)
        case list() | tuple():
            for item in value:
                yield from _paths(item)


def _statement(call: Call) -> str:
    assignment = f"{call.assign} = " if call.assign else ""
    source = _call(call.target, call.args, call.kwargs, call.runtime, column=len(assignment))
    return f"# {call.name}\n{assignment}{source}"


def _call(
    target: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    runtime: Sequence[str] = (),
    column: int = 0,
    depth: int = 0,
) -> str:
    named = {name: value for name, value in kwargs.items() if name not in runtime}
    # Names that Python's grammar does not allow as keywords, which a passthrough may have.
    odd = {name: value for name, value in named.items() if not _is_keyword_name(name)}
    parts = [("", value) for value in args]
    parts += [(f"{name}=", value) for name, value in named.items() if name not in odd]
    parts += [(f"{name}=", Symbol(name)) for name in runtime]
    parts += [("**", odd)] if odd else []
    return _bracket(f"{target}(", parts, ")", column, depth)


def _is_keyword_name(name: str) -> bool:
    # Python reads a name as its compatibility form, so that `µ` would become another letter.
    return name.isidentifier() and not iskeyword(name) and is_normalized("NFKC", name)


def _value(value: Any, column: int, depth: int) -> str:
    """Return ``value`` as an expression, at ``column`` of a line indented ``depth`` levels."""
    match value:
        case Symbol(path):
            return path
        case Construct(target, kwargs):
            return _call(target, (), kwargs, column=column, depth=depth)
        case dict():
            parts = [(f"{name!r}: ", item) for name, item in value.items()]
            return _bracket("{", parts, "}", column, depth)
        case list() | tuple():
            return _bracket("[", [("", item) for item in value], "]", column, depth)
        case float() if not isfinite(value):
            return f'float("{value}")'
        case _:
            return repr(value)


def _bracket(
    start: str, parts: Sequence[tuple[str, Any]], end: str, column: int, depth: int
) -> str:
    """Return the parts between brackets: on the same line if they fit, else on a line each."""
    flat = start + ", ".join(prefix + _value(item, 0, 0) for prefix, item in parts) + end
    if "\n" not in flat and column + len(flat) <= _WIDTH:
        return flat
    indent = _INDENT * (depth + 1)
    lines = [
        f"{indent}{prefix}{_value(item, len(indent) + len(prefix), depth + 1)},"
        for prefix, item in parts
    ]
    return "\n".join([start, *lines, _INDENT * depth + end])
