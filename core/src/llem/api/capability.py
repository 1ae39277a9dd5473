"""What a backend declares about itself, without importing its engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Self


@dataclass(frozen=True, slots=True)
class Gpu:
    """One NVIDIA device, as its driver reports it.

    Attributes:
        uuid: ``GPU-…``.
        name: Product name; empty if the driver does not report it.
        memory_bytes: Total memory; ``None`` if the driver does not report it, as for devices that
            share the host's.
        compute_capability: ``(major, minor)``, such as ``(9, 0)``; ``None`` if unknown.
        instances: ``MIG-…`` ids of the instances it is split into.
    """

    uuid: str
    name: str
    memory_bytes: int | None
    compute_capability: tuple[int, int] | None
    instances: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostInfo:
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


class Capability(StrEnum):
    """The vocabulary of implementation choices a backend is asked about.

    Attributes:
        meaning: What a backend must do to claim it.
    """

    meaning: str

    def __new__(cls, name: str, meaning: str) -> Self:
        """Return the member called ``name``."""
        member = str.__new__(cls, name)
        member._value_, member.meaning = name, meaning
        return member

    FLOAT32 = "float32", "compute in IEEE single precision when `model.dtype: float32` asks"
    FLOAT16 = "float16", "compute in IEEE half precision when `model.dtype: float16` asks"
    BFLOAT16 = "bfloat16", "compute in bfloat16 when `model.dtype: bfloat16` asks"
    QUANTIZATION_8BIT = "8-bit quantization", "hold weights in 8 bits, whatever the method"
    QUANTIZATION_4BIT = "4-bit quantization", "hold weights in 4 bits, whatever the method"
    QUANTIZATION_OTHER = "other quantization", "quantize to other widths, or more than the weights"
    RANDOM_WEIGHTS = (
        "random weights",
        "initialise seeded weights of the model's shape, reading none",
    )
    GGUF = "GGUF files", "load the weights in the file that `model.gguf_file` names"
    STATIC_BATCHING = "static batching", "run groups of requests that start and end together"
    CONTINUOUS_BATCHING = (
        "continuous batching",
        "let a request take the place of one that has ended",
    )
    STATIC_KV_CACHE = "static KV cache", "reserve keys and values for a fixed length beforehand"
    PREFIX_CACHING = "prefix caching", "take keys and values of a prompt's beginning from another's"
    COMPILE = "compilation (torch.compile)", "compile the model's forward pass with `torch.compile`"
    BEAM_SEARCH = "beam search", "keep several continuations of a request and return the best"
    SPECULATIVE_DECODING = (
        "speculative decoding",
        "check tokens that something cheaper has proposed",
    )
    LORA = "LoRA adapters", "apply low-rank adapters to the weights"
    STREAMING_LATENCY = (
        "streaming, per-token latency",
        "tell when each output token was there, not the last alone",
    )
    TENSOR_PARALLEL = "tensor parallel", "split each layer among devices"
    PIPELINE_PARALLEL = "pipeline parallel", "spread whole layers among devices"
    DATA_PARALLEL = "data parallel", "run copies of the model on several devices"


class Support(StrEnum):
    """How far a backend supports a capability *through llem*."""

    YES = "yes"
    NO = "no"
    PARTIAL = "partial"
    NOT_STATED = "not stated"
    """What holds where a backend makes no claim; never claimed by itself."""


class Condition(ABC):
    """What a machine must have; ``str`` says it in a few words."""

    @abstractmethod
    def met(self, facts: HostInfo) -> bool:
        """Whether the machine of ``facts`` has it."""


@dataclass(frozen=True, slots=True)
class ComputeCapability(Condition):
    """An NVIDIA device of at least this compute capability.

    Attributes:
        major: First number.
        minor: Second number.
    """

    major: int
    minor: int = 0

    def met(self, facts: HostInfo) -> bool:
        """Whether the first device, which an engine takes, is new enough or does not say."""
        if not facts.gpus:
            return False
        found = facts.gpus[0].compute_capability
        return found is None or found >= (self.major, self.minor)

    def __str__(self) -> str:
        return f"sm{self.major}{self.minor}+"


@dataclass(frozen=True, slots=True)
class Gpus(Condition):
    """NVIDIA devices.

    Attributes:
        least: How many at least.
    """

    least: int = 1

    def met(self, facts: HostInfo) -> bool:
        """Whether that many are visible."""
        return len(facts.gpus) >= self.least

    def __str__(self) -> str:
        return "an NVIDIA GPU" if self.least == 1 else f"{self.least}+ NVIDIA GPUs"


@dataclass(frozen=True, slots=True)
class Platform(Condition):
    """An operating system.

    Attributes:
        name: Its name.
    """

    name: Literal["Linux", "macOS", "Windows"]

    def met(self, facts: HostInfo) -> bool:
        """Whether it is the one that runs."""
        return facts.system.startswith(self.name)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Installed(Condition):
    """A distribution in the engine's environment.

    Attributes:
        distribution: Its name on the package index.
    """

    distribution: str

    def met(self, facts: HostInfo) -> bool:
        """Whether its version is among the facts."""
        return self.distribution in facts.versions

    def __str__(self) -> str:
        return f"{self.distribution} installed"


@dataclass(frozen=True, slots=True)
class Claim:
    """One cell of the capability matrix.

    Attributes:
        level: How far the capability is supported.
        note: Restriction or remark, one short phrase.
        requires: What the machine must have, all of it.
        settings: What asks for it, by dotted path, where fields of the backend's own do:
            ``{"demo.beams": 2}``. The conformance kit tries it.
    """

    level: Support
    note: str = ""
    requires: tuple[Condition, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class EngineRequirement:
    """The third-party library a backend drives.

    Attributes:
        distribution: Name on the package index whose presence and version decide.
        versions: Supported range as a PEP 440 specifier; empty accepts any.
        install: The command that installs it, shown when it is missing.
        alternatives: Other distributions that carry the same engine.
    """

    distribution: str
    versions: str = ""
    install: str = ""
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """What ``llem_capabilities()`` returns.

    Attributes:
        name: The backend's name in a config; equals the entry point's name.
        summary: One line for listings.
        engine: The engine needed, or ``None`` for a backend without one.
        devices: Device kinds it can run on, such as ``("cpu", "cuda")``.
        claims: One claim per :class:`Capability`; an absent one is shown as
            not stated.
        decoder_parameters: Names of the ``decoder`` fields it honors; any other
            one that is set refuses the experiment.
        model_parameters: The same for the ``model`` fields besides ``id``; ``None`` for a backend
            that decides about all of them by rules of its own.
        versions_of: Distributions whose versions an outcome must record.
        variables: Environment variables that change its results, to be recorded too.
        hot_swappable: Names of a plan's calls (``generate``), and of settings (``settings.seed``),
            that matter only once the model is loaded. Plans that differ in nothing else can be
            carried out by one session, which is then :meth:`reopened
            <llem.api.session.Session.reopen>`; empty for a backend that cannot.
    """

    name: str
    summary: str
    engine: EngineRequirement | None = None
    devices: tuple[str, ...] = ("cpu",)
    claims: Mapping[Capability, Claim] = field(default_factory=dict)
    decoder_parameters: frozenset[str] = frozenset()
    model_parameters: frozenset[str] | None = frozenset()
    versions_of: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    hot_swappable: frozenset[str] = frozenset()

    def claim(self, capability: Capability) -> Claim:
        """Return the claim for ``capability``, or that it makes none."""
        return self.claims.get(capability, Claim(Support.NOT_STATED))
