"""Read a result file of another tool and store it beside llem's own outcomes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llem.api.importers import ImportedResult, ImportHints, ResultImporter
from llem.errors import ConfigError, os_errors_as
from llem.registry import Registry
from llem.results.folder import OutcomeFolder
from llem.schema.outcome import Environment, Imported, Outcome, Reason, Verdict
from llem.version import __version__

ORIGINAL_FILE = "imported.json"
"""A copy of the imported data, metrics that llem has no name for included."""


def import_file(
    path: Path, registry: Registry, results: Path, hints: ImportHints, format: str | None = None
) -> list[tuple[Outcome, Path]]:
    """Store every result in ``path``, and return each outcome with its folder.

    Importing a file again replaces its outcomes.

    Args:
        path: A JSON file of one or several documents.
        registry: The installed plugins.
        results: Folder that receives the outcomes' folders.
        hints: Facts that the file does not state.
        format: Name of the format; detected by default.

    Raises:
        ConfigError: The file cannot be read, or its format is unknown.
        PluginBroken: The format's reader failed.
        StorageError: An outcome could not be written.
    """
    formats = _formats(registry, format)
    found = []
    for document in _documents(path):
        for plugin, importer in formats:
            if (result := registry.read_foreign(plugin, importer, document, hints)) is not None:
                found.append((document, importer, result))
                break
        else:
            names = ", ".join(f"{importer.name} ({importer.summary})" for _, importer in formats)
            raise ConfigError(f"{path} has no known format", hint=f"Formats: {names}.")
    return [_store(path, *read, results) for read in found]


def _formats(registry: Registry, name: str | None) -> list[tuple[str, ResultImporter]]:
    offered = registry.import_formats()
    chosen = [(plugin, importer) for plugin, importer in offered if name in (None, importer.name)]
    if not chosen:
        names = ", ".join(importer.name for _, importer in offered) or "none"
        raise ConfigError(f"there is no format {name!r}", hint=f"Formats: {names}.")
    return chosen


def _documents(path: Path) -> list[Any]:
    """Return the JSON documents in a file, one after the other."""
    decoder, documents = json.JSONDecoder(), []
    try:
        with os_errors_as(ConfigError, f"cannot read {path}"):
            rest = path.read_text(encoding="utf-8").lstrip()
        while rest:
            document, end = decoder.raw_decode(rest)
            documents.append(document)
            rest = rest[end:].lstrip()
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON: {error}") from error
    if not documents:
        raise ConfigError(f"{path} is empty")
    return documents


def _store(
    path: Path, document: Any, importer: ResultImporter, result: ImportedResult, results: Path
) -> tuple[Outcome, Path]:
    content = (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
    sha256 = hashlib.sha256(content).hexdigest()
    words: Sequence[str] = re.findall(r"[a-z0-9]+", result.tool.lower())
    folder = OutcomeFolder(results, f"imported-{'-'.join(words)}-{sha256[:8]}")
    imported = Imported(
        tool=result.tool,
        tool_version=result.tool_version,
        format=importer.name,
        file=path.name,
        file_sha256=sha256,
        metrics=dict(result.metrics),
        repetitions={name: tuple(values) for name, values in result.repetitions.items()},
    )
    outcome = _outcome(folder.id, result, imported)
    folder.keep(ORIGINAL_FILE, content)
    return outcome, folder.finish(outcome.model_dump(mode="json"))


def _outcome(id: str, result: ImportedResult, imported: Imported) -> Outcome:
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
