"""Sums over positions, against adding up position by position."""

import json
from dataclasses import asdict, replace

import pytest

from llem.api.arithmetic import Arithmetic, Attention

MIXED = Arithmetic(
    method="counted",
    parameters=1000,
    active_parameters=600,
    position_flops=700,
    output_flops=11,
    attention=(Attention(5, 4), Attention(3, 2, window_tokens=4, surplus_flops=1)),
    first_flops=13,
    surplus_flops=70,
)


@pytest.mark.parametrize(("prompt", "output"), [(1, 1), (3, 2), (10, 5)])
def test_a_request_is_the_sum_of_its_positions(prompt, output):
    positions = range(1, prompt + output)
    windowed = sum(min(position, 4) for position in positions)
    expected = 13 + sum(700 + 5 * position for position in positions) + 3 * windowed + 11 * output
    assert MIXED.flops(prompt, output) == expected
    assert MIXED.surplus(prompt, output) == 70 * len(positions) + windowed


def test_nothing_generated_is_nothing_computed():
    assert MIXED.flops(3, 0) == 0
    assert MIXED.surplus(3, 0) == 0


@pytest.mark.parametrize(("positions", "window"), [(5, None), (5, 8), (5, 5), (5, 2), (1, 1)])
def test_a_window_bounds_the_context(positions, window):
    counted = sum(min(i, window or i) for i in range(1, positions + 1))
    assert Attention(1, 1, window).attended(positions) == counted


def test_a_windowed_layer_stops_to_grow():
    assert [MIXED.kv_elements(positions) for positions in (2, 3, 4, 10)] == [12, 18, 22, 46]
    assert MIXED.kv_elements_per_token == 6


def test_it_travels_as_json():
    assert Arithmetic.from_json(json.loads(json.dumps(asdict(MIXED)))) == MIXED
    plain = replace(MIXED, attention=())
    assert Arithmetic.from_json(json.loads(json.dumps(asdict(plain)))) == plain
