"""llem measures the energy, speed, memory and arithmetic of LLM inference on any engine.

The names below are the Python API; ``docs/how-to/use-from-python.md`` shows it at work. Each is
imported when it is first used, so that ``import llem`` costs nothing: the command line and every
worker process import this package too. ``docs/explain/architecture.md`` maps the rooms inside.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from llem.version import __version__

if TYPE_CHECKING:
    from llem import errors
    from llem.errors import LlemError
    from llem.python_api.comparison_report import ComparisonReport, compare
    from llem.python_api.documents import Experiment, Study
    from llem.python_api.measure import StudyResult, measure, run_study
    from llem.results.outcome_rows import load_results
    from llem.schema.outcome import Outcome

__all__ = [
    "ComparisonReport",
    "Experiment",
    "LlemError",
    "Outcome",
    "Study",
    "StudyResult",
    "__version__",
    "compare",
    "errors",
    "load_results",
    "measure",
    "run_study",
]

_MODULES = {
    "ComparisonReport": "llem.python_api.comparison_report",
    "Experiment": "llem.python_api.documents",
    "LlemError": "llem.errors",
    "Outcome": "llem.schema.outcome",
    "Study": "llem.python_api.documents",
    "StudyResult": "llem.python_api.measure",
    "compare": "llem.python_api.comparison_report",
    "load_results": "llem.results.outcome_rows",
    "measure": "llem.python_api.measure",
    "run_study": "llem.python_api.measure",
}


def __getattr__(name: str) -> Any:
    """Import the module of a public name when the name is first used."""
    if name == "errors":
        return import_module("llem.errors")
    if name not in _MODULES:
        raise AttributeError(f"module 'llem' has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, which a notebook completes."""
    return __all__
