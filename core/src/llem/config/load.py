"""Merge file, flags and overrides, and validate them against one backend."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from llem.config.defaults import (
    choose_backend,
    default_experiment,
    experiment_model,
    merge_defaults,
)
from llem.config.messages import findings_of, format_value
from llem.config.model_files import is_folder, model_problems
from llem.config.overrides import apply_override
from llem.config.rule_checks import rule_errors, rule_warnings, wrong_codes
from llem.config.source import Source, read_file
from llem.errors import ConfigInvalid, Finding, RuleBroken, UnknownBackend
from llem.schema.base import FrozenModel
from llem.schema.experiment import Experiment, ModelConfig
from llem.schema.measurement import MeasurementConfig

if TYPE_CHECKING:
    from llem.registry import Backend, Registry


def digest(experiment: Experiment) -> str:
    """Return the SHA-256 of the experiment's canonical JSON, in hexadecimal.

    Name and preset are left out: neither label changes what is measured, and the values that the
    preset filled in are part of the document.
    """
    document = experiment.model_dump(mode="json", exclude={"name": True, "decoder": {"preset"}})
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


class _Section(FrozenModel):
    measurement: MeasurementConfig = MeasurementConfig()


def load_measurement(
    overrides: Sequence[str], *, meters: Sequence[str] = (), sample_period_s: float | None = None
) -> MeasurementConfig:
    """Validate a measurement section given by options.

    Args:
        overrides: ``measurement.key=value`` each, in order; they win over the rest.
        meters: Names of meters; empty for every one that works here.
        sample_period_s: Time between two readings, or ``None`` for the default.

    Raises:
        ConfigInvalid: A key or value is not allowed; every problem is named.
    """
    source = Source()
    if meters:
        source.assign(("measurement", "meters"), list(meters), "--meters")
    if sample_period_s is not None:
        source.assign(("measurement", "sample_period_s"), sample_period_s, "--period")
    for override in overrides:
        apply_override(source, override)
    try:
        section = _Section.model_validate_json(json.dumps(source.data), strict=True).measurement
    except ValidationError as error:
        raise ConfigInvalid(findings_of(error, _Section, source)) from None
    if problems := list(wrong_codes(section.thresholds.allow)):
        raise ConfigInvalid([_located(problem, source) for problem in problems])
    return section


@dataclass(frozen=True, slots=True)
class LoadedExperiment:
    """A validated experiment and what belongs to it.

    Attributes:
        experiment: The experiment; its type carries the backend's own section.
        backend: The backend that runs it.
        base_dir: Folder that relative paths of prompt files start from.
        warnings: Findings of severity ``warning``.
        source: Keys and values it was made of, and where each of them stands.
    """

    experiment: Experiment
    backend: Backend
    base_dir: Path
    warnings: tuple[Finding, ...] = ()
    source: Source = field(default_factory=Source)

    def located(self, finding: Finding) -> Finding:
        """Return ``finding`` with the place in the file of what it is about."""
        return finding if finding.origin else _located(finding, self.source)


def load_experiment(
    registry: Registry,
    *,
    file: Path | Source | None,
    overrides: Sequence[str] = (),
    backend: str | None = None,
    model: str | None = None,
) -> LoadedExperiment:
    """Validate an experiment from a file, flags and overrides.

    A flag wins over the file, and ``--set`` over both. No file means the embedded default; no
    backend means the installed one.

    Args:
        registry: The installed plugins.
        file: YAML or JSON file, or what was read from it; ``None`` for the embedded default.
        overrides: ``a.b=c`` each, in order.
        backend: Value of ``--backend``.
        model: Value of ``--model``.

    Raises:
        ConfigError: The experiment is refused; every problem is named.
        BackendUnavailable: Its backend cannot be used.
    """
    source = read_file(file) if isinstance(file, Path) else file or Source()
    apply_overrides(source, overrides, backend, model)
    chosen, warnings = resolve_backend(registry, source)
    source.data["backend"] = chosen.name
    if file is None:
        source.data = merge_defaults(default_experiment(chosen.name), source.data)
    return validate_source(registry, chosen, source, warnings)


def validate_source(
    registry: Registry, backend: Backend, source: Source, warnings: Sequence[Finding] = ()
) -> LoadedExperiment:
    """Return the experiment that ``source`` describes: a single one, or a point of a study.

    Args:
        registry: The installed plugins, to tell the section of another backend from a mistake.
        backend: The backend that ``source`` names.
        source: All keys and values of the experiment.
        warnings: Remarks of earlier steps, which the experiment keeps.

    Raises:
        RuleBroken: Keys and values are allowed, but their combination is not.
        ConfigInvalid: A key or value is not allowed.
    """
    experiment = _parse(registry, backend, source)
    model = _expand_user(experiment.model)
    if model is not experiment.model:
        experiment = experiment.model_copy(update={"model": model})
    problems = (*rule_errors(experiment, backend.info), *model_problems(model))
    if problems:
        raise RuleBroken([_located(problem, source) for problem in problems])
    remarks = tuple(_located(remark, source) for remark in rule_warnings(experiment))
    warnings = (*warnings, *remarks)
    return LoadedExperiment(experiment, backend, source.base_dir, warnings, source)


def apply_overrides(
    source: Source, overrides: Sequence[str], backend: str | None, model: str | None
) -> None:
    """Set flags in ``source``, then overrides, which win over flags.

    Raises:
        ConfigError: An override names a key inside a plain value.
    """
    if backend is not None:
        source.assign(("backend",), backend, "--backend")
    if model is not None:
        source.assign(("model", "id"), model, "--model")
    for override in overrides:
        apply_override(source, override)
    # A section that is empty, or whose keys are all commented out, takes the defaults.
    source.data = {key: value for key, value in source.data.items() if value is not None}


def resolve_backend(registry: Registry, source: Source) -> tuple[Backend, tuple[Finding, ...]]:
    """Return the backend that ``source`` names, or the default with a warning.

    Raises:
        ConfigInvalid: The value of ``backend`` is not a text.
        BackendUnavailable: The backend cannot be used, or none is installed.
    """
    name = source.data.get("backend")
    if name is None:
        return choose_backend(registry.backends())
    if not isinstance(name, str):
        finding = Finding(
            code="wrong-value",
            message=f"must be the name of a backend, not {format_value(name, ('backend',))}",
            path="backend",
            hint=f"Installed: {', '.join(candidate.name for candidate in registry.backends())}.",
        )
        raise ConfigInvalid([_located(finding, source)])
    try:
        return registry.backend(name), ()
    except UnknownBackend as error:
        message = f"{source.origin(('backend',))}: {error.message}"
        raise UnknownBackend(message, hint=error.hint) from None


def _parse(registry: Registry, backend: Backend, source: Source) -> Experiment:
    """Return the typed experiment; the rules have not been checked.

    Raises:
        RuleBroken: A section refuses a combination of its values.
        ConfigInvalid: It has keys or values that are not allowed.
    """
    model = experiment_model(backend)
    try:
        # Strict, because a lax model takes `requests: yes` for 1; as JSON, because a strict
        # model wants a tuple where JSON and YAML have lists only.
        return model.model_validate_json(json.dumps(source.data), strict=True)
    except ValidationError as error:

        def others() -> set[str]:
            return {other.name for other in registry.backends()} - {backend.name}

        findings = findings_of(error, model, source, others)
        details = error.errors(include_url=False)
        refused = all(detail["type"] == "value_error" for detail in details)
        raise (RuleBroken if refused else ConfigInvalid)(
            findings, hint=f"`llem schema --backend {backend.name}` describes every key."
        ) from None


def _expand_user(model: ModelConfig) -> ModelConfig:
    """Return ``model`` with ``~`` in its folder expanded, which no engine does."""
    if not model.id.startswith("~") or not is_folder(model.id):
        return model
    return model.model_copy(update={"id": str(Path(model.id).expanduser())})


def _located(finding: Finding, source: Source) -> Finding:
    return replace(finding, origin=source.origin(tuple(finding.path.split("."))))
