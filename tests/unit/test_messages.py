"""Messages count in words, and spell values as a config does."""

import re
from pathlib import Path

import pytest

import llem
from llem.config.messages import format_value
from llem.errors import are, counted, shown, were
from llem.schema.base import FrozenModel

SOURCES = sorted(Path(llem.__file__).parent.rglob("*.py"))
WRONG = re.compile(
    r"\{(?:len\([^{}]*\)|[\w.]+\.n|count|number|[\w.]*total)(?::,)?\} "
    r"(?:more |whole |other )?(?:repetition|request|run|point|outcome|token|prompt|row|file|place|"
    r"reading|value|experiment)s?\b"
)
"""A number with a noun that does not follow it; ``3 of 5 runs`` has two numbers."""


class Part(FrozenModel):
    """A section."""

    size: int | None = None
    kind: str | None = None


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (1, "repetition", "1 repetition"),
        (0, "repetition", "0 repetitions"),
        (7, "repetition", "7 repetitions"),
        (2_500, "point", "2,500 points"),
        (2, "copy", "2 copies"),
        (2, "key", "2 keys"),
        (2, "process", "2 processes"),
        (1, "process", "1 process"),
        (2, "output token", "2 output tokens"),
    ],
)
def test_a_noun_follows_its_number(number, noun, text):
    assert counted(number, noun) == text


def test_a_verb_follows_its_number():
    assert [are(number) for number in (0, 1, 2)] == ["are", "is", "are"]
    assert [were(number) for number in (0, 1, 2)] == ["were", "was", "were"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "null"), (True, "true"), ("bf16", '"bf16"'), ([1, 2], "[1, 2]"), (0.5, "0.5")],
)
def test_a_value_is_spelled_as_in_a_config(value, text):
    assert shown(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Part(size=4), "a section with size"),
        (Part(size=4, kind="x"), "a section with size, kind"),
        (Part(), "an empty section"),
        ({}, "an empty section"),
        ({"a": 1}, "a section of keys"),
        ((), "an empty list"),
        ((1,), "a list"),
        (None, "null"),
    ],
)
def test_a_section_is_named_by_its_keys(value, text):
    assert format_value(value, ("backend", "part")) == text


def test_no_message_has_a_fixed_plural():
    assert len(SOURCES) > 100
    found = [
        f"{source.name}: {match[0]}"
        for source in SOURCES
        if "testing" not in source.parts and source.stem != "study_plan"
        for match in WRONG.finditer(source.read_text(encoding="utf-8"))
    ]
    assert found == []
