"""Run an experiment, from preflight to stored outcome."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from llem.api.capability import HostInfo
from llem.config.load import LoadedExperiment, digest
from llem.config.model_files import generation_remarks
from llem.energy.phases import phases_of
from llem.errors import (
    BackendUnavailable,
    ExperimentFailed,
    HostError,
    LlemError,
    OutcomeNotStored,
    StorageError,
)
from llem.process.worker_process import log_tail
from llem.process.workers import Workers
from llem.registry import Registry, check_version
from llem.results import OutcomeFolder
from llem.results.series_files import Spans
from llem.run.baseline import Baselines
from llem.run.build_outcome import build_outcome
from llem.run.host_info import host_facts, seen_by_worker
from llem.run.lifecycle import Lifecycle, Progress
from llem.run.metering import of_used_devices, sampling, unmetered, unused
from llem.run.preflight import Prepared, prepare, read_prompts, require_engine
from llem.run.run_state import RunState
from llem.run.sampler import Sampler
from llem.run.worker_environment import distributions_of
from llem.schema.call_plan import CallPlan
from llem.schema.outcome import Outcome, Reason, RunPosition
from llem.workload.chat_template import present_time
from llem.workload.shape_folder import write_shape


def run_experiment(
    loaded: LoadedExperiment,
    registry: Registry,
    results: Path,
    progress: Progress,
    *,
    position: RunPosition | None = None,
    workers: Workers | None = None,
    baselines: Baselines | None = None,
    clock: datetime | None = None,
) -> tuple[Outcome, Path]:
    """Run ``loaded`` and store its outcome, also after a failure or an interruption.

    Args:
        loaded: The validated experiment.
        registry: The installed plugins: meters and observers.
        results: Folder that receives the outcome's folder.
        progress: Receives each step, between windows.
        position: The run's position in its study, which also gives the folder's name.
        workers: Assigns the worker; by default, a worker is started for the run.
        baselines: Idle power of earlier runs; that of this run is added.
        clock: The local time that chat templates see; by default, the present time.

    Returns:
        The outcome and its folder.

    Raises:
        ConfigError: The experiment was refused before it started; nothing is stored.
        BackendUnavailable: Backend or engine cannot be used; nothing is stored.
        OutcomeNotStored: The outcome could not be written; it is with the error.
    """
    experiment, backend = loaded.experiment, loaded.backend
    host = seen_by_worker(host_facts(), experiment.runner.env)
    clock = clock or present_time()
    prepared = _prepared(loaded, registry, host, clock)
    folder = _folder(loaded, results, position)
    variables = backend.info.variables
    state = RunState(experiment, CallPlan(()), host, variables=variables, clock=clock)
    try:
        faults = registry.observers.experiment_started(experiment, folder.id, position)
        state.warnings += [Reason(code="observer-failed", message=fault) for fault in faults]
        if isinstance(prepared, HostError):
            raise prepared
        state.plan = prepared.plan
        state.warnings += [
            Reason(code=finding.code, message=str(finding)) for finding in prepared.warnings
        ]
        workers, baselines = workers or Workers(), baselines or Baselines()
        _drive(state, loaded, prepared, folder.log_path, progress, workers, baselines)
    except BackendUnavailable:
        folder.discard()
        raise
    except ExperimentFailed as error:
        state.fail(error, _hint(loaded, error))
    except KeyboardInterrupt:
        state.interrupted = True
    except LlemError as error:
        state.fail(error)
    except Exception as error:  # noqa: BLE001 - whatever failed, what was measured is stored
        state.fail(HostError.of(error))
    outcome, document, phases = _results(state, folder, position)
    stored = _store(document, phases, state, folder)
    registry.observers.experiment_finished(outcome, stored)
    return outcome, stored


def _prepared(
    loaded: LoadedExperiment, registry: Registry, host: HostInfo, clock: datetime
) -> Prepared | HostError:
    """Return what the run starts from, or the error of a library, which a study outlives.

    Raises:
        ConfigError: The experiment is refused.
        BackendUnavailable: Backend or engine cannot be used.
    """
    experiment = loaded.experiment
    try:
        prepared = prepare(loaded, registry, host, read=partial(read_prompts, now=clock))
        require_engine(loaded.backend, elsewhere=experiment.runner.python is not None)
        if experiment.model.is_shape:
            write_shape(experiment.model.id)
    except HostError as error:
        return error
    return prepared


def _folder(loaded: LoadedExperiment, results: Path, position: RunPosition | None) -> OutcomeFolder:
    if position is not None:
        return OutcomeFolder(results, position.run_id)
    label = "-".join(part for part in (loaded.backend.name, loaded.experiment.name) if part)
    return OutcomeFolder.unused(results, label=label, digest=digest(loaded.experiment))


def _results(
    state: RunState, folder: OutcomeFolder, position: RunPosition | None
) -> tuple[Outcome, dict[str, Any], Spans | None]:
    """Return the outcome, its document and the phases, without figures that cannot be computed."""
    tail = log_tail(folder.log_path)
    try:
        outcome = build_outcome(state, id=folder.id, log_tail=tail, position=position)
        document = outcome.model_dump(mode="json")
        json.dumps(document, allow_nan=False)  # NaN cannot be stored
        phases = phases_of(state.runs) if state.runs else None
        return outcome, document, phases.spans if phases else None
    except Exception as error:  # noqa: BLE001 - the readings and answers are stored all the same
        if state.failure is None:
            state.phase = "outcome"
            state.fail(HostError.of(error))
        bare = replace(state, runs=[], series=[], device_states=[], observation=None)
        outcome = build_outcome(bare, id=folder.id, log_tail=tail, position=position)
        return outcome, outcome.model_dump(mode="json"), None


def _store(
    document: dict[str, Any], phases: Spans | None, state: RunState, folder: OutcomeFolder
) -> Path:
    """Store the outcome with the answers and readings behind it; return its folder.

    Raises:
        OutcomeNotStored: The disk refused.
    """
    requests = state.workload.requests if state.workload else ()
    try:
        return folder.finish(document, requests, state.runs, state.series, phases)
    except StorageError as error:
        raise OutcomeNotStored(error.message, document, hint=error.hint) from error


def _drive(
    state: RunState,
    loaded: LoadedExperiment,
    prepared: Prepared,
    log_path: Path,
    progress: Progress,
    workers: Workers,
    baselines: Baselines,
) -> None:
    """Meter the machine, get a worker, and do all phases with it."""
    runner, info = state.experiment.runner, loaded.backend.info
    engine, distributions = info.engine, distributions_of(info)
    with sampling(prepared.meters, state.experiment.measurement.sample_period_s) as sampler:
        lifecycle = Lifecycle(state, sampler, progress, prepared.prompts, baselines)
        backend = loaded.backend
        try:
            if not workers.reopen(backend, state.plan, runner):
                lifecycle.before_start()
            with workers.assign(backend, state.plan, runner, log_path) as worker:
                state.warnings += worker.remarks
                if worker.loaded is None:
                    state.worker = "fresh"
                    lifecycle.start(worker.process, backend.module, distributions)
                    if engine is not None:
                        check_version(engine, state.versions, where=worker.process.python)
                    worker.loaded = lifecycle.open(worker.process)
                else:
                    state.worker = "reused"
                    lifecycle.take_over(worker.loaded)
                _remark_on_downloaded(state)
                lifecycle.measure(worker.process)
                if not workers.keeps_open(backend):
                    lifecycle.close(worker.process)
        finally:
            sampler.stop()  # reads a last time
            _keep_readings(state, sampler, prepared)
            baselines.keep(sampler.series(), state.spans.get("bare idle"))


def _remark_on_downloaded(state: RunState) -> None:
    """Remark on the files of a hub model that only loading brought to this machine."""
    for finding in generation_remarks(state.experiment):
        if all(known.code != finding.code for known in state.warnings):
            state.warnings.append(Reason(code=finding.code, message=str(finding)))


def _keep_readings(state: RunState, sampler: Sampler, prepared: Prepared) -> None:
    """Keep the readings of the used devices; say what is not read, and what is read in vain."""
    devices, series, unreadable = state.used_devices, sampler.series(), sampler.unreadable()
    state.series = of_used_devices(series, devices)
    state.device_states = [seen for seen in sampler.states() if seen.device in devices]
    for device in unmetered(state.series, devices):
        why = unreadable.get(device) or prepared.unmetered.get(device.partition(":")[0])
        message = f"no meter reads {device}, so the energy does not include it"
        reason = f"{message}: {why}" if why else message
        state.reasons.append(Reason(code="device-unmetered", message=reason))
    read = {f"{source.channel.device} {source.channel.domain}" for source in state.series}
    for domain, why in unreadable.items():
        if domain in read:
            state.warnings.append(Reason(code="meter-unusable", message=f"{domain}: {why}"))
    named = [spec.name for spec, _ in prepared.meters if spec.opt_in]
    for device in unused(series, devices, named):
        message = f"the readings of {device} do not count: the engine did not use this device"
        state.warnings.append(Reason(code="readings-unused", message=message))


def _hint(loaded: LoadedExperiment, error: ExperimentFailed) -> str:
    """Return the backend's hint about its engine's error."""
    return loaded.backend.explain_error(getattr(error, "error_type", ""), error.message) or ""
