"""Pydantic models of an experiment: the shared sections, and the base of a backend's own."""

from llem.schema.base import GIVEN, BackendConfig, Engine, FrozenModel, Param, Rule
from llem.schema.decoder import DecoderConfig
from llem.schema.experiment import Experiment, ModelConfig, RunnerConfig, TimeoutConfig
from llem.schema.footprint import FootprintConfig
from llem.schema.measurement import BaselineConfig, LimitsConfig, MeasurementConfig, WarmupConfig
from llem.schema.workload import (
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
