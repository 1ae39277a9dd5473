"""The version of llem, which all distributions carry, and the versions installed here."""

from collections.abc import Iterable

__version__ = "0.1.0"


def installed_versions(distributions: Iterable[str]) -> dict[str, str]:
    """Return the versions of those ``distributions`` that are installed here."""
    found: dict[str, str] = {}
    for name in distributions:
        # This import is half the cost of a worker's start; a backend without an engine does not
        # pay it.
        from importlib.metadata import PackageNotFoundError, version

        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
