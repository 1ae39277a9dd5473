"""The base of every config model, and the markers that describe a field once, for everyone."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, to_jsonable_python

if TYPE_CHECKING:
    from llem.schema.experiment import Experiment


class FrozenModel(BaseModel):
    """An immutable model that refuses unknown keys."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=()
    )

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return the model itself, which nothing changes; pydantic copies defaults for each use."""
        return self


@dataclass(frozen=True, slots=True)
class EngineArg:
    """An engine parameter that a field sets.

    Attributes:
        call: Name of the plan's call (``load``, ``generate``), or ``settings``.
        name: Name of the keyword argument; dots reach into an object that the plan builds, as in
            ``quantization_config.bnb_4bit_quant_type``. Empty means the call itself: whether it
            is made, and of which function.
        of: Name of the audit's surface that has the parameter, needed only where several classes
            may stand at one place, as those of quantisation methods do.
    """

    call: str
    name: str
    of: str = ""

    @property
    def place(self) -> str:
        """Where the parameter stands: the call, and the object inside it that takes it."""
        inside, _, _ = self.name.rpartition(".")
        return f"{self.call}.{inside}" if inside else self.call

    @property
    def parameter(self) -> str:
        """The parameter's own name there."""
        return self.name.rpartition(".")[2]

    def __str__(self) -> str:
        return f"{self.call}.{self.name}" if self.name else self.call


IS_SET: Final = object()
"""In ``Param.requires``: the other field must have a value, whichever."""


@dataclass(frozen=True, slots=True)
class Param:
    """What a reader of a field wants to know beyond its type; use inside ``Annotated``.

    Attributes:
        unit: Unit of the value, such as ``tokens`` or ``s``.
        maps_to: Engine parameters the field sets; empty for one that core itself uses.
        requires: Values other fields must have for this one to act, by dotted path; a tuple lists
            several that do (``None``: unset), :data:`IS_SET` is any. Core refuses the rest.
        conflicts_with: Dotted paths of fields that cannot be set together with it, ``false`` apart.
            Core refuses both at once; one of the two fields need say it.
        min_compute_capability: Least NVIDIA compute capability, such as ``(8, 0)``, for every
            value or for each of some values. On a device that has less, core refuses the field.
        ignored_when: Condition under which the field has no effect, in words, where ``requires``
            and ``conflicts_with`` cannot say it and a :class:`Rule` does.
        examples: Values worth trying.
        example_context: Values of other fields, by dotted path, that an experiment with one of the
            examples has besides ``requires``, where a :class:`Rule` asks for them.
    """

    unit: str = ""
    maps_to: tuple[EngineArg, ...] = ()
    requires: Mapping[str, Any] = field(default_factory=dict, hash=False)
    conflicts_with: tuple[str, ...] = ()
    min_compute_capability: tuple[int, int] | Mapping[Any, tuple[int, int]] | None = field(
        default=None, hash=False
    )
    ignored_when: str = ""
    examples: tuple[Any, ...] = ()
    example_context: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def compute_capability_for(self, value: Any) -> tuple[int, int] | None:
        """Return the least compute capability that ``value`` needs, if it needs any."""
        if isinstance(self.min_compute_capability, Mapping):
            return self.min_compute_capability.get(value) if isinstance(value, Hashable) else None
        return self.min_compute_capability

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Put unit and examples into the JSON schema, where an editor shows them."""
        schema = handler(core_schema)
        extra = {"unit": self.unit, "examples": to_jsonable_python(self.examples)}
        return schema | {key: value for key, value in extra.items() if value}


@dataclass(frozen=True, slots=True)
class Rule:
    """A combination that is refused or remarked on, with its reason and the way out.

    Attributes:
        name: Stable kebab-case identifier.
        fields: Dotted paths of the fields concerned; the first one is blamed.
        reason: What is wrong with it, in one clause.
        hint: What to write instead, in one sentence.
        violated: Whether an experiment breaks the rule; pure.
        severity: ``error`` refuses the experiment. ``warning`` lets it run with the remark: for
            a *dormant* setting, which the engine accepts and which changes nothing.
    """

    name: str
    fields: tuple[str, ...]
    reason: str
    hint: str
    violated: Callable[[Experiment], bool]
    severity: Literal["error", "warning"] = "error"


class BackendConfig(FrozenModel):
    """Base of a backend's own config section; every field defaults to ``None``."""

    rules: ClassVar[tuple[Rule, ...]] = ()
    """Combinations the backend refuses, besides those its fields' markers state; core evaluates
    and lists them all."""

    removed: ClassVar[Mapping[str, str]] = {}
    """Keys that earlier versions had, and what became of each; whoever writes one is told."""


NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
