"""From the points of a study to its runs: refused points, duplicates, order."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from llem.errors import ConfigError, ConfigInvalid, Finding, counted, findings_of_error
from llem.process.workers import load_key
from llem.registry import Backend
from llem.run.baseline import CHECK_S
from llem.schema.call_plan import CallPlan
from llem.schema.experiment import Experiment
from llem.schema.fields import flat
from llem.schema.measurement import MeasurementConfig
from llem.study.grid import Point
from llem.study.load_study import LoadedStudy
from llem.study.order import Place, arrange, balanced_after

ID_DIGITS = 20
"""Hexadecimal digits of an experiment's id; 80 bits never collide in one store."""


class Run(NamedTuple):
    """One run of a study.

    Attributes:
        id: Its id; names its folder, its journal entries and its outcome.
        experiment: Number of its experiment.
        place: Its place in the order.
    """

    id: str
    experiment: int
    place: Place


@dataclass(frozen=True)
class StudyPlan:
    """What a study will run.

    Attributes:
        study: The study.
        refused: Points that rules refuse.
        experiments: The points of each experiment, by its id, in order of their first point.
        loads: What decides which experiments can share a worker, by id; empty without reuse.
        least_s: Time that idle metering, the shortest windows and the pauses take, all runs
            together.
        most_s: The same with the longest warm-up, windows and cooling down; loading not included.
    """

    study: LoadedStudy
    refused: Sequence[Point]
    experiments: dict[str, list[int]]
    loads: dict[str, str]
    least_s: float
    most_s: float

    @property
    def duplicates(self) -> int:
        """Points that are the same experiment as an earlier point."""
        return sum(len(points) - 1 for points in self.experiments.values())

    @property
    def run_count(self) -> int:
        """Number of runs."""
        return len(self.experiments) * self.study.settings.repeats

    @cached_property
    def ids(self) -> list[str]:
        """The ids of the experiments, in order."""
        return list(self.experiments)

    def runs(self) -> Iterator[Run]:
        """Yield the runs in their order."""
        settings = self.study.settings
        places = arrange(
            len(self.ids),
            settings.repeats,
            settings.order,
            seed=settings.seed,
            group=(lambda number: self.loads[self.ids[number]]) if self.loads else None,
        )
        for place in places:
            yield Run(self._run_id(place), place.experiment, place)

    def points(self, experiment: int) -> Sequence[int]:
        """Return the numbers of the points that are this experiment; the first point is run."""
        return self.experiments[self.ids[experiment]]

    def settings(self, experiment: int) -> list[dict[str, Any]]:
        """Return what tells an experiment apart, for each of its points."""
        return [self.study.differences(point) for point in self.points(experiment)]

    def remarks(self) -> Iterator[str]:
        """Yield what is worth knowing about the design."""
        settings, number = self.study.settings, len(self.experiments)
        if settings.order == "latin-square" and number > 1:
            passes = balanced_after(number)
            if settings.repeats % passes:
                yield (
                    f"a Latin square of {counted(number, 'experiment')} is balanced after "
                    f"{counted(passes, 'repeat')}, not after {settings.repeats}"
                )

    def _run_id(self, place: Place) -> str:
        id = self.ids[place.experiment]
        # The first repeat has the id of a single run, so that repeats can be added later.
        return id if place.repeat == 0 else f"{id}-r{place.repeat + 1}"


def plan_study(study: LoadedStudy) -> StudyPlan:
    """Make all points; find the refused ones, and those that are the same experiment.

    Raises:
        ConfigInvalid: Every point is refused, or a config is wrong in any combination.
    """
    refused: list[Point] = []
    experiments: dict[str, list[int]] = {}
    loads: dict[str, str] = {}
    measured: dict[str, Experiment] = {}
    for point in study:
        if point.loaded is None:
            refused.append(point)
            continue
        backend, experiment = point.loaded.backend, point.loaded.experiment
        try:
            # A shape keeps its name here: the folder it is written to differs between machines.
            plan = backend.build_plan(experiment)
        except ConfigError as error:
            refused.append(Point(point.number, None, findings_of_error(error)))
            continue
        id = experiment_id(backend, experiment, plan)
        if id in experiments:
            _refuse_other_measurement(study, experiments[id][0], measured[id], point)
            experiments[id].append(point.number)
            continue
        experiments[id], measured[id] = [point.number], experiment
        if study.settings.reuse == "model":
            loads[id] = _digest(load_key(backend, plan, experiment.runner))
    if not experiments:
        raise _all_refused(refused)
    measurements = [experiment.measurement for experiment in measured.values()]
    return StudyPlan(study, refused, experiments, loads, *_duration_s(study, measurements))


def _refuse_other_measurement(
    study: LoadedStudy, first: int, measured: Experiment, point: Point
) -> None:
    """Check that a point that is the experiment of another point is measured like it.

    Raises:
        ConfigInvalid: It asks for another measurement, which no run would make.
    """
    assert point.loaded is not None
    experiment = point.loaded.experiment
    if (experiment.name, experiment.measurement) == (measured.name, measured.measurement):
        return
    before, now = (
        dict(flat(each.model_dump(include=_MEASURING))) for each in (measured, experiment)
    )
    field = next(path for path in {**before, **now} if before.get(path) != now.get(path))
    finding = Finding(
        code="same-experiment",
        message=f"points {first} and {point.number} are the same experiment, which is measured "
        "once, and they differ in how",
        path=field,
        hint="Vary what changes the engine's calls, the workload or the runner, or measure in "
        "another study.",
        origin=study.origin(point.number, field),
    )
    raise ConfigInvalid([finding])


_MEASURING = {"name", "measurement"}
"""Keys of an experiment that are no part of its identity."""


def _duration_s(
    study: LoadedStudy, measurements: Sequence[MeasurementConfig]
) -> tuple[float, float]:
    """Return the least and the most time of all runs, pauses included, loading not."""
    settings = study.settings
    least_s = most_s = 0.0
    for number, measurement in enumerate(measurements):
        baseline, repeats = measurement.baseline, settings.repeats
        idle_s = repeats * (baseline.loaded_s + baseline.after_s)
        bare_s, checks_s = repeats * baseline.bare_s, repeats * min(CHECK_S, baseline.reuse_s)
        # A kept worker's runs, and those that reuse idle power, may meter it only in the first.
        can_share = settings.reuse == "model" or baseline.reuse_s > 0
        shared_s = 0.0 if number else baseline.bare_s
        least_s += idle_s + (shared_s if can_share else bare_s)
        least_s += repeats * measurement.min_duration_s
        most_s += idle_s + bare_s + checks_s
        most_s += repeats * (measurement.warmup.max_duration_s + measurement.max_duration_s)
    runs = len(measurements) * settings.repeats
    passes = 1 if settings.order == "sequential" else settings.repeats
    pauses_s = (passes - 1) * settings.block_gap_s + (runs - passes) * settings.gap_s
    cooling_s = runs * settings.thermal.at_most_s if settings.thermal else 0.0
    return least_s + pauses_s, most_s + pauses_s + cooling_s


def experiment_id(backend: Backend, experiment: Experiment, plan: CallPlan) -> str:
    """Return a hash of call plan, workload and runner, and of nothing else.

    Two configs that come to the same calls on the same prompts in the same environment are one
    experiment.
    """
    parts = (
        backend.name,
        _canonical(plan.to_json()),
        _canonical(experiment.workload.model_dump(mode="json")),
        _canonical(_other_prompt_settings(experiment)),
        _canonical(experiment.runner.model_dump(mode="json")),
    )
    return _digest("\0".join(parts))


def _other_prompt_settings(experiment: Experiment) -> list[Any]:
    """Return what decides about prompts and lengths besides the workload's section."""
    longest = experiment.decoder.max_new_tokens
    if experiment.workload.source == "synthetic":
        return [longest]
    # A text becomes tokens by the model's tokenizer.
    model = experiment.model
    return [longest, model.id, model.revision, model.tokenizer, model.gguf_file]


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:ID_DIGITS]


def _all_refused(refused: Sequence[Point]) -> ConfigInvalid:
    """Return the error that shows one refused point for each rule."""
    counts = Counter(point.rule for point in refused)
    first = {point.rule: point for point in reversed(refused)}
    findings = [finding for rule in counts for finding in first[rule].refusals]
    rules = ", ".join(f"{rule} ({count:,})" for rule, count in counts.most_common())
    points = f"All {len(refused):,} points are" if len(refused) > 1 else "The only point is"
    return ConfigInvalid(findings, hint=f"{points} refused: {rules}.")
