"""Check this environment for everything that a run needs."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from llem.api.meters import gpu_device_id
from llem.introspect.installed import InstalledMeter, InstalledPlugin, meters, plugins
from llem.registry import PluginRecord, Registry, Status
from llem.run.host_info import visible_gpus
from llem.tables import Table
from llem.version import __version__
from llem.workload.shape_folder import cache_folder

OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
"""Variables that keep the Hugging Face libraries from the network."""

_TRUE = {"1", "ON", "YES", "TRUE"}


class State(StrEnum):
    """Result of a check."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """The result of a check.

    Attributes:
        name: Subject of the check.
        state: ``failed`` keeps llem from running, ``warning`` limits what it can do.
        message: What the check found.
    """

    name: str
    state: State
    message: str


def doctor(
    registry: Registry,
    *,
    environ: Mapping[str, str] = os.environ,
    results: Path = Path("results"),
) -> tuple[Check, ...]:
    """Check this environment; nothing is written and no engine is imported.

    Args:
        registry: The installed plugins.
        environ: Environment variables.
        results: Folder that outcomes would go to.
    """
    found = plugins(registry)
    return (
        Check("python", State.OK, f"{platform.python_version()}, {sys.executable}"),
        Check("llem", State.OK, __version__),
        *(_plugin(plugin.record) for plugin in found),
        *_engines(found),
        *_meters(meters(registry)),
        _hub(environ),
        _writable("results folder", results),
        _writable("cache folder", cache_folder()),
    )


def _plugin(record: PluginRecord) -> Check:
    state = State.OK if record.status in {Status.OK, Status.DISABLED} else State.FAILED
    provider = f"{record.distribution} {record.version}"
    message = f"{record.status}: {record.message}, {provider}" if record.message else provider
    return Check(f"plugin {record.name}", state, message)


def _engines(found: tuple[InstalledPlugin, ...]) -> Iterator[Check]:
    """Yield the engine of each backend, and a warning where no engine can be used."""
    engines = {plugin.record.name: plugin.engine for plugin in found if plugin.engine is not None}
    for name, engine in engines.items():
        if engine.supported:
            yield Check(f"engine of {name}", State.OK, f"{engine.distribution} {engine.version}")
        else:
            yield Check(f"engine of {name}", State.WARNING, engine.message)
    if not any(engine.supported for engine in engines.values()):
        message = (
            "none works here: install an engine, or set runner.python to an interpreter with it"
        )
        yield Check("engines", State.WARNING, message)


def _meters(found: tuple[InstalledMeter, ...]) -> Iterator[Check]:
    """Yield the GPUs that are seen or metered, and which meter works for each kind of device."""
    metered = {gpu for meter in found if meter.spec.device_kind == "cuda" for gpu in meter.devices}
    gpus = sorted(metered | {gpu_device_id(gpu.uuid) for gpu in visible_gpus()})
    yield Check("gpus", State.OK, f"{len(gpus)}: {', '.join(gpus)}" if gpus else "none seen")
    for meter in found:
        if not meter.spec.opt_in:
            state = State.OK if meter.probe.available else State.WARNING
            yield Check(f"meter {meter.spec.name}", state, meter.remark)


def _hub(environ: Mapping[str, str]) -> Check:
    for variable in OFFLINE_VARIABLES:
        if environ.get(variable, "").upper() in _TRUE:
            message = f"offline by {variable}: models must be local, cached or shapes"
            return Check("model hub", State.OK, message)
    return Check("model hub", State.OK, "online: models may be downloaded")


def _writable(name: str, folder: Path) -> Check:
    """Check that ``folder`` can be written or made; nothing is made."""
    folder = folder.absolute()
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return Check(name, State.OK, str(folder))
    return Check(name, State.FAILED, f"{folder} cannot be written: see {nearest}")


def check_table(checks: Sequence[Check]) -> Table:
    """Return a row for each check."""
    return Table.of_texts((), ((check.state, check.name, check.message) for check in checks))
