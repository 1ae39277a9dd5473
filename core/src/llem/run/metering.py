"""Choose the meters of a run, sample them during the run, and derive the live power."""

from __future__ import annotations

import difflib
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace

import psutil

from llem.api.meters import DeviceState, Meter, MeterSpec, Probe, Series
from llem.energy.domain_energy import Row
from llem.energy.energy_rows import EnergyRows, energy_rows
from llem.energy.plausibility import device_kind
from llem.errors import ConfigInvalid, Finding
from llem.registry import Registry
from llem.run.sampler import Sampler, Source
from llem.schema.call_plan import import_dotted
from llem.schema.measurement import MeasurementConfig, ThresholdsConfig
from llem.schema.outcome import Reason


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


@dataclass(frozen=True, slots=True)
class CpuTime:
    """Processor time up to a moment, in core-seconds.

    Attributes:
        whole_s: Of all processors, busy or not.
        busy_s: Spent by programs.
        own_s: Spent by llem, the worker, and what they started.
    """

    whole_s: float
    busy_s: float
    own_s: float

    @classmethod
    def now(cls, own: Iterable[int] = ()) -> CpuTime:
        """Return the processor time so far; ``own`` are processes beside this process."""
        times = psutil.cpu_times()
        mine = [os.getpid(), *own]
        return cls(
            whole_s=sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0),
            busy_s=times.user + getattr(times, "nice", 0.0) + times.system,
            own_s=sum(map(_cpu_s, mine)),
        )

    def foreign_ratio(self, later: CpuTime) -> float:
        """Return the share of processor time until ``later`` that other programs used."""
        whole_s = later.whole_s - self.whole_s
        foreign_s = later.busy_s - self.busy_s - (later.own_s - self.own_s) - _CLOCK_ERROR_S
        return max(0.0, foreign_s / whole_s) if whole_s > 0 else 0.0


_CLOCK_ERROR_S = 0.05
"""Processor times are counted in ticks of 10 ms, for each processor and process."""


def _cpu_s(pid: int) -> float:
    """Return the processor time of a process and of its children that have ended."""
    with suppress(psutil.Error):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


def load_reasons(
    loads: Mapping[str, float], rows: Sequence[Row], thresholds: ThresholdsConfig
) -> Iterator[Reason]:
    """Yield a reason for each time in which other programs used the metered processors.

    Args:
        loads: Share of the processors' time that other programs used, by the time's name.
        rows: The energy rows that count.
        thresholds: Thresholds of the reasons.
    """
    kinds = {device_kind(row.series.channel.device) for row in rows}
    kinds.update(kind for row in rows for kind in row.series.channel.covers)
    if not kinds & {"cpu", "host", "*"}:
        return
    for name, ratio in loads.items():
        if ratio > thresholds.max_foreign_load_ratio:
            message = f"other programs used {ratio:.0%} of the processors' time in the {name}"
            yield Reason(code="foreign-load", message=message)


@dataclass(frozen=True, slots=True)
class ChosenMeters:
    """The meters to use.

    Attributes:
        meters: Each meter with its description.
        unusable: Device kind and reason of each meter that is on this machine and does not work,
            where no other meter measures that kind.
    """

    meters: list[tuple[MeterSpec, Meter]]
    unusable: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def warnings(self) -> list[Finding]:
        """A remark on each estimate that replaces a meter that is here and does not work."""
        estimates = {spec.device_kind: spec.name for spec, _ in self.meters if spec.fallback}
        return [
            Finding(
                "meter-unusable",
                f"{estimates[kind]} is used, because the meter {name} does not work here: {why}",
                severity="warning",
            )
            for name, (kind, why) in self.unusable.items()
            if kind in estimates
        ]

    @property
    def unmetered(self) -> dict[str, str]:
        """Device kinds that are on this machine and that no meter reads, and why."""
        metered = {spec.device_kind for spec, _ in self.meters}
        return {
            kind: f"the meter {name} does not work here: {why}"
            for name, (kind, why) in self.unusable.items()
            if kind not in metered
        }


def choose_meters(registry: Registry, measurement: MeasurementConfig) -> ChosenMeters:
    """Return the meters to use: the named meters, or all that work here.

    A fallback (an estimate) is used only for a device kind without a measuring meter.

    Raises:
        ConfigInvalid: A meter that is named, or has a section of its own, does not exist or does
            not work here.
    """
    options = measurement.model_dump(mode="json")
    wanted = measurement.meters
    offered = {spec.name: (plugin, spec) for plugin, spec in registry.meter_specs()}

    def probe(name: str) -> Probe:
        return registry.probe_meter(*offered[name], options)

    unusable: dict[str, tuple[str, str]] = {}
    if wanted == "auto":
        automatic = {spec: probe(spec.name) for _, spec in offered.values() if not spec.opt_in}
        working = [spec for spec, answer in automatic.items() if answer.available]
        covered = {spec.device_kind for spec in working if not spec.fallback}
        specs = [spec for spec in working if not spec.fallback or spec.device_kind not in covered]
        unusable = {
            spec.name: (spec.device_kind, answer.reason)
            for spec, answer in automatic.items()
            if answer.present and not answer.available and spec.device_kind not in covered
        }
        # A section of the meter's own, such as `trace`, asks for it as well.
        asked = [name for name in offered if getattr(measurement, name, None) is not None]
        refusals = [_unavailable(name, probe(name), f"measurement.{name}") for name in asked]
    else:
        specs = [offered[name][1] for name in wanted if name in offered]
        refusals = [_refusal(name, offered, probe) for name in wanted]
        refusals += [
            Finding(
                code="meter-unused",
                message=f"it acts only with the meter {name}, which is not used",
                path=f"measurement.{name}",
                hint=f"Add {name} to measurement.meters, or remove measurement.{name}.",
            )
            for name in offered
            if name not in wanted and getattr(measurement, name, None) is not None
        ]
    if findings := [finding for finding in refusals if finding is not None]:
        raise ConfigInvalid(findings)
    meters = [(spec, import_dotted(spec.factory)(options)) for spec in specs]
    return ChosenMeters(meters, unusable)


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


def unused(series: Sequence[Series], devices: Sequence[str], named: Collection[str]) -> list[str]:
    """Return the accelerators that the engine did not use and that one of the meters reads.

    Args:
        series: All readings.
        devices: The devices in use.
        named: Names of meters that are used because the user named them.
    """
    metered = [source.channel.device for source in series if source.meter in named]
    return list(
        dict.fromkeys(
            device for device in metered if _is_accelerator(device) and device not in devices
        )
    )


def unmetered(series: Sequence[Series], devices: Sequence[str]) -> list[str]:
    """Return the accelerators in use that no meter reads."""
    metered = {source.channel.device for source in series}
    return [device for device in devices if _is_accelerator(device) and device not in metered]


def _is_accelerator(device: str) -> bool:
    """Return whether an id has the form of an accelerator's; ``pdu1`` is part of the host."""
    return ":" in device and device_kind(device) not in {"cpu", "host"}


_MOST_SHOWN = 60
"""Characters of an unknown name that a message repeats."""


def _refusal(name: str, offered: Collection[str], probe: Callable[[str], Probe]) -> Finding | None:
    path = "measurement.meters"
    if name not in offered:
        near = difflib.get_close_matches(name, offered, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(sorted(offered))}."
        shown = name if len(name) <= _MOST_SHOWN else f"{name[:_MOST_SHOWN]}…"
        return Finding("meter-unknown", f"there is no meter {shown!r}", path=path, hint=hint)
    return _unavailable(name, probe(name), path)


def _unavailable(name: str, answer: Probe, path: str) -> Finding | None:
    if answer.available:
        return None
    message = f"meter {name!r} does not work here: {answer.reason}"
    return Finding("meter-unavailable", message, path=path)


PERIOD_S = 1.0
"""Time between two snapshots, and the time over which power is averaged."""

DELAY_S = 0.3
"""Age of a snapshot: it needs readings on both sides of its edges."""

RECENT = 200
"""Number of last readings in a snapshot: several seconds at any period."""


@dataclass(frozen=True, slots=True)
class LivePower:
    """A domain at one moment.

    Attributes:
        meter: Name of the meter.
        device: Device id.
        domain: Part of the device.
        power_w: Mean power over the last second, or ``None`` if unavailable.
        energy_j: Energy since the start, or ``None`` if a part of it is unavailable.
        contained: Whether another row includes it.
    """

    meter: str
    device: str
    domain: str
    power_w: float | None
    energy_j: float | None
    contained: bool


def watch(registry: Registry, measurement: MeasurementConfig) -> Iterator[list[LivePower]]:
    """Yield a row for each domain once a second, until the caller stops.

    Raises:
        ConfigInvalid: A meter does not exist or does not work here.
    """
    chosen = choose_meters(registry, measurement)
    energies_j: dict[int, float | None] = {}
    with sampling(chosen.meters, measurement.sample_period_s) as sampler:
        due_s = time.monotonic() + DELAY_S + PERIOD_S
        while True:
            time.sleep(max(0.0, due_s + DELAY_S - time.monotonic()))
            last_second = _energy_rows(sampler.series(), due_s)
            rows = []
            for at, row in enumerate(last_second.rows):
                last_j, before_j = row.window_j[0], energies_j.get(at, 0.0)
                energies_j[at] = None if last_j is None or before_j is None else before_j + last_j
                rows.append(_live(row, energies_j[at]))
            yield rows
            due_s += PERIOD_S


def power_now_w(series: Sequence[Series], end_s: float) -> float | None:
    """Return the mean power of all devices together over the second before ``end_s``.

    Args:
        series: The readings so far, on both sides of ``end_s``.
        end_s: End of the second, on the monotonic clock.

    Returns:
        The power, or ``None`` if the power of a domain is unavailable or there is no meter.
    """
    (energy_j,) = _energy_rows(series, end_s).window_j
    return None if energy_j is None else energy_j / PERIOD_S


def _energy_rows(series: Sequence[Series], end_s: float) -> EnergyRows:
    """Return the energy of the second before ``end_s``, by the rules of a stored outcome.

    Only the last readings are used, so that watching for days does not cost more.
    """
    recent = [
        replace(source, times_s=source.times_s[-RECENT:], values=source.values[-RECENT:])
        for source in series
    ]
    return energy_rows(recent, [(end_s - PERIOD_S, end_s)])


def _live(row: Row, energy_j: float | None) -> LivePower:
    channel, last_j = row.series.channel, row.window_j[0]
    return LivePower(
        meter=row.series.meter,
        device=channel.device,
        domain=channel.domain,
        power_w=None if last_j is None else last_j / PERIOD_S,
        energy_j=energy_j,
        contained=not row.counted,
    )
