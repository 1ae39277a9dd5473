"""Run one experiment from preflight to stored outcome."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llem.api.meters import Meter, MeterSpec
from llem.config.load import LoadedExperiment, digest
from llem.energy.phases import phases_of
from llem.errors import BackendUnavailable, ExperimentFailed, LlemError
from llem.process.worker_process import log_tail
from llem.process.workers import FreshWorkers, Workers
from llem.registry import Registry, check_version
from llem.results import OutcomeFolder, free_id
from llem.run.baseline import Baselines
from llem.run.build_outcome import build_outcome
from llem.run.host_info import distributions_of, host_facts
from llem.run.lifecycle import Lifecycle, Progress
from llem.run.metering import choose_meters, of_used_devices, sampling, unmetered
from llem.run.preflight import plan_for, preflight
from llem.run.run_state import RunState
from llem.run.sampler import Sampler
from llem.schema.outcome import Outcome, Reason, RunPosition
from llem.workload.prompt_sources import load_texts
from llem.workload.shape_folder import write_shape


def run_experiment(
    loaded: LoadedExperiment,
    registry: Registry,
    results: Path,
    progress: Progress,
    *,
    place: RunPosition | None = None,
    workers: Workers | None = None,
    baselines: Baselines | None = None,
) -> tuple[Outcome, Path]:
    """Run ``loaded`` and store its outcome, failed and interrupted ones too.

    Args:
        loaded: The validated experiment.
        registry: Where meters and observers come from.
        results: Folder that receives the outcome's folder.
        progress: Told each step, between windows.
        place: Where it stands in its study, whose run id then names the folder.
        workers: Where its worker comes from; started for it by default.
        baselines: Idle power of earlier runs, and where this run's is kept.

    Returns:
        The outcome, and the folder it is stored in.

    Raises:
        ConfigError: The experiment was refused; nothing is stored.
        BackendUnavailable: Backend or engine cannot be used; nothing is stored.
        StorageError: The outcome could not be written.
    """
    experiment, backend = loaded.experiment, loaded.backend
    facts = host_facts()
    warnings = preflight(loaded, facts)
    texts = load_texts(experiment.workload, loaded.base_dir)
    meters = choose_meters(registry, experiment.measurement)
    plan = plan_for(loaded)
    if experiment.model.is_shape:
        write_shape(experiment.model.id)
    folder = OutcomeFolder(results, place.run_id if place else _id_by_itself(loaded, results))
    record = RunState(experiment, plan, facts, variables=backend.info.variables)
    record.warnings += [Reason(code=one.code, message=str(one)) for one in warnings]
    try:
        faults = registry.observers.experiment_started(experiment, folder.id, place)
        record.warnings += [Reason(code="observer-failed", message=fault) for fault in faults]
        workers, baselines = workers or FreshWorkers(), baselines or Baselines()
        _drive(record, loaded, meters, folder.log_path, progress, texts, workers, baselines)
    except BackendUnavailable:
        folder.discard()
        raise
    except ExperimentFailed as error:
        record.fail(error, _hint(loaded, error))
    except KeyboardInterrupt:
        record.interrupted = True
    except LlemError:
        folder.discard()
        raise
    outcome = build_outcome(record, id=folder.id, log_tail=log_tail(folder.log_path))
    if place is not None:
        place = place.model_copy(update={"worker": record.worker})
        outcome = outcome.model_copy(update={"study": place})
    requests = record.workload.requests if record.workload else ()
    phases = phases_of(record.runs) if record.runs else None
    stored = folder.finish(
        outcome.model_dump(mode="json"),
        requests,
        record.runs,
        record.series,
        phases.spans if phases else None,
    )
    registry.observers.experiment_finished(outcome, stored)
    return outcome, stored


def _id_by_itself(loaded: LoadedExperiment, results: Path) -> str:
    label = "-".join(part for part in (loaded.backend.name, loaded.experiment.name) if part)
    return free_id(results, label=label, digest=digest(loaded.experiment))


def _drive(
    record: RunState,
    loaded: LoadedExperiment,
    meters: Sequence[tuple[MeterSpec, Meter]],
    log_path: Path,
    progress: Progress,
    texts: Sequence[str] | None,
    workers: Workers,
    baselines: Baselines,
) -> None:
    """Meter the machine, start the worker and take it through its life."""
    runner, info = record.experiment.runner, loaded.backend.info
    engine, distributions = info.engine, distributions_of(info)
    with sampling(meters, record.experiment.measurement.sample_period_s) as sampler:
        lifecycle = Lifecycle(record, sampler, progress, texts, baselines)
        backend = loaded.backend
        try:
            if not workers.is_loaded(backend, record.plan, runner):
                lifecycle.before_start()
            with workers.lease(backend, record.plan, runner, log_path) as lease:
                record.warnings += lease.remarks
                if lease.loaded is None:
                    record.worker = "preforked" if lease.worker.forked else "fresh"
                    lifecycle.start(lease.worker, backend.module, distributions)
                    if engine is not None:
                        check_version(engine, record.versions, where=lease.worker.python)
                    lease.loaded = lifecycle.open(lease.worker)
                else:
                    lifecycle.go_on(lease.loaded)
                    record.worker = "reused"
                lifecycle.measure(lease.worker)
                if not workers.keeps(backend):
                    lifecycle.close(lease.worker)
        finally:
            sampler.stop()  # reads once more
            _keep_readings(record, sampler)
            baselines.keep(sampler.series(), record.spans.get("bare idle"))


def _keep_readings(record: RunState, sampler: Sampler) -> None:
    """Keep the readings of the devices that were used, and note used ones nobody metered."""
    devices = record.used_devices
    record.series = of_used_devices(sampler.series(), devices)
    record.states = [state for state in sampler.states() if state.device in devices]
    for device in unmetered(record.series, devices):
        message = f"no meter reads {device}, so the energy does not include it"
        record.reasons.append(Reason(code="device-unmetered", message=message))


def _hint(loaded: LoadedExperiment, error: ExperimentFailed) -> str:
    """Ask the backend what its engine's error means."""
    return loaded.backend.explain_error(getattr(error, "error_type", ""), error.message) or ""
