"""The values of vLLM 0.32's enumerations.

``llem audit`` finds parameters that a later vLLM adds, and no new values of an old parameter: add
those here.
"""

from __future__ import annotations

from typing import Literal

Quantization = Literal[
    "awq", "auto_awq", "fp8", "fbgemm_fp8", "fp_quant", "modelopt", "modelopt_fp4",
    "modelopt_mxfp8", "modelopt_mixed", "auto_gptq", "gptq", "gptq_marlin", "awq_marlin",
    "humming", "compressed-tensors", "experts_int8", "quark", "moe_wna16", "torchao", "inc",
    "mxfp4", "gpt_oss_mxfp4", "deepseek_v4_fp8", "online", "fp8_per_tensor",
    "fp8_per_block", "fp8_per_channel", "int8_per_channel_weight_only", "nvfp4_per_token",
    "mxfp8",
]  # fmt: skip
"""Methods of weight quantization."""

QuantKey = Literal[
    "fp8_per_tensor_static", "fp8_per_tensor_dynamic", "fp8_per_token",
    "fp8_per_channel_static", "fp8_per_block_static", "fp8_per_block_dynamic", "mxfp8",
    "mxfp4", "nvfp4_per_token", "int8_per_channel_static", "int4_per_group_32",
]  # fmt: skip
"""Formats of weights or activations under online quantization."""

KvCacheDtype = Literal[
    "auto", "float16", "bfloat16", "fp8", "fp8_e4m3", "fp8_e5m2", "fp8_inc", "fp8_ds_mla",
    "nvfp4_ds_mla", "turboquant_k8v4", "turboquant_4bit_nc", "turboquant_k3v4_nc",
    "turboquant_3bit_nc", "ultraquant_4bit", "int4_per_token_head", "int8_per_token_head",
    "fp8_per_token_head", "nvfp4", "nvfp4_4over6",
]  # fmt: skip
"""Storage types of the KV cache."""

AttentionBackend = Literal[
    "FLASH_ATTN", "FLASH_ATTN_DIFFKV", "TRITON_ATTN", "TRITON_ATTN_DIFFKV",
    "TRITON_FLASH_ATTN", "ROCM_ATTN", "ROCM_SEGMENTED_ATTN", "ROCM_AITER_MLA",
    "ROCM_AITER_TRITON_MLA", "ROCM_AITER_FA", "ROCM_AITER_MLA_SPARSE", "XPU_MLA_SPARSE",
    "TORCH_SDPA", "FLASHINFER", "TRITON_FLASHINFER", "FLASHINFER_MLA", "TOKENSPEED_MLA",
    "FLASHINFER_MLA_SPARSE", "FLASHINFER_MLA_SPARSE_SM120", "FLASHINFER_MLA_SPARSE_SM90",
    "TRITON_MLA", "CUTLASS_MLA", "FLASHMLA", "FLASHMLA_SPARSE", "FLASHMLA_SPARSE_DSV4",
    "FLASHINFER_MLA_SPARSE_DSV4", "ROCM_FLASHMLA_SPARSE_DSV4", "FLASHMLA_SPARSE_DSV41",
    "FLASHINFER_MLA_SPARSE_DSV41", "FLASHMLA_MEGA_ATTN_DSV41", "B12X", "FLASH_ATTN_MLA",
    "FLASH_ATTN_MLA_SPARSE", "MINIMAX_M3_SPARSE", "CUTLASS_MSA", "TRITON_MSA",
    "NO_ATTENTION", "FLEX_ATTENTION", "HPC_ATTN", "ROCM_AITER_UNIFIED_ATTN", "CPU_ATTN",
    "CPU_MLA", "AMX_MLA", "TURBOQUANT", "ULTRAQUANT", "CUSTOM",
]  # fmt: skip
"""Attention kernels; which of them exist depends on platform and model."""

MoeBackend = Literal[
    "auto", "triton", "batched_triton", "deep_gemm", "deep_gemm_mega_moe", "cutlass",
    "flashinfer_trtllm", "flashinfer_cutlass", "flashinfer_cutedsl",
    "flashinfer_moe_ep_cutedsl", "flashinfer_b12x", "b12x",
    "flashinfer_moe_ep_mega_deep_gemm", "marlin", "humming", "triton_unfused", "aiter",
    "aiter_mega_moe", "aiter_triton_mxfp4_bf16", "flydsl", "hpc", "emulation", "rdna3",
]  # fmt: skip
"""Kernels for the experts of MoE models."""

LinearBackend = Literal[
    "auto", "cutlass", "flashinfer_cutlass", "flashinfer_cutedsl", "flashinfer_trtllm",
    "flashinfer_cudnn", "flashinfer_b12x", "b12x", "marlin", "humming", "triton",
    "deep_gemm", "torch", "aiter", "machete", "fbgemm", "conch", "exllama", "emulation",
    "xpu", "xpu_woq",
]  # fmt: skip
"""Kernels for matrix products."""

All2AllBackend = Literal[
    "naive", "pplx", "deepep_high_throughput", "deepep_low_latency", "deepep_v2",
    "mori_high_throughput", "mori_low_latency", "moonep", "nixl_ep",
    "allgather_reducescatter", "flashinfer_all2allv", "flashinfer_nvlink_two_sided",
    "flashinfer_nvlink_one_sided", "passthrough",
]  # fmt: skip
"""Ways of moving tokens between the experts of several devices."""

SpeculativeMethod = Literal[
    "ngram", "medusa", "mlp_speculator", "draft_model", "suffix", "custom_class", "eagle",
    "eagle3", "extract_hidden_states", "deepseek_mtp", "dots3_note_mtp", "mimo_mtp",
    "mimo_v2_mtp", "glm4_moe_mtp", "glm4_moe_lite_mtp", "glm_ocr_mtp", "ernie_mtp",
    "nemotron_h_mtp", "exaone_moe_mtp", "exaone4_5_mtp", "qwen3_next_mtp", "qwen4_exp_mtp",
    "qwen3_5_mtp", "longcat_flash_mtp", "bailing_hybrid_v3_mtp", "minimax_m3_mtp",
    "bailing_hybrid_mtp", "mtp", "kimi_k3_mtp", "pangu_ultra_moe_mtp", "step3p5_mtp",
    "hy_v3_mtp", "hy_v4_mtp", "gemma4_mtp", "inkling_mtp", "glm5_next_mtp", "dflash",
    "ngram_gpu", "dspark",
]  # fmt: skip
"""Ways of drafting tokens."""

CompilationMode = Literal[
    "NONE", "STOCK_TORCH_COMPILE", "DYNAMO_TRACE_ONCE", "VLLM_COMPILE",
]  # fmt: skip
"""How torch.compile is used."""

CudaGraphMode = Literal[
    "NONE", "PIECEWISE", "FULL", "FULL_DECODE_ONLY", "FULL_AND_PIECEWISE",
]  # fmt: skip
"""What is replayed as CUDA graphs."""

LoadFormat = Literal[
    "auto", "hf", "dummy", "fastsafetensors", "instanttensor", "ipc_cache", "mistral",
    "modelexpress", "npcache", "pt", "runai_streamer", "runai_streamer_sharded",
    "safetensors", "sharded_state", "tensorizer",
]  # fmt: skip
"""Readers of weights."""

MlaPrefillBackend = Literal[
    "FLASH_ATTN", "FLASHINFER", "TRTLLM_RAGGED", "TOKENSPEED_MLA", "ROCM_AITER_FA", "CPU",
    "ZEN_CPU", "CUSTOM",
]  # fmt: skip
"""Prefill kernels of models with latent attention."""

IndexerTopk = Literal[
    "auto", "deep_select", "cooperative", "persistent", "per_row", "flashinfer", "torch",
    "aiter",
]  # fmt: skip
"""Kernels that pick the keys of sparse attention."""

MambaDtype = Literal[
    "auto", "float32", "float16", "bfloat16",
]  # fmt: skip
"""Storage types of Mamba states."""
