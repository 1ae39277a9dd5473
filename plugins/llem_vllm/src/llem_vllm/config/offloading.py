"""Weights that stay in host memory."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.schema.base import IS_SET, BackendConfig, EngineArg, Param


class OffloadingFields(BackendConfig):
    """Fields of weight offloading."""

    offload_backend: Annotated[
        Literal["auto", "uva", "prefetch"] | None,
        Param(maps_to=(EngineArg("load", "offload_backend"),), examples=("uva",)),
    ] = None
    """How weights in host memory are reached: read where they lie, or fetched ahead."""

    cpu_offload_gb: Annotated[
        float | None,
        Field(gt=0),
        Param(unit="GiB", maps_to=(EngineArg("load", "cpu_offload_gb"),), examples=(4.0,)),
    ] = None
    """Weights per device that stay in host memory and are read there."""

    cpu_offload_params: Annotated[
        tuple[str, ...] | None,
        Param(
            maps_to=(EngineArg("load", "cpu_offload_params"),),
            requires={"vllm.cpu_offload_gb": IS_SET},
            examples=(("mlp",),),
        ),
    ] = None
    """Segments of parameter names that this may concern; unset is all."""

    offload_group_size: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="layers", maps_to=(EngineArg("load", "offload_group_size"),), examples=(8,)),
    ] = None
    """Layers in a group of which some stay in host memory and are fetched ahead."""

    offload_num_in_group: Annotated[
        int | None,
        Field(ge=1),
        Param(
            unit="layers",
            maps_to=(EngineArg("load", "offload_num_in_group"),),
            requires={"vllm.offload_group_size": IS_SET},
            examples=(2,),
        ),
    ] = None
    """Layers of each group that do."""

    offload_prefetch_step: Annotated[
        int | None,
        Field(ge=1),
        Param(
            unit="layers",
            maps_to=(EngineArg("load", "offload_prefetch_step"),),
            requires={"vllm.offload_group_size": IS_SET},
            examples=(2,),
        ),
    ] = None
    """Layers that are fetched ahead."""

    offload_params: Annotated[
        tuple[str, ...] | None,
        Param(
            maps_to=(EngineArg("load", "offload_params"),),
            requires={"vllm.offload_group_size": IS_SET},
            examples=(("gate_up_proj",),),
        ),
    ] = None
    """Segments of parameter names that this may concern; unset is all."""
