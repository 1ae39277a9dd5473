"""Validate the points of a grid, each part of their configs only once.

An experiment consists of sections that are valid or not by themselves; only the rules look at
several. So a section is validated once for each combination of the axes that vary it, and the
points of a grid share the frozen results; of the rules, each is asked once for each combination
of values that it reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from llem.config.defaults import experiment_model
from llem.config.load import LoadedExperiment, expand_user
from llem.config.messages import findings_of
from llem.config.model_files import model_problems
from llem.config.rule_checks import rule_warnings
from llem.config.source import Source
from llem.config.strict_yaml import KeyPath
from llem.errors import ConfigInvalid, Finding
from llem.schema.experiment import Experiment
from llem.study.axes import AxisValue, leaves
from llem.study.cached_rules import Rulings
from llem.study.grid import Grid, Steps

if TYPE_CHECKING:
    from llem.registry import Registry

MAX_KEPT = 16_384
"""Validated sections that are kept, of each name."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a study.

    Attributes:
        number: Its position in the study, from 0.
        experiment: The validated experiment, unless it is refused.
        refusals: Why it is refused.
    """

    number: int
    experiment: Experiment | None
    refusals: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Section:
    value: Any = None
    refusals: tuple[Finding, ...] = ()


class Points:
    """The points of one grid.

    Args:
        grid: The grid.
        origins: Where each part of its base comes from.
        registry: The installed plugins, to tell the section of another one from a mistake.
        offset: Number of the grid's first point in the study.
    """

    def __init__(
        self, grid: Grid, origins: dict[KeyPath, str], registry: Registry, *, offset: int
    ) -> None:
        self.grid = grid
        self.offset = offset
        self._origins = origins
        self._registry = registry
        self._model = experiment_model(grid.backend)
        backend = grid.backend
        self._rulings = Rulings(backend.name, backend.config_model(), backend.info)
        swept = {str(path[0]) for axis in grid.axes for path in axis.fields}
        self._names = tuple(dict.fromkeys([*self._model.model_fields, *grid.base, *swept]))
        axes = {name: grid.axes_of(name) for name in self._names}
        self._axes = {name: numbers for name, numbers in axes.items() if numbers}
        self._kept: dict[str, dict[Steps, _Section]] = {name: {} for name in self._axes}

    def __iter__(self) -> Iterator[Point]:
        """Yield all points in order.

        Raises:
            ConfigInvalid: A key or value is not allowed whatever the others are.
        """
        number = self.offset
        for steps in self.grid.all_steps():
            yield self._product(number, steps)
            number += 1
        for single in self.grid.singles:
            yield self._single(number, single)
            number += 1

    def point(self, number: int) -> Point:
        """Return the point that has this number in the study."""
        within = number - self.offset
        if within < self.grid.products:
            return self._product(number, self.grid.steps(within))
        return self._single(number, self.grid.choices(within)[0])

    def located(self, point: Point) -> tuple[Finding, ...]:
        """Return why ``point`` is refused, with file and line."""
        source = self._source(self.grid.choices(point.number - self.offset))
        return tuple(_located(finding, source) for finding in point.refusals)

    def loaded(self, number: int, base_dir: Path) -> LoadedExperiment:
        """Return the experiment of a point, with what is worth knowing about it."""
        experiment = self.point(number).experiment
        assert experiment is not None
        source = self._source(self.grid.choices(number - self.offset))
        warnings = tuple(_located(remark, source) for remark in rule_warnings(experiment))
        return LoadedExperiment(experiment, self.grid.backend, base_dir, warnings)

    @cached_property
    def _shared(self) -> dict[str, _Section]:
        """The sections that no axis varies, and empty ones where the others go, in order."""
        return {
            name: _Section() if name in self._axes else self._validate(name, ())
            for name in self._names
        }

    @cached_property
    def _blank(self) -> Experiment:
        """What a point is copied from: pydantic copies faster than it constructs."""
        return self._model.model_construct(backend=self.grid.backend.name)

    def _product(self, number: int, steps: Steps) -> Point:
        sections = self._shared.copy()
        for name, axes in self._axes.items():
            key = tuple([steps[at] for at in axes])
            kept = self._kept[name]
            if (section := kept.get(key)) is None:
                if len(kept) >= MAX_KEPT:
                    kept.clear()
                section = kept[key] = self._validate(name, self.grid.choices_at(steps))
            sections[name] = section
        return self._judged(number, sections)

    def _single(self, number: int, single: AxisValue) -> Point:
        names = dict.fromkeys([*self._names, *single.config])
        return self._judged(number, {name: self._validate(name, (single,)) for name in names})

    def _validate(self, name: str, choices: Sequence[AxisValue]) -> _Section:
        """Return the section with ``choices`` laid over the base.

        Raises:
            ConfigInvalid: It has a key or value that is not allowed.
        """
        given, content = self.grid.section(name, choices)
        document = {"backend": self.grid.backend.name}
        # An empty section, or one whose keys are all commented out, is one of defaults.
        if given and content is not None:
            document[name] = content
        try:
            whole = self._model.model_validate_json(json.dumps(document), strict=True)
        except ValidationError as error:
            return _Section(refusals=self._refusals(error, choices))
        value = getattr(whole, name)
        if name != "model":
            return _Section(value)
        return _Section(expand_user(value), tuple(model_problems(value)))

    def _refusals(
        self, error: ValidationError, choices: Sequence[AxisValue]
    ) -> tuple[Finding, ...]:
        def others() -> set[str]:
            return {one.name for one in self._registry.backends()} - {self.grid.backend.name}

        findings = findings_of(error, self._model, self._source(choices), others)
        # A rule between the keys of one section refuses a point; anything else is a mistake.
        if all(detail["type"] == "value_error" for detail in error.errors(include_url=False)):
            return tuple(findings)
        name = self.grid.backend.name
        raise ConfigInvalid(
            findings, hint=f"`llem schema --backend {name}` describes every key."
        ) from None

    def _judged(self, number: int, sections: dict[str, _Section]) -> Point:
        refusals = [finding for one in sections.values() for finding in one.refusals]
        if refusals:
            return Point(number, None, tuple(refusals))
        values = {name: one.value for name, one in sections.items()}
        experiment = self._blank.model_copy(update=values)
        found = self._rulings.on(experiment)
        return Point(number, None, found) if found else Point(number, experiment)

    def _source(self, choices: Sequence[AxisValue]) -> Source:
        """Return where each part of a point comes from."""
        origins = dict(self._origins)
        for choice in choices:
            for path, _ in leaves(choice.config):
                origins[path] = choice.origin
        return Source({}, origins)


def _located(finding: Finding, source: Source) -> Finding:
    return replace(finding, origin=source.origin(tuple(finding.path.split("."))))
