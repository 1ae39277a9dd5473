"""The state of a backend's engine: installed, and in a supported version, by its metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llem.api.capability import EngineRequirement
from llem.errors import EngineMissing
from llem.version import installed_versions


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """State of an engine in one environment.

    Attributes:
        distribution: The distribution that carries it or, if none is installed, should carry it.
        version: Its version, or ``None`` when it is not installed.
        supported: Whether the backend can use it.
        message: Why not, or empty.
    """

    distribution: str
    version: str | None
    supported: bool
    message: str = ""


def engine_status(
    requirement: EngineRequirement, versions: Mapping[str, str] | None = None
) -> EngineStatus:
    """Return the state of the engine.

    Args:
        requirement: What the backend needs.
        versions: Installed versions of the environment in question; this one's if ``None``.
    """
    names = (requirement.distribution, *requirement.alternatives)
    if versions is None:
        versions = installed_versions(names)
    name = next((name for name in names if name in versions), None)
    if name is None:
        missing = requirement.distribution
        return EngineStatus(missing, None, supported=False, message=f"{missing} is not installed")
    found = versions[name]
    message = _mismatch(name, found, requirement.versions) if requirement.versions else ""
    return EngineStatus(name, found, supported=not message, message=message)


def check_version(requirement: EngineRequirement, versions: Mapping[str, str], where: str) -> None:
    """Check the engine of another environment.

    Args:
        requirement: What the backend needs.
        versions: Installed versions there.
        where: Its interpreter, for the message.

    Raises:
        EngineMissing: The engine is not there, or in a version that is not supported.
    """
    status = engine_status(requirement, versions)
    if not status.supported:
        raise EngineMissing(f"{status.message} for {where}", hint=requirement.install)


def _mismatch(name: str, found: str, supported: str) -> str:
    """Return why version ``found`` is not supported, or an empty string."""
    # Imported here: it takes as long to import as a whole listing of capabilities.
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        if Version(found) in SpecifierSet(supported, prereleases=True):
            return ""
    except (InvalidSpecifier, InvalidVersion) as error:
        return f"{name} {found} is installed; whether it is supported cannot be told: {error}"
    return f"{name} {found} is installed; {supported} is supported"
