"""Which plugins are installed, and in which state."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from llem.api.meters import Channel, MeterSpec, Probe, Provenance
from llem.errors import UnknownBackend
from llem.registry import Backend, EngineStatus, PluginRecord, Registry, Status
from llem.workload.shape_catalog import SHAPES, Shape


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
        _plugin_summary(record, backends.get(record.name), tuple(meters[record.name]))
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


def _plugin_summary(
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


@dataclass(frozen=True, slots=True)
class MeterSummary:
    """One meter and whether it works here.

    Attributes:
        name: Name in ``measurement.meters``.
        plugin: Plugin that offers it.
        summary: What it reads.
        provenance: Whether its figures are measured or estimated.
        device_kind: Kind of the devices it reads.
        fallback: Whether it stands in only where nothing measures.
        opt_in: Whether it is used only when named.
        available: Whether it works here.
        reason: Why not and what to do, or a remark.
        channels: What it would read.
    """

    name: str
    plugin: str
    summary: str
    provenance: Provenance
    device_kind: str
    fallback: bool
    opt_in: bool
    available: bool
    reason: str
    channels: tuple[Channel, ...]

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices it would read, each once."""
        return tuple(dict.fromkeys(channel.device for channel in self.channels))


def meters(registry: Registry) -> tuple[MeterSummary, ...]:
    """Return every meter offered, after asking each whether it works here."""
    specs = registry.meter_specs()
    options = _default_options() if specs else {}
    return tuple(
        _meter_summary(plugin, spec, registry.probe_meter(plugin, spec, options))
        for plugin, spec in specs
    )


def _default_options() -> dict[str, Any]:
    from llem.schema.measurement import MeasurementConfig

    return MeasurementConfig().model_dump(mode="json")


def _meter_summary(plugin: str, spec: MeterSpec, probe: Probe) -> MeterSummary:
    return MeterSummary(
        name=spec.name,
        plugin=plugin,
        summary=spec.summary,
        provenance=spec.provenance,
        device_kind=spec.device_kind,
        fallback=spec.fallback,
        opt_in=spec.opt_in,
        available=probe.available,
        reason=probe.reason,
        channels=tuple(probe.channels),
    )


_BYTES_PER_BF16 = 2


@dataclass(frozen=True, slots=True)
class ShapeSummary:
    """One embedded shape.

    Attributes:
        model_id: What to write as ``model.id``.
        summary: What it resembles.
        parameters: Number of weights.
        weights_bytes: Memory its weights need in bfloat16.
        kv_bytes_per_token: Memory one token needs in a bfloat16 KV cache.
        layers: Decoder layers.
        hidden_size: Width of the residual stream.
        heads: Query heads per layer.
        kv_heads: Key/value heads per layer.
        head_dim: Width of one head.
        intermediate_size: Inner width of the MLP.
        vocab_size: Token ids.
    """

    model_id: str
    summary: str
    parameters: int
    weights_bytes: int
    kv_bytes_per_token: int
    layers: int
    hidden_size: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate_size: int
    vocab_size: int


def shapes() -> tuple[ShapeSummary, ...]:
    """Return every embedded shape, smallest first."""
    return tuple(_shape_summary(shape) for shape in SHAPES.values())


def _shape_summary(shape: Shape) -> ShapeSummary:
    dimensions = shape.architecture
    return ShapeSummary(
        model_id=f"shape:{shape.name}",
        summary=shape.summary,
        parameters=shape.parameters,
        weights_bytes=shape.parameters * _BYTES_PER_BF16,
        kv_bytes_per_token=dimensions.kv_bytes_per_token(_BYTES_PER_BF16),
        layers=dimensions.layers,
        hidden_size=dimensions.hidden_size,
        heads=dimensions.heads,
        kv_heads=dimensions.kv_heads,
        head_dim=dimensions.head_dim,
        intermediate_size=dimensions.intermediate_size,
        vocab_size=dimensions.vocab_size,
    )
