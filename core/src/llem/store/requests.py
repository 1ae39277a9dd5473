"""Every request of every measured repetition, one JSON line each, compressed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llem.api.session import Request, RunResult

REQUESTS_FILE = "requests.jsonl.gz"


def write_requests(folder: Path, requests: Sequence[Request], runs: Sequence[RunResult]) -> None:
    """Write what each request asked for and got, in the order in which they were measured.

    Raises:
        OSError: The disk refused.
    """
    prompts = {request.index: len(request.prompt_ids) for request in requests}
    with compressed(folder / REQUESTS_FILE) as file:
        for repetition, run in enumerate(runs):
            for result in run.requests:
                line = {
                    "repetition": repetition,
                    "input_tokens": prompts[result.index],
                    "output_tokens": len(result.output_ids),
                    **result.to_json(),
                }
                file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")


@contextmanager
def compressed(path: Path) -> Iterator[gzip.GzipFile]:
    """Open ``path`` to write; the same content makes the same bytes.

    Raises:
        OSError: The disk refused.
    """
    with (
        path.open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=5, mtime=0) as file,
    ):
        yield file


def read_requests(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the requests stored in an outcome's folder.

    Raises:
        OSError: There are none, or they cannot be read.
    """
    with gzip.open(folder / REQUESTS_FILE, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
