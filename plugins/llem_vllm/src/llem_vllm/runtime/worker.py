"""Questions to vLLM's own worker processes, which may run elsewhere than the session.

vLLM adds the methods of the class to each of its workers (``worker_extension_cls``) and calls them
by name (``LLM.collective_rpc``), outside every window. Their names must not be its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from vllm.utils.torch_utils import set_random_seed


class WorkerFacts:
    """Methods of a worker. ``self`` is the worker of vLLM."""

    device: torch.device
    vllm_config: Any
    model_runner: Any

    def llem_describe(self) -> dict[str, Any]:
        """Return what the worker loaded, and where to."""
        weights = _once(self.model_runner.get_model().parameters())
        return {
            "device": _device_name(self.device),
            "parameters": sum(weight.numel() for weight in weights),
            "weights_bytes": sum(weight.numel() * weight.element_size() for weight in weights),
            "attention_backends": self._attention_backends(),
            "threads": torch.get_num_threads(),
        }

    def llem_start_over(self, seed: int) -> None:
        """Set the generators that sampling draws from back to ``seed``."""
        set_random_seed(seed)

    def llem_forget_peak(self) -> None:
        """Let the peak of device memory be that of what follows."""
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)

    def llem_memory(self) -> dict[str, int]:
        """Return bytes by name."""
        caches = _once(
            tensor for cache in self.model_runner.kv_caches for tensor in _tensors(cache)
        )
        memory = {"kv_cache_bytes": sum(one.numel() * one.element_size() for one in caches)}
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
    uuid = str(torch.cuda.get_device_properties(device).uuid).removeprefix("GPU-")
    return f"cuda:GPU-{uuid}"


def _tensors(cache: Any) -> Iterable[torch.Tensor]:
    """Return the tensors of one layer's cache, which some layers keep in several."""
    return (cache,) if isinstance(cache, torch.Tensor) else cache


def _once(tensors: Iterable[torch.Tensor]) -> list[torch.Tensor]:
    """Return each piece of memory once, however many layers share it."""
    return list({tensor.data_ptr(): tensor for tensor in tensors}.values())
