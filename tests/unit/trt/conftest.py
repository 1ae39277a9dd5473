"""Experiments of the TensorRT-LLM backend, made and planned without the engine."""

from collections.abc import Mapping
from typing import Any

import pytest

from llem.config.rule_checks import rules_of
from llem.schema.experiment import Experiment
from llem_trt.plan import plan_of
from llem_trt.section import TrtConfig

MODEL = {"id": "folder", "weights": "pretrained"}


class TrtExperiment(Experiment):
    """What core derives for the backend."""

    backend: str = "trt"
    trt: TrtConfig = TrtConfig()


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by dotted path as sections."""
    sections: dict[str, Any] = {}
    for path, value in values.items():
        *above, last = path.split(".")
        at = sections
        for name in above:
            at = at.setdefault(name, {})
        at[last] = value
    return sections


def make(values: Mapping[str, Any] | None = None, **sections: Any) -> TrtExperiment:
    """Validate an experiment from values by dotted path and from whole sections."""
    return TrtExperiment.model_validate({"model": MODEL, **nested(values or {}), **sections})


def broken_rules(experiment: Experiment) -> list[str]:
    """Return the names of the rules that ``experiment`` breaks."""
    return [rule.name for rule in rules_of("trt", TrtConfig) if rule.is_broken_by(experiment)]


@pytest.fixture(scope="session")
def experiment():
    """Return the function that makes experiments."""
    return make


@pytest.fixture(scope="session")
def plan():
    """Return a function that plans an experiment made from the same arguments."""
    return lambda values=None, **sections: plan_of(make(values, **sections))


@pytest.fixture(scope="session")
def broken():
    """Return the function that names broken rules."""
    return broken_rules
