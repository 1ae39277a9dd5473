"""Find plugins by their metadata; nothing is imported."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.metadata import Distribution, distributions

from llem.api import API_MAJOR, ENTRY_POINT_GROUP


class Status(StrEnum):
    """State of a plugin."""

    OK = "ok"
    BROKEN = "broken"
    DUPLICATE = "duplicate"
    INCOMPATIBLE = "incompatible"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """An installed plugin.

    Attributes:
        name: Name of its entry point.
        module: Dotted name of its module.
        distribution: Distribution that brings it.
        version: Version of that distribution.
        status: Its state; ``ok`` until loading it fails.
        message: Why it is not ok, and what to do; or that it is slow.
    """

    name: str
    module: str
    distribution: str
    version: str
    status: Status = Status.OK
    message: str = ""


DISABLE_VARIABLE = "LLEM_PLUGINS_DISABLE"
"""Comma-separated names of plugins to leave alone."""

_GROUP_PREFIX = ENTRY_POINT_GROUP.removesuffix(str(API_MAJOR))


def scan(environ: Mapping[str, str] = os.environ) -> tuple[PluginRecord, ...]:
    """Return every installed plugin, by name; the record of an unusable plugin says why."""
    found = list(_records())
    usable = [record for record in found if record.status is Status.OK]
    offers = Counter(record.name for record in usable)
    disabled = {name.strip() for name in environ.get(DISABLE_VARIABLE, "").split(",")}
    records = []
    for record in found:
        if record.name in disabled:
            message = f"switched off by {DISABLE_VARIABLE}"
            records.append(replace(record, status=Status.DISABLED, message=message))
        elif record.status is Status.OK and offers[record.name] > 1:
            rivals = {rival.distribution for rival in usable if rival.name == record.name}
            message = f"offered more than once, by {' and '.join(sorted(rivals))}"
            records.append(replace(record, status=Status.DUPLICATE, message=message))
        else:
            records.append(record)
    return tuple(sorted(records, key=lambda record: (record.name, record.distribution)))


def _records() -> Iterator[PluginRecord]:
    """Yield the plugins of each distribution, once for a distribution that is found twice."""
    seen = set()
    for distribution in distributions():
        # Parsing the entry points of every distribution would dominate the time of a listing.
        if _GROUP_PREFIX not in (distribution.read_text("entry_points.txt") or ""):
            continue
        if distribution.name not in seen:
            seen.add(distribution.name)
            yield from _records_of(distribution)


def _records_of(distribution: Distribution) -> Iterator[PluginRecord]:
    for point in distribution.entry_points:
        if not point.group.startswith(_GROUP_PREFIX):
            continue
        major = point.group.removeprefix(_GROUP_PREFIX)
        fits = point.group == ENTRY_POINT_GROUP
        yield PluginRecord(
            name=point.name,
            module=point.value,
            distribution=distribution.name,
            version=distribution.version,
            status=Status.OK if fits else Status.INCOMPATIBLE,
            message="" if fits else f"built for plugin API v{major}, this llem speaks v{API_MAJOR}",
        )
