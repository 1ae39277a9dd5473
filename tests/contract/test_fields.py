"""The fields that all backends share are held to what each backend's own fields are."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from llem.config.core_rules import RULES
from llem.introspect.config_parameters import schema_of
from llem.introspect.json_schema import bounds
from llem.schema.experiment import Experiment
from llem.schema.fields import ConfigField, walk
from llem.testing.config_checks import is_number, unit

FIELDS = {field.path: field for field in walk(Experiment)}


@pytest.mark.parametrize(
    "field",
    [pytest.param(field, id=f"{field.owner.__name__}-{field.path}") for field in walk(Experiment)],
)
def test_a_field_is_described_and_a_number_has_bounds_and_a_unit(field: ConfigField) -> None:
    assert field.info.description
    if is_number(field):
        assert bounds(schema_of(field)[0])
        assert unit(field)


@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
def test_markers_name_fields_that_exist(field: ConfigField) -> None:
    param = field.param
    assert {*param.requires, *param.conflicts_with, *param.example_context} <= FIELDS.keys()


def test_rules_have_names_of_their_own_and_say_the_way_out() -> None:
    assert max(Counter(rule.name for rule in RULES).values()) == 1
    for rule in RULES:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.name)
        assert set(rule.fields) <= FIELDS.keys(), rule.name
        assert not rule.reason.endswith("."), rule.name
        assert rule.hint.endswith("."), rule.name
