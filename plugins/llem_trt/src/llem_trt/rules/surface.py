"""Rules that follow from what only one version of TensorRT-LLM has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from llem.schema.experiment import BackendConfig, Experiment, Rule
from llem.schema.fields import ConfigField, markers, value_at, walk
from llem_trt.section import surface_in_use
from llem_trt.versions import Only

if TYPE_CHECKING:
    from llem_trt.config.trt import TrtConfig


def surface_rules(section: type[BackendConfig]) -> Iterator[Rule[TrtConfig]]:
    """Yield a rule for each :class:`~llem_trt.versions.Only` on the fields of ``section``."""
    for field in walk(section, "trt."):
        for only in markers(field.info, Only):
            yield _rule(field, only)


def _rule(field: ConfigField, only: Only) -> Rule[TrtConfig]:
    def violated(experiment: Experiment, section: TrtConfig) -> bool:
        value = value_at(experiment, field.path)
        chosen = value if isinstance(value, tuple) else (value,)
        concerned = any(one in only.values for one in chosen) if only.values else value is not None
        return concerned and surface_in_use(experiment) != only.surface

    field_name = re.sub(r"[._]", "-", field.path.partition(".")[2])
    name = f"{field_name}-values" if only.values else field_name
    what = f"{' and '.join(map(str, only.values))} exist" if only.values else "it exists"
    return Rule(
        name=f"trt-{name}-only-in-{only.surface.replace('.', '-')}",
        fields=(field.path, "trt.surface"),
        reason=f"{what} in TensorRT-LLM {only.surface} alone, and the plan is for another version",
        hint=f"Choose something else, or set trt.surface: '{only.surface}' where that version "
        "runs.",
        violated=violated,
    )
