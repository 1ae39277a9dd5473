"""Load the prompts of a workload, and check them without a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from itertools import count, islice
from pathlib import Path
from typing import Any

from llem.errors import WorkloadError, counted
from llem.schema.workload import (
    BuiltinWorkload,
    DatasetWorkload,
    FileWorkload,
    PromptsWorkload,
    SyntheticWorkload,
    Workload,
)
from llem.workload.conversations import conversation
from llem.workload.prompt import LoadedPrompts, Messages, Prompt, RandomTokens, check_prompt
from llem.workload.prompt_files import file_rows
from llem.workload.row_prompts import RowPrompts, refuse_numbers
from llem.workload.tokenizing import needs_tokenizer


def dataset_rows(workload: DatasetWorkload) -> Iterator[Any]:
    """Stream the rows of a Hugging Face dataset.

    Raises:
        WorkloadError: The library is missing, or the dataset cannot be loaded.
    """
    try:
        from datasets import load_dataset
    except ModuleNotFoundError as error:
        raise WorkloadError(
            "a dataset workload needs the `datasets` library",
            hint='Install it with: pip install "llem-core[datasets]"',
        ) from error
    try:
        # The rows are read only when they are asked for.
        yield from load_dataset(
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


def load_prompts(workload: Workload, base_dir: Path) -> LoadedPrompts | None:
    """Return the prompts of ``workload``; ``None`` for a synthetic workload.

    It opens and refuses exactly what a run opens and refuses, and needs no model.

    Args:
        workload: The source, and how many prompts to take from it.
        base_dir: Folder that relative paths start from.

    Raises:
        WorkloadError: The source cannot be read, holds fewer prompts than requested, or a prompt
            that cannot be used.
    """
    match workload:
        case SyntheticWorkload():
            return None
        case PromptsWorkload():
            return _of_texts(workload.prompts, workload.requests, "workload.prompts")
        case BuiltinWorkload():
            texts = builtin_texts(workload.name)
            return _of_texts(texts, workload.requests, f"prompt set {workload.name!r}")
        case FileWorkload():
            path = base_dir / Path(workload.path).expanduser()
            return _of_rows(file_rows(path, workload.encoding), workload, str(path))
        case DatasetWorkload():
            return _of_rows(dataset_rows(workload), workload, f"dataset {workload.id!r}")


def with_decoder(
    found: LoadedPrompts, *, min_new_tokens: int | None, ignore_eos: bool
) -> LoadedPrompts:
    """Return ``found`` with a remark if EOS may end a request before its length in a trace.

    Args:
        found: The prompts, with the output lengths that their rows state.
        min_new_tokens: Least output of every request, or ``None``.
        ignore_eos: Whether each request gets its full length.

    Raises:
        WorkloadError: A row states an output length below the least.
    """
    for prompt in found.prompts:
        if prompt.output_tokens is not None and prompt.output_tokens < (min_new_tokens or 0):
            raise WorkloadError(
                f"{prompt.place}: its output of {prompt.output_tokens} tokens is below "
                f"decoder.min_new_tokens, {min_new_tokens}",
                hint="Lower decoder.min_new_tokens, or set workload.row_lengths: false.",
            )
    if ignore_eos or not any(isinstance(prompt.content, RandomTokens) for prompt in found.prompts):
        return found
    remark = (
        "an end-of-sequence token may end a request before its output length; "
        "decoder.ignore_eos: true makes the lengths exact"
    )
    return replace(found, remarks=(*found.remarks, remark))


def _of_texts(
    texts: Sequence[str | Sequence[Mapping[str, Any]]], wanted: int | None, source: str
) -> LoadedPrompts:
    places = (f"{source}: prompt {number}" for number in count(1))
    prompts = (
        Prompt(_content(text, place), place=place)
        for text, place in zip(texts, places, strict=False)
    )
    return LoadedPrompts(_take(prompts, wanted, source))


def _content(text: str | Sequence[Mapping[str, Any]], place: str) -> str | Messages:
    """Return a text as it is, and messages up to the last answer."""
    if isinstance(text, str):
        return text
    found, _ = conversation(text, name="messages", turns="all", system="", place=place)
    if found is None:
        raise WorkloadError(
            f"{place}: there is no message of the user",
            hint="Write one: {role: user, content: Hello}.",
        )
    return found


def _of_rows(
    rows: Iterator[Any], workload: FileWorkload | DatasetWorkload, source: str
) -> LoadedPrompts:
    reader = RowPrompts(workload, source)
    prompts = _take(reader.read(rows), workload.requests, source)
    refuse_numbers(prompts, source)
    if workload.chat_template and not needs_tokenizer(prompts):
        raise WorkloadError(
            f"workload.chat_template acts on texts, and {source} holds none",
            hint="Remove workload.chat_template.",
        )
    return LoadedPrompts(prompts, tuple(reader.remarks()))


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


def _take(prompts: Iterable[Prompt], wanted: int | None, source: str) -> tuple[Prompt, ...]:
    """Return the first ``wanted`` prompts, or all; nothing beyond them is read."""
    taken = tuple(map(check_prompt, islice(prompts, wanted)))
    if not taken:
        raise WorkloadError(f"{source} holds no prompt")
    if wanted is not None and len(taken) < wanted:
        raise WorkloadError(
            f"workload.requests is {wanted}, but {source} holds {counted(len(taken), 'prompt')}",
            hint="Lower workload.requests, or leave it out to take every prompt.",
        )
    return taken
