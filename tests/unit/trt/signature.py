"""Hold a plan against what TensorRT-LLM's classes take, as published."""

from collections.abc import Iterator
from typing import Any

from llem.schema.call_plan import CallPlan, Construct, Symbol, Value
from llem_trt.reference import Classes, Parameter, classes

SCALARS = {"int": int, "float": (int, float), "bool": bool, "str": str}
ONE_OF = {"SpeculativeConfig": "DecodingConfig", "SparseAttentionConfig": "AttentionConfig"}
"""Types that stand for several classes, by the ending of their names."""


def faults(plan: CallPlan) -> list[str]:
    """Return every argument that the plan's surface lacks, or takes another type of."""
    known = classes(plan.settings["surface"])
    targets = {"llm.generate": "tensorrt_llm.LLM.generate"}
    found = []
    for call in plan.calls:
        target = targets.get(call.target, call.target)
        found += _arguments(known, target, {**call.kwargs, **dict.fromkeys(call.runtime, None)})
    return found


def _arguments(known: Classes, target: str, arguments: dict[str, Value]) -> Iterator[str]:
    if target not in known:
        yield f"there is no {target}"
        return
    for name, value in arguments.items():
        parameter = known[target].get(name)
        if parameter is None:
            yield f"{target} has no {name}"
            continue
        if not _takes(parameter, value):
            yield f"{target}.{name} is {parameter.type}, not {value!r}"
        if isinstance(value, Construct):
            yield from _arguments(known, value.target, dict(value.kwargs))


def _takes(parameter: Parameter, value: Value) -> bool:
    if value is None:
        return True  # every default that a field can replace may also be None
    if isinstance(value, Symbol):
        value = value.path.rpartition(".")[2]
    if parameter.choices and isinstance(value, str):
        return value in parameter.choices
    return any(_is(kind.strip(), value) for kind in parameter.type.split("|"))


def _is(kind: str, value: Any) -> bool:
    if isinstance(value, Construct):
        name = value.target.rpartition(".")[2]
        return kind in (name, "object") or name.endswith(ONE_OF.get(kind, "\0"))
    if kind in SCALARS:
        return isinstance(value, SCALARS[kind]) and (kind == "bool") == isinstance(value, bool)
    base, _, inner = kind.removesuffix("]").partition("[")
    if base == "list":
        return isinstance(value, list) and all(not inner or _is(inner, item) for item in value)
    return base == "dict" and isinstance(value, dict)
