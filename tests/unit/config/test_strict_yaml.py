"""The YAML of an experiment: plain data with lines, and no surprises."""

import json
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llem.config.strict_yaml import MAX_DEPTH, YamlRefused, parse

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=30)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_json_means_the_same_as_yaml(value):
    data, _ = parse(json.dumps(value))
    assert data == value
    assert type(data) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-2.5e+2", -250.0),
        ("1_000", 1000),
        ("+7", 7),
        ("010", 10),
        ("", None),
        ("~", None),
        ("Null", None),
        ("yes", True),
        ("On", True),
        ("TRUE", True),
        ("no", False),
        ("off", False),
        ("y", "y"),
        ("'no'", "no"),
        ('"1"', "1"),
        ("12:30", "12:30"),
        ("0x10", "0x10"),
        ("2024-01-01", "2024-01-01"),
        ("1.2.3", "1.2.3"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("=", "="),
        ("1" * 5000, "1" * 5000),
    ],
)
def test_scalars_mean_what_they_look_like(text, value):
    data, _ = parse(text)
    assert data == value
    assert type(data) is type(value)


def test_keys_are_texts_as_written():
    assert parse("on: 1\n2: 2\nnull: 3\n")[0] == {"on": 1, "2": 2, "null": 3}


def test_every_part_has_its_line():
    _, lines = parse("a: 1\nb:\n  - x\n  - c: 2\n    d: [3,\n        4]\n")
    assert lines == {
        ("a",): 1,
        ("b",): 2,
        ("b", 0): 3,
        ("b", 1): 4,
        ("b", 1, "c"): 4,
        ("b", 1, "d"): 5,
        ("b", 1, "d", 0): 5,
        ("b", 1, "d", 1): 6,
    }


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ("a: 1\nb: 2\na: 3", "the key a stands on line 1 already", 3),
        ("m:\n  a: 1\n  'a': 2", "the key m.a stands on line 2 already", 3),
        ("a: &x 1\nb: *x", "alias *x", 2),
        ("a: &x [*x]", "alias *x", 1),
        ("base: &x {b: 1}\nc:\n  <<: *x", "alias *x", 3),
        ("a: !!python/object/apply:os.system [ls]", "tag !!python/object/apply:os.system", 1),
        ("a: !!str 5", "tag !!str", 1),
        ("\na: !env HOME", "tag !env", 2),
        ("a: 1\n---\nb: 2", "single document", 2),
        ("a: [1, 2", "not valid YAML", 1),
        ("a: 1\n b: 2", "not valid YAML", 2),
        ("a: b: c", "not valid YAML", 1),
        ("\ta: 1", "not valid YAML", 1),
        ("? [a, b]\n: 1", "a key must be a word", 1),
        ("a: 1\nb: \x07", "U+0007", 2),
        ("a: 1\nb: 12e4567", "put quotes around it", 2),
        ('a: "\\ud800"', "surrogate", 1),
    ],
)
def test_what_is_refused_names_its_line(text, problem, line):
    with pytest.raises(YamlRefused) as caught:
        parse(text)
    assert problem in caught.value.problem
    assert caught.value.line == line


def test_deep_nesting_is_refused_before_it_hurts():
    assert parse("[" * MAX_DEPTH + "]" * MAX_DEPTH)[0] is not None
    started_s = time.monotonic()
    with pytest.raises(YamlRefused, match=f"more than {MAX_DEPTH} levels"):
        parse("[" * 1_000_000)
    assert time.monotonic() - started_s < 5


def test_a_billion_laughs_are_refused_at_the_first():
    lines = ["a: &a [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in pairwise("abcdefghi")]
    with pytest.raises(YamlRefused, match=r"the alias \*a is not allowed; write the value out"):
        parse("\n".join(lines))
