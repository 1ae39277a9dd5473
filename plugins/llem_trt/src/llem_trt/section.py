"""The experiment's own section, typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from llem.schema.experiment import Experiment
from llem_trt.versions import SurfaceName, chosen

if TYPE_CHECKING:
    from llem_trt.config.trt import TrtConfig


def section_of(experiment: Experiment) -> TrtConfig:
    """Return the experiment's section of this backend."""
    return cast("TrtConfig", experiment.section)


def surface_in_use(experiment: Experiment) -> SurfaceName:
    """Return the surface that the experiment's plan is made for."""
    return chosen(section_of(experiment).surface)


def is_legacy(experiment: Experiment) -> bool:
    """Whether the legacy TensorRT execution is asked for."""
    return section_of(experiment).execution == "tensorrt"


def world_size(experiment: Experiment) -> int:
    """Return the number of devices: tensor by pipeline by context parallel size."""
    section = section_of(experiment)
    return (
        (section.tensor_parallel_size or 1)
        * (section.pipeline_parallel_size or 1)
        * (section.context_parallel_size or 1)
    )
