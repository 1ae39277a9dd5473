"""The observing hook; MLflow itself is imported when there is something to write."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from llem.api.hookspecs import hookimpl

if TYPE_CHECKING:
    from llem.api.outcome import Outcome

URI_VARIABLE = "MLFLOW_TRACKING_URI"
"""MLflow's own variable; where it is unset or empty, nothing is written."""


@hookimpl
def llem_experiment_finished(outcome: Outcome, folder: Path) -> None:
    """Write the outcome as an MLflow run."""
    if uri := os.environ.get(URI_VARIABLE):
        # Read when MLflow is imported: a thread of it would be metered in the next experiment.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from llem_mlflow.write import write_run

        write_run(uri, outcome, folder)
