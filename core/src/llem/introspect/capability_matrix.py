"""The capability matrix: every capability against every backend, as each declares itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from llem.api.capability import BackendInfo, Capability, Claim, Condition, HostInfo, Installed
from llem.registry import Registry
from llem.tables import Cell, Table
from llem.version import installed_versions


def capabilities(registry: Registry, backend: str | None = None) -> tuple[BackendInfo, ...]:
    """Return what every backend declares, or only the backend called ``backend``.

    ``info.claim(capability)`` of each is a cell of the matrix.

    Raises:
        BackendUnavailable: That backend cannot be used.
    """
    chosen = registry.backends() if backend is None else (registry.backend(backend),)
    return tuple(usable.info for usable in chosen)


def missing_conditions(claim: Claim, host: HostInfo) -> tuple[Condition, ...]:
    """Return the conditions of ``claim`` that the machine ``host`` does not meet."""
    return tuple(condition for condition in claim.requires if not _is_met(condition, host))


def _is_met(condition: Condition, host: HostInfo) -> bool:
    if isinstance(condition, Installed) and condition.distribution not in host.versions:
        host = replace(host, versions=installed_versions([condition.distribution]))
    return condition.met(host)


def matrix_json(infos: Sequence[BackendInfo], host: HostInfo | None = None) -> dict[str, Any]:
    """Return the matrix as JSON data.

    Args:
        infos: The backends.
        host: The machine whose lacks are listed; ``missing`` is ``None`` without it.
    """
    return {
        "backends": [
            {"name": info.name, "summary": info.summary, "devices": info.devices} for info in infos
        ],
        "rows": [
            {
                "capability": capability,
                "claims": {info.name: _claim_json(info.claim(capability), host) for info in infos},
            }
            for capability in Capability
        ],
    }


def _claim_json(claim: Claim, host: HostInfo | None) -> dict[str, Any]:
    return {
        "level": claim.level,
        "note": claim.note,
        "requires": [str(condition) for condition in claim.requires],
        "missing": None if host is None else list(map(str, missing_conditions(claim, host))),
        "settings": dict(claim.settings),
    }


def matrix_table(infos: Sequence[BackendInfo], host: HostInfo | None = None) -> Table:
    """Return a row for each capability and a column for each backend.

    Args:
        infos: The backends.
        host: The machine that decides whether a claim holds "here", or ``None``.
    """
    rows = (
        (Cell(capability), *(_cell(info.claim(capability), host) for info in infos))
        for capability in Capability
    )
    return Table(("capability", *(info.name for info in infos)), tuple(rows))


def _cell(claim: Claim, host: HostInfo | None) -> Cell:
    needs = f"needs {', '.join(map(str, claim.requires))}" if claim.requires else ""
    note = "; ".join(filter(None, (claim.note, needs)))
    if host is None or not claim.requires:
        return Cell(claim.level, note)
    if missing_conditions(claim, host):
        return Cell("not here", note)
    return Cell(f"{claim.level}, here", claim.note)
