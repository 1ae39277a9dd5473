"""What the host knows about its machine without importing an engine."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Gpu:
    """One NVIDIA device, as its driver reports it.

    Attributes:
        uuid: ``GPU-…``.
        name: Product name.
        memory_bytes: Total memory.
        compute_capability: ``(major, minor)``, such as ``(9, 0)``.
        instances: ``MIG-…`` ids of the instances it is split into.
    """

    uuid: str
    name: str
    memory_bytes: int
    compute_capability: tuple[int, int]
    instances: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The machine an experiment would run on.

    Attributes:
        system: Operating system and its version.
        cpu: Processor name.
        logical_cores: Processors this process may use.
        memory_bytes: Physical memory.
        gpus: NVIDIA devices visible to this process, in CUDA order.
        versions: Installed version by distribution name, for those that were asked about.
    """

    system: str
    cpu: str
    logical_cores: int
    memory_bytes: int
    gpus: tuple[Gpu, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
