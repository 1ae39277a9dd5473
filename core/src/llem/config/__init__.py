"""From a file, flags and overrides to one validated, frozen experiment."""

from llem.config.defaults import default_experiment, experiment_model
from llem.config.load import LoadedExperiment, digest, load_experiment

__all__ = [
    "LoadedExperiment",
    "default_experiment",
    "digest",
    "experiment_model",
    "load_experiment",
]
