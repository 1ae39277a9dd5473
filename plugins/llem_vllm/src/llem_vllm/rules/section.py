"""The experiment's section of this backend, as its own type."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from llem.schema.experiment import Experiment

if TYPE_CHECKING:
    from llem_vllm.config import VLLMConfig


def section_of(experiment: Experiment) -> VLLMConfig:
    """Return the experiment's section of this backend."""
    return cast("VLLMConfig", experiment.section)
