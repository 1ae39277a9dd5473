"""Experiments of the vLLM backend; nothing here needs vLLM."""

import pytest

from llem.schema.experiment import Experiment
from llem_vllm.plan import plan_of
from llem_vllm.section import VLLMConfig


class VLLMExperiment(Experiment):
    """The experiment model that core makes for vLLM."""

    backend: str = "vllm"
    vllm: VLLMConfig = VLLMConfig()


@pytest.fixture(scope="session")
def experiment():
    """Return a function that validates an experiment from its sections."""

    def experiment(**sections):
        return VLLMExperiment.model_validate(
            {"model": {"id": "folder", "weights": "pretrained"}, **sections}
        )

    return experiment


@pytest.fixture(scope="session")
def plan(experiment):
    """Return a function that builds the plan of an experiment from its sections."""
    return lambda **sections: plan_of(experiment(**sections))
