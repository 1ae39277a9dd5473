"""From a validated experiment to the calls its worker will make."""

from __future__ import annotations

from llem.api.config import Experiment
from llem.api.plan import CallPlan
from llem.config.load import LoadedExperiment
from llem.shapes import shape_folder


def plan_for(loaded: LoadedExperiment) -> CallPlan:
    """Return the call plan of ``loaded``; nothing is written, imported or started."""
    return loaded.backend.build_plan(with_shape_folder(loaded.experiment))


def with_shape_folder(experiment: Experiment) -> Experiment:
    """Return ``experiment`` with a shape's name replaced by its folder and random weights."""
    if not experiment.model.is_shape:
        return experiment
    folder = str(shape_folder(experiment.model.id))
    model = experiment.model.model_copy(update={"id": folder, "weights": "random"})
    return experiment.model_copy(update={"model": model})
