"""Read the parameters of an installed engine, in a worker process."""

from __future__ import annotations

from dataclasses import dataclass

from llem.api.capability import EngineRequirement
from llem.api.parameter_audit import Found, FoundParameter, ParameterAudit
from llem.errors import EngineMissing, PluginBroken
from llem.registry import Backend, EngineStatus, engine_status
from llem.run.host_info import worker_in
from llem.schema.call_plan import import_dotted

_TIMEOUT_S = 600.0


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
        surfaces = worker.call("audit", _TIMEOUT_S, introspect=audit.introspect)
    found = {
        name: tuple(FoundParameter(**parameter) for parameter in parameters)
        for name, parameters in surfaces.items()
    }
    return status, found
