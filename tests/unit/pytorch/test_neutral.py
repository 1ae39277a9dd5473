"""What transformers does by itself may be written down: its defaults are refused nowhere."""

from __future__ import annotations

import ast

import pytest

from llem.config.rule_checks import rules_of
from llem.schema.fields import walk
from llem_pytorch.audit import AUDIT
from llem_pytorch.runtime.surface import introspect
from llem_pytorch.section import PyTorchConfig

ELSEWHERE = {"pytorch.torch_compile_mode"}
"""The default of a class whose parts llem hands to `torch.compile()`, which has another default."""


def defaults():
    """Yield each field with the default that transformers states for its argument."""
    found = introspect()
    stated = {
        (place, surface.name, parameter.name): parameter.default_repr
        for surface in AUDIT.surfaces
        for place in surface.at
        for parameter in found.get(surface.name, ())
        if parameter.default_repr
    }
    for field in walk(PyTorchConfig, "pytorch."):
        for argument in field.places:
            for (place, surface, name), default in stated.items():
                here = (place, name) == (argument.place, argument.parameter)
                if here and argument.of in ("", surface) and field.path not in ELSEWHERE:
                    yield field, default


def literals():
    """Yield those defaults that a config can spell."""
    for field, default in defaults():
        try:
            value = ast.literal_eval(default)
        except (SyntaxError, ValueError):
            continue
        if value is not None:
            yield pytest.param(field, value, id=f"{field.owner.__name__}-{field.path}-{value}")


@pytest.mark.parametrize(("field", "value"), list(literals()))
def test_a_default_of_the_library_breaks_no_rule(field, value, experiment):
    document = {}
    _, *sections, name = field.path.split(".")
    inside = document
    for section in sections:
        inside = inside.setdefault(section, {})
    inside[name] = value
    if "method" in field.owner.model_fields:
        inside["method"] = field.param.example_context["pytorch.quantization.method"]
    made = experiment(pytorch=document)
    broken = [rule.name for rule in rules_of("pytorch", PyTorchConfig) if rule.is_broken_by(made)]
    assert broken == []


def test_the_library_states_many_defaults():
    assert len(list(literals())) > 40
