"""From a file, flags and overrides to one validated, frozen experiment."""

from llem.config.default import default_experiment
from llem.config.digest import digest
from llem.config.load import LoadedExperiment, load_experiment
from llem.config.narrow import experiment_model

__all__ = [
    "LoadedExperiment",
    "default_experiment",
    "digest",
    "experiment_model",
    "load_experiment",
]
