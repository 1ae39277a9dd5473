"""The values of an axis: a list, or a range that stands for one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

MAX_VALUES = 100_000
"""More values on one axis are taken for a mistake."""


class RangeRefused(ValueError):
    """What stands for the values is not a list and not a range that llem knows."""


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
    values = [low, *between, high][:number]
    whole = isinstance(low, int) and isinstance(high, int)
    return [_whole(value) if whole else value for value in values]


def _whole(value: float) -> float:
    nearest = round(value)
    return nearest if math.isclose(value, nearest, rel_tol=1e-9) else value
