"""The base of every config model, and the markers that describe a field once, for everyone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from llem.api.config.experiment import Experiment


class FrozenModel(BaseModel):
    """An immutable model that refuses unknown keys."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=()
    )


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine parameter that a field sets.

    Attributes:
        call: Name of the plan's call (``load``, ``generate``), or ``settings``.
        name: Name of the keyword argument.
    """

    call: str
    name: str


@dataclass(frozen=True, slots=True)
class Param:
    """What a reader of a field wants to know beyond its type; use inside ``Annotated``.

    Attributes:
        unit: Unit of the value, such as ``tokens`` or ``s``.
        maps_to: Engine parameters the field sets; empty for one that core itself uses.
        min_compute_capability: Least NVIDIA compute capability, such as ``(8, 0)``.
        skipped_when: Condition under which the field has no effect and is refused.
        examples: Values worth trying.
    """

    unit: str = ""
    maps_to: tuple[Engine, ...] = ()
    min_compute_capability: tuple[int, int] | None = None
    skipped_when: str = ""
    examples: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A combination that is refused, with its reason and the way out.

    Attributes:
        name: Stable kebab-case identifier.
        fields: Dotted paths of the fields concerned; the first one is blamed.
        reason: Why it is refused, in one sentence.
        remedy: What to write instead, in one sentence.
        violated: Whether an experiment breaks the rule; pure.
    """

    name: str
    fields: tuple[str, ...]
    reason: str
    remedy: str
    violated: Callable[[Experiment], bool]


class BackendConfig(FrozenModel):
    """Base of a backend's own config section; every field defaults to ``None``."""

    rules: ClassVar[tuple[Rule, ...]] = ()
    """Combinations the backend refuses; core evaluates and lists them."""
