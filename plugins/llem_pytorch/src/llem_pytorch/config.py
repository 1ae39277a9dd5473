"""Config section of the PyTorch backend."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from llem.api.config import BackendConfig, Engine, Param, Rule
from llem_pytorch.rules import RULES

AttentionImplementation = Literal[
    "eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention"
]
Placement = Literal["auto", "balanced", "balanced_low_0", "sequential"]


class PyTorchConfig(BackendConfig):
    """How transformers loads the model and generates."""

    batch_size: Annotated[
        int | None,
        Field(ge=1, le=65_536),
        Param(unit="requests", maps_to=(Engine("settings", "batch_size"),), examples=(1, 8, 32)),
    ] = None
    """Requests per static batch, taken in workload order; 1 if unset."""

    attn_implementation: Annotated[
        AttentionImplementation | None,
        Param(maps_to=(Engine("load", "attn_implementation"),), examples=("sdpa", "eager")),
    ] = None
    """Attention kernel; unset takes the library's choice, sdpa where the model supports it."""

    device: Annotated[
        Literal["cpu", "cuda"] | None,
        Param(maps_to=(Engine("settings", "device"),), examples=("cpu", "cuda")),
    ] = None
    """Device for the whole model; unset is the first CUDA device, or the CPU without one."""

    device_map: Annotated[
        Placement | Annotated[dict[str, int | str], Field(min_length=1)] | None,
        Param(
            maps_to=(Engine("load", "device_map"),),
            examples=("auto", {"model.layers.0": 0, "": "cpu"}),
            skipped_when="pytorch.device is set, or weights are random",
        ),
    ] = None
    """How a pretrained model is spread over devices: a strategy of accelerate, or a device by
    module name; unset puts all of it on `device`."""

    use_cache: Annotated[
        bool | None, Param(maps_to=(Engine("generate", "use_cache"),), examples=(False,))
    ] = None
    """Whether keys and values of earlier tokens are kept; without, each step computes them anew."""

    num_threads: Annotated[
        int | None,
        Field(ge=1, le=4096),
        Param(unit="threads", maps_to=(Engine("settings", "num_threads"),), examples=(1, 8)),
    ] = None
    """CPU threads of one torch operation; unset takes torch's default, one per core."""

    rules: ClassVar[tuple[Rule, ...]] = RULES
