"""Is everything here that a run needs?"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import llem
from llem.introspect.installed import MeterSummary, PluginSummary, meters, plugins
from llem.registry import Registry, Status
from llem.workload.shape_folder import cache_folder

OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
"""Variables that keep the Hugging Face libraries from the network."""

_TRUE = {"1", "ON", "YES", "TRUE"}


class State(StrEnum):
    """Result of one check."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What it is.
        state: ``failed`` keeps llem from running, ``warning`` limits what it can do.
        message: What was found.
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
    known = plugins(registry)
    return (
        Check("python", State.OK, f"{platform.python_version()}, {sys.executable}"),
        Check("llem", State.OK, llem.__version__),
        *(_plugin(one) for one in known),
        *_engines(known),
        *_meters(meters(registry)),
        _hub(environ),
        _writable("results folder", results),
        _writable("cache folder", cache_folder()),
    )


def _plugin(one: PluginSummary) -> Check:
    state = State.OK if one.status in {Status.OK, Status.DISABLED} else State.FAILED
    provider = f"{one.distribution} {one.version}"
    found = f"{one.status}: {one.message}, {provider}" if one.message else provider
    return Check(f"plugin {one.name}", state, found)


def _engines(known: tuple[PluginSummary, ...]) -> Iterator[Check]:
    """Yield the engine of each backend, and a warning where none can be used."""
    found = [(one.name, one.engine) for one in known if one.engine is not None]
    for name, engine in found:
        if engine.supported:
            yield Check(f"engine of {name}", State.OK, f"{engine.distribution} {engine.version}")
        else:
            yield Check(f"engine of {name}", State.WARNING, engine.message)
    if not any(engine.supported for _, engine in found):
        message = "none is usable here: real runs need one, or runner.python where there is one"
        yield Check("engines", State.WARNING, message)


def _meters(known: tuple[MeterSummary, ...]) -> Iterator[Check]:
    """Yield the GPUs that are metered, and how the energy of each device kind is known."""
    gpus = sorted({gpu for one in known if one.device_kind == "cuda" for gpu in one.devices})
    yield Check("gpus", State.OK, f"{len(gpus)}: {', '.join(gpus)}" if gpus else "none seen")
    for one in known:
        if one.opt_in:
            continue
        if one.available:
            yield Check(f"meter {one.name}", State.OK, one.reason or one.summary)
        else:
            yield Check(f"meter {one.name}", State.WARNING, one.reason)


def _hub(environ: Mapping[str, str]) -> Check:
    for variable in OFFLINE_VARIABLES:
        if environ.get(variable, "").upper() in _TRUE:
            message = f"offline by {variable}: models must be local, cached or shapes"
            return Check("model hub", State.OK, message)
    return Check("model hub", State.OK, "may be asked for models")


def _writable(name: str, folder: Path) -> Check:
    """Check that ``folder`` can be written or made; nothing is made."""
    folder = folder.absolute()
    nearest = next(one for one in (folder, *folder.parents) if one.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return Check(name, State.OK, str(folder))
    return Check(name, State.FAILED, f"{folder} cannot be written: see {nearest}")
