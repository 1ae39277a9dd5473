"""The axes of a study: which fields vary, in which steps, and on which backends."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from llem.config.source import Source
from llem.config.strict_yaml import KeyPath
from llem.errors import ConfigInvalid, Finding
from llem.study.study_file import STUDY_KEYS

MAX_VALUES = 100_000
"""More values on an axis are taken for a mistake."""


class RangeRefused(ValueError):
    """An axis is neither a list nor a range that llem knows."""


def is_range(value: Any) -> bool:
    """Whether ``value`` is written like a range, rather than like a section of keys."""
    if not isinstance(value, Mapping):
        return False
    return "from" in value or "to" in value or (len(value) == 1 and value.keys() <= _SCALES.keys())


def axis_values(value: Any) -> list[Any]:
    """Return the values that ``value`` stands for.

    A list is itself. ``{from: 0, to: 1, num: 5}`` are evenly spaced numbers, both ends
    included; ``{log: {from: 1, to: 100, num: 3}}`` have equal ratios; ``{pow2: {from: 1, to:
    64}}`` are the powers of two in between. A number that is whole where both ends are whole is
    an integer.

    Raises:
        RangeRefused: It is neither, or has no values.
    """
    if isinstance(value, list):
        values = value
    elif isinstance(value, Mapping) and len(value) == 1 and value.keys() <= _SCALES.keys():
        ((name, limits),) = value.items()
        values = _SCALES[name](limits)
    elif is_range(value):
        values = _linear(value)
    else:
        raise RangeRefused(
            "an axis is a list, or {from, to, num}, {log: {from, to, num}} or {pow2: {from, to}}"
        )
    if not values:
        raise RangeRefused("the axis has no values, so the study would have no points")
    return values


def _linear(limits: Any) -> list[float]:
    low, high, number = _limits(limits, with_number=True)
    return _spread(low, high, number, lambda share: low + (high - low) * share)


def _log(limits: Any) -> list[float]:
    low, high, number = _limits(limits, with_number=True)
    if low <= 0 or high <= 0:
        raise RangeRefused("a logarithmic range needs ends above 0")
    return _spread(low, high, number, lambda share: low * (high / low) ** share)


def _pow2(limits: Any) -> list[float]:
    low, high, _ = _limits(limits, with_number=False)
    if low <= 0 or high < low:
        raise RangeRefused("powers of two need ends above 0, the lower one first")
    first, last = math.ceil(math.log2(low)), math.floor(math.log2(high))
    return [2**power if power >= 0 else 2.0**power for power in range(first, last + 1)]


_SCALES: dict[str, Callable[[Any], list[float]]] = {"log": _log, "pow2": _pow2}


def _limits(limits: Any, *, with_number: bool) -> tuple[float, float, int]:
    wanted = {"from", "to", "num"} if with_number else {"from", "to"}
    if not isinstance(limits, Mapping) or set(limits) != wanted:
        raise RangeRefused(f"a range has exactly the keys {', '.join(sorted(wanted))}")
    for name, value in limits.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RangeRefused(f"{name} must be a number")
    number = limits.get("num", 2)
    if not isinstance(number, int) or not 1 <= number <= MAX_VALUES:
        raise RangeRefused(f"num must be a whole number from 1 to {MAX_VALUES:,}")
    if number == 1 and limits["from"] != limits["to"]:
        raise RangeRefused("one value cannot include both ends: raise num, or write a list")
    return limits["from"], limits["to"], number


def _spread(low: float, high: float, number: int, at: Callable[[float], float]) -> list[float]:
    """Return ``number`` values; the ends are exactly those given."""
    between = [at(step / (number - 1)) for step in range(1, number - 1)]
    if all(_short(end) == end for end in (low, high)):
        # 0.1 + 0.9 * 8 / 9 is meant to be 0.9.
        between = list(map(_short, between))
    values = [low, *between, high][:number]
    whole = isinstance(low, int) and isinstance(high, int)
    return [_whole(value) if whole else value for value in values]


def _short(value: float) -> float:
    """Return ``value`` with the 15 digits that every decimal number keeps."""
    return float(f"{value:.15g}")


def _whole(value: float) -> float:
    nearest = round(value)
    return nearest if math.isclose(value, nearest, rel_tol=1e-9) else value


@dataclass(frozen=True, slots=True)
class AxisValue:
    """One step of an axis: a partial config.

    Attributes:
        config: Keys and values that are laid over the base.
        origin: Where the step stands in the file.
    """

    config: Mapping[str, Any]
    origin: str


@dataclass(frozen=True, slots=True)
class Axis:
    """One dimension of the grid.

    Attributes:
        name: The field, the zipped fields, or the name of a group of variants.
        choices: Its steps, in order.
        fields: Paths of everything that any of the steps sets.
    """

    name: str
    choices: tuple[AxisValue, ...]
    fields: frozenset[KeyPath]

    def on(self, backend: str, others: Sequence[str]) -> Axis | None:
        """Return the axis of ``backend``, or ``None`` if it is about other backends only.

        Args:
            backend: The backend.
            others: Other backends of the study, whose sections are left out.
        """
        kept = [
            AxisValue(rest, choice.origin)
            for choice in self.choices
            if (rest := without(choice.config, others)) or not choice.config
        ]
        fields = frozenset(path for path in self.fields if path[0] not in others)
        return Axis(self.name, tuple(kept), fields) if kept and fields else None


def without(config: Mapping[str, Any], sections: Sequence[str]) -> Mapping[str, Any]:
    """Return ``config`` without these sections."""
    return {key: value for key, value in config.items() if key not in sections}


def read_axes(source: Source) -> list[Axis]:
    """Take the axes out of ``source``: of `sweep`, then of `zip`, then of `variants`.

    Raises:
        ConfigInvalid: An axis is not written as an axis, or two axes set the same field.
    """
    axes: list[Axis] = []
    for key, read in (("sweep", _swept), ("zip", _zipped), ("variants", _variants)):
        if (given := source.data.pop(key, None)) is not None:
            found = list(read(source, given))
            for path in sorted({path for axis in found for path in axis.fields}, key=str):
                refuse_own_keys(source, (key,), {str(path[0]): None})
            axes += found
    for axis, other in combinations(axes, 2):
        if both := _overlap(axis, other):
            message = f"{axis.name!r} and {other.name!r} both set it"
            hint = "Keep one of the two; fields that change together go into one zip."
            raise refusal(source, ("sweep",), message, path=both, hint=hint)
    return axes


def refuse_own_keys(source: Source, where: KeyPath, config: Mapping[str, Any]) -> None:
    """Check that a part of the grid sets no key that decides about the study or its backends.

    Raises:
        ConfigInvalid: It sets `backend`, or a key of studies.
    """
    for key in (*STUDY_KEYS, "backend"):
        if key in config:
            message = f"a point of the grid cannot set {key}"
            hint = "Write it at the top of the file."
            if key == "backend":
                hint = "Use `backends:` to measure on several backends."
            here = (*where, key) if (*where, key) in source.origins else where
            path = ".".join(map(str, (*where, key)))
            raise refusal(source, here, message, path=path, hint=hint)


def refusal(
    source: Source, where: KeyPath, message: str, *, path: str = "", hint: str = ""
) -> ConfigInvalid:
    """Return the error about the part of the file at ``where``."""
    finding = Finding(
        code="study-refused",
        message=message,
        path=path or ".".join(map(str, where)),
        hint=hint,
        origin=source.origin(where),
    )
    return ConfigInvalid([finding])


def partial(source: Source, where: KeyPath, config: Any) -> AxisValue:
    """Return the partial config that stands at ``where``."""
    if not isinstance(config, dict):
        raise refusal(source, where, "must be a section of keys; {} is the base itself")
    return AxisValue(config, source.origin(where))


def leaves(
    config: Mapping[str, Any], prefix: KeyPath = (), *, whole: Callable[[Any], bool] | None = None
) -> Iterator[tuple[KeyPath, Any]]:
    """Yield path and value of everything that ``config`` sets.

    Args:
        config: Sections in sections.
        prefix: Path of ``config``.
        whole: Whether a section is a value by itself.
    """
    for key, value in config.items():
        if isinstance(value, Mapping) and value and not (whole and whole(value)):
            yield from leaves(value, (*prefix, key), whole=whole)
        else:
            yield (*prefix, key), value


def _swept(source: Source, sweep: Any) -> Iterator[Axis]:
    if not isinstance(sweep, dict):
        raise refusal(source, ("sweep",), "must be a section: a field and its values on each line")
    found: dict[str, Axis] = {}
    for where, name, given in _fields(sweep, ("sweep",)):
        if name in found and source.origin(where) != "--set":
            raise refusal(source, where, f"the axis {name} stands there twice")
        found[name] = _axis(name, [(name, _values(source, where, given))], source, where)
    yield from found.values()


def _zipped(source: Source, groups: Any) -> Iterator[Axis]:
    for at, group in _numbered(groups):
        where = ("zip", *at)
        if not isinstance(group, dict) or not group:
            raise refusal(source, where, "must be a section: a field and its values on each line")
        columns = [
            (name, _values(source, here, given)) for here, name, given in _fields(group, where)
        ]
        lengths = {name: len(values) for name, values in columns}
        if len(set(lengths.values())) > 1:
            listed = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            raise refusal(source, where, f"zipped fields need as many values: {listed}")
        yield _axis(" + ".join(lengths), columns, source, where)


def _variants(source: Source, groups: Any) -> Iterator[Axis]:
    named = {"variants": groups} if isinstance(groups, list) else groups
    if not isinstance(named, dict):
        raise refusal(source, ("variants",), "must be a list of partial configs, or named lists")
    for name, group in named.items():
        where = ("variants",) if isinstance(groups, list) else ("variants", name)
        if not isinstance(group, list) or not group:
            raise refusal(source, where, "must be a list of partial configs, at least one")
        choices = tuple(partial(source, (*where, at), config) for at, config in enumerate(group))
        fields = frozenset(path for choice in choices for path, _ in leaves(choice.config))
        yield Axis(name, choices, fields)


def _axis(
    name: str, columns: Sequence[tuple[str, list[Any]]], source: Source, where: KeyPath
) -> Axis:
    """Return the axis on which all ``columns`` change together."""
    paths = [tuple(field.split(".")) for field, _ in columns]
    choices = []
    for at in range(len(columns[0][1])):
        config: dict[str, Any] = {}
        for path, (_, values) in zip(paths, columns, strict=True):
            _put(config, path, values[at])
        # A list has a line for each of its values, a range a single line.
        choices.append(AxisValue(config, source.origins.get((*where, at)) or source.origin(where)))
    return Axis(name, tuple(choices), frozenset(paths))


def _put(config: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for key in path[:-1]:
        config = config.setdefault(key, {})
    config[path[-1]] = value


def _fields(section: Mapping[str, Any], above: KeyPath) -> Iterator[tuple[KeyPath, str, Any]]:
    """Yield place, field and values of each line; `a: {b: …}` is the same as `a.b: …`."""
    for path, value in leaves(section, whole=is_range):
        yield (*above, *path), ".".join(map(str, path)), value


def _values(source: Source, where: KeyPath, given: Any) -> list[Any]:
    try:
        return axis_values(given)
    except RangeRefused as error:
        raise refusal(source, where, str(error)) from None


def _numbered(groups: Any) -> list[tuple[KeyPath, Any]]:
    if not isinstance(groups, list):
        return [((), groups)]
    return [((at,), group) for at, group in enumerate(groups)]


def _overlap(axis: Axis, other: Axis) -> str:
    """Return a field that both axes set, or that lies inside a field that the other axis sets."""
    for path in sorted(axis.fields, key=str):
        for rival in other.fields:
            shorter, longer = sorted((path, rival), key=len)
            if longer[: len(shorter)] == shorter:
                return ".".join(map(str, longer))
    return ""
