"""The devices that the engine uses, by the names that meters know."""

from __future__ import annotations


def used_devices(world_size: int) -> list[str]:
    """Return ``cuda:GPU-<uuid>`` of each rank's device; rank and visible device have one number."""
    import torch

    properties = (torch.cuda.get_device_properties(rank) for rank in range(world_size))
    return [f"cuda:GPU-{str(one.uuid).removeprefix('GPU-')}" for one in properties]


def used_bytes(world_size: int) -> int:
    """Return the memory in use on those devices, by whatever process.

    The engine takes nearly all of it before the first request, for the KV cache, so what is in use
    afterwards is the peak.
    """
    import torch

    free_and_total = (torch.cuda.mem_get_info(rank) for rank in range(world_size))
    return sum(total - free for free, total in free_and_total)
