"""The config section of the backend: its fields, and the rules about them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from llem.api import Experiment, Param, Rule
from llem.schema.fields import ConfigField, markers, value_at, walk
from llem_trt.config import TrtFields
from llem_trt.hardware import BFLOAT16_CAPABILITY
from llem_trt.rules.generation import GENERATION_RULES
from llem_trt.rules.limits import LIMIT_RULES
from llem_trt.rules.memory import MEMORY_RULES
from llem_trt.rules.model import MODEL_RULES
from llem_trt.rules.parallelism import PARALLEL_RULES
from llem_trt.rules.speculation import SPECULATION_RULES
from llem_trt.versions import Only


def _surface_rules() -> Iterator[Rule[TrtFields]]:
    """Yield a rule for each :class:`~llem_trt.versions.Only` on a field."""
    for field in walk(TrtFields, "trt."):
        for only in markers(field.info, Only):
            yield _rule(field, only)


def _rule(field: ConfigField, only: Only) -> Rule[TrtFields]:
    def violated(experiment: Experiment, section: TrtFields) -> bool:
        value = value_at(experiment, field.path)
        concerned = field.is_set(value) and only.concerns(value)
        return concerned and section.planned_surface != only.surface

    field_name = re.sub(r"[._]", "-", field.path.partition(".")[2])
    name = f"{field_name}-values" if only.values else field_name
    what = f"{' and '.join(map(str, only.values))} exist" if only.values else "it exists"
    return Rule(
        name=f"trt-{name}-only-in-{only.surface.replace('.', '-')}",
        fields=(field.path, "trt.surface"),
        reason=f"{what} in TensorRT-LLM {only.surface} only, and the plan is for another version",
        hint=f"Choose something else, or set trt.surface: '{only.surface}' where that version "
        "runs.",
        violated=violated,
    )


class TrtConfig(TrtFields):
    """How TensorRT-LLM loads the model, schedules requests and generates."""

    shared_needs: ClassVar[Mapping[str, Param]] = {
        "model.dtype": Param(
            min_compute_capability={"bfloat16": BFLOAT16_CAPABILITY},
            requires={"trt.planned_surface": "1.2"},
        ),
    }
    rules: ClassVar[tuple[Rule[Any], ...]] = (
        *MODEL_RULES,
        *LIMIT_RULES,
        *MEMORY_RULES,
        *PARALLEL_RULES,
        *SPECULATION_RULES,
        *GENERATION_RULES,
        *_surface_rules(),
    )
