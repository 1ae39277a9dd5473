"""A gate fails only when it is sure, and says so when it is not."""

import pytest

from llem.errors import ConfigError
from llem.report.comparison.comparison import compare
from llem.report.comparison.regression_gate import State, check_limits, overall, parse_limit

from .outcomes import stored


def state_of(limit, base, new):
    found = parse_limit(limit)
    answer = compare([stored("a", base)], [stored("b", new)], [found.metric])
    return overall(check_limits([found], answer.comparisons))


BASE = (10.0, 10.05, 9.95)
UP_5 = (10.5, 10.55, 10.45)


@pytest.mark.parametrize(
    ("limit", "state"),
    [
        ("j_per_output_token > +3%", State.FAILED),
        ("j_per_output_token > 8%", State.PASSED),
        ("j_per_output_token > +5%", State.INCONCLUSIVE),
        ("j_per_output_token > +0.001", State.FAILED),
        ("j_per_output_token<-3%", State.PASSED),
    ],
)
def test_a_limit_on_more(limit, state):
    assert state_of(limit, BASE, UP_5) is state


@pytest.mark.parametrize(
    ("limit", "state"),
    [
        ("j_per_output_token < -3%", State.FAILED),
        ("j_per_output_token < -8%", State.PASSED),
        ("j_per_output_token > 0%", State.PASSED),
    ],
)
def test_a_limit_on_less(limit, state):
    assert state_of(limit, UP_5, BASE) is state


def test_noise_makes_it_inconclusive():
    assert state_of("j_per_output_token > +3%", (8, 10, 12), (9, 11, 13)) is State.INCONCLUSIVE


def test_a_single_value_makes_it_inconclusive():
    assert state_of("j_per_output_token > +3%", (10,), (20,)) is State.INCONCLUSIVE


def test_nothing_to_check_is_inconclusive():
    assert overall([]) is State.INCONCLUSIVE


def test_more_comparisons_need_stronger_evidence():
    limit = parse_limit("j_per_output_token > +3%")
    sizes = range(40)
    new_j = (10.42, 10.47, 10.37)

    def state(number):
        base = [stored(f"a{size}", BASE, some__x=size) for size in sizes[:number]]
        new = [stored(f"b{size}", new_j, some__x=size) for size in sizes[:number]]
        return overall(check_limits([limit], compare(base, new, [limit.metric]).comparisons))

    assert state(1) is State.FAILED
    assert state(40) is State.INCONCLUSIVE


@pytest.mark.parametrize(
    "text", ["", "j_per_output_token", "x > 3%", "mean_w > 3 %%", "mean_w >", "mean_w < -100%"]
)
def test_what_is_no_limit_is_refused(text):
    with pytest.raises(ConfigError):
        parse_limit(text)


def test_a_limit_is_shown_as_it_was_meant():
    assert str(parse_limit(" mean_w>3 % ")) == "mean_w > +3%"
    assert str(parse_limit("mean_w < -2.5")) == "mean_w < -2.5"
