"""Choose the meters of a run and keep them sampling while it lasts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from llem.api.config import MeasurementConfig
from llem.api.errors import ConfigInvalid
from llem.api.finding import Finding
from llem.api.meter import Meter, MeterSpec, Probe, Series
from llem.api.plan import import_dotted
from llem.measure.reader import Source
from llem.measure.sampler import Sampler
from llem.registry import Registry


def choose_meters(
    registry: Registry, measurement: MeasurementConfig
) -> list[tuple[MeterSpec, Meter]]:
    """Return the meters to use, by name or all that work here.

    A fallback (an estimate) is taken only for a device kind that nothing measures.

    Raises:
        ConfigInvalid: A meter was named that does not exist or does not work here.
    """
    options = measurement.model_dump(mode="json")
    wanted = measurement.meters
    offered = {spec.name: (plugin, spec) for plugin, spec in registry.meter_specs()}

    def probe(name: str) -> Probe:
        return registry.probe_meter(*offered[name], options)

    if wanted == "auto":
        specs = _automatic([spec for _, spec in offered.values()], probe)
    else:
        findings = [finding for name in wanted if (finding := _refusal(name, offered, probe))]
        if findings:
            raise ConfigInvalid(findings)
        specs = [offered[name][1] for name in wanted]
    return [(spec, import_dotted(spec.factory)(options)) for spec in specs]


def _automatic(specs: Sequence[MeterSpec], probe: Callable[[str], Probe]) -> list[MeterSpec]:
    """Return every measuring meter that works, and an estimate where none does."""
    working = [spec for spec in specs if not spec.on_request and probe(spec.name).available]
    covered = {spec.device_kind for spec in working if not spec.fallback}
    return [spec for spec in working if not spec.fallback or spec.device_kind not in covered]


@contextmanager
def sampling(
    chosen: Sequence[tuple[MeterSpec, Meter]], period_s: float | None
) -> Iterator[Sampler]:
    """Open the meters, sample them until the block ends, then close them.

    Args:
        chosen: The meters.
        period_s: Time between two readings; ``None`` follows the updates of each meter.

    Raises:
        OSError: A meter could not be opened.
    """
    with ExitStack() as stack:
        hanging: list[str] = []
        sources = []
        for spec, meter in chosen:
            stack.callback(_close, spec.name, meter, hanging)
            channels = tuple(meter.open(()))
            sources.append(Source(spec.name, spec.provenance, meter, channels))
        sampler = Sampler(sources, period_s=period_s)
        stack.callback(lambda: hanging.extend(sampler.stop()))
        sampler.start()
        yield sampler


def _close(name: str, meter: Meter, hanging: Collection[str]) -> None:
    """Close ``meter``, unless its driver is still inside a call."""
    if name not in hanging:
        meter.close()


def of_used_devices(series: Sequence[Series], devices: Sequence[str]) -> list[Series]:
    """Keep the series of accelerators the engine used, and of the host itself."""
    return [
        one
        for one in series
        if not _is_accelerator(one.channel.device) or one.channel.device in devices
    ]


def unmetered(series: Sequence[Series], devices: Sequence[str]) -> list[str]:
    """Return the accelerators the engine used that no meter reads."""
    metered = {one.channel.device for one in series}
    return [device for device in devices if _is_accelerator(device) and device not in metered]


def _is_accelerator(device: str) -> bool:
    return not device.startswith(("cpu", "host"))


def _refusal(name: str, offered: Collection[str], probe: Callable[[str], Probe]) -> Finding | None:
    path = "measurement.meters"
    if name not in offered:
        remedy = f"Known: {', '.join(sorted(offered))}."
        return Finding("meter-unknown", f"there is no meter {name!r}", path=path, remedy=remedy)
    answer = probe(name)
    if not answer.available:
        message = f"meter {name!r} does not work here: {answer.reason}"
        return Finding("meter-unavailable", message, path=path)
    return None
