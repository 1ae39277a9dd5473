"""The plugin under test, with its parts loaded once and shared by all checks."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pluggy
from pydantic_core import to_jsonable_python

from llem.api import hookspecs
from llem.config import experiment_model
from llem.config.load import LoadedExperiment, load_experiment
from llem.errors import BackendUnavailable, PluginBroken, UnknownBackend
from llem.registry import Backend, PluginRecord, Registry, Status
from llem.registry.backend import unknown_backend, unusable_backend
from llem.registry.plugin_calls import load_module, plugin_errors
from llem.registry.scan import scan
from llem.run.preflight import plan_for
from llem.schema.call_plan import import_dotted
from llem.schema.fields import ConfigField, walk
from llem.schema.measurement import MeasurementConfig
from llem.testing.isolated import IsolatedRun, run_isolated
from llem.testing.session_trace import SessionTrace, run_session, with_broken_targets
from llem.workload.shape_folder import write_shape

if TYPE_CHECKING:
    from llem.api.meters import Meter, MeterSpec
    from llem.api.parameter_audit import ParameterAudit
    from llem.schema.call_plan import CallPlan
    from llem.schema.experiment import BackendConfig, Experiment

BASE: Mapping[str, Any] = {
    "model.id": "org/model",
    "workload": {"source": "prompts", "prompts": ["A text."], "output_tokens": 64},
}
"""For plans: with these settings a plan has all its calls, which random weights may not need."""

SMALLEST: Mapping[str, Any] = {
    "workload.requests": 3,
    "workload.input_tokens": {"distribution": "uniform", "low": 4, "high": 12},
    "workload.output_tokens": {"distribution": "uniform", "low": 2, "high": 8},
}
"""For sessions: a few short requests of different lengths, on the smallest shape."""

_SESSION_ONLY = ("workload", "measurement", "runner")


def document(backend: str, settings: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """Return an experiment as JSON: :data:`BASE`, and over it ``settings`` and ``values``.

    Args:
        backend: The backend's name.
        settings: Values by dotted path that sessions need; the plan uses those of the model.
        values: Further values by dotted path.
    """
    own = {path: value for path, value in settings.items() if not path.startswith(_SESSION_ONLY)}
    found: dict[str, Any] = {"backend": backend}
    chosen = {**BASE, **own, **values}
    for path, value in sorted(chosen.items(), key=lambda item: item[0].count(".")):
        *sections, name = path.split(".")
        section = found
        for key in sections:
            section = section.setdefault(key, {})
        section[name] = dict(value) if isinstance(value, dict) else value
    return json.dumps(to_jsonable_python(found))


def overrides(settings: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """Return the overrides ``a.b=c`` that make a session's experiment of the embedded default.

    Args:
        settings: Values by dotted path that sessions need; a workload in them replaces the
            smallest workload.
        values: Further values by dotted path.
    """
    work = {} if any(path.startswith("workload") for path in settings) else SMALLEST
    chosen = {**work, **settings, **values}
    return [f"{path}={json.dumps(to_jsonable_python(chosen[path]))}" for path in chosen]


class PluginUnderTest:
    """A plugin under test. Its errors come out as errors of llem.

    Args:
        name: The plugin's name.
        settings: Values by dotted path that its sessions need, such as a model it can load:
            ``{"model.id": "…"}``; a few requests to ``shape:tiny`` otherwise.
    """

    def __init__(self, name: str, settings: Mapping[str, Any] | None = None) -> None:
        self.name = name
        self.settings = dict(settings or {})
        self.tried: dict[tuple[str, type], Any] = {}
        """Results of `field_effects` by path and owner of a field, for all checks."""

    def find_record(self) -> PluginRecord:
        """Return where the plugin comes from.

        Raises:
            BackendUnavailable: It is not installed, installed twice, or made for another API.
        """
        installed = scan()
        records = [record for record in installed if record.name == self.name]
        if not records:
            raise unknown_backend(self.name, [record.name for record in installed], ())
        if records[0].status is not Status.OK:
            raise unusable_backend(records[0])
        return records[0]

    record = cached_property(find_record)

    def import_module(self) -> ModuleType:
        """Import its light module."""
        with plugin_errors("importing it"):
            return importlib.import_module(self.record.module)

    module = cached_property(import_module)

    @cached_property
    def plugin(self) -> ModuleType:
        """Its light module, after a comparison of its hooks with the contract."""
        manager = pluggy.PluginManager("llem")
        manager.add_hookspecs(hookspecs)
        return load_module(manager, self.record)

    @cached_property
    def registry(self) -> Registry:
        """A registry of this plugin alone, which raises every error."""
        return Registry([self.record], {"LLEM_PLUGINS_STRICT": "1"})

    @cached_property
    def backend(self) -> Backend | None:
        """Its backend; ``None`` without a backend."""
        try:
            return self.registry.backend(self.name)
        except UnknownBackend:
            return None

    @property
    def required_backend(self) -> Backend:
        """Its backend, for a check that needs a backend."""
        assert self.backend is not None
        return self.backend

    def load_section(self) -> type[BackendConfig]:
        """Return the model of its config section, after putting it into an experiment."""
        experiment_model(self.required_backend)
        return self.required_backend.config_model()

    section = cached_property(load_section)

    def make_schema(self) -> dict[str, Any]:
        """Return the JSON schema of its section, as JSON data."""
        with plugin_errors("making a schema of its section"):
            schema = self.section.model_json_schema()
            json.dumps(schema, allow_nan=False)
        return schema

    schema = cached_property(make_schema)

    @cached_property
    def fields(self) -> tuple[ConfigField, ...]:
        """Every field of its section."""
        return walk(self.section, f"{self.name}.")

    @cached_property
    def all_fields(self) -> Mapping[str, ConfigField]:
        """Every field of an experiment with this backend, by path."""
        return {field.path: field for field in walk(experiment_model(self.required_backend))}

    @cached_property
    def unknown_paths(self) -> tuple[tuple[str, str], ...]:
        """Fields whose markers name a field that does not exist, with that name."""
        return tuple(
            (field.path, path)
            for field in self.fields
            for path in (
                *field.param.requires,
                *field.param.conflicts_with,
                *field.param.example_context,
            )
            if path not in self.all_fields
        )

    def experiment(self, values: Mapping[str, Any]) -> Experiment:
        """Return an experiment with ``values`` by dotted path, before any rule is checked."""
        model = experiment_model(self.required_backend)
        text = document(self.name, self.settings, values)
        with plugin_errors(f"an experiment with {values}"):
            return model.model_validate_json(text, strict=True)

    def plan(self, values: Mapping[str, Any]) -> CallPlan:
        """Return the plan of an experiment with ``values`` by dotted path."""
        return self.required_backend.build_plan(self.experiment(values))

    @cached_property
    def base_plan(self) -> CallPlan:
        """The plan of an experiment that leaves the plugin's own section unset."""
        return self.plan({})

    @cached_property
    def isolated(self) -> IsolatedRun:
        """What a fresh interpreter recorded about this plugin."""
        return run_isolated(self.record, document(self.name, self.settings, {}))

    def loaded(self, values: Mapping[str, Any] | None = None) -> LoadedExperiment:
        """Return an experiment small enough for any machine, with ``values`` by dotted path."""
        chosen = overrides(self.settings, values or {})
        loaded = load_experiment(self.registry, file=None, overrides=chosen, backend=self.name)
        if loaded.experiment.model.is_shape:
            write_shape(loaded.experiment.model.id)
        return loaded

    def verify_settings(self) -> None:
        """Check that the settings, if there are any, make an experiment.

        Raises:
            ConfigError: They do not.
        """
        if self.settings:
            with suppress(BackendUnavailable):  # the checks report it
                self.loaded()

    def plan_session(self) -> CallPlan:
        """Return the plan that its session carries out."""
        return plan_for(self.loaded())

    session_plan = cached_property(plan_session)

    @cached_property
    def trace(self) -> SessionTrace:
        """The trace of its session, from start to close, in a worker."""
        return run_session(self.loaded(), self.session_plan)

    @cached_property
    def broken_trace(self) -> SessionTrace:
        """The trace of a session whose plan has impossible calls."""
        return run_session(self.loaded(), with_broken_targets(self.session_plan), runs=1)

    @cached_property
    def audit(self) -> ParameterAudit:
        """Its declaration of the engine's parameters."""
        audit = self.required_backend.parameter_audit()
        if audit is None:
            raise PluginBroken(f"llem_parameter_audit of plugin {self.name!r} returned nothing")
        return audit

    @cached_property
    def meters(self) -> tuple[MeterSpec, ...]:
        """The meters it offers."""
        return tuple(spec for _, spec in self.registry.meter_specs())

    @cached_property
    def working_meters(self) -> tuple[tuple[MeterSpec, Meter], ...]:
        """The meters that work here; a meter whose probe raises does not."""
        options = MeasurementConfig().model_dump(mode="json")
        probes = (self.registry.probe_meter(self.name, spec, options) for spec in self.meters)
        return tuple(
            (spec, meter_of(spec))
            for spec, probe in zip(self.meters, probes, strict=True)
            if probe.available is True
        )


def meter_of(spec: MeterSpec) -> Meter:
    """Return the meter, with the default options."""
    meter: Meter = import_dotted(spec.factory)(MeasurementConfig().model_dump(mode="json"))
    return meter
