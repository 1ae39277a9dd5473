"""The hooks. Each docstring is the contract: when, where, what may be imported, the result.

Rules for all of them: plain functions; no ``firstresult``, wrappers or ordering; called once
per plugin, so that every answer carries its author and one failure stops no other; never
called inside a window. A hook that raises makes its plugin *broken*: an error if that plugin
was asked for, one line on stderr otherwise.

Observers (``…_started`` and ``…_finished``) are told what happened and answer nothing. One that
raises is a line on stderr each time and stays in use, and the measurement goes on. They may import
anything but an engine, in their own body and not when the plugin's module is imported; a thread or
process that outlives the call would be metered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from llem.api.capability import BackendInfo, HostInfo
    from llem.api.importers import ResultImporter
    from llem.api.meters import MeterSpec
    from llem.api.parameter_audit import ParameterAudit
    from llem.api.session import Session
    from llem.errors import Finding
    from llem.schema.call_plan import CallPlan
    from llem.schema.experiment import BackendConfig, Experiment
    from llem.schema.outcome import Outcome, RunPosition

hookspec = pluggy.HookspecMarker("llem")
hookimpl = pluggy.HookimplMarker("llem")


@hookspec
def llem_capabilities() -> BackendInfo:
    """Declare the backend: its name, engine, devices and what it can do.

    When: listings, and before anything else is asked of the plugin. Process: host.
    Imports: L2 at most, and so for the plugin's module. One that keeps to L1 (the standard library
    and ``llem.api``'s L1 names) costs listings a few milliseconds, pydantic a tenth of a second.
    """


@hookspec
def llem_config_model() -> type[BackendConfig]:
    """Return the pydantic model of the backend's own config section.

    When: validation, schema and introspection. Process: host.
    Imports: L2 (adds pydantic); no network, files, environment or devices.
    """


@hookspec
def llem_build_kwargs(experiment: Experiment) -> CallPlan:
    """Turn a validated experiment into the engine calls that will be made.

    When: ``llem explain`` and before each run. Process: host.
    Imports: L2. Pure: the same experiment always yields the same plan, engine installed or not;
    where arguments differ between versions of the engine, that of the installed one may decide.
    """


@hookspec
def llem_measurement() -> type[Session]:
    """Return the session class that executes a plan.

    When: once, at the start of a worker. Process: worker, never the host.
    Imports: L3 (anything).
    """


@hookspec
def llem_parameter_audit() -> ParameterAudit:
    """Account for every parameter of the engine's public surface.

    When: ``llem audit``, and ``llem params`` for where shared fields go. Process: host; the
    function it names as ``introspect`` runs in a worker.
    Imports: L2.
    """


@hookspec
def llem_meters() -> Sequence[MeterSpec]:
    """Offer meters. A plugin may bring meters and no backend.

    When: ``llem meters`` and before each run. Process: host.
    Imports: L1; the factory is imported only when the meter is used.
    """


@hookspec
def llem_result_importers() -> Sequence[ResultImporter]:
    """Offer to read result files of other tools.

    When: ``llem results import``. Process: host.
    Imports: L1; the reader is imported only when a file is read, and is L1 too.
    """


@hookspec
def llem_preflight(experiment: Experiment, facts: HostInfo) -> Sequence[Finding]:
    """Judge a valid experiment against this machine, before anything is started.

    When: ``llem check``, ``explain`` and ``plan``, and before each run. Process: host. Imports: L2.
    Result: findings; an ``error`` refuses the experiment, a ``warning`` is recorded.
    """


@hookspec
def llem_explain_error(error_type: str, message: str) -> str | None:
    """Turn an engine's error into a hint for the user.

    Args:
        error_type: Qualified name of the exception in the worker.
        message: Its text.

    When: after a failure. Process: host. Imports: L2.
    Result: one sentence saying what to do, or ``None``.
    """


@hookspec
def llem_study_started(study: str, folder: Path, runs: int, left: int) -> None:
    """Learn that a study is begun, or gone on with.

    Args:
        study: Its name.
        folder: Its folder; one for each outcome comes to be in it.
        runs: Number of its runs.
        left: Runs that are still to be run.

    When: before its first run. Process: host.
    """


@hookspec
def llem_study_finished(study: str, folder: Path, states: Mapping[str, int], left: int) -> None:
    """Learn that an attempt at a study is over: finished, interrupted, stopped or failed.

    Args:
        study: Its name.
        folder: Its folder.
        states: Number of runs in each final state, those of earlier attempts included.
        left: Runs that are still to be run.

    When: after its last run, once for each ``llem_study_started``. Process: host.
    """


@hookspec
def llem_experiment_started(experiment: Experiment, id: str, place: RunPosition | None) -> None:
    """Learn that an experiment begins.

    Args:
        experiment: What is asked for, its environment variables with their values.
        id: Name its outcome will have.
        place: Where it stands in its study, if it belongs to one.

    When: after the checks, before meters and worker start. Process: host.
    What an observer's fault leaves in the outcome: the warning ``observer-failed``.
    """


@hookspec
def llem_experiment_finished(outcome: Outcome, folder: Path) -> None:
    """Learn what was measured.

    Args:
        outcome: The outcome; failed and interrupted ones come too. What was not measured is
            ``None`` in it; secrets are taken out.
        folder: Where it is stored, complete, with its requests and samples.

    When: once it is stored and the meters are closed; not for an experiment of which nothing is
    stored, because backend or engine could not be used. Process: host.
    """
