"""Which physical devices stand behind the ids that an engine and a user name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import psutil

from llem.api.facts import Gpu
from llem.api.meter import DeviceState


def visible(gpus: Sequence[Gpu], selection: str | None) -> Iterator[Gpu]:
    """Yield those of ``gpus`` that ``CUDA_VISIBLE_DEVICES=selection`` leaves, in its order.

    An entry is an index, or the beginning of a UUID, that of an instance (MIG) included. CUDA
    stops at the first entry that names no device, and so does this.
    """
    if selection is None:
        yield from gpus
        return
    for entry in (part.strip() for part in selection.split(",")):
        if entry.isdecimal() and int(entry) < len(gpus):
            yield gpus[int(entry)]
            continue
        named = [gpu for gpu in gpus if _is_named(gpu, entry)]
        if len(named) != 1:
            return
        yield named[0]


def _is_named(gpu: Gpu, entry: str) -> bool:
    if entry.startswith("MIG-GPU-"):
        # The form before driver 470: the whole device's UUID, and the instance's numbers.
        return gpu.uuid == entry.removeprefix("MIG-").partition("/")[0]
    if entry.startswith("MIG-"):
        return any(uuid.startswith(entry) for uuid in gpu.instances)
    return entry.startswith("GPU-") and gpu.uuid.startswith(entry)


def whole_devices(devices: Sequence[str], gpus: Sequence[Gpu]) -> list[str]:
    """Return device ids with an instance (MIG) replaced by the device it is a part of.

    Energy is metered for whole devices only.
    """
    whole = []
    for device in devices:
        kind, _, uuid = device.partition(":")
        named = [gpu for gpu in gpus if uuid.startswith("MIG-") and _is_named(gpu, uuid)]
        whole.append(f"{kind}:{named[0].uuid}" if len(named) == 1 else device)
    return list(dict.fromkeys(whole))


def foreign_processes(
    states: Sequence[DeviceState], own: Collection[int], started_s: float
) -> set[int]:
    """Return the processes on the devices that do not belong to the run.

    Those that were there before the worker was started, and those that this machine knows and
    that are not the worker's. In a container the driver may count processes otherwise than the
    machine, so that an unknown one that came later can be the worker itself.

    Args:
        states: What was seen of the devices.
        own: The worker and what it started.
        started_s: When the worker was started.
    """
    foreign = set()
    for state in states:
        for pid in state.process_ids or ():
            if state.time_s < started_s or (pid not in own and psutil.pid_exists(pid)):
                foreign.add(pid)
    return foreign
