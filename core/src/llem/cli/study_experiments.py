"""The experiments of a study file, for commands that show each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from llem.cli.run_study import LoadOptions

if TYPE_CHECKING:
    from llem.config import LoadedExperiment
    from llem.registry import Registry
    from llem.study.plan import StudyPlan


def planned_study(registry: Registry, options: LoadOptions) -> StudyPlan:
    """Return the plan of a study file.

    Raises:
        ConfigInvalid: Every point is refused, or a config is wrong whatever the others are.
    """
    from llem.config.study import load_study
    from llem.study.plan import plan_study

    return plan_study(load_study(registry, **options._asdict()))


def experiments(plan: StudyPlan) -> Iterator[tuple[str, str, LoadedExperiment]]:
    """Yield each experiment once: its id, what tells it apart, and the experiment."""
    from llem.study.overview import label

    for id, points in plan.experiments.items():
        yield id, label(plan.study.differences(points[0])), plan.study.loaded(points[0])
