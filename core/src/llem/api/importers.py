"""Reading the results of other tools, so that old figures can stand beside new ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ImportHints:
    """What the user knows of a measurement, for what its file does not say.

    Attributes:
        requests: Requests of a repetition.
        input_tokens: Prompt tokens of a request.
        output_tokens: Generated tokens of a request.
    """

    requests: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ImportedResult:
    """What another tool measured, in llem's terms: SI units, and null for what it does not say.

    Attributes:
        tool: What measured it, such as ``somebench serve``.
        backend: The backend that ran, as llem would call it.
        model: The model's id.
        metrics: Value by the name of a metric (``output_tokens_per_s``), as far as it follows
            from the file and what was told.
        repetitions: Values of single repetitions, likewise; for tools that keep them.
        settings: Further parameters of the measurement, nested as in a config.
        tool_version: Its version.
        engine: Engine that ran.
        engine_version: Its version.
        started_at: When, as the file says it, or empty.
        system: Operating system, or empty.
        cpu: Processor name, or empty.
        logical_cores: Its cores.
        memory_bytes: Physical memory.
        gpus: Product names of the GPUs.
        python: Version of Python.
    """

    tool: str
    backend: str
    model: str
    metrics: Mapping[str, float]
    repetitions: Mapping[str, Sequence[float]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    tool_version: str | None = None
    engine: str | None = None
    engine_version: str | None = None
    started_at: str = ""
    system: str = ""
    cpu: str = ""
    logical_cores: int | None = None
    memory_bytes: int | None = None
    gpus: tuple[str, ...] = ()
    python: str | None = None


@dataclass(frozen=True, slots=True)
class ResultImporter:
    """One kind of file that can be imported.

    Attributes:
        name: What the user calls it.
        summary: What writes such files, in one line.
        reader: Dotted name of a function that takes the file's JSON data and
            :class:`ImportHints`, and returns :class:`ImportedResult`, or ``None`` for data of
            another kind.
    """

    name: str
    summary: str
    reader: str
