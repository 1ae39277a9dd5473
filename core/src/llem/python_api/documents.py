"""Experiments and studies written in Python: the keys of a file, as keyword arguments."""

from __future__ import annotations

import json
from abc import ABC
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from llem.config.load import load_experiment
from llem.config.source import Source, read_file
from llem.errors import ConfigError, shown
from llem.registry import Registry
from llem.schema import experiment as schema
from llem.schema.decoder import DecoderConfig
from llem.schema.measurement import MeasurementConfig
from llem.schema.workload import Workload
from llem.study.load_study import load_study

Keys = Mapping[str, Any]
"""A section as a file has it: values by key."""

if TYPE_CHECKING:
    _Experiment = schema.Experiment
else:
    _Experiment = ABC


class Experiment(_Experiment):
    """One validated experiment.

    The arguments are the keys of an experiment file, and the section of the backend stands under
    the backend's name; each section is a mapping or its config model::

        llem.Experiment(
            backend="simulated",
            model={"id": "shape:tiny"},
            workload={"source": "synthetic", "requests": 8},
            simulated={"batch_size": 8},
        )

    The result is a :class:`llem.schema.experiment.Experiment` with the section of its backend, and
    frozen. `isinstance(…, llem.Experiment)` holds for every experiment. Relative paths in it start
    from the current folder.

    Raises:
        ConfigError: A key, a value or a combination is not allowed; every problem is named.
        BackendUnavailable: The backend cannot be used.
    """

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            backend: str | None = None,
            name: str | None = None,
            model: schema.ModelConfig | Keys | None = None,
            workload: Workload | Keys | None = None,
            decoder: DecoderConfig | Keys | None = None,
            measurement: MeasurementConfig | Keys | None = None,
            runner: schema.RunnerConfig | Keys | None = None,
            passthrough_kwargs: Mapping[str, Keys] | None = None,
            **section: schema.BackendConfig | Keys | None,
        ) -> None: ...

    else:

        def __new__(cls, **keys: Any) -> schema.Experiment:
            """Validate ``keys`` by the model of their backend."""
            return load_experiment(Registry.discover(), file=source_of(keys)).experiment


if not TYPE_CHECKING:
    Experiment.register(schema.Experiment)


class Study:
    """One validated study; its points are made when the study runs.

    Args:
        keys: The keys of a study file: those of an experiment, which all points share, and
            `study`, `sweep`, `zip`, `variants`, `experiments`, `backends` or `extends`.

    Raises:
        ConfigError: A key or value is not allowed.
        BackendUnavailable: A backend of the study cannot be used.
    """

    def __init__(self, **keys: Any) -> None:
        loaded = load_study(Registry.discover(), file=source_of(keys))
        self.name = loaded.name
        """Name of the study, and of the folder that receives its runs."""
        self.keys: Keys = keys
        """The keys as they were given."""
        self._points = len(loaded)

    def __len__(self) -> int:
        """Return the number of points, refused ones and duplicates included."""
        return self._points

    def __repr__(self) -> str:
        keys = ", ".join(f"{key}={shown(value)}" for key, value in self.keys.items())
        return f"Study({keys})"


def source_of(document: str | Path | Keys | schema.Experiment | Study) -> Source:
    """Return the keys of a document: a file's, or those written in Python.

    Raises:
        ConfigFileError: The file cannot be read.
        ConfigError: What is given is no document, or has a value that a file could not have.
    """
    match document:
        case str() | Path():
            return read_file(Path(document).expanduser())
        case schema.Experiment():
            return Source(document.model_dump(mode="json", exclude_unset=True))
        case Study():
            return source_of(document.keys)
        case Mapping():
            return Source(plain_data(dict(document)))
    raise ConfigError(
        f"a {type(document).__name__} describes no experiment and no study",
        hint="Give the path of a file, a mapping of its keys, or a llem.Experiment or llem.Study.",
    )


def override_texts(overrides: Keys | Sequence[str]) -> list[str]:
    """Return overrides as the option `--set` takes them: `a.b=value`, the value as YAML."""
    if isinstance(overrides, Mapping):
        return [f"{key}={yaml_text(value)}" for key, value in overrides.items()]
    return list(overrides)


def yaml_text(value: Any) -> str:
    """Return a value as a command line has it; all JSON is YAML."""
    return json.dumps(plain_data(value), ensure_ascii=False)


def plain_data(value: Any) -> Any:
    """Return a copy of ``value`` as a file would have it: paths as text, NumPy numbers as numbers.

    Raises:
        ConfigError: A part of it has no such form.
    """
    try:
        return to_jsonable_python(value, fallback=_from_array)
    except ValueError as error:
        raise ConfigError(f"a value is not plain data: {error}") from None


def _from_array(value: Any) -> Any:
    """Return a NumPy scalar or array as Python numbers."""
    if not hasattr(value, "tolist"):
        raise ConfigError(f"a value is not plain data: {type(value).__name__}")
    return value.tolist()
