"""The observing hook; MLflow itself is imported when there is something to write."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from llem.api.hookspecs import hookimpl

if TYPE_CHECKING:
    from llem.schema.outcome import Outcome

URI_VARIABLE = "MLFLOW_TRACKING_URI"
"""MLflow's own variable; where it is unset or empty, nothing is written."""

DEFAULTS = {
    # A thread of its telemetry would be metered in the next experiment.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # By itself it tries a server that is away for minutes, after every experiment of a study.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
"""Variables of MLflow with the values they have here where the user sets none."""


@hookimpl
def llem_experiment_finished(outcome: Outcome, folder: Path) -> None:
    """Write the outcome as an MLflow run."""
    if uri := os.environ.get(URI_VARIABLE):
        # MLflow reads some of them when it is imported.
        os.environ.update({**DEFAULTS, **os.environ})
        from llem_mlflow.write import write_run

        write_run(uri, outcome, folder)
