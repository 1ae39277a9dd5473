"""Results of llama.cpp's ``llama-bench``, in each format that it prints.

A test processes a prompt (``n_prompt``), generates (``n_gen``), or does both in turn; its rate
counts the tokens of both. JSON holds each repetition, CSV and SQL their mean, Markdown only the
rate. The time of sampling and tokenization is left out by the tool.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llem.api.importers import ImportedResult, ImportHints
from llem_importers.figures import (
    Data,
    Figures,
    header,
    known,
    lengths,
    number,
    numbers,
    scaled,
    table,
    whole,
)

_KEYS = {"n_prompt", "n_gen", "avg_ts"}
_SETTINGS = (
    "model_type", "n_batch", "n_ubatch", "n_threads", "type_k", "type_v", "n_gpu_layers",
    "split_mode", "flash_attn", "no_kv_offload", "n_depth", "backends", "devices",
)  # fmt: skip
_MARKDOWN_TEST = re.compile(r"(pp|tg)\s?(\d+)(?:\+tg\s?(\d+))?(?:\s*@\s*d\s?(\d+))?$")
_INSERT = re.compile(r"INSERT INTO llama_bench \(([^)\n]*)\) VALUES \(([^\n]*?)\);")


def read(document: Any, hints: ImportHints) -> ImportedResult | Sequence[ImportedResult] | None:
    """Return the test in ``document``, or every test of a text; ``None`` for data of another tool.

    Args:
        document: JSON data of one test, or the text of a file.
        hints: Unused, because these files state their work.
    """
    if isinstance(document, Mapping):
        return _test(document) if document.keys() >= _KEYS else None
    if not isinstance(document, str):
        return None
    return [_test(row) for row in _rows(document)] or None


def _rows(text: str) -> Iterator[Data]:
    """Yield the tests of a CSV, SQL or Markdown text as JSON would have them."""
    if set(header(text)) >= _KEYS:
        yield from table(text)
    elif "INSERT INTO llama_bench" in text:
        for names, values in _INSERT.findall(text):
            cells = next(csv.reader([values], quotechar="'", skipinitialspace=True))
            row = dict(zip((name.strip() for name in names.split(",")), cells, strict=False))
            if row.keys() >= _KEYS:
                yield row
    elif text.lstrip().startswith("|"):
        yield from _markdown_rows(text)


def _markdown_rows(text: str) -> Iterator[Data]:
    lines = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in text.splitlines()
        if line.strip().startswith("|")
    ]
    if len(lines) < 3 or not {"test", "t/s"} <= set(lines[0]):
        return
    for cells in lines[2:]:
        row = dict(zip(lines[0], cells, strict=False))
        test = _MARKDOWN_TEST.fullmatch(row.get("test", ""))
        if test is None or "t/s" not in row:
            continue
        kind, first, second, depth = test.groups()
        yield {
            "model_type": row.get("model"),
            "backends": row.get("backend"),
            "n_gpu_layers": row.get("ngl"),
            "n_prompt": first if kind == "pp" else 0,
            "n_gen": second or 0 if kind == "pp" else first,
            "n_depth": depth or 0,
            "avg_ts": row["t/s"].partition("±")[0],
        }


def _test(row: Data) -> ImportedResult:
    prompt, generated = whole(row["n_prompt"]) or 0, whole(row["n_gen"]) or 0
    build = " ".join(
        str(row[key]) for key in ("build_number", "build_commit") if row.get(key) is not None
    )
    # The name of the file says the quantization as well.
    path = str(row.get("model_filename") or row.get("model_type") or "unknown")
    gpu = str(row.get("gpu_info") or "")
    return ImportedResult(
        tool="llama-bench",
        tool_version=build or None,
        backend="llama.cpp",
        engine="llama.cpp",
        engine_version=build or None,
        model=path.replace("\\", "/").rpartition("/")[2],
        metrics=known({"duration_s": scaled(row.get("avg_ns"), 1e-9)})
        | _rates(number(row["avg_ts"]), prompt, generated),
        repetitions=_repetitions(row, prompt, generated),
        settings={
            "workload": lengths(1, prompt, generated),
            "llama.cpp": {key: row[key] for key in _SETTINGS if row.get(key) not in (None, "")},
        },
        started_at=str(row.get("test_time") or ""),
        cpu=str(row.get("cpu_info") or "").strip(),
        gpus=tuple(name.strip() for name in gpu.split(",") if name.strip()),
    )


def _rates(tokens_per_s: float | None, prompt: int, generated: int) -> Figures:
    """Return the rates of a test from the rate of all its tokens."""
    if tokens_per_s is None or not prompt + generated:
        return {}
    share = {"input_tokens_per_s": prompt, "output_tokens_per_s": generated}
    rates = {
        name: tokens_per_s * tokens / (prompt + generated)
        for name, tokens in share.items()
        if tokens
    }
    return {**rates, "total_tokens_per_s": tokens_per_s}


def _repetitions(row: Data, prompt: int, generated: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    if durations_ns := numbers(row.get("samples_ns")):
        found["duration_s"] = [duration_ns * 1e-9 for duration_ns in durations_ns]
    for value in numbers(row.get("samples_ts")):
        for name, rate in _rates(value, prompt, generated).items():
            found.setdefault(name, []).append(rate)
    return found
