"""Write an outcome as an MLflow run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from mlflow import MlflowClient
from mlflow.entities import Metric, Param

from llem.schema.outcome import Outcome
from llem_mlflow.entries import metrics, parameters, repetitions, tags

Item = TypeVar("Item")

EXPERIMENT_VARIABLE = "MLFLOW_EXPERIMENT_NAME"
"""MLflow's own variable for the experiment that runs belong to."""

STATUS = {
    "done": "FINISHED",
    "failed": "FAILED",
    "out-of-memory": "FAILED",
    "interrupted": "KILLED",
}
"""MLflow's status of a run, by the outcome's status."""

PER_BATCH = 100
"""MLflow's limit on parameters per call; its limit on metrics is higher."""


def write_run(uri: str, outcome: Outcome, folder: Path) -> str:
    """Write ``outcome`` and return the id of its run.

    Args:
        uri: MLflow's tracking URI.
        outcome: The outcome.
        folder: The folder it is stored in.

    Raises:
        MlflowException: MLflow refused, or its server is unreachable.
    """
    client = MlflowClient(tracking_uri=uri)
    began_ms = round(datetime.fromisoformat(outcome.environment.started_at).timestamp() * 1000)
    run = client.create_run(
        _experiment(client, outcome), start_time=began_ms, tags=tags(outcome), run_name=outcome.id
    )
    id: str = run.info.run_id
    values = [Metric(key, value, began_ms, 0) for key, value in metrics(outcome).items()]
    values += [Metric(key, value, began_ms, step) for step, key, value in repetitions(outcome)]
    for batch in _batches(values):
        client.log_batch(id, metrics=batch)
    for batch in _batches([Param(key, value) for key, value in parameters(outcome).items()]):
        client.log_batch(id, params=batch)
    client.log_artifact(id, str(folder / "outcome.json"))
    ended_ms = began_ms + round(1000 * (outcome.timing.total_s or 0))
    client.set_terminated(id, STATUS[outcome.status], ended_ms)
    return id


def _experiment(client: MlflowClient, outcome: Outcome) -> str:
    """Return the id of the MLflow experiment, which is created if missing."""
    study = outcome.study.name if outcome.study else None
    name = os.environ.get(EXPERIMENT_VARIABLE) or study or "llem"
    known = client.get_experiment_by_name(name)
    id: str = known.experiment_id if known else client.create_experiment(name)
    return id


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), PER_BATCH):
        yield items[start : start + PER_BATCH]
