"""The installed plugins and their meters, and whether they work here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from llem.api.meters import Channel, MeterSpec, Probe, Quantity
from llem.errors import UnknownBackend
from llem.registry import Backend, EngineStatus, PluginRecord, Registry, Status
from llem.tables import Table


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """An installed plugin and what it offers.

    Attributes:
        record: Its name, state and distribution.
        backend: Its backend; ``None`` without one, and for a plugin that cannot be used.
        meters: Its meters.
    """

    record: PluginRecord
    backend: Backend | None = None
    meters: tuple[MeterSpec, ...] = ()

    @property
    def engine(self) -> EngineStatus | None:
        """The state of its backend's engine here; ``None`` without an engine."""
        return self.backend.engine_status() if self.backend else None


def plugins(registry: Registry) -> tuple[InstalledPlugin, ...]:
    """Return every installed plugin, after loading each to see whether it works."""
    backends = {backend.name: backend for backend in registry.backends()}
    meters: dict[str, list[MeterSpec]] = defaultdict(list)
    for plugin, spec in registry.meter_specs():
        meters[plugin].append(spec)
    return tuple(
        InstalledPlugin(
            record,
            backends.get(record.name) if record.status is Status.OK else None,
            tuple(meters[record.name]),
        )
        for record in registry.plugins
    )


def plugins_called(registry: Registry, name: str) -> tuple[InstalledPlugin, ...]:
    """Return the plugin called ``name``, or all of them if several distributions offer it.

    Raises:
        UnknownBackend: No plugin has this name.
    """
    known = plugins(registry)
    found = tuple(plugin for plugin in known if plugin.record.name == name)
    if not found:
        names = ", ".join(dict.fromkeys(plugin.record.name for plugin in known))
        raise UnknownBackend(f"No plugin is called {name!r}.", hint=f"Installed: {names}.")
    return found


def plugins_json(found: Sequence[InstalledPlugin]) -> list[dict[str, Any]]:
    """Return plugins as JSON data."""
    return [
        asdict(plugin.record)
        | {
            "summary": plugin.backend.info.summary if plugin.backend else "",
            "devices": plugin.backend.info.devices if plugin.backend else (),
            "engine": asdict(plugin.engine) if plugin.engine else None,
            "hooks": sorted(plugin.backend.hooks) if plugin.backend else (),
            "meters": [spec.name for spec in plugin.meters],
        }
        for plugin in found
    ]


def plugin_table(found: Sequence[InstalledPlugin]) -> Table:
    """Return a row for each plugin."""
    return Table.of_texts(
        ("plugin", "status", "provided by", "engine", "summary"),
        (
            (
                plugin.record.name,
                plugin.record.status,
                _provider(plugin.record),
                _engine_text(plugin.engine),
                plugin.record.message or _summary(plugin),
            )
            for plugin in found
        ),
    )


def plugin_details(found: Sequence[InstalledPlugin]) -> Table:
    """Return everything about some plugins, a row for each fact."""
    rows = (row for plugin in found for row in _facts(plugin) if row[1])
    return Table.of_texts((), rows)


def _facts(plugin: InstalledPlugin) -> Iterator[tuple[str, str]]:
    record, backend, engine = plugin.record, plugin.backend, plugin.engine
    yield "plugin", record.name
    yield "status", record.status
    yield "message", record.message
    yield "provided by", _provider(record)
    yield "module", record.module
    if backend is not None:
        yield "summary", backend.info.summary
        yield "engine", (engine.message or _engine_text(engine)) if engine else ""
        yield "devices", ", ".join(backend.info.devices)
        yield "hooks", ", ".join(sorted(backend.hooks))
    yield "meters", ", ".join(spec.name for spec in plugin.meters)


def _provider(record: PluginRecord) -> str:
    return f"{record.distribution} {record.version}"


def _engine_text(engine: EngineStatus | None) -> str:
    if engine is None:
        return "none"
    if engine.version is None:
        return f"{engine.distribution}: not installed"
    return f"{engine.distribution} {engine.version}{'' if engine.supported else ': not supported'}"


def _summary(plugin: InstalledPlugin) -> str:
    if plugin.backend is not None:
        return plugin.backend.info.summary
    names = ", ".join(spec.name for spec in plugin.meters)
    return f"meters: {names}" if names else ""


@dataclass(frozen=True, slots=True)
class InstalledMeter:
    """A meter, and whether it works here.

    Attributes:
        plugin: Plugin that offers it.
        spec: What it declares.
        probe: What it found on this machine.
    """

    plugin: str
    spec: MeterSpec
    probe: Probe

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices it would read, each once."""
        return tuple(dict.fromkeys(channel.device for channel in self.probe.channels))

    @property
    def remark(self) -> str:
        """Why it does not work here, or what it reads."""
        return self.probe.reason or self.spec.summary


def meters(registry: Registry) -> tuple[InstalledMeter, ...]:
    """Return every meter, after asking each whether it works here."""
    specs = registry.meter_specs()
    options = _default_options() if specs else {}
    return tuple(
        InstalledMeter(plugin, spec, registry.probe_meter(plugin, spec, options))
        for plugin, spec in specs
    )


def _default_options() -> dict[str, Any]:
    from llem.schema.measurement import MeasurementConfig

    return MeasurementConfig().model_dump(mode="json")


def meters_json(found: Sequence[InstalledMeter]) -> list[dict[str, Any]]:
    """Return meters as JSON data: the spec's keys, then the probe's."""
    return [
        {"plugin": meter.plugin, **asdict(meter.spec), **asdict(meter.probe)} for meter in found
    ]


def meter_table(found: Sequence[InstalledMeter]) -> Table:
    """Return a row for each meter."""
    return Table.of_texts(
        ("meter", "works here", "figures", "devices", "reads", "remark"),
        (
            (
                meter.spec.name,
                "yes" if meter.probe.available else "no",
                meter.spec.provenance,
                ", ".join(meter.devices) or meter.spec.device_kind,
                "; ".join(dict.fromkeys(map(_resolution, meter.probe.channels))) or "-",
                meter.remark,
            )
            for meter in found
        ),
    )


def _resolution(channel: Channel) -> str:
    """Say what a channel reads, how often and in which steps, as far as known."""
    parts = [str(channel.quantity)]
    if channel.update_period_s is not None:
        parts.append(f"every {channel.update_period_s:g} s")
    if channel.resolution:
        unit = "J" if channel.quantity is Quantity.ENERGY else "W"
        parts.append(f"in steps of {channel.resolution:.3g} {unit}")
    return " ".join(parts)
