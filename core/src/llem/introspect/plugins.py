"""Which plugins are installed, and in which state."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from llem.api.errors import UnknownBackend
from llem.registry import Backend, EngineStatus, PluginRecord, Registry, Status


@dataclass(frozen=True, slots=True)
class PluginSummary:
    """One installed plugin.

    Attributes:
        name: Name of its entry point, and of its backend if it offers one.
        status: ``ok``, or why it cannot be used.
        message: Why it cannot be used, or that it is slow; empty otherwise.
        distribution: Distribution that brings it.
        version: Version of that distribution.
        module: Dotted name of its module.
        summary: What its backend is, or empty.
        devices: Device kinds its backend can run on.
        engine: State of its backend's engine here; ``None`` without one.
        hooks: Hooks of its backend.
        meters: Meters it offers.
    """

    name: str
    status: Status
    message: str
    distribution: str
    version: str
    module: str
    summary: str = ""
    devices: tuple[str, ...] = ()
    engine: EngineStatus | None = None
    hooks: tuple[str, ...] = ()
    meters: tuple[str, ...] = ()


def plugins(registry: Registry) -> tuple[PluginSummary, ...]:
    """Return every installed plugin; all of them are loaded to see which are broken."""
    backends = {backend.name: backend for backend in registry.backends()}
    meters: dict[str, list[str]] = defaultdict(list)
    for plugin, spec in registry.meter_specs():
        meters[plugin].append(spec.name)
    return tuple(
        _summary(record, backends.get(record.name), tuple(meters[record.name]))
        for record in registry.plugins
    )


def plugins_called(registry: Registry, name: str) -> tuple[PluginSummary, ...]:
    """Return the plugins called ``name``: one, unless it is installed twice.

    Raises:
        UnknownBackend: None is called so.
    """
    known = plugins(registry)
    found = tuple(one for one in known if one.name == name)
    if not found:
        names = ", ".join(dict.fromkeys(one.name for one in known))
        raise UnknownBackend(f"No plugin is called {name!r}.", hint=f"Installed: {names}.")
    return found


def _summary(
    record: PluginRecord, backend: Backend | None, meters: tuple[str, ...]
) -> PluginSummary:
    usable = backend if record.status is Status.OK else None
    return PluginSummary(
        name=record.name,
        status=record.status,
        message=record.message,
        distribution=record.distribution,
        version=record.version,
        module=record.module,
        summary=usable.info.summary if usable else "",
        devices=usable.info.devices if usable else (),
        engine=usable.engine_status() if usable else None,
        hooks=tuple(sorted(usable.hooks)) if usable else (),
        meters=meters,
    )
