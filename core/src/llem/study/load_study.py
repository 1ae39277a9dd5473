"""Put a study's file, flags and overrides together, and find its grids."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from llem.config.load import LoadedExperiment, apply_overrides, resolve_backend
from llem.config.messages import findings_of
from llem.config.redact import redact
from llem.config.source import Source
from llem.errors import ConfigInvalid
from llem.schema.base import FrozenModel
from llem.study.axes import AxisValue, leaves, partial, read_axes, refusal, without
from llem.study.grid import Grid
from llem.study.points import Point, Points
from llem.study.settings import StudySettings
from llem.study.study_file import merged, read_study

if TYPE_CHECKING:
    from llem.registry import Registry

MAX_POINTS = 500_000
"""A study of more points is refused before any of them is made."""


class _StudyFile(FrozenModel):
    study: StudySettings = StudySettings()


@dataclass(frozen=True)
class LoadedStudy:
    """A study whose points can be made.

    Attributes:
        name: Its name.
        settings: How its points are run.
        grids: Its points, by backend.
        base_dir: Folder that relative paths of prompt files start from.
        document: All that its file, flags and overrides say, without secrets.
    """

    name: str
    settings: StudySettings
    grids: tuple[Points, ...]
    base_dir: Path
    document: Mapping[str, Any]

    def __len__(self) -> int:
        return sum(len(points.grid) for points in self.grids)

    def __iter__(self) -> Iterator[Point]:
        """Make all points in order; none of them is kept.

        Raises:
            ConfigInvalid: A key or value is not allowed whatever the others are.
        """
        for points in self.grids:
            yield from points

    def loaded(self, number: int) -> LoadedExperiment:
        """Return the experiment of a point that is not refused."""
        return self.of(number).loaded(number, self.base_dir)

    def of(self, number: int) -> Points:
        """Return the points among which ``number`` is."""
        return self.grids[bisect_right(self._offsets, number) - 1]

    def differences(self, number: int) -> dict[str, Any]:
        """Return what tells a point from the others: field and value, the backend if several."""
        points = self.of(number)
        backend = {"backend": points.grid.backend.name} if len(self.grids) > 1 else {}
        return {**backend, **points.grid.settings(number - points.offset)}

    @cached_property
    def _offsets(self) -> list[int]:
        return [points.offset for points in self.grids]


def load_study(
    registry: Registry,
    *,
    file: Path,
    overrides: Sequence[str] = (),
    backend: str | None = None,
    model: str | None = None,
) -> LoadedStudy:
    """Read the study in ``file``; its points are made when they are asked for.

    A flag lies over the base, ``--set`` over both; what an axis sets lies over all of them.

    Args:
        registry: The installed plugins.
        file: YAML or JSON file.
        overrides: ``a.b=c`` each, in order.
        backend: Value of ``--backend``.
        model: Value of ``--model``.

    Raises:
        ConfigError: The study is refused.
        BackendUnavailable: A backend of it cannot be used.
    """
    source = read_study(file)
    several = "backends" in source.data
    apply_overrides(source, overrides, None if several else backend, model)
    document = redact(source.data)
    settings = _settings(source)
    partials = _backends(source, registry)
    if several and backend is not None:
        if backend not in partials:
            raise refusal(source, ("backends",), f"{backend} is none of the study's backends")
        partials = {backend: partials[backend]}
    axes = read_axes(source)
    crossed = bool(axes) or "experiments" not in source.data
    singles = _singles(source, list(partials))
    grids: list[Points] = []
    offset = 0
    for name, config in partials.items():
        others = [other for other in partials if other != name]
        grid = Grid(
            backend=registry.backend(name),
            base={**without(merged(source.data, config), others), "backend": name},
            axes=tuple(one for axis in axes if (one := axis.on(name, others)) is not None),
            singles=tuple(_of_backend(singles, name, others)),
            crossed=crossed,
        )
        grids.append(Points(grid, source.origins, registry, offset=offset))
        offset += len(grid)
    if offset == 0:
        raise refusal(source, ("experiments",), "the study has no points")
    if offset > MAX_POINTS:
        message = f"the study has {offset:,} points, more than {MAX_POINTS:,}"
        hint = "Narrow an axis, or divide the study."
        raise refusal(source, ("sweep",), message, hint=hint)
    name = settings.name or re.sub(r"[^A-Za-z0-9_-]+", "-", file.stem).strip("-_") or "study"
    return LoadedStudy(name, settings, tuple(grids), file.parent, document)


def _settings(source: Source) -> StudySettings:
    """Take the `study` section out of ``source`` and validate it.

    Raises:
        ConfigInvalid: It has keys or values that are not allowed.
    """
    section = source.data.pop("study", None)
    document = {} if section is None else {"study": section}
    try:
        return _StudyFile.model_validate_json(json.dumps(document), strict=True).study
    except ValidationError as error:
        raise ConfigInvalid(findings_of(error, _StudyFile, source)) from None


def _backends(source: Source, registry: Registry) -> dict[str, Mapping[str, Any]]:
    """Take `backends` out of ``source``: what each backend of the study lays over the base.

    Raises:
        ConfigInvalid: They are not written as a list of names or a section for each.
        BackendUnavailable: One of them cannot be used.
    """
    given = source.data.pop("backends", None)
    if given is None:
        chosen, _ = resolve_backend(registry, source)
        return {chosen.name: {}}
    if "backend" in source.data:
        raise refusal(source, ("backend",), "backend and backends exclude each other")
    if isinstance(given, list):
        given = {name if isinstance(name, str) else "": None for name in given}
    if not isinstance(given, dict) or not given or not all(given):
        raise refusal(source, ("backends",), "must be a list of names, or a section for each")
    partials = {}
    for name, config in given.items():
        registry.backend(name)
        where = ("backends", name)
        partials[name] = partial(source, where, {} if config is None else config).config
        for path, _ in leaves(partials[name]):
            source.origins.setdefault(path, source.origin((*where, *path)))
    return partials


def _singles(source: Source, backends: Sequence[str]) -> list[AxisValue]:
    """Take `experiments` out of ``source``.

    Raises:
        ConfigInvalid: They are not a list of partial configs of the study's backends.
    """
    given = source.data.pop("experiments", [])
    if not isinstance(given, list):
        raise refusal(source, ("experiments",), "must be a list of partial configs")
    singles = [partial(source, ("experiments", at), one) for at, one in enumerate(given)]
    for at, single in enumerate(singles):
        if (name := single.config.get("backend", backends[0])) not in backends:
            message = f"{name} is none of the study's backends, {', '.join(backends)}"
            raise refusal(source, ("experiments", at), message)
    return singles


def _of_backend(
    singles: Sequence[AxisValue], backend: str, others: Sequence[str]
) -> Iterator[AxisValue]:
    """Yield what ``backend`` has of the experiments that are listed one by one."""
    for single in singles:
        if single.config.get("backend", backend) == backend:
            yield AxisValue(without(single.config, others), single.origin)
