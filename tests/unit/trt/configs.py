"""Random experiments that the config model accepts and no rule refuses."""

from typing import Any, Literal, get_args, get_origin

from hypothesis import strategies as st
from pydantic import ValidationError

from llem.config.rule_checks import rules_of
from llem.schema.base import IS_SET
from llem.schema.fields import ConfigField, bare, members, walk
from llem_trt.section import TrtConfig

from .conftest import TrtExperiment, make

FIELDS = {
    field.path: field for field in walk(TrtConfig, "trt.") if not field.is_section and field.maps_to
}
NEUTRAL = [(path, value) for path, field in FIELDS.items() for value in field.param.neutral]
DECODERS = [
    {},
    {"decoder.temperature": 0.7},
    {"decoder.temperature": 0.7, "decoder.top_p": 0.9, "decoder.top_k": 50, "decoder.min_p": 0.1},
    {"decoder.seed": 7, "decoder.repetition_penalty": 1.1},
    {"workload.source": "prompts", "workload.prompts": ["a"], "decoder.stop": ["END"]},
]
ERRORS = [rule for rule in rules_of("trt", TrtConfig) if rule.severity == "error"]


def values_of(field: ConfigField) -> st.SearchStrategy[Any]:
    """Return values that the field may have: all of a choice, and the author's examples."""
    kinds = [bare(member) for member in members(field.info.annotation)]
    if all(get_origin(kind) is Literal for kind in kinds):
        return st.sampled_from([value for kind in kinds for value in get_args(kind)])
    if kinds == [bool]:
        return st.booleans()
    return st.sampled_from((*field.param.examples, *field.param.neutral))


@st.composite
def experiments(draw) -> TrtExperiment | None:
    """Draw an experiment with some fields set and what they need; ``None`` if it is refused."""
    paths = draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=6, unique=True))
    values = dict(draw(st.sampled_from(DECODERS)))
    for path in paths:
        values |= _around(FIELDS[path])
        values[path] = draw(values_of(FIELDS[path]))
    # A neutral value may stand anywhere, whether its field can act there or not.
    for path, value in draw(st.lists(st.sampled_from(NEUTRAL), max_size=4)):
        values.setdefault(path, value)
    if draw(st.booleans()):
        values["trt.surface"] = draw(st.sampled_from(["1.2", "1.3"]))
    try:
        experiment = make(values)
    except ValidationError:
        return None
    return None if any(rule.is_broken_by(experiment) for rule in ERRORS) else experiment


def _around(field: ConfigField) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for other, wanted in field.param.requires.items():
        if wanted is IS_SET:
            chosen = FIELDS[other].param.examples[0] if other in FIELDS else 0.9
            values |= _around(FIELDS[other]) if other in FIELDS else {}
        else:
            chosen = next(iter(wanted)) if isinstance(wanted, tuple) else wanted
            values |= _around(FIELDS[other]) if other in FIELDS and chosen is not None else {}
        if chosen is not None:
            values[other] = chosen
    return values | dict(field.param.example_context)
