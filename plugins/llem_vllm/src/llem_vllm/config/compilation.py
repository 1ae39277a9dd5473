"""torch.compile, its fusions, and CUDA graphs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from llem.api import BackendConfig, Param, Section
from llem_vllm.config.choices import CompilationMode, CudaGraphMode


class FusionPasses(Section, builds="vllm.config.PassConfig"):
    """Fusions of the compiler (`PassConfig` of vLLM)."""

    fuse_norm_quant: Annotated[bool | None, Param(examples=(False,))] = None
    """Whether RMSNorm and quantization are fused."""

    fuse_act_quant: Annotated[bool | None, Param(examples=(False,))] = None
    """Whether activation and quantization are fused."""

    fuse_attn_quant: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether attention and the quantization of its output are fused."""

    eliminate_noops: Annotated[bool | None, Param(examples=(False,))] = None
    """Whether operations without effect are removed."""

    fuse_allreduce_rms: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether all-reduce and RMSNorm are fused."""

    enable_qk_norm_rope_fusion: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether the norms of queries and keys and the rotary embedding are fused."""

    fuse_rope_kvcache_cat_mla: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether rotary embedding and cache writes of latent attention are fused."""

    fuse_act_padding: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether RMSNorm and padding are fused."""

    fuse_mla_dual_rms_norm: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether the two norms of latent attention are fused."""

    fuse_rope_kvcache: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether rotary embedding and cache writes are fused."""

    fuse_qk_norm_rope_kvcache: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether norms, rotary embedding and cache writes are fused, on ROCm."""

    rope_kvcache_fusion_max_token_num: Annotated[
        int | None, Field(ge=0), Param(unit="tokens", examples=(128,))
    ] = None
    """Maximum number of tokens for which rotary embedding and cache writes are fused."""

    fi_allreduce_fusion_max_size_mb: Annotated[
        float | None, Field(gt=0), Param(unit="MiB", examples=(1.0,))
    ] = None
    """Maximum size for which FlashInfer fuses an all-reduce."""


class DynamicShapes(Section, builds="vllm.config.compilation.DynamicShapesConfig"):
    """How compiled code meets changing sizes (`DynamicShapesConfig` of vLLM)."""

    type: Annotated[
        Literal["backed", "unbacked", "backed_size_oblivious"] | None, Param(examples=("unbacked",))
    ] = None
    """How the compiler represents sizes."""

    evaluate_guards: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether loading fails where compiled code would be valid for one size only."""

    assume_32_bit_indexing: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether 32 bits suffice to index all tensors."""


class Compilation(Section, builds="vllm.config.CompilationConfig"):
    """Settings of compiler and graphs (`CompilationConfig` of vLLM)."""

    mode: Annotated[CompilationMode | None, Param(examples=("NONE", "VLLM_COMPILE"))] = None
    """How torch.compile is used; unset follows `optimization_level`."""

    cudagraph_mode: Annotated[
        CudaGraphMode | None, Param(examples=("PIECEWISE", "FULL_DECODE_ONLY"))
    ] = None
    """Parts that are replayed as CUDA graphs; unset follows `optimization_level`."""

    backend: Annotated[
        str | None, AfterValidator(lambda name: name or None), Param(examples=("inductor",))
    ] = None
    """Compiler behind torch.compile, such as `inductor` or `eager`; unset and empty take the
    platform's."""

    custom_ops: Annotated[tuple[str, ...] | None, Param(examples=(("none", "+rms_norm"),))] = None
    """Kernels of vLLM to use: `all` or `none`, and exceptions as `+name` or `-name`."""

    splitting_ops: Annotated[
        tuple[str, ...] | None, Param(examples=(("vllm::unified_attention",),))
    ] = None
    """Operations that stay out of piecewise graphs."""

    compile_sizes: Annotated[tuple[int, ...] | None, Param(unit="tokens", examples=((1, 8),))] = (
        None
    )
    """Sizes for which code is specialized."""

    compile_ranges_endpoints: Annotated[
        tuple[int, ...] | None, Param(unit="tokens", examples=((8192,),))
    ] = None
    """Ends of the ranges of sizes for which code is compiled."""

    cudagraph_num_of_warmups: Annotated[
        int | None, Field(ge=0), Param(unit="runs", examples=(1,))
    ] = None
    """Runs before a graph is captured."""

    cudagraph_copy_inputs: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether inputs are copied into buffers of the graph."""

    use_inductor_graph_partition: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether Inductor, not Dynamo, splits the graph."""

    ir_enable_torch_wrap: Annotated[bool | None, Param(examples=(False,))] = None
    """Whether operations are wrapped for torch.compile."""

    fast_moe_cold_start: Annotated[bool | None, Param(examples=(False,))] = None
    """Whether the compilation of MoE layers takes a shortcut."""

    inductor_compile_config: Annotated[
        dict[str, bool | int | float | str] | None, Param(examples=({"max_autotune": True},))
    ] = None
    """Options of Inductor."""

    pass_config: FusionPasses | None = None
    """Fusions."""

    dynamic_shapes_config: DynamicShapes | None = None
    """Treatment of changing sizes."""


class CompilationFields(BackendConfig, feeds="load"):
    """Fields of compilation and graphs."""

    enforce_eager: Annotated[bool | None, Param(examples=(True,))] = None
    """Whether compilation and CUDA graphs are off."""

    optimization_level: Annotated[Literal[0, 1, 2, 3] | None, Param(examples=(0, 1))] = None
    """Preset of compilation, graphs and fusions: 0 starts fastest, 2 is vLLM's default."""

    cudagraph_capture_sizes: Annotated[
        tuple[Annotated[int, Field(ge=1)], ...] | None,
        Param(unit="tokens", examples=((1, 2, 4, 8),)),
    ] = None
    """Batch sizes to capture as graphs."""

    max_cudagraph_capture_size: Annotated[
        int | None, Field(ge=0), Param(unit="tokens", examples=(256,))
    ] = None
    """Greatest batch size to capture as a graph."""

    compilation_config: Compilation | None = None
    """Settings of compiler and graphs."""
