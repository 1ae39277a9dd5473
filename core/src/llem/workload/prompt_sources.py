"""Load the prompts of a workload as texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import files
from itertools import islice
from pathlib import Path

from llem.errors import WorkloadError
from llem.schema.workload import (
    BuiltinWorkload,
    DatasetWorkload,
    FileWorkload,
    PromptsWorkload,
    SyntheticWorkload,
    Workload,
)
from llem.workload.prompt_files import column_texts, file_texts


def dataset_texts(workload: DatasetWorkload) -> Iterator[str]:
    """Stream the prompts of a Hugging Face dataset, row by row.

    Raises:
        WorkloadError: The library is missing, the dataset cannot be loaded, or lacks the column.
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
    # What the library raises for an unknown dataset, split or config, and without a network.
    except (OSError, ValueError) as error:
        raise WorkloadError(
            f"cannot load dataset {workload.id!r}: {error}",
            hint="Check its id, config and split, and the network.",
        ) from error
    yield from column_texts(rows, workload.column, f"dataset {workload.id!r}")


def load_texts(workload: Workload, base_dir: Path) -> tuple[str, ...] | None:
    """Return the prompts of ``workload`` in the source's order; ``None`` for a synthetic workload.

    Args:
        workload: The source, and how many prompts to take from it.
        base_dir: Folder that relative paths start from.

    Raises:
        WorkloadError: The source cannot be read, or holds fewer prompts than requested.
    """
    match workload:
        case SyntheticWorkload():
            return None
        case PromptsWorkload():
            return _take(workload.prompts, workload.requests, "the config")
        case FileWorkload():
            path = base_dir / Path(workload.path).expanduser()
            return _take(file_texts(path, workload.column), workload.requests, str(path))
        case BuiltinWorkload():
            source = f"prompt set {workload.name!r}"
            return _take(builtin_texts(workload.name), workload.requests, source)
        case DatasetWorkload():
            return _take(dataset_texts(workload), workload.requests, f"dataset {workload.id!r}")


def builtin_texts(name: str) -> list[str]:
    """Return the prompt set ``name`` that ships with llem.

    Raises:
        WorkloadError: The name is unknown.
    """
    folder = files("llem.workload") / "prompts"
    known = sorted(file.name.removesuffix(".txt") for file in folder.iterdir())
    if name not in known:
        hint = f"Known: {', '.join(known)}."
        raise WorkloadError(f"there is no built-in prompt set {name!r}", hint=hint)
    return (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def _take(texts: Iterable[str], wanted: int | None, source: str) -> tuple[str, ...]:
    """Return the first ``wanted`` texts, or all; nothing beyond them is read."""
    taken = tuple(islice(texts, wanted))
    if not taken:
        raise WorkloadError(f"{source} holds no prompt")
    if wanted is not None and len(taken) < wanted:
        raise WorkloadError(
            f"workload.requests is {wanted}, but {source} holds {len(taken)} prompts",
            hint="Lower workload.requests, or leave it out to take every prompt.",
        )
    return taken
