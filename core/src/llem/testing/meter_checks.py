"""Checks of the meters that a plugin brings."""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from llem.api.meters import Channel, Meter, MeterSpec, Probe, Provenance, Quantity, Reading
from llem.registry.plugin_calls import plugin_errors
from llem.testing.check_definition import Fault, check
from llem.testing.plugin_under_test import PluginUnderTest, meter_of
from llem.testing.prerequisites import Requires


@check(Requires.METER_HOOK)
def check_meters_described(subject: PluginUnderTest) -> Iterator[Fault]:
    """Every meter has a unique name, a summary, and measured or estimated figures."""
    counts = Counter(spec.name for spec in subject.meters)
    yield from (Fault(f"several meters are named {name}") for name, n in counts.items() if n > 1)
    for spec in subject.meters:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", spec.name):
            yield Fault(f"{spec.name!r}: a meter's name is words joined by hyphens")
        if not spec.summary or "\n" in spec.summary:
            yield Fault(f"{spec.name}: its summary is not one line")
        if spec.provenance not in (Provenance.MEASURED, Provenance.ESTIMATED):
            yield Fault(f"{spec.name}: its figures are neither measured nor estimated")


@check(Requires.METERS)
def check_meters_probe(subject: PluginUnderTest) -> Iterator[Fault]:
    """A probe never raises: it names channels, or the reason why there are none."""
    for spec in subject.meters:
        with plugin_errors(f"probing {spec.name}"):
            probe: Any = meter_of(spec).probe()
        if not isinstance(probe, Probe):
            yield Fault(f"{spec.name}: its probe is {type(probe).__name__}, not Probe")
        elif probe.available and not probe.channels:
            yield Fault(f"{spec.name}: it works here, but has no channel")
        elif not probe.available and not probe.reason:
            yield Fault(f"{spec.name}: it does not work here, without a reason")


@check(Requires.WORKING_METER)
def check_meters_open(subject: PluginUnderTest) -> Iterator[Fault]:
    """An opened meter has the channels of its probe, each once and of its device kind."""
    for spec, meter in subject.working_meters:
        channels = _open(spec, meter)
        meter.close()
        probed = tuple(meter.probe().channels)
        if channels != probed:
            yield Fault(f"{spec.name}: open, it has other channels than its probe")
        places = Counter((channel.device, channel.domain, channel.quantity) for channel in channels)
        for place, count in places.items():
            if count > 1:
                yield Fault(f"{spec.name}: several channels read {' '.join(place)}")
        for channel in channels:
            if channel.device.partition(":")[0] != spec.device_kind:
                yield Fault(f"{spec.name}: {channel.device} is not of kind {spec.device_kind}")
            if channel.contained_in and not _has(channels, channel.device, channel.contained_in):
                yield Fault(
                    f"{spec.name}: {channel.domain} lies in {channel.contained_in}, not offered"
                )


@check(Requires.WORKING_METER)
def check_meters_read(subject: PluginUnderTest) -> Iterator[Fault]:
    """A reading has a channel, a time within the call, and a value or an error."""
    for spec, meter in subject.working_meters:
        channels = _open(spec, meter)
        latest: dict[int, Reading] = {}
        for _ in range(3):
            before_s = time.monotonic()
            with plugin_errors(f"reading {spec.name}"):
                readings = tuple(meter.read())
            after_s = time.monotonic()
            for reading in readings:
                before = latest.get(reading.channel)
                if problem := _problem(reading, channels, before, before_s, after_s):
                    yield Fault(f"{spec.name}: {problem}")
                latest[reading.channel] = reading
        meter.close()


@check(Requires.WORKING_METER)
def check_meters_close(subject: PluginUnderTest) -> Iterable[Fault]:
    """A meter closes, and closing it again does nothing."""
    for spec, meter in subject.working_meters:
        _open(spec, meter)
        with plugin_errors(f"closing {spec.name}"):
            meter.close()
        with plugin_errors(f"closing {spec.name} again"):
            meter.close()
    return ()


def _open(spec: MeterSpec, meter: Meter) -> tuple[Channel, ...]:
    with plugin_errors(f"opening {spec.name}"):
        return tuple(meter.open(()))


def _has(channels: Sequence[Channel], device: str, domain: str) -> bool:
    return any((channel.device, channel.domain) == (device, domain) for channel in channels)


def _problem(
    reading: Reading,
    channels: Sequence[Channel],
    before: Reading | None,
    before_s: float,
    after_s: float,
) -> str:
    """Return the fault of a reading, or an empty string; the call lasted from before to after."""
    if not 0 <= reading.channel < len(channels):
        return f"there is no channel {reading.channel}"
    if not before_s <= reading.time_s <= after_s:
        return f"a reading of {reading.time_s} s was taken from {before_s} to {after_s} s"
    if reading.value is None:
        return "" if reading.error else "a reading has neither a value nor an error"
    if not math.isfinite(reading.value) or reading.value < 0:
        return f"a value of {reading.value}"
    channel = channels[reading.channel]
    falls = before is not None and before.value is not None and reading.value < before.value
    if channel.quantity is Quantity.ENERGY and falls and channel.wraps_at_j is None:
        return "a counter runs backwards, and its channel has no wraps_at_j"
    return ""
