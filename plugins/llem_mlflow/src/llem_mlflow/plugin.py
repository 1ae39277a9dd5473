"""The observer's hook; MLflow itself is imported when an outcome is written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from llem.api.hookspecs import hookimpl

if TYPE_CHECKING:
    from llem.schema.outcome import Outcome

URI_VARIABLE = "MLFLOW_TRACKING_URI"
"""MLflow's own variable; nothing is written where it is unset or empty."""

DEFAULTS = {
    # A telemetry thread would run into the next experiment.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # By default it retries an unreachable server for minutes, after every experiment of a study.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
"""Defaults for MLflow's variables, where the user does not set them."""


@hookimpl
def llem_experiment_finished(outcome: Outcome, folder: Path) -> None:
    """Write the outcome as an MLflow run."""
    if uri := os.environ.get(URI_VARIABLE):
        # MLflow reads some of them at import.
        os.environ.update({**DEFAULTS, **os.environ})
        from llem_mlflow.write import write_run

        write_run(uri, outcome, folder)
