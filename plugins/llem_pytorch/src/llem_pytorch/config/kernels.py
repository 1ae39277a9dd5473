"""Which kernels compute attention, experts and other layers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import IS_SET, BackendConfig, EngineArg, Param

BuiltinAttention = Literal[
    "eager", "sdpa", "flash_attention_2", "flash_attention_3", "flash_attention_4", "flex_attention"
]
HubKernel = Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+(@[\w.-]+)?(:[\w.-]+)?$")]
SdpaKernel = Literal["math", "flash", "mem_efficient", "cudnn"]


FLASH_ATTENTION = {
    "flash_attention_2": (8, 0),
    "flash_attention_3": (9, 0),
    "flash_attention_4": (9, 0),
    "*/flash-attn*": (8, 0),
}
"""Least NVIDIA compute capability of each kernel, as its README states it."""


class Kernels(
    BackendConfig, feeds="load", builds={"load.kernel_config": "transformers.KernelConfig"}
):
    """Attention, experts and kernels from the hub."""

    attn_implementation: Annotated[
        BuiltinAttention | HubKernel | None,
        Param(
            min_compute_capability=FLASH_ATTENTION,
            gpus=dict.fromkeys(FLASH_ATTENTION, 1),
            packages={
                "flash_attention_2": ("flash-attn or kernels",),
                "flash_attention_3": ("flash-attn-3 or kernels",),
                "flash_attention_4": ("flash-attn-4 or kernels",),
                "*/*": ("kernels",),
            },
            examples=("sdpa", "eager", "kernels-community/flash-attn2"),
        ),
    ] = None
    """Attention kernel: one of the library, or a hub kernel as `org/repository`; unset takes the
    library's choice, sdpa where the model supports it."""

    allow_kernel_fallback: Annotated[
        bool | None,
        Param(
            maps_to=EngineArg("settings", "allow_kernel_fallback"),
            requires={"pytorch.attn_implementation": IS_SET},
            neutral=(False,),
            examples=(True,),
        ),
    ] = None
    """Whether to go on where the library replaced the attention kernel asked for by another one,
    which the verdict then states; unset or `false` is a failed run."""

    sdpa_kernels: Annotated[
        Annotated[tuple[SdpaKernel, ...], Field(min_length=1)] | None,
        Param(
            maps_to=EngineArg("settings", "sdpa_kernels"),
            requires={"pytorch.attn_implementation": (None, "sdpa")},
            examples=(("math",), ("flash", "math")),
        ),
    ] = None
    """Kernels that torch's scaled dot product attention may choose from; unset allows all."""

    experts_implementation: Annotated[
        Literal["eager", "batched_mm", "grouped_mm", "deepgemm", "deepgemm_megamoe", "sonicmoe"]
        | None,
        Param(examples=("eager", "batched_mm"), ignored_when="the model has no mixture of experts"),
    ] = None
    """Kernel of a mixture of experts; unset is grouped_mm where it runs."""

    use_kernels: Annotated[
        bool | None,
        Param(neutral=(False,), packages={True: ("kernels",)}, examples=(True, False)),
    ] = None
    """Whether layers are replaced by optimized kernels from the hub."""

    kernel_mapping: Annotated[
        dict[str, str] | None,
        Param(
            maps_to=EngineArg("load", "kernel_config.kernel_mapping"),
            requires={"pytorch.use_kernels": True},
            neutral=({},),
            examples=({"RMSNorm": "kernels-community/liger_kernels:LigerRMSNorm"},),
        ),
    ] = None
    """Hub kernel by layer name, as `org/repository:layer`."""

    inherit_mapping: Annotated[
        bool | None,
        Param(
            maps_to=EngineArg("load", "kernel_config.inherit_mapping"),
            requires={"pytorch.kernel_mapping": IS_SET},
            neutral=(True,),
            examples=(False, True),
        ),
    ] = None
    """Whether `kernel_mapping` extends the library's own mapping rather than replacing it."""

    allow_all_kernels: Annotated[
        bool | None,
        Param(
            neutral=(False,),
            example_context={"pytorch.attn_implementation": "kernels-community/flash-attn2"},
            examples=(True, False),
        ),
    ] = None
    """Whether hub kernels from outside the verified organisation may be loaded and executed."""

    @property
    def asks_for_flash_attention(self) -> bool:
        """Whether a flash attention kernel is asked for, of the library or of the hub."""
        name = self.attn_implementation or ""
        return name.startswith("flash_attention") or "/flash-attn" in name
