"""Pydantic models of an experiment: the shared sections, and the base of a backend's own."""

from llem.schema.base import IS_SET, BackendConfig, EngineArg, FrozenModel, Param, Rule
from llem.schema.decoder import DecoderConfig
from llem.schema.experiment import Experiment, ModelConfig, RunnerConfig, TimeoutConfig
from llem.schema.footprint import FootprintConfig
from llem.schema.measurement import (
    BaselineConfig,
    MeasurementConfig,
    ThresholdsConfig,
    WarmupConfig,
)
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
    "IS_SET",
    "BackendConfig",
    "BaselineConfig",
    "BuiltinWorkload",
    "DatasetWorkload",
    "DecoderConfig",
    "EngineArg",
    "Experiment",
    "FileWorkload",
    "FootprintConfig",
    "FrozenModel",
    "Length",
    "MeasurementConfig",
    "ModelConfig",
    "Param",
    "PromptsWorkload",
    "Rule",
    "RunnerConfig",
    "SyntheticWorkload",
    "ThresholdsConfig",
    "TimeoutConfig",
    "WarmupConfig",
    "Workload",
]
