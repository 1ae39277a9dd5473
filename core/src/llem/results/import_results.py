"""Read a result file of another tool and store it beside llem's own outcomes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from llem.api.importers import ImportedResult, ImportHints, ResultImporter
from llem.errors import ConfigError, StorageError, counted, os_errors_as
from llem.registry import Registry
from llem.results.folder import OutcomeFolder
from llem.results.read_outcomes import read_limited, read_outcome
from llem.schema.outcome import Environment, Imported, Outcome, Reason, Verdict
from llem.version import __version__

MOST_BYTES = 256 * 2**20
"""A file with the texts of thousands of requests is smaller."""

READERS = "llem-importers"
"""The distribution that reads the formats of well-known tools."""


@dataclass(frozen=True, slots=True)
class StoredImport:
    """An outcome that was made of a file.

    Attributes:
        outcome: The outcome.
        folder: Its folder.
        known_as: An outcome of an earlier import with the same figures; it is replaced if it is
            that of the same data.
    """

    outcome: Outcome
    folder: Path
    known_as: Path | None = None


def import_file(
    path: Path, registry: Registry, results: Path, hints: ImportHints, format: str | None = None
) -> list[StoredImport]:
    """Store every result in ``path``, or none.

    Importing a file again replaces its outcomes.

    Args:
        path: A file of one or several JSON documents, or a table.
        registry: The installed plugins.
        results: Folder that receives the outcomes' folders.
        hints: Facts that the file does not state.
        format: Name of the format; detected by default.

    Raises:
        ConfigError: The file cannot be read, its format is unknown, or it holds no figures.
        PluginBroken: The format's reader failed.
        StorageError: An outcome could not be written.
    """
    formats = _formats(registry, format)
    try:
        documents, notes = _documents(path)
        read = []
        for index, document in enumerate(documents, start=1):
            name = "it" if len(documents) == 1 else f"document {index} of {len(documents)}"
            read += _read(document, name, formats, registry, hints)
    except ConfigError as error:
        hint = "\n".join(filter(None, (error.hint, formats_hint(registry))))
        raise ConfigError(f"{path}: {error.message}", hint=hint) from error
    earlier = _earlier_imports(results)
    stored = []
    for found in read:
        item = _store(path, found, notes, results, earlier)
        earlier[item.folder] = item.outcome
        stored.append(item)
    return stored


def formats_hint(registry: Registry) -> str:
    """Return the formats that are read here, and what to install if few are."""
    formats = [importer for _, importer in registry.import_formats()]
    lines = []
    if all(plugin.distribution != READERS for plugin in registry.plugins):
        lines.append(f"Install the readers of well-known tools: pip install {READERS}")
    elif not formats:
        lines.append("No plugin reads results here: `llem plugins` says why.")
    if formats:
        lines.append("Formats read here:")
    return "\n".join([*lines, *(f"  {format.name}: {format.summary}" for format in formats)])


def _formats(registry: Registry, name: str | None) -> list[tuple[str, ResultImporter]]:
    offered = registry.import_formats()
    chosen = [(plugin, importer) for plugin, importer in offered if name in (None, importer.name)]
    if not chosen:
        what = "reader of other tools' results" if name is None else f"format {name!r}"
        raise ConfigError(f"there is no {what}", hint=formats_hint(registry))
    return chosen


def _documents(path: Path) -> tuple[list[Any], tuple[str, ...]]:
    """Return the JSON documents in a file, or its text, and remarks on them.

    Raises:
        ConfigError: It cannot be read, or is neither JSON nor text.
    """
    try:
        with os_errors_as(ConfigError, "it cannot be read"):
            content = read_limited(path, MOST_BYTES, regular=False)
        encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        rest = content.decode(encoding).strip()
    except UnicodeDecodeError:
        raise ConfigError("it is no text: a result is JSON or a table") from None
    except ValueError as error:
        raise ConfigError(str(error)) from error
    if not rest:
        raise ConfigError("it is empty")
    if "\0" in rest:
        raise ConfigError("it is no text: a result is JSON or a table")
    return _json_documents(rest) if rest[0] in "[{" else ([rest + "\n"], ())


def _json_documents(rest: str) -> tuple[list[Any], tuple[str, ...]]:
    no_numbers: list[str] = []
    # Python writes NaN and Infinity, which are no JSON; here they become null.
    decoder = json.JSONDecoder(parse_constant=no_numbers.append)
    documents: list[Any] = []
    position = 0
    try:
        while position < len(rest):
            document, position = decoder.raw_decode(rest, position)
            documents.append(document)
            while position < len(rest) and rest[position].isspace():
                position += 1
    except json.JSONDecodeError as error:
        whole = f"after {counted(len(documents), 'whole document')}, " if documents else ""
        raise ConfigError(
            f"{whole}line {error.lineno} is no JSON: {error.msg}; is the file cut off?"
        ) from error
    except RecursionError:
        raise ConfigError("its JSON is nested too deeply") from None
    if not no_numbers:
        return documents, ()
    kinds = ", ".join(sorted(set(no_numbers)))
    return documents, (
        f"{kinds} in {counted(len(no_numbers), 'place')}; figures that need these values are "
        "left out",
    )


Found = tuple[Any, ResultImporter, ImportedResult, int | None]
"""A document, its format, a result in it, and the result's number if there are several."""


def _read(
    document: Any,
    name: str,
    formats: Sequence[tuple[str, ResultImporter]],
    registry: Registry,
    hints: ImportHints,
) -> list[Found]:
    """Return every result in ``document``; items of a list that no format knows are read alone.

    Args:
        document: JSON data or text.
        name: What a message calls it.
        formats: Formats to try, each with its plugin's name.
        registry: Calls the readers.
        hints: Facts that the file does not state.

    Raises:
        ConfigError: No format knows it, or it holds no figures.
    """
    for plugin, importer in formats:
        try:
            found = registry.read_foreign(plugin, importer, document, hints)
        except ConfigError as error:
            raise ConfigError(f"{name} is of {importer.name}: {error.message}") from error
        if found is None:
            continue
        if not any(_finite(result) for result in found):
            raise ConfigError(f"{name} is of {importer.name}, and holds no figures")
        numbers = range(1, len(found) + 1) if len(found) > 1 else (None,)
        return [
            (document, importer, result, number)
            for result, number in zip(found, numbers, strict=True)
        ]
    if isinstance(document, list) and document:
        return [
            found
            for number, item in enumerate(document, start=1)
            for found in _read(item, f"item {number} of a list", formats, registry, hints)
        ]
    if isinstance(document, dict) and {"schema_version", "verdict"} <= document.keys():
        raise ConfigError(
            f"{name} is an outcome of llem", hint="Outcomes need no import: name their folders."
        )
    raise ConfigError(f"{name} has no known format")


def _finite(result: ImportedResult) -> dict[str, float]:
    return {name: value for name, value in result.metrics.items() if isfinite(value)}


def _store(
    path: Path,
    found: Found,
    notes: Sequence[str],
    results: Path,
    earlier: Mapping[Path, Outcome],
) -> StoredImport:
    document, importer, result, number = found
    is_text = isinstance(document, str)
    content = (
        document if is_text else json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    ).encode(errors="backslashreplace")
    sha256 = hashlib.sha256(content).hexdigest()
    words = re.findall(r"[a-z0-9]+", result.tool.lower())
    ending = "" if number is None else f"-{number}"
    imported = Imported(
        tool=result.tool,
        tool_version=result.tool_version,
        format=importer.name,
        file=path.name,
        file_sha256=sha256,
        metrics=_finite(result),
        repetitions={
            name: tuple(values)
            for name, values in result.repetitions.items()
            if all(map(isfinite, values))
        },
        energy_boundary=result.energy_boundary,
    )
    id = f"imported-{'-'.join(words)}-{sha256[:8]}{ending}"
    outcome = _outcome(id, result, imported, (*notes, *result.notes))
    folder = OutcomeFolder(results, id)
    known_as = folder.path if folder.path in earlier else None
    if known_as is None:
        same = (place for place, stored in earlier.items() if _are_one_run(stored, outcome))
        known_as = next(same, None)
    folder.keep("imported.txt" if is_text else "imported.json", content)
    return StoredImport(outcome, folder.finish(outcome.model_dump(mode="json")), known_as)


def _earlier_imports(results: Path) -> dict[Path, Outcome]:
    """Return the imported outcomes in a folder; those that cannot be read are left out."""
    found = {}
    for folder in sorted(results.glob("imported-*")):
        with suppress(StorageError):
            found[folder] = read_outcome(folder)
    return found


def _are_one_run(first: Outcome, second: Outcome) -> bool:
    """Return whether all figures that two imports have in common are equal.

    A tool may write the same run twice, with and without its settings.
    """
    if first.imported is None or second.imported is None:
        return False
    starts = {outcome.environment.started_at for outcome in (first, second)} - {""}
    if first.imported.tool != second.imported.tool or len(starts) > 1:
        return False
    figures, others = first.imported.metrics, second.imported.metrics
    common = figures.keys() & others.keys()
    is_enough = len(common) >= min(3, len(figures), len(others))
    return is_enough and all(figures[name] == others[name] for name in common)


def _outcome(id: str, result: ImportedResult, imported: Imported, notes: Sequence[str]) -> Outcome:
    experiment = {"backend": result.backend, "model": {"id": result.model}, **result.settings}
    canonical = json.dumps(experiment, sort_keys=True, separators=(",", ":"))
    measured_by = " ".join(filter(None, (imported.tool, imported.tool_version)))
    return Outcome(
        id=id,
        experiment_sha256=hashlib.sha256(canonical.encode()).hexdigest(),
        status="done",
        verdict=Verdict(
            valid=False,
            reasons=(Reason(code="imported", message=f"the figures are those of {measured_by}"),),
        ),
        warnings=tuple(Reason(code="imported-in-part", message=note) for note in notes),
        imported=imported,
        experiment=experiment,
        plan={},
        environment=Environment(
            llem_version=__version__,
            started_at=result.started_at,
            system=result.system,
            cpu=result.cpu,
            logical_cores=result.logical_cores,
            memory_bytes=result.memory_bytes,
            gpus=tuple({"name": name} for name in result.gpus),
            python=result.python,
            engine=result.engine,
            engine_version=result.engine_version,
        ),
    )
