"""From the points of a study to its runs: refused ones, duplicates, order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from llem.errors import ConfigError, ConfigInvalid, Finding
from llem.schema.experiment import Experiment
from llem.study.identity import Identities
from llem.study.load_study import LoadedStudy
from llem.study.order import Place, arrange, balanced_after


class RefusedPoint(NamedTuple):
    """A point that is not run.

    Attributes:
        number: Its position in the study.
        rule: Name of the first rule that refuses it.
    """

    number: int
    rule: str


class Run(NamedTuple):
    """One run of a study.

    Attributes:
        id: Its id; names its folder, its journal entries and its outcome.
        experiment: Number of its experiment.
        place: Where it stands in the order.
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
        least_s: Time that idle metering and the shortest windows take, all runs together.
        most_s: The same with the longest warm-up and windows, loading not included.
    """

    study: LoadedStudy
    refused: Sequence[RefusedPoint]
    experiments: dict[str, list[int]]
    loads: dict[str, str]
    least_s: float
    most_s: float

    @property
    def duplicates(self) -> int:
        """Points that are the same experiment as an earlier one."""
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

    def settings(self, experiment: int) -> list[dict[str, Any]]:
        """Return what tells an experiment apart, for each of its points."""
        return [self.study.differences(point) for point in self.experiments[self.ids[experiment]]]

    def refusals(self, point: RefusedPoint) -> Sequence[Finding]:
        """Return why a point is refused, with file and line."""
        points = self.study.of(point.number)
        made = points.point(point.number)
        if made.experiment is None:
            return points.located(made)
        return [_refusal_of_plan(points.grid.backend.build_plan, made.experiment)]

    def remarks(self) -> Iterator[str]:
        """Yield what is worth knowing about the design."""
        settings, number = self.study.settings, len(self.experiments)
        if settings.order == "latin-square" and number > 1:
            passes = balanced_after(number)
            if settings.repeats % passes:
                yield (
                    f"a Latin square of {number} experiments is balanced after {passes} repeats, "
                    f"not after {settings.repeats}"
                )

    def _run_id(self, place: Place) -> str:
        id = self.ids[place.experiment]
        return id if self.study.settings.repeats == 1 else f"{id}-r{place.repeat + 1}"


def plan_study(study: LoadedStudy) -> StudyPlan:
    """Make all points, and find out which are refused and which are the same experiment.

    Raises:
        ConfigInvalid: Every point is refused, or a config is wrong whatever the others are.
    """
    identities = Identities()
    refused: list[RefusedPoint] = []
    experiments: dict[str, list[int]] = {}
    loads: dict[str, str] = {}
    reuse = study.settings.reuse == "model"
    least_s = most_s = 0.0
    for points in study.grids:
        backend = points.grid.backend
        for point in points:
            if point.experiment is None:
                refused.append(RefusedPoint(point.number, point.refusals[0].code))
                continue
            try:
                id, load = identities.of(backend, point.experiment, with_load=reuse)
            except ConfigError as error:
                refused.append(RefusedPoint(point.number, error.code))
                continue
            if id in experiments:
                experiments[id].append(point.number)
                continue
            experiments[id] = [point.number]
            if load:
                loads[id] = load
            measurement = point.experiment.measurement
            idle_s = measurement.baseline.bare_s + measurement.baseline.loaded_s
            least_s += idle_s + measurement.min_duration_s
            most_s += idle_s + measurement.warmup.max_duration_s + measurement.max_duration_s
    repeats = study.settings.repeats
    plan = StudyPlan(study, refused, experiments, loads, repeats * least_s, repeats * most_s)
    if not experiments:
        raise _all_refused(plan)
    return plan


def _all_refused(plan: StudyPlan) -> ConfigInvalid:
    """Return the error that shows one refused point for each rule."""
    counts = Counter(point.rule for point in plan.refused)
    first = {point.rule: point for point in reversed(plan.refused)}
    findings = [finding for rule in counts for finding in plan.refusals(first[rule])]
    rules = ", ".join(f"{rule} ({count:,})" for rule, count in counts.most_common())
    return ConfigInvalid(findings, hint=f"All {len(plan.refused):,} points are refused: {rules}.")


def _refusal_of_plan(build: Any, experiment: Experiment) -> Finding:
    try:
        build(experiment)
    except ConfigError as error:
        return Finding(error.code, error.message, hint=error.hint)
    return Finding("refused", "the backend refused it when the study was planned")
