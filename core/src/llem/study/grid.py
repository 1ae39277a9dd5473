"""The points of a backend, each made from its number when it is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import prod
from typing import Any

from llem.config.load import LoadedExperiment, validate_source
from llem.config.source import Source
from llem.config.strict_yaml import KeyPath
from llem.errors import Finding, RuleBroken
from llem.registry import Backend, Registry
from llem.study.axes import Axis, AxisValue, leaves
from llem.study.study_file import merged


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a study: an experiment, or the reasons why there is none.

    Attributes:
        number: Its position in the study, from 0.
        loaded: The validated experiment, unless the point is refused.
        refusals: Why the point is refused, with file and line.
    """

    number: int
    loaded: LoadedExperiment | None
    refusals: tuple[Finding, ...] = ()

    @property
    def rule(self) -> str:
        """Name of the first rule that refuses it."""
        return self.refusals[0].code


@dataclass(frozen=True, slots=True)
class Grid:
    """The points of a backend: the product of the axes, then explicit experiments.

    Attributes:
        registry: The installed plugins.
        base: What all points share.
        axes: What varies; the last axis varies fastest.
        explicit: Partial configs of the experiments that the study lists.
        cartesian: Whether the product of the axes belongs to the study.
        offset: Number of the first point in the study.
        warnings: Remarks that every point keeps.
    """

    registry: Registry
    backend: Backend
    base: Source
    axes: tuple[Axis, ...]
    explicit: tuple[AxisValue, ...] = ()
    cartesian: bool = True
    offset: int = 0
    warnings: tuple[Finding, ...] = ()

    def __len__(self) -> int:
        return self._products + len(self.explicit)

    def __iter__(self) -> Iterator[Point]:
        """Make all points in order; raise as :meth:`point` does."""
        return map(self.point, range(self.offset, self.offset + len(self)))

    def point(self, number: int) -> Point:
        """Make the point that has this number in the study.

        Raises:
            ConfigInvalid: A key or value is not allowed in any combination.
        """
        try:
            loaded = validate_source(
                self.registry, self.backend, self._source(number), self.warnings
            )
        except RuleBroken as error:
            return Point(number, None, error.findings)
        return Point(number, loaded)

    def choices(self, number: int) -> tuple[AxisValue, ...]:
        """Return what the point lays over the base, in this order."""
        within = number - self.offset
        if within >= self._products:
            return (self.explicit[within - self._products],)
        found = []
        for axis in reversed(self.axes):
            within, step = divmod(within, len(axis.choices))
            found.append(axis.choices[step])
        return tuple(reversed(found))

    def settings(self, number: int) -> dict[str, Any]:
        """Return the fields that tell the point from others, each with its value."""
        return {
            ".".join(map(str, path)): value
            for choice in self.choices(number)
            for path, value in leaves(choice.config)
        }

    def values_of(self, section: str, key: str) -> list[Any]:
        """Return each value that ``key`` of ``section`` has in some point, ``None`` for unset."""
        numbers = range(self.offset, self.offset + len(self))
        configs = (self._config(self.choices(number)) for number in numbers)
        sections = (config.get(section) or {} for config in configs)
        return list(dict.fromkeys(content.get(key) for content in sections))

    @property
    def _products(self) -> int:
        """Number of points that the axes make."""
        return prod(len(axis.choices) for axis in self.axes) if self.cartesian else 0

    def _config(self, choices: Sequence[AxisValue]) -> Mapping[str, Any]:
        """Return the base with ``choices`` laid over it."""
        partials = (choice.config for choice in choices)
        config: Mapping[str, Any] = reduce(merged, partials, self.base.data)
        return config

    def _source(self, number: int) -> Source:
        """Return keys and values of a point, and where each of them comes from."""
        choices = self.choices(number)
        origins: dict[KeyPath, str] = dict(self.base.origins)
        for choice in choices:
            origins |= dict.fromkeys((path for path, _ in leaves(choice.config)), choice.origin)
        # An empty section, or a section whose keys are all commented out, has defaults only.
        data = {key: value for key, value in self._config(choices).items() if value is not None}
        return replace(self.base, data=data, origins=origins)
