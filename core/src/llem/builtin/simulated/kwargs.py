"""The simulated backend's plan: settings only, because there is no engine to call."""

from __future__ import annotations

from llem.api.config import Experiment
from llem.api.config.passthrough import merge_passthrough
from llem.api.plan import CallPlan


def build_plan(experiment: Experiment) -> CallPlan:
    """Return the settings that are set, and what core decided about EOS.

    Raises:
        ConfigError: ``passthrough_kwargs`` names a call: there is none.
    """
    section = experiment.section.model_dump(mode="json", exclude_none=True)
    return CallPlan(
        calls=merge_passthrough((), experiment, {}),
        settings={**section, "ignore_eos": experiment.ignores_eos},
    )
