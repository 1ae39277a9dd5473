"""Choice of kernels, and the host's work around them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import BackendConfig, Param, Section
from llem_trt.versions import NEW, OLD, PYTORCH, Only


class Nvfp4Gemm(
    Section, feeds="load.nvfp4_gemm_config", builds="tensorrt_llm.llmapi.llm_args.Nvfp4GemmConfig"
):
    """Matrix products in NVFP4: ``Nvfp4GemmConfig``."""

    allowed_backends: Annotated[
        tuple[Literal["cutlass", "cublaslt", "cutedsl", "cuda_core", "marlin"], ...] | None,
        Field(min_length=1),
        Param(neutral=(("cutlass", "cublaslt", "cuda_core"),), examples=(("cutlass", "cublaslt"),)),
        Only("1.3", values=("marlin",)),
    ] = None
    """Libraries the autotuner may choose from."""


class ExpertBalancer(Section, builds="tensorrt_llm.llmapi.llm_args.MoeLoadBalancerConfig"):
    """Placement of experts on ranks: ``MoeLoadBalancerConfig``."""

    num_slots: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="slots", examples=(64,)),
    ] = None
    """Places for experts over all ranks; a multiple of the expert parallel size."""

    layer_updates_per_iter: Annotated[
        int | None,
        Field(ge=0),
        Param(unit="layers", neutral=(0,), examples=(1,)),
    ] = None
    """Number of layers whose experts may move in an iteration; 0 moves none."""


class Experts(Section, feeds="load.moe_config", builds="tensorrt_llm.llmapi.MoeConfig"):
    """Kernels and placement of experts."""

    backend: Annotated[
        Literal[
            "AUTO", "CUTLASS", "CUTEDSL", "WIDEEP", "TRTLLM", "DEEPGEMM", "VANILLA", "TRITON",
            "DENSEGEMM", "MARLIN",
        ]
        | None,
        Param(neutral=("AUTO",), examples=("CUTLASS",)),
        Only("1.2", values=("WIDEEP",)),
        Only("1.3", values=("DENSEGEMM", "MARLIN")),
    ] = None  # fmt: skip
    """Kernels of the experts."""

    max_num_tokens: Annotated[
        int | None,
        Field(ge=1),
        Param(unit="tokens", examples=(4096,)),
    ] = None
    """Tokens in a call of the fused kernel; more need several calls."""

    load_balancer: Annotated[ExpertBalancer | None, Param(examples=({"num_slots": 64},))] = None
    """Placement of experts on ranks."""

    disable_finalize_fusion: Annotated[bool | None, Param(neutral=(False,), examples=(True,))] = (
        None
    )
    """Whether to avoid a fusion whose sums depend on the order of arrival."""

    use_low_precision_moe_combine: Annotated[
        bool | None, Param(neutral=(False,), examples=(True,))
    ] = None
    """Whether expert outputs of an NVFP4 checkpoint are summed in lower precision."""


class KernelFields(BackendConfig, feeds="load"):
    """Kernels, and the host's part."""

    attn_backend: Annotated[
        Literal["TRTLLM", "FLASHINFER", "VANILLA"] | None,
        Param(requires=PYTORCH, neutral=("TRTLLM",), examples=("FLASHINFER",)),
    ] = None
    """Attention kernels."""

    nvfp4_gemm: Annotated[
        Nvfp4Gemm | None,
        Param(requires=PYTORCH, examples=({"allowed_backends": ["cutlass"]},)),
    ] = None
    """Matrix products of NVFP4 checkpoints."""

    force_dynamic_quantization: Annotated[
        bool | None, Param(requires=PYTORCH, neutral=(False,), examples=(True,))
    ] = None
    """Whether activation scales are computed instead of read from the checkpoint."""

    enable_autotuner: Annotated[
        bool | None, Param(requires=PYTORCH, neutral=(True,), examples=(False,))
    ] = None
    """Whether the start times tunable kernels and keeps the fastest."""

    enable_min_latency: Annotated[
        bool | None, Param(requires=PYTORCH, neutral=(False,), examples=(True,))
    ] = None
    """Whether minimum-latency kernels, which Llama 4 has, are used."""

    use_cute_dsl_blockscaling_mm: Annotated[
        bool | None, Param(requires=PYTORCH, neutral=(False,), examples=(True,))
    ] = None
    """Whether CuTe DSL kernels compute block-scaled FP8 products."""

    use_cute_dsl_blockscaling_bmm: Annotated[
        bool | None, Param(requires=PYTORCH, neutral=(False,), examples=(True,))
    ] = None
    """Whether CuTe DSL kernels compute batched block-scaled FP8 products."""

    use_cute_dsl_bf16_gemm: Annotated[
        bool | None,
        Param(
            requires=PYTORCH,
            min_compute_capability={True: (10, 0)},
            neutral=(False,),
            examples=(True,),
            example_context=NEW,
        ),
        Only("1.3"),
    ] = None
    """Whether CuTe DSL kernels compute bfloat16 products."""

    use_cute_dsl_bf16_bmm: Annotated[
        bool | None,
        Param(
            requires=PYTORCH,
            min_compute_capability={True: (10, 0)},
            neutral=(False,),
            examples=(True,),
            example_context=NEW,
        ),
        Only("1.3"),
    ] = None
    """Whether CuTe DSL kernels compute batched bfloat16 products."""

    use_fine_grained_sync: Annotated[
        bool | None,
        Param(
            requires=PYTORCH,
            min_compute_capability={True: (10, 7)},
            neutral=(False,),
            examples=(True,),
            example_context=NEW,
        ),
        Only("1.3"),
    ] = None
    """Whether the products of experts overlap."""

    enable_mla_skip_correction: Annotated[
        bool | None,
        Param(
            requires={**PYTORCH, "trt.attn_backend": (None, "TRTLLM")},
            neutral=(False,),
            examples=(True,),
            example_context=NEW,
        ),
        Only("1.3"),
    ] = None
    """Whether latent attention skips corrections too small to matter."""

    mla_skip_correction_threshold: Annotated[
        float | None,
        Field(gt=0, le=32),
        Param(
            unit="1",
            requires={"trt.enable_mla_skip_correction": True},
            neutral=(8,),
            examples=(4.0,),
            example_context=NEW,
        ),
        Only("1.3"),
    ] = None
    """Logarithm of the factor below which latent attention skips corrections."""

    enable_in_graph_sampling: Annotated[
        bool | None,
        Param(requires=PYTORCH, neutral=(False,), examples=(True,), example_context=NEW),
        Only("1.3"),
    ] = None
    """Whether sampling is part of the captured graph."""

    sampler_type: Annotated[
        Literal["auto", "TorchSampler", "TRTLLMSampler"] | None,
        Param(requires=PYTORCH, neutral=("auto",), examples=("TorchSampler",), example_context=OLD),
        Only("1.2"),
    ] = None
    """Implementation of sampling."""

    disable_flashinfer_sampling: Annotated[
        bool | None,
        Param(requires=PYTORCH, neutral=(False,), examples=(True,), example_context=OLD),
        Only("1.2"),
    ] = None
    """Whether sampling avoids FlashInfer's kernels."""

    enable_low_latency_host_dispatch: Annotated[
        bool | None,
        Param(requires=PYTORCH, neutral=(False,), examples=(True,), example_context=NEW),
        Only("1.3"),
    ] = None
    """Whether the host spins instead of sleeping, which keeps a core busy."""

    enable_early_first_token_response: Annotated[
        bool | None,
        Param(
            requires={**PYTORCH, "trt.disable_overlap_scheduler": (None, False)},
            neutral=(False,),
            examples=(True,),
            example_context=NEW,
        ),
        Only("1.3"),
    ] = None
    """Whether the first token is returned before the overlapped iteration ends."""

    garbage_collection_gen0_threshold: Annotated[
        int | None,
        Field(ge=0),
        Param(unit="objects", requires=PYTORCH, neutral=(20_000,), examples=(50_000,)),
    ] = None
    """Number of new Python objects after which the host collects garbage."""

    num_postprocess_workers: Annotated[
        int | None,
        Field(ge=0, le=1024),
        Param(unit="processes", examples=(2,)),
    ] = None
    """Number of additional processes that turn tokens into text."""

    guided_decoding_backend: Annotated[
        Literal["xgrammar", "llguidance"] | None,
        Param(examples=("xgrammar",)),
    ] = None
    """Library that constrains outputs; `sampling.guided_decoding` needs it."""
