"""Experiments of the vLLM backend; nothing here needs vLLM."""

import pytest

from llem.schema.experiment import Experiment
from llem_vllm.config import VLLMConfig
from llem_vllm.kwargs import plan_calls


class VllmExperiment(Experiment):
    """What core derives for vLLM."""

    backend: str = "vllm"
    vllm: VLLMConfig = VLLMConfig()


@pytest.fixture(scope="session")
def experiment():
    """Return a function that validates an experiment from its sections."""

    def experiment(**sections):
        return VllmExperiment.model_validate(
            {"model": {"id": "folder", "weights": "pretrained"}, **sections}
        )

    return experiment


@pytest.fixture(scope="session")
def plan(experiment):
    """Return a function that builds the plan of an experiment from its sections."""
    return lambda **sections: plan_calls(experiment(**sections))
