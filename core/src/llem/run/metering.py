"""Choose the meters of a run, and sample them during the run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import psutil

from llem.api.capability import Gpu
from llem.api.meters import DeviceState, Meter, MeterSpec, Probe, Series
from llem.errors import ConfigInvalid, Finding
from llem.registry import Registry
from llem.run.sampler import Sampler, Source
from llem.schema.call_plan import import_dotted
from llem.schema.measurement import MeasurementConfig


def visible(gpus: Sequence[Gpu], selection: str | None) -> Iterator[Gpu]:
    """Yield the GPUs that are visible with ``CUDA_VISIBLE_DEVICES=selection``, in its order.

    An entry is an index, or the start of the UUID of a device or of a MIG instance. The first entry
    that names no device ends the list, as in CUDA.
    """
    if selection is None:
        yield from gpus
        return
    for entry in (part.strip() for part in selection.split(",")):
        if entry.isdecimal() and int(entry) < len(gpus):
            yield gpus[int(entry)]
            continue
        named = [gpu for gpu in gpus if _is_named(gpu, entry)]
        if len(named) != 1:
            return
        yield named[0]


def _is_named(gpu: Gpu, entry: str) -> bool:
    if entry.startswith("MIG-GPU-"):
        # The form before driver 470: the UUID of the whole device, and the instance's numbers.
        return gpu.uuid == entry.removeprefix("MIG-").partition("/")[0]
    if entry.startswith("MIG-"):
        return any(uuid.startswith(entry) for uuid in gpu.instances)
    return entry.startswith("GPU-") and gpu.uuid.startswith(entry)


def whole_devices(devices: Sequence[str], gpus: Sequence[Gpu]) -> list[str]:
    """Return device ids with each MIG instance replaced by its whole device.

    Only whole devices have an energy meter.
    """
    whole = []
    for device in devices:
        kind, _, uuid = device.partition(":")
        named = [gpu for gpu in gpus if uuid.startswith("MIG-") and _is_named(gpu, uuid)]
        whole.append(f"{kind}:{named[0].uuid}" if len(named) == 1 else device)
    return list(dict.fromkeys(whole))


def foreign_processes(
    states: Sequence[DeviceState], own: Collection[int], started_s: float
) -> set[int]:
    """Return the processes on the devices that do not belong to the run.

    A process is foreign if it was there before the worker's start, or if this machine knows its id
    and it is not the worker's. In a container, the driver may use other process ids than the
    machine, so an unknown process that came later can be the worker itself.

    Args:
        states: Device states with process ids.
        own: Ids of the worker and of all processes it started.
        started_s: Start of the worker.
    """
    foreign = set()
    for state in states:
        for pid in state.process_ids or ():
            if state.time_s < started_s or (pid not in own and psutil.pid_exists(pid)):
                foreign.add(pid)
    return foreign


def choose_meters(
    registry: Registry, measurement: MeasurementConfig
) -> list[tuple[MeterSpec, Meter]]:
    """Return the meters to use: the named meters, or all that work here.

    A fallback (an estimate) is used only for a device kind without a measuring meter.

    Raises:
        ConfigInvalid: A named meter does not exist or does not work here.
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
    """Return every measuring meter that works, and an estimate where there is none."""
    working = [spec for spec in specs if not spec.opt_in and probe(spec.name).available]
    covered = {spec.device_kind for spec in working if not spec.fallback}
    return [spec for spec in working if not spec.fallback or spec.device_kind not in covered]


@contextmanager
def sampling(
    chosen: Sequence[tuple[MeterSpec, Meter]], period_s: float | None
) -> Iterator[Sampler]:
    """Open the meters, sample them during the block, then close them.

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
    """Return the series of the accelerators that the engine used, and of the host."""
    return [
        source
        for source in series
        if not _is_accelerator(source.channel.device) or source.channel.device in devices
    ]


def unmetered(series: Sequence[Series], devices: Sequence[str]) -> list[str]:
    """Return the accelerators in use that no meter reads."""
    metered = {source.channel.device for source in series}
    return [device for device in devices if _is_accelerator(device) and device not in metered]


def _is_accelerator(device: str) -> bool:
    return not device.startswith(("cpu", "host"))


def _refusal(name: str, offered: Collection[str], probe: Callable[[str], Probe]) -> Finding | None:
    path = "measurement.meters"
    if name not in offered:
        hint = f"Known: {', '.join(sorted(offered))}."
        return Finding("meter-unknown", f"there is no meter {name!r}", path=path, hint=hint)
    answer = probe(name)
    if not answer.available:
        message = f"meter {name!r} does not work here: {answer.reason}"
        return Finding("meter-unavailable", message, path=path)
    return None
