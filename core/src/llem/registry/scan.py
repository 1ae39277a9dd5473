"""Find plugins by their metadata; nothing is imported."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points

from llem.api import API_MAJOR, ENTRY_POINT_GROUP
from llem.registry.records import PluginRecord, Status

DISABLE_VARIABLE = "LLEM_PLUGINS_DISABLE"
"""Comma-separated names of plugins to leave alone."""

_GROUP_PREFIX = ENTRY_POINT_GROUP.removesuffix(str(API_MAJOR))


def scan(environ: Mapping[str, str] = os.environ) -> list[PluginRecord]:
    """Return every installed plugin, by name; those that must not be loaded say why."""
    disabled = {name.strip() for name in environ.get(DISABLE_VARIABLE, "").split(",")}
    found = entry_points()
    records = [
        _record(point, group)
        for group in found.groups
        if group.startswith(_GROUP_PREFIX)
        for point in found.select(group=group)
    ]
    # One distribution can be on the path twice; it is still one.
    unique = dict.fromkeys(records)
    judged = _mark_duplicates(unique)
    return sorted(
        (_disable(record) if record.name in disabled else record for record in judged),
        key=lambda record: (record.name, record.distribution),
    )


def _record(point: EntryPoint, group: str) -> PluginRecord:
    distribution = point.dist
    record = PluginRecord(
        name=point.name,
        module=point.value,
        distribution=distribution.name if distribution else "unknown",
        version=distribution.version if distribution else "unknown",
    )
    if group == ENTRY_POINT_GROUP:
        return record
    message = (
        f"built for plugin API v{group.removeprefix(_GROUP_PREFIX)}; this llem speaks v{API_MAJOR}"
    )
    return replace(record, status=Status.INCOMPATIBLE, message=message)


def _mark_duplicates(records: Iterable[PluginRecord]) -> list[PluginRecord]:
    by_name = defaultdict(list)
    for record in records:
        by_name[record.name].append(record)
    judged = []
    for same in by_name.values():
        usable = [record for record in same if record.status is Status.OK]
        if len(usable) > 1:
            providers = " and ".join(sorted(record.distribution for record in usable))
            message = f"offered by {providers}; uninstall one of them"
            same = [
                replace(record, status=Status.DUPLICATE, message=message)
                if record.status is Status.OK
                else record
                for record in same
            ]
        judged += same
    return judged


def _disable(record: PluginRecord) -> PluginRecord:
    return replace(record, status=Status.DISABLED, message=f"switched off by {DISABLE_VARIABLE}")
