"""Put a study's file, flags and overrides together, and find its grids."""

from __future__ import annotations

import difflib
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llem.config.load import apply_overrides, resolve_backend
from llem.config.messages import format_value
from llem.config.redact import redact
from llem.config.source import Source, read_file
from llem.errors import Finding, counted
from llem.registry import Registry
from llem.study.axes import (
    Axis,
    AxisValue,
    leaves,
    partial,
    read_axes,
    refusal,
    refuse_own_keys,
    without,
)
from llem.study.grid import Grid, Point
from llem.study.study_file import StudySettings, merged, take_settings, with_extended

MAX_POINTS = 100_000
"""A larger study is refused before any point is made; this many plan in about half a minute."""


@dataclass(frozen=True)
class LoadedStudy:
    """A study whose points can be made.

    Attributes:
        name: Its name.
        settings: How its points are run.
        grids: Its points, by backend.
        document: Everything that its file, flags and overrides say, without secrets.
    """

    name: str
    settings: StudySettings
    grids: tuple[Grid, ...]
    document: Mapping[str, Any]

    def __len__(self) -> int:
        return sum(map(len, self.grids))

    def __iter__(self) -> Iterator[Point]:
        """Make all points in order; none of them is kept.

        Raises:
            ConfigInvalid: A key or value is not allowed in any combination.
        """
        for grid in self.grids:
            yield from grid

    def point(self, number: int) -> Point:
        """Make the point that has this number."""
        return self._grid_of(number).point(number)

    def differences(self, number: int) -> dict[str, Any]:
        """Return what tells a point from the others: field and value, the backend if several."""
        grid = self._grid_of(number)
        backend = {"backend": grid.backend.name} if len(self.grids) > 1 else {}
        return {**backend, **grid.settings(number)}

    def origin(self, number: int, field: str) -> str:
        """Return where a point sets ``field``, or the section around it; empty if it does not."""
        for choice in self._grid_of(number).choices(number):
            for path, _ in leaves(choice.config):
                if f"{field}.".startswith(f"{'.'.join(map(str, path))}."):
                    return choice.origin
        return ""

    def _grid_of(self, number: int) -> Grid:
        return self.grids[bisect_right(self.grids, number, key=lambda grid: grid.offset) - 1]


def load_study(
    registry: Registry,
    *,
    file: Path | Source,
    overrides: Sequence[str] = (),
    backend: str | None = None,
    model: str | None = None,
) -> LoadedStudy:
    """Read the study in ``file``; its points are made when they are asked for.

    A flag lies over the base, ``--set`` over both; what an axis sets lies over all of them.

    Args:
        registry: The installed plugins.
        file: YAML or JSON file, or what was read from it.
        overrides: ``a.b=c`` each, in order.
        backend: Value of ``--backend``.
        model: Value of ``--model``.

    Raises:
        ConfigError: The study is refused.
        BackendUnavailable: A backend of it cannot be used.
    """
    source = with_extended(read_file(file) if isinstance(file, Path) else file)
    several = "backends" in source.data
    apply_overrides(source, overrides, None if several else backend, model)
    document = redact(source.data)
    settings = take_settings(source)
    partials, warnings = _backends(source, registry)
    if several and backend is not None:
        if backend not in partials:
            raise refusal(source, ("backends",), f"{backend} is none of the study's backends")
        partials = {backend: partials[backend]}
    axes = read_axes(source)
    cartesian = bool(axes) or "experiments" not in source.data
    explicit = _explicit(source, list(partials))
    _check_pruned(source, settings, [*axes, *explicit])
    grids: list[Grid] = []
    points = 0
    for name, config in partials.items():
        others = [other for other in partials if other != name]
        data = {**without(merged(source.data, config), others), "backend": name}
        grid = Grid(
            registry=registry,
            backend=registry.backend(name),
            base=replace(source, data=data),
            axes=tuple(mine for axis in axes if (mine := axis.on(name, others)) is not None),
            explicit=tuple(_of_backend(explicit, name, others)),
            cartesian=cartesian,
            offset=points,
            warnings=warnings,
        )
        grids.append(grid)
        points += len(grid)
    if points == 0:
        raise refusal(source, ("experiments",), "the study has no points")
    if points > MAX_POINTS:
        message = f"the study has {counted(points, 'point')}, more than {MAX_POINTS:,}"
        hint = "Narrow an axis, or divide the study."
        raise refusal(source, ("sweep",), message, hint=hint)
    name = settings.name or _name_of(None if source.is_stream else source.file)
    return LoadedStudy(name, settings, tuple(grids), document)


def _check_pruned(
    source: Source, settings: StudySettings, varied: Sequence[Axis | AxisValue]
) -> None:
    """Check that only fields are pruned that the study varies.

    Raises:
        ConfigInvalid: `study.failures.prune` names another one.
    """
    paths = (
        each.fields if isinstance(each, Axis) else [path for path, _ in leaves(each.config)]
        for each in varied
    )
    known = {".".join(map(str, path)) for of_axis in paths for path in of_axis}
    for name in settings.failures.prune:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            message = f"no axis varies {format_value(name, ('prune',))}"
            listed = f"Varied here: {', '.join(sorted(known)) or 'nothing'}."
            hint = f"Did you mean {near[0]}?" if near else listed
            raise refusal(source, ("study", "failures", "prune"), message, hint=hint)


def _name_of(file: Path | None) -> str:
    """Return the name of a study that has none of its own."""
    stem = "" if file is None else file.stem
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_") or "study"


def _backends(
    source: Source, registry: Registry
) -> tuple[dict[str, Mapping[str, Any]], tuple[Finding, ...]]:
    """Take `backends` out of ``source``: what each backend of the study lays over the base.

    Returns:
        Partial configs by backend, and a warning if the only backend was chosen by llem.

    Raises:
        ConfigInvalid: They are not written as a list of names or a section for each.
        BackendUnavailable: A backend among them cannot be used.
    """
    given = source.data.pop("backends", None)
    if given is None:
        chosen, warnings = resolve_backend(registry, source)
        return {chosen.name: {}}, warnings
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
        refuse_own_keys(source, where, partials[name])
        for path, _ in leaves(partials[name]):
            source.origins.setdefault(path, source.origin((*where, *path)))
    return partials, ()


def _explicit(source: Source, backends: Sequence[str]) -> list[AxisValue]:
    """Take `experiments` out of ``source``.

    Raises:
        ConfigInvalid: They are not a list of partial configs of the study's backends.
    """
    given = source.data.pop("experiments", [])
    if not isinstance(given, list):
        raise refusal(source, ("experiments",), "must be a list of partial configs")
    explicit = [partial(source, ("experiments", at), config) for at, config in enumerate(given)]
    for at, choice in enumerate(explicit):
        if (name := choice.config.get("backend", backends[0])) not in backends:
            message = f"{name} is none of the study's backends, {', '.join(backends)}"
            raise refusal(source, ("experiments", at), message)
    return explicit


def _of_backend(
    explicit: Sequence[AxisValue], backend: str, others: Sequence[str]
) -> Iterator[AxisValue]:
    """Yield what ``backend`` has of the experiments that the study lists."""
    for choice in explicit:
        if choice.config.get("backend", backend) == backend:
            yield AxisValue(without(choice.config, others), choice.origin)
