"""Read the parameters of an engine where it is installed: in a worker, like everything of it."""

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
    """What an engine's public surface is.

    Attributes:
        engine: The engine it was read from, or that the reference data describes.
        from_reference: Whether it is the plugin's reference data and not the engine itself.
        found: Its parameters.
    """

    engine: EngineStatus
    from_reference: bool
    found: Found


def required_audit(backend: Backend) -> ParameterAudit:
    """Return how ``backend`` accounts for its engine's parameters.

    Raises:
        PluginBroken: It does not.
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
        audit: What it declares about them.
        python: Interpreter of the environment that has the engine; this one's if ``None``.
        reference: Whether to read the plugin's reference data even if the engine is there.

    Raises:
        EngineMissing: There is no engine, and no reference data either.
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
    """Return the engine's state and its parameters; ``None`` for those where it is missing."""
    with worker_in(backend, python) as (worker, versions):
        status = engine_status(requirement, versions)
        if status.version is None:
            return status, None
        # A version outside the supported range is read all the same: that is how it gets in.
        surfaces = worker.call("audit", _TIMEOUT_S, introspect=audit.introspect)
    found = {
        name: tuple(FoundParameter(**parameter) for parameter in parameters)
        for name, parameters in surfaces.items()
    }
    return status, found
