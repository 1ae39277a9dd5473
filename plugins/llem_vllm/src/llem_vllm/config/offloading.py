"""Weights that stay in host memory."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import IS_SET, BackendConfig, Param


class OffloadingFields(BackendConfig, feeds="load"):
    """Fields of weight offloading."""

    offload_backend: Annotated[
        Literal["auto", "uva", "prefetch"] | None, Param(examples=("uva",))
    ] = None
    """How devices reach weights in host memory: read them there (`uva`), or fetch them ahead
    (`prefetch`)."""

    cpu_offload_gb: Annotated[
        float | None, Field(ge=0), Param(unit="GiB", neutral=(0,), examples=(4.0,))
    ] = None
    """Weights per device that stay in host memory and are read there."""

    cpu_offload_params: Annotated[
        tuple[str, ...] | None,
        Param(requires={"vllm.cpu_offload_gb": IS_SET}, neutral=((),), examples=(("mlp",),)),
    ] = None
    """Segments of names of the parameters that `cpu_offload_gb` may keep in host memory; unset is
    all."""

    offload_group_size: Annotated[
        int | None, Field(ge=0), Param(unit="layers", neutral=(0,), examples=(8,))
    ] = None
    """Number of layers in a group of which some stay in host memory and are fetched ahead; 0
    fetches none."""

    offload_num_in_group: Annotated[
        int | None,
        Field(ge=1),
        Param(
            unit="layers", requires={"vllm.offload_group_size": IS_SET}, neutral=(1,), examples=(2,)
        ),
    ] = None
    """Number of layers of each group that stay in host memory."""

    offload_prefetch_step: Annotated[
        int | None,
        Field(ge=1),
        Param(
            unit="layers", requires={"vllm.offload_group_size": IS_SET}, neutral=(1,), examples=(2,)
        ),
    ] = None
    """Number of layers that are fetched ahead."""

    offload_params: Annotated[
        tuple[str, ...] | None,
        Param(
            requires={"vllm.offload_group_size": IS_SET},
            neutral=((),),
            examples=(("gate_up_proj",),),
        ),
    ] = None
    """Segments of names of the parameters that groups may keep in host memory; unset is all."""
