"""Import of other tools' results, to compare them with llem's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ImportHints:
    """What the user knows about a measurement and its file does not state.

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
    """The result of another tool in llem's terms: SI units, and ``None`` for unknown values.

    Attributes:
        tool: Name of the tool, such as ``somebench serve``.
        backend: llem's name for the backend.
        model: The model's id.
        metrics: Value by the name of a metric (``output_tokens_per_s``), as far as it follows
            from the file and the hints. Other figures have names that end with their unit.
        repetitions: Values of single repetitions by metric, if the file holds them.
        settings: Other parameters of the measurement, nested as in a config.
        tool_version: Version of the tool.
        engine: Name of the engine.
        engine_version: Version of the engine.
        started_at: Start time as in the file, or empty.
        system: Operating system, or empty.
        cpu: Processor name, or empty.
        logical_cores: Its cores.
        memory_bytes: Physical memory.
        gpus: Product names of the GPUs.
        python: Version of Python.
        energy_boundary: What the energy covers, and where it comes from.
        notes: Remarks for the user, such as on failed requests.
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
    energy_boundary: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResultImporter:
    """A file format that can be imported.

    Attributes:
        name: Name of the format.
        summary: The files that are read, and the tool that writes them, in one line.
        reader: Dotted name of a function that takes the file's JSON data, or the text of a file
            that is not JSON, and :class:`ImportHints`. It returns an :class:`ImportedResult`,
            several of them, or ``None`` for data of another format; it raises ``ConfigError``
            for data of its format that hold no usable figures. A list that no reader takes is read
            item by item.
    """

    name: str
    summary: str
    reader: str
