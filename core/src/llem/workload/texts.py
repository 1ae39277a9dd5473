"""The prompts of a workload, as texts."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from itertools import islice
from pathlib import Path

from llem.api.config import (
    BuiltinWorkload,
    DatasetWorkload,
    FileWorkload,
    PromptsWorkload,
    SyntheticWorkload,
    Workload,
)
from llem.api.errors import WorkloadError
from llem.workload.dataset import dataset_texts
from llem.workload.file import file_texts


def load_texts(workload: Workload, base_dir: Path) -> tuple[str, ...] | None:
    """Return the prompts ``workload`` asks for, in their order; ``None`` for a synthetic one.

    Args:
        workload: Where prompts come from, and how many.
        base_dir: Folder that relative paths start from.

    Raises:
        WorkloadError: They cannot be read, or there are fewer than asked for.
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
        WorkloadError: There is no such set.
    """
    folder = files("llem.workload") / "prompts"
    known = sorted(file.name.removesuffix(".txt") for file in folder.iterdir())
    if name not in known:
        hint = f"Known: {', '.join(known)}."
        raise WorkloadError(f"there is no built-in prompt set {name!r}", hint=hint)
    return (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def _take(texts: Iterable[str], wanted: int | None, source: str) -> tuple[str, ...]:
    """Return the first ``wanted`` texts; reading no further than that."""
    taken = tuple(islice(texts, wanted))
    if not taken:
        raise WorkloadError(f"{source} holds no prompt")
    if wanted is not None and len(taken) < wanted:
        raise WorkloadError(
            f"{wanted} prompts were asked for and {source} holds {len(taken)}",
            hint="Lower workload.requests, or leave it out to take every prompt.",
        )
    return taken
