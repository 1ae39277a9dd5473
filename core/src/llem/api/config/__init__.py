"""Pydantic models of an experiment: the shared sections, and the base of a backend's own."""

from llem.api.config.base import GIVEN, BackendConfig, Engine, FrozenModel, Param, Rule
from llem.api.config.decoder import DecoderConfig
from llem.api.config.experiment import Experiment
from llem.api.config.footprint import FootprintConfig
from llem.api.config.limits import LimitsConfig
from llem.api.config.measurement import BaselineConfig, MeasurementConfig, WarmupConfig
from llem.api.config.model import ModelConfig
from llem.api.config.runner import RunnerConfig, TimeoutConfig
from llem.api.config.workload import (
    BuiltinWorkload,
    DatasetWorkload,
    FileWorkload,
    Length,
    PromptsWorkload,
    SyntheticWorkload,
    Workload,
)

__all__ = [
    "GIVEN",
    "BackendConfig",
    "BaselineConfig",
    "BuiltinWorkload",
    "DatasetWorkload",
    "DecoderConfig",
    "Engine",
    "Experiment",
    "FileWorkload",
    "FootprintConfig",
    "FrozenModel",
    "Length",
    "LimitsConfig",
    "MeasurementConfig",
    "ModelConfig",
    "Param",
    "PromptsWorkload",
    "Rule",
    "RunnerConfig",
    "SyntheticWorkload",
    "TimeoutConfig",
    "WarmupConfig",
    "Workload",
]
