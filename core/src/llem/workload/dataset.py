"""Prompts from a Hugging Face dataset, through the `datasets` library."""

from __future__ import annotations

from collections.abc import Iterator

from llem.api.config import DatasetWorkload
from llem.api.errors import WorkloadError
from llem.workload.file import column_texts


def dataset_texts(workload: DatasetWorkload) -> Iterator[str]:
    """Yield the prompts of the dataset, row by row, without loading it whole.

    Raises:
        WorkloadError: The library or the dataset cannot be had, or has no such column.
    """
    try:
        from datasets import load_dataset
    except ModuleNotFoundError as error:
        raise WorkloadError(
            "a dataset workload needs the `datasets` library",
            hint='Install it with: pip install "llem-core[datasets]"',
        ) from error
    try:
        rows = load_dataset(
            workload.id,
            workload.config,
            split=workload.split,
            revision=workload.revision,
            streaming=True,
        )
    # The library reports an unknown dataset, split or config, and a missing network, so.
    except (OSError, ValueError) as error:
        raise WorkloadError(
            f"cannot load dataset {workload.id!r}: {error}",
            hint="Check its id, config and split, and the network.",
        ) from error
    yield from column_texts(rows, workload.column, f"dataset {workload.id!r}")
