"""Where the model's weights are."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import IS_SET, BackendConfig, EngineArg, Param
from llem_pytorch.config.distributed import Distributed

Strategy = Literal["auto", "balanced", "balanced_low_0", "sequential"]
Memory = Annotated[int, Field(ge=0)] | Annotated[str, Field(pattern=r"^\d+(\.\d+)?\s?[KMGT]i?B$")]


class Placement(
    BackendConfig,
    feeds="load",
    builds={"load.max_memory": "llem_pytorch.runtime.placement.memory_limits"},
):
    """One device, or the model's modules spread over several."""

    device: Annotated[
        Literal["cpu", "cuda"] | None,
        Param(
            maps_to=EngineArg("settings", "device"),
            conflicts_with=("pytorch.device_map",),
            gpus={"cuda": 1},
            examples=("cpu", "cuda"),
        ),
    ] = None
    """Device for the whole model; unset is the first CUDA device, or the CPU without one."""

    device_map: Annotated[
        Strategy | Annotated[dict[str, int | str], Field(min_length=1)] | None,
        Param(
            examples=("auto", {"model.layers.0": 0, "": "cpu"}), ignored_when="weights are random"
        ),
    ] = None
    """How a pretrained model is spread over devices: a strategy of accelerate, or a device by
    module name; unset puts all of it on `device`."""

    max_memory: Annotated[
        dict[str, Memory] | None,
        Param(
            unit="bytes",
            requires={"pytorch.device_map": ("auto", "balanced", "balanced_low_0", "sequential")},
            neutral=({},),
            examples=({"0": "10GiB", "cpu": "32GiB"},),
        ),
    ] = None
    """Most memory by device (a CUDA device's number, `cpu` or `disk`), in bytes or like `10GiB`."""

    offload_folder: Annotated[
        str | None,
        Field(min_length=1),
        Param(requires={"pytorch.device_map": IS_SET}, examples=("offload",)),
    ] = None
    """Folder for weights that are placed on disk."""

    offload_buffers: Annotated[
        bool | None,
        Param(requires={"pytorch.device_map": IS_SET}, neutral=(False,), examples=(True, False)),
    ] = None
    """Whether buffers are offloaded along with weights."""

    disable_mmap: Annotated[
        bool | None,
        Param(neutral=(False,), examples=(True, False), ignored_when="weights are random"),
    ] = None
    """Whether weight files are read as a whole instead of mapped into memory."""

    distributed: Annotated[
        Distributed | None,
        Param(
            conflicts_with=("pytorch.device_map",),
            examples=({"tp_size": 2},),
            ignored_when="weights are random",
        ),
    ] = None
    """How the model is cut up among several processes, one for each device. llem's worker is one
    process, so sizes above 1 are refused for now."""
