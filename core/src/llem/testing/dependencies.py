"""What a distribution requires, and what of it is not there."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement


def missing_dependencies(distribution: str) -> tuple[str, ...]:
    """Return the names of what ``distribution`` requires and is not installed, extras apart."""
    required = map(Requirement, requires(distribution) or ())
    wanted = (one.name for one in required if not one.marker or one.marker.evaluate({"extra": ""}))
    return tuple(name for name in wanted if not _is_installed(name))


def _is_installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True
