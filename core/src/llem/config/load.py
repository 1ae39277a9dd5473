"""Put file, flags and overrides together and validate them against one backend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from llem.api.config import Experiment
from llem.api.errors import BackendUnavailable, ConfigInvalid
from llem.api.finding import Finding
from llem.config.messages import findings_of
from llem.config.model_files import missing_model
from llem.config.narrow import default_experiment, experiment_model
from llem.config.overrides import apply_override, assign
from llem.config.rules import remarks, violations
from llem.config.source import Source, read_file
from llem.registry import Backend, Registry


@dataclass(frozen=True, slots=True)
class LoadedExperiment:
    """A validated experiment and what belongs to it.

    Attributes:
        experiment: The experiment; its type carries the backend's own section.
        backend: The backend that runs it.
        base_dir: Folder that relative paths in it start from.
        warnings: What is allowed and worth knowing.
    """

    experiment: Experiment
    backend: Backend
    base_dir: Path
    warnings: tuple[Finding, ...] = ()


def load_experiment(
    registry: Registry,
    *,
    file: Path | None,
    overrides: Sequence[str] = (),
    backend: str | None = None,
    model: str | None = None,
) -> LoadedExperiment:
    """Validate the experiment that the user means.

    A flag wins over the file, and ``--set`` over both. Without a file it is the embedded
    default; without a backend it is the installed one.

    Args:
        registry: The installed plugins.
        file: YAML or JSON file, or ``None``.
        overrides: ``a.b=c`` each, in order.
        backend: Value of ``--backend``.
        model: Value of ``--model``.

    Raises:
        ConfigError: The experiment is refused; every problem is named.
        BackendUnavailable: Its backend cannot be used.
    """
    source = read_file(file) if file is not None else Source()
    for path, value in ((("backend",), backend), (("model", "id"), model)):
        if value is not None:
            assign(source, path, value, origin=f"--{path[0]} {value}")
    for override in overrides:
        apply_override(source, override)
    warnings = []
    if not isinstance(source.data.get("backend"), str):
        warnings += _choose_backend(registry, source)
    chosen = registry.backend(source.data["backend"])
    if file is None:
        source.data = _over_default(default_experiment(chosen.name), source.data)
    experiment = _validate(registry, chosen, source)
    warnings += remarks(experiment)
    base_dir = file.parent if file is not None else Path()
    return LoadedExperiment(experiment, chosen, base_dir, tuple(warnings))


def _validate(registry: Registry, backend: Backend, source: Source) -> Experiment:
    model = experiment_model(backend)
    try:
        experiment = model.model_validate(source.data)
    except ValidationError as error:
        names = {plugin.name for plugin in registry.plugins}
        raise ConfigInvalid(findings_of(error, model, source, names)) from None
    findings = list(violations(experiment, backend.info))
    if (missing := missing_model(experiment.model)) is not None:
        findings.append(missing)
    if findings:
        raise ConfigInvalid([_located(finding, source) for finding in findings])
    return experiment


def _located(finding: Finding, source: Source) -> Finding:
    return replace(finding, origin=source.origin(tuple(finding.path.split("."))))


def _choose_backend(registry: Registry, source: Source) -> list[Finding]:
    """Set the backend to an installed one whose engine can be used, and say so if it is a choice.

    A backend without an engine measures nothing real, so it must be asked for by name.

    Raises:
        ConfigInvalid: The backend given is not a name.
        BackendUnavailable: There is none.
    """
    if source.data.get("backend") is not None:
        value = source.data["backend"]
        finding = Finding("backend-name", f"{value!r} is not a name", path="backend")
        raise ConfigInvalid([_located(finding, source)])
    installed = registry.backends()
    usable = [
        one.name
        for one in installed
        if (status := one.engine_status()) is not None
        and status.supported
        and one.offers("llem_measurement")
    ]
    if not usable:
        raise BackendUnavailable(
            "no backend with an engine is installed", hint=_how_to_get_one(installed)
        )
    source.data["backend"] = usable[0]
    if len(usable) == 1:
        return []
    message = f"chose {usable[0]!r} among {', '.join(usable)}; name one with --backend"
    return [Finding("backend-chosen", message, severity="warning", path="backend")]


def _how_to_get_one(installed: Sequence[Backend]) -> str:
    ways = [
        f"for {one.name}: {one.info.engine.install}"
        for one in installed
        if one.info.engine is not None and one.info.engine.install
    ]
    without_engine = [one.name for one in installed if one.info.engine is None]
    ways += [f"to try llem without one: --backend {name}" for name in without_engine]
    return "; ".join(ways) or "Install a backend plugin."


def _over_default(default: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return ``data`` with what it leaves open taken from ``default``, section by section."""
    merged = {**default, **data}
    for key in default.keys() & data.keys():
        if isinstance(default[key], dict) and isinstance(data[key], dict):
            # Another source of prompts has other fields.
            alike = data[key].get("source", "synthetic") == default[key].get("source", "synthetic")
            merged[key] = _over_default(default[key], data[key]) if alike else data[key]
    return merged
