"""Refuse what cannot work before anything is started."""

from __future__ import annotations

from collections.abc import Sequence

from llem.api.errors import ConfigInvalid, PluginBroken
from llem.api.facts import HostFacts
from llem.api.finding import Finding
from llem.config.judge import unfit
from llem.config.load import LoadedExperiment


def preflight(loaded: LoadedExperiment, facts: HostFacts) -> Sequence[Finding]:
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
    return review(loaded, facts)


def review(loaded: LoadedExperiment, facts: HostFacts) -> Sequence[Finding]:
    """Judge the experiment on this machine, and let the backend do so; return the warnings.

    Raises:
        ConfigInvalid: It is refused.
    """
    experiment = loaded.experiment
    findings = [
        *loaded.warnings,
        *unfit(experiment, facts),
        *loaded.backend.review(experiment, facts),
    ]
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise ConfigInvalid(errors)
    return findings
