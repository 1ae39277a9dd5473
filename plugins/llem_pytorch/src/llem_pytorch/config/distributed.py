"""Parallelism over several processes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import IS_SET, Param, Section

Size = Annotated[int, Field(ge=1, le=1024)]
Plan = dict[str, str]


class Distributed(
    Section,
    feeds="load.distributed_config",
    builds="transformers.distributed.DistributedConfig",
):
    """Arguments of `transformers.DistributedConfig`; unset leaves them to the library."""

    tp_size: Annotated[Size | None, Param(unit="devices", neutral=(1,), examples=(2, 4))] = None
    """Devices among which every layer is cut up (tensor parallel)."""

    tp_plan: Annotated[Literal["auto"] | Plan | None, Param(neutral=({},), examples=("auto",))] = (
        None
    )
    """How layers are cut up, by module; `auto` or unset is the model's own plan."""

    pp_size: Annotated[Size | None, Param(unit="devices", neutral=(1,), examples=(2,))] = None
    """Devices among which layers are dealt out one after another (pipeline parallel)."""

    ep_size: Annotated[Size | None, Param(unit="devices", neutral=(1,), examples=(2,))] = None
    """Devices among which experts are dealt out (expert parallel), out of those of `tp_size`."""

    ep_plan: Annotated[
        Plan | None,
        Param(
            requires={"pytorch.distributed.ep_size": IS_SET},
            neutral=({},),
            examples=({"layers.*.mlp.experts": "moe_tp_experts"},),
        ),
    ] = None
    """How experts are dealt out, by module; unset is the model's own plan."""

    ep_implementation: Annotated[
        Literal["auto", "all_to_all", "all_reduce", "deepgemm_megamoe"] | None,
        Param(
            requires={"pytorch.distributed.ep_size": IS_SET},
            neutral=("auto",),
            examples=("all_reduce",),
        ),
    ] = None
    """How tokens reach their experts."""

    @property
    def processes(self) -> int:
        """How many processes it takes."""
        return (self.tp_size or 1) * (self.pp_size or 1)
