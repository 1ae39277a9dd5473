"""Experiments of the backends that plan and validate, and cannot measure yet."""

import pytest

from llem.api.config import Experiment
from llem_trt.config import TrtConfig
from llem_trt.kwargs import build_plan as trt_plan


class TrtExperiment(Experiment):
    """What core derives for TensorRT-LLM."""

    backend: str = "trt"
    trt: TrtConfig = TrtConfig()


EXPERIMENTS = {"trt": TrtExperiment}
PLANS = {"trt": trt_plan}
MODEL = {"id": "folder", "weights": "pretrained"}


@pytest.fixture(scope="session")
def experiment():
    """Return a function that validates an experiment of a backend from its sections."""
    return lambda backend, **sections: EXPERIMENTS[backend].model_validate(
        {"model": MODEL, **sections}
    )


@pytest.fixture(scope="session")
def plan(experiment):
    """Return a function that builds the plan of a backend's experiment."""
    return lambda backend, **sections: PLANS[backend](experiment(backend, **sections))
