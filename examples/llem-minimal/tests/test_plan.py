"""What an experiment becomes: each wiring rule is a test about plain data."""

from __future__ import annotations


def test_unset_fields_emit_nothing(llem_plan):
    plan = llem_plan("minimal", {"model.id": "some/folder"})
    assert plan.call("load").kwargs == {"folder": "some/folder"}


def test_a_field_sets_its_argument(llem_plan):
    plan = llem_plan("minimal", {"minimal.order": 2})
    assert plan.call("load").kwargs["order"] == 2
