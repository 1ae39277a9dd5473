"""What a check needs before it can run, and why it may be missing here."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from importlib.metadata import requires
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement

from llem.errors import LlemError
from llem.version import installed_versions

if TYPE_CHECKING:
    from llem.testing.plugin_under_test import PluginUnderTest


def missing_dependencies(distribution: str) -> tuple[str, ...]:
    """Return the requirements of ``distribution``, without extras, that are not installed."""
    return tuple(
        requirement.name
        for requirement in map(Requirement, requires(distribution) or ())
        if not requirement.marker or requirement.marker.evaluate({"extra": ""})
        if not installed_versions([requirement.name])
    )


class Requires(StrEnum):
    """What a check needs; the value of each member is its text."""

    NOTHING = "nothing"
    LISTED = "an installed plugin"
    LOADED = "its module, imported"
    PLUGIN = "a plugin with valid hooks"
    BACKEND = "a backend"
    CONFIG = "its config model"
    SCHEMA = "the schema of its config"
    MARKERS = "fields with valid markers"
    PLAN = "its plan"
    ENGINE = "a backend with an engine"
    CALLS = "a plan with calls"
    EXPERIMENT = "an accepted experiment"
    SESSION = "a session, and its engine"
    STARTED = "a worker that starts"
    RUNNING = "a session that runs"
    REOPENING = "a session that can be reopened"
    AUDIT = "a parameter audit"
    REFERENCE = "reference data of the engine"
    READING = "a parameter audit, and a worker that starts"
    METER_HOOK = "the hook llem_meters"
    METERS = "meters, and their dependencies"
    WORKING_METER = "a meter that works here"


_FIRST = {
    Requires.LOADED: Requires.LISTED,
    Requires.PLUGIN: Requires.LOADED,
    Requires.BACKEND: Requires.PLUGIN,
    Requires.CONFIG: Requires.BACKEND,
    Requires.SCHEMA: Requires.CONFIG,
    Requires.MARKERS: Requires.SCHEMA,
    Requires.PLAN: Requires.MARKERS,
    Requires.ENGINE: Requires.PLAN,
    Requires.CALLS: Requires.STARTED,
    Requires.EXPERIMENT: Requires.PLAN,
    Requires.SESSION: Requires.EXPERIMENT,
    Requires.STARTED: Requires.SESSION,
    Requires.RUNNING: Requires.STARTED,
    Requires.REOPENING: Requires.RUNNING,
    Requires.AUDIT: Requires.PLAN,
    Requires.REFERENCE: Requires.AUDIT,
    Requires.READING: Requires.AUDIT,
    Requires.METER_HOOK: Requires.PLUGIN,
    Requires.METERS: Requires.METER_HOOK,
    Requires.WORKING_METER: Requires.METERS,
}
"""The need that must be met before."""


def missing(subject: PluginUnderTest, need: Requires) -> str:
    """Return why the need is not met, or an empty string if it is.

    If another check reports the cause, the reason names that check.
    """
    if need in _FIRST and (reason := missing(subject, _FIRST[need])):
        return reason
    return _LACKS[need](subject) if need in _LACKS else ""


def _answered(
    check_id: str, question: Callable[[PluginUnderTest], Any]
) -> Callable[[PluginUnderTest], str]:
    """Return the test that ``question`` raises no error; ``check_id`` reports the error."""

    def lacking(subject: PluginUnderTest) -> str:
        try:
            question(subject)
        except LlemError:
            return f"see {check_id}"
        return ""

    return lacking


def _backend(subject: PluginUnderTest) -> str:
    try:
        return "" if subject.backend else "it offers no backend"
    except LlemError:
        return "see plugin-info"


def _markers(subject: PluginUnderTest) -> str:
    return "see config-markers" if subject.unknown_paths else ""


def _engine(subject: PluginUnderTest) -> str:
    return "" if subject.required_backend.info.engine else "its backend has no engine"


def _session(subject: PluginUnderTest) -> str:
    backend = subject.required_backend
    if not backend.offers("llem_measurement"):
        return "it offers no session"
    status = backend.engine_status()
    if "runner.python" in subject.settings or status is None or status.supported:
        return ""
    return status.message


def _started(subject: PluginUnderTest) -> str:
    return "see worker-starts" if "start" in subject.trace.failures else ""


def _running(subject: PluginUnderTest) -> str:
    return "" if subject.trace.runs else "see session-lives"


def _calls(subject: PluginUnderTest) -> str:
    return "" if subject.session_plan.calls else "its plan makes no calls"


def _reopening(subject: PluginUnderTest) -> str:
    hot_swappable = subject.required_backend.info.hot_swappable
    return "" if hot_swappable else "its hot_swappable is empty"


def _audit(subject: PluginUnderTest) -> str:
    offered = subject.required_backend.offers("llem_parameter_audit")
    return "" if offered else "it offers no llem_parameter_audit"


def _reference(subject: PluginUnderTest) -> str:
    return "" if subject.audit.reference else "it has no reference data"


def _reading(subject: PluginUnderTest) -> str:
    if subject.required_backend.info.engine is None:
        return "its backend has no engine"
    return missing(subject, Requires.STARTED)


def _meter_hook(subject: PluginUnderTest) -> str:
    return "" if hasattr(subject.plugin, "llem_meters") else "it offers no meters"


def _meters(subject: PluginUnderTest) -> str:
    try:
        if not subject.meters:
            return "it offers no meters here"
    except LlemError:
        return "see meters-described"
    missing = missing_dependencies(subject.record.distribution)
    return f"{', '.join(missing)} is not installed" if missing else ""


def _working_meter(subject: PluginUnderTest) -> str:
    return "" if subject.working_meters else "its meters do not work here"


_LACKS: dict[Requires, Callable[[PluginUnderTest], str]] = {
    Requires.LISTED: _answered("plugin-listed", lambda subject: subject.record),
    Requires.LOADED: _answered("plugin-loads", lambda subject: subject.module),
    Requires.PLUGIN: _answered("plugin-hooks", lambda subject: subject.plugin),
    Requires.BACKEND: _backend,
    Requires.CONFIG: _answered("config-model", lambda subject: subject.section),
    Requires.SCHEMA: _answered("config-schema", lambda subject: subject.schema),
    Requires.MARKERS: _markers,
    Requires.PLAN: _answered("kwargs-plan", lambda subject: subject.base_plan),
    Requires.ENGINE: _engine,
    Requires.CALLS: _calls,
    Requires.EXPERIMENT: _answered("session-experiment", lambda subject: subject.session_plan),
    Requires.SESSION: _session,
    Requires.STARTED: _started,
    Requires.RUNNING: _running,
    Requires.REOPENING: _reopening,
    Requires.AUDIT: _audit,
    Requires.REFERENCE: _reference,
    Requires.READING: _reading,
    Requires.METER_HOOK: _meter_hook,
    Requires.METERS: _meters,
    Requires.WORKING_METER: _working_meter,
}
