"""Refuse experiments that cannot work, before a worker is started."""

from __future__ import annotations

from collections.abc import Sequence

from llem.api.capability import HostInfo
from llem.config.load import LoadedExperiment
from llem.config.rule_checks import unmet_conditions
from llem.errors import ConfigInvalid, Finding, PluginBroken
from llem.schema.call_plan import CallPlan
from llem.schema.experiment import Experiment
from llem.workload.shape_folder import shape_folder


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


def preflight(loaded: LoadedExperiment, host: HostInfo) -> Sequence[Finding]:
    """Check backend, engine and machine; return the warnings.

    Raises:
        PluginBroken: The plugin offers no session, so it cannot measure.
        EngineMissing: The engine is not installed where the worker would run.
        ConfigInvalid: The backend refuses the experiment on this machine.
    """
    backend = loaded.backend
    if not backend.offers("llem_measurement"):
        raise PluginBroken(
            f"backend {backend.name!r} cannot measure: "
            f"{backend.distribution} {backend.version} offers no session",
            hint="Its config can be checked and explained; running it needs a newer version.",
        )
    if loaded.experiment.runner.python is None:
        backend.require_engine()
    return review(loaded, host)


def review(loaded: LoadedExperiment, host: HostInfo) -> Sequence[Finding]:
    """Check the experiment against this machine, and let the backend check it; return the warnings.

    Raises:
        ConfigInvalid: The experiment is refused.
    """
    experiment = loaded.experiment
    findings = [
        *loaded.warnings,
        *unmet_conditions(experiment, host),
        *loaded.backend.review(experiment, host),
    ]
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise ConfigInvalid(errors)
    return findings
