"""One experiment: everything that decides what is run and how it is measured."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator

from llem.api.config.base import BackendConfig, FrozenModel
from llem.api.config.decoder import DecoderConfig
from llem.api.config.footprint import FootprintConfig
from llem.api.config.measurement import MeasurementConfig
from llem.api.config.model import ModelConfig
from llem.api.config.runner import RunnerConfig
from llem.api.config.workload import SyntheticWorkload, Workload
from llem.api.plan import RESERVED_KEYS


class Experiment(FrozenModel):
    """One validated experiment.

    Core derives a subclass for each backend, with one more field: the backend's own section,
    under the backend's name.
    """

    name: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")] = None
    """Label that becomes part of the output folder's name."""

    backend: str
    """Name of the backend that runs it."""

    model: ModelConfig = ModelConfig()
    """The model."""

    workload: Workload = SyntheticWorkload()
    """What is asked of the model."""

    decoder: DecoderConfig = DecoderConfig()
    """How tokens are chosen."""

    measurement: MeasurementConfig = MeasurementConfig()
    """How it is measured."""

    footprint: FootprintConfig | None = None
    """What turns energy into emissions and cost; unset derives neither."""

    runner: RunnerConfig = RunnerConfig()
    """Where it runs."""

    passthrough_kwargs: dict[str, dict[str, Any]] = {}
    """Last resort: engine arguments by call name, passed on unchecked, recorded, warned about."""

    @field_validator("passthrough_kwargs")
    @classmethod
    def _plain_data(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        if found := _reserved_keys(value):
            raise ValueError(f"keys {sorted(found)} are reserved: a config may not name objects")
        return value

    @property
    def section(self) -> BackendConfig:
        """The backend's own section."""
        section = getattr(self, self.backend)
        assert isinstance(section, BackendConfig)
        return section

    @property
    def ignores_eos(self) -> bool:
        """Whether requests go on after EOS up to their length limit."""
        if self.decoder.ignore_eos is not None:
            return self.decoder.ignore_eos
        return self.workload.source == "synthetic"


def _reserved_keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        below = (_reserved_keys(item) for item in value.values())
        return set(RESERVED_KEYS & value.keys()).union(*below)
    if isinstance(value, list):
        return set().union(*(_reserved_keys(item) for item in value))
    return set()
