"""What the environment of a worker contains: versions, and the parameters of the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from llem.api.capability import BackendInfo, EngineRequirement
from llem.api.parameter_audit import Found, FoundParameter, ParameterAudit
from llem.errors import EngineMissing, PluginBroken
from llem.process.worker_process import WorkerProcess, interpreter
from llem.registry import Backend, EngineStatus, engine_status
from llem.schema.call_plan import import_dotted
from llem.schema.experiment import RunnerConfig

AUDIT_TIMEOUT_S = 600.0
"""Longest time of importing an engine and reading its parameters."""


def distributions_of(info: BackendInfo) -> tuple[str, ...]:
    """Return the distributions whose versions matter to a backend's results."""
    engine = info.engine
    return (*((engine.distribution, *engine.alternatives) if engine else ()), *info.versions_of)


def versions_in(backend: Backend, python: str) -> Mapping[str, str]:
    """Return the versions of these distributions, and of llem, in the environment of ``python``.

    Raises:
        ExperimentFailed: No worker can be started there.
    """
    with worker_in(backend, python) as (_, versions):
        return versions


@contextmanager
def worker_in(
    backend: Backend, python: str | None
) -> Iterator[tuple[WorkerProcess, Mapping[str, str]]]:
    """Yield a worker in the environment of ``python``, and the versions installed there.

    Yields:
        The worker, with the backend's plugin imported, and the versions of
        :func:`distributions_of` the backend, and of llem.

    Raises:
        ExperimentFailed: No worker can be started there.
    """
    limits = RunnerConfig()
    start_s = limits.timeouts.start_s
    with (
        TemporaryDirectory(prefix="llem-query-") as folder,
        WorkerProcess(
            python=interpreter(python),
            env={},
            log_path=Path(folder, "worker.log"),
            max_log_bytes=limits.max_log_bytes,
        ) as worker,
    ):
        hello = worker.hello(start_s)
        distributions = list(distributions_of(backend.info))
        answer = worker.call("start", start_s, plugin=backend.module, distributions=distributions)
        yield worker, {"llem": hello.llem, **answer["versions"]}


@dataclass(frozen=True, slots=True)
class EngineReading:
    """The public parameters of an engine.

    Attributes:
        engine: The engine that was read, or that the reference data describes.
        from_reference: Whether the parameters come from the plugin's reference data.
        found: Its parameters.
    """

    engine: EngineStatus
    from_reference: bool
    found: Found


def required_audit(backend: Backend) -> ParameterAudit:
    """Return the parameter audit of ``backend``.

    Raises:
        PluginBroken: It has none.
    """
    audit = backend.parameter_audit()
    if audit is None:
        raise PluginBroken(
            f"backend {backend.name!r} does not account for the parameters of an engine",
            hint="Its plugin has no hook llem_parameter_audit.",
        )
    return audit


def read_engine(
    backend: Backend, audit: ParameterAudit, python: str | None = None, *, reference: bool = False
) -> EngineReading:
    """Return the public parameters of the backend's engine.

    Args:
        backend: The backend.
        audit: Its parameter audit.
        python: Interpreter of the environment that has the engine; ``None`` for this environment.
        reference: Whether to read the plugin's reference data even if the engine is installed.

    Raises:
        EngineMissing: There is neither an engine nor reference data.
        ExperimentFailed: The worker could not read it.
        PluginBroken: The backend names no engine.
    """
    requirement = backend.info.engine
    if requirement is None:
        raise PluginBroken(
            f"backend {backend.name!r} declares parameters, and no engine that has them",
            hint="Its plugin names no engine in BackendInfo.engine.",
        )
    if not reference:
        status, found = _from_worker(backend, requirement, audit, python)
        if found is not None:
            return EngineReading(status, from_reference=False, found=found)
    else:
        status = engine_status(requirement, {})
    if not audit.reference:
        raise EngineMissing(
            f"the engine of backend {backend.name!r} cannot be read: {status.message}",
            hint="Install it, or name an interpreter that has it with --python.",
        )
    return EngineReading(status, from_reference=True, found=import_dotted(audit.reference)())


def _from_worker(
    backend: Backend, requirement: EngineRequirement, audit: ParameterAudit, python: str | None
) -> tuple[EngineStatus, Found | None]:
    """Return the engine's status and parameters; ``None`` if it is not installed."""
    with worker_in(backend, python) as (worker, versions):
        status = engine_status(requirement, versions)
        if status.version is None:
            return status, None
        # A version outside the supported range is read too: its audit is how support begins.
        surfaces = worker.call("audit", AUDIT_TIMEOUT_S, introspect=audit.introspect)
    found = {
        name: tuple(FoundParameter(**parameter) for parameter in parameters)
        for name, parameters in surfaces.items()
    }
    return status, found
