"""`--set a.b=c`."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llem.config.overrides import apply_override
from llem.config.source import Source
from llem.errors import ConfigInvalid

from .test_strict_yaml import JSON

KEY = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True)


@given(st.lists(KEY, min_size=1, max_size=6), JSON)
def test_what_is_set_is_what_was_written(keys, value):
    source = Source()
    apply_override(source, f"{'.'.join(keys)}={json.dumps(value)}")
    found = source.data
    for key in keys:
        found = found[key]
    assert found == value
    assert source.origin(tuple(keys)) == "--set"


@given(st.lists(st.tuples(KEY, KEY, st.integers()), max_size=8))
def test_the_last_one_wins_and_the_others_stay(settings):
    source = Source()
    for section, key, value in settings:
        apply_override(source, f"{section}.{key}={value}")
    expected = {(section, key): value for section, key, value in settings}
    assert {(s, k): v for s, keys in source.data.items() for k, v in keys.items()} == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8", 8),
        ("1e-3", 0.001),
        ("shape:tiny", "shape:tiny"),
        ("a=b", "a=b"),
        ("{distribution: uniform, low: 2}", {"distribution": "uniform", "low": 2}),
        (" [cpu, 1] ", ["cpu", 1]),
        ("", None),
        ("null", None),
        ("'{x}'", "{x}"),
    ],
)  # fmt: skip
def test_a_value_is_read_as_yaml(text, value):
    source = Source()
    apply_override(source, f"key={text}")
    assert source.data == {"key": value}


def test_spaces_around_the_key_do_not_count():
    source = Source()
    apply_override(source, " a . b = 1")
    assert source.data == {"a": {"b": 1}}


@pytest.mark.parametrize(
    ("override", "refusal"),
    [
        ("foo", "--set foo: it has no =. Write --set path.to.key=value"),
        ("", "--set : it has no =. Write --set path.to.key=value"),
        ("=x", "--set =…: a part of the key is empty. Write --set path.to.key=value"),
        ("a..b=1", "--set a..b=…: a part of the key is empty."),
        (".a=1", "--set .a=…: a part of the key is empty."),
        ("a.=1", "--set a.=…: a part of the key is empty."),
        ("a=[1, 2", "--set a: not valid YAML"),
        ("a=b: c", "--set a: the value reads as a mapping or list without brackets. Put quotes"),
        ("a=- b", "--set a: the value reads as a mapping or list without brackets. Put quotes"),
        ("a=*b", "--set a: the alias *b is not allowed"),
        ("a=!!python/name:os.system x", "--set a: the tag !!python/name:os.system is not allowed"),
        ("a={b: 1, b: 2}", "--set a: the key b stands on line 1 already"),
        ("a=@x", "--set a: not valid YAML"),
        (f"a={'[' * 60}", "--set a: nested more than 50 levels deep"),
        (f"{'a.' * 60}b=1", "--set: the key has too many parts"),
    ],
)
def test_nonsense_is_refused_with_the_way_out(override, refusal):
    with pytest.raises(ConfigInvalid) as caught:
        apply_override(Source(), override)
    assert str(caught.value).startswith(refusal)


def test_nothing_goes_into_a_value_set_before():
    source = Source()
    apply_override(source, "model.id=x")
    with pytest.raises(ConfigInvalid, match=r"model\.id \(--set\) is a value, not a section"):
        apply_override(source, "model.id.revision=y")


def test_a_value_is_never_repeated_because_it_may_be_a_secret():
    for override in ("passthrough_kwargs.load.token=[s3cret", "a..b=s3cret", "x=s3cret: s3cret"):
        with pytest.raises(ConfigInvalid) as caught:
            apply_override(Source(), override)
        assert "s3cret" not in str(caught.value)
