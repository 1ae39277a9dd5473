"""A study file: the files it extends, and its `study` section."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from llem.config.messages import findings_of
from llem.config.source import Source, read_file
from llem.config.strict_yaml import KeyPath
from llem.errors import ConfigFileError, ConfigInvalid, Finding
from llem.schema.base import FrozenModel, Param
from llem.schema.measurement import Seconds

STUDY_KEYS = ("extends", "study", "backends", "sweep", "zip", "variants", "experiments")
"""Keys that an experiment does not have; any of them makes a file a study."""

_KINDS = ("source", "distribution")
"""Keys that say of which kind a section is: a section of another kind is replaced as a whole."""

Order = Literal["sequential", "interleaved", "shuffled", "latin-square"]


class ThermalConfig(FrozenModel):
    """Start a run only when the device is cool, or has been given time to cool down."""

    below_celsius: Annotated[float, Field(gt=-50, le=150), Param(unit="°C")]
    """Start when the hottest sensor of the devices shows less."""

    at_most_s: Seconds = 300.0
    """Start after this time however hot it still is; the journal then says so."""


class FailureConfig(FrozenModel):
    """What a study does about runs that fail."""

    stop_after: Annotated[int | None, Field(ge=1, le=1_000_000), Param(unit="runs")] = 3
    """Failures in a row after which the study pauses and probes; null never stops it."""

    probe_after_s: Seconds = 60.0
    """The pause. The run after it is the probe: if it fails too, the study stops."""

    prune: tuple[str, ...] = ()
    """Swept fields of which a greater value needs more memory: where a run is out of memory,
    points that differ only by a greater value of such a field are left out."""


class StudySettings(FrozenModel):
    """How the points of a study are run."""

    name: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")] = None
    """Name of the study and of its folder; unset takes the file's name."""

    repeats: Annotated[int, Field(ge=1, le=10_000), Param(unit="runs")] = 1
    """How often every experiment is run."""

    order: Order = "sequential"
    """`sequential` ends all repeats of one experiment first; `interleaved` makes passes over
    all experiments; `shuffled` shuffles each pass; `latin-square` is a Williams design, in
    which every experiment follows every other equally often."""

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of the shuffling."""

    gap_s: Seconds = 0.0
    """Pause before each run but the first, to cool down."""

    block_gap_s: Seconds = 0.0
    """Pause before each pass over all experiments but the first, instead of `gap_s`."""

    thermal: ThermalConfig | None = None
    """Condition under which a run may start."""

    reuse: Literal["none", "model"] = "none"
    """`model` keeps the worker while runs in a row load the same model in the same way."""

    failures: FailureConfig = FailureConfig()
    """What is done about failures."""


class _StudyFile(FrozenModel):
    study: StudySettings = StudySettings()


def is_study(source: Source) -> bool:
    """Whether the file describes a study, rather than one experiment."""
    return not source.data.keys().isdisjoint(STUDY_KEYS)


def take_settings(source: Source) -> StudySettings:
    """Take the `study` section out of ``source`` and validate it.

    Raises:
        ConfigInvalid: It has keys or values that are not allowed.
    """
    section = source.data.pop("study", None)
    document = {} if section is None else {"study": section}
    try:
        settings = _StudyFile.model_validate_json(json.dumps(document), strict=True).study
    except ValidationError as error:
        raise ConfigInvalid(findings_of(error, _StudyFile, source)) from None
    if idle := list(_without_effect(settings)):
        raise ConfigInvalid(
            [
                Finding(
                    code="study-setting-idle",
                    message=message,
                    path=".".join(path),
                    hint=hint,
                    origin=source.origin(path),
                )
                for path, message, hint in idle
            ]
        )
    return settings


def _without_effect(settings: StudySettings) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Yield path, message and hint of each setting that changes nothing about the study."""
    passes = 1 if settings.order == "sequential" else settings.repeats
    if settings.block_gap_s and passes == 1:
        message = "it acts only between passes over all experiments, and the study makes one pass"
        hint = "Use gap_s, or set repeats above 1 and an order other than sequential."
        yield ("study", "block_gap_s"), message, hint
    if settings.seed and settings.order != "shuffled":
        message = f"it acts only with order shuffled, and the order is {settings.order}"
        yield ("study", "seed"), message, "Remove it, or set order: shuffled."
    failures = settings.failures
    if failures.stop_after is None and "probe_after_s" in failures.model_fields_set:
        message = "it acts only where failures stop the study, and stop_after is null"
        yield ("study", "failures", "probe_after_s"), message, "Remove it, or set stop_after."


def merged(below: Any, above: Any) -> Any:
    """Return ``above`` laid over ``below``: sections key by key, everything else replaced."""
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    for kind in _KINDS:
        if kind in above and above[kind] != below.get(kind, above[kind]):
            return above
    return {
        **below,
        **{key: merged(below.get(key), value) for key, value in above.items()},
    }


def with_extended(source: Source, readers: tuple[Path, ...] = ()) -> Source:
    """Return ``source`` over everything that its file extends; the file itself wins, key by key.

    Args:
        source: Keys and values of a file.
        readers: The files that extend it, the outermost first.

    Raises:
        ConfigFileError: A file cannot be read, or extends itself.
    """
    if "extends" not in source.data:
        return source
    base_name = source.data.pop("extends")
    if not isinstance(base_name, str) or not base_name:
        where = source.origin(("extends",))
        raise ConfigFileError(f"{where}: extends must be the name of a file")
    path = source.base_dir / base_name
    readers = readers if source.file is None else (*readers, _resolved(source.file))
    if _resolved(path) in readers:
        chain = " extends ".join(reader.name for reader in (*readers, path))
        raise ConfigFileError(f"{path} extends itself: {chain}")
    base = with_extended(read_file(path), readers)
    # What is replaced as a whole keeps no origin below it.
    origins = {
        part: origin for part, origin in base.origins.items() if not _is_replaced(part, source)
    }
    origins |= source.origins
    return replace(source, data=merged(base.data, source.data), origins=origins)


def _resolved(path: Path) -> Path:
    """Return ``path`` without links.

    Raises:
        ConfigFileError: Its links lead back to themselves.
    """
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigFileError(f"{path} cannot be read: {error}") from None


def _is_replaced(part: KeyPath, by: Source) -> bool:
    data: Any = by.data
    for key in part:
        if not isinstance(data, Mapping):
            return True
        if key not in data:
            return False
        data = data[key]
    return False
