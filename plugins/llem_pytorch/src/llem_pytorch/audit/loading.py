"""What became of the parameters of loading."""

from __future__ import annotations

from llem.api.parameter_audit import Surface

_KERNELS = (
    "eager",
    "sdpa",
    "flash_attention_2",
    "flash_attention_3",
    "flash_attention_4",
    "flex_attention",
)
_IGNORED = "transformers takes it and ignores it"
_DOWNLOAD = "it is about downloading, which happens before anything is measured"

SURFACES = (
    Surface(
        name="transformers.AutoModelForCausalLM.from_pretrained",
        at=("load",),
        owned={"kernel_config": "its parts are fields: kernel_mapping, inherit_mapping"},
        excluded={
            "adapter_kwargs": "LoRA adapters are not measured by this backend",
            "adapter_name": "LoRA adapters are not measured by this backend",
            "cache_dir": _DOWNLOAD + "; set HF_HOME",
            "code_revision": "the code of a model comes from the revision of its weights",
            "device_mesh": "an object of running processes, which pytorch.distributed stands for",
            "force_download": _DOWNLOAD,
            "from_flax": _IGNORED,
            "from_tf": _IGNORED,
            "fusion_config": "the one fusion there is concerns image patches of vision models",
            "generation_config": "each of its parts is an argument of generate()",
            "ignore_mismatched_sizes": "it would measure a model of which parts are random",
            "key_mapping": "names of weights in a file; the loaded model is the same",
            "local_files_only": _DOWNLOAD + "; set HF_HUB_OFFLINE",
            "low_cpu_mem_usage": _IGNORED,
            "mirror": _IGNORED,
            "offload_state_dict": _IGNORED,
            "proxies": _DOWNLOAD + "; set HTTPS_PROXY",
            "subfolder": "model.id names the folder itself",
            "token": "a secret, which a config must not hold; set HF_TOKEN",
            "tp_plan": "deprecated; pytorch.distributed.tp_plan",
            "tp_size": "deprecated; pytorch.distributed.tp_size",
            "tqdm_class": "looks of a progress bar, which llem switches off",
            "use_safetensors": "the same weights from another kind of file",
            "variant": "the same weights in another file; model.dtype chooses the type",
            "weights_only": "a safeguard against code in pickled weights that stays on",
        },
    ),
    Surface(
        name="values of attn_implementation",
        at=("load.attn_implementation",),
        owned=dict.fromkeys(_KERNELS, "a value of pytorch.attn_implementation"),
        excluded={"paged|eager": "what continuous batching turns eager into by itself"},
    ),
    Surface(
        name="transformers.KernelConfig",
        at=("load.kernel_config",),
        excluded={"use_local_kernel": "kernels from a local folder have no name to record"},
    ),
    Surface(
        name="transformers.distributed.DistributedConfig",
        at=("load.distributed_config",),
        excluded={
            "dp_replicate_size": "replicas of FSDP, which is for training",
            "enable_expert_parallel": "deprecated; ep_size",
            "enable_sequence_parallel": "reserved: it changes nothing yet",
            "fsdp_cpu_offload": "of FSDP, which is for training",
            "fsdp_mixed_precision": "of FSDP, which is for training",
            "fsdp_plan": "of FSDP, which is for training",
            "fsdp_size": "FSDP shards a model for training; inference gathers it at every step",
        },
    ),
    Surface(name="transformers.CompileConfig", at=("compile",)),
)
"""Surfaces of loading and compiling."""
