"""Which backend runs an experiment that names none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llem.api.errors import BackendUnavailable
from llem.api.finding import Finding

if TYPE_CHECKING:
    from llem.registry import Backend


def choose_backend(installed: Sequence[Backend]) -> tuple[Backend, tuple[Finding, ...]]:
    """Return the first backend, by name, that can measure here, and a warning if there are more.

    A backend without an engine measures nothing real, so it must be asked for by name.

    Raises:
        BackendUnavailable: There is none.
    """
    usable = sorted(filter(_is_usable, installed), key=lambda backend: backend.name)
    if not usable:
        raise BackendUnavailable(
            "no backend with a usable engine is installed", hint=_ways_out(installed)
        )
    if len(usable) == 1:
        return usable[0], ()
    names = ", ".join(backend.name for backend in usable)
    warning = Finding(
        code="backend-chosen",
        message=f"{usable[0].name} was chosen among the usable backends {names}",
        severity="warning",
        path="backend",
        remedy="Name the one you mean with --backend or in the file.",
    )
    return usable[0], (warning,)


def _is_usable(backend: Backend) -> bool:
    status = backend.engine_status()
    # A plugin that declares a backend may not be able to run it yet.
    return status is not None and status.supported and backend.offers("llem_measurement")


def _ways_out(installed: Sequence[Backend]) -> str:
    ways = []
    for backend in installed:
        engine, status = backend.info.engine, backend.engine_status()
        if engine is None:
            ways.append(f"To try llem without an engine: --backend {backend.name}.")
        elif status is not None and not status.supported and engine.install:
            ways.append(f"For {backend.name}: {engine.install} ({status.message}).")
    return " ".join(ways) or "Install a plugin that brings a backend."
