"""Methods that llem adds to vLLM's worker processes, which may run elsewhere than the session.

vLLM mixes the class into each of its workers (``worker_extension_cls``) and calls methods by name
(``LLM.collective_rpc``), always outside a window. The names must differ from vLLM's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from vllm.utils.torch_utils import set_random_seed

from llem.api.meters import gpu_device_id
from llem.api.weight_storage import holds_packed_weights, weights_bytes


class WorkerExtension:
    """Methods of a worker; ``self`` is vLLM's worker."""

    device: torch.device
    vllm_config: Any
    model_runner: Any

    def llem_describe(self) -> dict[str, Any]:
        """Return device, weights, attention kernels and thread count as JSON data."""
        model = self.model_runner.get_model()
        weights = _distinct(model.parameters())
        return {
            "device": _device_name(self.device),
            "parameters": sum(weight.numel() for weight in weights),
            "weights_bytes": weights_bytes(model),
            "packed": holds_packed_weights(model),
            # On a CPU, vLLM hands weights over to oneDNN and leaves an empty tensor in their place.
            "hidden": any(weight.numel() == 0 for weight in model.parameters()),
            "attention_backends": self._attention_backends(),
            "threads": torch.get_num_threads(),
            "tf32": torch.get_float32_matmul_precision() != "highest",
        }

    def llem_set_seed(self, seed: int) -> None:
        """Reset the generators that sampling draws from."""
        set_random_seed(seed)

    def llem_reset_peak_memory(self) -> None:
        """Start a new measurement of peak device memory."""
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)

    def llem_memory(self) -> dict[str, int]:
        """Return bytes by name."""
        caches = _distinct(
            tensor for cache in self.model_runner.kv_caches for tensor in _tensors(cache)
        )
        memory = {"kv_cache_bytes": sum(cache.numel() * cache.element_size() for cache in caches)}
        if self.device.type == "cuda":
            memory["device_peak_bytes"] = torch.cuda.max_memory_allocated(self.device)
            memory["device_peak_reserved_bytes"] = torch.cuda.max_memory_reserved(self.device)
        return memory

    def _attention_backends(self) -> list[str]:
        layers = self.vllm_config.compilation_config.static_forward_context.values()
        found = (layer.get_attn_backend() for layer in layers if hasattr(layer, "get_attn_backend"))
        return sorted({backend.get_name() for backend in found})


def _device_name(device: torch.device) -> str:
    """Return the name that meters know ``device`` by: ``cpu``, or ``cuda:GPU-<uuid>``."""
    if device.type != "cuda":
        return str(device.type)
    return gpu_device_id(torch.cuda.get_device_properties(device).uuid)


def _tensors(cache: Any) -> Iterable[torch.Tensor]:
    """Return the tensors of one layer's cache; some layers have several."""
    return (cache,) if isinstance(cache, torch.Tensor) else cache


def _distinct(tensors: Iterable[torch.Tensor]) -> list[torch.Tensor]:
    """Return one tensor for each piece of memory, however many layers share it."""
    return list({tensor.data_ptr(): tensor for tensor in tensors}.values())
