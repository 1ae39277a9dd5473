"""Choose the meters of a run and keep them sampling while it lasts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from llem.api.config import Experiment
from llem.api.errors import ConfigInvalid
from llem.api.finding import Finding
from llem.api.meter import Meter, MeterSpec, Series
from llem.api.plan import import_dotted
from llem.measure.sampler import Sampler, Source
from llem.registry import Registry


def choose_meters(registry: Registry, experiment: Experiment) -> list[tuple[MeterSpec, Meter]]:
    """Return the meters to use, by name or all that work here.

    A fallback (an estimate) is taken only for a device kind that nothing measures.

    Raises:
        ConfigInvalid: A meter was named that does not exist or does not work here.
    """
    options = experiment.measurement.model_dump(mode="json")
    specs = [spec for _, spec in registry.meter_specs()]
    made = {spec.name: (spec, _make(spec, options)) for spec in specs}
    wanted = experiment.measurement.meters
    if wanted != "auto":
        findings = [finding for name in wanted if (finding := _refusal(name, made))]
        if findings:
            raise ConfigInvalid(findings)
        return [made[name] for name in wanted]
    candidates = [pair for pair in made.values() if not pair[0].on_request]
    chosen = [pair for pair in candidates if not pair[0].fallback and pair[1].probe().available]
    covered = {spec.device_kind for spec, _ in chosen}
    return chosen + [
        (spec, meter)
        for spec, meter in candidates
        if spec.fallback and spec.device_kind not in covered and meter.probe().available
    ]


@contextmanager
def sampling(chosen: Sequence[tuple[MeterSpec, Meter]], period_s: float) -> Iterator[Sampler]:
    """Open the meters, sample them until the block ends, then close them.

    Raises:
        OSError: A meter could not be opened.
    """
    with ExitStack() as stack:
        sources = []
        for spec, meter in chosen:
            stack.callback(meter.close)
            channels = tuple(meter.open(()))
            sources.append(Source(spec.name, spec.provenance, meter, channels))
        sampler = Sampler(sources, period_s=period_s)
        sampler.start()
        stack.callback(sampler.stop)
        yield sampler


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


def _make(spec: MeterSpec, options: dict[str, object]) -> Meter:
    meter: Meter = import_dotted(spec.factory)(options)
    return meter


def _refusal(name: str, made: dict[str, tuple[MeterSpec, Meter]]) -> Finding | None:
    path = "measurement.meters"
    if name not in made:
        known = ", ".join(sorted(made))
        return Finding(
            "meter-unknown", f"there is no meter {name!r}", path=path, remedy=f"Known: {known}."
        )
    probe = made[name][1].probe()
    if not probe.available:
        return Finding(
            "meter-unavailable", f"meter {name!r} does not work here: {probe.reason}", path=path
        )
    return None
