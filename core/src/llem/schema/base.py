"""The base of every config model, and the markers that describe a field once, for everyone."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, to_jsonable_python


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
    """An argument of an engine call.

    Attributes:
        call: Name of the plan's call (``load``, ``generate``), or ``settings``.
        name: Name of the keyword argument; dots reach into an object that the plan builds, as in
            ``quantization_config.bnb_4bit_quant_type``. Empty means the call itself: whether it
            is made, and of which function.
        of: Name of the class that has the parameter, where several classes may stand at one
            place, as those of quantization methods do; follows from ``builds`` of a section.
    """

    call: str
    name: str = ""
    of: str = ""

    @classmethod
    def parse(cls, place: str) -> EngineArg:
        """Return the argument that ``place``, such as ``load.quantization_config``, names."""
        call, _, name = place.partition(".")
        return cls(call, name)

    @property
    def place(self) -> str:
        """Where the parameter stands: the call, and the object inside it that takes it."""
        inside, _, _ = self.name.rpartition(".")
        return f"{self.call}.{inside}" if inside else self.call

    @property
    def parameter(self) -> str:
        """The parameter's own name there."""
        return self.name.rpartition(".")[2]

    def inside(self, name: str) -> EngineArg:
        """Return the argument ``name`` of the object, or call, that stands here."""
        return EngineArg(self.call, f"{self.name}.{name}" if self.name else name, self.of)

    def __str__(self) -> str:
        return f"{self.call}.{self.name}" if self.name else self.call


class Section(FrozenModel):
    """Fields that together are one object the engine takes, or the arguments of one call.

    A subclass says which by class keywords::

        class Quantization(Section, feeds="load.quantization_config", builds="lib.QuantConfig"):
            bits: int | None = None

    ``feeds`` is the call, or the argument of a call, that the fields are for; a section without it
    is the argument of the field that holds it. Each field sets the argument of its own name there,
    unless its :class:`Param` says otherwise. ``builds`` is the dotted name of the class, or
    function, that is called with what the fields set; without it they make a dictionary.
    """

    __feeds__: ClassVar[EngineArg | None] = None
    __builds__: ClassVar[str | Mapping[str, str]] = ""

    def __init_subclass__(
        cls, *, feeds: str = "", builds: str | Mapping[str, str] = "", **options: Any
    ) -> None:
        super().__init_subclass__(**options)
        if feeds:
            cls.__feeds__ = EngineArg.parse(feeds)
        if builds:
            cls.__builds__ = builds


IS_SET: Final = object()
"""In ``Param.requires``: the other field must have a value, whichever."""


T = TypeVar("T")
ByValue: TypeAlias = T | Mapping[Any, T]
"""A need of every value, or of each of some values. A text with ``*`` stands for all values of that
form (``fp8*``), and ``None`` for the engine's own default where the field's ``requires`` holds."""


@dataclass(frozen=True, slots=True)
class Param:
    """What a reader of a field wants to know beyond its type; use inside ``Annotated``.

    Attributes:
        unit: Unit of the value, such as ``tokens`` or ``s``.
        maps_to: Engine arguments that take the field's value, all of them; unset takes the
            argument of the field's own name in what its section feeds.
        affects: Engine arguments that follow from the field, and that the backend's own code sets.
            A field that has them and no ``maps_to`` sets no argument by itself.
        member_of: Dotted name of the module or enumeration whose member the value names, such as
            ``torch``; the plan then has the member, not its name.
        neutral: Values with which the engine does what it does without the field, such as 0 where
            that means no limit. They break no rule and need no device, and the engine is told of
            them only where ``requires`` holds and nothing in ``conflicts_with`` acts, and never of
            an empty collection.
        requires: Values other fields must have for this one to act, by dotted path; a tuple lists
            several that do (``None``: unset), :data:`IS_SET` is any. Core refuses the rest.
        conflicts_with: Dotted paths of fields that cannot be set together with it, ``false`` apart.
            Core refuses both at once; one of the two fields need say it.
        min_compute_capability: Least NVIDIA compute capability, such as ``(8, 0)``, for every
            value or for each of some values. On a device that has less, core refuses the field.
        native_compute_capability: The same, where an older device emulates it: core remarks on it.
        gpus: Number of NVIDIA GPUs; ``"each"`` where the value is a number of devices, of which an
            experiment takes as many as all such values multiplied.
        packages: Distributions that the engine does not bring along; ``"a or b"`` is either. Core
            refuses a value whose packages are missing beside the engine.
        ignored_when: Condition under which the field has no effect, in words, where ``requires``
            and ``conflicts_with`` cannot say it and a :class:`Rule` does.
        examples: Values worth trying.
        example_context: Values of other fields, by dotted path, that an experiment with one of the
            examples has besides ``requires``, where a :class:`Rule` asks for them.
    """

    unit: str = ""
    maps_to: EngineArg | tuple[EngineArg, ...] | None = None
    affects: EngineArg | tuple[EngineArg, ...] = ()
    member_of: str = ""
    neutral: tuple[Any, ...] = field(default=(), hash=False)
    requires: Mapping[str, Any] = field(default_factory=dict, hash=False)
    conflicts_with: tuple[str, ...] = ()
    min_compute_capability: ByValue[tuple[int, int]] | None = field(default=None, hash=False)
    native_compute_capability: ByValue[tuple[int, int]] | None = field(default=None, hash=False)
    gpus: ByValue[int | Literal["each"]] | None = field(default=None, hash=False)
    packages: ByValue[tuple[str, ...]] | None = field(default=None, hash=False)
    ignored_when: str = ""
    examples: tuple[Any, ...] = ()
    example_context: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def needs_in_words(self) -> tuple[str, ...]:
        """Say what the machine must have, by value where values differ."""
        return (
            *_grouped(self.min_compute_capability, _capability_in_words),
            *(
                f"{need} (older devices emulate it)"
                for need in _grouped(self.native_compute_capability, _capability_in_words)
            ),
            *_grouped(self.gpus, _gpus_in_words),
            *_grouped(self.packages, _packages_in_words),
        )

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Put unit, examples, needs and exclusions into the JSON schema, for editors to show."""
        schema = handler(core_schema)
        extra = {
            "unit": self.unit,
            "examples": to_jsonable_python(self.examples),
            "needs": list(self.needs_in_words()),
            "notWith": list(self.conflicts_with),
        }
        return schema | {key: value for key, value in extra.items() if value}


def need_of(needs: ByValue[T] | None, value: Any) -> T | None:
    """Return what ``value`` needs, if it needs any."""
    if not isinstance(needs, Mapping):
        return needs
    if isinstance(value, Hashable) and value in needs:
        found: T = needs[value]
        return found
    forms = (key for key in needs if isinstance(key, str) and "*" in key)
    form = next((key for key in forms if isinstance(value, str) and fnmatchcase(value, key)), None)
    return None if form is None else needs[form]


def by_value(needs: ByValue[T] | None) -> dict[str, T]:
    """Return needs by the text of the value; ``*`` is any value, ``unset`` the engine's default."""
    if needs is None:
        return {}
    if not isinstance(needs, Mapping):
        return {"*": needs}
    labels = {None: "unset", True: "true", False: "false"}
    return {
        labels.get(value, str(value)) if isinstance(value, bool | None) else str(value): need
        for value, need in needs.items()
    }


def _grouped(needs: ByValue[T] | None, in_words: Callable[[T], str]) -> tuple[str, ...]:
    """Say each need once, with the values that have it."""
    labels: dict[str, list[str]] = {}
    for label, need in by_value(needs).items():
        labels.setdefault(in_words(need), []).append(label)
    return tuple(
        need if "*" in values else f"{need} for {', '.join(values)}"
        for need, values in labels.items()
    )


def _capability_in_words(version: tuple[int, int]) -> str:
    return f"compute capability {version[0]}.{version[1]}"


def _gpus_in_words(number: object) -> str:
    if number == "each":
        return "as many NVIDIA GPUs as it says, times other such sizes (2+ NVIDIA GPUs above 1)"
    return "an NVIDIA GPU" if number == 1 else f"{number}+ NVIDIA GPUs"


def _packages_in_words(names: tuple[str, ...]) -> str:
    return f"the package{'s' if len(names) > 1 else ''} {' and '.join(names)}"


NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
