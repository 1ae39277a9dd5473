"""One experiment: everything that decides what is run and how it is measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import Field, field_validator

from llem.schema.base import FrozenModel, Param, Section
from llem.schema.call_plan import RESERVED_KEYS
from llem.schema.decoder import DecoderConfig
from llem.schema.fields import value_at
from llem.schema.measurement import MeasurementConfig
from llem.schema.workload import SyntheticWorkload, Workload

DType = Literal["auto", "float32", "float16", "bfloat16"]


class ModelConfig(FrozenModel):
    """The model to run: a hub id, a local folder, a GGUF file, or an embedded shape."""

    id: Annotated[
        str, Field(min_length=1), Param(examples=("shape:tiny", "HuggingFaceTB/SmolLM2-135M"))
    ] = "shape:tiny"
    """Hub id, path of a local model folder, or `shape:NAME` for an embedded shape."""

    revision: Annotated[str | None, Param(neutral=("main",), examples=("v1.0",))] = None
    """Branch, tag or commit of a hub model; applies to its tokenizer as well."""

    dtype: Annotated[DType | None, Param(neutral=("auto",), examples=("bfloat16",))] = None
    """Data type of weights and arithmetic; `auto` or unset takes the checkpoint's own."""

    weights: Literal["pretrained", "random"] | None = None
    """`random` initialises seeded weights without reading any; unset means random for a shape
    and pretrained otherwise."""

    gguf_file: Annotated[str | None, Param(examples=("model.Q4_K_M.gguf",))] = None
    """File name of a GGUF file inside the folder or repository named by `id`."""

    tokenizer: Annotated[str | None, Param(examples=("HuggingFaceTB/SmolLM2-135M",))] = None
    """Hub id or local folder of another tokenizer; unset uses the model's own."""

    trust_remote_code: bool = False
    """Whether Python code that ships with the model may be executed."""

    @property
    def is_shape(self) -> bool:
        """Whether `id` names an embedded shape."""
        return self.id.startswith("shape:")

    @property
    def random_weights(self) -> bool:
        """Whether weights are initialised instead of read."""
        return self.is_shape if self.weights is None else self.weights == "random"


Limit = Annotated[float, Field(gt=0, le=86_400), Param(unit="s")]
"""A time that something may take; with 0 nothing could ever succeed."""


class TimeoutConfig(FrozenModel):
    """Longest time the worker may take to answer, per phase."""

    start_s: Limit = 60.0
    """From starting the interpreter to its first message."""
    open_s: Limit = 1800.0
    """Importing the engine and loading the model."""
    prepare_s: Limit = 600.0
    """Batching and moving prompts to the device."""
    run_s: Limit = 3600.0
    """One repetition of the workload."""
    observe_s: Limit = 120.0
    """Reading back what was in force."""
    close_s: Limit = 60.0
    """Releasing the engine; afterwards the worker is ended."""
    experiment_s: Limit | None = None
    """The whole life of the worker, idle metering included; unset leaves it to the phases."""
    silence_s: Limit | None = None
    """Without an answer and without anything new in the log; unset allows silence."""


class RunnerConfig(FrozenModel):
    """The interpreter that runs the engine, and its limits."""

    python: Annotated[str | None, Param(examples=("/opt/engine/bin/python",))] = None
    """Interpreter of another environment that has the engine; unset uses this one."""

    env: dict[str, str] = {}
    """Environment variables set for the worker, on top of the present ones."""

    @field_validator("env")
    @classmethod
    def _can_be_set(cls, value: dict[str, str]) -> dict[str, str]:
        if wrong := [name for name in value if not name or "=" in name or "\0" in name]:
            raise ValueError(f"no variable can be called {json.dumps(wrong[0][:60])}")
        if holding := [name for name, text in value.items() if "\0" in text]:
            raise ValueError(f"the value of {holding[0]} holds a NUL character")
        return value

    timeouts: TimeoutConfig = TimeoutConfig()
    """Time limits."""

    max_log_bytes: Annotated[int, Field(ge=65_536, le=2**40), Param(unit="bytes")] = 64 * 2**20
    """The worker is ended once it has printed more than this."""


class BackendConfig(Section):
    """Base of a backend's own config section; every field defaults to ``None``.

    Its class keyword ``builds`` may also be a mapping, from the place of an object whose parts are
    fields of this section (``load.kernel_config``) to the class of that object.
    """

    rules: ClassVar[tuple[Rule[Any], ...]] = ()
    """Combinations the backend refuses, besides those its fields' markers state; core evaluates
    and lists them all."""

    shared_needs: ClassVar[Mapping[str, Param]] = {}
    """What fields of the shared sections need on this backend, by dotted path: of each marker, the
    needs of the machine count, and ``requires``."""

    removed: ClassVar[Mapping[str, str]] = {}
    """Keys that earlier versions had, and what became of each, for the refusal of a config that has
    one of them."""


Config = TypeVar("Config", bound=BackendConfig)


class Experiment(FrozenModel):
    """One validated experiment.

    Core derives a subclass for each backend, with one more field: the backend's own section,
    under the backend's name.
    """

    removed: ClassVar[Mapping[str, str]] = {
        "footprint": "`llem report --carbon DE --price 0.3 --pue 1.2` derives emissions and cost"
    }

    name: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")] = None
    """Label that becomes part of the output folder's name."""

    backend: str
    """Name of the backend that runs it."""

    model: ModelConfig = ModelConfig()
    """The model."""

    workload: Workload = SyntheticWorkload()
    """What is asked of the model."""

    decoder: DecoderConfig = DecoderConfig()
    """How tokens are chosen."""

    measurement: MeasurementConfig = MeasurementConfig()
    """How it is measured."""

    runner: RunnerConfig = RunnerConfig()
    """Where it runs."""

    passthrough_kwargs: dict[str, dict[str, Any]] = {}
    """Last resort: engine arguments by call name, passed on unchecked, recorded, warned about."""

    @field_validator("passthrough_kwargs")
    @classmethod
    def _plain_data(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        if found := _reserved_keys(value):
            raise ValueError(f"keys {sorted(found)} are reserved: a config may not name objects")
        return value

    @property
    def section(self) -> BackendConfig:
        """The backend's own section."""
        section = getattr(self, self.backend)
        assert isinstance(section, BackendConfig)
        return section

    def section_as(self, model: type[Config]) -> Config:
        """Return the backend's own section, as the type ``model`` that it is of.

        Raises:
            TypeError: It is of another one.
        """
        if not isinstance(self.section, model):
            raise TypeError(f"the section of backend {self.backend} is no {model.__name__}")
        return self.section

    @property
    def ignores_eos(self) -> bool:
        """Whether requests go on after EOS up to their length limit."""
        if self.decoder.ignore_eos is not None:
            return self.decoder.ignore_eos
        return self.workload.source == "synthetic"


@dataclass(frozen=True, slots=True)
class Rule(Generic[Config]):
    """A combination that is refused or remarked on, with its reason and the way out.

    Attributes:
        name: Stable kebab-case identifier.
        fields: Dotted paths of the fields concerned; the first one is blamed.
        reason: What is wrong with it, in one clause.
        hint: What to write instead, in one sentence.
        violated: Whether an experiment breaks the rule, given the experiment and its backend's
            section; pure.
        excludes: Dotted paths of fields that cannot be set together with the first of ``fields``,
            where that is what the rule says; introspection lists them.
        severity: ``error`` refuses the experiment. ``warning`` lets it run with the remark: for
            a *dormant* setting, which the engine accepts and which changes nothing.
    """

    name: str
    fields: tuple[str, ...]
    reason: str
    hint: str
    violated: Callable[[Experiment, Config], bool]
    severity: Literal["error", "warning"] = "error"
    excludes: tuple[str, ...] = ()

    @classmethod
    def at_most(cls, lower: str, upper: str, *, name: str, reason: str = "") -> Rule[Config]:
        """Return the rule that the field ``lower`` may not exceed ``upper``, where both are set.

        Args:
            lower: Dotted path of a number.
            upper: Dotted path of its upper bound.
            name: The rule's name.
            reason: What is wrong if it does; a general sentence if empty.
        """

        def violated(experiment: Experiment, section: Config) -> bool:
            low, high = value_at(experiment, lower), value_at(experiment, upper)
            return low is not None and high is not None and low > high

        return cls(
            name=name,
            fields=(lower, upper),
            reason=reason or f"it exceeds {upper}",
            hint=f"Lower {lower}, or raise {upper}.",
            violated=violated,
        )

    def is_broken_by(self, experiment: Experiment) -> bool:
        """Whether ``experiment``, whose backend the rule is for, breaks it."""
        return self.violated(experiment, experiment.section)  # type: ignore[arg-type]


def _reserved_keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        below = (_reserved_keys(item) for item in value.values())
        return set(RESERVED_KEYS & value.keys()).union(*below)
    if isinstance(value, list):
        return set().union(*(_reserved_keys(item) for item in value))
    return set()
