"""The points of one backend, each found by its number; none of them is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from llem.config.strict_yaml import KeyPath
from llem.study.axes import Axis, AxisValue, leaves
from llem.study.study_file import merged

if TYPE_CHECKING:
    from llem.registry import Backend

Steps = tuple[int, ...]
"""A point of the grid: which step it takes on each axis."""


@dataclass(frozen=True, slots=True)
class Grid:
    """What a study has on one backend: the product of axes, then single experiments.

    Attributes:
        backend: The backend.
        base: What all points share.
        axes: What varies; the last one varies fastest.
        singles: Partial configs of experiments that are listed one by one.
        crossed: Whether the product of the axes belongs to the study.
    """

    backend: Backend
    base: Mapping[str, Any]
    axes: tuple[Axis, ...]
    singles: tuple[AxisValue, ...] = ()
    crossed: bool = True

    def __len__(self) -> int:
        return self.products + len(self.singles)

    @property
    def products(self) -> int:
        """Number of points that the axes make."""
        return prod(len(axis.choices) for axis in self.axes) if self.crossed else 0

    def steps(self, number: int) -> Steps:
        """Return the step that point ``number`` of the product takes on each axis."""
        found = []
        for axis in reversed(self.axes):
            number, step = divmod(number, len(axis.choices))
            found.append(step)
        return tuple(reversed(found))

    def choices(self, number: int) -> tuple[AxisValue, ...]:
        """Return what point ``number`` lays over the base, in this order."""
        if number >= self.products:
            return (self.singles[number - self.products],)
        return self.choices_at(self.steps(number))

    def choices_at(self, steps: Steps) -> tuple[AxisValue, ...]:
        """Return what a point of the product lays over the base."""
        return tuple(axis.choices[step] for axis, step in zip(self.axes, steps, strict=True))

    def section(self, name: str, choices: Sequence[AxisValue]) -> tuple[bool, Any]:
        """Return whether the config has section ``name`` with ``choices``, and its content."""
        given, content = name in self.base, self.base.get(name)
        for choice in choices:
            if name in choice.config:
                given, content = True, merged(content, choice.config[name])
        return given, content

    def values_of(self, path: KeyPath) -> Iterator[Any]:
        """Yield each value that the field at ``path`` has in some point, ``None`` for unset."""
        partials = [choice.config for axis in self.axes for choice in axis.choices]
        partials += [single.config for single in self.singles]
        for config in (self.base, *partials):
            value = dict(leaves(config)).get(path)
            if value is not None or config is self.base:
                yield value

    def settings(self, number: int) -> dict[str, Any]:
        """Return what tells point ``number`` from others: field and value."""
        return {
            ".".join(map(str, path)): value
            for choice in self.choices(number)
            for path, value in leaves(choice.config)
        }

    def axes_of(self, section: str) -> tuple[int, ...]:
        """Return the numbers of the axes that vary something in ``section``."""
        return tuple(
            at
            for at, axis in enumerate(self.axes)
            if any(path[0] == section for path in axis.fields)
        )

    def all_steps(self) -> Iterator[Steps]:
        """Yield the steps of each point of the product, in order of their numbers."""
        if self.crossed:
            yield from product(*(range(len(axis.choices)) for axis in self.axes))
