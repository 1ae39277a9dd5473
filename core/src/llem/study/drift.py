"""What has changed since a study was begun, which decides whether it may go on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from llem import __version__
from llem.api.errors import ExperimentFailed
from llem.config.study import LoadedStudy
from llem.config.study.axes import leaves
from llem.run.elsewhere import distributions_of, versions_in


def versions_of(study: LoadedStudy) -> dict[str, str]:
    """Return the versions that results depend on: of llem, plugins, and engines.

    Those of an environment that `runner.python` names are asked of its interpreter. One that does
    not answer has none; its runs will say why.
    """
    found = {"llem": __version__}
    for points in study.grids:
        backend = points.grid.backend
        found[f"plugin {backend.name}"] = f"{backend.distribution} {backend.version}"
        for python in dict.fromkeys(points.grid.values_of(("runner", "python"))):
            if python is None:
                found |= _installed(distributions_of(backend.info))
                continue
            with suppress(ExperimentFailed):
                there = versions_in(backend, str(python))
                found |= {f"{name} of {python}": known for name, known in there.items()}
    return found


def _installed(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        with suppress(PackageNotFoundError):
            yield name, version(name)


def differences(
    before: Mapping[str, Any], now: Mapping[str, Any], what: str
) -> Iterator[tuple[str, str, str]]:
    """Yield name, earlier value and present value of everything that differs.

    Args:
        before: Nested values when the study was begun.
        now: Nested values at present.
        what: What they are, such as ``config``.
    """
    earlier, present = dict(leaves(before)), dict(leaves(now))
    for path in dict.fromkeys([*earlier, *present]):
        one, other = (shown(values, path) for values in (earlier, present))
        if one != other:
            yield f"{what} {'.'.join(map(str, path))}", one, other


def shown(values: Mapping[Any, Any], path: Any) -> str:
    """Return a value as text, or that there is none."""
    return repr(values[path]) if path in values else "absent"
